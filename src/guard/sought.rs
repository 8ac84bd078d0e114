//! The attempts at Unix sockets for whose place a file system is asked, and the threads that do so ([`finding`](crate::guard::finding)).

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::guard::notification::Attempt;
use crate::guard::process::SocketFile;
use crate::guard::waiting::lock;

/// How many threads may be held: more than any one program keeps waiting.
const MOST_THREADS: usize = 64;

/// What waits, and what is being looked for.
#[derive(Debug, Default)]
pub(super) struct Sought {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Attempt, SocketFile)>,
    /// Those whose place is being looked for.
    under_way: Vec<Attempt>,
    threads: usize,
    idle: usize,
    is_over: bool,
}

impl Sought {
    /// Has an attempt at the socket with this name looked for: by a thread that does nothing, else by one that `start` starts, which
    /// says whether it could. `false` where there is no thread at all, nor will be: nobody looks for it then.
    pub(super) fn add(&self, attempt: &Attempt, file: SocketFile, start: impl FnOnce() -> bool) -> bool {
        let mut state = lock(&self.state);
        state.waiting.push_back((attempt.clone(), file));
        if state.idle >= state.waiting.len() {
            self.changed.notify_one();
            return true;
        }
        if state.threads < MOST_THREADS && start() {
            state.threads += 1;
        }
        if state.threads == 0 {
            state.waiting.clear();
        }
        state.threads > 0
    }

    /// Waits for the next one; `None` where there will be none, which ends the thread that asks.
    pub(super) fn next(&self) -> Option<(Attempt, SocketFile)> {
        let mut state = lock(&self.state);
        while !state.is_over {
            if let Some((attempt, file)) = state.waiting.pop_front() {
                state.under_way.push(attempt.clone());
                return Some((attempt, file));
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        state.threads -= 1;
        None
    }

    /// Has an attempt answered, unless somebody else is to answer it. Nothing is given up meanwhile.
    pub(super) fn answer(&self, attempt: &Attempt, answer: impl FnOnce()) {
        let mut state = lock(&self.state);
        if let Some(at) = state.under_way.iter().position(|sought| sought.id == attempt.id) {
            state.under_way.swap_remove(at);
            answer();
        }
    }

    /// Ends the threads that look for nothing just then; what waits is left to whoever watches next.
    pub(super) fn close(&self) {
        lock(&self.state).is_over = true;
        self.changed.notify_all();
    }

    /// Takes off what waits and what is looked for: these threads answer none of it any more.
    pub(super) fn give_up(&self) -> Vec<Attempt> {
        let mut state = lock(&self.state);
        let waiting: Vec<Attempt> = state.waiting.drain(..).map(|(attempt, _)| attempt).collect();
        state.under_way.drain(..).chain(waiting).collect()
    }
}
