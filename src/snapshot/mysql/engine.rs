//! MySQL's and MariaDB's row among the engines.

use std::path::{Path, PathBuf};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{
    ABSENT, Copying, Description, Found, Identity, Kept, OpenDatabase, Restoration, RestorePlan, Restored,
    SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::connection::socket;
use crate::snapshot::mysql::exchange_back::exchange_back;
use crate::snapshot::mysql::leftovers::{drop_leftover, leftovers, look};
use crate::snapshot::mysql::obstacles;
use crate::snapshot::mysql::obstacles::Catalogued;
use crate::snapshot::mysql::restore::prepare_restore;
use crate::snapshot::mysql::state::is_unchanged_since;
use crate::snapshot::mysql::take::{LOCK_WAIT, prepare, take};
use crate::snapshot::mysql::verify::verify;
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::{Leftover, Manifest, Obstacle, Provenance, VerificationLevel, Watch};
use crate::text::shown;

/// MySQL and MariaDB: not what only speaks their protocol.
pub(crate) struct Mysql;

impl SnapshotEngine for Mysql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn keeps_files(&self) -> bool {
        false
    }

    fn saves(&self, target: &Target) -> bool {
        matches!(target.engine, Engine::Mysql | Engine::Mariadb)
            && matches!(target.places.first(), Some(Place::Host { .. } | Place::Socket { .. }))
    }

    fn socket(&self, path: &Path, _port: Option<u16>) -> Option<PathBuf> {
        socket(path).map(Path::to_owned)
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        match Session::open(target, environment) {
            Ok(session) => Ok(Found::Database(Box::new(session))),
            Err(MysqlError::NoSuchDatabase { .. }) => Ok(Found::NothingToLose(ABSENT)),
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
        Ok(if keeps { plan.reading_as_it_restores() } else { plan })
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

    fn names_beside(
        &self,
        target: &Target,
        environment: &ToolEnvironment,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<String>, EngineError> {
        Ok(Session::open_server(target, environment)?.names(is_wanted)?)
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
        let (tools, identity) = (&self.connection.tools, &self.identity);
        let known = match tools.version.series() == identity.version.series() {
            true => String::new(),
            false => format!(", known to restore into {} {}", identity.flavor, identity.version),
        };
        let inside = tools.inside.as_ref();
        let tool = format!("{} {}", tools.flavor, tools.version);
        Description {
            found: format!(
                "reachable; server {}; saved with {} ({tool}{known}){}",
                identity.version_text,
                shown(&tools.dump),
                inside.map(|inside| format!(" inside the container {}", inside.container.name())).unwrap_or_default()
            ),
            server: Some(identity.version_text.clone()),
            tool: (tools.dump.clone(), tool),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        let database = self.identity.database.clone();
        let tables = catalog::tables(&mut self.client, &database)?;
        let catalogued = Catalogued::with(tables, &mut self.client, &self.identity)?;
        Ok(obstacles::find(&self.identity, self.connection.tools.version, &catalogued))
    }

    fn identity(&self) -> Option<Identity> {
        let own = &self.identity;
        Some(Identity {
            database: format!("{} {}: {}", own.fingerprint, own.life, self.folded(&own.database)),
            undone_by: own.account.clone(),
        })
    }

    fn leftovers(&mut self, past: &dyn Provenance) -> Vec<Leftover> {
        let names = self.names(&|_| true).unwrap_or_default();
        if !names.iter().any(|name| self.parts_of(name, &self.identity.database).is_some()) {
            return Vec::new();
        }
        // By a session of its own: one that is dropped just then makes a question fail, and ends it.
        let found = self.again(None).and_then(|mut again| look(&mut again, &self.identity.database, past));
        found.unwrap_or_default()
    }

    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(is_unchanged_since(self, earlier)?)
    }

    fn plan(mut self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let prepared = prepare(&mut self, output)?;
        let known = (prepared.tables, prepared.proof);
        let run = move |command: &_, _: Option<&Copying<'_>>, watch: &dyn Watch| {
            Ok(take(&mut self, command, known, LOCK_WAIT, watch)?)
        };
        Ok(SnapshotPlan::new(prepared.command, run))
    }
}
