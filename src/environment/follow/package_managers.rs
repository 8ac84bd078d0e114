//! `npm test`, `yarn db:reset`, `composer test`: which script of which file is meant.

use crate::environment::follow::manifest_scripts;
use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::follow::{Expansion, Step};
use crate::environment::invocation::option_of;
use crate::environment::paths::nearest;
use crate::environment::readers::formats::json;

/// What the words name as a script: its name, the words given to it, and the folder asked for.
struct Named<'w> {
    name: &'w str,
    arguments: Vec<&'w str>,
    folder: Option<&'w str>,
}

impl Expansion<'_> {
    /// The scripts that the words run; `None` for another program.
    pub(crate) fn package_scripts(&self, program: &str, words: &[String]) -> Option<Vec<PlacedScript>> {
        match program {
            "npm" | "pnpm" | "yarn" | "bun" if installs(program, words) => {
                let file = nearest(self.files, &self.step.folder, &self.project.root, &["package.json"])?;
                let found = manifest_scripts::of_install(&self.entries_of(&file, json::flatten)?);
                let found: Vec<_> = found.into_iter().map(|script| PlacedScript::beside(&file, script)).collect();
                (!found.is_empty()).then_some(found)
            }
            "npm" | "pnpm" | "yarn" | "bun" => self.scripts_of_package(&node_script(program, words)?),
            // Node's own runner of package.json scripts.
            "node" => self.scripts_of_package(&option_value(words, "--run")?),
            // `start-server-and-test start http://localhost:3000 test` names scripts too.
            "run-s" | "run-p" | "npm-run-all" | "npm-run-all2" | "start-server-and-test" | "server-test" => {
                let names = words[1..].iter().filter(|word| !word.starts_with('-'));
                let found = names.flat_map(|name| {
                    // `run-s "db:reset -- --force"`: arguments may stand behind the name.
                    let name = name.split(' ').next().unwrap_or(name);
                    let named = Named { name, arguments: Vec::new(), folder: None };
                    self.scripts_of_package(&named).unwrap_or_default()
                });
                Some(found.collect())
            }
            "composer" => {
                let named = composer_script(words)?;
                let file = nearest(self.files, &self.step.folder, &self.project.root, &["composer.json"])?;
                let entries = self.entries_of(&file, json::flatten)?;
                let own = || manifest_scripts::of_composer(&entries, named.name);
                let found: Vec<Script> = match composer_events(named.name) {
                    [] => own(),
                    events => events.iter().flat_map(|name| manifest_scripts::of_composer(&entries, name)).collect(),
                };
                Some(found.into_iter().map(|script| PlacedScript::beside(&file, script)).collect())
            }
            _ => None,
        }
    }

    /// The program that the words run where the package has no script of that name; only for those package managers that
    /// look for one then.
    pub(crate) fn package_program(&self, program: &str, words: &[String]) -> Vec<Step> {
        let named = if matches!(program, "pnpm" | "yarn") { node_script(program, words) } else { None };
        let Some(Named { name, arguments, folder }) = named.filter(|named| !OWN_WORDS.contains(&named.name)) else {
            return Vec::new();
        };
        let folder = folder.map_or_else(|| self.step.folder.clone(), |named| self.step.folder.join(named));
        let words = std::iter::once(name).chain(arguments);
        vec![Step { folder, ..self.inner() }.running(words)]
    }

    fn scripts_of_package(&self, named: &Named<'_>) -> Option<Vec<PlacedScript>> {
        let folder = &self.step.folder;
        let from = named.folder.map_or_else(|| folder.clone(), |named| folder.join(named));
        let file = nearest(self.files, &from, &self.project.root, &["package.json"])?;
        let mut found = manifest_scripts::of_package(&self.entries_of(&file, json::flatten)?, named.name);
        if let Some(script) = found.iter_mut().find(|script| script.name == named.name) {
            script.give(&named.arguments);
        }
        Some(found.into_iter().map(|script| PlacedScript::beside(&file, script)).collect())
    }
}

fn option_value<'w>(words: &'w [String], option: &str) -> Option<Named<'w>> {
    let at = words.iter().position(|word| word.split('=').next() == Some(option))?;
    let name = match words[at].split_once('=') {
        Some((_, name)) => name,
        None => words.get(at + 1)?,
    };
    Some(Named { name, arguments: Vec::new(), folder: None })
}

/// Subcommands of pnpm and Yarn, which are no programs.
///
/// Source: `pnpm help --all`, `yarn help` of versions 1 and 4.
pub(crate) const OWN_WORDS: &[&str] = &[
    "add",
    "approve-builds",
    "audit",
    "autoclean",
    "bin",
    "cache",
    "cat-file",
    "cat-index",
    "check",
    "completion",
    "config",
    "constraints",
    "create",
    "dedupe",
    "deploy",
    "dlx",
    "doctor",
    "env",
    "exec",
    "explain",
    "fetch",
    "find-hash",
    "generate-lock-entry",
    "global",
    "help",
    "ignored-builds",
    "import",
    "info",
    "init",
    "install",
    "install-completion",
    "install-test",
    "it",
    "licenses",
    "link",
    "list",
    "ll",
    "ln",
    "login",
    "logout",
    "ls",
    "node",
    "npm",
    "outdated",
    "owner",
    "pack",
    "patch",
    "patch-commit",
    "patch-remove",
    "plugin",
    "policies",
    "prune",
    "publish",
    "rb",
    "rebuild",
    "remove",
    "rm",
    "root",
    "run",
    "search",
    "self-update",
    "server",
    "set",
    "setup",
    "stage",
    "start",
    "stop",
    "restart",
    "store",
    "tag",
    "team",
    "test",
    "un",
    "uninstall",
    "unlink",
    "unplug",
    "up",
    "update",
    "upgrade",
    "upgrade-interactive",
    "version",
    "versions",
    "view",
    "why",
    "workspace",
    "workspaces",
];

/// Subcommands of bun that come before a script of that name.
///
/// Source: `bun --help` of version 1.2.
const OF_BUN: &[&str] = &[
    "audit", "build", "create", "exec", "info", "init", "link", "outdated", "patch", "pm", "publish", "repl", "test",
    "unlink", "update", "upgrade", "why",
];

/// Options of npm, pnpm, yarn and bun whose value is the next word.
const VALUED: &[&str] = &["--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter", "-F", "--loglevel"];

fn node_script<'w>(program: &str, words: &'w [String]) -> Option<Named<'w>> {
    let mut folder = None;
    let mut at = 1;
    let mut has_run = false;
    loop {
        let word = words.get(at)?.as_str();
        at += 1;
        if word.starts_with('-') {
            let (option, attached) = option_of(word);
            let value = if VALUED.contains(&option) && attached.is_none() {
                at += 1;
                words.get(at - 1).map(String::as_str)
            } else {
                attached
            };
            let names_folder = matches!(option, "--prefix" | "-C" | "--dir" | "--cwd" | "-w" | "--workspace");
            folder = value.filter(|_| names_folder).or(folder);
            continue;
        }
        let name = match word {
            "run" | "run-script" if !has_run => {
                has_run = true;
                continue;
            }
            "workspace" if program == "yarn" => {
                folder = words.get(at).map(String::as_str);
                at += 1;
                continue;
            }
            "t" | "tst" if program == "npm" && !has_run => "test",
            "test" | "start" | "stop" | "restart" => word,
            // bun's own test runner, and npm's other subcommands.
            _ if !has_run && matches!(program, "npm") => return None,
            _ => word,
        };
        if program == "bun" && OF_BUN.contains(&name) && !has_run {
            return None;
        }
        let mut arguments: Vec<&str> = words.get(at..).unwrap_or_default().iter().map(String::as_str).collect();
        if program == "npm" {
            folder = own_folder(&mut arguments).or(folder);
        }
        return Some(Named { name, arguments, folder });
    }
}

/// Takes the option that names npm's folder out of what stands behind a script's name: npm looks for its options up to a
/// `--`.
fn own_folder<'w>(arguments: &mut Vec<&'w str>) -> Option<&'w str> {
    let own = arguments.iter().position(|word| *word == "--").unwrap_or(arguments.len());
    let at = arguments[..own].iter().position(|word| matches!(option_of(word).0, "--prefix" | "-C"))?;
    let attached = option_of(arguments.remove(at)).1;
    attached.or_else(|| (at < arguments.len()).then(|| arguments.remove(at)))
}

/// Whether the words install packages, after which the project's own scripts run.
fn installs(program: &str, words: &[String]) -> bool {
    match words.iter().skip(1).find(|word| !word.starts_with('-')).map(String::as_str) {
        Some("add" | "ci" | "clean-install" | "i" | "install") => true,
        None => program == "yarn",
        Some(_) => false,
    }
}

/// The events of composer's own commands.
fn composer_events(command: &str) -> &'static [&'static str] {
    match command {
        "i" | "install" => &["pre-install-cmd", "pre-autoload-dump", "post-autoload-dump", "post-install-cmd"],
        "create-project" | "remove" | "require" | "u" | "update" | "upgrade" => {
            &["pre-update-cmd", "pre-autoload-dump", "post-autoload-dump", "post-update-cmd"]
        }
        "dump-autoload" | "dumpautoload" => &["pre-autoload-dump", "post-autoload-dump"],
        _ => &[],
    }
}

fn composer_script(words: &[String]) -> Option<Named<'_>> {
    let mut rest = words[1..].iter().enumerate().filter(|(_, word)| !word.starts_with('-'));
    let (mut at, mut name) = rest.next()?;
    if matches!(name.as_str(), "run" | "run-script") {
        (at, name) = rest.next()?;
    }
    let arguments = words.get(at + 2..).unwrap_or_default().iter().map(String::as_str).collect();
    Some(Named { name, arguments, folder: None })
}
