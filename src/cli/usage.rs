//! Command lines that are wrong, said in the same voice as every other failure.

use std::ffi::{OsStr, OsString};

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::line::{Action, Before};
use crate::error::Explain;
use crate::exit::Exit;
use crate::secret::redact_text;
use crate::text::shown;

/// What is wrong with a command line, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    hint: Option<String>,
}

impl Explain for UsageError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

impl UsageError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        UsageError { message: message.into(), hint: None }
    }

    fn with_hint(self, hint: impl Into<String>) -> Self {
        UsageError { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn nothing_to_do() -> Self {
        UsageError::new("a command to guard, or a subcommand, is needed")
            .with_hint("`safe-test npm test` guards a command; `safe-test help` lists the subcommands")
    }

    /// Refuses a subcommand that another version will have.
    pub(crate) fn later(word: &OsStr) -> Self {
        let word = shown(word);
        UsageError::new(format!("`{word}` is not part of this version yet"))
            .with_hint(format!("`safe-test -- {word}` guards a program of that name"))
    }

    /// Refuses an option that means nothing to a subcommand.
    fn for_commands(option: &str) -> Self {
        UsageError::new(format!("`{option}` goes with a command to guard, not with a subcommand"))
            .with_hint("leave it out, or see `safe-test help`")
    }

    /// Refuses a first word that is no program, and nearly a subcommand.
    pub(crate) fn mistyped(word: &OsStr, meant: &str) -> Self {
        UsageError::new(format!("`{}` is neither a program on PATH nor a subcommand", shown(word)))
            .with_hint(format!("did you mean `safe-test {meant}`?"))
    }

    /// Says again what clap says.
    pub(crate) fn from_clap(error: &clap::Error, arguments: &[OsString], clap: &Command) -> Self {
        let text = |kind: ContextKind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(redact_text(text)),
            Some(ContextValue::Strings(texts)) => texts.first().map(|text| redact_text(text)),
            _ => None,
        };
        let argument = text(ContextKind::InvalidArg).unwrap_or_default();
        // An unknown option in front of the subcommand is safe-test's own, not the subcommand's.
        let end = match error.kind() {
            ErrorKind::UnknownArgument => arguments.iter().position(|word| starts_with(word, &argument)),
            _ => None,
        };
        let subcommand = arguments[..end.unwrap_or(arguments.len())]
            .iter()
            .skip(1)
            .find(|word| clap.find_subcommand(word).is_some() && *word != "help");
        let called = subcommand.map_or_else(|| "safe-test".to_owned(), |name| format!("safe-test {}", shown(name)));
        let help = subcommand.map_or("safe-test help".to_owned(), |name| format!("safe-test help {}", shown(name)));
        match error.kind() {
            ErrorKind::UnknownArgument if argument.starts_with('-') => {
                if subcommand.is_some() && FOR_COMMANDS.contains(&argument.as_str()) {
                    return UsageError::for_commands(&argument);
                }
                let unknown = UsageError::new(format!("`{called}` has no option `{argument}`"));
                if let (Some(name), true) = (subcommand, stands_before(&argument, clap)) {
                    let place = format!("it stands before the subcommand: `safe-test {argument} … {}`", shown(name));
                    return unknown.with_hint(place);
                }
                match text(ContextKind::SuggestedArg) {
                    Some(similar) => unknown.with_hint(format!("did you mean `{similar}`?")),
                    None => unknown.with_hint(format!("`{help}` lists the options")),
                }
            }
            ErrorKind::UnknownArgument if subcommand.is_some_and(|name| name == "check") => {
                UsageError::new("the command to judge for stands behind `--`")
                    .with_hint(format!("`safe-test check -- {argument} …`"))
            }
            ErrorKind::UnknownArgument => {
                UsageError::new(format!("`{called}` takes no `{argument}`")).with_hint(format!("see `{help}`"))
            }
            ErrorKind::InvalidSubcommand => {
                let unknown = text(ContextKind::InvalidSubcommand).unwrap_or_default();
                let wrong = UsageError::new(format!("`{called}` has no subcommand `{unknown}`"));
                match text(ContextKind::SuggestedSubcommand).or_else(|| resembled(OsStr::new(&unknown), clap)) {
                    Some(similar) => wrong.with_hint(format!("did you mean `{similar}`?")),
                    None => wrong.with_hint(format!("see `{help}`")),
                }
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let known = subcommand.and_then(|name| clap.find_subcommand(name));
                let names: Vec<&str> =
                    known.iter().flat_map(|known| known.get_subcommands()).map(Command::get_name).collect();
                let names: Vec<&str> = names.into_iter().filter(|name| *name != "help").collect();
                UsageError::new(format!("`{called}` needs a subcommand"))
                    .with_hint(format!("one of: {}", names.join(", ")))
            }
            ErrorKind::InvalidValue => {
                let wrong = match text(ContextKind::InvalidValue).filter(|value| !value.is_empty()) {
                    Some(value) => UsageError::new(format!("`{argument}` cannot be `{value}`")),
                    None => UsageError::new(format!("`{argument}` needs a value")),
                };
                match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
                        wrong.with_hint(format!("one of: {}", valid.join(", ")))
                    }
                    _ => wrong.with_hint(format!("see `{help}`")),
                }
            }
            ErrorKind::ArgumentConflict => {
                let other = text(ContextKind::PriorArg).unwrap_or_default();
                let wrong = match other == argument {
                    true => format!("`{argument}` was given twice"),
                    false => format!("`{argument}` cannot go with `{other}`"),
                };
                UsageError::new(wrong).with_hint(format!("see `{help}`"))
            }
            _ => {
                let said = error.to_string();
                let said = said.lines().next().unwrap_or_default();
                UsageError::new(redact_text(said.strip_prefix("error: ").unwrap_or(said)))
                    .with_hint(format!("see `{help}`"))
            }
        }
    }
}

/// Tells whether a word begins so: clap names `--name` where `--name=value` was typed.
fn starts_with(word: &OsStr, beginning: &str) -> bool {
    word.as_encoded_bytes().starts_with(beginning.as_bytes())
}

/// Tells whether an option is one of those that stand before the command or the subcommand.
fn stands_before(option: &str, clap: &Command) -> bool {
    clap.get_arguments().filter(|known| !known.is_global_set()).any(|known| {
        known.get_short().is_some_and(|short| option == format!("-{short}"))
            || known.get_long().is_some_and(|long| option == format!("--{long}"))
    })
}

const DRY_RUN: &str = "--dry-run";
const RESTORE: &str = "--restore";

/// Options that only a command to guard takes; `prune` and `hooks` have a `--dry-run` of their own.
const FOR_COMMANDS: [&str; 2] = [DRY_RUN, RESTORE];

/// Lets an option stand before a subcommand only where it means something there: whoever writes `--dry-run restore`
/// wants nothing to be changed.
pub(crate) fn heeded(before: &Before, action: &Action) -> Result<(), UsageError> {
    let ignored = if before.dry_run && !matches!(action, Action::Prune { .. } | Action::Hooks { .. }) {
        DRY_RUN
    } else if before.restore.is_some() {
        RESTORE
    } else {
        return Ok(());
    };
    Err(UsageError::for_commands(ignored))
}

/// Finds the subcommand that `word` is a slip of the finger away from.
pub(crate) fn resembled(word: &OsStr, clap: &Command) -> Option<String> {
    let word = word.to_str().filter(|word| word.chars().all(char::is_alphabetic))?.to_lowercase();
    let names = clap.get_subcommands().map(Command::get_name);
    let near = names.map(|name| (strsim::osa_distance(&word, name), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    let allowed = if word.len() > 5 { 2 } else { 1 };
    (distance <= allowed).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cli::{Request, Unasked, read};

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn complaint(line: &str) -> UsageError {
        match read(&words(line)) {
            Err(Unasked::Wrong(error)) => error,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_meant() {
        for (line, message, hint) in [
            ("safe-test", "a command to guard, or a subcommand, is needed", "safe-test help"),
            ("safe-test -q", "a command to guard, or a subcommand, is needed", "safe-test help"),
            ("safe-test health", "`health` is not part of this version yet", "`safe-test -- health`"),
            ("safe-test --nope npm", "`safe-test` has no option `--nope`", "`safe-test help`"),
            ("safe-test --formt json npm", "`safe-test` has no option `--formt`", "did you mean `--format`?"),
            ("safe-test --formt json check", "`safe-test` has no option `--formt`", "did you mean `--format`?"),
            ("safe-test --nope check", "`safe-test` has no option `--nope`", "`safe-test help`"),
            ("safe-test --nope=1 check", "`safe-test` has no option `--nope`", "`safe-test help`"),
            ("safe-test check --nope", "`safe-test check` has no option `--nope`", "`safe-test help check`"),
            ("safe-test --format xml npm", "`--format <FORMAT>` cannot be `xml`", "one of: text, json"),
            ("safe-test --format", "`--format <FORMAT>` needs a value", "one of: text, json"),
            ("safe-test -C", "`-C <DIR>` needs a value", "`safe-test help`"),
            ("safe-test list extra", "`safe-test list` takes no `extra`", "`safe-test help list`"),
            ("safe-test list --all", "`safe-test list` has no option `--all`", "`safe-test help list`"),
            ("safe-test hooks", "`safe-test hooks` needs a subcommand", "one of: install, remove, status, show"),
            ("safe-test log burn", "`safe-test log` has no subcommand `burn`", "`safe-test help log`"),
            ("safe-test log verfy", "`safe-test log` has no subcommand `verfy`", "did you mean `verify`?"),
            ("safe-test help chekc", "has no subcommand `chekc`", "did you mean `check`?"),
            ("safe-test verify some --all", "`[ID]` cannot go with `--all`", "`safe-test help verify`"),
            ("safe-test --dry-run --dry-run npm", "`--dry-run` was given twice", "`safe-test help`"),
            ("safe-test -q list -v", "`--quiet` and `--verbose` contradict each other", ""),
            ("safe-test -q -v npm", "`--quiet` and `--verbose` contradict each other", ""),
            ("safe-test check npm test", "the command to judge for stands behind `--`", "`safe-test check -- npm …`"),
            ("safe-test check -C /tmp", "`safe-test check` has no option `-C`", "`safe-test -C … check`"),
            ("safe-test check --env-file .env.ci", "has no option `--env-file`", "stands before the subcommand"),
            ("safe-test restore --dry-run", "`--dry-run` goes with a command to guard", ""),
            ("safe-test check --restore=always", "`--restore` goes with a command to guard", ""),
            ("safe-test --dry-run restore latest", "`--dry-run` goes with a command to guard", ""),
            ("safe-test --dry-run log accept", "`--dry-run` goes with a command to guard", ""),
            ("safe-test --restore always check", "`--restore` goes with a command to guard", ""),
        ] {
            let error = complaint(line);
            assert!(error.to_string().contains(message), "{line}: {error}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{line}: {:?}", error.hint());
            assert_eq!(error.exit(), Exit::Failed);
        }
        assert!(read(&words("safe-test --dry-run prune")).unwrap().before.dry_run);
    }

    #[test]
    fn a_slip_of_the_finger_is_told_from_another_word() {
        for (line, expected) in [
            ("safe-test chekc", Some("check")),
            ("safe-test Check", Some("check")),
            ("safe-test lsit", Some("list")),
            ("safe-test snapshots", Some("snapshot")),
            ("safe-test restroe latest", Some("restore")),
            ("safe-test npm", None),
            ("safe-test test", None),
            ("safe-test pytest", None),
            ("safe-test cargo check", None),
            ("safe-test ./check", None),
            ("safe-test -- chekc", None),
        ] {
            let Request::Guard { meant, .. } = read(&words(line)).unwrap().request else { panic!("{line}") };
            assert_eq!(meant.as_deref(), expected, "{line}");
        }
    }
}
