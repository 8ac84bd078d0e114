//! Lines as agents write them, each line of the table, and lines that nobody writes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::{Strategy, any, prop, proptest};
use serde::Deserialize;

use crate::environment::memory::MemoryFiles;
use crate::environment::{Files, Folder};
use crate::tools::programs::has_a_default_task;
use crate::touching::table::{self, Kind};
use crate::touching::{Corrections, Judged, Place, Touches, judge};

#[derive(Deserialize)]
struct Case {
    line: String,
    touches: Option<String>,
    instead: Option<String>,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    plain: Vec<String>,
    #[serde(default)]
    guard: Vec<String>,
}

fn judged(line: &str, files: &dyn Files, corrections: &Corrections) -> Judged {
    let root = |_: &Path| PathBuf::from("/project");
    let is_saved = |path: &Path| match files.head(path) {
        Ok(bytes) => bytes.is_none_or(|bytes| bytes.is_empty() || bytes.starts_with(b"SQLite format 3\0")),
        Err(_) => false,
    };
    judge(line, &Place { folder: Path::new("/project"), root: &root, files, is_saved: &is_saved }, corrections)
}

fn alone(line: &str) -> Judged {
    judged(line, &MemoryFiles::default(), &Corrections::default())
}

fn projects() -> BTreeMap<String, MemoryFiles> {
    let texts: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("../../fixtures/touching/projects.json")).unwrap();
    let files = |texts: BTreeMap<String, String>| {
        texts
            .into_iter()
            .fold(MemoryFiles::default(), |files, (path, text)| files.with(&format!("/project/{path}"), text))
    };
    texts.into_iter().map(|(name, texts)| (name, files(texts))).collect()
}

#[test]
fn lines_of_agents_are_judged() {
    let projects = projects();
    let mut wrong = Vec::new();
    let (mut stopped, mut all) = (0, 0);
    for line in include_str!("../../fixtures/touching/lines.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let files = &projects[case.project.as_deref().unwrap_or("node")];
        let corrections = Corrections { plain: case.plain, guard: case.guard };
        let found = judged(&case.line, files, &corrections);
        let (class, instead) = match &found {
            Judged::Plain => (None, None),
            Judged::Touches(Touches { class, instead, .. }) => (Some(class.to_string()), instead.clone()),
        };
        if (&class, &instead) != (&case.touches, &case.instead) {
            wrong.push(format!(
                "{:?}\n    {class:?} {instead:?}\n    not {:?} {:?}",
                case.line, case.touches, case.instead
            ));
        }
        if let Some(instead) = instead
            && judged(&instead, files, &corrections) != Judged::Plain
        {
            wrong.push(format!("{instead:?} is stopped once more"));
        }
        all += 1;
        stopped += usize::from(case.touches.is_some());
    }
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 300 && stopped * 5 >= all * 2, "{stopped} of {all}");
}

#[test]
fn each_line_of_the_table_is_judged_by_its_words() {
    for (command, line, kind) in table::examples() {
        let found = alone(&command);
        match kind {
            Some(Kind::Does(class)) => {
                let Judged::Touches(touches) = found else { panic!("`{command}` of `{line}` passes") };
                assert_eq!(touches.class, class, "{command}");
                if let Some(instead) = touches.instead {
                    assert_eq!(instead, format!("safe-test {command}"));
                    assert_eq!(alone(&instead), Judged::Plain, "{instead}");
                }
            }
            Some(Kind::Reads) => assert_eq!(found, Judged::Plain, "`{command}` of `{line}`"),
            Some(Kind::ByScript { .. } | Kind::ByFile) => {
                if !has_a_default_task(&command) {
                    assert_eq!(found, Judged::Plain, "`{command}` of `{line}`");
                }
                let seeds = alone(&format!("{command} seed"));
                assert!(matches!(seeds, Judged::Touches(_)), "`{command} seed`");
            }
            None => {}
        }
    }
}

/// Files that nobody may look at.
struct Untouched;

impl Files for Untouched {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        panic!("{path:?} is read");
    }

    fn exists(&self, path: &Path) -> bool {
        panic!("{path:?} is looked for");
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        panic!("{path:?} is listed");
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        panic!("{path:?} is looked at");
    }
}

#[test]
fn no_file_is_looked_at_for_what_the_table_does_not_know() {
    for line in [
        "ls -la",
        "git status",
        "rg -n 'npm test' src | head",
        "cat <<EOF\nnpm test\nEOF",
        "curl -s x | jq .",
        "safe-test npm test",
    ] {
        assert_eq!(judged(line, &Untouched, &Corrections::default()), Judged::Plain, "{line}");
    }
}

#[test]
fn what_is_not_parsed_is_looked_through_word_by_word() {
    let long = format!("npx prisma migrate reset # {}", "x".repeat(70_000));
    let deep = format!("{} npm run x; prisma migrate reset", "$(".repeat(200));
    for line in [long.as_str(), &deep, "prisma migrate reset 'unclosed", "if; prisma migrate reset"] {
        let Judged::Touches(touches) = alone(line) else { panic!("{} passes", &line[..40]) };
        assert_eq!(touches.instead, None);
    }
    for line in [
        "echo 'unclosed",
        &format!("ls {}", "x".repeat(70_000)),
        &"((((".repeat(100),
        "safe-test prisma migrate reset 'unclosed",
    ] {
        assert_eq!(alone(line), Judged::Plain, "{}", &line[..10]);
    }
}

#[test]
fn deep_and_long_lines_end() {
    for line in [
        "$(".repeat(30_000),
        "`".repeat(60_000),
        "( ".repeat(30_000),
        "{ ".repeat(30_000),
        "if ".repeat(20_000),
        "! ".repeat(30_000),
        "time ".repeat(10_000),
        "while ".repeat(10_000),
        "<<A ".repeat(16_000),
        "a|".repeat(30_000),
        "a;".repeat(30_000),
        "npx ".repeat(16_000),
        "sh -c ".repeat(10_000),
        "sudo ".repeat(13_000),
        "npm test;".repeat(7_000),
        "a=b ".repeat(16_000),
        "${a:-".repeat(12_000),
        format!("{}npm test{}", "$(".repeat(31), ")".repeat(31)),
        format!("{}npm test{}", "\"$(".repeat(31), ")\"".repeat(31)),
        "eval \"eval '".repeat(4_000),
        format!("echo '{}'", "npm test ".repeat(7_000)),
        format!("cat <<'EOF'\n{}EOF\n", "npm test; psql x\n".repeat(3_000)),
    ] {
        let one = Instant::now();
        let _ = alone(&line);
        // Each takes a second or two; what grows with the square takes minutes, however slow the machine is.
        assert!(one.elapsed() < Duration::from_secs(60), "{:?}: {}", one.elapsed(), &line[..20]);
    }
}

/// Pieces that lines are made of.
const PIECES: &[&str] = &[
    "npm test",
    "psql",
    "-c",
    "'select 1'",
    "\"",
    "'",
    "$(",
    ")",
    "`",
    "(",
    "{",
    "}",
    ";",
    "|",
    "&&",
    "||",
    "&",
    "\n",
    "<<EOF",
    "EOF",
    "<",
    ">",
    "dev.db",
    "safe-test",
    "if",
    "then",
    "fi",
    "for x in",
    "do",
    "done",
    "case x in",
    "esac",
    "f()",
    "cd x",
    "eval",
    "sh -c",
    "sudo",
    "\\",
    "$X",
    "é",
    "#",
    "[[",
    "]]",
    "((",
    "))",
    "<(",
    "${",
    "!",
    "time",
    "prisma migrate reset",
    "docker compose down -v",
    " ",
];

proptest! {
    #[test]
    fn any_text_is_judged(line in any::<String>()) {
        let _ = alone(&line);
    }

    #[test]
    fn any_row_of_pieces_is_judged_and_wrapped_once(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.join(" "))) {
        if let Judged::Touches(Touches { instead: Some(instead), .. }) = alone(&pieces) {
            assert_eq!(alone(&instead), Judged::Plain, "{pieces:?}: {instead:?}");
        }
    }
}
