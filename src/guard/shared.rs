//! What all threads of a watch share, and how they answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use crate::guard::account::{Account, Reached, Refused};
use crate::guard::blind::Blind;
use crate::guard::decide::Decision;
use crate::guard::facts::Traffic;
use crate::guard::listeners::{Listening, Table};
use crate::guard::messages::{Answer, Message, Question, Tell};
use crate::guard::notification::{Attempt, Listener};
use crate::guard::owners::Sockets;
use crate::guard::process;
use crate::guard::process::Protocol;
use crate::guard::refusal::Refusal;
use crate::guard::rules::Rules;
use crate::guard::sockaddr::Peer;
use crate::guard::waiting::{Looks, Met, Subject, lock};
use crate::text::shown;

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
    /// Whose sockets are, as far as it was found out.
    pub(super) sockets: Sockets,
    /// When names were looked up last.
    pub(super) looked_up: Mutex<Option<Instant>>,
    /// The targets that were saved since.
    pub(super) saved: Mutex<Vec<usize>>,
    pub(super) account: Mutex<Account>,
    pub(super) questions: Option<Mutex<Sender<Message>>>,
    pub(super) tell: Tell,
    /// This process is under the filter itself.
    pub(super) is_filtered: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Shared {
    /// `main_thread` is whom questions go to, and how refusals are told; without one, whoever watches is the filtered process
    /// that stays after the command.
    pub(super) fn new(
        listener: Arc<Listener>,
        rules: Rules,
        blind: Blind,
        table: Table,
        main_thread: Option<(Sender<Message>, Tell)>,
    ) -> Arc<Shared> {
        let is_filtered = main_thread.is_none();
        let (questions, tell) = main_thread.unzip();
        Arc::new(Shared {
            listener,
            rules: RwLock::new(rules),
            blind,
            table,
            decided: Mutex::default(),
            looks: Looks::default(),
            sockets: Sockets::default(),
            looked_up: Mutex::default(),
            saved: Mutex::default(),
            account: Mutex::default(),
            questions: questions.map(Mutex::new),
            tell: tell.unwrap_or_else(|| Box::new(|_| {})),
            is_filtered,
        })
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
        let (target, note) = match decision {
            Decision::Pass => return self.listener.let_through(attempt),
            Decision::Deny => return self.listener.fail(attempt, libc::EACCES),
            Decision::NobodyThere => return self.listener.fail(attempt, libc::ECONNREFUSED),
            // Neither comes here: both are settled before.
            Decision::SaveFirst(_) | Decision::Look(_) => {
                let refusal = Refusal::plain("nobody found out what it is", "run the command again");
                return self.refuse(attempt, address, refusal);
            }
            Decision::Refuse(refusal) => return self.refuse(attempt, address, refusal),
            Decision::Cleared(target) => (Some(target), None),
            Decision::PassNoted(note) => (None, Some(note.to_string())),
        };
        let (process, program) = program_of(attempt);
        lock(&self.account).add_reached(Reached { address: address.to_owned(), program, process, target, note });
        self.listener.let_through(attempt);
    }

    /// Writes down whom others are reached through. Where it is refused after all, that goes before.
    pub(super) fn note_what_is_behind(&self, attempt: &Attempt, peer: &Peer) {
        let Some(note) = self.blind.note(peer) else { return };
        let address = match peer {
            Peer::Internet(address) => address.to_string(),
            Peer::Path(path) => shown(path).into_owned(),
            Peer::Abstract(_) | Peer::Unspecified(_) | Peer::Other(_) => return,
        };
        let (process, program) = program_of(attempt);
        let note = Some(note.to_owned());
        lock(&self.account).add_reached(Reached { address, program, process, target: None, note });
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
        if lock(&self.account).add_refused(refused.clone()) {
            (self.tell)(&refused);
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
