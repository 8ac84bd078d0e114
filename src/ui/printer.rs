//! The printer: the only one that writes to standard output and error, in colours.
//!
//! It takes lines and JSON. Both escape whatever a terminal would obey, so names and values from files, tools and
//! people are handed over as they are; a line end comes from here alone. It looks for no secret: what has one does not
//! get here (`secret`).

#![expect(clippy::disallowed_methods, reason = "all that is printed passes here")]

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::error::{Failure, causes};
use crate::json::Json;
use crate::ui::{Line, Tone};
use crate::verdict::Remedy;

/// How the run talks to people.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    /// Say only what is wrong.
    pub(crate) quiet: bool,
    /// Say more.
    pub(crate) verbose: bool,
    /// Print for programs.
    pub(crate) json: bool,
    /// Who reads it can be asked, and told how safe-test is made less strict.
    to_person: bool,
    /// Standard error is a terminal.
    pub(in crate::ui) on_terminal: bool,
    /// Colours on standard error.
    styled: bool,
    /// Colours on standard output.
    answers_styled: bool,
}

impl Ui {
    /// A printer for nobody known; `color` overrides what the terminal and `NO_COLOR` suggest.
    #[must_use]
    pub(crate) fn new(quiet: bool, verbose: bool, json: bool, color: Option<bool>) -> Self {
        let on_terminal = io::stderr().is_terminal();
        let styled = color.unwrap_or_else(|| on_terminal && console::colors_enabled_stderr());
        let answers_styled = color.unwrap_or_else(|| io::stdout().is_terminal() && console::colors_enabled());
        Ui { quiet, verbose, json, to_person: false, on_terminal, styled, answers_styled }
    }

    /// Says whether a person reads it.
    #[must_use]
    pub(crate) fn for_person(self, to_person: bool) -> Self {
        Ui { to_person, ..self }
    }

    /// Tells whether a line is longer than the terminal that standard error is; a file or a pipe takes any.
    #[must_use]
    pub(crate) fn is_too_long(&self, line: &str) -> bool {
        let columns = || console::Term::stderr().size_checked().map_or(80, |(_, columns)| usize::from(columns));
        self.on_terminal && !self.json && console::measure_text_width(line) > columns()
    }

    /// Prints a line on standard error, unless quiet was asked for.
    pub(crate) fn say(&self, line: impl Into<Line>) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// Prints a line on standard error, always. A closed standard error stops nothing.
    pub(crate) fn warn(&self, line: impl Into<Line>) {
        let _ = writeln!(io::stderr().lock(), "{}", line.into().shown(self.styled));
    }

    /// Prints a line of JSON on standard error, always.
    pub(crate) fn warn_json(&self, event: &Json) {
        let _ = writeln!(io::stderr().lock(), "{event}");
    }

    /// Prints what a subcommand was asked for, on standard output.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written. A reader that has seen enough (`| head`) is no error.
    pub(crate) fn answer<L: Into<Line>>(&self, lines: impl IntoIterator<Item = L>) -> io::Result<()> {
        let shown = |line: L| line.into().shown(self.answers_styled) + "\n";
        print(&lines.into_iter().map(shown).collect::<String>())
    }

    /// Prints what a subcommand was asked for, as JSON, on standard output.
    ///
    /// # Errors
    ///
    /// As [`Ui::answer`].
    pub(crate) fn answer_json(&self, answer: &Json) -> io::Result<()> {
        print(&(answer.to_string() + "\n"))
    }

    /// A failure: what happened, the causes, the hint, and as the last line what was not done because of it.
    pub(crate) fn fail(&self, failure: &Failure, not_done: &str) {
        let error = failure.error();
        let said = error.to_string();
        let causes: Vec<String> = causes(error).map(ToString::to_string).collect();
        let hint = Remedy::of(error).map(|remedy| remedy.told(self.to_person));
        if self.json {
            let failed = Failed {
                schema: 1,
                event: "failed",
                error: said,
                causes,
                hint,
                exit: error.exit().code(),
                message: not_done,
            };
            return match Json::of(&failed) {
                Ok(failed) => self.warn_json(&failed),
                Err(error) => self.warn(error.to_string()),
            };
        }
        self.warn(Line::toned(Tone::Bad, "safe-test:").and(format!(" {said}")));
        for cause in causes {
            self.warn(format!("  caused by: {cause}"));
        }
        if let Some(hint) = hint {
            self.warn(format!("  hint: {hint}"));
        }
        self.warn(format!("  {not_done}"));
    }
}

/// Writes to standard output; a reader that is gone is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A failure, as programs are told of it.
#[derive(Serialize)]
struct Failed<'a> {
    schema: u32,
    event: &'static str,
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit: u8,
    message: &'a str,
}

/// Bytes for people: `1.4 MB`.
#[must_use]
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_fitting_units() {
        for (count, said) in [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_440_000, "1.4 MB"), (999_960, "1.0 MB")]
        {
            assert_eq!(bytes(count), said);
        }
    }
}
