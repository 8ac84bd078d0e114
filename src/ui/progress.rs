//! The progress of what may take a while.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::snapshot::Watch;
use crate::text::printable;
use crate::ui::{Ui, bytes};

/// Shows bytes and rate on a terminal once an operation has lasted half a second, and passes interruptions on.
pub(crate) struct Progress<'a> {
    what: String,
    done: AtomicU64,
    started: Instant,
    /// Made when there is something to show: most operations are over before.
    bar: OnceLock<ProgressBar>,
    on_terminal: bool,
    speaks: bool,
    ui: &'a Ui,
    interrupted: &'a (dyn Fn() -> bool + Sync),
}

const QUIET_FOR: Duration = Duration::from_millis(500);

impl<'a> Progress<'a> {
    /// Progress of `what`; `interrupted` says whether to stop.
    #[must_use]
    pub(crate) fn new(what: String, ui: &'a Ui, interrupted: &'a (dyn Fn() -> bool + Sync)) -> Self {
        let speaks = !ui.quiet && !ui.json;
        Progress {
            what,
            done: AtomicU64::new(0),
            started: Instant::now(),
            bar: OnceLock::new(),
            on_terminal: speaks && ui.on_terminal,
            speaks,
            ui,
            interrupted,
        }
    }

    fn new_bar(&self, lasted: Duration) -> ProgressBar {
        let rate = |state: &ProgressState, into: &mut dyn fmt::Write| {
            let rate = state.pos() as f64 / state.elapsed().as_secs_f64();
            let _ = write!(into, "{}/s", bytes(rate as u64));
        };
        let done = |state: &ProgressState, into: &mut dyn fmt::Write| {
            let _ = into.write_str(&bytes(state.pos()));
        };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_elapsed(lasted);
        // The template is a constant; without one the bar would show itself in its own way.
        if let Ok(style) = ProgressStyle::with_template("{msg} {done} ({rate})") {
            bar.set_style(style.with_key("done", done).with_key("rate", rate));
        }
        bar.with_message(printable(&self.what))
    }
}

impl Watch for Progress<'_> {
    fn advance(&self, bytes_more: u64) {
        self.done.fetch_add(bytes_more, Ordering::Relaxed);
        if !self.on_terminal {
            return;
        }
        let bar = match self.bar.get() {
            Some(bar) => bar,
            None => {
                let lasted = self.started.elapsed();
                if lasted < QUIET_FOR {
                    return;
                }
                self.bar.get_or_init(|| self.new_bar(lasted))
            }
        };
        bar.set_position(self.done.load(Ordering::Relaxed));
    }

    fn interrupted(&self) -> bool {
        (self.interrupted)()
    }

    fn remark(&self, what: &str) {
        if !self.speaks {
            return;
        }
        let write = || self.ui.warn(format!("safe-test: {}: {what}", self.what));
        match self.bar.get() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
