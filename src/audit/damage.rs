//! What can be wrong with a log, in words.

use serde::Serialize;

use crate::audit::event::Disorder;

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Damage {
    /// The line it was found at, from 1.
    pub(crate) line: u64,
    /// What is wrong there.
    #[serde(flatten)]
    pub(crate) kind: DamageKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum DamageKind {
    /// The line was changed after it was written. `certain` is false where the next line's link may be what changed.
    Edited {
        /// Whether the line after it, or this machine's anchor, leaves no other reading.
        certain: bool,
    },
    /// Lines before this one are missing, and it is the first.
    CutAtStart {
        /// How many lines are missing.
        missing: u64,
    },
    /// This line and those after it are missing at the end.
    CutAtEnd {
        /// How many lines are missing.
        missing: u64,
    },
    /// Lines before this one are missing, in the middle.
    Gap {
        /// How many lines are missing.
        missing: u64,
    },
    /// The line stands before one that was written earlier.
    Reordered,
    /// The line repeats an earlier one.
    Duplicated {
        /// The earlier line.
        of: u64,
    },
    /// The line continues from where another line already does: two histories in one file.
    Forked {
        /// The other line.
        with: u64,
    },
    /// The line is not an entry.
    NotAnEntry,
    /// The line has no end: it was half written, or cut.
    Torn,
    /// The line holds NUL bytes, as a power loss leaves them.
    NulBytes,
    /// This line and those after it were not written by safe-test on this machine.
    Extended {
        /// How many lines were added.
        lines: u64,
    },
    /// The log is gone, though this machine remembers it.
    Missing {
        /// How many lines it had.
        lines: u64,
    },
    /// safe-test found the log damaged, wrote this line to say so, and nobody has accepted that yet.
    Recorded {
        /// What it found.
        damage: Disorder,
    },
    /// What this machine remembers of the log cannot be read, so a cut at the end would not show.
    AnchorUnreadable,
}

/// Whether a log is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Integrity {
    /// How many lines the log has.
    pub(crate) lines: u64,
    /// The log's random id, where its first entry holds one.
    pub(crate) log: Option<String>,
    /// The first thing that is wrong.
    pub(crate) damage: Option<Damage>,
    /// How many things are wrong; one change can break two links.
    pub(crate) damages: u64,
    /// From which line on this machine has watched the log; `None` where it has no anchor for it.
    pub(crate) watched_since: Option<u64>,
    /// Whether an append was interrupted: it counts as not written, and the next one cleans up after it.
    pub(crate) interrupted: bool,
}

impl Integrity {
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.damage.is_none()
    }

    /// Says for people what was found, and what could not be found; no control characters, no full stop.
    #[must_use]
    pub(crate) fn sentence(&self) -> String {
        let lines = count(self.lines, "line");
        let mut text = match &self.damage {
            None if self.lines == 0 => "the log is empty".to_owned(),
            None => format!("the log is whole: {lines}, each linked to the one before"),
            Some(damage) => {
                let more = match self.damages {
                    0 | 1 => String::new(),
                    damages => format!(" ({} in all)", count(damages, "broken place")),
                };
                format!("{}{more}", damage.sentence())
            }
        };
        match self.watched_since {
            None if self.lines > 0 => {
                text.push_str("; this machine has no anchor for this log, so a cut at its end would not show");
            }
            Some(since) if since > 1 => {
                text.push_str(&format!("; this machine knows the log from line {since} on"));
            }
            None | Some(_) => {}
        }
        if self.interrupted {
            text.push_str("; its last append was interrupted, and the next one will complete it");
        }
        text
    }
}

impl Damage {
    /// Says what is wrong, and in which line.
    #[must_use]
    pub(crate) fn sentence(&self) -> String {
        let line = self.line;
        match self.kind {
            DamageKind::Edited { certain: true } => format!("line {line} was edited"),
            DamageKind::Edited { certain: false } => {
                format!("line {line} was edited, or the link to it in line {} was", line + 1)
            }
            DamageKind::CutAtStart { missing } => {
                format!("the log was cut at its start: {} missing before its first", are(missing))
            }
            DamageKind::CutAtEnd { missing } if line == 1 => {
                format!("the log was cut: all of its {} missing", are(missing))
            }
            DamageKind::CutAtEnd { missing } => {
                format!("the log was cut after line {}: {} missing", line - 1, are(missing))
            }
            DamageKind::Gap { missing } => format!("{} missing before line {line}", are(missing)),
            DamageKind::Reordered => {
                format!("line {line} is out of order: it was written after a line that follows it")
            }
            DamageKind::Duplicated { of } => format!("line {line} repeats line {of}"),
            DamageKind::Forked { with } => {
                format!("line {line} goes on from the same place as line {with}: two histories in one log")
            }
            DamageKind::NotAnEntry => format!("line {line} is not an entry of the log"),
            DamageKind::Torn => format!("line {line} is torn: its end is missing"),
            DamageKind::NulBytes => format!("line {line} holds NUL bytes, as a power loss leaves them"),
            DamageKind::Extended { lines } => {
                format!(
                    "{} added from line {line} on, not by safe-test on this machine, or where it could not write the anchor, as in \
                     a sandbox",
                    were(lines)
                )
            }
            DamageKind::Missing { lines } => format!("the log is gone: it had {}", count(lines, "line")),
            DamageKind::Recorded { damage } => {
                format!("the log was found {}; line {line} says so and goes on from there", damage.words())
            }
            DamageKind::AnchorUnreadable => {
                "what this machine remembers of the log cannot be read, so a cut at its end would not show".to_owned()
            }
        }
    }
}

impl Disorder {
    /// Says how the log was found, to follow "was found".
    #[must_use]
    pub(crate) fn words(self) -> &'static str {
        match self {
            Disorder::Missing => "missing",
            Disorder::Torn => "torn",
            Disorder::Cut => "cut short",
            Disorder::Extended => "longer than it was left",
            Disorder::Changed => "changed",
            Disorder::Replaced => "replaced by another log",
            Disorder::Forgotten => "without a readable anchor",
            Disorder::Other => "damaged",
        }
    }
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn are(lines: u64) -> String {
    format!("{} {}", count(lines, "line"), if lines == 1 { "is" } else { "are" })
}

fn were(lines: u64) -> String {
    format!("{} {}", count(lines, "line"), if lines == 1 { "was" } else { "were" })
}
