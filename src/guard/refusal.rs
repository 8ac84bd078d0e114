//! Why a connection fails or passes, in words.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::policy::FILE_NAME;
use crate::reach::Engine;
use crate::verdict::Remedy;

/// Why an attempt fails, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What is there, and why that is not permitted: a phrase.
    pub(crate) why: String,
    /// What can be done, a phrase.
    pub(crate) remedy: String,
    /// The name under which the address is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// Why an attempt fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// A database's port of another machine.
    NotJudged { engine: Engine, what: Option<&'static str> },
    /// A database server on this machine that no receipt names.
    NotSavedHere {
        engine: Engine,
        /// Whether it is known to be that: else it listens where such a server does.
        is_known: bool,
        program: Option<String>,
        /// Why it does not count as new.
        because: Option<String>,
    },
    /// Not the server that was saved under this name.
    AnotherServer { program: Option<String> },
    /// What listens carries connections elsewhere.
    Tunnel { program: Option<String> },
    /// A connector's socket.
    Provider { provider: &'static str },
    /// The policy lets almost nothing off this machine.
    Strict,
    /// The run names no database, and lets little off this machine.
    Unnamed,
}

/// What is recorded of an attempt that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// A cache, a search index or a broker on this machine.
    NotSaved,
    /// A server that the command made.
    New,
    /// The policy allows it.
    Allowed,
    /// A safe-test within the run has saved it.
    SavedWithin,
}

impl Note {
    /// Tells whether there is nothing to lose by it, so that it stands in the log and is not told.
    pub(crate) fn is_quiet(self) -> bool {
        match self {
            Note::New | Note::SavedWithin => true,
            Note::NotSaved | Note::Allowed => false,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Note::NotSaved => "not saved",
            Note::New => "started by the command itself, with nothing to lose",
            Note::Allowed => "allowed by the policy",
            Note::SavedWithin => "saved by the safe-test within this run",
        })
    }
}

impl Refusal {
    /// Makes one that no rule of the run is behind.
    pub(crate) fn plain(why: impl Into<String>, remedy: &str) -> Refusal {
        Refusal { why: why.into(), remedy: remedy.to_owned(), name: None }
    }

    pub(crate) fn new(why: Why, address: Option<SocketAddr>, name: Option<&str>, is_person: bool) -> Refusal {
        let remedy = remedy(&why, address, name).told(is_person);
        Refusal { why: why.to_string(), remedy, name: name.map(str::to_owned) }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |program: &Option<String>| program.as_ref().map_or(String::new(), |program| format!(" ({program})"));
        match self {
            Why::NotJudged { what: Some(what), .. } => {
                write!(f, "a database's port on another machine ({what}), and no database there was judged and saved")
            }
            Why::NotJudged { what: None, .. } => {
                f.write_str("a database's port on another machine, and no database there was judged and saved")
            }
            Why::NotSavedHere { engine, is_known, program, because } => {
                let server = match engine {
                    Engine::Unknown => "a database server".to_owned(),
                    engine => format!("a {engine} server"),
                };
                match is_known {
                    true => write!(f, "{server}{}", by(program))?,
                    false => write!(f, "a program{} at the port of {server}", by(program))?,
                }
                f.write_str(" on this machine that was not judged and saved")?;
                because.as_ref().map_or(Ok(()), |because| write!(f, ", and {because}"))
            }
            Why::AnotherServer { program } => {
                write!(f, "another server{} listens there than the one that was saved", by(program))
            }
            Why::Tunnel { program: Some(program) } => {
                write!(f, "{program} holds this port, and what is behind it is not on this machine")
            }
            Why::Tunnel { program: None } => f.write_str("a tunnel, and what is behind it is not on this machine"),
            Why::Provider { provider } => write!(f, "a socket that leads to {provider}"),
            Why::Strict => write!(
                f,
                "{FILE_NAME} is strict: off this machine the command reaches only name servers and what is allowed"
            ),
            Why::Unnamed => f.write_str(
                "nothing names the databases of this run, so that off this machine it reaches only name servers, the web and git hosts",
            ),
        }
    }
}

/// Says what can be done.
fn remedy(why: &Why, address: Option<SocketAddr>, name: Option<&str>) -> Remedy {
    let own = match why {
        Why::NotJudged { .. } | Why::NotSavedHere { .. } | Why::Unnamed => {
            "name the database of the tests in .env or the environment, so that it is judged and saved"
        }
        Why::AnotherServer { .. } => "run one server at this address, or name it by its exact address",
        Why::Tunnel { .. } | Why::Provider { .. } => return "point the tests at a database on this machine".into(),
        Why::Strict => "",
    };
    let Some(address) = address else { return own.into() };
    let pair = match name {
        Some(name) => format!("{name}:{}", address.port()),
        None => address.to_string(),
    };
    let allow =
        format!("allow = [\"{pair}\"] below [guard] in {FILE_NAME}, and then `safe-test trust`, lets it through");
    Remedy::from(own).or_loosen(allow)
}
