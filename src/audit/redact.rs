//! Commands as they may be written down: without what would let a reader log in.
//!
//! Looks at words: assignments, options that take a password, the short options of database clients, scripts for a
//! shell. What stands inside a word is [`redact_text`]'s part. Nothing is executed or expanded.

use std::ffi::OsString;
use std::fmt::Write;

use crate::audit::redact_text::{is_secret_word, redact_text, says_secret, words_of};
use crate::secret::{MASK, Secret};

/// The longest argument that is kept whole, in bytes after masking.
const LONGEST_WORD: usize = 8 * 1024;
/// How many bytes of arguments are kept in all.
const LONGEST_COMMAND: usize = 64 * 1024;

/// A command as the log shows it: secrets masked, bytes that are not UTF-8 as `\xFF`, cut where it is very long.
#[must_use]
pub(crate) fn redact_command(words: &[OsString], secrets: &[Secret]) -> Vec<String> {
    let mut redactor = Redactor { secrets, client: None, next: Next::Plain };
    let (mut shown, mut bytes) = (Vec::new(), 0);
    for (index, word) in words.iter().enumerate() {
        let mut text = redactor.word(&escaped(word));
        if text.len() > LONGEST_WORD {
            let end = (0..=LONGEST_WORD).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text = format!("{}… ({} bytes more)", &text[..end], text.len() - end);
        }
        bytes += text.len();
        if bytes > LONGEST_COMMAND {
            shown.push(format!("… ({} arguments more)", words.len() - index));
            break;
        }
        shown.push(text);
    }
    shown
}

fn escaped(word: &OsString) -> String {
    let mut text = String::new();
    for chunk in word.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

/// What the word before says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Plain,
    /// It is a secret.
    Secret,
    /// It is `user:password`.
    Login,
    /// It is a script for a shell.
    Script,
}

/// The programs whose short options take a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// `-pX`; a `-p` alone asks.
    Mysql,
    /// `-p X` or `-pX`.
    Mongo,
    /// `-P X` or `-PX`.
    SqlServer,
    /// `-a X`.
    Redis,
    /// `user/password@place`.
    Oracle,
    /// `-u user:password`.
    Http,
}

fn client(program: &str) -> Option<Client> {
    let name = program.rsplit('/').next().unwrap_or(program);
    if name.starts_with("mysql") || name.starts_with("mariadb") || matches!(name, "mycli" | "mydumper" | "myloader") {
        return Some(Client::Mysql);
    }
    if name.starts_with("mongo") || matches!(name, "cqlsh" | "cypher-shell" | "sshpass" | "bsondump") {
        return Some(Client::Mongo);
    }
    match name {
        "sqlcmd" | "bcp" | "isql" | "tsql" => Some(Client::SqlServer),
        "redis-cli" | "valkey-cli" | "keydb-cli" | "redis-benchmark" => Some(Client::Redis),
        "sqlplus" | "sqlldr" | "impdp" | "expdp" | "rman" => Some(Client::Oracle),
        "curl" | "wget" | "http" | "https" | "xh" => Some(Client::Http),
        _ => None,
    }
}

struct Redactor<'a> {
    secrets: &'a [Secret],
    client: Option<Client>,
    next: Next,
}

impl Redactor<'_> {
    fn word(&mut self, word: &str) -> String {
        match std::mem::replace(&mut self.next, Next::Plain) {
            Next::Secret if !word.starts_with("--") => return MASK.to_owned(),
            Next::Login => return mask_login(word),
            Next::Script => return self.script(word),
            Next::Secret | Next::Plain => {}
        }
        if let Some(known) = client(word) {
            self.client = Some(known);
            return word.to_owned();
        }
        if let Some((name, value)) = assignment(word)
            && says_secret(name)
        {
            return if value.is_empty() { word.to_owned() } else { format!("{name}={MASK}") };
        }
        if let Some(masked) = self.option(word) {
            return masked;
        }
        redact_text(word, self.secrets)
    }

    /// Masks what an option holds, or notes what the next word will hold.
    fn option(&mut self, word: &str) -> Option<String> {
        if takes_a_secret(word) {
            self.next = Next::Secret;
            return Some(word.to_owned());
        }
        let attached = |option: &str| Some(format!("{option}{MASK}"));
        let is = |option: &str| word.starts_with(option) && !word.starts_with("--");
        match self.client {
            Some(Client::Mysql) if is("-p") && word.len() > 2 => return attached("-p"),
            Some(Client::Mongo) if word == "-p" => self.next = Next::Secret,
            Some(Client::Mongo) if is("-p") => return attached("-p"),
            Some(Client::SqlServer) if word == "-P" => self.next = Next::Secret,
            Some(Client::SqlServer) if is("-P") => return attached("-P"),
            Some(Client::Redis) if word == "-a" => self.next = Next::Secret,
            Some(Client::Http) if matches!(word, "-u" | "--user" | "-U" | "--proxy-user" | "-a" | "--auth") => {
                self.next = Next::Login;
            }
            Some(Client::Oracle) => {
                let (user, rest) = word.split_once('/').filter(|(user, _)| !user.is_empty() && !user.contains('='))?;
                let place = rest.rsplit_once('@').map_or(String::new(), |(_, place)| format!("@{place}"));
                return Some(format!("{user}/{MASK}{place}"));
            }
            Some(_) | None => {}
        }
        // sh -c, bash -lc, su -c: what follows is a command line of its own.
        let letters = word.strip_prefix('-').filter(|letters| letters.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if self.client.is_none() && letters.is_some_and(|letters| letters.len() < 5 && letters.ends_with('c')) {
            self.next = Next::Script;
        }
        None
    }

    /// Masks the words of a script one by one, keeping what stands between them.
    fn script(&mut self, script: &str) -> String {
        let mut words = Redactor { secrets: self.secrets, client: None, next: Next::Plain };
        let script = self.secrets.iter().fold(script.to_owned(), |text, secret| secret.redact_in(&text));
        let (mut shown, mut word, mut quote) = (String::new(), String::new(), None);
        for character in script.chars() {
            let separates =
                quote.is_none() && (character.is_whitespace() || matches!(character, ';' | '|' | '(' | ')'));
            if separates {
                if !word.is_empty() {
                    shown.push_str(&words.word(&std::mem::take(&mut word)));
                }
                shown.push(character);
                continue;
            }
            match quote {
                None if matches!(character, '\'' | '"') => quote = Some(character),
                Some(open) if open == character => quote = None,
                None | Some(_) => {}
            }
            word.push(character);
        }
        if !word.is_empty() {
            shown.push_str(&words.word(&word));
        }
        shown
    }
}

/// `NAME=value` or `--name=value` with the whole word as one assignment.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!name.is_empty() && name.bytes().all(plain)).then_some((name, value))
}

/// Whether a long option's next word is a secret: its last word says so (`--passWithNoTests` does not).
fn takes_a_secret(word: &str) -> bool {
    let Some(name) = word.strip_prefix('-').filter(|name| name.len() > 3) else { return false };
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    plain && words_of(name).last().is_some_and(|last| is_secret_word(last))
}

/// `user:password` without the password.
fn mask_login(word: &str) -> String {
    word.split_once(':').map_or_else(|| word.to_owned(), |(user, _)| format!("{user}:{MASK}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn shown(line: &[&str]) -> String {
        let words: Vec<OsString> = line.iter().map(OsString::from).collect();
        redact_command(&words, &[Secret::new("t0psecret")]).join(" ")
    }

    #[test]
    fn passwords_in_a_command_are_masked() {
        let cases: [(&[&str], &str); 36] = [
            (&["npm", "test"], "npm test"),
            (&["x", "--password=hunter2"], "x --password=***"),
            (&["x", "--password", "hunter2", "db"], "x --password *** db"),
            (&["x", "-password", "hunter2"], "x -password ***"),
            (&["mysql", "-uroot", "-phunter2", "shop"], "mysql -uroot -p*** shop"),
            (&["mysql", "-p", "shop"], "mysql -p shop"),
            (&["/usr/bin/mariadb-dump", "-phunter2"], "/usr/bin/mariadb-dump -p***"),
            (&["docker", "compose", "exec", "db", "mysql", "-phunter2"], "docker compose exec db mysql -p***"),
            (&["docker", "run", "-p", "5432:5432", "postgres"], "docker run -p 5432:5432 postgres"),
            (&["mongosh", "-u", "app", "-p", "hunter2"], "mongosh -u app -p ***"),
            (&["sqlcmd", "-U", "sa", "-P", "hunter2"], "sqlcmd -U sa -P ***"),
            (&["redis-cli", "-a", "hunter2", "ping"], "redis-cli -a *** ping"),
            (&["sqlplus", "app/hunter2@db"], "sqlplus app/***@db"),
            (&["curl", "-u", "me:hunter2", "http://localhost"], "curl -u me:*** http://localhost"),
            (&["curl", "-H", "Authorization: Bearer abc.def"], "curl -H Authorization: ***"),
            (&["env", "PGPASSWORD=hunter2", "psql"], "env PGPASSWORD=*** psql"),
            (&["docker", "run", "-e", "SECRET_KEY=a b", "x"], "docker run -e SECRET_KEY=*** x"),
            (&["env", "MYSQL_PWD=hunter2", "DB_PASS=x", "authToken=y"], "env MYSQL_PWD=*** DB_PASS=*** authToken=***"),
            (&["env", "PASSWORD=", "true"], "env PASSWORD= true"),
            (&["psql", "postgres://app:hunter2@localhost/app"], "psql postgres://app:***@localhost/app"),
            (&["psql", "postgres://app:hun/t@er2@localhost/app"], "psql postgres://app:***@localhost/app"),
            (&["redis-cli", "-u", "redis://:hunter2@localhost"], "redis-cli -u redis://:***@localhost"),
            (&["git", "clone", "https://ghp_abc@github.com/x/y"], "git clone https://***@github.com/x/y"),
            (&["psql", "postgres://app@localhost/app"], "psql postgres://app@localhost/app"),
            (&["x", "DATABASE_URL=mysql://a:b@h/d"], "x DATABASE_URL=mysql://a:***@h/d"),
            (&["x", "mongodb://a:b@h/d,mongodb://c:d@h/e"], "x mongodb://a:***@h/d,mongodb://c:***@h/e"),
            (&["psql", "host=h password=hunter2 dbname=d"], "psql host=h password=*** dbname=d"),
            (&["x", "Server=h;Password=a b;Database=d"], "x Server=h;Password=***;Database=d"),
            (
                &["x", "jdbc:postgresql://h/d?user=a&password=b&ssl=1"],
                "x jdbc:postgresql://h/d?user=a&password=***&ssl=1",
            ),
            (&["x", r#"{"user":"a","password":"b c","n":1}"#], r#"x {"user":"a","password":***,"n":1}"#),
            (&["sh", "-c", "PGPASSWORD='a b' psql -c 'select 1'"], "sh -c PGPASSWORD=*** psql -c 'select 1'"),
            (&["bash", "-lc", "cd x; mysql -phunter2 shop | wc"], "bash -lc cd x; mysql -p*** shop | wc"),
            (&["jest", "--passWithNoTests", "src/a"], "jest --passWithNoTests src/a"),
            (&["pytest", "-k", "token", "--keepdb"], "pytest -k token --keepdb"),
            (&["echo", "at0psecret,t0psecret"], "echo a***,***"),
            (&["x", "http://localhost:3000/a?mail=b"], "x http://localhost:3000/a?mail=b"),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(line), expected, "{line:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_escaped() {
        let words = [OsString::from_vec(b"a\xff\xfeb".to_vec())];
        assert_eq!(redact_command(&words, &[]), ["a\\xFF\\xFEb"]);
    }

    #[test]
    fn a_very_long_command_is_cut() {
        let long = vec![OsString::from("ä".repeat(6000)); 20];
        let shown = redact_command(&long, &[]);
        assert!(shown[0].ends_with("… (3808 bytes more)"), "{}", shown[0]);
        assert_eq!(shown.last().unwrap(), "… (13 arguments more)");
        assert!(shown.concat().len() < LONGEST_COMMAND + 100);
    }
}
