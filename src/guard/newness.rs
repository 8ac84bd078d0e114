//! Whether a server that listens on this machine was started by the command, with nothing in it from before.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::guard::facts::Newness;
use crate::guard::owners::Owner;
use crate::guard::programs;
use crate::guard::programs::Kind;
use crate::reach::Engine;
use crate::text::shown;

/// What a process keeps in files, next to when the command started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// No data of a server's was found.
    Nothing,
    /// All of it was made since.
    MadeSince,
    /// This was made before.
    Older(PathBuf),
    /// Nobody can tell: why, a phrase.
    Unknown(String),
}

/// Judges a listener's server. `was_taken` says that somebody listened at its address when the command started; `kept`
/// finds what a process of the command's keeps.
///
/// A program of the command's own that is no database server and carries nothing elsewhere is a mock: what it dials is
/// watched as well.
pub(crate) fn newness(owner: &Owner, was_taken: bool, kept: impl FnOnce(i32, Kind) -> Kept) -> Newness {
    let old = |why: &str| Newness::Old(why.to_owned());
    if was_taken {
        return old("somebody listened there before the command was started");
    }
    let kind = programs::kind(owner);
    if kind == Kind::Container {
        return old("nobody can tell whether its container is new");
    }
    let Some(process) = owner.process.filter(|_| owner.is_of_the_command) else {
        return old("it was not started by the command");
    };
    let engine = match kind {
        Kind::Tunnel | Kind::Proxy(_) => return old("nobody sees what is behind it"),
        Kind::Server(engine) => engine,
        Kind::Container | Kind::Other => Engine::Unknown,
    };
    match kept(process, kind) {
        Kept::MadeSince => Newness::New,
        // These keep everything in memory where they keep no file.
        Kept::Nothing if kind == Kind::Other || matches!(engine, Engine::Memcached | Engine::Redis) => Newness::New,
        Kept::Nothing => old("nobody can tell where it keeps its data"),
        Kept::Older(path) => Newness::Old(format!("{} was there before the command was started", shown(&path))),
        Kept::Unknown(why) => Newness::Old(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(program: &str) -> Owner {
        Owner {
            process: Some(71),
            program: Some(program.to_owned()),
            words: vec![program.to_owned()],
            is_of_the_command: true,
            ..Owner::default()
        }
    }

    fn judged(owner: &Owner, kept: &Kept) -> Newness {
        newness(owner, false, |process, _| {
            assert_eq!(process, 71);
            kept.clone()
        })
    }

    #[test]
    fn a_server_of_the_command_is_new_where_all_that_it_keeps_is() {
        let older = Kept::Older(PathBuf::from("/data/PG_VERSION"));
        let unknown = Kept::Unknown("nobody knows".to_owned());
        let cases = [
            ("postgres", Kept::MadeSince, true),
            ("postgres", Kept::Nothing, false),
            ("postgres", older.clone(), false),
            ("postgres", unknown.clone(), false),
            ("mongod", Kept::MadeSince, true),
            ("redis-server", Kept::Nothing, true),
            ("redis-server", Kept::MadeSince, true),
            ("redis-server", older.clone(), false),
            ("memcached", Kept::Nothing, true),
            // A mock, and a server under a name that nobody knows.
            ("python3", Kept::Nothing, true),
            ("mongod-x64-ubuntu-7.0.14", Kept::MadeSince, true),
            ("mongod-x64-ubuntu-7.0.14", older.clone(), false),
            ("node", unknown, false),
            ("clickhouse-server", Kept::Nothing, false),
            // Whatever they keep.
            ("ssh", Kept::Nothing, false),
            ("kubectl", Kept::Nothing, false),
            ("socat", Kept::Nothing, false),
            ("pgbouncer", Kept::Nothing, false),
            ("docker-proxy", Kept::Nothing, false),
        ];
        for (program, kept, is_new) in cases {
            let found = judged(&owner(program), &kept);
            assert_eq!(found == Newness::New, is_new, "{program} {kept:?}: {found:?}");
        }
        let Newness::Old(why) = judged(&owner("postgres"), &older) else { panic!("it is old") };
        assert_eq!(why, "/data/PG_VERSION was there before the command was started");
    }

    #[test]
    fn whoever_was_there_or_came_from_elsewhere_is_not_new() {
        let stranger = Owner { is_of_the_command: false, ..owner("python3") };
        let unseen = Owner { process: None, ..owner("python3") };
        for owner in [&stranger, &unseen] {
            assert!(matches!(judged(owner, &Kept::Nothing), Newness::Old(_)), "{owner:?}");
        }
        let found = newness(&owner("python3"), true, |_, _| panic!("nobody needs to look"));
        assert!(matches!(found, Newness::Old(_)));
    }

    #[test]
    fn what_is_looked_for_hangs_on_the_program() {
        let cases = [
            ("redis-server", Kind::Server(Engine::Redis)),
            ("postgres", Kind::Server(Engine::Postgres)),
            ("python3", Kind::Other),
        ];
        for (program, expected) in cases {
            newness(&owner(program), false, |_, kind| {
                assert_eq!(kind, expected);
                Kept::Nothing
            });
        }
    }
}
