//! Whose a listening socket is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

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

/// Finds out whose a socket is: milliseconds, since every process is looked at.
pub(crate) fn find(listening: Listening) -> Owner {
    let Listening { inode, account } = listening;
    let account_name = account_name(account);
    let mut owner = Owner { inode, account, account_name, ..Owner::default() };
    // Whoever made the socket is likely to have it still; a server that has changed its account is looked for after.
    let (own, others): (Vec<i32>, Vec<i32>) = process::all().partition(|one| process::account(*one) == Some(account));
    let mut hidden = false;
    let mut holders = own.iter().chain(&others).copied().filter(|one| {
        let has = process::has_socket(*one, inode);
        hidden |= has.is_none();
        has == Some(true)
    });
    // Children inherit it: the one that started first made it.
    let found = holders.by_ref().map(|one| (process::origin(one), one)).collect::<Vec<_>>();
    let first = found.into_iter().min_by_key(|(origin, one)| (origin.map_or(u64::MAX, |origin| origin.started), *one));
    if let Some((origin, process)) = first {
        owner.process = Some(process);
        owner.program = process::name(process).map(|name| shown(&name).into_owned());
        owner.words = process::words(process);
        owner.started = origin.map(|Origin { started, .. }| started);
        owner.is_of_the_command = process::descends(process, rustix::process::getpid().as_raw_pid());
    } else if hidden {
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
    use std::net::TcpListener;

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
        drop(socket);
        let nobody = find(listening);
        assert_eq!((nobody.process, nobody.started, nobody.is_of_the_command), (None, None, false));
    }

    #[test]
    fn accounts_have_the_names_of_the_list() {
        let names = names("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbroken\npostgres:x:26:26::/:/x\n");
        assert_eq!((names.len(), names[&0].as_str(), names[&26].as_str()), (2, "root", "postgres"));
    }
}
