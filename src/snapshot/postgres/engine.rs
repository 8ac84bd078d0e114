//! PostgreSQL's row among the engines.

use std::path::{Path, PathBuf};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{
    ABSENT, Copying, Description, Found, Identity, Kept, OpenDatabase, Restoration, RestorePlan, Restored,
    SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::{Consequence, EngineError, EngineFailure};
use crate::snapshot::postgres::connection;
use crate::snapshot::postgres::copy;
use crate::snapshot::postgres::copy::Standing;
use crate::snapshot::postgres::exchange_back::exchange_back;
use crate::snapshot::postgres::leftovers::look;
use crate::snapshot::postgres::neighbours::neighbours;
use crate::snapshot::postgres::obstacles;
use crate::snapshot::postgres::recorded;
use crate::snapshot::postgres::recorded::RecordedCopy;
use crate::snapshot::postgres::restore::prepare_restore;
use crate::snapshot::postgres::take::{Limits, prepare, take};
use crate::snapshot::postgres::tools;
use crate::snapshot::postgres::{PostgresError, Session, drop_leftover, leftovers, verify};
use crate::snapshot::{Copied, Leftover, Manifest, Neighbours, Obstacle, Provenance, VerificationLevel, Watch};
use crate::text::shown;

/// PostgreSQL, and what is PostgreSQL inside: not what only speaks its protocol.
pub(crate) struct Postgres;

impl SnapshotEngine for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn keeps_files(&self) -> bool {
        false
    }

    fn saves(&self, target: &Target) -> bool {
        target.engine == Engine::Postgres
            && matches!(target.places.first(), Some(Place::Host { .. } | Place::Socket { .. }))
    }

    fn socket(&self, path: &Path, port: Option<u16>) -> Option<PathBuf> {
        let (folder, port) = connection::socket(path, port).ok()?;
        Some(Path::new(&folder).join(format!(".s.PGSQL.{port}")))
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        match Session::open(target, environment) {
            Ok(session) => Ok(Found::Database(Box::new(session))),
            Err(PostgresError::NoSuchDatabase { .. }) => Ok(Found::NothingToLose(ABSENT)),
            Err(error) => Err(error.into()),
        }
    }

    fn verify(
        &self,
        restoration: &Restoration<'_>,
        level: VerificationLevel,
        watch: &dyn Watch,
    ) -> Result<(), EngineError> {
        Ok(verify(restoration, level, watch)?)
    }

    fn plan_restore<'r>(
        &self,
        restoration: &Restoration<'r>,
        watch: &dyn Watch,
    ) -> Result<RestorePlan<'r>, EngineError> {
        let prepared = prepare_restore(restoration, watch)?;
        let leftovers = prepared.leftovers.clone();
        let keeps = prepared.keeps_the_replaced();
        let plan = RestorePlan::new(keeps, leftovers, move |_, watch| Ok(prepared.carry_out(watch)?));
        Ok(plan.reading_as_it_restores())
    }

    fn exchange_back(&self, kept: &Kept<'_>) -> Result<Restored, EngineError> {
        Ok(exchange_back(kept)?)
    }

    fn leftovers(
        &self,
        target: &Target,
        environment: &ToolEnvironment,
        past: &dyn Provenance,
    ) -> Result<Vec<Leftover>, EngineError> {
        Ok(leftovers(target, environment, past)?)
    }

    fn neighbours(&self, target: &Target, environment: &ToolEnvironment) -> Result<Option<Neighbours>, EngineError> {
        Ok(Some(neighbours(target, environment)?))
    }

    fn drop_leftover(
        &self,
        target: &Target,
        environment: &ToolEnvironment,
        name: &str,
        past: &dyn Provenance,
    ) -> Result<bool, EngineError> {
        Ok(drop_leftover(target, environment, name, past)?)
    }
}

impl OpenDatabase for Session {
    fn name(&self) -> &str {
        &self.identity.database
    }

    fn short_name(&self) -> String {
        self.identity.database.clone()
    }

    fn describe(&self) -> Description {
        let program = self.tools.program("pg_dump");
        let (version, major, server) = (&self.identity.version, self.tools.major, self.identity.major);
        let inside = self.tools.inside.as_ref();
        let known = if major == server { String::new() } else { format!(", known to restore into {server}") };
        Description {
            found: format!(
                "reachable; server {version}; saved with {} (PostgreSQL {major}{known}){}",
                shown(&program),
                inside.map(|inside| format!(" inside the container {}", inside.container.name())).unwrap_or_default()
            ),
            server: Some(version.clone()),
            tool: (program, format!("PostgreSQL {major}")),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        Ok(obstacles::find(&mut self.psql, &self.identity, &self.tools, &self.connection)?)
    }

    /// Two clusters with one number, of which one was copied from the other, were not started in the same microsecond.
    fn identity(&self) -> Option<Identity> {
        let own = &self.identity;
        Some(Identity {
            database: format!("{} since {}: {}", own.fingerprint(), own.started, own.database_oid),
            undone_by: own.user.clone(),
        })
    }

    fn leftovers(&mut self, past: &dyn Provenance) -> Vec<Leftover> {
        // One that is dropped just then makes the question fail.
        look(self, &self.identity.database.clone(), past).unwrap_or_default()
    }

    fn neighbours(&mut self) -> Option<Neighbours> {
        Session::neighbours(self).ok()
    }

    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        let can_be_put_back = tools::can_put_back(self.connection.tools(), earlier, self.identity.major);
        Ok(can_be_put_back && Session::is_unchanged_since(self, earlier)?)
    }

    fn keeps_copies(&self) -> bool {
        true
    }

    fn has_copy_for(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(match recorded::copy(earlier) {
            Some(RecordedCopy::Kept(_)) => matches!(copy::standing(self, earlier)?, Standing::Good(_)),
            Some(RecordedCopy::NotKept(_) | RecordedCopy::UsedUp(_)) | None => false,
        })
    }

    fn copy_for(
        &mut self,
        earlier: &Manifest,
        copying: &Copying<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<Copied>, EngineError> {
        Ok(copy::keep_for(self, earlier, copying, watch)?)
    }

    fn plan(mut self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let prepared = prepare(&mut self, output, Limits::default())?;
        let proof = prepared.proof;
        Ok(SnapshotPlan::new(prepared.command, move |command, copying, watch| {
            Ok(take(&mut self, command, proof, copying, watch)?)
        }))
    }
}

impl EngineFailure for PostgresError {
    fn asks_for_password(&self) -> bool {
        let words = ["no password supplied", "password authentication failed"];
        matches!(self, PostgresError::CannotConnect { message, .. } if words.iter().any(|words| message.contains(words)))
    }

    /// A server that answers says `FATAL`; all else is the library's or the system's.
    fn found_no_server(&self) -> bool {
        matches!(self, PostgresError::CannotConnect { message, .. } if !message.contains("FATAL"))
    }

    /// `cannot_connect_now` (57P03) in the server's words, which are asked for in English.
    fn found_it_starting(&self) -> bool {
        let words = ["the database system is starting up", "the database system is not yet accepting connections"];
        matches!(self, PostgresError::CannotConnect { message, .. } if words.iter().any(|words| message.contains(words)))
    }

    fn consequence(&self) -> Consequence {
        match self {
            PostgresError::Unsettled { .. } | PostgresError::CommitUnknown { .. } => Consequence::MayHaveChanged,
            PostgresError::NoTools
            | PostgresError::ToolsTooOld { .. }
            | PostgresError::NotKnownToComeBack { .. }
            | PostgresError::DumpTooNew { .. }
            | PostgresError::Tool(_)
            | PostgresError::NotDialable { .. }
            | PostgresError::CannotConnect { .. }
            | PostgresError::NoSuchDatabase { .. }
            | PostgresError::Pooler { .. }
            | PostgresError::NotPostgres { .. }
            | PostgresError::OtherDatabase { .. }
            | PostgresError::ConnectionLost { .. }
            | PostgresError::Query { .. }
            | PostgresError::Locked { .. }
            | PostgresError::RowSecurity { .. }
            | PostgresError::Dump(_)
            | PostgresError::Manifest { .. }
            | PostgresError::OtherServer { .. }
            | PostgresError::SnapshotOfOtherDatabase { .. }
            | PostgresError::MayNotCreate { .. }
            | PostgresError::NotItsOwn { .. }
            | PostgresError::MissingExtensions { .. }
            | PostgresError::NotRestorable { .. }
            | PostgresError::InUse { .. }
            | PostgresError::NotDropped { .. }
            | PostgresError::NotKept { .. }
            | PostgresError::Replicates { .. }
            | PostgresError::NotWrittenDown { .. }
            | PostgresError::NotRestored { .. } => Consequence::Untouched,
        }
    }
}
