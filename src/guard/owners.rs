//! Whose a listening socket is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::guard::listeners::Listening;
use crate::guard::process;
use crate::guard::process::Origin;
use crate::regular;
use crate::text::shown;

/// The owner of a listening socket, as far as it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The socket's inode; 0 where nothing is known of it.
    pub(crate) inode: u32,
    /// Its process, the first that has it; `None` where we may not see it.
    pub(crate) process: Option<i32>,
    /// The name of its program, without its folder. Where the process may not be seen: of the only program that its
    /// account runs.
    pub(crate) program: Option<String>,
    /// The words that the process was started with.
    pub(crate) words: Vec<String>,
    /// The account that made the socket.
    pub(crate) account: u32,
    /// The account's name, which for a server's own account is the server's.
    pub(crate) account_name: Option<String>,
    /// Whether it was started by the guarded command, or by what that started.
    pub(crate) is_of_the_command: bool,
    /// When the process started, in ticks of the clock since the machine did.
    pub(crate) started: Option<u64>,
}

/// Sockets with the process and the descriptor by which it had each when it was looked at.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Mutex<HashMap<u32, (i32, i32)>>);

/// How far from a caller's own socket its listener is looked for first: a test that starts a server of its own connects
/// to it right after.
const NEAR: i32 = 8;

/// How many sockets are remembered.
const MOST_SOCKETS: usize = 65_536;

impl Sockets {
    /// Finds out whose a socket is: microseconds where the caller has it itself or its process was looked at before, else
    /// as [`find`]. `socket` is the caller's own.
    pub(crate) fn owner(&self, listening: Listening, caller: i32, socket: i32) -> Owner {
        let inode = listening.inode;
        let near = (1..=NEAR).flat_map(|far| [socket.saturating_sub(far), socket.saturating_add(far)]);
        let near = near.filter(|near| *near >= 0).map(|near| (caller, near));
        let known = || self.known(inode).into_iter();
        let is_it = |(process, descriptor): &(i32, i32)| process::is_descriptor_of(*process, *descriptor, inode);
        let found = near.chain(std::iter::once_with(known).flatten()).find(is_it).or_else(|| {
            self.remember(caller);
            self.known(inode).filter(is_it)
        });
        if let Some((process, descriptor)) = found {
            return seen(listening, first_holder(process, descriptor, inode));
        }
        let owner = find(listening);
        owner.process.into_iter().for_each(|process| self.remember(process));
        owner
    }

    fn known(&self, inode: u32) -> Option<(i32, i32)> {
        self.all().get(&inode).copied()
    }

    fn remember(&self, process: i32) {
        let Ok(sockets) = process::sockets(process) else { return };
        let sockets: Vec<_> = sockets.map(|(inode, descriptor)| (inode, (process, descriptor))).collect();
        let mut all = self.all();
        if all.len() + sockets.len() > MOST_SOCKETS {
            all.clear();
        }
        all.extend(sockets);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u32, (i32, i32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds out whose a socket is: milliseconds, since every process may have to be looked at.
pub(crate) fn find(listening: Listening) -> Owner {
    let Listening { inode, account } = listening;
    // Whoever made the socket is likely to have it still; a server that has changed its account is looked for after. What
    // was started last has mostly the highest number, and is what a test asks.
    let (mut own, mut others): (Vec<i32>, Vec<i32>) =
        process::all().partition(|one| process::account(*one) == Some(account));
    own.sort_unstable_by(|one, other| other.cmp(one));
    others.sort_unstable_by(|one, other| other.cmp(one));
    let mut hidden = false;
    let holder = own.iter().chain(&others).find_map(|one| match process::sockets(*one) {
        Ok(mut sockets) => sockets.find_map(|(found, descriptor)| (found == inode).then_some((*one, descriptor))),
        Err(_) => {
            hidden = true;
            None
        }
    });
    if let Some((process, descriptor)) = holder {
        return seen(listening, first_holder(process, descriptor, inode));
    }
    let mut owner = Owner { inode, account, account_name: account_name(account), ..Owner::default() };
    if hidden {
        let mut names: Vec<_> = own.iter().filter_map(|one| process::name(*one)).collect();
        names.sort();
        names.dedup();
        owner.program = match names.as_slice() {
            [only] => Some(shown(only).into_owned()),
            _ => None,
        };
    }
    owner
}

/// Finds who made a socket that a process has: children inherit it, by the same descriptor.
fn first_holder(process: i32, descriptor: i32, inode: u32) -> i32 {
    let parent = |one: &i32| process::origin(*one).map(|origin| origin.parent).filter(|parent| *parent > 1);
    let holds = |one: &i32| process::is_descriptor_of(*one, descriptor, inode);
    std::iter::successors(Some(process), |one| parent(one).filter(holds)).last().unwrap_or(process)
}

fn seen(listening: Listening, process: i32) -> Owner {
    Owner {
        inode: listening.inode,
        process: Some(process),
        program: process::name(process).map(|name| shown(&name).into_owned()),
        words: process::words(process),
        account: listening.account,
        account_name: account_name(listening.account),
        is_of_the_command: process::descends(process, rustix::process::getpid().as_raw_pid()),
        started: process::origin(process).map(|Origin { started, .. }| started),
    }
}

fn account_name(account: u32) -> Option<String> {
    static NAMES: OnceLock<HashMap<u32, String>> = OnceLock::new();
    let read = || {
        let list = regular::read(Path::new("/etc/passwd"), regular::SMALL).unwrap_or_default();
        names(&String::from_utf8_lossy(&list))
    };
    NAMES.get_or_init(read).get(&account).cloned()
}

/// Names accounts by their numbers; the first name counts (`passwd(5)`).
fn names(passwd: &str) -> HashMap<u32, String> {
    let row = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    passwd.lines().rev().filter_map(row).map(|(name, number)| (number, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::listeners::Listeners;
    use crate::snapshot::testing::wait_for;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_sockets_owner_is_found() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = Listeners::new().unwrap().tcp(socket.local_addr().unwrap()).unwrap().unwrap();
        let owner = find(listening);
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!((owner.process, owner.inode), (Some(me), listening.inode));
        assert_eq!(owner.program, process::name(me).map(|name| shown(&name).into_owned()));
        assert_eq!(owner.started, process::origin(me).map(|origin| origin.started));
        assert!(owner.is_of_the_command, "we are our own descendant");
        let sockets = Sockets::default();
        for (caller, beside) in [(me, socket.as_raw_fd() + 1), (1, 3), (1, 3), (me, socket.as_raw_fd() + 71), (me, -1)]
        {
            assert_eq!(sockets.owner(listening, caller, beside), owner, "{caller} {beside}");
        }
        drop(socket);
        // What was known is not true any more. What another test starts just then has it for a moment.
        wait_for("nobody has it", || sockets.owner(listening, me, 0).process.is_none());
        let nobody = find(listening);
        assert_eq!((nobody.process, nobody.started, nobody.is_of_the_command), (None, None, false));
    }

    #[test]
    fn accounts_have_the_names_of_the_list() {
        let names = names("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbroken\npostgres:x:26:26::/:/x\n");
        assert_eq!((names.len(), names[&0].as_str(), names[&26].as_str()), (2, "root", "postgres"));
    }
}
