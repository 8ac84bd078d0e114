//! Writing down what happens: one run, its entries, and what is never in them.

use std::cell::Cell;
use std::error::Error;
use std::ffi::OsString;
use std::time::Duration;

use crate::audit;
use crate::audit::{AuditError, Event, KnownSnapshots, Log, Manifests, Record, Refusal, What, Who};
use crate::clearance::Consent;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::who::who;
use crate::durable;
use crate::error::{Failure, in_one_line};
use crate::exit::Exit;
use crate::policy::trust;
use crate::secret::{ForeignText, Secret};
use crate::snapshot;
use crate::snapshot::{Ledger, Making, Restated, Store};
use crate::text::shown;

/// Writes the entries of one call, all under one run id.
pub(crate) struct Recorder<'a> {
    context: &'a Context,
    store: Store,
    log: Log,
    past: KnownSnapshots,
    run: String,
    who: Who,
    what: What,
    /// What must not show in what somebody typed.
    secrets: Vec<Secret>,
    /// Whether it was said that the log is not anchored.
    has_told: Cell<bool>,
}

impl<'a> Recorder<'a> {
    /// Records a command that was typed to be guarded.
    pub(crate) fn guarded(context: &'a Context, judged: &Judged, command: &[OsString]) -> Result<Self, Failure> {
        let mut recorder = Recorder::own(context, judged, &[])?;
        recorder.what.command = audit::redact_command(command, &recorder.secrets);
        Ok(recorder)
    }

    /// Records a subcommand, after its judgement. Its words are ours and ids of snapshots: nothing in them is masked.
    pub(crate) fn own(context: &'a Context, judged: &Judged, words: &[&str]) -> Result<Self, Failure> {
        let store = Store::locate(&context.project.root, judged.policy.snapshots.directory.as_deref())?;
        let secrets = judged.judgement.targets.iter().flat_map(|one| one.target.secrets()).collect();
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        let plain = Recorder::plain(context, store, command);
        let log = plain.log.clone().anchored(judged.policy.anchor);
        Ok(Recorder { secrets, log, ..plain })
    }

    /// Records what needs no judgement.
    pub(crate) fn plain(context: &'a Context, store: Store, command: Vec<String>) -> Self {
        let log = Log::open(&store.log(), &context.state_directory);
        let what = What { command, folder: shown(&context.project.folder).into_owned() };
        let run = format!("{}-{:06x}", context.now.format("%Y%m%dT%H%M%S%3fZ"), std::process::id() & 0xff_ffff);
        let past = KnownSnapshots::of(&log);
        Recorder {
            context,
            store,
            log,
            past,
            run,
            who: who(context),
            what,
            secrets: Vec::new(),
            has_told: Cell::new(false),
        }
    }

    /// Waits for other appends to the log no longer than this.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Recorder { log: self.log.with_patience(patience), ..self }
    }

    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Gives what the log remembers of snapshots, as it is at the first question.
    pub(crate) fn past(&self) -> &KnownSnapshots {
        &self.past
    }

    /// Quotes what somebody typed.
    pub(crate) fn quote(&self, typed: &str) -> String {
        ForeignText::new(typed, &self.secrets).to_string()
    }

    /// Gives what a person typed to vouch for a run, as the log keeps it.
    pub(crate) fn consent(&self, consent: Option<&Consent>) -> Vec<String> {
        consent.map(Consent::answers).unwrap_or_default().iter().map(|answer| self.quote(answer)).collect()
    }

    /// Makes the folder, and clears away what killed calls left in it and in the state directory.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        self.store.prepare()?;
        let state = &self.context.state_directory;
        snapshot::clear_secrets(state);
        durable::clear_unfinished(&trust::folder(state));
        self.log.clear_unfinished();
        for leftover in self.store.clear_leftovers()? {
            self.context
                .ui
                .say(format!("safe-test: removed {}, a leftover of something that was killed", shown(&leftover)));
        }
        Ok(())
    }

    /// Appends an entry.
    ///
    /// # Errors
    ///
    /// Where it cannot be written: then nothing may be run.
    pub(crate) fn record(&self, event: Event) -> Result<(), AuditError> {
        let appended = self.log.append(&self.entry(event))?;
        if appended.damage.is_some() {
            self.context.ui.warn("safe-test: the audit log was not as it was left; `safe-test log verify` says how");
        }
        if let Some(folder) = appended.not_anchored
            && !self.has_told.replace(true)
        {
            self.context.ui.warn(format!(
                "safe-test: {} cannot be written, as in a sandbox: the audit log is not anchored, and what is saved now is put back by a \
                 person at a terminal alone",
                shown(&folder)
            ));
        }
        Ok(())
    }

    /// Appends an entry about something that is over: failing to write it changes nothing but is said.
    pub(crate) fn record_ending(&self, event: Event) {
        let written =
            self.store.prepare().map_err(Failure::from).and_then(|()| self.record(event).map_err(Failure::from));
        if let Err(failure) = written {
            self.context.ui.warn(format!("safe-test: not recorded: {}", in_one_line(failure.error())));
        }
    }

    /// Appends the entry by which a person accepts what is wrong with the log.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn accept(&self) -> Result<(), AuditError> {
        self.log.accept(&self.entry(Event::Opened)).map(|_| ())
    }

    /// Gives what writes further entries of this call when the call itself is over.
    pub(crate) fn later(&self) -> LaterRecorder {
        let entry = self.entry(Event::Unknown);
        LaterRecorder { log: self.log.clone(), entry }
    }

    fn entry(&self, event: Event) -> Record {
        Record { at: Context::clock(), run: self.run.clone(), who: self.who.clone(), what: self.what.clone(), event }
    }
}

/// Writes entries of a call that is over, in another process.
pub(crate) struct LaterRecorder {
    log: Log,
    entry: Record,
}

impl LaterRecorder {
    /// Appends an entry.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, as where the project has gone since.
    pub(crate) fn record(&self, event: Event) -> Result<(), AuditError> {
        self.log.append(&Record { event, at: Context::clock(), ..self.entry.clone() }).map(|_| ())
    }
}

impl Ledger for Recorder<'_> {
    fn write_down(&self, making: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.record(Event::Making(making.clone()))?)
    }

    fn restate(&self, restated: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.record(Event::Restated(restated.clone()))?;
        self.past.take_note(restated);
        Ok(())
    }
}

/// Writes down a refusal, where that can be done: a refusal stays a refusal. A dry run writes nothing.
pub(crate) fn record_refusal(context: &Context, judged: &Judged, recorder: Result<&Recorder<'_>, &Failure>) {
    match recorder {
        Ok(_) if context.dry_run => {}
        Ok(recorder) => {
            let messages: Vec<&str> = judged.report.objections().map(|finding| finding.message.as_str()).collect();
            recorder.record_ending(Event::Refused(Refusal {
                judgement: judged.report.record(),
                reason: messages.join("; "),
                exit: Exit::Refused.code(),
                manifests: Manifests::new(),
            }));
        }
        Err(failure) => context.ui.warn(format!("safe-test: not recorded: {}", in_one_line(failure.error()))),
    }
}
