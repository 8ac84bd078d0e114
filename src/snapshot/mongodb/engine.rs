//! MongoDB's row among the engines.

use std::path::{Path, PathBuf};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{
    ABSENT, Copying, Description, Found, Identity, OpenDatabase, Restoration, RestorePlan, SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::leftovers::{drop_leftover, leftovers, look};
use crate::snapshot::mongodb::restore::prepare_restore;
use crate::snapshot::mongodb::session::{OpenSession, client, open};
use crate::snapshot::mongodb::take::take;
use crate::snapshot::mongodb::verify::verify;
use crate::snapshot::{Leftover, Manifest, Obstacle, Provenance, VerificationLevel, Watch};
use crate::text::shown;

/// MongoDB, and what speaks its protocol whole.
pub(crate) struct Mongodb;

impl SnapshotEngine for Mongodb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn keeps_files(&self) -> bool {
        false
    }

    fn saves(&self, target: &Target) -> bool {
        target.engine == Engine::Mongodb
            && matches!(target.places.first(), Some(Place::Host { .. } | Place::Socket { .. }))
    }

    fn socket(&self, path: &Path, _port: Option<u16>) -> Option<PathBuf> {
        path.is_absolute().then(|| path.to_owned())
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        match open(target, environment) {
            Ok(found) => Ok(Found::Database(Box::new(Open { found, environment: environment.clone() }))),
            Err(MongoError::NoSuchDatabase { .. }) => Ok(Found::NothingToLose(ABSENT)),
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
        Ok(RestorePlan::new(false, leftovers, move |_, watch| Ok(prepared.carry_out(watch)?)))
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
        let names = client(target, environment)?.databases()?.into_iter().map(|(name, _)| name);
        Ok(names.filter(|name| is_wanted(name)).collect())
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

/// An open database, with what it was opened with.
struct Open {
    found: OpenSession,
    environment: ToolEnvironment,
}

impl OpenDatabase for Open {
    fn name(&self) -> &str {
        &self.found.database
    }

    fn short_name(&self) -> String {
        self.found.database.clone()
    }

    fn describe(&self) -> Description {
        let (tools, identity) = (&self.found.session.connection.tools, &self.found.session.identity);
        let inside = tools.inside.as_ref();
        Description {
            found: format!(
                "reachable; server {}; saved with {} ({}){}",
                identity.version,
                shown(&tools.dump),
                tools.version,
                inside.map(|inside| format!(" inside the container {}", inside.container.name())).unwrap_or_default()
            ),
            server: Some(identity.version.clone()),
            tool: (tools.dump.clone(), tools.version.clone()),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        Ok(Vec::new())
    }

    fn identity(&self) -> Option<Identity> {
        let own = &self.found.session.identity;
        let life = own.life.as_ref()?;
        Some(Identity {
            database: format!("{} {life}: {}", own.fingerprint, self.found.database),
            undone_by: own.user.clone(),
        })
    }

    fn leftovers(&mut self, past: &dyn Provenance) -> Vec<Leftover> {
        let Open { found: OpenSession { session, database, .. }, environment } = self;
        look(session, database, environment, past).unwrap_or_default()
    }

    fn is_unchanged_since(&mut self, _earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(false)
    }

    fn plan(self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let found = self.found;
        let command = found.session.connection.dump(&found.database, output);
        let run = move |command: &_, _: Option<&Copying<'_>>, watch: &dyn Watch| Ok(take(&found, command, watch)?);
        Ok(SnapshotPlan::new(command, run))
    }
}
