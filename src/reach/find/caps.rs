//! Each cap of this room: what is beyond it is told as not followed, what is below it is looked at.

use std::collections::BTreeMap;

use crate::environment::{Invocation, Origin, Project, Reading};
use crate::reach::Lookup;
use crate::reach::find::{MOST_WORK, READING, find_within};
use crate::reach::testing::{Folder, found, reached, reading, target_line, typed};

/// Spells one name in many ways that mean the same.
fn spellings(first: &str, second: &str) -> Vec<String> {
    let ways =
        |word: &str| [word.to_uppercase(), word.to_lowercase(), format!("{}{}", &word[..1], word[1..].to_lowercase())];
    let pairs = ways(first).into_iter().flat_map(|first| ways(second).map(|second| (first.clone(), second)));
    pairs.flat_map(|(first, second)| ["_", "-", "__"].map(|between| format!("{first}{between}{second}"))).collect()
}

type Pairs = Vec<(String, String)>;

fn of(pairs: &[(String, String)]) -> Reading {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    reading(&pairs)
}

fn variable(name: &str, value: String) -> Vec<(String, String)> {
    vec![(name.to_owned(), value)]
}

/// Joins what `item` makes of each number below `count`.
fn list(count: usize, between: &str, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(between)
}

/// Why something of this was not followed.
fn cuts(readings: &[Reading], invocations: &[Invocation], files: &[(&str, &str)]) -> Vec<String> {
    reached(readings, invocations, files).not_followed.iter().map(|cut| cut.why.to_string()).collect()
}

#[test]
fn variables_beyond_a_cap_are_told() {
    let numbered = |names: Vec<String>, value: &str| -> Vec<(String, String)> {
        names.into_iter().zip(0..).map(|(name, at)| (name, value.replace('#', &at.to_string()))).collect()
    };
    let hosts = |count| numbered(spellings("DB", "HOST").into_iter().take(count).collect(), "h#");
    let databases = |count| {
        let mut pairs = numbered(spellings("DB", "DATABASE").into_iter().take(count).collect(), "app#");
        pairs.push(("DB_HOST".to_owned(), "localhost".to_owned()));
        pairs
    };
    let files = |count| {
        let mut pairs = numbered(spellings("DB", "DATABASE").into_iter().take(count).collect(), "app#.sqlite");
        pairs.push(("DB_CONNECTION".to_owned(), "sqlite".to_owned()));
        pairs
    };
    let parts = |count| {
        let roles = ["HOST", "PORT", "DATABASE", "USERNAME", "PASSWORD", "NAME", "USER", "SERVER", "HOSTNAME"];
        numbered(roles.into_iter().flat_map(|role| spellings("DB", role)).take(count).collect(), "1")
    };
    let many = |count: usize, name: &str, value: &str| {
        numbered((0..count).map(|at| name.replace('#', &at.to_string())).collect(), value)
    };
    let certificates = |count: usize| {
        let mut pairs = many(count, "DB#_SSL_CERT", "/c.pem");
        pairs.push(("DB_HOST".to_owned(), "localhost".to_owned()));
        pairs
    };
    let url = |options: usize| format!("postgres://localhost/x?application_name={}", "y".repeat(options));
    let cases: [(&str, Pairs, Pairs); 14] = [
        ("64 KiB", variable("DATABASE_URL", url(60_000)), variable("DATABASE_URL", url(70_000))),
        ("64 KiB", variable("NOTES", "x".repeat(70_000)), variable("DB_HOST", "x".repeat(70_000))),
        ("64 KiB", variable("NOTES", url(60_000)), variable("NOTES", url(70_000))),
        (
            "500 servers",
            variable("DATABASE_URL", format!("postgres://{}/x", list(500, ",", |at| format!("localhost:{}", at + 1)))),
            variable("DATABASE_URL", format!("postgres://{}/x", list(501, ",", |at| format!("localhost:{}", at + 1)))),
        ),
        (
            "1,000 URLs",
            variable("DATABASE_URLS", list(1000, ",", |at| format!("pg://localhost/x{at}"))),
            variable("DATABASE_URLS", list(1002, ",", |at| format!("pg://localhost/x{at}"))),
        ),
        (
            "10,000 values",
            variable("DATABASES", format!("[{}]", list(10_000, ",", |at| at.to_string()))),
            variable("DATABASES", format!("[{}]", list(10_001, ",", |at| at.to_string()))),
        ),
        ("16 servers or databases", hosts(16), hosts(17)),
        ("16 servers or databases", databases(16), databases(17)),
        ("16 servers or databases", files(16), files(17)),
        ("200 variables", parts(200), parts(201)),
        (
            "16 variables name the end",
            many(16, "T#_SSH_TUNNEL_REMOTE_HOST", "localhost"),
            many(17, "T#_SSH_TUNNEL_REMOTE_HOST", "localhost"),
        ),
        (
            "500 variables name hosts",
            many(500, "BACKEND#", "h#.x.rds.amazonaws.com"),
            many(501, "BACKEND#", "h#.x.rds.amazonaws.com"),
        ),
        ("50 variables hold", certificates(50), certificates(51)),
        (
            "longer than the name of a database",
            vec![("DB_HOST".to_owned(), "localhost".to_owned()), ("DB_NAME".to_owned(), "x".repeat(255))],
            vec![("DB_HOST".to_owned(), "localhost".to_owned()), ("DB_NAME".to_owned(), "x".repeat(256))],
        ),
    ];
    for (why, below, beyond) in cases {
        let found = cuts(&[of(&below)], &[], &[]);
        assert!(!found.iter().any(|cut| cut.contains(why)), "below: {found:?}");
        let found = cuts(&[of(&beyond)], &[], &[]);
        assert!(found.iter().any(|cut| cut.contains(why)), "{why}: {found:?}");
    }
}

#[test]
fn arguments_beyond_a_cap_are_told() {
    let psql =
        |count| typed(&format!("psql -h localhost -c '{}'", list(count, ";", |at| format!("drop database d{at}"))));
    assert_eq!(found(&[], &[psql(9)], &[]).len(), 10);
    assert_eq!(cuts(&[], &[psql(500)], &[]), [""; 0]);
    assert_eq!(cuts(&[], &[psql(501)], &[]), ["its statements name more databases than are looked at"]);
    let hosts = |count| typed(&format!("psql postgres://{}/x", list(count, ",", |at| format!("localhost:{}", at + 1))));
    assert_eq!(cuts(&[], &[hosts(65)], &[]), [""; 0]);
    assert!(found(&[], &[hosts(65)], &[])[0].places.len() == 65);
    assert!(!cuts(&[], &[hosts(501)], &[]).is_empty());
    let url = format!("postgres://localhost/{}", "x".repeat(70_000));
    for command in [format!("migrate {url}"), format!("migrate --source={url}"), format!("migrate --db-url {url}")] {
        let found = cuts(&[], &[typed(&command)], &[]);
        assert!(!found.is_empty() && found.iter().all(|why| why == "it is longer than 64 KiB"), "{found:?}");
    }
    assert_eq!(cuts(&[], &[typed(&format!("echo {}", "x".repeat(70_000)))], &[]), [""; 0]);
}

#[test]
fn option_files_beyond_a_cap_are_told() {
    let including = |count: usize| -> Vec<(String, String)> {
        let own = ("/home/tester/.my.cnf".to_owned(), list(count, "\n", |at| format!("!include /c/{at}.cnf")));
        (0..count).map(|at| (format!("/c/{at}.cnf"), "[client]\nuser=a\n".to_owned())).chain([own]).collect()
    };
    for (count, is_cut) in [(99, false), (100, true)] {
        let files = including(count);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert_eq!(!cuts(&[], &[typed("mysql shop")], &files).is_empty(), is_cut, "{count}");
    }
}

#[test]
fn what_is_long_is_read_all_the_same() {
    let nodes = list(400, ",", |at| format!("node{at}.shop.test:27017"));
    let long_name = format!("{}_DB_HOST", "A".repeat(300));
    let provider = format!("https://x.rds.amazonaws.com/{}", "a".repeat(400));
    let cases = [
        (of(&variable("MONGO_CLUSTER", nodes)), "mongosh", "node399.shop.test"),
        (of(&variable(&long_name, "db.shop.test".to_owned())), "x", "db.shop.test"),
        (of(&variable("BACKEND", provider)), "x", "x.rds.amazonaws.com"),
        (reading(&[]), "npx -a -b -c -d -e -f -g psql -h db.shop.test", "db.shop.test"),
        (reading(&[]), &*format!("run --{}-db-host=db.shop.test", "a".repeat(300)), "db.shop.test"),
    ];
    for (reading, command, expected) in cases {
        let targets = found(&[reading], &[typed(command)], &[]);
        assert!(targets.iter().any(|target| target_line(target).contains(expected)), "{expected}: {targets:?}");
    }
}

#[test]
fn environments_that_multiply_are_bounded_and_told() {
    let numbered = |at: usize| (format!("DB_{at}_HOST"), "localhost".to_owned());
    let readings: Vec<Reading> = (0..20).map(|at| of(&[numbered(at)])).collect();
    let invocations: Vec<Invocation> = (0..20)
        .map(|at| {
            let origin = Origin { line: Some(at), ..Origin::process("") };
            let assignments = vec![("DB_NAME".to_owned(), format!("app{at}"))];
            Invocation {
                assignments,
                unknown: Vec::new(),
                words: vec!["jest".to_owned()],
                origin,
                places: std::rc::Rc::default(),
            }
        })
        .collect();
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let lookup = Lookup { project: &project, files: &Folder(BTreeMap::new()), base_folders: &["/p".into()] };
    // Each of the 400 environments has two variables, and each command one word.
    let needed = 400 * (1 + 2 + 3 * READING);
    for (most, is_cut) in [(0, true), (needed / 2, true), (needed, false), (MOST_WORK, false)] {
        let reached = find_within(most, &readings, &invocations, &lookup);
        let told: Vec<String> = reached.not_followed.iter().map(|cut| cut.why.to_string()).collect();
        assert_eq!(told.iter().any(|why| why.contains("more ways")), is_cut, "{most}: {told:?}");
        assert!(!reached.targets.is_empty(), "{most}");
    }
}
