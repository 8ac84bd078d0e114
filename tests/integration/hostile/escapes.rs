//! What is printed drives no terminal, whatever stands in names, values, files and the words of tools.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use super::bounded::run;
use crate::support::Sandbox;
use crate::terminal::Terminal;

/// Sets a title, clears the screen, forges a line, turns the direction, hides itself, colours by eight bits.
const HOSTILE: &str =
    "\u{1b}]0;t\u{7}\u{1b}[2J\r\u{8}x\nsafe-test: forged\n\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{9b}31m\u{7f}";

/// The parts of [`HOSTILE`] that nothing of ours prints on a terminal.
const NEVER: [&str; 11] = [
    "\u{1b}]",
    "\u{7}",
    "\u{1b}[2J",
    "\u{8}",
    "\nsafe-test: forged",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{9b}",
    "\u{7f}",
];

/// Names the first thing in an output that a terminal would obey or not show, or that is no text; line ends are ours.
pub(crate) fn drives_a_terminal(output: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(output) {
        Ok(text) => text,
        Err(error) => return Some(format!("the byte {:#x}", output[error.valid_up_to()])),
    };
    // Rust's own `Debug` escapes control, format, private and unassigned characters, blanks but the space, and quotes;
    // behind a letter none that combines with it.
    let escapes = |c: char| format!("a{c}").escape_debug().count() > 2 && !"\n\"'\\".contains(c);
    text.chars().find(|&c| escapes(c)).map(|c| format!("{c:?}"))
}

#[test]
fn what_drives_a_terminal_is_seen() {
    for (output, is_fine) in [
        (&b"safe-test: a `b` \"c\" \\n\n"[..], true),
        ("größer हिन्दी 日本 🦀\n".as_bytes(), true),
        (b"a\x1b[2J", false),
        (b"a\rb", false),
        (b"\x7f", false),
        ("\u{9b}31m".as_bytes(), false),
        ("\u{202e}".as_bytes(), false),
        (b"\xff", false),
    ] {
        assert_eq!(drives_a_terminal(output).is_none(), is_fine, "{output:?}");
    }
}

/// [`HOSTILE`] behind a beginning, with a byte that is no UTF-8, before an ending.
fn hostile(beginning: &str, ending: &str) -> OsString {
    OsString::from_vec([beginning.as_bytes(), HOSTILE.as_bytes(), b"\xff", ending.as_bytes()].concat())
}

/// A project in a hostile folder, with hostile names and values in all that is read; gives the folder's name.
fn hostile_project(url: &str) -> (Sandbox, OsString) {
    let mut sandbox = Sandbox::new();
    let name = hostile("sub", "");
    let folder = sandbox.project().join(&name);
    let json = serde_json::to_string(HOSTILE).unwrap();
    let json = json.trim_matches('"');
    let files: [(OsString, String); 13] = [
        (".git/HEAD".into(), format!("ref: refs/heads/{HOSTILE}\n")),
        (
            ".env".into(),
            format!(
                "APP_ENV=\"test{HOSTILE}\"\nDATABASE_URL=\"{url}\"\nDB_HOST='h{HOSTILE}'\nX{HOSTILE}=1\nDB_USERNAME=\"u{HOSTILE}\"\n"
            ),
        ),
        (
            "package.json".into(),
            format!(
                r#"{{"name":"{json}","scripts":{{"t{json}":"A=postgres://u@{json}/d true"}},"dependencies":{{"pg":"1"}}}}"#
            ),
        ),
        ("Makefile".into(), format!("te{HOSTILE}:\n\ttrue\n")),
        ("compose.yml".into(), format!("services: {{\"{json}\": {{environment: {{A: \"mysql://u@{json}/d\"}}}}}}\n")),
        (
            "config/database.yml".into(),
            format!("test: {{adapter: postgresql, host: \"{json}\", database: \"{json}\"}}\n"),
        ),
        (hostile(".env.", ""), "A=postgres://h/d\n".to_owned()),
        ("backups/.gitignore".into(), "# Snapshots and audit log of safe-test: never to be committed.\n*\n".to_owned()),
        ("backups/audit.log".into(), format!("{HOSTILE}\n{{\"a\":\"{json}\u{202e}\u{7f}\"}}\n")),
        (hostile("backups/a", ".json"), HOSTILE.to_owned()),
        (hostile("backups/a", ".dump"), HOSTILE.to_owned()),
        (hostile("backups/b", ".dump"), HOSTILE.to_owned()),
        (hostile("backups/c", ".json.partial"), HOSTILE.to_owned()),
    ];
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    sandbox.set("USER", hostile("user", "")).set("SHOP_DATABASE_URL", hostile("postgres://u@h/", ""));
    sandbox.set(hostile("ODD", ""), hostile("sqlite:", ""));
    (sandbox, name)
}

/// What is asked of the program in the hostile folder; `@` is [`HOSTILE`].
const LINES: [&[&str]; 41] = [
    &["check"],
    &["check", "-v"],
    &["check", "-v", "--", "npm", "run", "t@"],
    &["check", "-v", "--", "make", "te@"],
    &["check", "--", "psql", "postgres://u@h/@"],
    &["--env-file", "@", "check"],
    &["true"],
    &["true", "@"],
    &["-v", "true"],
    &["--dry-run", "true"],
    &["./@"],
    &["@"],
    &["-C", "@", "true"],
    &["snapshot"],
    &["list"],
    &["list", "-v"],
    &["list", "-q"],
    &["verify"],
    &["verify", "--all"],
    &["verify", "@"],
    &["verify", "a@"],
    &["restore", "--yes"],
    &["restore", "@", "--yes"],
    &["restore", "a@", "--yes"],
    &["prune", "--dry-run"],
    &["prune"],
    &["log"],
    &["log", "-v"],
    &["log", "verify"],
    &["doctor"],
    &["trust"],
    &["hooks", "show"],
    &["hooks", "install"],
    &["hooks", "status"],
    &["hooks", "remove"],
    &["--@", "true"],
    &["list", "@"],
    &["log", "@"],
    &["--color", "@", "list"],
    &["help", "@"],
    &["--restore", "@", "true"],
];

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| word.replace('@', HOSTILE)).collect()
}

#[test]
fn nothing_hostile_is_printed_as_it_is() {
    let mut escaped = 0;
    // One that is safe, so that it is saved; one of which its tool says hostile things; one that is no database.
    for url in ["sqlite:./app_test.db", "postgres://u@localhost:9/app_test", &format!("postgres://{HOSTILE}")] {
        let (sandbox, folder) = hostile_project(url);
        for tool in ["psql", "pg_dump", "pg_restore"] {
            let complaint = HOSTILE.replace('\n', "\\n").replace('\u{1b}', "\\033").replace('\r', "\\r");
            let script = format!(
                "#!/bin/sh\ncase $1 in --version|-V) echo '{tool} (PostgreSQL) 17.1'; exit;; esac
                printf 'FATAL: {complaint}\\377\\n{tool}: error: {complaint}' >&2; exit 2\n"
            );
            sandbox.tool(tool, &script);
        }
        for plain in [true, false] {
            let project = sandbox.project().join(&folder);
            if plain {
                fs::remove_file(project.join(hostile(".env.", ""))).unwrap();
                fs::write(project.join(".env"), format!("DATABASE_URL=\"{url}\"\n")).unwrap();
                let _ =
                    rusqlite::Connection::open(project.join("app_test.db")).unwrap().execute("CREATE TABLE t(a)", []);
            }
            for format in ["text", "json"] {
                for line in LINES {
                    let mut command = sandbox.command();
                    if plain {
                        command.env_remove("SHOP_DATABASE_URL").env_remove(hostile("ODD", ""));
                    }
                    command.arg("-C").arg(&folder).args(["--format", format]).args(words(line));
                    let ended = run(&mut command, &sandbox.tools());
                    let faults = ended.faults("", false, format == "json" && line[0] != "hooks" && line[0] != "trust");
                    assert!(faults.is_empty(), "{line:?} {format} {url:?} {plain}: {faults:#?}");
                    let said = [ended.stdout, ended.stderr].concat();
                    escaped += usize::from(String::from_utf8_lossy(&said).contains("202e"));
                }
            }
        }
    }
    assert!(escaped > 200, "only {escaped} of {} calls had to escape something", 3 * 2 * 2 * LINES.len());
}

#[test]
fn nothing_hostile_drives_a_terminal() {
    for line in LINES.into_iter().chain([&["restore"][..], &["restore", "a"], &["-v", "true", "@"]]) {
        let (sandbox, folder) = hostile_project("postgres://u@unknown/app_test");
        fs::write(
            sandbox.project().join(&folder).join(".safe-test.toml"),
            "[allow]\ndatabases = [\"\\u001b[2J\\u202e\"]\n",
        )
        .unwrap();
        let mut terminal = Terminal::start(sandbox.command().arg("-C").arg(&folder).args(words(line)));
        terminal.type_in("\n");
        let (said, ended) = terminal.end();
        assert_eq!(ended.1, -1, "{line:?}: {said:?}");
        for never in NEVER {
            assert!(!said.contains(never), "{line:?}: {never:?} in {said:?}");
        }
    }
}

#[test]
fn programs_are_told_the_true_values() {
    let sandbox = Sandbox::new();
    let folder = hostile("sub", "");
    let project = sandbox.project().join(&folder);
    fs::create_dir(&project).unwrap();
    fs::write(project.join(".env"), format!("APP_ENV='x{HOSTILE}'\nDATABASE_URL=sqlite:./app_test.db\n")).unwrap();
    let ended = run(sandbox.command().arg("-C").arg(&folder).args(["check", "--format", "json"]), &sandbox.tools());
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert!(
        told["environment"].as_array().unwrap().iter().any(|one| one["value"] == format!("x{HOSTILE}")),
        "{told:#}"
    );
    // The byte that is no UTF-8 is told, too.
    let path = format!("{}/sub{HOSTILE}\\xff/app_test.db", sandbox.project().display());
    assert_eq!(told["targets"][0]["path"], path, "{told:#}");
    assert_eq!(drives_a_terminal(&ended.stdout), None);
}
