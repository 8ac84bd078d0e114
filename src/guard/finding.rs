//! Finding out where Unix sockets are, on threads beside the one that watches.
//!
//! A name in a file system may lead anywhere: to a mount whose server is dead, over a network. Who looks there waits for as
//! long as it takes, which nobody can cut short. So each such look holds one of these threads, and no other program's
//! connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;

use crate::guard::looks;
use crate::guard::notification::Attempt;
use crate::guard::process;
use crate::guard::shared::Shared;
use crate::guard::waiting::{Met, Subject, lock};

/// Has an attempt at the socket with this name decided about and answered, once it is found.
pub(super) fn begin(shared: &Arc<Shared>, attempt: &Attempt, path: PathBuf) {
    let start = || {
        let others = Arc::clone(shared);
        Builder::new().name("guard-finding".to_owned()).spawn(move || find_all(&others)).is_ok()
    };
    if !shared.sought.add(attempt, path, start) {
        shared.listener.fail(attempt, libc::EACCES);
    }
}

fn find_all(shared: &Arc<Shared>) {
    while let Some((attempt, path)) = shared.sought.next() {
        // A fault of ours is to refuse, not to keep everybody waiting.
        let found = catch_unwind(|| {
            let (name, found) = process::socket_path(attempt.thread, &path);
            let met = Met::file(&found);
            (name, found, met)
        });
        shared.sought.answer(&attempt, || {
            let decide = || match found {
                Ok((name, _, _)) if lock(&shared.within).saves_in(attempt.thread, &name) => {
                    shared.listener.let_through(&attempt);
                }
                Ok((name, found, met)) => looks::met(shared, &attempt, Subject::Socket(name, found, met)),
                Err(_) => shared.listener.fail(&attempt, libc::EACCES),
            };
            if catch_unwind(AssertUnwindSafe(decide)).is_err() {
                shared.listener.fail(&attempt, libc::EACCES);
            }
        });
    }
}
