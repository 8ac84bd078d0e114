//! Questions to a person at the terminal.
//!
//! While a question waits, the terminal hands over each key as it is pressed, and may hide its cursor. A signal that
//! ended us then would leave it so; therefore nobody asks without an [`Interrupt`], which notes signals instead and breaks
//! the question off.

use console::Term;
use dialoguer::{Confirm, Input, Select};

use crate::exec::Interrupt;
use crate::secret::Secret;
use crate::text::printable;
use crate::ui::Ui;
use crate::ui::silent::{Silent, read_line};

impl Ui {
    /// Asks a person to type something. `None`: nothing can be read, or somebody interrupted.
    #[must_use]
    pub(crate) fn ask(&self, question: &str, interrupt: &Interrupt) -> Option<String> {
        let input = Input::<String>::new().with_prompt(printable(question)).allow_empty(true);
        answered(interrupt, || input.interact_text())
    }

    /// Asks a person for a password, of which nothing shows while it is typed. `None` as for [`Ui::ask`].
    #[must_use]
    pub(crate) fn ask_hidden(&self, question: &str, interrupt: &Interrupt) -> Option<Secret> {
        interrupt.breaks_off(|| {
            let _silent = Silent::begin().ok()?;
            ask_in_line(question);
            let line = read_line();
            end_line();
            line.ok()?.map(Secret::new)
        })
    }

    /// Asks a person whether to go on; only a yes is one.
    #[must_use]
    pub(crate) fn confirm(&self, question: &str, interrupt: &Interrupt) -> bool {
        let confirm = Confirm::new().with_prompt(printable(question)).default(false).wait_for_newline(true);
        answered(interrupt, || confirm.interact_opt()).flatten().unwrap_or(false)
    }

    /// Lets a person choose one of several; `None`: none of them.
    #[must_use]
    pub(crate) fn choose(&self, question: &str, items: &[String], interrupt: &Interrupt) -> Option<usize> {
        let items: Vec<String> = items.iter().map(|item| printable(item)).collect();
        let select = Select::new().with_prompt(printable(question)).items(items).default(0);
        answered(interrupt, || select.interact_opt()).flatten()
    }
}

/// Asks until there is an answer or a signal; a question that was broken off leaves its line unfinished and the cursor
/// hidden.
#[expect(clippy::disallowed_methods, reason = "the question itself is printed by `dialoguer`")]
fn answered<T>(interrupt: &Interrupt, question: impl FnOnce() -> dialoguer::Result<T>) -> Option<T> {
    let tidied = |_: &dialoguer::Error| {
        let terminal = Term::stderr();
        let _ = terminal.show_cursor();
        let _ = terminal.write_line("");
    };
    interrupt.breaks_off(|| question().inspect_err(tidied).ok())
}

#[expect(clippy::disallowed_methods, reason = "the question itself")]
fn ask_in_line(question: &str) {
    let _ = Term::stderr().write_str(&format!("{}: ", printable(question)));
}

/// Ends the line that the person's own line end did not, since nothing of what is typed shows.
#[expect(clippy::disallowed_methods, reason = "the end of the question")]
fn end_line() {
    let _ = Term::stderr().write_line("");
}
