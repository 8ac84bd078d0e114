//! Asks a server what the tools cannot say, and drops what they cannot drop.

use std::io;

use crate::reach::Place;
use crate::secret::{ForeignText, Secret};
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::Kind;
use crate::snapshot::mongodb::bson::{Document, Value, Writing};
use crate::snapshot::mongodb::error::Refusal;
use crate::snapshot::mongodb::scram::Scram;
use crate::snapshot::mongodb::wire::Wire;

/// The port where none is written.
pub(crate) const PORT: u16 = 27017;

/// `CommandNotFound`.
const NO_COMMAND: i64 = 59;
/// `NamespaceNotFound`.
const NO_COLLECTION: i64 = 26;

/// What a server's first answer says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) is_primary: bool,
    /// Whether it only knows where the data is: a `mongos`.
    pub(crate) is_router: bool,
    /// The replica set that it is of, and that set's primary.
    pub(crate) set: Option<(String, Option<String>)>,
    /// Tells this life of it from all others, where it says that.
    pub(crate) life: Option<String>,
}

/// A collection or view of a database, as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether fields of it are encrypted by those who write it.
    pub(crate) is_encrypted: bool,
    /// The number that it was given when it was made.
    pub(crate) uuid: Option<Vec<u8>>,
}

impl Listed {
    /// Tells whether the tools dump it: of what is the server's own, only the functions that people keep there.
    pub(crate) fn is_dumped(&self) -> bool {
        self.name == "system.js" || !self.name.starts_with("system.")
    }
}

/// A connection on which commands are given.
#[derive(Debug)]
pub(crate) struct Client {
    wire: Wire,
    place: String,
    secrets: Vec<Secret>,
}

impl Client {
    /// Connects, and hears who is there.
    ///
    /// # Errors
    ///
    /// [`MongoError::CannotConnect`].
    pub(crate) fn connect(at: &Place, place: &str, secrets: &[Secret]) -> Result<(Client, Greeting), MongoError> {
        let cannot = |why, message: ForeignText| MongoError::CannotConnect { place: place.to_owned(), why, message };
        let wire = Wire::connect(at, PORT).map_err(|error| cannot(Refusal::NoServer, ForeignText::of(error)))?;
        let mut client = Client { wire, place: place.to_owned(), secrets: secrets.to_vec() };
        let said = match client.ask_raw("admin", Writing::new().integer("hello", 1)) {
            // Servers from before 2020 know the older word alone.
            Ok(said) if Answer::of(&said).code() == NO_COMMAND => {
                client.ask_raw("admin", Writing::new().integer("isMaster", 1))
            }
            other => other,
        };
        let said = said.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => cannot(Refusal::NotMongodb, ForeignText::of(error)),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                cannot(Refusal::Closed, ForeignText::of("it takes the connection and does not answer"))
            }
            _ => cannot(Refusal::Closed, ForeignText::of(format!("it closes the connection ({error})"))),
        })?;
        let Some(document) = Document::of(&said).filter(|said| said.integer("maxWireVersion").is_some()) else {
            return Err(cannot(Refusal::NotMongodb, ForeignText::of("it does not greet as a MongoDB server does")));
        };
        // From 3.6 on.
        if document.integer("maxWireVersion") < Some(6) {
            return Err(cannot(Refusal::NotMongodb, ForeignText::of("it is older than MongoDB 3.6")));
        }
        client.wire.trust().map_err(|error| cannot(Refusal::Closed, ForeignText::of(error)))?;
        let life = document.document("topologyVersion").and_then(|version| version.bytes("processId"));
        let set = document.text("setName").map(|set| (set.to_owned(), document.text("primary").map(str::to_owned)));
        let greeting = Greeting {
            is_primary: document.is_true("isWritablePrimary") || document.is_true("ismaster"),
            is_router: document.text("msg") == Some("isdbgrid"),
            set,
            life: life.map(crate::text::hex),
        };
        Ok((client, greeting))
    }

    /// Logs in as a user of the database `source`.
    ///
    /// # Errors
    ///
    /// [`MongoError::CannotConnect`], with [`Refusal::Denied`] where it is the user or the password.
    pub(crate) fn log_in(&mut self, source: &str, user: &str, password: &Secret) -> Result<(), MongoError> {
        let place = self.place.clone();
        let refused = |error: MongoError| match error {
            MongoError::Command { message, .. } => {
                MongoError::CannotConnect { place: place.clone(), why: Refusal::Denied, message }
            }
            other => other,
        };
        let not_proved = || MongoError::CannotConnect {
            place: place.clone(),
            why: Refusal::Denied,
            message: ForeignText::of("the server does not prove that it knows the password"),
        };
        let (mut scram, first) = Scram::begin(user, password);
        let begin = Writing::new()
            .integer("saslStart", 1)
            .text("mechanism", "SCRAM-SHA-256")
            .bytes("payload", first.as_bytes())
            .document("options", Writing::new().bool("skipEmptyExchange", true));
        let said = self.ask(source, begin).map_err(refused)?;
        let heard = Heard::of(&said).ok_or_else(not_proved)?;
        let answer = scram.answer(&heard.payload).ok_or_else(not_proved)?;
        let go_on = |payload: &str| {
            let begun = Writing::new().integer("saslContinue", 1).integer("conversationId", heard.conversation);
            begun.bytes("payload", payload.as_bytes())
        };
        let said = self.ask(source, go_on(&answer)).map_err(refused)?;
        let last = Heard::of(&said).filter(|last| scram.is_proved_by(&last.payload)).ok_or_else(not_proved)?;
        if !last.is_over {
            self.ask(source, go_on("")).map_err(refused)?;
        }
        Ok(())
    }

    /// Gives the server's version as it says it.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn version(&mut self) -> Result<String, MongoError> {
        let said = self.ask("admin", Writing::new().integer("buildInfo", 1))?;
        Ok(Document::of(&said).and_then(|said| said.text("version")).unwrap_or_default().to_owned())
    }

    /// Lists the collections and views of a database.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn collections(&mut self, database: &str) -> Result<Vec<Listed>, MongoError> {
        let question = Writing::new().integer("listCollections", 1).document("cursor", Writing::new());
        let mut said = self.ask(database, question)?;
        let mut found = Vec::new();
        loop {
            // Of a list that cannot be read nothing is taken for absent.
            let cursor = Document::of(&said).and_then(|said| said.document("cursor")).ok_or_else(unreadable)?;
            let batch = cursor.array("firstBatch").or_else(|| cursor.array("nextBatch")).ok_or_else(unreadable)?;
            for (_, one) in batch.elements() {
                let Value::Document(one) = one else { return Err(unreadable()) };
                let name = one.text("name").ok_or_else(unreadable)?;
                let is_encrypted = one.document("options").is_some_and(|own| own.get("encryptedFields").is_some());
                found.push(Listed {
                    name: name.to_owned(),
                    kind: Kind::of(one.text("type")),
                    is_encrypted,
                    uuid: one.document("info").and_then(|info| info.bytes("uuid")).map(<[u8]>::to_vec),
                });
            }
            let id = cursor.integer("id").ok_or_else(unreadable)?;
            if id == 0 {
                return Ok(found);
            }
            // The cursor is of a collection that there is not.
            let more = Writing::new().long("getMore", id).text("collection", "$cmd.listCollections");
            said = self.ask(database, more)?;
        }
    }

    /// Lists the databases that the user may know of, with their bytes on the disk.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn databases(&mut self) -> Result<Vec<(String, Option<u64>)>, MongoError> {
        let said = self.ask("admin", Writing::new().integer("listDatabases", 1))?;
        let all = Document::of(&said).and_then(|said| said.array("databases")).ok_or_else(unreadable)?;
        let named = |(_, one): (&str, Value<'_>)| {
            let Value::Document(one) = one else { return Err(unreadable()) };
            let size = one.integer("sizeOnDisk").and_then(|size| u64::try_from(size).ok());
            Ok((one.text("name").ok_or_else(unreadable)?.to_owned(), size))
        };
        all.elements().map(named).collect()
    }

    /// Drops a database, or finds it gone.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn drop_database(&mut self, database: &str) -> Result<(), MongoError> {
        self.ask(database, Writing::new().integer("dropDatabase", 1)).map(drop)
    }

    /// Drops a collection or a view, or finds it gone.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn drop_collection(&mut self, database: &str, name: &str) -> Result<(), MongoError> {
        match self.ask(database, Writing::new().text("drop", name)) {
            Ok(_) | Err(MongoError::Command { code: NO_COLLECTION, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes all documents of a collection.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn empty_collection(&mut self, database: &str, name: &str) -> Result<(), MongoError> {
        let all = Writing::new().document("q", Writing::new()).integer("limit", 0);
        self.ask(database, Writing::new().text("delete", name).array("deletes", [all])).map(drop)
    }

    /// Gives a command, and the answer to it.
    ///
    /// # Errors
    ///
    /// [`MongoError::Command`], [`MongoError::ConnectionLost`].
    pub(crate) fn ask(&mut self, database: &str, command: Writing) -> Result<Vec<u8>, MongoError> {
        let said = self.ask_raw(database, command);
        let said = said.map_err(|error| MongoError::ConnectionLost { message: ForeignText::of(error) })?;
        let answer = Answer::of(&said);
        if answer.is_ok() {
            return Ok(said);
        }
        let message = ForeignText::new(answer.message(), &self.secrets).shortened(without_values);
        Err(MongoError::Command { code: answer.code(), message })
    }

    fn ask_raw(&mut self, database: &str, command: Writing) -> io::Result<Vec<u8>> {
        self.wire.ask(database, command)
    }
}

fn unreadable() -> MongoError {
    MongoError::ConnectionLost { message: ForeignText::of("what it answers cannot be read") }
}

/// Cuts off what may quote a document: servers and tools write those in braces.
pub(crate) fn without_values(said: &str) -> String {
    let said = said.split_once(" dup key:").map_or(said, |(before, _)| before);
    match said.split_once('{') {
        Some((before, _)) => format!("{}…", before.trim_end()),
        None => said.to_owned(),
    }
    .chars()
    .take(300)
    .collect()
}

/// An answer as far as all have the same form.
struct Answer<'a>(Option<Document<'a>>);

impl<'a> Answer<'a> {
    fn of(said: &'a [u8]) -> Answer<'a> {
        Answer(Document::of(said))
    }

    /// Tells whether it was done, with all of its parts.
    fn is_ok(&self) -> bool {
        self.0.is_some_and(|said| said.is_true("ok") && said.array("writeErrors").is_none())
    }

    fn code(&self) -> i64 {
        self.0.and_then(|said| said.integer("code")).unwrap_or(0)
    }

    fn message(&self) -> &'a str {
        self.0.and_then(|said| said.text("errmsg")).unwrap_or("what it answers cannot be read")
    }
}

/// What is heard of a conversation that logs in.
struct Heard {
    payload: String,
    conversation: i32,
    is_over: bool,
}

impl Heard {
    fn of(said: &[u8]) -> Option<Heard> {
        let said = Document::of(said)?;
        let payload = String::from_utf8(said.bytes("payload")?.to_vec()).ok()?;
        let conversation = i32::try_from(said.integer("conversationId")?).ok()?;
        Some(Heard { payload, conversation, is_over: said.is_true("done") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_not_quoted() {
        for (said, expected) in [
            (
                "E11000 duplicate key error collection: shop.users index: mail dup key: { mail: \"a@b.test\" }",
                "E11000 duplicate key error collection: shop.users index: mail",
            ),
            ("Document failed validation {a: 1}", "Document failed validation…"),
            (
                "not authorized on shop to execute command { listCollections: 1 }",
                "not authorized on shop to execute command…",
            ),
            ("plain", "plain"),
        ] {
            assert_eq!(without_values(said), expected);
        }
    }
}
