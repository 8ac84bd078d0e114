//! Opens a session on the server, and makes sure who it is: the one that was judged.

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::installed::LISTING;
use crate::snapshot::postgres::psql::{Psql, literal, number, text};
use crate::snapshot::postgres::tools;
use crate::snapshot::postgres::tools::Tools;

/// Databases that every server has, to connect to when the target itself must not be in use.
pub(crate) const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// Who the server and the database are, as they say themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The database connected to.
    pub(crate) database: String,
    /// The role logged in as.
    pub(crate) user: String,
    /// Whether that role is a superuser.
    pub(crate) superuser: bool,
    /// Whether that role may create databases.
    pub(crate) may_create: bool,
    /// Whether that role is, or can act as, the owner of the database connected to.
    pub(crate) owns_database: bool,
    /// The server's version as it says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub(crate) version: String,
    /// Its major version.
    pub(crate) major: u32,
    /// The number given to the cluster by `initdb`, kept by its copies; `None` where a provider hides it.
    pub(crate) system_identifier: Option<String>,
    /// The database's number in the server: a database that was exchanged has another.
    pub(crate) database_oid: String,
    /// When the server was started, as it writes it.
    pub(crate) started: String,
    /// Whether the server replays another's log and cannot be written to.
    pub(crate) in_recovery: bool,
    /// The address and port that the server sees itself at; `None` over a socket.
    pub(crate) address: Option<(String, String)>,
    /// The server's data folder, where the role may read it.
    pub(crate) data_directory: Option<String>,
}

impl Identity {
    /// Tells whether the role may exchange the database connected to for another that it makes beside.
    #[must_use]
    pub(crate) fn may_exchange(&self) -> bool {
        self.may_create && self.owns_database
    }

    /// Tells whether it is that of the same database of the same server, since the same start.
    fn is_that_of(&self, other: &Identity) -> bool {
        let parts = |identity: &Identity| {
            let Identity { system_identifier, database_oid, started, user, .. } = identity.clone();
            (system_identifier, database_oid, started, user)
        };
        parts(self) == parts(other)
    }

    /// Tells this server from others, for the manifest: the same for all databases of a server, and kept
    /// when a database is exchanged by a restore.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> String {
        match (&self.system_identifier, &self.address) {
            (Some(number), _) => format!("postgres:{number}"),
            (None, Some((address, port))) => format!("postgres:{address}:{port}"),
            (None, None) => "postgres:local".to_owned(),
        }
    }
}

/// A connection to a database.
#[derive(Debug)]
pub(crate) struct Session {
    /// The tools in use: the latest, until [`Session::open`] chose those to save the database with.
    pub(crate) tools: Tools,
    pub(crate) connection: Connection,
    pub(crate) psql: Psql,
    pub(crate) identity: Identity,
}

impl Session {
    /// Connects to a target's database and confirms that it is the one that was judged. Nothing is written.
    ///
    /// `environment` finds the tools, and nothing in it that begins with `PG` reaches them, so that no variable can lead
    /// them elsewhere. A session holds two files open and one process.
    ///
    /// # Errors
    ///
    /// [`PostgresError::NoSuchDatabase`] where the server is there and the database is not;
    /// [`PostgresError::Pooler`], [`PostgresError::OtherDatabase`], [`PostgresError::CannotConnect`] and those of [`tools::to_save`].
    pub(crate) fn open(target: &Target, environment: &ToolEnvironment) -> Result<Self, PostgresError> {
        let connection = Connection::new(target, environment)?;
        let mut session = match Self::connect(connection.clone()) {
            Err(error @ PostgresError::CannotConnect { .. }) => return Err(missing_or(error, target, &connection)),
            other => other?,
        };
        let judged = target.database.as_deref().filter(|name| !name.is_empty());
        if let Some(judged) = judged.filter(|judged| *judged != session.identity.database) {
            return Err(PostgresError::OtherDatabase { judged: judged.to_owned(), found: session.identity.database });
        }
        let fitting = |tools: &[Tools]| tools::to_save(tools, session.identity.major).cloned();
        session.tools = match fitting(connection.tools()) {
            Ok(tools) => tools,
            Err(error) => {
                let inside = LISTING.inside(target, environment);
                let Ok(tools) = fitting(&inside) else { return Err(error) };
                // By them alone, once it is certain that they reach the same server.
                let again = Self::connect(session.connection.with_tools(inside))?;
                if !again.identity.is_that_of(&session.identity) {
                    return Err(error);
                }
                session = again;
                tools
            }
        };
        Ok(session)
    }

    /// Makes sure that tools inside a container reach this very server, where the session's own are not there.
    ///
    /// # Errors
    ///
    /// [`PostgresError::OtherServer`], and those of connecting.
    pub(crate) fn expect_reached_by(&self, tools: &Tools) -> Result<(), PostgresError> {
        if tools.inside.is_none() || tools.inside == self.tools.inside {
            return Ok(());
        }
        let database = self.connection_to(&self.identity.database);
        let there = Self::connect(database.with_tools(vec![tools.clone()]))?.identity;
        if there.is_that_of(&self.identity) {
            return Ok(());
        }
        let named = |identity: &Identity| format!("{} (version {})", identity.fingerprint(), identity.version);
        Err(PostgresError::OtherServer { snapshot: named(&there), here: named(&self.identity) })
    }

    /// Connects to another database of the target's server than `avoided`, as the target's user.
    pub(crate) fn open_maintenance(connection: &Connection, avoided: Option<&str>) -> Result<Self, PostgresError> {
        let mut first_error = None;
        for database in MAINTENANCE.into_iter().filter(|name| Some(*name) != avoided) {
            match Self::connect(connection.with("PGDATABASE", database)) {
                Ok(session) => return Ok(session),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or(PostgresError::NoTools))
    }

    /// Makes the connection to another database of this server. Event triggers do not fire upon what is done by it, where
    /// we may say so: one that fires at a login would change the data.
    pub(crate) fn connection_to(&self, database: &str) -> Connection {
        let connection = self.connection.with("PGDATABASE", database);
        if self.identity.major < 17 || !self.identity.superuser {
            return connection;
        }
        let mut options = connection.variable("PGOPTIONS").map(OsStr::to_owned).unwrap_or_default();
        options.push(" -c event_triggers=off");
        connection.with("PGOPTIONS", options)
    }

    /// Connects with the latest `psql`, whatever the server's version.
    pub(crate) fn connect(connection: Connection) -> Result<Self, PostgresError> {
        let tools = tools::latest(connection.tools())?.clone();
        // A parameter of the session that only the server itself can give back: a pooler refuses or forgets it.
        let mark = format!("{:016x}", RandomState::new().hash_one(&tools.folder));
        let mut options = connection.variable("PGOPTIONS").map(OsStr::to_owned).unwrap_or_default();
        options.push(format!(" -c safe_test.session={mark}"));
        let marked = connection.with("PGOPTIONS", options);
        let mut psql = Psql::start(&tools, &marked, &mark)?;
        let place = connection.place().to_owned();
        let questions =
            [VERSION.to_owned(), settings(&mark), PLACE.to_owned(), identity_question(&mark), SYSTEM.to_owned()];
        for question in questions {
            psql.send(question).map_err(|error| refused(error, &place))?;
        }
        let version = psql.receive().map_err(|error| refused(error, &place))?;
        let version = version.first().map(|field| text(field)).unwrap_or_default();
        if !version.starts_with("PostgreSQL ") || version.contains("Redshift") {
            return Err(PostgresError::NotPostgres { place, version: psql.quote(&version) });
        }
        let set = psql.receive()?;
        let reached = psql.receive()?;
        let fields = psql.receive()?;
        // A provider may forbid it: then the server is identified by less.
        let system = psql.receive().unwrap_or_default();
        // Only now: a pooler closes the server's session, too, where a client leaves without its answers.
        if set.is_empty() {
            return Err(PostgresError::Pooler { place });
        }
        let identity = identity(&fields, system.first().map(|field| text(field)))
            .ok_or_else(|| PostgresError::NotPostgres { place: place.clone(), version: psql.quote(&version) })?;
        if fields.last().is_none_or(|is_ours| is_ours != b"t") {
            return Err(PostgresError::Pooler { place });
        }
        // Of several hosts, the one that answered is the one to stay with.
        let mut connection = connection;
        let several = connection.variable("PGHOST").is_some_and(|hosts| hosts.as_encoded_bytes().contains(&b','));
        if let (true, [host, port, ..]) = (several, reached.as_slice()) {
            let address =
                reached.get(2).filter(|address| !address.is_empty() && connection.variable("PGHOSTADDR").is_some());
            connection = connection.with("PGHOST", text(host)).with("PGPORT", text(port));
            connection = connection.with("PGHOSTADDR", address.map(|address| text(address)).unwrap_or_default());
        }
        Ok(Session { tools, connection, psql, identity })
    }
}

const VERSION: &str = "SELECT pg_catalog.version()";

/// Writes the condition that a statement runs in the very session that was opened with that mark. It stands under the
/// search path of the database, as all first questions: there, a bare operator may be one that somebody made.
fn marked(mark: &str) -> String {
    let mark = literal(mark);
    format!("coalesce(pg_catalog.current_setting('safe_test.session', true) OPERATOR(pg_catalog.=) {mark}, false)")
}

/// Writes the statement that sets what a role or a database may have set for its sessions and what must not change what
/// we see, or end us halfway. Behind a pooler it sets nothing and answers nothing: the session is another's soon, who
/// would find it so. A pooler forgets what a session was started with, or sets it anew for each statement.
///
/// Source: `source` in `pg_settings` is `client` for what came with the connection itself.
fn settings(mark: &str) -> String {
    format!(
        "{SETTINGS} AND {} AND EXISTS (SELECT FROM \
         pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) 'idle_in_transaction_session_timeout' \
         AND s.source OPERATOR(pg_catalog.=) 'client')",
        marked(mark)
    )
}

const SETTINGS: &str = "SELECT pg_catalog.set_config(v.name, v.value, false) FROM (VALUES \
    ('search_path', ''), ('standard_conforming_strings', 'on'), ('row_security', 'off'), \
    ('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('client_min_messages', 'warning'), \
    ('max_parallel_workers_per_gather', '0')) AS v(name, value) \
    WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL";

/// Makes a session of ours as it was when it began, whatever was carried out in it since: a function of the database may
/// have set something.
///
/// # Errors
///
/// [`PostgresError::Query`] in a transaction; [`PostgresError::ConnectionLost`].
pub(crate) fn renew(psql: &mut Psql) -> Result<(), PostgresError> {
    psql.ask("DISCARD ALL")?;
    psql.ask(SETTINGS).map(drop)
}

const PLACE: &str = "SELECT :'HOST', :'PORT', coalesce(pg_catalog.host(pg_catalog.inet_server_addr()), '')";

/// Since 16, a membership tells by itself whether it lets one become the role.
pub(crate) const OWNS_DATABASE: &str = "pg_catalog.pg_has_role(d.datdba, 'USAGE') AND pg_catalog.pg_has_role(d.datdba, \
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)";

fn identity_question(mark: &str) -> String {
    format!(
        "SELECT pg_catalog.current_database(), session_user, r.rolsuper, r.rolcreatedb OR r.rolsuper, \
         pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num'), d.oid, \
         pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_is_in_recovery(), \
         pg_catalog.host(pg_catalog.inet_server_addr()), pg_catalog.inet_server_port(), \
         CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'MEMBER') \
         THEN pg_catalog.current_setting('data_directory') END, {OWNS_DATABASE}, {} \
         FROM pg_catalog.pg_database d, pg_catalog.pg_roles r \
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() \
         AND r.rolname OPERATOR(pg_catalog.=) current_user",
        marked(mark)
    )
}

const SYSTEM: &str = "SELECT system_identifier FROM pg_catalog.pg_control_system()";

fn identity(fields: &[Vec<u8>], system_identifier: Option<String>) -> Option<Identity> {
    let [
        database,
        user,
        superuser,
        create,
        version,
        version_number,
        oid,
        started,
        recovery,
        address,
        port,
        data,
        owns,
        _,
    ] = fields
    else {
        return None;
    };
    let some = |field: &Vec<u8>| Some(text(field)).filter(|value| !value.is_empty());
    let version_number: u32 = number(version_number)?;
    Some(Identity {
        database: text(database),
        user: text(user),
        superuser: superuser == b"t",
        may_create: create == b"t",
        owns_database: owns == b"t",
        version: text(version),
        major: if version_number >= 100_000 { version_number / 10_000 } else { 9 },
        system_identifier,
        database_oid: text(oid),
        started: text(started),
        in_recovery: recovery == b"t",
        address: some(address).zip(some(port)),
        data_directory: some(data),
    })
}

/// Tells what a session that ended before its first answer means.
fn refused(error: PostgresError, place: &str) -> PostgresError {
    match error {
        PostgresError::ConnectionLost { message } => {
            if ["unsupported startup parameter", "command-line options", "no such database", "pgbouncer"]
                .iter()
                .any(|words| message.contains(words))
            {
                return PostgresError::Pooler { place: place.to_owned() };
            }
            let message = message.shortened(|said| said.strip_prefix("psql: error: ").unwrap_or(said).to_owned());
            PostgresError::CannotConnect { place: place.to_owned(), message }
        }
        other => other,
    }
}

/// [`PostgresError::NoSuchDatabase`] if the server lets us in elsewhere and does not list the database; else `error`.
fn missing_or(error: PostgresError, target: &Target, connection: &Connection) -> PostgresError {
    let Some(database) = target.database.as_deref().filter(|name| !name.is_empty()) else { return error };
    let Ok(mut maintenance) = Session::open_maintenance(connection, Some(database)) else { return error };
    match maintenance.exists(database) {
        Ok(false) => {
            PostgresError::NoSuchDatabase { database: database.to_owned(), place: connection.place().to_owned() }
        }
        Ok(true) | Err(_) => error,
    }
}

impl Session {
    /// Tells whether the server has a database of that name.
    pub(crate) fn exists(&mut self, database: &str) -> Result<bool, PostgresError> {
        let name = literal(database);
        Ok(!self.psql.ask(format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {name}"))?.is_empty())
    }
}
