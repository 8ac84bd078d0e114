//! What people see: the printer of failures, quiet lines, questions, progress. The edge to the terminal.

mod line;
mod printer;
mod progress;
mod prompt;
mod silent;

pub(crate) use crate::ui::line::{Line, Tone};
pub(crate) use crate::ui::printer::{Ui, bytes};
pub(crate) use crate::ui::progress::Progress;
