//! What a command visibly stands for: wrappers taken off, scripts looked up, `sh -c` texts taken apart.
//!
//! The answer is a list of simple commands in the order they were found, the command line first. Nothing is executed,
//! and what cannot be followed (a variable as program, a script in another language) stays as it is.

mod env_programs;
mod package_managers;
mod remote;
mod scripts;
mod step;
mod task_runners;
mod workspaces;
mod wrappers;

use std::ffi::OsString;
use std::path::Path;

use super::shell::{SHELLS, assignment, simple_commands};
use super::{Files, Invocation, Origin, Project};

pub(super) use remote::reaches_a_provider;
pub(super) use scripts::nearest;
pub(super) use step::Step;
pub(super) use wrappers::{Effect, FileReader, WrapperFile};

const DEEPEST: u8 = 8;
/// More commands than this are not followed; who judges has to say so.
pub(super) const MOST_STEPS: usize = 512;

/// The outer command and everything it visibly stands for, the command line itself first.
///
/// `command` is the program with its arguments. Depth and number are capped; what lies beyond is left out.
#[must_use]
pub fn invocations(command: &[OsString], project: &Project, files: &dyn Files) -> Vec<Invocation> {
    steps(command, project, files).into_iter().map(|step| step.invocation).collect()
}

/// As [`invocations`], with what each one's wrappers do.
pub(super) fn steps(command: &[OsString], project: &Project, files: &dyn Files) -> Vec<Step> {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let origin = Origin { variable: "command line".to_owned(), file: None, line: None };
    let first = Step {
        invocation: Invocation { assignments: Vec::new(), words, origin },
        stands_for_others: false,
        files: Vec::new(),
        effects: Vec::new(),
        folder: project.folder.clone(),
        depth: 0,
    };
    let mut steps = vec![first];
    let mut at = 0;
    while at < steps.len() {
        let step = steps[at].clone();
        if step.depth < DEEPEST {
            let (found, stands_for_others) = Expansion { step: &step, project, files }.run();
            steps[at].stands_for_others = stands_for_others;
            let room = MOST_STEPS.saturating_sub(steps.len());
            steps.extend(found.into_iter().take(room));
        }
        at += 1;
    }
    steps
}

/// Looks one level into a step.
struct Expansion<'a> {
    step: &'a Step,
    project: &'a Project,
    files: &'a dyn Files,
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
        let found = match program {
            program if SHELLS.contains(&program) => return self.shell(words),
            "env" => self.env(words),
            "cross-env" | "cross-env-shell" => self.assignments_in_front(words),
            "eval" => return (self.text(&words[1..].join(" "), 1, None), true),
            "env-cmd" => self.env_cmd(words),
            "direnv" => self.direnv(words),
            "dotenv" | "dotenvx" | "godotenv" | "dotenvy" | "dotenv-cli" => {
                self.dotenv(words, &["-e", "-f", "--env-file", "--file"], &[".env"])
            }
            "su" | "runuser" | "script" => {
                // `script -qc TEXT FILE`: options of one letter may stand together.
                let takes_text = |word: &String| {
                    word == "--command" || word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
                };
                let text = words.iter().position(takes_text);
                let text = text.and_then(|at| words.get(at + 1));
                text.map(|text| self.inner().running(["sh", "-c", text]))
            }
            "find" | "fd" => {
                let runs = ["-exec", "-execdir", "-ok", "-x", "-X", "--exec", "--exec-batch"];
                let at = words.iter().position(|word| runs.contains(&word.as_str()));
                let inside = at.and_then(|at| words.get(at + 1..)).filter(|inside| !inside.is_empty());
                inside.map(|inside| self.inner().running(inside.iter().map(String::as_str)))
            }
            "make" | "gmake" => return self.make(words),
            "just" => return self.just(words),
            "mise" => return self.mise(words),
            "task" | "go-task" => return self.task(words),
            "concurrently" => {
                let texts = words[1..].iter().filter(|word| !word.starts_with('-'));
                return non_empty(texts.flat_map(|text| self.text(text, 1, None)).collect());
            }
            _ => wrappers::peel(program, words).map(|peeled| self.peeled(peeled)),
        };
        if let Some(step) = found {
            return only(step);
        }
        let folder = &self.step.folder;
        if let Some(scripts) = workspaces::scripts(program, words, folder, self.project, self.files) {
            let steps = scripts.into_iter().flat_map(|(file, folder, script)| self.script(&file, &folder, script));
            return non_empty(steps.collect());
        }
        if let Some(scripts) = package_managers::scripts(program, words, &self.step.folder, self.project, self.files) {
            let steps = scripts.into_iter().flat_map(|(file, folder, script)| self.script(&file, &folder, script));
            return non_empty(steps.collect());
        }
        (self.script_file(words), false)
    }

    fn with_words(&self, words: Vec<String>) -> Invocation {
        Invocation { words, ..self.step.invocation.clone() }
    }

    fn inner(&self) -> Step {
        Step { depth: self.step.depth + 1, stands_for_others: false, ..self.step.clone() }
    }

    fn env(&self, words: &[String]) -> Option<Step> {
        let mut at = 1;
        let mut step = self.inner();
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            match word.as_str() {
                "--" => break,
                "-u" | "--unset" => at += 1,
                "-C" | "--chdir" => {
                    step.folder = step.folder.join(words.get(at)?);
                    at += 1;
                }
                "-S" | "--split-string" => {
                    let text = words.get(at..)?.join(" ");
                    let split = simple_commands(&format!("env {text}")).into_iter().next()?;
                    step.invocation.words = split.words;
                    return Some(step);
                }
                _ => {}
            }
        }
        while let Some(word) = words.get(at).filter(|word| word.starts_with(['$', '`', '"'])) {
            step.files.extend(self.printed_files(word));
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
        step.files.extend(peeled.files);
        step.effects.extend(peeled.effect);
        if let Some(folder) = peeled.folder {
            let folder = step.folder.join(folder);
            step.folder = if self.files.exists(&folder) { folder } else { step.folder };
        }
        if peeled.words.is_empty() {
            // Nothing is named to run inside: the container's own command.
            step.invocation.words = vec!["(default)".to_owned()];
            step.depth = DEEPEST;
        } else {
            step.invocation.words = peeled.words;
        }
        step
    }

    /// `sh -c TEXT` is taken apart; `sh FILE` is that file's text.
    fn shell(&self, words: &[String]) -> (Vec<Step>, bool) {
        let mut at = 1;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-') || word.starts_with('+')) {
            at += 1;
            if word.starts_with('-') && !word.starts_with("--") && word.contains('c') {
                let text = words.get(at).map_or("", String::as_str);
                return non_empty(self.text(text, 1, None));
            }
            at += usize::from(word == "-o" || word == "+o");
        }
        (self.script_file(words.get(at..).unwrap_or_default()), false)
    }

    /// The commands of a shell text; `file` is where it stands, if not on the command line.
    fn text(&self, text: &str, line: u32, file: Option<&Origin>) -> Vec<Step> {
        let mut folder = self.step.folder.clone();
        let mut sourced = Vec::new();
        let mut steps = Vec::new();
        for command in simple_commands(text) {
            match (command.words[0].as_str(), command.words.get(1)) {
                ("cd" | "pushd", Some(to)) if !to.contains('$') => {
                    folder = folder.join(to);
                    continue;
                }
                ("export" | "declare" | "eval", Some(_)) => {
                    sourced.extend(command.words[1..].iter().flat_map(|word| self.printed_files(word)));
                    if command.words[0] != "eval" {
                        continue;
                    }
                }
                ("." | "source", Some(path)) => {
                    let path = folder.join(path);
                    sourced.push(WrapperFile { path, reader: FileReader::Shell, overrides: true });
                    continue;
                }
                _ => {}
            }
            let mut step = Step { folder: folder.clone(), ..self.inner() };
            step.files.extend(sourced.iter().cloned());
            step.invocation.assignments.extend(command.assignments);
            step.invocation.words = command.words;
            if let Some(origin) = file {
                step.invocation.origin = origin.clone();
                step.invocation.origin.line = Some(line.saturating_add(command.line - 1));
            }
            steps.push(step);
            if steps.len() >= MOST_STEPS {
                break;
            }
        }
        steps
    }

    fn script(&self, file: &Path, folder: &Path, script: scripts::Script) -> Vec<Step> {
        // A script's text in JSON stands on one line; a recipe's lines follow its head.
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let origin = Origin::file(script.name.clone(), self.project.shown(file), script.line);
        let mut steps = self.text(&script.text, script.line, Some(&origin));
        for step in &mut steps {
            if is_json {
                step.invocation.origin.line = Some(script.line);
            }
            if step.folder == self.step.folder {
                step.folder = folder.to_owned();
            }
            step.invocation.assignments.extend(script.assignments.iter().cloned());
            step.files.extend(script.files.iter().cloned());
        }
        steps
    }

    fn make(&self, words: &[String]) -> (Vec<Step>, bool) {
        let mut folder = self.step.folder.clone();
        let (mut given, mut targets, mut named) = (Vec::new(), Vec::new(), None);
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-C" | "--directory" => folder = rest.next().map_or(folder.clone(), |to| folder.join(to)),
                "-f" | "--file" | "--makefile" => named = rest.next().cloned(),
                "-j" | "-l" | "-o" | "-W" | "-I" => {}
                word if word.starts_with('-') => {}
                word => match assignment(word) {
                    Some(pair) => given.push(pair),
                    None => targets.push(word.to_owned()),
                },
            }
        }
        let names = named.as_deref().map_or(vec!["GNUmakefile", "makefile", "Makefile"], |name| vec![name]);
        let Some(file) = names.iter().map(|name| folder.join(name)).find(|path| self.files.exists(path)) else {
            return (Vec::new(), false);
        };
        let Some(text) = scripts::text(self.files, &file) else { return (Vec::new(), false) };
        let targets: Vec<Option<&str>> =
            if targets.is_empty() { vec![None] } else { targets.iter().map(|target| Some(target.as_str())).collect() };
        let mut steps = Vec::new();
        for target in targets.into_iter().take(16) {
            for mut script in scripts::of_makefile(&text, target, &given) {
                // Variables given to make are exported to the recipes.
                script.assignments.extend(given.iter().cloned());
                steps.extend(self.script(&file, &folder, script));
            }
        }
        non_empty(steps)
    }

    fn just(&self, words: &[String]) -> (Vec<Step>, bool) {
        let names = ["justfile", ".justfile", "Justfile"];
        let Some(file) = scripts::nearest(self.files, &self.step.folder, &self.project.root, &names) else {
            return (Vec::new(), false);
        };
        let Some(text) = scripts::text(self.files, &file) else { return (Vec::new(), false) };
        let (mut recipe, mut named, mut rest) = (None, None, words[1..].iter());
        while let Some(word) = rest.next() {
            let (option, attached) =
                word.split_once('=').map_or((word.as_str(), None), |(a, b)| (a, Some(b.to_owned())));
            match option {
                "--dotenv-path" | "--dotenv-filename" | "-E" => named = attached.or_else(|| rest.next().cloned()),
                "--set" => drop(rest.nth(1)),
                _ if word.starts_with('-') || attached.is_some() => {}
                _ => recipe = recipe.or(Some(word.as_str())),
            }
        }
        let folder = file.parent().unwrap_or(&self.step.folder);
        let mut scripts = scripts::of_justfile(&text, recipe);
        if let Some(path) = named {
            let file = WrapperFile { path: path.into(), reader: FileReader::Dotenvy, overrides: false };
            scripts.iter_mut().for_each(|script| script.files = vec![file.clone()]);
        }
        non_empty(scripts.into_iter().flat_map(|script| self.script(&file, folder, script)).collect())
    }

    /// The commands of a shell script inside the project. They come besides the script itself: reading it as text
    /// cannot tell everything that it does.
    fn script_file(&self, words: &[String]) -> Vec<Step> {
        let Some(name) = words.first().filter(|name| name.contains('/') || name.ends_with(".sh")) else {
            return Vec::new();
        };
        let path = self.step.folder.join(name);
        let is_inside =
            path.starts_with(&self.project.root) && !name.contains("node_modules/") && !name.contains("vendor/");
        let is_shell = |text: &String| {
            let first = text.lines().next().unwrap_or("");
            let interpreter = first.strip_prefix("#!").unwrap_or("");
            let names_shell = interpreter.split(['/', ' ']).any(|word| SHELLS.contains(&word));
            names_shell || (interpreter.is_empty() && name.ends_with(".sh"))
        };
        match scripts::text(self.files, &path).filter(|_| is_inside).filter(is_shell) {
            Some(text) => self.text(&text, 1, Some(&Origin::file(name.clone(), self.project.shown(&path), 1))),
            None => Vec::new(),
        }
    }
}

fn only(step: Step) -> (Vec<Step>, bool) {
    if step.invocation.words.is_empty() { (Vec::new(), false) } else { (vec![step], true) }
}

fn non_empty(steps: Vec<Step>) -> (Vec<Step>, bool) {
    let found = !steps.is_empty();
    (steps, found)
}

#[cfg(test)]
mod tests;
