//! Lists the engines whose databases can be saved: a row each.

use crate::reach::Target;
use crate::snapshot::engine::{FileMark, SnapshotEngine};
use crate::snapshot::folder::Folder;
use crate::snapshot::mongodb::Mongodb;
use crate::snapshot::mysql::Mysql;
use crate::snapshot::own_command;
use crate::snapshot::postgres::Postgres;
use crate::snapshot::redis::Redis;
use crate::snapshot::sqlite::Sqlite;

/// Every engine. A target is saved by the first that takes it.
pub(crate) const ALL: [&dyn SnapshotEngine; 6] = [&Sqlite, &Postgres, &Mysql, &Mongodb, &Redis, &Folder];

/// Finds the engine that saves a target.
pub(crate) fn saving(target: &Target) -> Option<&'static dyn SnapshotEngine> {
    ALL.into_iter().find(|engine| engine.saves(target))
}

/// Lists how database files are told from others.
pub(crate) fn file_marks() -> impl Iterator<Item = FileMark> {
    ALL.into_iter().filter_map(SnapshotEngine::file_mark)
}

/// Tells whether programs of the project's own took a snapshot, by the name of the engine in its manifest.
pub(crate) fn is_own_program(name: &str) -> bool {
    name == own_command::NAME
}

/// Finds the engine that a manifest names.
pub(crate) fn named(name: &str) -> Option<&'static dyn SnapshotEngine> {
    ALL.into_iter().find(|engine| engine.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::error::Explain;
    use crate::hash::Hash;
    use crate::own_tools::ToolEnvironment;
    use crate::reach::{Engine, Place};
    use crate::snapshot::Unwatched;
    use crate::snapshot::engine::Restoration;
    use crate::snapshot::engine_error::Consequence;
    use crate::snapshot::testing::{AllKnown, Unledgered, manifest};
    use crate::snapshot::{Kind, Stored, VerificationLevel};

    fn target(engine: Engine, place: Place) -> Target {
        Target {
            engine,
            places: vec![place],
            database: Some("shop_test".to_owned()),
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    fn places() -> Vec<Place> {
        vec![
            Place::Host { name: "localhost".to_owned(), port: Some(1) },
            Place::Socket { path: "/nonexistent/socket".into(), port: None },
            Place::File { path: "/nonexistent/shop.db".into() },
            Place::Memory,
            Place::Instance { name: "shop".to_owned() },
        ]
    }

    #[test]
    fn every_engine_is_found_by_a_name_of_its_own() {
        for engine in ALL {
            assert_eq!(named(engine.name()).map(SnapshotEngine::name), Some(engine.name()));
            assert_eq!(ALL.iter().filter(|other| other.name() == engine.name()).count(), 1, "{}", engine.name());
            assert!(engine.name().bytes().all(|byte| byte.is_ascii_lowercase()), "{}", engine.name());
        }
        assert!(named("nothing").is_none() && named("").is_none());
    }

    #[test]
    fn every_target_is_saved_by_one_engine_at_most_and_every_engine_saves_some() {
        let mut used = Vec::new();
        for engine in Engine::ALL {
            for place in places() {
                let target = target(engine, place.clone());
                let takers: Vec<_> = ALL.iter().filter(|row| row.saves(&target)).map(|row| row.name()).collect();
                assert!(takers.len() <= 1, "{engine} at {place}: {takers:?}");
                // What is in memory, at a provider, or of no known engine cannot be saved.
                let is_beyond_us = matches!(place, Place::Memory | Place::Instance { .. }) || engine == Engine::Unknown;
                assert!(takers.is_empty() || !is_beyond_us, "{engine} at {place}: {takers:?}");
                used.extend(takers);
            }
        }
        for engine in ALL {
            assert!(used.contains(&engine.name()), "{}", engine.name());
        }
    }

    #[test]
    fn every_engine_fails_closed() {
        let folder = tempfile::tempdir().unwrap();
        for engine in ALL {
            // A target that it does not save; a snapshot of which nothing is left.
            let target = target(Engine::Unknown, Place::Memory);
            assert!(engine.open(&target, &ToolEnvironment::default()).is_err(), "{}", engine.name());
            let mut manifest = manifest("shop_20261121_143022", "shop", Kind::Run, "2026-11-21T14:30:22Z");
            manifest.engine = engine.name().to_owned();
            let hash = Hash::of(b"");
            let stored = Stored { manifest, hash, dump: folder.path().join("shop_20261121_143022.dump") };
            let now = stored.manifest.taken_at;
            let environment = ToolEnvironment::default();
            let restoration = Restoration {
                stored: &stored,
                target: &target,
                environment: &environment,
                now,
                ledger: &Unledgered,
                past: &AllKnown,
            };
            for level in [VerificationLevel::Read, VerificationLevel::Restore] {
                assert!(engine.verify(&restoration, level, &Unwatched).is_err(), "{}", engine.name());
            }
            let Err(error) = engine.plan_restore(&restoration, &Unwatched) else { panic!("{}", engine.name()) };
            assert_eq!(error.consequence(), Consequence::Untouched, "{}: {error}", engine.name());
            assert!(error.exit().code() >= 120 && !error.to_string().is_empty(), "{}", engine.name());
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
