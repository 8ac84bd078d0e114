//! What people see: the printer of failures, quiet lines, questions, progress. The edge to the terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use console::{Style, Term};
use serde_json::json;

use crate::error::{Failure, causes};
use crate::secret::Secret;
use crate::snapshot::Watch;
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
        let styled = color.unwrap_or_else(|| console::colors_enabled_stderr() && io::stderr().is_terminal());
        let answers_styled = color.unwrap_or_else(|| console::colors_enabled() && io::stdout().is_terminal());
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

    /// A failure: what happened, the causes, the hint, and as the last line what was not done because of it.
    pub(crate) fn fail(&self, failure: &Failure, not_done: &str) {
        let error = failure.error();
        if self.json {
            let causes: Vec<String> = causes(error).map(ToString::to_string).collect();
            let failed = json!({
                "schema": 1, "event": "failed", "error": error.to_string(), "causes": causes, "hint": error.hint(),
                "exit": error.exit().code(), "message": not_done,
            });
            return self.warn(&failed.to_string());
        }
        self.warn(&format!("{} {}", self.toned("safe-test:", Tone::Bad), one_block(&error.to_string(), "  ")));
        for cause in causes(error) {
            self.warn(&format!("  caused by: {}", one_block(&cause.to_string(), "    ")));
        }
        if let Some(hint) = error.hint() {
            self.warn(&format!("  hint: {hint}"));
        }
        self.warn(&format!("  {not_done}"));
    }

    /// Asks a person to type something at the terminal; `None` where that is not possible.
    #[must_use]
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        let _ = write!(io::stderr().lock(), "{} ", self.masked(question));
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(read) if read > 0 => Some(answer.trim_end_matches(['\n', '\r']).to_owned()),
            _ => {
                self.warn("");
                None
            }
        }
    }

    fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| secret.redact_in(&text))
    }
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

/// Shows bytes and rate on a terminal once an operation has lasted half a second, and passes interruptions on.
pub(crate) struct Progress<'a> {
    what: String,
    done: AtomicU64,
    started: Instant,
    shown: Mutex<Option<Instant>>,
    on_terminal: bool,
    speaks: bool,
    interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Progress<'a> {
    const QUIET_FOR: Duration = Duration::from_millis(500);
    const EVERY: Duration = Duration::from_millis(100);

    /// Progress of `what`; `interrupted` says whether to stop.
    #[must_use]
    pub(crate) fn new(what: String, ui: &Ui, interrupted: &'a (dyn Fn() -> bool + Sync)) -> Self {
        let speaks = !ui.quiet && !ui.json;
        let on_terminal = speaks && io::stderr().is_terminal();
        Progress {
            what,
            done: AtomicU64::new(0),
            started: Instant::now(),
            shown: Mutex::new(None),
            on_terminal,
            speaks,
            interrupted,
        }
    }
}

impl Progress<'_> {
    /// Whether to show something now: never in the first half second, then a few times a second.
    fn is_due(lasted: Duration, since_shown: Option<Duration>) -> bool {
        lasted >= Self::QUIET_FOR && since_shown.is_none_or(|since| since >= Self::EVERY)
    }
}

impl Watch for Progress<'_> {
    fn advance(&self, bytes_more: u64) {
        let done = self.done.fetch_add(bytes_more, Ordering::Relaxed) + bytes_more;
        if !self.on_terminal {
            return;
        }
        let lasted = self.started.elapsed();
        let Ok(mut shown) = self.shown.try_lock() else { return };
        if !Self::is_due(lasted, shown.map(|last| last.elapsed())) {
            return;
        }
        *shown = Some(Instant::now());
        let rate = done as f64 / lasted.as_secs_f64();
        let _ = Term::stderr().clear_line();
        let _ = write!(io::stderr().lock(), "\r{} {} ({}/s)", self.what, bytes(done), bytes(rate as u64));
    }

    fn interrupted(&self) -> bool {
        (self.interrupted)()
    }

    fn remark(&self, what: &str) {
        if !self.speaks {
            return;
        }
        if self.on_terminal {
            let _ = Term::stderr().clear_line();
        }
        let _ = writeln!(io::stderr().lock(), "safe-test: {}: {}", self.what, printable(what));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown.lock().is_ok_and(|shown| shown.is_some()) {
            let _ = Term::stderr().clear_line();
        }
    }
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

    #[test]
    fn progress_is_shown_after_half_a_second_and_not_all_the_time() {
        let ms = Duration::from_millis;
        for (lasted, since_shown, due) in [
            (ms(0), None, false),
            (ms(499), None, false),
            (ms(500), None, true),
            (ms(900), Some(ms(40)), false),
            (ms(900), Some(ms(100)), true),
        ] {
            assert_eq!(Progress::is_due(lasted, since_shown), due, "{lasted:?} {since_shown:?}");
        }
    }
}
