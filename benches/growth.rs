//! What grows with the age of a project, against the same project when it is new.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use crate::compare::{Contest, Runner};
use crate::project::Project;
use crate::sqlite;

const SNAPSHOTS: u32 = 1_000;
const LINES: u32 = 100_000;

/// A call where there are many snapshots of the database, against one where there is one.
pub(crate) fn snapshots(arguments: &'static [&'static str]) -> Contest {
    let what = arguments.join("");
    let (young, old) = (used_once(&format!("young{what}")), used_once(&format!("old{what}")));
    let (manifest, dump) = only_snapshot(&old);
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    for number in 0..SNAPSHOTS {
        let (minute, second) = (number / 60, number % 60);
        let id = format!("shop_test_20260101_10{minute:02}{second:02}");
        let mut manifest = manifest.clone();
        manifest["id"] = id.clone().into();
        manifest["file"] = format!("{id}.dump").into();
        manifest["taken_at"] = format!("2026-01-01T10:{minute:02}:{second:02}Z").into();
        manifest["run"] = format!("20260101T10{minute:02}{second:02}000Z-000001").into();
        fs::hard_link(&dump, dump.with_file_name(format!("{id}.dump"))).unwrap();
        fs::write(dump.with_file_name(format!("{id}.json")), manifest.to_string()).unwrap();
    }
    let before = old.clone();
    let calling = |project: Project| Runner::new(move || project.safe_test(arguments));
    Contest::new(calling(young), calling(old).after(move || assert_eq!(before.snapshots(), SNAPSHOTS as usize + 1)))
}

/// A run whose log is long, against one whose log has a few lines.
pub(crate) fn log() -> Contest {
    let (young, old) = (used_once("short-log"), used_once("long-log"));
    let path = old.folder().join("backups/audit.log");
    let text = fs::read_to_string(&path).unwrap();
    let (last, middle) = (text.lines().last().unwrap(), text.lines().nth(1).unwrap());
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "{}", text.lines().next().unwrap()).unwrap();
    for _ in 0..LINES {
        writeln!(file, "{middle}").unwrap();
    }
    writeln!(file, "{last}").unwrap();
    drop(file);
    // As on a machine that did not see it grow.
    fs::remove_dir_all(old.state()).unwrap();
    let calling = |project: Project| Runner::new(move || project.safe_test(&["-q", "true"]));
    Contest::new(calling(young), calling(old))
}

/// A project with one snapshot and the log of one run.
fn used_once(name: &str) -> Project {
    let project = sqlite::with_database(name, 1);
    let run = project.safe_test(&["-q", "true"]).stdout(Stdio::null()).status().unwrap();
    assert!(run.success());
    assert_eq!(project.snapshots(), 1);
    project
}

/// The manifest and the dump of the one snapshot of a project.
fn only_snapshot(project: &Project) -> (PathBuf, PathBuf) {
    let mut names = fs::read_dir(project.folder().join("backups")).unwrap().map(|entry| entry.unwrap().path());
    let manifest = names.find(|path| path.extension().is_some_and(|ending| ending == "json")).unwrap();
    (manifest.clone(), manifest.with_extension("dump"))
}
