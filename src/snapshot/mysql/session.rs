//! Opens a session on the server, and makes sure who it is: the one that was judged.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Place, Target};
use crate::snapshot::beside_names::{Purpose, parts_of};
use crate::snapshot::containers::way;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::client::{Client, Rows, literal};
use crate::snapshot::mysql::connection::{Connection, Tls, protections};
use crate::snapshot::mysql::explain::ACCESS_DENIED;
use crate::snapshot::mysql::installed::{LISTING, Tools, installed};
use crate::snapshot::mysql::rights::Rights;
use crate::snapshot::mysql::tools;
use crate::snapshot::mysql::version::{Flavor, Version};
use crate::snapshot::tool_process::ToolError;
use crate::text::hex;

/// Who the server is, as it says itself, and what the user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The database connected to; empty where none is.
    pub(crate) database: String,
    /// The account logged in as: `app@%`.
    pub(crate) account: String,
    /// The server's version as it says it.
    pub(crate) version_text: String,
    pub(crate) flavor: Flavor,
    pub(crate) version: Version,
    /// Tells this server from others.
    pub(crate) fingerprint: String,
    /// The longest statement that the server takes, in bytes.
    pub(crate) longest_statement: u64,
    /// Whether names of databases are compared without case.
    pub(crate) folds_case: bool,
    /// Tells this life of this server from all others, as far as the server knows: two in containers of one image say the same
    /// of themselves in all else. Empty where no database is open.
    pub(crate) life: String,
    /// Whether routines and triggers can only be made by who has `SUPER`.
    pub(crate) distrusts_routines: bool,
    pub(crate) rights: Rights,
}

impl Identity {
    /// Tells whether the server is MariaDB.
    #[must_use]
    pub(crate) fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::Mariadb
    }
}

/// A connection to a server, mostly to a database of it.
#[derive(Debug)]
pub(crate) struct Session {
    /// The way to the server. Its programs are those to save with, once [`Session::open`] chose them.
    pub(crate) connection: Connection,
    pub(crate) client: Client,
    pub(crate) identity: Identity,
}

/// Finds how a target is reached, and the programs at hand for it.
fn at_hand<'t>(target: &'t Target, environment: &ToolEnvironment) -> Result<(Cow<'t, Target>, Vec<Tools>), ToolError> {
    Ok((way(target, environment).target, LISTING.or_inside(|| installed(environment), target, environment)?))
}

/// What others that speak the protocol say of themselves: databases with another inside, and what stands before servers.
const OTHERS: &str = include_str!("others.txt");

impl Session {
    /// Connects to a target's database and confirms that it is the one that was judged. Nothing is written. A session holds
    /// two files open and one process.
    ///
    /// # Errors
    ///
    /// [`MysqlError::NoSuchDatabase`] where the server is there and the database is not; [`MysqlError::NotMysql`],
    /// [`MysqlError::OtherDatabase`], [`MysqlError::CannotConnect`], [`MysqlError::NoDatabaseNamed`], and those of [`tools::to_save`].
    pub(crate) fn open(target: &Target, environment: &ToolEnvironment) -> Result<Self, MysqlError> {
        let named = target.database.as_deref().filter(|name| !name.is_empty());
        let (dialled, programs) = at_hand(target, environment)?;
        let mut session = Session::reach(&dialled, environment, &programs, named)?;
        let Some(judged) = named else {
            return Err(MysqlError::NoDatabaseNamed { place: session.connection.place().to_owned() });
        };
        let found = &session.identity.database;
        if session.folded(found) != session.folded(judged) {
            return Err(MysqlError::OtherDatabase { judged: judged.to_owned(), found: found.clone() });
        }
        session.use_fitting(&dialled, environment, &programs)?;
        let life = session.client.ask(LIFE)?;
        session.identity.life = life.concat().join(" ");
        Ok(session)
    }

    /// Connects to a target's server, to no database of it.
    ///
    /// # Errors
    ///
    /// As [`Session::open`], without those of the database.
    pub(crate) fn open_server(target: &Target, environment: &ToolEnvironment) -> Result<Self, MysqlError> {
        let (dialled, programs) = at_hand(target, environment)?;
        let mut session = Session::reach(&dialled, environment, &programs, None)?;
        session.use_fitting(&dialled, environment, &programs)?;
        Ok(session)
    }

    /// Chooses the programs to save with, among those at hand, else among those inside the server's container.
    fn use_fitting(
        &mut self,
        target: &Target,
        environment: &ToolEnvironment,
        at_hand: &[Tools],
    ) -> Result<(), MysqlError> {
        let identity = &self.identity;
        let fitting = |programs: &[Tools]| tools::to_save(programs, identity.flavor, identity.version).cloned();
        let is_inside = self.connection.tools.inside.is_some();
        // What was gone inside for could not log in.
        let at_hand = if is_inside { LISTING.inside(target, environment) } else { at_hand.to_vec() };
        let error = match fitting(&at_hand) {
            Ok(fitting) => {
                self.connection = self.connection.by(&fitting)?;
                return Ok(());
            }
            Err(error) => error,
        };
        let Ok(fitting) = fitting(&LISTING.inside(target, environment)) else { return Err(error) };
        // By them alone, once it is certain that they reach the same server as the same account.
        let database = Some(identity.database.as_str()).filter(|name| !name.is_empty());
        let mut again = Session::connect(self.connection.by(&fitting)?, database)?;
        let is_same = again.identity.account == identity.account
            && again.identity.fingerprint == identity.fingerprint
            && again.client.ask(LIFE)? == self.client.ask(LIFE)?;
        if !is_same {
            return Err(error);
        }
        *self = again;
        Ok(())
    }

    /// Lists the databases of the server whose names `is_wanted` takes.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn names(&mut self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>, MysqlError> {
        Ok(self.client.ask("SHOW DATABASES")?.into_iter().flatten().filter(|name| is_wanted(name)).collect())
    }

    /// Gives a database's name as the server compares it.
    pub(crate) fn folded<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.identity.folds_case { name.to_lowercase().into() } else { name.into() }
    }

    /// Reads the purpose and the time in the name of a database that a restore of `database` makes.
    pub(crate) fn parts_of(&self, name: &str, database: &str) -> Option<(Purpose, DateTime<Utc>)> {
        parts_of(&self.folded(name), &self.folded(database))
    }

    /// Opens another session in the same way, in a database or in none.
    ///
    /// # Errors
    ///
    /// [`MysqlError::CannotConnect`], [`MysqlError::ConnectionLost`].
    pub(crate) fn again(&self, database: Option<&str>) -> Result<Session, MysqlError> {
        Session::connect(self.connection.clone(), database)
    }

    /// Tries the places of the target in turn; stays with what answers.
    fn reach(
        target: &Target,
        environment: &ToolEnvironment,
        installed: &[Tools],
        database: Option<&str>,
    ) -> Result<Self, MysqlError> {
        let mut first = None;
        for at in &target.places {
            match Session::reach_at(target, at, environment, installed, database) {
                Err(error @ MysqlError::CannotConnect { .. }) => first = first.or(Some(error)),
                other => return other,
            }
        }
        Err(first.unwrap_or(MysqlError::NoTools))
    }

    /// Tries the programs and protections in turn at one place, as far as another one may help. The error is that of the
    /// first.
    fn reach_at(
        target: &Target,
        at: &Place,
        environment: &ToolEnvironment,
        installed: &[Tools],
        database: Option<&str>,
    ) -> Result<Self, MysqlError> {
        let mut first = None;
        let mut others_may_help = false;
        'programs: for tools in installed {
            for tls in protections(target) {
                let connection = Connection::new(target, at, tools, *tls, environment)?;
                let error = match Session::connect(connection, database) {
                    Err(error @ MysqlError::CannotConnect { .. }) => error,
                    other => return other,
                };
                let next = next_way(&error, *tls);
                others_may_help = matches!(next, Some(Next::Programs));
                first = first.or(Some(error));
                match next {
                    Some(Next::Protection) => {}
                    Some(Next::Programs) => continue 'programs,
                    None => break 'programs,
                }
            }
        }
        if others_may_help && installed.iter().all(|tools| tools.inside.is_none()) {
            let inside = LISTING.inside(target, environment);
            let reached = Session::reach_at(target, at, environment, &inside, database);
            return reached.map_err(|error| first.unwrap_or(error));
        }
        Err(first.unwrap_or(MysqlError::NoTools))
    }

    /// Connects, and asks who is there.
    fn connect(connection: Connection, database: Option<&str>) -> Result<Self, MysqlError> {
        let mark = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        let mut client = Client::start(&connection, database, &mark)?;
        let place = connection.place().to_owned();
        let mut ask = || -> Result<[Rows; 4], MysqlError> {
            [IDENTITY, SERVER_NUMBER, SETTINGS, "SHOW GRANTS"].iter().try_for_each(|question| client.send(question))?;
            Ok([client.receive()?, client.receive()?, client.receive()?, client.receive()?])
        };
        let [said, number, _, grants] = match ask() {
            Ok(answers) => answers,
            Err(error) => return Err(refused(error, &place, database)),
        };
        let not_mysql = |said: &str| MysqlError::NotMysql { place: place.clone(), version: client.quote(said) };
        let Some(fields) = said.first().filter(|fields| fields.len() == 11) else {
            return Err(not_mysql("it does not say who it is"));
        };
        let words = format!("{} {}", fields[0], fields[1]).to_ascii_lowercase();
        let is_another = OTHERS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let version = Version::read(&fields[0]);
        let (Some(version), false) = (version, is_another.into_iter().any(|other| words.contains(other))) else {
            return Err(not_mysql(&format!("{} {}", fields[0], fields[1])));
        };
        let flavor = if words.contains("mariadb") { Flavor::Mariadb } else { Flavor::Mysql };
        let grants: Vec<&str> = grants.iter().filter_map(|row| row.first().map(String::as_str)).collect();
        let rights = Rights::read(grants);
        let number = number.first().and_then(|row| row.get(1)).filter(|number| !number.is_empty());
        let fingerprint = match number {
            Some(number) => format!("mysql:{number}"),
            None => {
                let known = [&fields[4], &fields[5], &fields[6]].map(String::as_str).join("\0");
                format!("mariadb:{}", hex(&Sha256::digest(known)[..16]))
            }
        };
        let is_on = |field: &str| field == "1" || field.eq_ignore_ascii_case("on");
        let identity = Identity {
            database: fields[2].clone(),
            account: fields[3].clone(),
            version_text: fields[0].clone(),
            flavor,
            version,
            fingerprint,
            longest_statement: fields[7].parse().unwrap_or(0),
            folds_case: fields[8] != "0",
            life: String::new(),
            distrusts_routines: is_on(&fields[9]) && !is_on(&fields[10]) && !rights.has_everywhere("SUPER"),
            rights,
        };
        Ok(Session { connection, client, identity })
    }

    /// Tells whether the server has a database of that name, as far as the user is told.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn exists(&mut self, database: &str) -> Result<bool, MysqlError> {
        let question = format!("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}", literal(database));
        Ok(!self.client.ask(question)?.is_empty())
    }
}

/// What may help where a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Protection,
    Programs,
}

/// Finds what may help: `None` where nothing does.
///
/// Source: `CR_SSL_CONNECTION_ERROR` (2026), `ER_SECURE_TRANSPORT_REQUIRED` (3159), `CR_AUTH_PLUGIN_CANNOT_LOAD` (2059),
/// `CR_AUTH_PLUGIN_ERR` (2061); to an account that wants TLS the server says `ER_ACCESS_DENIED_ERROR`.
fn next_way(error: &MysqlError, tried: Tls) -> Option<Next> {
    let MysqlError::CannotConnect { code, .. } = error else { return None };
    match code {
        2026 | 2061 | 3159 => Some(Next::Protection),
        &ACCESS_DENIED if tried == Tls::Preferred => Some(Next::Protection),
        2059 | 1251 => Some(Next::Programs),
        _ => None,
    }
}

const IDENTITY: &str = "SELECT VERSION(), @@version_comment, IFNULL(DATABASE(), ''), CURRENT_USER(), @@datadir, @@port, \
    IFNULL(@@socket, ''), @@max_allowed_packet, @@lower_case_table_names, @@log_bin, @@log_bin_trust_function_creators";

/// MySQL keeps it with its data; MariaDB has none.
const SERVER_NUMBER: &str = "SHOW GLOBAL VARIABLES LIKE 'server_uuid'";

/// What tells two servers apart whatever they share. Those of one machine have ports, addresses and data of their own; others
/// have another name of the machine, or another address of its network card, which stands in a UUID with a number that is
/// drawn when the server starts; and few start in the same second, which stands in the short one.
///
/// Source: MySQL Reference Manual, "Miscellaneous Functions" (`UUID`, `UUID_SHORT`).
const LIFE: &str = "SELECT @@hostname, @@port, IFNULL(@@socket, ''), @@datadir, IFNULL(@@pid_file, ''), @@server_id, \
    UUID_SHORT() >> 24, SUBSTRING(UUID(), 20)";

/// Undoes what may be set for all sessions and would end ours halfway, or change what they say. Each server reads of the
/// comments what is for it.
pub(crate) const SETTINGS: &str = "SET SESSION sql_mode = '', lock_wait_timeout = 15, wait_timeout = 28800, net_write_timeout = 600, \
    sql_quote_show_create = 1 /*M!100101 , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */";

/// Tells what a session that ended before its first answers means.
fn refused(error: MysqlError, place: &str, database: Option<&str>) -> MysqlError {
    /// `ER_BAD_DB_ERROR`.
    const UNKNOWN_DATABASE: u32 = 1049;
    match (error, database) {
        (MysqlError::Query { code: UNKNOWN_DATABASE, .. }, Some(database)) => {
            MysqlError::NoSuchDatabase { database: database.to_owned(), place: place.to_owned() }
        }
        (MysqlError::Query { code, message }, _) => {
            MysqlError::CannotConnect { place: place.to_owned(), code, message }
        }
        (MysqlError::ConnectionLost { message }, _) => {
            let (code, message) = crate::snapshot::mysql::process::error_in(&message);
            MysqlError::CannotConnect { place: place.to_owned(), code, message }
        }
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_are_sorted_and_in_lower_case() {
        let words: Vec<&str> = OTHERS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        assert_eq!(words, sorted);
        assert!(words.iter().all(|word| *word == word.to_ascii_lowercase()));
    }
}
