//! What grows with the age of a project, against the same project when it is new.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use sha2::{Digest, Sha256};

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
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
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

/// A run whose log is long, against one whose log has a few lines. Both look for the snapshot of the run before.
pub(crate) fn log() -> Contest {
    let (young, old) = (used_once("short-log"), used_once("long-log"));
    lengthen_log(&old);
    let watched = old.safe_test(&["log", "verify"]).stdout(Stdio::null()).status().unwrap();
    assert!(watched.success());
    let before = old.clone();
    let calling = |project: Project| Runner::new(move || project.safe_test(&["-q", "true"]));
    Contest::new(calling(young), calling(old).after(move || assert_eq!(before.snapshots(), 1, "its own is known")))
}

/// Repeats the run in a project's log until it is as long as after years, and moves what this machine remembers of the
/// log's end along.
fn lengthen_log(project: &Project) {
    let path = project.folder().join("backups/audit.log");
    let mut text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut last = sha256(lines[lines.len() - 1]);
    let mut seq = lines.len();
    let mut run: Vec<Value> = lines[1..3].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for number in 0..LINES as usize {
        seq += 1;
        let entry = &mut run[number % 2];
        (entry["seq"], entry["previous"]) = (seq.into(), last.into());
        let line = entry.to_string();
        last = sha256(&line);
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(&path, &text).unwrap();
    let only = |folder: &Path| fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let anchor = only(&only(&project.state().join("safe-test/audit/anchors")));
    let remembered = fs::read(&anchor).unwrap();
    let slots = remembered.chunks(SLOT).filter_map(|slot| {
        let line = String::from_utf8_lossy(slot.split(|&byte| byte == b'\n').next()?).into_owned();
        serde_json::from_str::<Value>(line.split_once(' ')?.1).ok()
    });
    let mut end = slots.max_by_key(|slot| slot["generation"].as_u64()).unwrap();
    (end["seq"], end["head"], end["length"], end["next"]) = (seq.into(), last.into(), text.len().into(), Value::Null);
    let body = end.to_string();
    let mut file = format!("{} {body}\n", sha256(&body)).into_bytes();
    file.resize(2 * SLOT, 0);
    fs::write(anchor, file).unwrap();
}

/// Bytes in each half of an anchor's file.
const SLOT: usize = 16 * 1024;

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
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
