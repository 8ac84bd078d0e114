//! What an agent's command is judged by, and the judgement.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::cli::{Before, CommandLine};
use crate::commands::context;
use crate::commands::context::Context;
use crate::commands::hook::agents::Agent;
use crate::commands::hook::payload::{Asked, Payload, Shell};
use crate::commands::hook::reply::Decision;
use crate::commands::hook::{powershell, reason};
use crate::commands::{lying_files, policy_file};
use crate::error::in_one_line;
use crate::policy::{GuardMode, Policy};
use crate::text::head;
use crate::touching;
use crate::touching::{Corrections, Judged, Place, Touches};

/// How much of a command is judged: twice what Linux takes as one argument, which is how agents hand lines to a shell. Looking
/// through more of it would take longer than an agent waits.
const LONGEST: usize = 256 * 1024;

/// Where an agent is about to run something.
pub(super) struct Around {
    /// `None` where not even the folder can be read.
    pub(super) context: Option<Context>,
    pub(super) folder: PathBuf,
    pub(super) policy: Policy,
    /// What kept the policy, or the folder, from being read.
    pub(super) problem: Option<String>,
}

impl Around {
    /// Reads the surroundings of what an agent sent; of this process where nothing could be read of that.
    pub(super) fn of(asked: &CommandLine, agent: &Agent, payload: Option<&Payload>) -> Self {
        let here = match Context::new(asked) {
            Ok(context) => context,
            Err(failure) => {
                let folder = payload.map(|payload| payload.folder(Path::new("/"), |_| None)).unwrap_or_default();
                return Around { folder, ..Around::unknown(in_one_line(failure.error())) };
            }
        };
        let own = here.project.folder.clone();
        let variable = |name: &str| here.variable(name).map(PathBuf::from);
        let folder = payload.map_or_else(|| own.clone(), |payload| payload.folder(&own, variable));
        let elsewhere = (folder != own).then(|| {
            let before = Before { folder: Some(folder.clone()), ..asked.before.clone() };
            Context::new(&CommandLine { before, ..asked.clone() })
        });
        // A folder that is not there is one that the command cannot run in.
        let mut context = match elsewhere {
            Some(Ok(context)) => context,
            Some(Err(_)) | None => here,
        };
        // A policy counts as reviewed in no job that an agent drives.
        context.caller = context.caller.into_agent(agent.name);
        let (policy, problem) = match policy_file::in_force(&context) {
            Ok(in_force) => (in_force.policy, None),
            Err(failure) => (Policy::default(), Some(in_one_line(failure.error()))),
        };
        Around { context: Some(context), folder, policy, problem }
    }

    /// Surroundings of which nothing is known.
    pub(super) fn unknown(problem: String) -> Self {
        Around { context: None, folder: PathBuf::new(), policy: Policy::default(), problem: Some(problem) }
    }

    /// Tells whether what cannot be judged is not to run.
    pub(super) fn is_strict(&self) -> bool {
        self.policy.guard.mode == GuardMode::Strict
    }
}

/// What came of a judgement.
#[derive(Debug)]
pub(super) enum Verdict {
    Plain,
    Touches { line: String, touches: Touches },
    Unjudged { line: String, reason: String },
}

impl Verdict {
    /// A verdict on commands whose judging failed.
    pub(super) fn of_fault(commands: &[Asked], reason: String) -> Self {
        Verdict::Unjudged {
            line: commands.iter().flat_map(|asked| &asked.lines).next().cloned().unwrap_or_default(),
            reason,
        }
    }

    pub(super) fn decision(&self, is_strict: bool) -> Decision {
        match self {
            Verdict::Touches { touches, .. } => {
                Decision::Deny(reason::denied(touches, true), reason::denied(touches, false))
            }
            Verdict::Unjudged { reason, .. } if is_strict => {
                let reason = reason::unjudged(reason);
                Decision::Deny(reason.clone(), reason)
            }
            Verdict::Unjudged { .. } | Verdict::Plain => Decision::Allow,
        }
    }
}

/// Judges commands: the first that touches a database counts, then the first that cannot be judged.
pub(super) fn judge(commands: &[Asked], around: &Around) -> Verdict {
    let rules = &around.policy.commands;
    let disk = around.context.as_ref().map_or_else(Default::default, |context| Rc::clone(&context.disk));
    let place = Place {
        folder: &around.folder,
        root: &context::root_of,
        files: disk.as_ref(),
        is_saved: &lying_files::is_saved,
    };
    let corrections = Corrections { plain: rules.plain.clone(), guard: rules.guard.clone() };
    let mut unjudged = around.problem.clone().map(|reason| Verdict::Unjudged { line: String::new(), reason });
    for asked in commands {
        if asked.lines.is_empty() {
            let reason = "the command is not where this agent's was expected".to_owned();
            unjudged.get_or_insert(Verdict::Unjudged { line: String::new(), reason });
        }
        for line in &asked.lines {
            let beginning = head(line, LONGEST);
            let judged = match asked.shell {
                Shell::Posix => Some(touching::judge(beginning, &place, &corrections)),
                Shell::PowerShell => powershell::judge(beginning, &place, &corrections),
            };
            match judged {
                Some(Judged::Plain) if line.len() > LONGEST => {
                    let reason = "the command is longer than 256 KiB".to_owned();
                    unjudged.get_or_insert(Verdict::Unjudged { line: line.clone(), reason });
                }
                Some(Judged::Plain) => {}
                Some(Judged::Touches(touches)) => return Verdict::Touches { line: line.clone(), touches },
                None => {
                    let reason = "this line for PowerShell is not understood".to_owned();
                    unjudged.get_or_insert(Verdict::Unjudged { line: line.clone(), reason });
                }
            }
        }
    }
    unjudged.unwrap_or(Verdict::Plain)
}
