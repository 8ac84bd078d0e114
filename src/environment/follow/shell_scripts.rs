//! Shell texts taken apart into steps: `sh -c TEXT`, a script of package.json, a shell script in the project.

use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text;
use crate::environment::follow::shell_text::ShellText;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{normal, parent, up_to};
use crate::environment::readers::encoding::decoded;
use crate::text::shell_word;
use crate::tools::words::{SHELLS, name_of, names_an_option};

/// Finds the word behind a shell's options, and whether it is a text and no file.
fn behind_options(words: &[String]) -> (usize, bool) {
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-') || word.starts_with('+')) {
        at += 1;
        if word.starts_with('-') && !word.starts_with("--") && word.contains('c') {
            return (at, true);
        }
        at += usize::from(names_an_option(word));
    }
    (at, false)
}

/// Takes the texts for a shell out of a command that stands for what they say: nothing in them is a value of its own.
pub(crate) fn take_texts(words: &mut [String]) {
    let texts = match words.first().map(|program| name_of(program)) {
        Some("eval") => 1..words.len(),
        Some(program) if SHELLS.contains(&program) => match behind_options(words) {
            (at, true) => at..(at + 1).min(words.len()),
            (at, false) => at..at,
        },
        _ => return,
    };
    words[texts].iter_mut().for_each(String::clear);
}

impl Expansion<'_> {
    /// `sh -c TEXT` is taken apart; `sh FILE` is that file's text.
    pub(crate) fn shell(&self, words: &[String]) -> (Vec<Step>, bool) {
        let (at, is_text) = behind_options(words);
        if is_text {
            let steps = self.text(words.get(at).map_or("", String::as_str), 1, None);
            // What follows the text is `$0`, then the arguments.
            return non_empty(self.with_arguments(steps, words.get(at + 2..).unwrap_or_default()));
        }
        (self.commands_of(words.get(at..).unwrap_or_default(), true), false)
    }

    /// What `. FILE` and `source FILE` run.
    pub(crate) fn sourced(&self, words: &[String]) -> (Vec<Step>, bool) {
        (self.commands_of(words.get(1..).unwrap_or_default(), true), true)
    }

    /// A program that is a variable which the text before it sets: `$RUN x`.
    pub(crate) fn program_in_variable(&self, words: &[String]) -> Vec<Step> {
        let Some(value) = self.assigned(&words[0]) else { return Vec::new() };
        let rest = words[1..].iter().map(|word| shell_word(word));
        let text: Vec<_> = std::iter::once(value.into()).chain(rest).collect();
        self.text(&text.join(" "), 1, None)
    }

    /// The value of `$NAME` or `${NAME}` that the text before the step assigns.
    fn assigned(&self, word: &str) -> Option<&str> {
        let name = word.strip_prefix('$')?;
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        let mut assigned = self.step.invocation.assignments.iter().rev();
        assigned.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The commands of a shell text; `file` is where it stands, if not on the command line.
    pub(crate) fn text(&self, text: &str, line: u32, file: Option<&Origin>) -> Vec<Step> {
        self.text_in(self.step.folder.clone(), text, &[], (line, file))
    }

    /// The commands of a shell text that begins in `folder`, and is given arguments.
    fn text_in(
        &self,
        mut folder: PathBuf,
        text: &str,
        arguments: &[String],
        (line, file): (u32, Option<&Origin>),
    ) -> Vec<Step> {
        let mut sourced = Vec::new();
        let mut steps = Vec::new();
        let ShellText { commands, cut } = shell_text::read(text);
        if let Some((at, why)) = cut {
            let place = match file {
                Some(origin) => Origin { line: Some(line.saturating_add(at - 1)), ..origin.clone() },
                None => self.step.invocation.origin.clone(),
            };
            self.gaps.give_up(place, GivenUp::too_much(why));
        }
        for command in commands {
            match (command.words[0].as_str(), command.words.get(1)) {
                ("cd" | "pushd", Some(to)) if !to.contains('$') => {
                    // Where the folder is not there, the shell stays where it is.
                    let there = normal(&folder.join(to));
                    folder = if self.files.exists(&there) { there } else { folder };
                    continue;
                }
                ("export" | "declare" | "eval", Some(_)) => {
                    sourced.extend(command.words[1..].iter().flat_map(|word| self.printed_files(&folder, word)));
                    if command.words[0] != "eval" {
                        continue;
                    }
                }
                ("." | "source", Some(name)) => {
                    let name = self.told(name, &command.assignments, arguments);
                    let is_computed = name.rsplit('/').next().is_some_and(|last| last.contains(['$', '`']));
                    let found = self.named_files(&folder, &name, file);
                    if is_computed && found.is_empty() {
                        let mut place = file.unwrap_or(&self.step.invocation.origin).clone();
                        place.line = place.line.and(Some(line.saturating_add(command.line - 1)));
                        let why = "it loads a file whose name is not computed here";
                        self.gaps.give_up(place, GivenUp::Code(why.into()));
                    }
                    sourced.extend(found.into_iter().map(|path| WrapperFile {
                        path,
                        reader: FileReader::Shell,
                        overrides: true,
                    }));
                }
                _ => {}
            }
            if !self.affords(
                1 + self.step.invocation.assignments.len()
                    + self.step.invocation.unknown.len()
                    + command.assignments.len()
                    + command.unknown.len(),
            ) {
                break;
            }
            let mut step = Step { folder: folder.clone(), calls_function: command.calls_function, ..self.inner() };
            step.files.extend(sourced.iter().cloned());
            step.assign(command.assignments, command.unknown);
            step.invocation.words = command.words;
            if let Some(origin) = file {
                step.invocation.origin = origin.clone();
                step.invocation.origin.line = Some(line.saturating_add(command.line - 1));
            }
            if command.hides_commands {
                let why = "a shell there runs what it is fed";
                self.gaps.give_up(step.invocation.origin.clone(), GivenUp::too_much(why));
            }
            steps.push(step);
        }
        steps
    }

    /// Fills into a word what is told of the variables in it: by the text before it, by the arguments of the text, by the
    /// environment, or by a default (`${1:-.env}`). The rest stays as written.
    fn told(&self, word: &str, assignments: &[(String, String)], arguments: &[String]) -> String {
        let mut told = String::new();
        let mut rest = word;
        while let Some((before, behind)) = rest.split_once('$') {
            told.push_str(before);
            let braced = behind.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let (inside, after) = match braced {
                Some(found) => found,
                None => {
                    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
                    let end = behind.find(|c: char| !is_part(c)).unwrap_or(behind.len());
                    // `$12` is `${1}2`.
                    behind.split_at(if behind.starts_with(|c: char| c.is_ascii_digit()) { 1 } else { end })
                }
            };
            let (name, default) = match inside.split_once(":-").or_else(|| inside.split_once('-')) {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (inside, None),
            };
            let value = match name.parse::<usize>() {
                Ok(0) => None,
                Ok(at) => arguments.get(at - 1).cloned(),
                Err(_) => {
                    let assigned = assignments.iter().rev().find(|(own, _)| own == name);
                    assigned.map(|(_, value)| value.clone()).or_else(|| self.variable(name))
                }
            };
            match value.filter(|value| !value.is_empty()).or(default).filter(|value| !value.contains(['$', '`'])) {
                Some(value) => {
                    told.push_str(&value);
                    rest = after;
                }
                None => {
                    told.push('$');
                    rest = behind;
                }
            }
        }
        told + rest
    }

    /// Takes what a command costs from the room that is left for all of them, or tells that there is none.
    pub(crate) fn affords(&self, cost: usize) -> bool {
        let left = self.room.left.get().checked_sub(cost);
        if left.is_none() {
            self.cut("it stands for too many commands with too many variables");
        }
        self.room.left.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(crate) fn script(&self, file: &Path, folder: &Path, script: Script) -> Vec<Step> {
        // A script's text in JSON stands on one line; a recipe's lines follow its head.
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let origin = Origin::file(script.name.clone(), self.project.shown(file), script.line);
        let mut steps = self.text_in(folder.to_owned(), &script.text, &[], (script.line, Some(&origin)));
        let added = script.assignments.len() + script.files.len();
        steps.truncate(steps.iter().take_while(|_| self.affords(added)).count());
        for step in &mut steps {
            if is_json {
                step.invocation.origin.line = Some(script.line);
            }
            // What the text itself assigns comes after what its file gives to it.
            let before = &self.step.invocation;
            let (at, count) = (before.assignments.len(), script.assignments.len());
            step.invocation.assignments.splice(at..at, script.assignments.iter().cloned());
            let own = step.invocation.unknown.iter_mut().skip(before.unknown.len());
            own.for_each(|(assigned, _)| *assigned += count);
            step.invocation.placed(&script.places);
            step.files.extend(script.files.iter().map(|file| file.below(folder)));
        }
        steps
    }

    /// The commands of a shell script inside the project. They come besides the script itself: reading it as text
    /// cannot tell everything that it does.
    pub(crate) fn script_file(&self, words: &[String]) -> Vec<Step> {
        self.commands_of(words, false)
    }

    /// The commands of the file that the first word names, with the other words as its arguments; `is_shell` where a shell
    /// is told to read it, whatever it is called.
    fn commands_of(&self, words: &[String], is_shell: bool) -> Vec<Step> {
        let Some(name) = words.first().filter(|name| is_shell || name.contains('/') || name.ends_with(".sh")) else {
            return Vec::new();
        };
        if name.contains("node_modules/") || name.contains("vendor/") {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for path in self.named_files(&self.step.folder, name, None) {
            // A program that is no script, or no file, is not read: it stands in the list by itself.
            let is_inside = path.starts_with(&self.project.root);
            let head = if is_inside { self.files.head(&path).ok().flatten() } else { None };
            let is_bare = !name.rsplit('/').next().unwrap_or(name).contains('.') || name.ends_with(".sh");
            let head = head.filter(|head| is_shell || names_shell(head, is_bare));
            if let Some(text) = head.and_then(|_| self.text_of(&path)) {
                let origin = Origin::file(name.clone(), self.project.shown(&path), 1);
                let arguments = &words[1..];
                let found = self.text_in(self.step.folder.clone(), &text, arguments, (1, Some(&origin)));
                steps.extend(self.with_arguments(found, arguments));
            }
        }
        steps
    }

    /// The files that a word may name. Where it begins with what is not computed here (`$DIR/lib.sh`,
    /// `"$(dirname "$0")"/lib.sh`) they are looked for beside the script, in the folder, and above both.
    /// The script is `within`, else the one that the step stands in.
    fn named_files(&self, folder: &Path, word: &str, within: Option<&Origin>) -> Vec<PathBuf> {
        if !word.contains(['$', '`']) {
            return vec![normal(&folder.join(word))];
        }
        if let Some((first, rest)) = word.split_once('/')
            && let Some(value) = self.assigned(first).filter(|value| !value.contains(['$', '`']))
        {
            return vec![folder.join(value).join(rest)];
        }
        let is_plain = |part: &&str| !part.contains(['$', '`', '(', ')', '{', '}', '"']);
        let mut plain: Vec<&str> = word.rsplit('/').take_while(is_plain).collect();
        plain.reverse();
        let tail = plain.join("/");
        if tail.is_empty() {
            return Vec::new();
        }
        let root = &self.project.root;
        let script = within.unwrap_or(&self.step.invocation.origin).file.as_ref().map(|file| parent(&root.join(file)));
        let mut found: Vec<PathBuf> = Vec::new();
        for base in script.as_deref().into_iter().chain([folder]).flat_map(|base| up_to(root, base)) {
            let path = normal(&base.join(&tail));
            if !found.contains(&path) && self.files.exists(&path) {
                found.push(path);
            }
        }
        found
    }
}

/// Whether a file that begins so is run by a shell: it says so, or it is a text that says nothing, by its name too.
fn names_shell(head: &[u8], is_bare: bool) -> bool {
    let text = decoded(head);
    match text.lines().next().unwrap_or("").strip_prefix("#!") {
        Some(interpreter) => interpreter.split(['/', ' ']).any(|word| SHELLS.contains(&word)),
        None => is_bare && !head.contains(&0) && std::str::from_utf8(head).is_ok(),
    }
}
