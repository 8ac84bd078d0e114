//! Opens a session on the server, and makes sure who it is: the one that was judged.

use crate::own_tools::ToolEnvironment;
use crate::reach::{Place, Target};
use crate::secret::ForeignText;
use crate::snapshot::containers::way;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::client::{Client, Greeting, Listed};
use crate::snapshot::mongodb::connection::{Account, Connection, accounts, described, undialable};
use crate::snapshot::mongodb::error::{Refusal, UNAUTHORIZED};
use crate::snapshot::mongodb::installed::{LISTING, installed};
use crate::text::hex;

/// Who the server is, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The server's version as it says it.
    pub(crate) version: String,
    /// Tells this server from others: what its data folder was given when it was made; to a user who is not told that, its
    /// place.
    pub(crate) fingerprint: String,
    /// Tells this life of this server from all others, where it says that.
    pub(crate) life: Option<String>,
    /// The user, as messages name it; empty where nobody logs in.
    pub(crate) user: String,
}

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Session {
    /// The way for the tools.
    pub(crate) connection: Connection,
    pub(crate) client: Client,
    pub(crate) identity: Identity,
}

/// A database that is there.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) session: Session,
    pub(crate) database: String,
    /// What it has that is dumped.
    pub(crate) collections: Vec<Listed>,
}

/// One who answered, before any tools are looked for.
struct Reached {
    client: Client,
    greeting: Greeting,
    account: Option<Account>,
    at: Place,
}

/// Databases in which a server keeps what it knows itself: users, settings, its log.
const OWN: [&str; 3] = ["admin", "config", "local"];

/// What MongoDB's collections are called that hold what belongs to encrypted ones.
const ENCRYPTED: &str = "enxcol_.";

/// Connects to a target's database. Nothing is written.
///
/// # Errors
///
/// [`MongoError::NoSuchDatabase`] where the server is there and the database is not; [`MongoError::NotSavable`] where there
/// is one that would not come back; [`MongoError::NoTools`], and those of connecting.
pub(crate) fn open(target: &Target, environment: &ToolEnvironment) -> Result<OpenSession, MongoError> {
    let place = target.places.first().map(described).unwrap_or_default();
    let Some(database) = target.database.as_deref().filter(|name| !name.is_empty()) else {
        return Err(MongoError::NoDatabaseNamed { place });
    };
    let not_savable =
        |what: &str, remedy| MongoError::NotSavable { database: database.to_owned(), what: what.to_owned(), remedy };
    if OWN.contains(&database) {
        let remedy =
            "name the database that the program uses, and where its user is known: mongodb://…/NAME?authSource=admin";
        return Err(not_savable("it is the server's own", remedy));
    }
    let dialled = way(target, environment).target;
    let mut reached = reach(&dialled)?;
    let mut collections = reached.client.collections(database).map_err(|error| denied(error, &place))?;
    collections.retain(Listed::is_dumped);
    if collections.is_empty() {
        return Err(MongoError::NoSuchDatabase { database: database.to_owned(), place });
    }
    if reached.greeting.is_router {
        let what = "it is spread over several servers (`mongos`), and comes back from no dump of one moment";
        return Err(not_savable(what, "say in `.safe-test.toml` how it is kept"));
    }
    if let Some(encrypted) = collections.iter().find(|one| one.is_encrypted || one.name.starts_with(ENCRYPTED)) {
        let what = format!("the collection `{}` is encrypted, which the tools cannot dump", encrypted.name);
        return Err(not_savable(&what, "say in `.safe-test.toml` how it is kept"));
    }
    let session = furnished(target, &dialled, reached, environment)?;
    Ok(OpenSession { session, database: database.to_owned(), collections })
}

/// Connects to a target's server; its database need not be there.
///
/// # Errors
///
/// [`MongoError::NoTools`], and those of connecting.
pub(crate) fn open_server(target: &Target, environment: &ToolEnvironment) -> Result<Session, MongoError> {
    let dialled = way(target, environment).target;
    let reached = reach(&dialled)?;
    furnished(target, &dialled, reached, environment)
}

/// Connects to a target's server for what no tool is needed for.
///
/// # Errors
///
/// Those of connecting.
pub(crate) fn client(target: &Target, environment: &ToolEnvironment) -> Result<Client, MongoError> {
    Ok(reach(&way(target, environment).target)?.client)
}

/// Tries the places in turn; stays with the first that takes writes, which alone has all that was written.
fn reach(target: &Target) -> Result<Reached, MongoError> {
    let place = target.places.first().map(described).unwrap_or_default();
    if let Some(reason) = undialable(target) {
        return Err(MongoError::NotDialable { place, reason });
    }
    let secrets = target.secrets();
    let mut first = None;
    for at in &target.places {
        let place = described(at);
        let (mut client, greeting) = match Client::connect(at, &place, &secrets) {
            Ok((_, greeting)) if !greeting.is_primary && !greeting.is_router => {
                first = first.or(Some(not_primary(place, greeting)));
                continue;
            }
            Ok(answered) => answered,
            Err(error) => {
                first = first.or(Some(error));
                continue;
            }
        };
        let account = log_in(&mut client, target)?;
        return Ok(Reached { client, greeting, account, at: at.clone() });
    }
    Err(first.unwrap_or(MongoError::NotDialable { place, reason: "it names no server".to_owned() }))
}

fn not_primary(place: String, greeting: Greeting) -> MongoError {
    let message = match greeting.set {
        Some((set, Some(primary))) => format!("it takes no writes: the primary of the replica set {set} is {primary}"),
        Some((set, None)) => format!("it takes no writes: the replica set {set} has no primary now"),
        None => "it takes no writes: it is of a replica set that was not begun".to_owned(),
    };
    MongoError::CannotConnect { place, why: Refusal::NotPrimary, message: ForeignText::of(message) }
}

/// Logs in as the first of the accounts that may be meant that the server takes; the error is that of the last.
fn log_in(client: &mut Client, target: &Target) -> Result<Option<Account>, MongoError> {
    let mut last = None;
    for account in accounts(target) {
        match client.log_in(&account.source, &account.user, &account.password) {
            Ok(()) => return Ok(Some(account)),
            Err(error @ MongoError::CannotConnect { why: Refusal::Denied, .. }) => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    last.map_or(Ok(None), Err)
}

/// What an unknown user may not even ask is a question of the password.
fn denied(error: MongoError, place: &str) -> MongoError {
    match error {
        MongoError::Command { message, code: UNAUTHORIZED } => {
            MongoError::CannotConnect { place: place.to_owned(), why: Refusal::Denied, message }
        }
        other => other,
    }
}

fn is_this_machine(at: &Place) -> bool {
    matches!(at, Place::Host { name, .. } if ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()))
}

/// Finds the tools, and asks who the server is.
fn furnished(
    target: &Target,
    dialled: &Target,
    reached: Reached,
    environment: &ToolEnvironment,
) -> Result<Session, MongoError> {
    let Reached { mut client, greeting, account, at } = reached;
    let tools = LISTING.or_inside(|| installed(environment), target, environment)?;
    let tools = tools.into_iter().next().ok_or(MongoError::NoTools)?;
    let place = described(&at);
    // Made with the data folder, and never again.
    let made = client.collections("admin").unwrap_or_default().into_iter().find(|one| one.name == "system.version");
    let fingerprint = match made.and_then(|one| one.uuid) {
        Some(uuid) => format!("mongodb:{}", hex(uuid)),
        // At one port of this machine there is one server, whatever the machine is called.
        None if is_this_machine(&at) => format!("mongodb:here:{}", place.rsplit(':').next().unwrap_or(&place)),
        None => format!("mongodb:{place}"),
    };
    let identity = Identity {
        version: client.version()?,
        fingerprint,
        life: greeting.life,
        user: account.as_ref().map(|own| own.user.clone()).unwrap_or_default(),
    };
    let connection = Connection::new(dialled, &at, account, &tools, environment)?;
    Ok(Session { connection, client, identity })
}
