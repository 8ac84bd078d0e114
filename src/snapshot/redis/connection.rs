//! How a server is reached by the tools: by arguments made of what was judged and of nothing else, the password in the
//! environment of the program alone.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::own_tools::ToolCommand;
use crate::reach::{Place, Target};
use crate::secret::{ForeignText, Secret};
use crate::snapshot::Watch;
use crate::snapshot::engine::DumpCommand;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::installed::Tools;
use crate::snapshot::tool_process::{Running, ToolError, attended};
use crate::text::shown;

/// The port where none is written.
pub(crate) const PORT: u16 = 6379;

/// The variable that the tools read the password from.
const PASSWORD: &str = "REDISCLI_AUTH";

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of an answer.
const MOST_ANSWER: u64 = 4 << 20;

/// The way to one server.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The programs.
    pub(crate) tools: Tools,
    at: Place,
    user: Option<String>,
    password: Option<Secret>,
    /// The arguments for TLS; none without.
    tls: Vec<OsString>,
    secrets: Vec<Secret>,
}

impl Connection {
    /// Prepares the way to a place of a target.
    pub(crate) fn new(target: &Target, at: &Place, tools: &Tools) -> Connection {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Connection {
            tools: tools.clone(),
            at: at.clone(),
            user: given(&target.user),
            password: target.password.clone().filter(|password| !password.expose().is_empty()),
            tls: tls(target),
            secrets: target.secrets(),
        }
    }

    /// Prepares the way to a temporary server of ours on this machine.
    pub(crate) fn to_temporary(tools: &Tools, port: u16, user: Option<&str>, password: &Secret) -> Connection {
        Connection {
            tools: tools.clone(),
            at: Place::Host { name: "127.0.0.1".to_owned(), port: Some(port) },
            user: user.map(str::to_owned),
            password: Some(password.clone()),
            tls: Vec::new(),
            secrets: vec![password.clone()],
        }
    }

    /// Names the client.
    pub(crate) fn client(&self) -> &'static str {
        self.tools.family.client()
    }

    /// Plans a dump of the whole server into a file: the client writes it to its output.
    pub(crate) fn dump(&self, output: &Path) -> DumpCommand {
        let mut arguments = self.arguments();
        arguments.extend(["--rdb".into(), "-".into()]);
        DumpCommand {
            label: self.client(),
            program: self.tools.client.clone(),
            inside: self.tools.inside.as_ref().map(|inside| Box::new(inside.container.clone())),
            arguments,
            environment: Vec::new(),
            output: output.to_owned(),
        }
    }

    /// Makes the process of a dump that was planned.
    pub(crate) fn planned(&self, planned: &DumpCommand) -> ToolCommand {
        self.with_password(planned.process())
    }

    fn with_password(&self, mut command: ToolCommand) -> ToolCommand {
        if let Some(password) = &self.password {
            command.env(PASSWORD, password.expose());
        }
        command
    }

    /// Lists the arguments that say where the server is.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let host = |name: &str, port: u16| vec!["-h".into(), name.into(), "-p".into(), port.to_string().into()];
        let mut arguments: Vec<OsString> = match (&self.tools.inside, &self.at) {
            (Some(inside), Place::Host { .. }) => host("127.0.0.1", inside.port),
            (_, Place::Host { name, port }) => host(name, port.unwrap_or(PORT)),
            (_, Place::Socket { path, .. }) => vec!["-s".into(), path.into()],
            (_, Place::File { .. } | Place::Memory | Place::Instance { .. }) => Vec::new(),
        };
        if let (Some(user), Some(_)) = (&self.user, &self.password) {
            arguments.extend(["--user".into(), user.into()]);
        }
        arguments.extend(self.tls.iter().cloned());
        arguments
    }

    /// Lists what must not show in what a program says.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Gives the user that is logged in as.
    pub(crate) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("default")
    }

    /// Gives a command of these words, which are no secrets, and the answer to it.
    ///
    /// # Errors
    ///
    /// [`RedisError::CannotConnect`] where the server is not reached, does not answer, or does not let us in;
    /// [`RedisError::Command`] where it answers with an error.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String, RedisError> {
        self.converse(words, None)
    }

    fn converse(&self, words: &[&str], last: Option<&Secret>) -> Result<String, RedisError> {
        let container = self.tools.inside.as_ref().map(|inside| &inside.container);
        let mut command = self.with_password(ToolCommand::of(&self.tools.client, container, &[]));
        command.args(self.arguments()).args(last.map(|_| "-x")).args(words);
        let mut client = Running::start(self.client(), command, str::to_owned, &self.secrets)?;
        let (stdin, stdout, stopper) = (client.stdin(), client.stdout(), client.stopper());
        let (answer, said, ended) = attended::<_, RedisError>(&Patience::begin(), &[stopper], || {
            let mut answer = Vec::new();
            if let (Some(mut stdin), Some(last)) = (stdin, last) {
                // One that has ended says why.
                let _ = stdin.write_all(last.expose().as_bytes());
            }
            if let Some(stdout) = stdout {
                let place = self.place();
                stdout.take(MOST_ANSWER).read_to_end(&mut answer).map_err(RedisError::file("read", place.as_ref()))?;
            }
            Ok((answer, client.messages(), client.finish()))
        })
        .map_err(|error| match error {
            RedisError::Tool(ToolError::Interrupted) => {
                self.cannot(Refusal::Closed, ForeignText::of("it takes the connection and does not answer"))
            }
            other => other,
        })?;
        if let Some(error) = self.refused(&said) {
            return Err(error);
        }
        let answer = String::from_utf8_lossy(&answer).trim_end().to_owned();
        if is_error(&answer) {
            return Err(self.answered(words, &answer));
        }
        ended?;
        Ok(answer)
    }

    /// Gives a command that is answered with `OK`.
    ///
    /// # Errors
    ///
    /// Those of [`ask`](Connection::ask).
    pub(crate) fn tell(&self, words: &[&str]) -> Result<(), RedisError> {
        let answer = self.ask(words)?;
        // `REPLICAOF` says what it has found besides.
        if answer.starts_with("OK") { Ok(()) } else { Err(self.answered(words, &answer)) }
    }

    /// Gives a server's setting a value, which reaches the client by its input.
    ///
    /// # Errors
    ///
    /// Those of [`ask`](Connection::ask).
    pub(crate) fn set(&self, name: &str, value: &Secret) -> Result<(), RedisError> {
        let words = ["CONFIG", "SET", name];
        let answer = self.converse(&words, Some(value))?;
        if answer == "OK" { Ok(()) } else { Err(self.answered(&words, &answer)) }
    }

    /// Gives a setting of the server; `None` for one that it does not have.
    ///
    /// # Errors
    ///
    /// Those of [`ask`](Connection::ask).
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, RedisError> {
        let answer = self.ask(&["CONFIG", "GET", name])?;
        Ok(answer.strip_prefix(name).map(|value| value.strip_prefix('\n').unwrap_or(value).to_owned()))
    }

    /// Classifies what a server answered with.
    fn answered(&self, words: &[&str], answer: &str) -> RedisError {
        let message = ForeignText::new(answer.lines().next().unwrap_or_default(), &self.secrets);
        let message = message.shortened(|text| text.chars().take(200).collect());
        let why = match answer.split(' ').next() {
            Some("NOAUTH" | "WRONGPASS") => Refusal::Denied,
            Some("LOADING") => Refusal::Loading,
            _ => return RedisError::Command { command: named(words), message },
        };
        self.cannot(why, message)
    }

    /// Classifies what a client complains of; `None` where it is no complaint.
    pub(crate) fn refused(&self, said: &str) -> Option<RedisError> {
        let reason = |line: &str| {
            let text = line.split_once(": ").map_or(line, |(_, rest)| rest);
            ForeignText::new(text.trim_start_matches('-'), &self.secrets)
                .shortened(|text| text.chars().take(200).collect())
        };
        let line = |marks: &[&str]| said.lines().find(|line| marks.iter().any(|mark| line.contains(mark)));
        if let Some(line) = line(&["AUTH failed", "NOAUTH", "WRONGPASS"]) {
            return Some(self.cannot(Refusal::Denied, reason(line)));
        }
        if let Some(line) = line(&["NOPERM"]) {
            return Some(self.cannot(Refusal::NotPermitted, reason(line)));
        }
        if let Some(line) = line(&["-LOADING"]) {
            return Some(self.cannot(Refusal::Loading, reason(line)));
        }
        if let Some(line) = line(&["Could not connect"]) {
            return Some(self.cannot(Refusal::NoServer, reason(line)));
        }
        if let Some(line) = line(&["Protocol error"]) {
            return Some(self.cannot(Refusal::NotRedis, reason(line)));
        }
        let closed = ["Server closed the connection", "Connection reset by peer", "Broken pipe", "I/O error"];
        line(&closed).map(|line| self.cannot(Refusal::Closed, reason(line)))
    }

    fn cannot(&self, why: Refusal, message: ForeignText) -> RedisError {
        RedisError::CannotConnect { place: self.place(), why, message }
    }

    /// Names the place that is dialled.
    pub(crate) fn place(&self) -> String {
        described(&self.at)
    }
}

/// One who waits for an answer for as long as that may take.
struct Patience(Instant);

impl Patience {
    fn begin() -> Patience {
        Patience(Instant::now() + PATIENCE)
    }
}

impl Watch for Patience {
    fn advance(&self, _bytes: u64) {}

    fn interrupted(&self) -> bool {
        Instant::now() > self.0
    }
}

/// Tells whether an answer is an error: the client writes them as it writes any text, and they begin with a word in capital
/// letters.
fn is_error(answer: &str) -> bool {
    let Some((word, _)) = answer.split_once(' ') else { return false };
    word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Names a command by its first words, which are no secrets.
fn named(words: &[&str]) -> &'static str {
    match words {
        ["CONFIG", "SET", ..] => "CONFIG SET",
        ["CONFIG", ..] => "CONFIG GET",
        ["REPLICAOF", ..] => "REPLICAOF",
        ["INFO", ..] => "INFO",
        _ => "a command",
    }
}

/// Writes a line of a server's settings, which reads each word in quotes as it stands.
pub(crate) fn line(words: &[&str]) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        line.push(b'"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => line.extend([b'\\', byte]),
                b' '..=b'~' => line.push(byte),
                other => line.extend(format!("\\x{other:02x}").bytes()),
            }
        }
        line.extend(*b"\" ");
    }
    line.push(b'\n');
    line
}

/// Lists the arguments for TLS. The server is on this machine: its certificate is checked where the value says by which
/// authority's.
fn tls(target: &Target) -> Vec<OsString> {
    let option = |wanted: &[&str]| {
        let is_it = |(key, _): &&(String, String)| {
            let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
            wanted.contains(&key.to_ascii_lowercase().as_str())
        };
        target.parameters.iter().find(is_it).map(|(_, value)| value.as_str())
    };
    if !option(&["tls", "ssl"]).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Vec::new();
    }
    match option(&["sslcacerts", "sslca", "tlsca", "tlscafile", "sslrootcert"]).filter(|path| path.starts_with('/')) {
        Some(path) => vec!["--tls".into(), "--cacert".into(), path.into()],
        None => vec!["--tls".into(), "--insecure".into()],
    }
}

/// Says why a value cannot be dialled as it stands; `None` where it can be.
pub(crate) fn undialable(target: &Target) -> Option<String> {
    if target.client_certificate().is_some() {
        return Some("it logs in by a certificate".to_owned());
    }
    let text = [target.user.as_deref(), target.password.as_ref().map(Secret::expose)];
    // What starts the client ends a variable and an argument there.
    text.into_iter().flatten().any(|text| text.contains('\0')).then(|| "a NUL is in its user or password".to_owned())
}

/// Names a place, without secrets: `127.0.0.1:6379`.
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
    use crate::snapshot::redis::installed::Family;

    fn target(place: Place, parameters: &[(&str, &str)]) -> Target {
        Target {
            engine: Engine::Redis,
            places: vec![place],
            database: Some("1".into()),
            user: Some("shop".into()),
            password: Some(Secret::new("hun ter2\"")),
            parameters: parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            origins: vec![Origin::process("REDIS_URL")],
            doubts: Vec::new(),
        }
    }

    fn connection(target: &Target) -> Connection {
        let tools = Tools {
            client: "/usr/bin/redis-cli".into(),
            family: Family::Redis,
            version: "7.0.15".into(),
            check: None,
            inside: None,
        };
        Connection::new(target, &target.places[0], &tools)
    }

    #[test]
    fn arguments_say_where_the_server_is_and_hold_no_password() {
        let host = || Place::Host { name: "::1".into(), port: None };
        let socket = Place::Socket { path: "/run/redis.sock".into(), port: None };
        for (target, expected) in [
            (target(host(), &[]), "-h ::1 -p 6379 --user shop"),
            (target(socket, &[]), "-s /run/redis.sock --user shop"),
            (Target { password: None, ..target(host(), &[]) }, "-h ::1 -p 6379"),
            (Target { user: None, ..target(host(), &[("tls", "true")]) }, "-h ::1 -p 6379 --tls --insecure"),
            (
                Target { user: None, ..target(host(), &[("tls", "true"), ("ssl_ca_certs", "/ca.pem")]) },
                "-h ::1 -p 6379 --tls --cacert /ca.pem",
            ),
        ] {
            let connection = connection(&target);
            let words: Vec<_> = connection.arguments().iter().map(|word| word.to_string_lossy().into_owned()).collect();
            assert_eq!(words.join(" "), expected);
            let planned = connection.dump(Path::new("/x"));
            assert!(planned.environment.is_empty() && !format!("{planned:?} {connection:?}").contains("hun"));
        }
    }

    #[test]
    fn words_are_written_so_that_a_server_reads_the_same() {
        let written = line(&["CONFIG", "SET", "masterauth", "a \"b\\\n\u{fc}"]);
        assert_eq!(written, b"\"CONFIG\" \"SET\" \"masterauth\" \"a \\\"b\\\\\\x0a\\xc3\\xbc\" \n");
    }

    #[test]
    fn errors_are_told_from_answers() {
        for (answer, expected) in [
            ("ERR unknown command", true),
            ("NOAUTH Authentication required.", true),
            ("OK", false),
            ("# Server\nredis_version:7.0.15", false),
            ("4", false),
            ("", false),
        ] {
            assert_eq!(is_error(answer), expected, "{answer}");
        }
    }

    #[test]
    fn complaints_of_the_client_are_understood() {
        let connection = connection(&target(Place::Host { name: "127.0.0.1".into(), port: Some(1) }, &[]));
        for (said, expected) in [
            ("Could not connect to Redis at 127.0.0.1:1: Connection refused", Some(Refusal::NoServer)),
            ("AUTH failed: WRONGPASS invalid username-password pair or user is disabled.", Some(Refusal::Denied)),
            (
                "sending REPLCONF capa eof\nSYNC with master failed: -NOAUTH Authentication required.",
                Some(Refusal::Denied),
            ),
            ("SYNC with master failed: -NOPERM this user has no permissions", Some(Refusal::NotPermitted)),
            ("SYNC with master failed: -LOADING Redis is loading the dataset in memory", Some(Refusal::Loading)),
            ("Error: Protocol error, got \"H\" as reply type byte", Some(Refusal::NotRedis)),
            ("Error: Server closed the connection", Some(Refusal::Closed)),
            ("Transfer finished with success after 198 bytes", None),
        ] {
            let why = connection.refused(said).map(|error| match error {
                RedisError::CannotConnect { why, .. } => why,
                other => panic!("{other}"),
            });
            assert_eq!(why, expected, "{said}");
        }
    }
}
