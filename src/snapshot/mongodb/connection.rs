//! How a server is reached by the tools: a URL in a private file, made of what was judged and of nothing else.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::own_tools::{HANDED_FILE, ToolCommand, ToolEnvironment};
use crate::reach::{Place, Target};
use crate::secret::Secret;
use crate::snapshot::containers::Inside;
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::client::PORT;
use crate::snapshot::mongodb::installed::Tools;
use crate::snapshot::secret_file::SecretFile;
use crate::state_directory::state_directory;
use crate::text::shown;

/// A user, with the database that knows the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) source: String,
}

/// The way to one server.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The programs.
    pub(crate) tools: Tools,
    at: Place,
    account: Option<Account>,
    variables: Vec<(OsString, OsString)>,
    secrets: Vec<Secret>,
    url: Url,
}

/// The file with the URL: a private one of this machine, which is removed when it is dropped, or the text that programs
/// inside a container are handed.
#[derive(Debug, Clone)]
enum Url {
    File(Arc<SecretFile>),
    Handed(Secret),
}

impl Connection {
    /// Prepares the way to a place as that account.
    ///
    /// # Errors
    ///
    /// The private file cannot be written.
    pub(crate) fn new(
        target: &Target,
        at: &Place,
        account: Option<Account>,
        tools: &Tools,
        environment: &ToolEnvironment,
    ) -> Result<Connection, MongoError> {
        let seen_inside = |inside: &Inside| Place::Host { name: "127.0.0.1".to_owned(), port: Some(inside.port) };
        let seen = tools.inside.as_ref().map_or_else(|| at.clone(), seen_inside);
        // Nothing in it but the quotes means anything in YAML.
        let text = format!("uri: \"{}\"\n", url(&seen, account.as_ref()));
        let url = match &tools.inside {
            Some(_) => Url::Handed(Secret::new(text)),
            None => {
                let file = SecretFile::new(text.as_bytes(), &state_directory(|name| environment.get(name)));
                Url::File(Arc::new(file.map_err(MongoError::file("write the private file", Path::new("uri.yaml")))?))
            }
        };
        Ok(Connection {
            tools: tools.clone(),
            at: at.clone(),
            account,
            variables: variables(tools, environment),
            secrets: target.secrets(),
            url,
        })
    }

    /// Plans a dump of a database into a file: the whole of it, as one stream.
    pub(crate) fn dump(&self, database: &str, output: &Path) -> DumpCommand {
        DumpCommand {
            label: "mongodump",
            program: self.tools.dump.clone(),
            inside: self.tools.inside.as_ref().map(|inside| Box::new(inside.container.clone())),
            arguments: vec![self.config(), format!("--db={database}").into(), "--archive".into()],
            environment: self.variables.clone(),
            output: output.to_owned(),
        }
    }

    /// Makes the process of a dump that was planned.
    pub(crate) fn planned(&self, planned: &DumpCommand) -> ToolCommand {
        self.with_url(planned.process())
    }

    /// Makes the process that restores a database from an archive at its standard input, as `to`: each collection is
    /// dropped before it is made anew, documents come in the archive's order, and the first that fails ends it. What is
    /// there was there before, whatever a validator that came later says of it.
    pub(crate) fn restore(&self, database: &str, to: &str) -> ToolCommand {
        let container = self.tools.inside.as_ref().map(|inside| &inside.container);
        let mut command = self.with_url(ToolCommand::of(&self.tools.restore, container, &self.variables));
        command.arg(self.config()).arg(format!("--nsInclude={}.*", pattern(database)));
        if to != database {
            command.arg(format!("--nsFrom={}.*", pattern(database))).arg(format!("--nsTo={}.*", pattern(to)));
        }
        command.args([
            "--drop",
            "--stopOnError",
            "--maintainInsertionOrder",
            "--bypassDocumentValidation",
            "--archive",
        ]);
        command
    }

    fn config(&self) -> OsString {
        let mut option = OsString::from("--config=");
        match &self.url {
            Url::File(file) => option.push(file.path()),
            Url::Handed(_) => option.push(HANDED_FILE),
        }
        option
    }

    fn with_url(&self, mut command: ToolCommand) -> ToolCommand {
        if let Url::Handed(text) = &self.url {
            command.hand_file(text.expose());
        }
        command
    }

    /// Lists what must not show in what a program says.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Gives the place that is dialled.
    pub(crate) fn at(&self) -> &Place {
        &self.at
    }

    /// Gives the account that is logged in as.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }
}

/// Writes a name as the tools' patterns have it.
fn pattern(name: &str) -> String {
    name.replace('\\', "\\\\").replace('*', "\\*")
}

/// Writes the URL of one server. It is dialled directly: what a replica set says of itself leads to no other. No timeout
/// stands in it: the tools take its milliseconds for seconds (`common/options/options.go`, `common/db/db.go`), and wait for
/// hours.
fn url(at: &Place, account: Option<&Account>) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let place = match at {
        Place::Host { name, port } if name.contains(':') => format!("[{name}]:{}", port.unwrap_or(PORT)),
        Place::Host { name, port } => format!("{name}:{}", port.unwrap_or(PORT)),
        Place::Socket { path, .. } => encoded(&path.to_string_lossy()),
        Place::File { .. } | Place::Memory | Place::Instance { .. } => String::new(),
    };
    let user = account.map(|own| format!("{}:{}@", encoded(&own.user), encoded(own.password.expose())));
    let source = account.map(|own| format!("&authMechanism=SCRAM-SHA-256&authSource={}", encoded(&own.source)));
    format!("mongodb://{}{place}/?directConnection=true{}", user.unwrap_or_default(), source.unwrap_or_default())
}

fn variables(tools: &Tools, environment: &ToolEnvironment) -> Vec<(OsString, OsString)> {
    if tools.inside.is_some() {
        // Nobody's: no file of the container's user is read.
        return vec![("HOME".into(), "/nonexistent".into())];
    }
    environment.selected(|name| name == "TMPDIR")
}

/// Says why a value cannot be dialled as it stands; `None` where it can be.
pub(crate) fn undialable(target: &Target) -> Option<String> {
    let option = |wanted: &str| {
        let is_it = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(wanted);
        target.parameters.iter().find(is_it).map(|(_, value)| value.as_str())
    };
    if target.is_srv() {
        return Some("where its servers are stands in the DNS".to_owned());
    }
    if ["tls", "ssl"].iter().any(|name| option(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))) {
        return Some("it asks for TLS, which safe-test does not speak with MongoDB".to_owned());
    }
    if target.client_certificate().is_some() {
        return Some("it logs in by a certificate".to_owned());
    }
    let mechanism =
        option("authMechanism").filter(|name| !name.is_empty() && !name.starts_with("SCRAM-") && *name != "DEFAULT");
    mechanism.map(|name| format!("it logs in by {}", shown(name)))
}

/// Lists the accounts that may be meant, in the order in which drivers would take them: a database in the value may be the
/// one that knows the user, and where it stood in another variable, it is `admin`.
pub(crate) fn accounts(target: &Target) -> Vec<Account> {
    let Some(user) = target.user.as_deref().filter(|user| !user.is_empty()) else { return Vec::new() };
    let password = target.password.clone().unwrap_or_else(|| Secret::new(""));
    let named = target.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case("authSource"));
    let mut sources: Vec<String> = match named {
        Some((_, source)) if !source.is_empty() => vec![source.clone()],
        _ => target.database.iter().cloned().chain(["admin".to_owned()]).collect(),
    };
    sources.dedup();
    sources.into_iter().map(|source| Account { user: user.to_owned(), password: password.clone(), source }).collect()
}

/// Names a place, without secrets: `127.0.0.1:27017`.
pub(crate) fn described(at: &Place) -> String {
    match at {
        Place::Host { name, port } if name.contains(':') => format!("[{name}]:{}", port.unwrap_or(PORT)),
        Place::Host { name, port } => format!("{name}:{}", port.unwrap_or(PORT)),
        Place::Socket { path, .. } | Place::File { path } => shown(path).into_owned(),
        Place::Memory => "memory".to_owned(),
        Place::Instance { name } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;

    fn target(parameters: &[(&str, &str)]) -> Target {
        Target {
            engine: Engine::Mongodb,
            places: vec![Place::Host { name: "localhost".into(), port: None }],
            database: Some("shop".into()),
            user: Some("a@b".into()),
            password: Some(Secret::new("hun:ter/2\"\\")),
            parameters: parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            origins: vec![Origin::process("MONGODB_URI")],
            doubts: Vec::new(),
        }
    }

    fn tools() -> Tools {
        Tools { dump: "/usr/bin/x".into(), restore: "/usr/bin/y".into(), version: "100.9.4".into(), inside: None }
    }

    #[test]
    fn the_url_goes_by_the_private_file_and_nothing_is_inherited() {
        let names = ["PATH", "HOME", "MONGODB_URI", "TMPDIR"].map(|name| (name.into(), "/v".into()));
        let environment = ToolEnvironment::new(&names, Path::new("/p"), Path::new("/p"));
        let target = target(&[("authSource", "users"), ("replicaSet", "rs0")]);
        let account = accounts(&target).pop();
        let connection = Connection::new(&target, &target.places[0], account, &tools(), &environment).unwrap();
        let Url::File(file) = &connection.url else { panic!("programs of this machine read a file") };
        assert_eq!(
            std::fs::read_to_string(file.path()).unwrap(),
            "uri: \"mongodb://a%40b:hun%3Ater%2F2%22%5C@localhost:27017/?directConnection=true\
             &authMechanism=SCRAM-SHA-256&authSource=users\"\n"
        );
        let planned = connection.dump("shop", Path::new("/x"));
        assert_eq!(planned.environment, [("TMPDIR".into(), "/v".into())]);
        let ToolCommand::Here(command) = connection.restore("shop*", "shop_restoring") else { panic!("it is here") };
        let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(arguments[1..4], ["--nsInclude=shop\\*.*", "--nsFrom=shop\\*.*", "--nsTo=shop_restoring.*"]);
        let shown = format!("{connection:?} {arguments:?} {planned:?}");
        assert!(!shown.contains("hun"), "{shown}");
    }

    #[test]
    fn places_are_written_as_the_tools_read_them() {
        for (place, expected) in [
            (Place::Host { name: "::1".into(), port: Some(1) }, "mongodb://[::1]:1/?"),
            (
                Place::Socket { path: "/tmp/mongodb-27017.sock".into(), port: None },
                "mongodb://%2Ftmp%2Fmongodb%2D27017%2Esock/?",
            ),
        ] {
            let url = url(&place, None);
            assert!(
                url.starts_with(expected) && url.contains("directConnection=true") && !url.contains("auth"),
                "{url}"
            );
        }
    }

    #[test]
    fn users_are_looked_for_where_a_driver_would_look() {
        let sources = |target: &Target| accounts(target).into_iter().map(|own| own.source).collect::<Vec<_>>();
        assert_eq!(sources(&target(&[])), ["shop", "admin"]);
        assert_eq!(sources(&target(&[("authsource", "users")])), ["users"]);
        assert_eq!(sources(&Target { database: Some("admin".into()), ..target(&[]) }), ["admin"]);
        assert!(accounts(&Target { user: None, ..target(&[]) }).is_empty());
    }

    #[test]
    fn what_cannot_be_dialled_is_said_beforehand() {
        for (parameters, expected) in [
            (&[][..], None),
            (&[("tls", "false"), ("authMechanism", "SCRAM-SHA-1")], None),
            (&[("tls", "true")], Some("it asks for TLS, which safe-test does not speak with MongoDB")),
            (&[("ssl", "True")], Some("it asks for TLS, which safe-test does not speak with MongoDB")),
            (&[("srv", "true")], Some("where its servers are stands in the DNS")),
            (&[("sslcert", "/c.pem")], Some("it logs in by a certificate")),
            (&[("authMechanism", "GSSAPI")], Some("it logs in by GSSAPI")),
        ] {
            assert_eq!(undialable(&target(parameters)).as_deref(), expected, "{parameters:?}");
        }
    }
}
