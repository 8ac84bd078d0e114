//! The printer: lines, answers and failures, in colours and without secrets.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use console::Style;
use serde::Serialize;
use serde_json::Value;

use crate::audit::redact_text;
use crate::error::{Failure, causes};
use crate::secret::Secret;
use crate::text::printable;

/// How the run talks to people.
#[derive(Debug)]
pub(crate) struct Ui {
    /// Say only what is wrong.
    pub(crate) quiet: bool,
    /// Say more.
    pub(crate) verbose: bool,
    /// Print for programs.
    pub(crate) json: bool,
    /// Colours on standard error.
    styled: bool,
    /// Colours on standard output.
    answers_styled: bool,
    /// Texts that must never be printed, whatever message they got into.
    secrets: Vec<Secret>,
}

/// The weight of a word on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Wants a look.
    Doubtful,
    /// Refused or failed.
    Bad,
    /// Less important than what stands around it.
    Faint,
}

impl Ui {
    /// A printer; `color` overrides what the terminal and `NO_COLOR` suggest.
    #[must_use]
    pub(crate) fn new(quiet: bool, verbose: bool, json: bool, color: Option<bool>) -> Self {
        let styled = color.unwrap_or_else(|| io::stderr().is_terminal() && console::colors_enabled_stderr());
        let answers_styled = color.unwrap_or_else(|| io::stdout().is_terminal() && console::colors_enabled());
        Ui { quiet, verbose, json, styled, answers_styled, secrets: Vec::new() }
    }

    /// Masks these texts in everything that is printed from now on.
    pub(crate) fn keep_secret(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        self.secrets.extend(secrets.into_iter().filter(|secret| secret.expose().chars().count() >= 4));
    }

    /// `text` in a tone, where colours are used on either output; the printers below take them off on the other.
    #[must_use]
    pub(crate) fn toned(&self, text: &str, tone: Tone) -> String {
        if !self.styled && !self.answers_styled {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        match tone {
            Tone::Good => style.green(),
            Tone::Doubtful => style.yellow(),
            Tone::Bad => style.red().bold(),
            Tone::Faint => style.dim(),
        }
        .apply_to(text)
        .to_string()
    }

    /// A line on standard error, unless quiet was asked for.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// A line on standard error, always. A closed standard error stops nothing.
    pub(crate) fn warn(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", plain_unless(self.styled, &self.masked(line)));
    }

    /// Text on standard output: what a subcommand was asked for. A reader that has seen enough (`| head`) is no error.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    pub(crate) fn answer(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let text = self.masked(text);
        match out.write_all(plain_unless(self.answers_styled, &text).as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// A failure: what happened, the causes, the hint, and as the last line what was not done because of it. It may
    /// repeat what was typed or what a tool said, so passwords are looked for in it.
    pub(crate) fn fail(&self, failure: &Failure, not_done: &str) {
        let error = failure.error();
        let said = redact_text(&error.to_string(), &self.secrets);
        let causes: Vec<String> = causes(error).map(|cause| redact_text(&cause.to_string(), &self.secrets)).collect();
        let hint = error.hint().map(|hint| redact_text(&hint, &self.secrets));
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
            return self.warn(&serde_json::to_string(&failed).unwrap_or_else(|error| error.to_string()));
        }
        self.warn(&format!("{} {}", self.toned("safe-test:", Tone::Bad), one_block(&said, "  ")));
        for cause in causes {
            self.warn(&format!("  caused by: {}", one_block(&cause, "    ")));
        }
        if let Some(hint) = hint {
            self.warn(&format!("  hint: {}", one_block(&hint, "  ")));
        }
        self.warn(&format!("  {not_done}"));
    }

    /// Masks what is secret in a text; in JSON only inside strings, so that keys and numbers stay what they are.
    pub(crate) fn masked(&self, text: &str) -> String {
        let in_text = |text: &str| self.secrets.iter().fold(text.to_owned(), |text, secret| secret.redact_in(&text));
        let masked = in_text(text);
        if !self.json || masked == text {
            return masked;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                for_each_string(&mut value, &in_text);
                format!("{value}{}", if text.ends_with('\n') { "\n" } else { "" })
            }
            Err(_) => masked,
        }
    }
}

fn for_each_string(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| for_each_string(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| for_each_string(field, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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

fn plain_unless(styled: bool, text: &str) -> Cow<'_, str> {
    if styled { Cow::Borrowed(text) } else { console::strip_ansi_codes(text) }
}

/// A text of several lines under its first one; control characters are escaped, so that names from files cannot
/// drive the terminal.
fn one_block(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join(&format!("\n{indent}"))
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
