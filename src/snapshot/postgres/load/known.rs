//! What the server has of that which a dump names: asked once, when the first statement needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::psql::text;

/// What is known of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is missing.
    Missing,
    /// It is there, but this user may not give objects to it.
    NotOurs,
    /// This user may act as it.
    Ours,
}

/// The answers so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    parameters: Option<BTreeSet<Vec<u8>>>,
    tablespaces: Option<BTreeSet<Vec<u8>>>,
    /// Names of extensions with their versions.
    extensions: Option<BTreeSet<(String, String)>>,
    /// Whether this user may act as each role that there is.
    roles: Option<BTreeMap<Vec<u8>, bool>>,
}

/// Tablespaces in which this user may make tables in this database.
const TABLESPACES: &str = "SELECT t.spcname FROM pg_catalog.pg_tablespace t, pg_catalog.pg_database d \
    WHERE d.datname = pg_catalog.current_database() \
    AND (t.oid = d.dattablespace OR pg_catalog.has_tablespace_privilege(t.oid, 'CREATE'))";

/// Since 16, a membership tells by itself whether it lets one become the role.
const ROLES: &str = "SELECT r.rolname, pg_catalog.pg_has_role(r.oid, \
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) \
    FROM pg_catalog.pg_roles r";

impl Known {
    /// Tells whether the server has a parameter. Source: pg_dump sets each that its own version knows.
    pub(crate) fn has_parameter(&mut self, client: &mut Client, name: &[u8]) -> Result<bool, PostgresError> {
        let known = match &mut self.parameters {
            Some(known) => known,
            unasked => {
                let fields = client.ask("SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings")?;
                unasked.insert(fields.into_iter().collect())
            }
        };
        Ok(known.contains(&name.to_ascii_lowercase()))
    }

    /// Tells whether the server can make an extension in a version.
    pub(crate) fn has_extension(
        &mut self,
        client: &mut Client,
        name: &str,
        version: &str,
    ) -> Result<bool, PostgresError> {
        let known = match &mut self.extensions {
            Some(known) => known,
            unasked => {
                let fields = client.ask("SELECT name, version FROM pg_catalog.pg_available_extension_versions")?;
                unasked.insert(fields.chunks_exact(2).map(|row| (text(&row[0]), text(&row[1]))).collect())
            }
        };
        Ok(known.contains(&(name.to_owned(), version.to_owned())))
    }

    /// Tells whether this user may make tables in a tablespace.
    pub(crate) fn may_use_tablespace(&mut self, client: &mut Client, name: &[u8]) -> Result<bool, PostgresError> {
        let known = match &mut self.tablespaces {
            Some(known) => known,
            unasked => unasked.insert(client.ask(TABLESPACES)?.into_iter().collect()),
        };
        Ok(known.contains(name))
    }

    /// Tells what is known of a role.
    pub(crate) fn role(&mut self, client: &mut Client, name: &[u8]) -> Result<Role, PostgresError> {
        let known = match &mut self.roles {
            Some(known) => known,
            unasked => {
                let fields = client.ask(ROLES)?;
                unasked.insert(fields.chunks_exact(2).map(|row| (row[0].clone(), row[1] == b"t")).collect())
            }
        };
        Ok(known.get(name).map_or(Role::Missing, |ours| if *ours { Role::Ours } else { Role::NotOurs }))
    }
}
