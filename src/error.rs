//! What every failure has to answer: what happened, why, what to do next, and with which status to end.
//!
//! Each stage keeps its own error enum; a variant is a fact with the data that a person needs (path, target,
//! tool). The message is a lower-case phrase without a full stop, the cause is kept as `source` and printed apart
//! by the one printer in `ui.rs`.

use std::error::Error;

use crate::exit::Exit;

/// An error that can be put before a person: with a hint and an exit status besides its message.
///
/// Implementations match on their variants without a wildcard arm, so that a new variant has to answer both.
pub(crate) trait Explain: Error + Send + Sync + 'static {
    /// Tells what to do next, as a phrase without a full stop; `None` where the message already says it.
    fn hint(&self) -> Option<String>;

    /// Tells, as a phrase, what a person may do besides that makes safe-test less strict. Nobody else is told.
    fn loosening(&self) -> Option<String> {
        None
    }

    /// Returns the status that safe-test ends with when this error ends it.
    fn exit(&self) -> Exit;
}

/// Lists the causes of an error, the nearest first.
pub(crate) fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// Puts an error and its causes in one line, for the log and for lists.
#[must_use]
pub(crate) fn in_one_line(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// A failure on its way to the printer, whichever stage it came from.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Explain>);

impl Failure {
    #[must_use]
    pub(crate) fn error(&self) -> &dyn Explain {
        self.0.as_ref()
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(Box::new(error))
    }
}
