//! Why a connection fails or passes, in words.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::policy::FILE_NAME;
use crate::reach::Engine;

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
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Note::NotSaved => "not saved",
            Note::New => "started by the command itself, with nothing to lose",
            Note::Allowed => "allowed by the policy",
        })
    }
}

impl Refusal {
    /// Makes one that no rule of the run is behind.
    pub(crate) fn plain(why: impl Into<String>, remedy: &str) -> Refusal {
        Refusal { why: why.into(), remedy: remedy.to_owned(), name: None }
    }

    pub(crate) fn new(why: Why, address: Option<SocketAddr>, name: Option<&str>, is_person: bool) -> Refusal {
        let remedy = remedy(&why, address, name, is_person);
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
            Why::NotSavedHere { engine, program, because } => {
                match engine {
                    Engine::Unknown => f.write_str("a database server")?,
                    engine => write!(f, "a {engine} server")?,
                }
                write!(f, "{} on this machine that was not judged and saved", by(program))?;
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

/// Says what can be done. What loosens something is shown to a person only.
fn remedy(why: &Why, address: Option<SocketAddr>, name: Option<&str>, is_person: bool) -> String {
    const NAME_IT: &str = "name the database of the tests in .env or the environment, so that it is judged and saved";
    let allow = address.filter(|_| is_person).map(|address| {
        let pair = match name {
            Some(name) => format!("{name}:{}", address.port()),
            None => address.to_string(),
        };
        format!("allow = [\"{pair}\"] below [guard] in {FILE_NAME}, and then `safe-test trust`, lets it through")
    });
    let own = match why {
        Why::NotJudged { .. } | Why::NotSavedHere { .. } | Why::Unnamed => Some(NAME_IT),
        Why::AnotherServer { .. } => Some("run one server at this address, or name it by its exact address"),
        Why::Tunnel { .. } | Why::Provider { .. } => {
            return "point the tests at a database on this machine".to_owned();
        }
        Why::Strict => None,
    };
    match (own, allow) {
        (Some(own), Some(allow)) => format!("{own}; {allow}"),
        (Some(own), None) => format!("{own}, or stop and tell the person who asked for this run"),
        (None, Some(allow)) => allow,
        (None, None) => "stop, and tell the person who asked for this run".to_owned(),
    }
}
