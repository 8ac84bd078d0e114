//! Saves what was not up when the command started, while its first connection waits.

use std::fs::File;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::audit;
use crate::audit::Event;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::saving;
use crate::commands::saving::{Saved, Saving};
use crate::commands::telling_saved;
use crate::error::{Failure, in_one_line};
use crate::guard::{Answer, Question};
use crate::reach::{Place, Target};
use crate::snapshot::{Care, Kind, Order, Receipt};

/// How long a server may take to be ready once it takes connections: recovery after a crash takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server that starts is left alone before it is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// What is saved while a command runs.
pub(crate) struct Later<'a> {
    context: &'a Context,
    /// With what was found beside targets since.
    judged: Judged,
    recorder: &'a Recorder<'a>,
    /// One receipt for each target; that of one that was not up is replaced when it is saved.
    receipts: Vec<Receipt>,
    /// Keeps the snapshots from being pruned while the command runs.
    held: Vec<File>,
}

impl<'a> Later<'a> {
    pub(crate) fn new(
        context: &'a Context,
        judged: Judged,
        recorder: &'a Recorder<'a>,
        receipts: &[Receipt],
    ) -> Later<'a> {
        Later { context, judged, recorder, receipts: receipts.to_vec(), held: Vec::new() }
    }

    /// Gives the receipts as they are now.
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Gives the judgement with what was found since.
    pub(crate) fn judged(&self) -> &Judged {
        &self.judged
    }

    /// Saves what the guard asks for, writes that down and says it. A server that is still starting is waited for, until
    /// `breaks_off`.
    pub(crate) fn save(&mut self, question: &Question, breaks_off: &(dyn Fn() -> bool + Sync)) -> Answer {
        let mut saved = Saved::default();
        let answer = self.save_into(&mut saved, question, breaks_off);
        // What was saved counts also where the rest was not, and is known only once it is written down.
        let written = self.write_down(saved);
        match (answer, written) {
            (Ok(answer), Ok(())) => answer,
            (Err(failure), _) | (_, Err(failure)) => Answer::NotSaved(in_one_line(failure.error())),
        }
    }

    fn save_into(
        &mut self,
        saved: &mut Saved,
        question: &Question,
        breaks_off: &(dyn Fn() -> bool + Sync),
    ) -> Result<Answer, Failure> {
        let Later { context, judged, recorder, .. } = self;
        let (context, recorder) = (*context, *recorder);
        let order = Order { may_wait: true, ..saving::order(context, recorder, Kind::Run, judged.policy.fast_undo) };
        let saving = Saving { context, recorder, order, interrupted: breaks_off };
        let asked = Instant::now();
        let mut wanted = Vec::new();
        for at in question.targets.iter().copied() {
            let Some(target) = met_at(&judged.judgement.targets[at].target, question.at) else {
                return Ok(Answer::NotSaved(
                    "it names several servers, and which of them is meant cannot be told".to_owned(),
                ));
            };
            wanted.push((at, target));
        }
        let mut next = 0;
        while let Some((at, target)) = wanted.get(next).cloned() {
            let intention = saving::intention(context, judged, &target)?;
            while let Err(error) = saving.save(saved, judged, at, &target, &intention) {
                if !error.may_pass() || asked.elapsed() > PATIENCE || breaks_off() {
                    return Err(error.into());
                }
                thread::sleep(AGAIN);
            }
            let before = judged.judgement.targets.len();
            saving.look_beside(saved, judged, at, &target)?;
            let found = judged.judgement.targets.iter().map(|one| one.target.clone()).enumerate().skip(before);
            wanted.extend(found);
            next += 1;
        }
        saving.finish(saved, judged)?;
        let is_gone = saved.receipts.iter().any(|receipt| *receipt.care() == Care::NotUpYet);
        Ok(if is_gone { Answer::NobodyThere } else { Answer::Saved })
    }

    /// Writes down what was saved, and puts it into its receipts' places.
    fn write_down(&mut self, saved: Saved) -> Result<(), Failure> {
        let Saved { mut receipts, manifests, held, .. } = saved;
        receipts.retain(|receipt| *receipt.care() != Care::NotUpYet);
        if receipts.is_empty() {
            return Ok(());
        }
        self.recorder.record(Event::Snapshot(audit::Saved {
            snapshots: receipts.iter().filter_map(|receipt| receipt.snapshot().map(str::to_owned)).collect(),
            manifests,
            targets: Vec::new(),
            notes: telling_saved::notes(&self.judged, &receipts),
        }))?;
        telling_saved::announce_late(self.context, &self.judged, &receipts)?;
        self.held.extend(held);
        for receipt in receipts {
            if self.receipts.iter().all(|known| known.target() != receipt.target()) {
                self.receipts.push(receipt);
                continue;
            }
            // What was saved before the command, or first, is what undoes all of it.
            let is_awaited =
                |known: &&mut Receipt| known.target() == receipt.target() && *known.care() == Care::NotUpYet;
            self.receipts.iter_mut().filter(is_awaited).for_each(|known| *known = receipt.clone());
        }
        Ok(())
    }
}

/// Makes of a target the one that is dialled at the address where it was met: of several listeners that its name leads to,
/// that one is to be saved. `None` where that cannot be said.
fn met_at(target: &Target, address: Option<SocketAddr>) -> Option<Target> {
    let mut target = target.clone();
    let Some(address) = address else { return Some(target) };
    match target.places.as_slice() {
        [Place::Host { port, .. }] if port.or(target.engine.default_port()) == Some(address.port()) => {
            // Takes the place of looking the name up, and leaves the name as it is (libpq, `hostaddr`).
            target.parameters.push(("hostaddr".to_owned(), address.ip().to_string()));
            Some(target)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;

    #[test]
    fn a_target_is_dialled_where_it_was_met() {
        let host = |name: &str, port| Place::Host { name: name.to_owned(), port };
        let target = |places: Vec<Place>| Target {
            engine: Engine::Postgres,
            places,
            database: Some("shop_test".to_owned()),
            user: None,
            password: None,
            parameters: vec![("hostaddr".to_owned(), "127.0.0.2".to_owned())],
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        };
        let met: Option<SocketAddr> = Some("[::1]:5432".parse().unwrap());
        let dialled = met_at(&target(vec![host("localhost", None)]), met).unwrap();
        assert_eq!(dialled.parameters.last().unwrap(), &("hostaddr".to_owned(), "::1".to_owned()));
        assert_eq!(dialled.address(), target(vec![host("localhost", None)]).address());
        let socket = target(vec![Place::Socket { path: "/run/pg".into(), port: None }]);
        assert_eq!(met_at(&socket, None), Some(socket));
        for places in [vec![host("localhost", Some(5433))], vec![host("localhost", None), host("127.0.0.1", None)]] {
            assert_eq!(met_at(&target(places), met), None);
        }
    }
}
