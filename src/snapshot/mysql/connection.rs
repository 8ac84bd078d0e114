//! Tells the client programs where to connect: by an option file of their own, never by arguments or an inherited
//! environment.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use crate::own_tools::{HANDED_FILE, ToolCommand, ToolEnvironment};
use crate::reach::{Place, Target};
use crate::secret::Secret;
use crate::snapshot::containers::Inside;
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::installed::Tools;
use crate::snapshot::mysql::option_file;
use crate::snapshot::mysql::version::Flavor;
use crate::snapshot::secret_file::SecretFile;
use crate::text::shown;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// As client and server agree.
    Preferred,
    /// Encrypted, the server's certificate not checked: it is on this machine.
    Required,
    /// Not encrypted.
    Off,
}

/// One way to a server: its place, the programs, the protection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The programs in use.
    pub(crate) tools: Tools,
    /// The protection in use.
    pub(crate) tls: Tls,
    at: Place,
    user: Option<String>,
    password: Option<Secret>,
    environment: ToolEnvironment,
    variables: Vec<(OsString, OsString)>,
    secrets: Vec<Secret>,
    options: Options,
    place: String,
}

/// The option file: a private one of this machine, which is removed when it is dropped, or the text that programs inside a
/// container are handed.
#[derive(Debug, Clone)]
enum Options {
    File(Arc<SecretFile>),
    Handed(Secret),
}

impl Connection {
    /// Makes the connection that a target's own driver would make to one of its places, as far as the client programs can.
    ///
    /// # Errors
    ///
    /// [`MysqlError::NotDialable`]; `DumpError::File` if the private option file cannot be written.
    pub(crate) fn new(
        target: &Target,
        at: &Place,
        tools: &Tools,
        tls: Tls,
        environment: &ToolEnvironment,
    ) -> Result<Self, MysqlError> {
        let place = described(at);
        let password = target.password.clone().filter(|password| !password.expose().is_empty());
        let user = target.user.clone().filter(|user| !user.is_empty());
        let options = written(at, user.as_deref(), password.as_ref(), tools, tls, environment, &place)?;
        Ok(Connection {
            tools: tools.clone(),
            tls,
            at: at.clone(),
            user,
            password,
            environment: environment.clone(),
            variables: variables(tools, environment),
            secrets: target.secrets(),
            options,
            place,
        })
    }

    /// Makes the same connection by other programs.
    ///
    /// # Errors
    ///
    /// As [`Connection::new`].
    pub(crate) fn by(&self, tools: &Tools) -> Result<Connection, MysqlError> {
        if (tools.flavor, &tools.inside) == (self.tools.flavor, &self.tools.inside) {
            return Ok(Connection { tools: tools.clone(), ..self.clone() });
        }
        let (user, password) = (self.user.as_deref(), self.password.as_ref());
        let options = written(&self.at, user, password, tools, self.tls, &self.environment, &self.place)?;
        let variables = variables(tools, &self.environment);
        Ok(Connection { tools: tools.clone(), options, variables, ..self.clone() })
    }

    /// Makes the command of a client that reads statements from its standard input, and ends at the first that fails.
    pub(crate) fn client_command(&self, database: Option<&str>) -> ToolCommand {
        let mut command = self.tools.command(&self.tools.client, &self.variables);
        self.hand_options(&mut command);
        // The option file has to come first: only then is no other one read. Within the statements nothing but DELIMITER is
        // the client's own; their comments, and `\r` in them, reach the server.
        command.arg(self.defaults_file());
        command.args(["--batch", "--binary-mode", "--comments", "--skip-auto-rehash", "--skip-reconnect"]);
        command.args(["--default-character-set=utf8mb4", "--max-allowed-packet=1073741824"]);
        // MariaDB's would print the statement that failed, with all its rows.
        command.arg("--loose-skip-print-query-on-error");
        if let Some(database) = database {
            command.arg(format!("--database={database}"));
        }
        command
    }

    /// Gives the option that names the private option file. It has to be the first.
    pub(crate) fn defaults_file(&self) -> OsString {
        let mut option = OsString::from("--defaults-file=");
        match &self.options {
            Options::File(file) => option.push(file.path()),
            Options::Handed(_) => option.push(HANDED_FILE),
        }
        option
    }

    /// Makes the process of a dump that was planned.
    pub(crate) fn planned(&self, planned: &DumpCommand) -> ToolCommand {
        let mut command = planned.process();
        self.hand_options(&mut command);
        command
    }

    fn hand_options(&self, command: &mut ToolCommand) {
        if let Options::Handed(text) = &self.options {
            command.hand_file(text.expose());
        }
    }

    /// Names the client as a person would.
    pub(crate) fn client_name(&self) -> &'static str {
        match self.tools.flavor {
            Flavor::Mariadb => "mariadb",
            Flavor::Mysql => "mysql",
        }
    }

    /// Names the dump program as a person would.
    pub(crate) fn dump_name(&self) -> &'static str {
        match self.tools.flavor {
            Flavor::Mariadb => "mariadb-dump",
            Flavor::Mysql => "mysqldump",
        }
    }

    /// Gives the environment for the programs. It holds no password: that is in the private file, which goes with this
    /// connection.
    pub(crate) fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// Lists what must not show in what a program says.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Names the server, without secrets: `127.0.0.1:3306`.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Gives the user that is logged in as, where one is named.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Gives the place that is dialled.
    pub(crate) fn at(&self) -> &Place {
        &self.at
    }
}

/// Gives the environment for programs.
fn variables(tools: &Tools, environment: &ToolEnvironment) -> Vec<(OsString, OsString)> {
    let mut variables = Vec::new();
    if tools.inside.is_some() {
        // Nobody's: no file of the container's user is read.
        variables.push(("HOME".into(), "/nonexistent".into()));
    } else {
        variables = environment.selected(|name| name == "TMPDIR");
        // For a program that is a script; one whose name holds a colon cannot be named in a list.
        if let Ok(path) = std::env::join_paths(environment.folders()) {
            variables.push(("PATH".into(), path));
        }
    }
    variables.push(("LC_ALL".into(), "C.UTF-8".into()));
    variables
}

fn written(
    at: &Place,
    user: Option<&str>,
    password: Option<&Secret>,
    tools: &Tools,
    tls: Tls,
    environment: &ToolEnvironment,
    place: &str,
) -> Result<Options, MysqlError> {
    let refuse = |reason| MysqlError::NotDialable { place: place.to_owned(), reason };
    let seen_inside = |inside: &Inside| Place::Host { name: "127.0.0.1".to_owned(), port: Some(inside.port) };
    let mut options = dialled(&tools.inside.as_ref().map_or_else(|| at.clone(), seen_inside)).map_err(refuse)?;
    options.extend(user.map(|user| ("user", user.to_owned())));
    options.extend(password.map(|password| ("password", password.expose().to_owned())));
    // The dump programs know no such option.
    options.push(("loose-connect-timeout", "10".to_owned()));
    options.extend(protection(tools.flavor, tls).iter().map(|(name, value)| (*name, (*value).to_owned())));
    let written = match &tools.inside {
        Some(_) => option_file::text(&options).map(|text| Options::Handed(Secret::new(&text))),
        None => option_file::write(&options, environment).map(|file| Options::File(Arc::new(file))),
    };
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => refuse("a part of it is too long for an option file, or holds a NUL byte"),
        _ => MysqlError::file("write the private option file", Path::new("my.cnf"))(error),
    })
}

/// Lists the options that name a place.
fn dialled(at: &Place) -> Result<Vec<(&'static str, String)>, &'static str> {
    match at {
        // To the client programs `localhost` alone means the Unix socket; the value that was judged has a port.
        Place::Host { name, port } => {
            Ok(vec![("protocol", "TCP".to_owned()), ("host", name.clone()), ("port", port.unwrap_or(3306).to_string())])
        }
        Place::Socket { path, .. } => {
            let path = path.to_str().filter(|path| path.starts_with('/'));
            let path = path.ok_or("its socket's path is not absolute, or not UTF-8")?;
            Ok(vec![("protocol", "SOCKET".to_owned()), ("socket", path.to_owned())])
        }
        Place::File { .. } | Place::Memory => Err("MySQL has no databases in files"),
        Place::Instance { .. } => Err("only its provider knows where it is"),
    }
}

/// Lists the options for a protection. No certificate is checked: what is saved is on this machine.
fn protection(flavor: Flavor, tls: Tls) -> &'static [(&'static str, &'static str)] {
    match (flavor, tls) {
        (Flavor::Mariadb, Tls::Preferred) => &[("loose-ssl-verify-server-cert", "0")],
        (Flavor::Mariadb, Tls::Required) => &[("ssl", "1"), ("loose-ssl-verify-server-cert", "0")],
        (Flavor::Mariadb, Tls::Off) => &[("ssl", "0"), ("loose-ssl-verify-server-cert", "0")],
        // Without TLS the password is encrypted by the key that the server gives.
        (Flavor::Mysql, Tls::Preferred) => &[("loose-ssl-mode", "PREFERRED"), ("loose-get-server-public-key", "1")],
        (Flavor::Mysql, Tls::Required) => &[("loose-ssl-mode", "REQUIRED")],
        (Flavor::Mysql, Tls::Off) => &[("loose-ssl-mode", "DISABLED"), ("loose-get-server-public-key", "1")],
    }
}

/// Lists the protections to try in turn: what the value asks for, else what client and server agree upon, and each of the
/// others, for a client that insists on what the server has not, and the other way round.
pub(crate) fn protections(target: &Target) -> &'static [Tls] {
    let asks = |(key, value): &(String, String)| {
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let value: String = value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let insists = ["require", "required", "verifyca", "verifyfull", "verifyidentity", "trust"];
        (["ssl", "sslmode", "tls", "usessl", "requiressl"].contains(&key.as_str()) && insists.contains(&value.as_str()))
            || key == "requiressl" && value == "true"
    };
    if target.parameters.iter().any(asks) { &[Tls::Required] } else { &[Tls::Preferred, Tls::Required, Tls::Off] }
}

fn described(at: &Place) -> String {
    match at {
        Place::Host { name, port } if name.contains(':') => format!("[{name}]:{}", port.unwrap_or(3306)),
        Place::Host { name, port } => format!("{name}:{}", port.unwrap_or(3306)),
        Place::Socket { path, .. } | Place::File { path } => shown(path).into_owned(),
        Place::Memory => "memory".to_owned(),
        Place::Instance { name } => name.clone(),
    }
}

/// Gives the socket that a place means: the file itself.
pub(crate) fn socket(path: &Path) -> Option<&Path> {
    path.is_absolute().then_some(path).filter(|path| path.file_name() != Some(OsStr::new("")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;
    use crate::snapshot::mysql::version::Version;

    fn target(parameters: &[(&str, &str)]) -> Target {
        Target {
            engine: Engine::Mysql,
            places: vec![Place::Host { name: "localhost".into(), port: Some(3307) }],
            database: Some("shop".into()),
            user: Some("app".into()),
            password: Some(Secret::new(r#"hun"ter\2 #"#)),
            parameters: parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    fn tools(flavor: Flavor) -> Tools {
        let version = Version { major: 10, minor: 11, patch: 1 };
        Tools { client: "/usr/bin/x".into(), dump: "/usr/bin/x-dump".into(), flavor, version, inside: None }
    }

    #[test]
    fn everything_goes_by_the_private_file_and_nothing_is_inherited() {
        let names = ["PATH", "HOME", "MYSQL_PWD", "MYSQL_HOST", "MYSQL_UNIX_PORT", "MYSQL_TEST_LOGIN_FILE", "LANG"];
        let environment: Vec<_> = names.map(|name| (OsString::from(name), OsString::from("/v"))).into();
        let environment = ToolEnvironment::new(&environment, Path::new("/p"), Path::new("/p"));
        let target = target(&[]);
        let connection =
            Connection::new(&target, &target.places[0], &tools(Flavor::Mariadb), Tls::Preferred, &environment).unwrap();
        let mut set: Vec<_> = connection.variables.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        set.sort_unstable();
        assert_eq!(set, ["LC_ALL", "PATH"]);
        let read = |connection: &Connection| match &connection.options {
            Options::File(file) => std::fs::read_to_string(file.path()).unwrap(),
            Options::Handed(_) => panic!("programs of this machine read a file"),
        };
        let expected = "[client]\nprotocol=\"TCP\"\nhost=\"localhost\"\nport=\"3307\"\nuser=\"app\"\n\
                        password=\"hun\\\"ter\\\\2 #\"\nloose-connect-timeout=\"10\"\nloose-ssl-verify-server-cert=\"0\"\n";
        assert_eq!(read(&connection), expected);
        let ToolCommand::Here(command) = connection.client_command(Some("-shop")) else {
            panic!("programs of this machine have a process here")
        };
        let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert!(arguments[0].starts_with("--defaults-file=/"), "{arguments:?}");
        assert_eq!(arguments.last().unwrap(), "--database=-shop");
        let shown = format!("{connection:?} {arguments:?}");
        assert!(!shown.contains("hun"), "{shown}");
        let other = connection.by(&tools(Flavor::Mysql)).unwrap();
        assert!(read(&other).contains("loose-ssl-mode=\"PREFERRED\"\n"));
    }

    #[test]
    fn a_value_that_insists_on_encryption_gets_no_other_connection() {
        for (parameters, expected) in [
            (&[("ssl-mode", "REQUIRED")][..], &[Tls::Required][..]),
            (&[("sslmode", "verify-full")], &[Tls::Required]),
            (&[("requireSSL", "true")], &[Tls::Required]),
            (&[("charset", "utf8mb4")], &[Tls::Preferred, Tls::Required, Tls::Off]),
            (&[("useSSL", "false")], &[Tls::Preferred, Tls::Required, Tls::Off]),
        ] {
            assert_eq!(protections(&target(parameters)), expected, "{parameters:?}");
        }
    }

    #[test]
    fn what_the_programs_cannot_dial_is_refused() {
        let target = target(&[]);
        for place in [
            Place::Memory,
            Place::Instance { name: "p:r:i".into() },
            Place::Socket { path: "relative.sock".into(), port: None },
        ] {
            let tools = tools(Flavor::Mysql);
            let error = Connection::new(&target, &place, &tools, Tls::Off, &ToolEnvironment::default()).unwrap_err();
            assert!(matches!(error, MysqlError::NotDialable { .. }), "{error}");
        }
    }
}
