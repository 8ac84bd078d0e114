//! What a command visibly stands for: wrappers taken off, scripts looked up, `sh -c` texts taken apart.
//!
//! The answer is a list of simple commands in the order they were found, the command line first. Nothing is executed,
//! and what cannot be followed (a variable as program, a script in another language) stays as it is.

mod code_texts;
pub(crate) mod env_programs;
mod git_remotes;
pub(crate) mod justfile;
pub(crate) mod makefile;
pub(crate) mod manifest_scripts;
mod manifest_tasks;
mod moon;
mod node_runners;
mod nx;
pub(crate) mod package_managers;
mod packages;
mod positional;
mod process_files;
mod python_tasks;
pub(crate) mod script;
pub(crate) mod shell_scripts;
pub(crate) mod shell_text;
pub(crate) mod step;
pub(crate) mod task_runners;
pub(crate) mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod workspaces;
pub(crate) mod wrappers;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::follow::shell_text::{ShellText, assignment};
use crate::environment::invocation::unknown_value;
use crate::environment::not_followed::Gaps;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Files, Invocation, Project};
use crate::text::shell_word;
use crate::tools::words::SHELLS;

pub(crate) use crate::environment::follow::step::{Emptied, Step};
pub(crate) use crate::environment::follow::workspaces::MARKS as WORKSPACE_MARKS;
pub(crate) use crate::environment::follow::wrappers::WrapperFile;
pub(crate) use crate::tools::wrappers::{Effect, FileReader};

/// How long a chain of scripts that call each other is followed.
const DEEPEST: u8 = 64;
/// More commands than this are not followed.
const MOST_STEPS: usize = 32_768;
/// How many commands, with the variables that are given to each, may be found on the way to them.
const MOST_FOUND: usize = 500_000;

/// Finds the outer command and everything it visibly stands for, the command line itself first.
///
/// `command` is the program with its arguments. A step that another one is the same as is left out, so that scripts may
/// call each other in a circle. Depth and number are capped; `gaps` hears where there is more. `process` is the environment
/// that the command is started with.
pub(crate) fn steps(
    command: &[OsString],
    process: &[(OsString, OsString)],
    project: &Project,
    files: &dyn Files,
    gaps: &Gaps,
) -> Vec<Step> {
    steps_where(command, process, project, files, gaps, &|_| true)
}

/// Finds the same, and looks only into the steps that `looks_into` tells.
pub(crate) fn steps_where(
    command: &[OsString],
    process: &[(OsString, OsString)],
    project: &Project,
    files: &dyn Files,
    gaps: &Gaps,
    looks_into: &dyn Fn(&Step) -> bool,
) -> Vec<Step> {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut steps = vec![Step::typed(words, &project.folder)];
    let mut seen = HashSet::from([steps[0].fingerprint()]);
    let room = Room::of(MOST_FOUND);
    let mut at = 0;
    while at < steps.len() {
        let step = &steps[at];
        if !looks_into(step) {
            at += 1;
            continue;
        }
        let environment = OnceCell::new();
        let expansion = Expansion { step, process, project, files, gaps, room: &room, environment };
        let (mut found, stands_for_others) = expansion.run();
        found.retain(|new| seen.insert(new.fingerprint()));
        if step.depth >= DEEPEST && !found.is_empty() {
            expansion.cut("it is the last of a chain of more than 64 commands that is followed");
            found.clear();
        }
        if found.len() > MOST_STEPS - steps.len() {
            expansion.cut("it stands for more than 32,768 commands");
            found.truncate(MOST_STEPS - steps.len());
        }
        steps[at].stands_for_others = stands_for_others;
        steps.append(&mut found);
        at += 1;
    }
    // A script that does nothing but call itself stands for itself.
    if steps.iter().all(|step| step.stands_for_others) {
        steps[0].stands_for_others = false;
    }
    steps
}

/// Looks one level into a step.
struct Expansion<'a> {
    step: &'a Step,
    process: &'a [(OsString, OsString)],
    project: &'a Project,
    files: &'a dyn Files,
    gaps: &'a Gaps,
    room: &'a Room,
    /// The environment that the step is started with, once it is asked for.
    environment: OnceCell<HashMap<String, String>>,
}

/// What all steps share.
struct Room {
    /// How many more commands and variables of theirs may be found.
    left: Cell<usize>,
    /// What files of scripts say, with the address of the reader: the packages of a workspace are asked for over and over.
    entries: RefCell<HashMap<(PathBuf, usize), KeptEntries>>,
}

/// The entries of a file, where it is there.
type KeptEntries = Option<Rc<Vec<FlatEntry>>>;

impl Room {
    fn of(left: usize) -> Self {
        Room { left: Cell::new(left), entries: RefCell::default() }
    }
}

impl Expansion<'_> {
    /// What the step stands for, and whether it does nothing else.
    fn run(&self) -> (Vec<Step>, bool) {
        let words = &self.step.invocation.words;
        let program = self.step.invocation.program().trim_start_matches('\\').to_ascii_lowercase();
        let program = program.strip_suffix(".exe").or(program.strip_suffix(".cmd")).unwrap_or(&program);
        if let Some(pair) = assignment(&words[0]) {
            // `cross-env X=Y cmd` and `env X=Y cmd` leave their assignments in front.
            let step = Step { invocation: self.with_words(words[1..].to_vec()), ..self.inner() };
            return only(step.with_assignments(vec![pair]));
        }
        if let Some(steps) = self.in_packages(program, words) {
            return non_empty(steps);
        }
        let found = match program {
            program if SHELLS.contains(&program) => return self.shell(words),
            "env" => self.env(words),
            "cross-env" | "cross-env-shell" => self.assignments_in_front(words),
            "." | "source" => return self.sourced(words),
            "eval" => return (self.text(&words[1..].join(" "), 1, None), true),
            "env-cmd" => self.env_cmd(words),
            "direnv" => self.direnv(words),
            "dotenv" | "dotenvx" | "godotenv" | "dotenvy" | "dotenv-cli" => {
                self.dotenv(words, &["-e", "-f", "--env-file", "--file"], &[".env"])
            }
            "su" | "runuser" | "script" => self.text_of_option_c(words),
            "find" | "fd" => self.run_for_each_file(words),
            "make" | "gmake" => return self.make(words),
            "just" => return self.just(words),
            "mise" => return self.mise(words),
            "task" | "go-task" => return self.task(words),
            "nodemon" => return (self.nodemon(words), false),
            "nps" => return non_empty(self.nps(words)),
            "pm2" | "pm2-dev" | "pm2-runtime" => return non_empty(self.pm2(words)),
            "playwright" => return (self.playwright(words), false),
            "concurrently" | "hyperfine" => {
                let texts = words[1..].iter().filter(|word| !word.starts_with('-'));
                let texts = texts.map(|text| spelled_out(text));
                return non_empty(texts.flat_map(|text| self.text(&text, 1, None)).collect());
            }
            program if program.starts_with('$') => return (self.any_script(words), false),
            _ => {
                if let Some(tasks) = self.manifest_tasks(program, words) {
                    return non_empty(tasks);
                }
                wrappers::peel(program, words).map(|peeled| self.peeled(peeled))
            }
        };
        if let Some(mut step) = found {
            if empties_environment(program, words) {
                step.emptied = Some(Emptied::of_all(self.step.invocation.assignments.len()));
            }
            return only(step);
        }
        if let Some(scripts) = self.package_scripts(program, words) {
            let mut steps: Vec<Step> = scripts.into_iter().flat_map(|one| self.placed(one)).collect();
            steps.extend(self.commands_among(words));
            return non_empty(if steps.is_empty() { self.package_program(program, words) } else { steps });
        }
        let mut steps = self.script_file(words);
        steps.extend(self.behind_a_file(words));
        steps.extend(self.commands_among(words));
        (steps, false)
    }

    /// Gives the value of a variable that the step is started with, as it is assigned.
    fn variable(&self, name: &str) -> Option<String> {
        self.environment.get_or_init(|| self.variables()).get(name).cloned()
    }

    fn variables(&self) -> HashMap<String, String> {
        let Invocation { assignments, unknown, .. } = &self.step.invocation;
        let emptied = self.step.emptied.as_ref();
        let keeps = |name: &str| emptied.is_none_or(|emptied| emptied.keeps(name));
        let process = self.process.iter().map(|(name, value)| (name.to_string_lossy(), value.to_string_lossy()));
        let mut all: HashMap<String, String> = process
            .filter(|(name, _)| keeps(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut assigned_at: HashMap<&str, usize> = HashMap::default();
        for (at, (name, value)) in assignments.iter().enumerate() {
            if emptied.is_none_or(|emptied| at >= emptied.before) || keeps(name) {
                assigned_at.insert(name, at);
                all.insert(name.clone(), value.clone());
            }
        }
        for (before, name) in unknown {
            if assigned_at.get(&**name).is_none_or(|at| at < before) {
                all.insert(name.to_string(), unknown_value(name));
            }
        }
        all
    }

    /// A program that begins with a variable: what it is set to, or a script below a folder.
    fn any_script(&self, words: &[String]) -> Vec<Step> {
        let mut steps = self.program_in_variable(words);
        steps.extend(self.script_file(words));
        steps
    }

    fn with_words(&self, words: Vec<String>) -> Invocation {
        Invocation { words, ..self.step.invocation.clone() }
    }

    fn inner(&self) -> Step {
        Step { depth: self.step.depth + 1, stands_for_others: false, calls_function: false, ..self.step.clone() }
    }

    /// `su -c TEXT`, `script -qc TEXT FILE`: options of one letter may stand together.
    fn text_of_option_c(&self, words: &[String]) -> Option<Step> {
        let takes_text = |word: &String| {
            word == "--command" || word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
        };
        let text = words.get(words.iter().position(takes_text)? + 1)?;
        Some(self.inner().running(["sh", "-c", text]))
    }

    /// `find … -exec COMMAND {} +`.
    fn run_for_each_file(&self, words: &[String]) -> Option<Step> {
        let runs = ["-exec", "-execdir", "-ok", "-x", "-X", "--exec", "--exec-batch"];
        let at = words.iter().position(|word| runs.contains(&word.as_str()))?;
        let inside = words.get(at + 1..).filter(|inside| !inside.is_empty())?;
        Some(self.inner().running(inside.iter().map(String::as_str)))
    }

    fn env(&self, words: &[String]) -> Option<Step> {
        let mut at = 1;
        let mut step = self.inner();
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            match word.as_str() {
                "--" => break,
                word if word == "-" || word == "--ignore-environment" || word.starts_with("-i") => {
                    step.emptied = Some(Emptied::of_all(step.invocation.assignments.len()));
                }
                "-u" | "--unset" => {
                    step.assign(Vec::new(), vec![(0, words.get(at)?.as_str().into())]);
                    at += 1;
                }
                "-C" | "--chdir" => {
                    step.folder = step.folder.join(words.get(at)?);
                    at += 1;
                }
                "-S" | "--split-string" => {
                    let text = words.get(at..)?.join(" ");
                    let ShellText { commands, cut } = shell_text::read(&format!("env {text}"));
                    if let Some((_, why)) = cut {
                        self.cut(why);
                    }
                    let split = commands.into_iter().next()?;
                    step.invocation.words = split.words;
                    return Some(step);
                }
                _ => {}
            }
        }
        while let Some(word) = words.get(at).filter(|word| word.starts_with(['$', '`', '"'])) {
            step.files.extend(self.printed_files(&self.step.folder, word));
            at += 1;
        }
        step.invocation.words = words.get(at..)?.to_vec();
        (!step.invocation.words.is_empty()).then_some(step).and_then(Step::without_leading_assignments)
    }

    fn assignments_in_front(&self, words: &[String]) -> Option<Step> {
        let words = words[1..].iter().skip_while(|word| word.starts_with('-')).cloned().collect::<Vec<_>>();
        let step = Step { invocation: self.with_words(words), ..self.inner() };
        let step = step.without_leading_assignments()?;
        // `cross-env X=Y "a && b"`: a text for the shell.
        match &step.invocation.words[..] {
            [text] if text.contains(' ') => {
                let words = vec!["sh".to_owned(), "-c".to_owned(), text.clone()];
                Some(Step { invocation: Invocation { words, ..step.invocation.clone() }, ..step })
            }
            _ => Some(step),
        }
    }

    fn peeled(&self, peeled: wrappers::Peeled) -> Step {
        let mut step = self.inner();
        step.invocation.assignments.extend(peeled.assignments);
        step.effects.extend(peeled.effect);
        if !peeled.place.is_empty() {
            step.place = peeled.place;
            if step.place[0] == "heroku" {
                step.place.extend(self.heroku_applications(&step.place));
            }
        }
        if let Some(folder) = peeled.folder {
            let folder = step.folder.join(folder);
            step.folder = if self.files.exists(&folder) { folder } else { step.folder };
        }
        // Some go to the folder first, some look for the file before.
        step.files.extend(peeled.files.iter().map(|file| match file.below(&step.folder) {
            there if self.files.exists(&there.path) => there,
            _ => file.below(&self.step.folder),
        }));
        if peeled.words.is_empty() {
            // Nothing is named to run inside: the container's own command.
            step.invocation.words = vec!["(default)".to_owned()];
            step.depth = DEEPEST;
        } else {
            step.invocation.words = peeled.words;
        }
        step
    }
}

/// Whether a wrapper starts its command without the environment that it got, or with little of it.
///
/// Source: sudo(8), doas(1), su(1), the Bash manual's `exec -c`; sudoers may keep more.
fn empties_environment(program: &str, words: &[String]) -> bool {
    let mut options = words[1..].iter().map(String::as_str);
    match program {
        "sudo" | "doas" => !options.any(|word| word == "-E" || word.starts_with("--preserve-env")),
        "su" | "runuser" => options.any(|word| matches!(word, "-" | "-l" | "--login")),
        "exec" => options.take_while(|word| word.starts_with('-')).any(|word| word.contains('c')),
        _ => false,
    }
}

/// `npm:NAME` of concurrently as the command that it stands for.
fn spelled_out(text: &str) -> Cow<'_, str> {
    let manager = ["npm", "yarn", "pnpm", "bun"].iter().find(|name| text.starts_with(&format!("{name}:")));
    match manager {
        Some(name) => format!("{name} run {}", shell_word(&text[name.len() + 1..])).into(),
        None => text.into(),
    }
}

fn only(step: Step) -> (Vec<Step>, bool) {
    if step.invocation.words.is_empty() { (Vec::new(), false) } else { (vec![step], true) }
}

fn non_empty(steps: Vec<Step>) -> (Vec<Step>, bool) {
    let found = !steps.is_empty();
    (steps, found)
}
