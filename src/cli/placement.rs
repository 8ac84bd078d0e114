//! Options that stand where they would not be heeded.

use std::ffi::OsStr;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{Action, Before, Line, SubcommandLine, complete_command};

/// Lets an option stand before a subcommand only where it means something there: whoever writes `--dry-run restore`
/// wants nothing to be changed.
pub(crate) fn heeded(before: &Before, action: &Action, subcommand: &OsStr) -> Result<(), clap::Error> {
    let ignored = if before.dry_run && !matches!(action, Action::Prune { .. }) {
        "--dry-run"
    } else if before.restore.is_some() {
        "--restore"
    } else {
        return Ok(());
    };
    let message = format!("`{ignored}` goes with a command to guard, not with `{}`", subcommand.display());
    Err(complaint(ErrorKind::ArgumentConflict, message))
}

/// Says where an option, or the command of `check`, belongs that stands in the wrong place.
pub(crate) fn misplaced(error: clap::Error, subcommand: &OsStr) -> clap::Error {
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidArg) else { return error };
    if subcommand == "check" && !found.starts_with('-') {
        let message = format!("the command to judge for stands behind `--`: `safe-test check -- {found} …`");
        return complaint(ErrorKind::UnknownArgument, message);
    }
    let before = Line::command().get_arguments().any(|known| {
        known.get_short().is_some_and(|short| *found == format!("-{short}"))
            || known.get_long().is_some_and(|long| *found == format!("--{long}"))
    });
    if !before {
        return error;
    }
    let message = format!("`{found}` stands before the subcommand: `safe-test {found} … {}`", subcommand.display());
    complaint(ErrorKind::UnknownArgument, message)
}

fn complaint(kind: ErrorKind, message: String) -> clap::Error {
    complete_command(&SubcommandLine::command()).error(kind, message)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::cli::{Asked, read};

    fn asked(line: &str) -> Result<Asked, clap::Error> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        read(&arguments)
    }

    fn complaint_about(line: &str) -> String {
        asked(line).unwrap_err().to_string()
    }

    #[test]
    fn an_option_that_a_subcommand_would_not_heed_is_an_error() {
        for (line, option) in [
            ("safe-test --dry-run restore latest", "--dry-run"),
            ("safe-test --dry-run snapshot", "--dry-run"),
            ("safe-test --dry-run log accept", "--dry-run"),
            ("safe-test --restore always check", "--restore"),
        ] {
            let complaint = complaint_about(line);
            assert!(complaint.contains(&format!("`{option}` goes with a command")), "{line}: {complaint}");
        }
        assert!(asked("safe-test --dry-run prune").unwrap().before.dry_run);
    }

    #[test]
    fn a_command_to_judge_for_is_told_its_place() {
        let complaint = complaint_about("safe-test check npm test");
        assert!(complaint.contains("`safe-test check -- npm …`"), "{complaint}");
    }

    #[test]
    fn an_option_behind_the_subcommand_is_told_its_place() {
        for (line, option) in [
            ("safe-test check -C /tmp", "-C"),
            ("safe-test check --env-file .env.ci", "--env-file"),
            ("safe-test list -C /tmp", "-C"),
        ] {
            let complaint = complaint_about(line);
            assert!(complaint.contains(&format!("`{option}` stands before the subcommand")), "{line}: {complaint}");
        }
    }
}
