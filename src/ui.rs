//! What people see: the printer of failures, quiet lines, questions, progress. The edge to the terminal.

mod printer;
mod progress;
mod prompt;

pub(crate) use crate::ui::printer::{Tone, Ui, bytes};
pub(crate) use crate::ui::progress::Progress;
