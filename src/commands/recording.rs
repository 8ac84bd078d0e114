//! Writing down what happens: who, what, and the judgement it rests on.

use std::ffi::OsString;
use std::path::Path;

use crate::audit;
use crate::audit::{AuditError, Event, Log, Record, Refusal, What, Who};
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::report;
use crate::error::{Failure, in_one_line};
use crate::exit::Exit;
use crate::snapshot::Store;

/// Writes the entries of one call, all under one run id.
pub(crate) struct Recorder<'a> {
    context: &'a Context,
    store: Store,
    log: Log,
    run: String,
    who: Who,
    what: What,
    judgement: audit::Judgement,
}

impl<'a> Recorder<'a> {
    /// A recorder for a judged command.
    pub(crate) fn new(context: &'a Context, judged: &Judged, command: &[OsString]) -> Result<Self, Failure> {
        let store = Store::locate(&context.project.root, judged.policy.snapshots.directory.as_deref())?;
        let report = report::judgement_json(judged, &context.caller);
        let array = |name: &str| report[name].as_array().cloned().unwrap_or_default();
        let secrets: Vec<_> = judged.judgement.targets.iter().filter_map(|one| one.target.password.clone()).collect();
        let judgement = audit::Judgement {
            verdict: judged.judgement.verdict.name().to_owned(),
            findings: array("findings"),
            targets: array("targets"),
            policy: judged.trust.as_ref().map(|(trust, hash)| audit::Policy {
                file: crate::policy::FILE_NAME.to_owned(),
                sha256: hash.clone(),
                trusted: trust.is_trusted(),
            }),
        };
        Ok(Recorder { judgement, ..Recorder::plain(context, store, audit::redact_command(command, &secrets)) })
    }

    /// A recorder for what needs no judgement.
    pub(crate) fn plain(context: &'a Context, store: Store, command: Vec<String>) -> Self {
        let log = Log::open(&store.log(), &context.state_directory);
        let caller = audit::Caller { kind: context.caller.kind.name().to_owned(), name: context.caller.name.clone() };
        let who = Who {
            user: user_name(context),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            caller,
            commit: commit_of(&context.project.root),
        };
        let what = What { command, folder: context.project.folder.to_string_lossy().into_owned() };
        let run = format!("{}-{:06x}", context.now.format("%Y%m%dT%H%M%S%3fZ"), std::process::id() & 0xff_ffff);
        Recorder { context, store, log, run, who, what, judgement: audit::Judgement::default() }
    }

    /// The run's id.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Where the snapshots and the log are.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The judgement as the log has it.
    pub(crate) fn judgement(&self) -> &audit::Judgement {
        &self.judgement
    }

    /// Makes the folder and clears away what killed calls left in it.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        self.store.prepare()?;
        for leftover in self.store.clear_leftovers()? {
            self.context
                .ui
                .say(&format!("safe-test: removed {}, a leftover of something that was killed", leftover.display()));
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
        Ok(())
    }

    fn entry(&self, event: Event) -> Record {
        Record {
            at: self.context.clock(),
            run: self.run.clone(),
            who: self.who.clone(),
            what: self.what.clone(),
            event,
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

    /// Writes down that a verdict kept something from being done.
    pub(crate) fn record_refusal(&self, judged: &Judged) {
        let messages: Vec<&str> = judged.judgement.objections().map(|finding| finding.message.as_str()).collect();
        self.record_ending(Event::Refused(Refusal {
            judgement: self.judgement.clone(),
            reason: messages.join("; "),
            exit: Exit::Refused.code(),
        }));
    }

    /// Appends an entry about something that is over: failing to write it changes nothing but is said.
    pub(crate) fn record_ending(&self, event: Event) {
        let written =
            self.store.prepare().map_err(Failure::from).and_then(|()| self.record(event).map_err(Failure::from));
        if let Err(failure) = written {
            self.context.ui.warn(&format!("safe-test: not recorded: {}", in_one_line(failure.error())));
        }
    }
}

/// Writes down a refusal, where that can be done: a refusal stays a refusal. A dry run writes nothing.
pub(crate) fn record_refusal(context: &Context, judged: &Judged, recorder: Result<&Recorder<'_>, &Failure>) {
    match recorder {
        Ok(_) if context.dry_run => {}
        Ok(recorder) => recorder.record_refusal(judged),
        Err(failure) => context.ui.warn(&format!("safe-test: not recorded: {}", in_one_line(failure.error()))),
    }
}

fn user_name(context: &Context) -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| context.variable(name));
    named.map_or_else(
        || format!("uid {}", rustix::process::getuid().as_raw()),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The commit that is checked out, read from git's files: starting git would cost more than the rest of a run.
fn commit_of(root: &Path) -> Option<String> {
    let read = |path: &Path| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let mark = root.ancestors().map(|above| above.join(".git")).find(|mark| mark.exists())?;
    // A worktree's `.git` is a file that names its folder; that folder names the common one.
    let folder = match read(&mark) {
        Some(text) => mark.parent()?.join(text.strip_prefix("gitdir: ")?),
        None => mark,
    };
    let common = read(&folder.join("commondir")).map_or_else(|| folder.clone(), |relative| folder.join(relative));
    let head = read(&folder.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return Some(head) };
    let loose = read(&folder.join(reference)).or_else(|| read(&common.join(reference)));
    loose.or_else(|| {
        let packed = read(&common.join("packed-refs"))?;
        packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' ').map(str::to_owned))
    })
}
