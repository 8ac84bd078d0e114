//! Commands with secrets in every form that is known, and those beside them that have none.

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
        (&["x", "jdbc:postgresql://h/d?user=a&password=b&ssl=1"], "x jdbc:postgresql://h/d?user=a&password=***&ssl=1"),
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
    assert_eq!(redact_command(&words, &[]), ["a\\xff\\xfeb"]);
}

#[test]
fn a_very_long_command_is_cut() {
    let long = vec![OsString::from("ä".repeat(6000)); 20];
    let shown = redact_command(&long, &[]);
    assert!(shown[0].ends_with("… (3808 bytes more)"), "{}", shown[0]);
    assert_eq!(shown.last().unwrap(), "… (13 arguments more)");
    assert!(shown.concat().len() < LONGEST_COMMAND + 100);
}

/// Commands with a secret, `P` in each, which is nowhere in what is shown; the rest of the command is.
const WITH_SECRETS: &str = include_str!("../../../fixtures/commands/with_secrets.txt");

/// Commands without a secret: they are shown as they are.
const INNOCENT: &str = include_str!("../../../fixtures/commands/innocent.txt");

/// Takes a line apart as a shell does.
fn words(line: &str) -> Vec<OsString> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ') => {
                if any {
                    words.push(OsString::from(std::mem::take(&mut word)));
                }
                any = false;
                continue;
            }
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (Some('"'), '\\') => {
                word.extend(letters.next().filter(|next| *next != '"').map_or(vec!['"'], |next| vec!['\\', next]))
            }
            _ => word.push(letter),
        }
        any = true;
    }
    words.push(OsString::from(word));
    words
}

#[test]
fn a_secret_is_nowhere_in_what_is_shown() {
    let (mut leaks, mut count) = (Vec::new(), 0);
    for line in WITH_SECRETS.lines().filter(|line| !line.is_empty()) {
        // `P` stands alone, or behind a letter of an option.
        for secret in ["Zq7Vx9Kp2Lm4", "correcthorse"] {
            let mut planted = String::new();
            for (at, letter) in line.char_indices() {
                let next = line[at + 1..].chars().next();
                let before = line[..at].chars().next_back();
                let ends = !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
                let begins = !before.is_some_and(|before| before.is_ascii_alphanumeric() || before == '_');
                let joined = line[..at]
                    .rsplit(' ')
                    .next()
                    .is_some_and(|word| word.starts_with('-') && word.len() < 5 && !word.contains('='));
                let is_option = begins && before == Some('-') && ends && next == Some(' ');
                match letter == 'P' && ends && (begins || joined) && !is_option {
                    true => planted.push_str(secret),
                    false => planted.push(letter),
                }
            }
            assert_ne!(planted, line, "no secret in {line}");
            count += 1;
            let shown = redact_command(&words(&planted), &[]).join(" ");
            let first = line.split(' ').next().unwrap();
            if shown.contains(secret) || !shown.contains(MASK) || !shown.starts_with(first) {
                leaks.push(format!("{planted}  →  {shown}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{} of {count} leak:\n{}", leaks.len(), leaks.join("\n"));
    assert!(count >= 300, "{count}");
}

#[test]
fn what_holds_no_secret_is_shown_whole() {
    for line in INNOCENT.lines().filter(|line| !line.is_empty()) {
        let words = words(line);
        let whole: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(redact_command(&words, &[]), whole, "{line}");
    }
}

#[test]
fn a_line_for_a_shell_loses_its_secrets_wherever_it_is_quoted() {
    for (line, shown) in [
        ("mysql -phunter2 shop && npm test", "mysql -p*** shop && npm test"),
        ("ssh h \"cd x && mysql -phunter2\"", "ssh h \"cd x && mysql -p***\""),
        (
            r#"[{ target = "oracle://db1/shop", how = "expdp a/hunter2@x nightly" }]"#,
            r#"[{ target = "oracle://db1/shop", how = "expdp a/***@x nightly" }]"#,
        ),
        (r#"["NODE_ENV=production", "APP_KEY=hunter2"]"#, r#"["NODE_ENV=production", "APP_KEY=***"]"#),
        ("npm test", "npm test"),
    ] {
        assert_eq!(redact_line(line), shown);
    }
}

#[test]
fn quotes_within_quotes_end() {
    for (script, expected) in [
        (r#"true "$(docker port other | cat "x")""#, r#"true "$(docker port other | cat "x")""#),
        (r#"true "$(mysql -phunter2 "x")""#, r#"true "$(mysql -p*** "x")""#),
    ] {
        assert_eq!(shown(&["sh", "-c", script]), format!("sh -c {expected}"));
    }
}

proptest::proptest! {
    #[test]
    fn every_command_is_shown(script in "([ \"'$()|;]|mysql|docker|sh|-c|-px|psql|ssh ){0,24}") {
        proptest::prop_assert!(!shown(&["sh", "-c", &script]).is_empty());
    }
}
