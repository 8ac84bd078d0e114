//! What is told after a run: what it reached that is not saved, and what was refused.

use serde::Serialize;

use crate::audit::{Finish, ProcessEnd};
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::{Ending, report};
use crate::error::Failure;
use crate::exit::Exit;
use crate::guard::{Account, Refused};
use crate::snapshot;
use crate::snapshot::{Change, Neighbours, Receipt};
use crate::ui::{Line, Tone};

/// The most addresses that a line names.
const MOST_NAMED: usize = 3;

/// The most databases that a line names.
const MOST_DATABASES: usize = 10;

/// The end of a run, as programs are told of it.
#[derive(Serialize)]
struct RunFinished<'a> {
    schema: u32,
    event: &'static str,
    /// The status that safe-test ends with; `None` where it ends by a signal.
    exit: Option<u8>,
    #[serde(flatten)]
    finish: &'a Finish,
    message: Option<String>,
}

/// Tells of a run that is over, and of refused connections in the last line. Where the command succeeded although
/// connections were refused, the run has not: its tests may have made nothing of the errors.
pub(crate) fn tell(context: &Context, finish: &Finish, ending: Ending) -> Result<Ending, Failure> {
    let is_refused = finish.account.refusals() > 0;
    let ending = if is_refused && ending == Ending::Command(0) { Ending::Own(Exit::Refused) } else { ending };
    let message = is_refused.then(|| refused(&finish.outcome, &finish.account));
    if context.ui.json {
        let exit = match ending {
            Ending::Own(exit) => Some(exit.code()),
            Ending::Command(status) | Ending::Answered(status) => Some(status),
            Ending::Signal(_) => None,
        };
        let finished = RunFinished { schema: 1, event: "run-finished", exit, finish, message };
        context.ui.warn_json(&report::json(&finished)?);
        return Ok(ending);
    }
    for note in &finish.notes {
        context.ui.say(format!("safe-test: note: {note}"));
    }
    if let Some(message) = message {
        context.ui.warn(Line::toned(Tone::Bad, "safe-test:").and(format!(" {message}")));
    }
    Ok(ending)
}

/// Lists what a reader should know of what was reached: what passed with a note, and what else changed on its servers.
pub(crate) fn notes(context: &Context, judged: &Judged, receipts: &[Receipt], account: &Account) -> Vec<String> {
    let mut notes = passed(account);
    notes.extend(changed_beside(context, judged, receipts, account));
    notes
}

/// Tells of the databases that changed on servers which the command reached, and of which there is no snapshot of this run.
fn changed_beside(context: &Context, judged: &Judged, receipts: &[Receipt], account: &Account) -> Vec<String> {
    let is_reached = |receipt: &&Receipt| account.reached.iter().any(|one| one.target == Some(receipt.target()));
    let reached: Vec<(&Receipt, &Neighbours)> =
        receipts.iter().filter(is_reached).filter_map(|receipt| Some((receipt, receipt.neighbours()?))).collect();
    let is_taken_care_of = |life: &str, name: &str| {
        let of = receipts.iter().filter_map(Receipt::neighbours).filter(|one| one.life == life);
        of.into_iter().any(|one| one.own == name)
    };
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    for (receipt, before) in reached {
        // Several targets of one server are asked for once.
        if asked.contains(&&before.life) {
            continue;
        }
        asked.push(&before.life);
        let target = &judged.judgement.targets[receipt.target()].target;
        let after = match snapshot::neighbours(target, &context.tools) {
            Ok(Some(after)) => after,
            // The command may have stopped the server.
            Ok(None) | Err(_) => continue,
        };
        let changed = after.changed_since(before);
        let others = |change: Change| -> Vec<&str> {
            let is_other = |(name, what): &&(String, Change)| *what == change && !is_taken_care_of(&before.life, name);
            changed.iter().filter(is_other).map(|(name, _)| name.as_str()).collect()
        };
        for (change, what) in [(Change::Written, "changed"), (Change::Dropped, "dropped")] {
            told.extend(
                list(&others(change))
                    .map(|names| format!("also {what}, and not saved: {names}, on the server of {}", target.shown())),
            );
        }
    }
    told
}

/// Quotes the first of these names, and says how many there are besides; `None` where there is none.
fn list(names: &[&str]) -> Option<String> {
    let named = names.len().min(MOST_DATABASES);
    let quoted: Vec<String> = names[..named].iter().map(|name| format!("`{name}`")).collect();
    let more = if names.len() > named { format!(" and {} more", names.len() - named) } else { String::new() };
    (named > 0).then(|| format!("{}{more}", quoted.join(", ")))
}

/// Lists what passed with a note, once, with the programs that reached it.
fn passed(account: &Account) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    for reached in account.reached.iter().filter(|reached| !reached.is_quiet) {
        let Some(note) = &reached.note else { continue };
        let said = format!("{}: {note}", reached.address);
        match notes.iter_mut().find(|(known, _)| *known == said) {
            Some((_, programs)) => programs.push(&reached.program),
            None => notes.push((said, vec![&reached.program])),
        }
    }
    let said = |(said, programs): (String, Vec<&str>)| format!("{} connected to {said}", programs.join(", "));
    notes.into_iter().map(said).collect()
}

/// Says in one sentence how the command ended, and where it was kept from connecting to.
fn refused(outcome: &ProcessEnd, account: &Account) -> String {
    let mut addresses: Vec<String> = account.refused.iter().map(Refused::place).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let named = addresses.len().min(MOST_NAMED);
    let more = match (addresses.len() - named, account.refused_besides) {
        (0, 0) => String::new(),
        (more, 0) => format!(" and {more} more"),
        _ => " and more".to_owned(),
    };
    let count = account.refusals();
    let connections =
        if count == 1 { "a connection of it was".to_owned() } else { format!("{count} connections of it were") };
    let to = format!("{connections} refused, to {}{more}", addresses[..named].join(", "));
    match outcome {
        ProcessEnd::Status(0) => format!("the command succeeded, but {to}: the run counts as refused"),
        ProcessEnd::Status(status) => format!("the command ended with {status}, and {to}"),
        ProcessEnd::Signal(signal) => format!("the command was ended by signal {signal}, and {to}"),
        ProcessEnd::NotStarted(_) => format!("the command did not start, and {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Reached, Refusal};

    fn account(addresses: &[&str]) -> Account {
        let mut account = Account::default();
        for address in addresses {
            let refusal = Refusal { why: String::new(), remedy: String::new(), name: None };
            let (address, program) = ((*address).to_owned(), "psql".to_owned());
            account.add_refused(Refused { address, program, process: 1, refusal, times: 1 });
        }
        account
    }

    #[test]
    fn the_last_line_says_how_the_command_ended_and_where_it_could_not_go() {
        let one = account(&["10.0.0.1:5432"]);
        let many = account(&["d:1", "b:1", "a:1", "a:1", "c:1"]);
        for (outcome, account, said) in [
            (
                ProcessEnd::Status(0),
                &one,
                "the command succeeded, but a connection of it was refused, to 10.0.0.1:5432: the run counts as refused",
            ),
            (
                ProcessEnd::Status(3),
                &one,
                "the command ended with 3, and a connection of it was refused, to 10.0.0.1:5432",
            ),
            (
                ProcessEnd::Signal(15),
                &many,
                "the command was ended by signal 15, and 5 connections of it were refused, to a:1, b:1, c:1 and 1 more",
            ),
        ] {
            assert_eq!(refused(&outcome, account), said);
        }
    }

    #[test]
    fn many_databases_are_counted() {
        let names: Vec<String> = (0..12).map(|at| format!("d{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(list(&names[..2]).as_deref(), Some("`d0`, `d1`"));
        assert!(list(&names).unwrap().ends_with("`d9` and 2 more"));
        assert_eq!(list(&[]), None);
    }

    #[test]
    fn what_passed_with_a_note_is_told_once_with_its_programs() {
        let reached = |address: &str, program: &str, note: Option<&str>| Reached {
            address: address.to_owned(),
            program: program.to_owned(),
            process: 1,
            target: None,
            note: note.map(str::to_owned),
            is_quiet: note == Some("new"),
        };
        let mut account = Account::default();
        account.add_reached(reached("127.0.0.1:6379", "node", Some("redis, not saved")));
        account.add_reached(reached("127.0.0.1:6379", "ruby", Some("redis, not saved")));
        account.add_reached(reached("127.0.0.1:5432", "node", None));
        account.add_reached(reached("127.0.0.1:5433", "node", Some("new")));
        assert_eq!(passed(&account), ["node, ruby connected to 127.0.0.1:6379: redis, not saved"]);
    }
}
