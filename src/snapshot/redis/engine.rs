//! Redis's and Valkey's row among the engines.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{
    Copying, Description, Found, Identity, OpenDatabase, Restoration, RestorePlan, SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::redis::obstacles::obstacles;
use crate::snapshot::redis::restore::prepare_restore;
use crate::snapshot::redis::session::{Session, open};
use crate::snapshot::redis::take::{State, take};
use crate::snapshot::redis::verify::verify;
use crate::snapshot::{Manifest, Obstacle, VerificationLevel, Watch};
use crate::text::shown;

/// Redis, Valkey, and what speaks their protocol whole.
pub(crate) struct Redis;

impl SnapshotEngine for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn keeps_files(&self) -> bool {
        false
    }

    fn saves(&self, target: &Target) -> bool {
        target.engine == Engine::Redis
            && matches!(target.places.first(), Some(Place::Host { .. } | Place::Socket { .. }))
    }

    fn socket(&self, path: &Path, _port: Option<u16>) -> Option<PathBuf> {
        path.is_absolute().then(|| path.to_owned())
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        // A target that names none means the first.
        let database = target.database.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "0".to_owned());
        let session = open(target, environment)?;
        Ok(Found::Database(Box::new(Open { session, database, environment: environment.clone() })))
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
        Ok(RestorePlan::new(false, Vec::new(), move |_, watch| Ok(prepared.carry_out(watch)?)))
    }
}

/// A server that was found, with what it was found with.
struct Open {
    session: Session,
    database: String,
    environment: ToolEnvironment,
}

impl OpenDatabase for Open {
    fn name(&self) -> &str {
        &self.database
    }

    /// The file is the whole server's.
    fn short_name(&self) -> String {
        "redis".to_owned()
    }

    fn describe(&self) -> Description {
        let (tools, info) = (&self.session.connection.tools, &self.session.info);
        let inside = tools.inside.as_ref();
        Description {
            found: format!(
                "reachable; server {} {}; the whole server is saved with {} ({}){}",
                info.family().name(),
                info.version(),
                shown(&tools.client),
                tools.version,
                inside.map(|inside| format!(" inside the container {}", inside.container.name())).unwrap_or_default()
            ),
            server: Some(info.version().to_owned()),
            tool: (tools.client.clone(), tools.version.clone()),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        Ok(obstacles(&self.session, &self.environment)?)
    }

    /// All databases of a server are saved at once.
    fn identity(&self) -> Option<Identity> {
        let life = self.session.info.text("run_id");
        let user = self.session.connection.user().to_owned();
        (!life.is_empty()).then(|| Identity { database: format!("redis {life}"), undone_by: user })
    }

    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        let recorded: Option<State> = earlier.state.as_ref().and_then(|state| State::deserialize(state).ok());
        Ok(recorded.is_some() && State::of(&self.session.info) == recorded)
    }

    fn plan(self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let Open { session, database, environment } = *self;
        let command = session.connection.dump(output);
        let run = move |command: &_, _: Option<&Copying<'_>>, watch: &dyn Watch| {
            Ok(take(&session, &database, &environment, command, watch)?)
        };
        Ok(SnapshotPlan::new(command, run))
    }
}
