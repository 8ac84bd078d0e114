//! Programs that are there to load variables and then run a command: the family called dotenv, env-cmd, direnv, and
//! `export $(cat .env | xargs)`, which does the same by hand.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Origin;
use crate::environment::follow::shell_text;
use crate::environment::follow::shell_text::{ShellText, assignment};
use crate::environment::follow::{Effect, Expansion, FileReader, Step, WrapperFile};
use crate::environment::invocation::{AssignedAt, option_of};
use crate::environment::paths::is_code;
use crate::environment::readers::formats;
use crate::tools::programs::{Loading, loading};

/// Tells by its name whether a file is there to set variables: `.env`, `.env.ci`, `shop.env`.
pub(crate) fn is_named_for_variables(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    name == ".env" || name.starts_with(".env.") || name.ends_with(".env") || name.ends_with(".envrc")
}

impl Expansion<'_> {
    /// The family of programs called dotenv: options that name files, then the command.
    ///
    /// Source: READMEs of dotenv-cli, dotenvx, env-cmd, godotenv, python-dotenv's CLI and Ruby's dotenv.
    pub(crate) fn dotenv(&self, words: &[String], file_options: &[&str], default: &[&str]) -> Option<Step> {
        let mut paths: Vec<String> = Vec::new();
        let mut step = self.inner();
        let mut overrides = false;
        let mut cascade = None;
        let mut at = 1;
        while let Some(word) = words.get(at) {
            let (option, attached) = option_of(word);
            if file_options.contains(&option) {
                at += usize::from(attached.is_none());
                paths.extend(attached.or(words.get(at).map(String::as_str))?.split(',').map(str::to_owned));
            } else if option == "-v" && attached.is_none() {
                at += 1;
                step.invocation.assignments.extend(assignment(words.get(at)?));
            } else if option == "-c" {
                at += usize::from(words.get(at + 1).is_some_and(|next| !next.starts_with('-')));
                cascade = words.get(at).filter(|_| word == "-c").cloned().or(attached.map(str::to_owned));
            } else if matches!(option, "-o" | "--overload" | "--override") {
                overrides = true;
            } else if option == "run" || option == "--" {
                // python-dotenv's `run` replaces what is set, unless told not to.
                overrides |= option == "run" && words[0] == "dotenv";
            } else if option == "--no-override" {
                overrides = false;
            } else if !option.starts_with('-') {
                break;
            }
            at += 1;
        }
        if let Some(name) = cascade {
            for path in
                [format!(".env.{name}.local"), ".env.local".to_owned(), format!(".env.{name}"), ".env".to_owned()]
            {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            paths = default.iter().map(|path| (*path).to_owned()).collect();
        }
        step.files.extend(paths.into_iter().map(|path| WrapperFile {
            path: self.step.folder.join(path),
            reader: FileReader::Dotenv,
            overrides,
        }));
        step.invocation.words = words.get(at..).filter(|rest| !rest.is_empty())?.to_vec();
        Some(step)
    }

    /// env-cmd: a file (`-f`), or sections of `.env-cmdrc` (`-e test,ci`); both beat what is set.
    ///
    /// Source: env-cmd's README; without either it reads `.env`.
    pub(crate) fn env_cmd(&self, words: &[String]) -> Option<Step> {
        let (mut sections, mut resource, mut others) = (None, None, vec![words[0].clone()]);
        let mut at = 1;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            let (option, attached) = option_of(word);
            let valued = matches!(option, "-e" | "--environments" | "-r" | "--rc-file" | "-f" | "--file");
            let value = if valued && attached.is_none() {
                at += 1;
                words.get(at).map(String::as_str)
            } else {
                attached
            };
            match option {
                "-e" | "--environments" => sections = value,
                "-r" | "--rc-file" => resource = value,
                _ => {
                    others.push(option.to_owned());
                    others.extend(value.map(str::to_owned));
                }
            }
            at += 1;
        }
        others.extend(words.get(at..)?.iter().cloned());
        let default: &[&str] = if sections.is_some() { &[] } else { &[".env"] };
        let mut step = self.dotenv(&others, &["-f", "--file"], default)?;
        step.files.iter_mut().for_each(|file| file.overrides = true);
        let names = resource.map_or_else(|| vec![".env-cmdrc", ".env-cmdrc.json"], |name| vec![name]);
        let mut paths = names.iter().map(|name| self.step.folder.join(name));
        let entries = paths.find_map(|path| self.entries_of(&path, formats::json::flatten)).unwrap_or_default();
        for section in sections.unwrap_or_default().split(',') {
            let of_section = entries.iter().filter_map(|entry| match &entry.path[..] {
                [own, name] if own == section => Some((name.clone(), entry.value.clone())),
                _ => None,
            });
            step.invocation.assignments.extend(of_section);
        }
        Some(step)
    }

    /// `direnv exec FOLDER cmd`: what the folder's `.envrc` plainly says; what it computes stays injected.
    ///
    /// Source: direnv-stdlib(1).
    pub(crate) fn direnv(&self, words: &[String]) -> Option<Step> {
        let (Some("exec"), Some(folder)) = (words.get(1).map(String::as_str), words.get(2)) else { return None };
        let mut step = self.inner();
        let before = step.invocation.clone();
        let home = self.step.folder.join(folder);
        let mut is_plain = false;
        if let Some(text) = self.text_of(&home.join(".envrc")) {
            // The command that is added gets everything that was exported before it.
            let ShellText { commands, cut } = shell_text::read(&format!("{text}\ntrue"));
            is_plain = cut.is_none();
            for command in commands {
                step.invocation = before.clone();
                let place = |(name, value): &(String, String)| {
                    let shown = self.project.shown(&home.join(".envrc"));
                    (name.clone(), value.clone(), Origin::file(name.clone(), shown, command.line))
                };
                let places: Rc<Vec<AssignedAt>> = Rc::new(command.assignments.iter().map(place).collect());
                step.invocation.placed(&places);
                step.assign(command.assignments, command.unknown);
                let file = command.words.get(1).cloned();
                match command.words[0].as_str() {
                    "dotenv" | "dotenv_if_exists" => step.files.push(WrapperFile {
                        path: home.join(file.unwrap_or_else(|| ".env".to_owned())),
                        reader: FileReader::Dotenv,
                        overrides: true,
                    }),
                    "export" | "PATH_add" | "path_add" | "layout" | "watch_file" | "set" | "strict_env" | "true" => {}
                    _ => is_plain = false,
                }
            }
        }
        if !is_plain {
            step.effects.push((Effect::Injects, "direnv exec".to_owned()));
        }
        step.invocation.words = words.get(3..).filter(|rest| !rest.is_empty())?.to_vec();
        Some(step)
    }

    /// What stands behind files of variables among the words of a program that nobody knows (`nv .env.test npm test`), or
    /// of a script (`python run.py -e a.env,b.env pytest`): it may load them and run that.
    pub(crate) fn behind_a_file(&self, words: &[String]) -> Option<Step> {
        let is_unknown = loading(words) == Loading::Unknown;
        let script = words.get(1).map(|word| self.step.folder.join(word));
        let runs_script = || script.is_some_and(|path| is_code(&path) && self.files.exists(&path));
        if !is_unknown && !runs_script() {
            return None;
        }
        let present = |word: &String| -> Vec<PathBuf> {
            let named = word.rsplit('=').next().unwrap_or(word).split(',').map(|name| self.step.folder.join(name));
            named.filter(|path| is_named_for_variables(path) && self.files.exists(path)).collect()
        };
        let found = words.iter().enumerate().skip(1).map(|(at, word)| (at, present(word)));
        let (at, paths) = found.into_iter().find(|(_, paths)| !paths.is_empty())?;
        let begins = |word: &&String| {
            let is_program = !matches!(loading(std::slice::from_ref(*word)), Loading::Unknown);
            is_program || assignment(word).is_some() || self.files.exists(&self.step.folder.join(word))
        };
        let behind = words[at + 1..].iter().skip_while(|word| word.starts_with('-'));
        let behind: Vec<String> = match is_unknown && !words[at + 1..].first().is_some_and(|word| word.starts_with('-'))
        {
            true => behind.cloned().collect(),
            false => behind.skip_while(|word| !begins(word)).cloned().collect(),
        };
        let mut step = self.inner();
        let files = paths.into_iter().map(|path| WrapperFile { path, reader: FileReader::Dotenv, overrides: true });
        step.files.extend(files);
        step.invocation.words = behind;
        (!step.invocation.words.is_empty()).then_some(step)
    }

    /// The files that a substitution prints as variables: `$(cat .env | xargs)`, `$(grep -v '^#' .env)`.
    pub(crate) fn printed_files(&self, folder: &Path, substitution: &str) -> Vec<WrapperFile> {
        let inside = substitution.trim_start_matches("$(").trim_matches(['`', ')', '"']);
        let reads = ["cat", "grep", "egrep", "sed", "awk", "xargs", "envsubst"];
        let Some(first) = inside.split_whitespace().next() else { return Vec::new() };
        if !reads.contains(&first) && !first.starts_with('<') {
            return Vec::new();
        }
        let words = inside.split(|c: char| c.is_whitespace() || matches!(c, '|' | '<' | ')' | '\'' | '"'));
        let names = words.skip(1).filter(|word| word.contains('.') && !word.starts_with(['-', '^', '$', '#']));
        let present = names.map(|name| folder.join(name)).filter(|path| self.files.exists(path));
        present.map(|path| WrapperFile { path, reader: FileReader::Shell, overrides: true }).collect()
    }
}
