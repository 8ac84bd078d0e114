//! What all threads of a watch share, and how they answer.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use crate::guard::account::{Account, Reached, Refused};
use crate::guard::blind::Blind;
use crate::guard::decide::Decision;
use crate::guard::facts::Traffic;
use crate::guard::listeners::{Listening, Table};
use crate::guard::messages::{Answer, Message, Question, Tell, Teller};
use crate::guard::names::{BEFORE_A_REFUSAL, Names};
use crate::guard::nested::{Stage, Word};
use crate::guard::notification::{Attempt, Listener};
use crate::guard::owners::Sockets;
use crate::guard::process;
use crate::guard::process::Protocol;
use crate::guard::refusal::Refusal;
use crate::guard::rules::Rules;
use crate::guard::sockaddr::Peer;
use crate::guard::sought::Sought;
use crate::guard::waiting::{Looks, Met, Subject, lock};
use crate::guard::within::Within;
use crate::text::shown;

/// How many addresses are kept of which it is to be found out whose they are.
const MOST_UNSURE: usize = 64;

/// What all threads of a watch share.
pub(super) struct Shared {
    pub(super) listener: Arc<Listener>,
    pub(super) rules: RwLock<Rules>,
    /// Whom others are reached through, unseen.
    pub(super) blind: Blind,
    /// What listened before the command was started.
    pub(super) table: Table,
    /// What was decided about listening sockets.
    pub(super) decided: Mutex<HashMap<Met, Decision>>,
    pub(super) looks: Looks,
    /// The Unix sockets that are looked for.
    pub(super) sought: Sought,
    /// The connections, by thread and listening socket, that stand in the account.
    pub(super) told: Mutex<HashSet<(i32, Met)>>,
    /// Whose sockets are, as far as it was found out.
    pub(super) sockets: Sockets,
    /// When names were looked up last.
    pub(super) looked_up: Mutex<Option<Instant>>,
    /// The targets that were saved since.
    pub(super) saved: Mutex<Vec<usize>>,
    pub(super) account: Mutex<Account>,
    /// Who was reached that may be one of those, by its port.
    unsure: Mutex<Vec<(SocketAddr, Reached)>>,
    /// The safe-tests within the run that are saving something.
    pub(super) within: Mutex<Within>,
    /// Whom questions go to; nobody where whoever watches is the filtered process that stays after the command.
    questions: Option<Mutex<Sender<Message>>>,
    pub(super) teller: Mutex<Teller>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Shared {
    /// Begins to share it. `questions` go to the main thread; without one, whoever watches is the filtered process that
    /// stays after the command.
    pub(super) fn new(
        listener: Arc<Listener>,
        rules: Rules,
        blind: Blind,
        table: Table,
        questions: Option<Sender<Message>>,
        tell: Tell,
    ) -> Arc<Shared> {
        Arc::new(Shared {
            listener,
            rules: RwLock::new(rules),
            blind,
            table,
            decided: Mutex::default(),
            looks: Looks::default(),
            sought: Sought::default(),
            told: Mutex::default(),
            sockets: Sockets::default(),
            looked_up: Mutex::default(),
            saved: Mutex::default(),
            account: Mutex::default(),
            unsure: Mutex::default(),
            within: Mutex::default(),
            questions: questions.map(Mutex::new),
            teller: Mutex::new(Teller::new(tell)),
        })
    }

    /// Tells whether this process is under the filter itself.
    pub(super) fn is_filtered(&self) -> bool {
        self.questions.is_none()
    }

    pub(super) fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rules_to_change(&self) -> RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has targets saved, and the listener that they were met at taken for theirs. Turns a decision that waits for that into
    /// one that does not.
    pub(super) fn settle(
        &self,
        decision: Decision,
        met_at: Option<SocketAddr>,
        listening: Option<Listening>,
    ) -> Decision {
        let Decision::SaveFirst(targets) = decision else { return decision };
        match self.ask(&targets, met_at) {
            Answer::Saved => {}
            Answer::NobodyThere => return Decision::NobodyThere,
            Answer::NotSaved(why) => {
                let remedy = "where its server is up before the command starts, it is saved first";
                return Decision::Refuse(Refusal::plain(why, remedy));
            }
        }
        let listening = met_at.zip(listening).map(|(address, listening)| (address.port(), listening));
        self.rules_to_change().saved(&targets, listening);
        lock(&self.saved).extend(&targets);
        targets.first().map_or(Decision::Pass, |first| Decision::Cleared(*first))
    }

    /// Keeps what was decided about a listening socket for those that come later.
    pub(super) fn remember(&self, subject: &Subject, decision: &Decision) {
        if let Some(met) = subject.met() {
            lock(&self.decided).insert(met, decision.clone());
        }
    }

    pub(super) fn carry_out(&self, attempt: &Attempt, decision: Decision, address: &str) {
        let (target, note, is_quiet) = match decision {
            Decision::Pass => return self.listener.let_through(attempt),
            Decision::Deny => return self.listener.fail(attempt, libc::EACCES),
            Decision::NobodyThere => return self.listener.fail(attempt, libc::ECONNREFUSED),
            // Neither comes here: both are settled before.
            Decision::SaveFirst(_) | Decision::Look(_) => {
                let refusal = Refusal::plain("nobody found out what it is", "run the command again");
                return self.refuse(attempt, address, refusal);
            }
            Decision::Refuse(refusal) => return self.refuse(attempt, address, refusal),
            Decision::Cleared(target) => (Some(target), None, false),
            Decision::PassNoted(note) => (None, Some(note.to_string()), note.is_quiet()),
        };
        let (process, program) = program_of(attempt);
        lock(&self.account).add_reached(Reached {
            address: address.to_owned(),
            program,
            process,
            target,
            note,
            is_quiet,
        });
        self.listener.let_through(attempt);
    }

    /// Writes down whom others are reached through. Where it is refused after all, that goes before.
    ///
    /// A resolver may take its time, and nothing hangs on what it says: names are [looked up](Shared::note_names) at the end.
    pub(super) fn note_what_is_behind(&self, attempt: &Attempt, peer: &Peer) {
        let note = self.blind.note(peer, &Names::default()).map(str::to_owned);
        let address = match peer {
            Peer::Internet(address) if note.is_some() || self.blind.may_be_at(*address) => address.to_string(),
            Peer::Path(path) if note.is_some() => shown(path).into_owned(),
            _ => return,
        };
        let (process, program) = program_of(attempt);
        let reached = Reached { address, program, process, target: None, note, is_quiet: false };
        match (peer, &reached.note) {
            (Peer::Internet(address), None) => {
                let mut unsure = lock(&self.unsure);
                let is_known = |(_, known): &(SocketAddr, Reached)| known.is_again(&reached);
                if unsure.len() < MOST_UNSURE && !unsure.iter().any(is_known) {
                    unsure.push((*address, reached));
                }
            }
            _ => lock(&self.account).add_reached(reached),
        }
    }

    /// Writes down whom others were reached through that have names.
    pub(super) fn note_names(&self) {
        let unsure = std::mem::take(&mut *lock(&self.unsure));
        if unsure.is_empty() {
            return;
        }
        let names = Names::look_up(self.blind.names(), BEFORE_A_REFUSAL);
        for (address, reached) in unsure {
            if let Some(note) = self.blind.note(&Peer::Internet(address), &names) {
                lock(&self.account).add_reached(Reached { note: Some(note.to_owned()), ..reached });
            }
        }
    }

    /// Takes in how far a safe-test within the run has come. `listens` is as for [`Rules::look_around`].
    pub(super) fn hear(&self, process: i32, word: Word, listens: impl Fn(SocketAddr) -> Option<Listening>) {
        match word.stage {
            Stage::Saving => lock(&self.within).begin(process, &word),
            Stage::Saved => {
                lock(&self.within).end(process);
                self.rules_to_change().take_over(&word.places, word.names, listens);
                // What was refused before may be what was saved.
                lock(&self.decided).clear();
            }
        }
    }

    /// Tells whether an attempt is one of a safe-test within the run that is saving what is there.
    pub(super) fn is_saved_within(&self, attempt: &Attempt, peer: &Peer) -> bool {
        let within = lock(&self.within);
        match peer {
            Peer::Internet(address) => within.saves_at(attempt.thread, *address),
            // Asked for once it is found.
            Peer::Path(_) | Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_) => false,
        }
    }

    /// Has targets saved, on the main thread.
    fn ask(&self, targets: &[usize], at: Option<SocketAddr>) -> Answer {
        let (reply, answered) = channel();
        let asked = self.questions.as_ref().and_then(|questions| {
            lock(questions).send(Message::Question(Question { targets: targets.to_vec(), at, reply })).ok()?;
            answered.recv().ok()
        });
        let gone = "it was not saved, and the command that it was to be saved for is over";
        asked.unwrap_or_else(|| Answer::NotSaved(gone.to_owned()))
    }

    /// Refuses what opens a connection.
    pub(super) fn refuse_a_stream(&self, attempt: &Attempt, address: &str, refusal: Refusal) {
        match traffic(attempt) {
            Traffic::Stream => self.refuse(attempt, address, refusal),
            Traffic::Datagram | Traffic::DatagramsLater => self.listener.let_through(attempt),
        }
    }

    pub(super) fn refuse(&self, attempt: &Attempt, address: &str, refusal: Refusal) {
        // The caller waits: what `/proc` says of it is still true.
        let (process, program) = program_of(attempt);
        let refused = Refused { address: address.to_owned(), program, process, refusal, times: 1 };
        let is_first = lock(&self.account).add_refused(refused.clone());
        if is_first {
            lock(&self.teller).tell(refused);
        }
        self.listener.fail(attempt, libc::EACCES);
    }
}

/// Finds what an attempt's socket carries. One that may not be seen is taken for what a database speaks.
pub(super) fn traffic(attempt: &Attempt) -> Traffic {
    let protocol = attempt.socket().ok().and_then(|socket| process::protocol(attempt.thread, socket));
    match protocol {
        Some(Protocol::Datagram) if attempt.is_connect() => Traffic::DatagramsLater,
        Some(Protocol::Datagram) => Traffic::Datagram,
        Some(Protocol::Stream | Protocol::Local) | None => Traffic::Stream,
    }
}

/// Finds the process and the name of the program that made an attempt.
fn program_of(attempt: &Attempt) -> (i32, String) {
    let process = process::process_of(attempt.thread).unwrap_or(attempt.thread);
    // The leader of a process may have ended before its threads.
    let name = process::name(process).or_else(|| process::name(attempt.thread));
    (process, name.map_or_else(|| "a program".to_owned(), |name| shown(&name).into_owned()))
}
