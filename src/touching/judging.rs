//! Judges the simple commands of a line: what they are, what they stand for, what of it touches a database.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Project;
use crate::environment::ecosystems::compose;
use crate::environment::follow::shell_text::assignment;
use crate::environment::follow::{Effect, Step, steps_where};
use crate::environment::not_followed::Gaps;
use crate::environment::paths::normal;
use crate::tools::containers;
use crate::tools::programs::{Loading, Task, has_a_default_task, loading, task};
use crate::tools::providers::{Reach, command_of};
use crate::tools::words::{SHELLS, name_of, without_version};
use crate::touching::code;
use crate::touching::line::{self, Command, Part};
use crate::touching::model::{Class, Corrections, Edit, Found, Place};
use crate::touching::removed_files;
use crate::touching::statements::{self, Stdin};
use crate::touching::table::{self, Kind};
use crate::touching::unparsed;
use crate::touching::words::{
    SAFE_TEST, asks_for_help, begins_with, by_file, by_script, first_word, inside_quotes, is_known, is_safe_test,
    runs_nothing, runs_others, short, text_of, without_dot,
};

/// How deep texts of commands in texts of commands are looked into.
const DEEPEST: u8 = 8;

/// How many bytes of such texts are looked into, in all.
const MOST_TEXT: usize = 256 * 1024;

/// The shell's own words that run the command behind them, and can be no program's.
const IN_FRONT: &[&str] = &["builtin", "command", "exec", "noglob", "nocorrect", "time", "-"];

/// A line with more than these touching a database is not written anew.
const MOST_FOUND: usize = 200;

/// Runs whatever is asked for with Rails' own protection off.
const PROTECTION_OFF: &str = "DISABLE_DATABASE_ENVIRONMENT_CHECK=";

/// Puts the guard in front of what begins there.
fn before(at: Option<usize>) -> Edit {
    at.map_or(Edit::All, |at| Edit::Replace(vec![(at..at, format!("{SAFE_TEST} "))]))
}

/// What a step touches, and how it does.
struct Touched {
    words: String,
    class: Class,
    /// The guard here does not hold it.
    is_beyond: bool,
}

/// Judges the commands of one text, one behind the other.
pub(super) struct Judging<'a> {
    pub(super) place: &'a Place<'a>,
    pub(super) corrections: &'a Corrections,
    /// Where the next command runs; `None` where that is not known.
    folder: Option<PathBuf>,
    depth: u8,
    room: Rc<Cell<usize>>,
    /// What the text assigned so far, without quotes.
    variables: HashMap<String, String>,
    functions: HashMap<String, bool>,
    aliases: HashMap<String, String>,
    /// What was followed and touches nothing, with the folder: a line may say it over and over.
    harmless: HashSet<(Vec<String>, Option<PathBuf>)>,
    /// The files that the text writes, and what it writes into them.
    written: HashMap<String, String>,
}

impl<'a> Judging<'a> {
    pub(super) fn new(place: &'a Place<'a>, corrections: &'a Corrections) -> Self {
        Judging {
            place,
            corrections,
            folder: Some(place.folder.to_owned()),
            depth: 0,
            room: Rc::new(Cell::new(MOST_TEXT)),
            variables: HashMap::new(),
            functions: HashMap::new(),
            aliases: HashMap::new(),
            harmless: HashSet::new(),
            written: HashMap::new(),
        }
    }

    /// Finds what touches a database in a text of commands.
    pub(super) fn text(mut self, text: &str) -> Vec<Found> {
        let parts = if self.depth < DEEPEST { unparsed::read(text) } else { None };
        let Some(parts) = parts else {
            return unparsed::found(text, self.corrections).into_iter().collect();
        };
        let mut found = Vec::new();
        let mut folders = Vec::new();
        for part in parts {
            match part {
                Part::Open => folders.push(self.folder.clone()),
                Part::Close => self.folder = folders.pop().unwrap_or_default(),
                Part::Function { name, runs_arguments } => drop(self.functions.insert(name, runs_arguments)),
                Part::Command(command) => found.extend(self.command(&command)),
            }
            if let Some(last) = found.get_mut(MOST_FOUND) {
                last.edit = Edit::Never;
                break;
            }
        }
        found
    }

    /// Judges a text that a command of this one runs.
    fn inner(&self, text: &str, folder: Option<PathBuf>) -> Vec<Found> {
        let left = self.room.get().checked_sub(text.len() + 1);
        self.room.set(left.unwrap_or(0));
        let (room, depth) = (Rc::clone(&self.room), if left.is_some() { self.depth + 1 } else { DEEPEST });
        Judging { folder, depth, room, ..Judging::new(self.place, self.corrections) }.text(text)
    }

    fn command(&mut self, command: &Command) -> Option<Found> {
        let written = command.writes.iter().find(|path| removed_files::is_of_database(path));
        if let Some(path) = written {
            return Some(Found { words: format!("> {path}"), class: Class::Destroys, edit: Edit::Never });
        }
        if let (Stdin::Text(text), false) = (&command.stdin, command.writes.is_empty()) {
            let paths = command.writes.iter().map(|path| without_dot(path).to_owned());
            self.written.extend(paths.map(|path| (path, text.clone())));
        }
        self.written.extend(command.given.iter().cloned());
        let Some(first) = command.words.first() else {
            self.assign(&command.assignments);
            return None;
        };
        let name: String = first.raw.chars().filter(|letter| !matches!(letter, '\'' | '"' | '\\')).collect();
        match name.as_str() {
            "cd" | "pushd" | "popd" => {
                let words = line::unquoted(&raw(&command.words[1..]));
                self.folder = self.changed(words.iter().find(|word| !word.starts_with('-') || *word == "-"));
                return None;
            }
            "export" | "declare" | "local" | "readonly" | "typeset" => {
                self.assign(&raw(&command.words[1..]));
                return None;
            }
            _ if !self.may_touch(&name, &command.words) => return None,
            _ => {}
        }
        let words = line::unquoted(&raw(&command.words));
        if words.is_empty() {
            return None;
        }
        let mut found = self.words(&words, 0, command)?;
        if command.assignments.iter().any(|one| one.starts_with(PROTECTION_OFF)) {
            found.class = found.class.max(Class::Reset);
        }
        Some(found)
    }

    fn assign(&mut self, assignments: &[impl AsRef<str>]) {
        let pairs = line::unquoted(assignments).into_iter().filter_map(|word| assignment(&word));
        self.variables.extend(pairs);
    }

    /// Where a `cd` leads to; `None` where that cannot be told.
    fn changed(&self, to: Option<&String>) -> Option<PathBuf> {
        let to = to.filter(|to| !to.contains(['$', '`', '*', '~']) && *to != "-")?;
        let there = normal(&self.folder.as_ref()?.join(to));
        self.place.files.exists(&there).then_some(there)
    }

    /// Tells by its name alone whether a command has to be looked at. Nothing is read for the others.
    fn may_touch(&self, name: &str, words: &[line::Word]) -> bool {
        let corrected = self.corrections.guard.iter().any(|one| first_word(one) == without_dot(name));
        corrected
            || name.starts_with('$')
            || name.starts_with('`')
            || self.functions.contains_key(name)
            || self.aliases.contains_key(name)
            || matches!(name, "eval" | "trap" | "alias" | "." | "source")
            || IN_FRONT.contains(&name)
            || is_known(name)
            || words.iter().any(|word| word.raw == "--")
    }

    /// Judges the words of a command from the one at `from` on.
    fn words(&mut self, words: &[String], from: usize, command: &Command) -> Option<Found> {
        let at = |index: usize| {
            // Where quotes were not taken off word by word, no word has a known place.
            let is_aligned = words.len() == command.words.len();
            command.words.get(index).filter(|_| is_aligned).and_then(|word| word.at)
        };
        let own = &words[from..];
        let name = own.first()?.trim_start_matches('\\').to_owned();
        if self.is_plain(own) {
            return None;
        }
        if self.is_guarded(own) {
            let edit = before(at(from));
            return Some(Found { words: short(own, own.len()), class: Class::Named, edit });
        }
        match name.as_str() {
            "eval" => {
                let text = own[1..].join(" ");
                let single = command.words.get(from + 1).filter(|_| own.len() == 2);
                return self.of_text(&text, single, 0);
            }
            "trap" => return self.of_text(own.get(1)?, command.words.get(from + 1), 0),
            "alias" => {
                let pairs = own.iter().enumerate().skip(1).filter_map(|(at, word)| Some((at, assignment(word)?)));
                let mut found = None;
                for (at, (name, text)) in pairs {
                    let skipped = name.len() + 1;
                    found = found.or_else(|| self.of_text(&text, command.words.get(from + at), skipped));
                    self.aliases.insert(name, text);
                }
                return found;
            }
            _ if IN_FRONT.contains(&name.as_str()) => {
                if name == "command" && own.iter().skip(1).any(|word| word == "-v" || word == "-V") {
                    return None;
                }
                let mut behind = from + 1;
                while words.get(behind).is_some_and(|word| word.starts_with('-')) {
                    behind += 1 + usize::from(name == "exec" && words[behind] == "-a");
                }
                return if behind < words.len() { self.words(words, behind, command) } else { None };
            }
            _ if self.functions.get(&name) == Some(&true) => {
                return if own.len() > 1 { self.words(words, from + 1, command) } else { None };
            }
            _ if self.aliases.contains_key(&name) => {
                let text = self.aliases.get(&name).cloned().unwrap_or_default();
                let inner = self.inner(&text, self.folder.clone()).into_iter().next()?;
                return Some(Found {
                    words: name,
                    class: inner.class,
                    edit: if inner.edit == Edit::Never { Edit::Never } else { Edit::All },
                });
            }
            _ => {}
        }
        let meant = self.filled_in(own);
        let key = matches!(command.stdin, Stdin::Inherited | Stdin::Pipe).then(|| (meant.clone(), self.folder.clone()));
        if key.as_ref().is_some_and(|key| self.harmless.contains(key)) {
            return None;
        }
        let Some(touched) = self.followed(&meant, command) else {
            self.harmless.extend(key);
            return None;
        };
        let is_sourced = matches!(name.as_str(), "." | "source");
        let edit = match touched.0 {
            Touched { is_beyond: true, .. } => Edit::Never,
            _ if is_sourced => match at(from) {
                Some(start) => Edit::Replace(vec![(start..start + name.len(), format!("{SAFE_TEST} bash"))]),
                None => Edit::All,
            },
            _ => before(at(from + touched.1)),
        };
        Some(Found { words: touched.0.words, class: touched.0.class, edit })
    }

    /// Judges a text in quotes that the shell itself runs; where it stands as it is read, it is changed inside.
    fn of_text(&self, text: &str, word: Option<&line::Word>, skipped: usize) -> Option<Found> {
        let found = self.inner(text, self.folder.clone());
        let first = found.first()?.clone();
        let offset = word.and_then(|word| Some(word.at? + inside_quotes(word.raw.get(skipped..)?, text)? + skipped));
        let mut replaced = Vec::new();
        for one in &found {
            match (&one.edit, offset) {
                (Edit::Never, _) => return Some(one.clone()),
                (Edit::Replace(own), Some(offset)) => {
                    replaced.extend(
                        own.iter().map(|(range, text)| (range.start + offset..range.end + offset, text.clone())),
                    );
                }
                _ => return Some(Found { edit: Edit::All, ..first }),
            }
        }
        Some(Found { edit: Edit::Replace(replaced), ..first })
    }

    /// Fills in a program that the text put into a variable before, or looked up.
    fn filled_in(&self, words: &[String]) -> Vec<String> {
        let first = words[0].as_str();
        let looked_up =
            ["$(which ", "$(command -v ", "$(npm which "].iter().find_map(|begin| first.strip_prefix(begin));
        if let Some(name) = looked_up.and_then(|rest| rest.strip_suffix(')')) {
            return std::iter::once(name.to_owned()).chain(words[1..].iter().cloned()).collect();
        }
        let name = first.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        match name.and_then(|name| self.variables.get(name)) {
            Some(value) if !value.trim().is_empty() => {
                let value = value.split_ascii_whitespace().map(str::to_owned);
                value.chain(words[1..].iter().cloned()).collect()
            }
            _ => words.to_vec(),
        }
    }

    /// Follows a command to what it stands for; gives what touches, and before which of its words the guard belongs.
    fn followed(&self, words: &[String], command: &Command) -> Option<(Touched, usize)> {
        let script = usize::from(SHELLS.contains(&name_of(&words[0])) || matches!(words[0].as_str(), "." | "source"));
        if let Some(text) = words.get(script).and_then(|path| self.written.get(without_dot(path))) {
            let found = self.inner(text, self.folder.clone());
            let worst = found.into_iter().max_by_key(|one| (one.edit == Edit::Never, one.class))?;
            return Some((
                Touched { words: short(words, 3), class: worst.class, is_beyond: worst.edit == Edit::Never },
                0,
            ));
        }
        let nowhere = Path::new("/nonexistent");
        let folder = self.folder.as_deref().unwrap_or(nowhere);
        let typed = Step::typed(words.to_vec(), folder);
        let given: Vec<OsString> = words.iter().map(OsString::from).collect();
        let steps = if self.looks_into(&typed) {
            let root = if self.folder.is_some() { (self.place.root)(folder) } else { nowhere.to_owned() };
            let project = Project { root, folder: folder.to_owned(), home: None };
            steps_where(&given, &[], &project, self.place.files, &Gaps::default(), &|step| self.looks_into(step))
        } else {
            vec![typed]
        };
        let mut is_unknown = false;
        let mut named = None;
        for step in &steps {
            let own = &step.invocation.words;
            let stdin = if step.invocation.origin.file.is_none() { &command.stdin } else { &Stdin::Inherited };
            named = named.or_else(|| self.named(step, words));
            if step.stands_for_others || is_safe_test(own) || self.is_plain(own) {
                continue;
            }
            match self.step(step, stdin) {
                Leaf::Touches(touched) => {
                    let words = if step.invocation.origin.file.is_none() { touched.words } else { short(words, 3) };
                    let is_beyond =
                        touched.is_beyond || step.effects.iter().any(|(effect, _)| *effect == Effect::Elsewhere);
                    return Some((Touched { words, is_beyond, ..touched }, behind_injection(&steps, &given)));
                }
                // `hatch run test` may be a script of that name.
                Leaf::Plain => {
                    is_unknown |= named.as_ref().is_some_and(|named| named.words.ends_with(&format!(" {}", own[0])))
                }
                Leaf::Unknown => is_unknown |= !is_read(step, &steps),
            }
        }
        let touched = named.filter(|_| is_unknown)?;
        let is_beyond = steps.iter().flat_map(|step| &step.effects).any(|(effect, _)| *effect == Effect::Elsewhere);
        Some((Touched { is_beyond, ..touched }, behind_injection(&steps, &given)))
    }

    /// Tells whether it has to be looked into a step: it is nothing by itself that is known.
    fn looks_into(&self, step: &Step) -> bool {
        let words = &step.invocation.words;
        let own_text = text_of(words, &Stdin::Inherited).is_some();
        if is_safe_test(words) || own_text || asks_for_help(words) || self.is_plain(words) || self.is_guarded(words) {
            return false;
        }
        match table::find(words).map(|entry| entry.kind) {
            Some(Kind::Does(_) | Kind::Reads) => false,
            Some(Kind::ByScript { .. } | Kind::ByFile) => true,
            None => {
                runs_others(&words[0]) && !runs_nothing(words)
                    || !is_known(&words[0]) && words.iter().any(|word| word == "--")
            }
        }
    }

    /// Judges one command by itself.
    fn step(&self, step: &Step, stdin: &Stdin) -> Leaf {
        let words = &step.invocation.words;
        let touches = |class, end, is_beyond| Leaf::Touches(Touched { words: short(words, end), class, is_beyond });
        if self.is_guarded(words) {
            return touches(Class::Named, words.len(), false);
        }
        if let Some(text) = text_of(words, stdin) {
            let found = self.inner(&text, Some(step.folder.clone()));
            let worst = found.iter().max_by_key(|one| (one.edit == Edit::Never, one.class));
            return worst.map_or(Leaf::Plain, |one| {
                let is_beyond = one.edit == Edit::Never;
                Leaf::Touches(Touched { words: one.words.clone(), class: one.class, is_beyond })
            });
        }
        if let Some(worst) = self.of_services(step) {
            return Leaf::Touches(worst);
        }
        if asks_for_help(words) {
            return Leaf::Plain;
        }
        let written = |path: &str| self.written.get(without_dot(path)).map(String::as_str);
        if code::opens_a_database(words, stdin, written) {
            return touches(Class::Client, 2, false);
        }
        if let Some(said) = containers::removal_of_volumes(words) {
            return Leaf::Touches(Touched { words: said, class: Class::Destroys, is_beyond: true });
        }
        if let Some(path) = removed_files::removed(words) {
            let is_saved = self.folder.is_some() && removed_files::are_saved(words, &step.folder, self.place);
            let words = format!("{} {path}", name_of(&words[0]));
            return Leaf::Touches(Touched { words, class: Class::Destroys, is_beyond: !is_saved });
        }
        let is_beyond = command_of(words).is_some_and(|command| command.reach != Reach::Unknown);
        match table::find(words).map(|entry| (entry.kind, entry.end)) {
            Some((Kind::Does(Class::Client), _)) if statements::reads_sql(words) => return Leaf::Plain,
            Some((Kind::Does(class), end)) => return touches(class, end, is_beyond || class == Class::Destroys),
            Some((Kind::Reads, _)) => return Leaf::Plain,
            Some((Kind::ByScript { .. } | Kind::ByFile, _)) | None => {}
        }
        if let Some(does) = statements::of_client(words, stdin) {
            return does.map_or(Leaf::Plain, |class| touches(class, 1, is_beyond));
        }
        let (behind, before) = table::decisive(words);
        let name = name_of(&behind[0]);
        if task(without_version(name)) == Task::Tests || has_a_default_task(name) && behind.len() == 1 {
            return touches(Class::Test, before + 1, is_beyond);
        }
        // They run a program where no script has its name.
        if matches!(name, "bun" | "pnpm" | "yarn")
            && let Some(at) = words.iter().skip(1).position(|word| !word.starts_with('-'))
            && (table::knows(&words[at + 1]) || task(without_version(&words[at + 1])) == Task::Tests)
        {
            let own = words[at + 1..].iter().map(String::as_str);
            return self.step(&step.clone().running(own), stdin);
        }
        if loading(words) == Loading::Plain { Leaf::Plain } else { Leaf::Unknown }
    }

    /// What the services do that a call of compose starts, of those that say what they run.
    fn of_services(&self, step: &Step) -> Option<Touched> {
        let is_of_compose = |(_, program): &(Effect, String)| program.contains("compose");
        if step.invocation.words[0] != "(default)" || !step.effects.iter().any(is_of_compose) || self.folder.is_none() {
            return None;
        }
        let project = Project { root: (self.place.root)(&step.folder), folder: step.folder.clone(), home: None };
        let services = compose::commands_of_services(step, &project, self.place.files);
        let found = services.into_iter().flat_map(|(text, folder)| self.inner(&text, Some(folder)));
        let worst = found.max_by_key(|one| (one.edit == Edit::Never, one.class))?;
        let words = short(&step.place, step.place.len());
        Some(Touched { words, class: worst.class, is_beyond: worst.edit == Edit::Never })
    }

    /// What the name of the script or file tells that a step runs.
    fn named(&self, step: &Step, given: &[String]) -> Option<Touched> {
        let words = &step.invocation.words;
        if is_safe_test(words) || asks_for_help(words) {
            return None;
        }
        let (class, end) = match table::find(words) {
            Some(entry) => match entry.kind {
                Kind::ByScript { several } => by_script(words, entry.end, several)?,
                Kind::ByFile => by_file(words, entry.end)?,
                _ => return None,
            },
            None => {
                let at = usize::from(SHELLS.contains(&name_of(&words[0])));
                let path = words.get(at).filter(|path| path.contains('/') || path.ends_with(".sh"))?;
                by_file(words, words.iter().position(|word| word == path)?)?
            }
        };
        let said = if step.invocation.origin.file.is_none() { short(words, end) } else { short(given, 3) };
        Some(Touched { words: said, class, is_beyond: false })
    }

    fn is_plain(&self, words: &[String]) -> bool {
        !self.is_guarded(words) && self.corrections.plain.iter().any(|one| begins_with(words, one))
    }

    fn is_guarded(&self, words: &[String]) -> bool {
        let behind_shell = if SHELLS.contains(&name_of(&words[0])) { &words[1..] } else { &[] };
        self.corrections.guard.iter().any(|one| begins_with(words, one) || begins_with(behind_shell, one))
    }
}

enum Leaf {
    Touches(Touched),
    Plain,
    /// Nothing is known of it.
    Unknown,
}

/// Before which word the guard belongs: in front, or behind a program that adds variables only it has.
fn behind_injection(steps: &[Step], given: &[OsString]) -> usize {
    let injected = steps.iter().find(|step| step.effects.iter().any(|(effect, _)| *effect == Effect::Injects));
    let inner = injected.filter(|step| step.effects.len() == 1 && step.invocation.origin.file.is_none());
    let is_end = |step: &&Step| {
        let words = &step.invocation.words;
        words.len() < given.len()
            && given[given.len() - words.len()..]
                .iter()
                .zip(words)
                .all(|(one, other)| one.as_os_str() == other.as_str())
    };
    inner.filter(is_end).map_or(0, |step| given.len() - step.invocation.words.len())
}

/// Tells whether a step is a script of the project whose commands follow in the list.
fn is_read(step: &Step, steps: &[Step]) -> bool {
    steps.iter().any(|other| other.depth == step.depth + 1 && other.invocation.origin.file.is_some())
}

fn raw(words: &[line::Word]) -> Vec<&str> {
    words.iter().map(|word| word.raw.as_str()).collect()
}
