//! Carries an engine's own error to the stages that know no engine.

use std::fmt;

use crate::error::Explain;
use crate::exit::Exit;

/// An engine's own error: with what the stages outside have to know besides its hint and exit status.
pub(crate) trait EngineFailure: Explain {
    /// Tells what it means for the database.
    fn consequence(&self) -> Consequence;

    /// Tells whether a server asked for a password that it was not given, or did not take the one that it was given.
    fn asks_for_password(&self) -> bool {
        false
    }

    /// Tells whether nothing was heard of a server, so that there may be none.
    fn found_no_server(&self) -> bool {
        false
    }

    /// Tells whether a server answered that it is not ready yet.
    fn found_it_starting(&self) -> bool {
        false
    }
}

/// What an engine's error means for the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// The database is as it was.
    Untouched,
    /// The restore that ended with it may have changed the database.
    MayHaveChanged,
    /// What is in the database's place is so damaged that it cannot be saved: a restore replaces it as it is.
    DamagedBefore,
}

/// An error of some engine.
#[derive(Debug)]
pub(crate) struct EngineError(Box<dyn EngineFailure>);

impl EngineError {
    /// Tells what it means for the database.
    pub(crate) fn consequence(&self) -> Consequence {
        self.0.consequence()
    }

    /// Tells whether a server wants another password, or one at all.
    pub(crate) fn asks_for_password(&self) -> bool {
        self.0.asks_for_password()
    }

    /// Tells whether nothing was heard of a server, so that there may be none.
    pub(crate) fn found_no_server(&self) -> bool {
        self.0.found_no_server()
    }

    /// Tells whether a server answered that it is not ready yet.
    pub(crate) fn found_it_starting(&self) -> bool {
        self.0.found_it_starting()
    }
}

impl<E: EngineFailure> From<E> for EngineError {
    fn from(error: E) -> Self {
        EngineError(Box::new(error))
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Explain for EngineError {
    fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    fn loosening(&self) -> Option<String> {
        self.0.loosening()
    }

    fn exit(&self) -> Exit {
        self.0.exit()
    }
}
