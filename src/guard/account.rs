//! What the guard saw while a command ran.

use serde::{Deserialize, Serialize};

use crate::guard::refusal::Refusal;

/// How many rows of each kind are kept: what a program that tries every address of a network does fits into any log.
const MOST: usize = 64;

/// Whether a command's connections were watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub(crate) enum Hold {
    /// All of them, from the first to the last.
    Held,
    /// They were not, but refused by their ports, and how: a phrase.
    Fenced(String),
    /// The safe-test around this one watches them, and why that is so: a phrase.
    Outer(String),
    /// The policy says that they are not to be.
    Off,
    /// They could not be, and why: a phrase.
    Unavailable(String),
}

const FENCED: &str = "fenced: ";
const OUTER: &str = "outer: ";
const UNAVAILABLE: &str = "unavailable: ";

impl From<Hold> for String {
    fn from(hold: Hold) -> String {
        match hold {
            Hold::Held => "held".to_owned(),
            Hold::Off => "off".to_owned(),
            Hold::Fenced(how) => format!("{FENCED}{how}"),
            Hold::Outer(why) => format!("{OUTER}{why}"),
            Hold::Unavailable(why) => format!("{UNAVAILABLE}{why}"),
        }
    }
}

impl From<String> for Hold {
    fn from(text: String) -> Hold {
        match text.as_str() {
            "held" => Hold::Held,
            "off" => Hold::Off,
            other => match (other.strip_prefix(OUTER), other.strip_prefix(FENCED)) {
                (Some(why), _) => Hold::Outer(why.to_owned()),
                (None, Some(how)) => Hold::Fenced(how.to_owned()),
                // A word of a newer version claims nothing.
                (None, None) => Hold::Unavailable(other.strip_prefix(UNAVAILABLE).unwrap_or(other).to_owned()),
            },
        }
    }
}

/// What was reached and what was refused, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Each database that was reached, once a program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reached: Vec<Reached>,
    /// Each connection that was refused, once a program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<Refused>,
    /// How many connections were refused that have no row, since there were too many.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) refused_besides: u64,
    /// How many connections reached a database and have no row.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) reached_besides: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A database that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// Its address, or its socket's path.
    pub(crate) address: String,
    /// The program's name.
    pub(crate) program: String,
    /// The process that was the first to reach it.
    pub(crate) process: i32,
    /// The index of the target that it is; `None` for what passed with a note.
    pub(crate) target: Option<usize>,
    /// What is to be known of it.
    pub(crate) note: Option<String>,
    /// The note is not told after the run.
    #[serde(skip)]
    pub(crate) is_quiet: bool,
}

/// A connection that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// The address, or the socket's path.
    pub(crate) address: String,
    /// The program's name.
    pub(crate) program: String,
    /// The process that was the first to try.
    pub(crate) process: i32,
    /// Why, and what a person can do.
    #[serde(flatten)]
    pub(crate) refusal: Refusal,
    /// How often it was tried.
    #[serde(default = "once")]
    pub(crate) times: u64,
}

fn once() -> u64 {
    1
}

impl Account {
    /// Adds what is not there yet.
    pub(crate) fn add_reached(&mut self, reached: Reached) {
        let is_known = |known: &Reached| known.is_again(&reached);
        let is_refused = |known: &Refused| known.address == reached.address && known.program == reached.program;
        if self.reached.iter().any(is_known) || reached.target.is_none() && self.refused.iter().any(is_refused) {
            return;
        }
        if self.reached.len() < MOST {
            self.reached.push(reached);
        } else {
            self.reached_besides += 1;
        }
    }

    /// Adds a refusal; returns whether it is the first of this program and address, and is to be told.
    pub(crate) fn add_refused(&mut self, refused: Refused) -> bool {
        let is_known = |known: &&mut Refused| known.is_again(&refused);
        if let Some(known) = self.refused.iter_mut().find(is_known) {
            known.times += 1;
            return false;
        }
        // What was noted of it beforehand did not come to pass.
        let did_not = |known: &Reached| {
            known.target.is_none() && known.address == refused.address && known.program == refused.program
        };
        self.reached.retain(|known| !did_not(known));
        if self.refused.len() < MOST {
            self.refused.push(refused);
            return true;
        }
        self.refused_besides += 1;
        false
    }

    /// Counts the connections that were refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.iter().map(|refused| refused.times).sum::<u64>() + self.refused_besides
    }
}

impl Reached {
    /// Tells whether this is the same program at the same address.
    pub(crate) fn is_again(&self, other: &Reached) -> bool {
        self.address == other.address && self.program == other.program
    }
}

impl Refused {
    /// Writes the address with the name that it is known by.
    pub(crate) fn place(&self) -> String {
        match &self.refusal.name {
            Some(name) => format!("{} ({name})", self.address),
            None => self.address.clone(),
        }
    }

    /// Tells whether this is the same program that tries the same address.
    pub(crate) fn is_again(&self, other: &Refused) -> bool {
        self.address == other.address && self.program == other.program
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, program: &str, process: i32) -> Refused {
        let refusal = Refusal { why: "a database".to_owned(), remedy: "name it".to_owned(), name: None };
        Refused { address: address.to_owned(), program: program.to_owned(), process, refusal, times: 1 }
    }

    #[test]
    fn a_flood_of_refusals_is_told_once_and_counted() {
        let mut account = Account::default();
        for process in 0..1000 {
            assert_eq!(account.add_refused(refused("10.0.0.1:5432", "python3", process)), process == 0);
        }
        assert!(account.add_refused(refused("10.0.0.1:5432", "node", 7)));
        assert!(account.add_refused(refused("10.0.0.2:5432", "node", 7)));
        let told: Vec<(i32, u64)> = account.refused.iter().map(|one| (one.process, one.times)).collect();
        assert_eq!(told, [(0, 1000), (7, 1), (7, 1)]);
        assert_eq!(account.refusals(), 1002);
    }

    #[test]
    fn a_scan_of_many_addresses_keeps_the_account_small() {
        let mut account = Account::default();
        let told = (0..5000).filter(|at| account.add_refused(refused(&format!("10.0.0.1:{at}"), "nmap", 1))).count();
        assert_eq!((told, account.refused.len(), account.refusals()), (MOST, MOST, 5000));
        for at in 0..5000 {
            let address = format!("127.0.0.1:{at}");
            let reached =
                Reached { address, program: "nmap".to_owned(), process: 1, target: None, note: None, is_quiet: false };
            account.add_reached(reached.clone());
            account.add_reached(reached);
        }
        assert_eq!(account.reached.len(), MOST);
        assert!(account.reached_besides > 0);
    }

    #[test]
    fn what_is_refused_was_not_reached() {
        let reached = || {
            let (address, program) = ("10.0.0.1:1080".to_owned(), "curl".to_owned());
            Reached { address, program, process: 1, target: None, note: Some("a proxy".to_owned()), is_quiet: false }
        };
        let mut account = Account::default();
        account.add_reached(reached());
        account.add_refused(refused("10.0.0.2:1080", "curl", 1));
        assert_eq!(account.reached, [reached()]);
        account.add_refused(refused("10.0.0.1:1080", "curl", 1));
        account.add_reached(reached());
        assert_eq!(account.reached, []);
    }

    #[test]
    fn how_it_was_watched_reads_back_and_an_unknown_word_claims_nothing() {
        for hold in [
            Hold::Held,
            Hold::Off,
            Hold::Fenced("ports are closed".to_owned()),
            Hold::Outer("the one around".to_owned()),
            Hold::Unavailable("this kernel is too old".to_owned()),
        ] {
            let text = serde_json::to_string(&hold).unwrap();
            assert_eq!(serde_json::from_str::<Hold>(&text).unwrap(), hold, "{text}");
        }
        let newer: Hold = serde_json::from_str("\"watched twice\"").unwrap();
        assert_eq!(newer, Hold::Unavailable("watched twice".to_owned()));
    }

    #[test]
    fn an_account_reads_back() {
        let mut account = Account::default();
        account.add_refused(refused("10.0.0.1:5432", "python3", 1));
        let text = serde_json::to_string(&account).unwrap();
        assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), account);
        assert!(text.contains("\"why\":\"a database\"") && !text.contains("besides"), "{text}");
    }
}
