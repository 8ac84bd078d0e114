//! Commands as they may be written down: without what would let a reader log in.
//!
//! Looks at words: assignments, options that take a password, the arguments of the programs that `tools` knows, scripts
//! for a shell. What stands inside a word is [`ForeignText`]'s part. Nothing is executed or expanded.

use std::ffi::OsString;
use std::fmt::Write;

use crate::secret::{ForeignText, MASK, Secret, is_secret_word, says_secret, words_of};
use crate::tools::clients::Means;
use crate::tools::secrets;
use crate::tools::secrets::{Arguments, InWord};
use crate::tools::words::{SHELLS, name_of};

/// The longest argument that is kept whole, in bytes after masking.
const LONGEST_WORD: usize = 8 * 1024;
/// How many bytes of arguments are kept in all.
const LONGEST_COMMAND: usize = 64 * 1024;

/// Shows a command as the log keeps it: secrets masked, bytes that are not UTF-8 as `\xFF`, cut where it is very long.
#[must_use]
pub(crate) fn redact_command(words: &[OsString], secrets: &[Secret]) -> Vec<String> {
    let mut redactor = Redactor::new(secrets);
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

/// What the words before say about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Plain,
    /// It is a secret.
    Secret,
    /// It and those behind it, so many in all, are an option's value.
    Value(Means, usize),
    /// It is a script for a shell.
    Script,
}

struct Redactor<'a> {
    secrets: &'a [Secret],
    /// How the program that was called last takes its arguments.
    program: Option<Arguments>,
    /// How many of its arguments were no options so far.
    positionals: usize,
    next: Next,
}

impl<'a> Redactor<'a> {
    fn new(secrets: &'a [Secret]) -> Self {
        Redactor { secrets, program: None, positionals: 0, next: Next::Plain }
    }

    fn word(&mut self, word: &str) -> String {
        match std::mem::replace(&mut self.next, Next::Plain) {
            Next::Secret if !word.starts_with("--") => return MASK.to_owned(),
            Next::Value(means, left) => {
                if left > 1 {
                    self.next = Next::Value(means, left - 1);
                }
                return self.value(means, word);
            }
            Next::Script => return self.script(word),
            Next::Secret | Next::Plain => {}
        }
        if SHELLS.contains(&name_of(word)) {
            self.program = None;
        } else if let Some(program) = secrets::arguments_of(word) {
            (self.program, self.positionals) = (Some(program), 0);
            return word.to_owned();
        }
        if let Some((name, value)) = assignment(word)
            && says_secret(name)
        {
            return if value.is_empty() { word.to_owned() } else { format!("{name}={MASK}") };
        }
        if takes_a_secret(word) {
            self.next = Next::Secret;
            return word.to_owned();
        }
        match self.program {
            Some(program) if word.starts_with('-') && word.len() > 1 => self.option(program, word),
            Some(program) => self.positional(program, word),
            None => {
                // sh -c, bash -lc, su -c: what follows is a command line of its own.
                let letters = word.strip_prefix('-').unwrap_or_default();
                if letters.len() < 5 && letters.ends_with('c') && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
                {
                    self.next = Next::Script;
                }
                self.quoted(word)
            }
        }
    }

    /// Masks what an option of a known program holds, or notes what the next words will hold.
    fn option(&mut self, program: Arguments, word: &str) -> String {
        match program.in_word(word) {
            InWord::At(at, means) => format!("{}{}", &word[..at], self.value(means, &word[at..])),
            InWord::Next(means) => {
                self.next = Next::Value(means, means.words());
                word.to_owned()
            }
            InWord::Nothing => self.quoted(word),
        }
    }

    fn positional(&mut self, program: Arguments, word: &str) -> String {
        let means = program.positionals.get(self.positionals).or(program.positionals.last());
        self.positionals += 1;
        match means {
            Some(Means::Password) if self.positionals < program.positionals.len() => self.quoted(word),
            Some(means) => self.value(*means, word),
            None => self.quoted(word),
        }
    }

    /// A value that means this, as it may be shown.
    fn value(&self, means: Means, value: &str) -> String {
        match means {
            _ if value.is_empty() => String::new(),
            Means::Password | Means::JoinedPassword => MASK.to_owned(),
            Means::Login => match value.split_once(':') {
                Some((user, _)) => format!("{user}:{MASK}"),
                None => self.quoted(value),
            },
            Means::SlashLogin => self.slash_login(value),
            _ => self.quoted(value),
        }
    }

    /// `user/password@place` and `userid=user/password` without the password; a path is none.
    fn slash_login(&self, word: &str) -> String {
        let begins = word.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("userid="));
        let (before, login) = word.split_at(if begins { 7 } else { 0 });
        match login.split_once('/') {
            Some((user, rest)) if !user.is_empty() && !user.contains('=') => {
                let place = rest.rsplit_once('@').map_or(String::new(), |(_, place)| format!("@{place}"));
                format!("{before}{user}/{MASK}{place}")
            }
            _ => self.quoted(word),
        }
    }

    fn quoted(&self, word: &str) -> String {
        ForeignText::new(word, self.secrets).to_string()
    }

    /// Masks the words of a script one by one, keeping what stands between them.
    fn script(&mut self, script: &str) -> String {
        let mut words = Redactor::new(self.secrets);
        let known = self.secrets.iter().filter(|secret| !secret.is_ordinary());
        let script = known.fold(script.to_owned(), |text, secret| secret.mask_in(&text));
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
    word.split_once('=').filter(|(name, _)| is_plain_name(name))
}

/// Tells whether a long option's next word is a secret: its last word says so (`--passWithNoTests` does not).
fn takes_a_secret(word: &str) -> bool {
    let Some(name) = word.strip_prefix('-').filter(|name| name.len() > 3) else { return false };
    is_plain_name(name) && words_of(name).next_back().is_some_and(|last| is_secret_word(&last))
}

fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.bytes().all(plain)
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
        let cases: [(&[&str], &str); 50] = [
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
            (&["mysql", "-vphunter2", "shop"], "mysql -vp*** shop"),
            (&["mysqltest", "-phunter2"], "mysqltest -p***"),
            (&["mycli", "-p", "hunter2", "shop"], "mycli -p *** shop"),
            (&["docker", "exec", "mysql", "sh", "-c", "mysql -phunter2 x"], "docker exec mysql sh -c mysql -p*** x"),
            (&["curl", "-ume:hunter2", "--user=me:hunter2"], "curl -ume:*** --user=me:***"),
            (&["sqlldr", "userid=app/hunter2@db", "control=/a/b"], "sqlldr userid=app/***@db control=/a/b"),
            (&["isql", "-v", "shop", "sa", "hunter2"], "isql -v shop sa ***"),
            (&["isql", "-l", "C", "shop", "sa", "hunter2"], "isql -l C shop sa ***"),
            (&["tsql", "-S", "s", "-P", "hunter2"], "tsql -S s -P ***"),
            (&["influx", "-password", "hunter2"], "influx -password ***"),
            (&["cypher-shell", "-phunter2"], "cypher-shell -p***"),
            (&["psql", "-c", "alter user a password 'hun ter2'"], "psql -c alter user a password ***"),
            (&["mysql", "-e", "create user a identified by 'hunter2'"], "mysql -e create user a identified by ***"),
            (&["x", "Bearer abcdefgh.ijkl"], "x Bearer ***"),
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
