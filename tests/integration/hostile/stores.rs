//! Hostile stores: real snapshots, their log and its anchor, spoiled in every way. The database is always in one of the
//! states that it was in, and nothing outside is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::bounded::{changes, look, run};
use super::damage::{CONTROLS, replace_by_something_else, spoiled};
use super::files::File;
use crate::support::{Random, Sandbox, seeds, try_all};

/// A project with snapshots, a log and an anchor, to be laid out again for each seed.
struct Place {
    sandbox: Sandbox,
    /// What was in the project and in the state folder.
    original: Vec<File>,
    ids: Vec<String>,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::with_sqlite();
        for state in ["2", "3"] {
            sandbox.run(&["true"]).expect_code(0);
            sandbox.sqlite("app_test.db", &format!("UPDATE t SET a = {state}"));
        }
        sandbox.run(&["snapshot"]).expect_code(0);
        sandbox.run(&["restore", "latest", "--yes"]).expect_code(0);
        let outside = sandbox.home().join("outside");
        fs::create_dir(&outside).unwrap();
        sandbox.sqlite(outside.join("victim.db").to_str().unwrap(), "CREATE TABLE t(a); INSERT INTO t VALUES (9);");
        let kept = [sandbox.project(), sandbox.state()];
        let paths = kept.iter().flat_map(|folder| look(folder, &[]).into_keys()).filter(|path| path.is_file());
        let original = paths.map(|path| File { content: fs::read(&path).unwrap(), path }).collect();
        Place { ids: sandbox.ids(), original, sandbox }
    }

    /// Puts everything back as it was.
    fn lay_out(&self) {
        let sandbox = &self.sandbox;
        let backups = sandbox.backups();
        for folder in [sandbox.project(), sandbox.state()] {
            fs::remove_dir_all(&folder).unwrap();
        }
        for file in &self.original {
            fs::create_dir_all(file.path.parent().unwrap()).unwrap();
            fs::write(&file.path, &file.content).unwrap();
            fs::set_permissions(&file.path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        for private in [backups, sandbox.state().join("safe-test")] {
            fs::set_permissions(private, fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    fn spoil(&self, random: &mut Random) {
        let outside = self.sandbox.home().join("outside");
        let backups = self.sandbox.backups();
        if random.once_in(40) {
            fs::remove_dir_all(&backups).unwrap();
            return replace_by_something_else(&backups, &outside, random);
        }
        for _ in 0..1 + random.below(6) {
            let is_spoilable =
                |file: &&File| file.path.starts_with(&backups) || file.path.starts_with(self.sandbox.state());
            let files: Vec<&File> = self.original.iter().filter(is_spoilable).collect();
            let File { path, content } = *random.pick(&files);
            // It may have been spoiled before.
            if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                continue;
            }
            match random.below(9) {
                0 => drop(fs::remove_file(path)),
                1 => drop(fs::rename(path, path.with_file_name(self.name(path, random)))),
                2 => {
                    let beside = path.with_file_name(self.name(path, random));
                    let _ = fs::remove_file(&beside);
                    drop(fs::copy(path, beside));
                }
                3 => {
                    let beside = path.with_file_name(self.name(path, random));
                    let _ = fs::remove_file(&beside);
                    drop(fs::write(beside, spoiled(content, random)));
                }
                4 => replace(path, &outside, random),
                5 | 6 => drop(fs::write(path, with_another_value(content, &outside, random))),
                7 => drop(fs::write(path, other_lines(content, random))),
                _ => drop(fs::write(path, spoiled(content, random))),
            }
        }
    }

    /// A name for something in the folder: another snapshot's, a leftover's, one to be printed.
    fn name(&self, path: &Path, random: &mut Random) -> String {
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let id = random.pick(&self.ids);
        match random.below(6) {
            0 => format!("{id}.{ending}"),
            1 => format!("{id}.json.partial"),
            2 => format!("{id}.dump-journal"),
            3 => format!("app_test_99991231_235959_{}.{ending}", u64::MAX),
            4 => format!("audit.log{}", random.pick(&["", ".partial", "~"])),
            _ => format!("{}.{ending}", random.pick(&CONTROLS).replace('/', "")),
        }
    }

    /// Makes every call and lists what went wrong.
    fn faults(&mut self, mut random: Random) -> Vec<String> {
        self.lay_out();
        self.spoil(&mut random);
        let sandbox = &self.sandbox;
        let database = sandbox.project().join("app_test.db");
        let kept = [sandbox.backups(), sandbox.state(), sandbox.tools(), database.clone()];
        let root = sandbox.project().parent().unwrap().to_owned();
        let before = look(&root, &kept);
        let one = random.pick(&self.ids);
        let mut faults = Vec::new();
        let calls = [
            ("list", "nothing was changed"),
            ("list -v --format json", "nothing was changed"),
            ("verify --all", "nothing was changed"),
            (&format!("verify {one} --level restore --format json"), "nothing was changed"),
            ("log -v", "nothing was changed"),
            ("log --format json", "nothing was changed"),
            ("log verify", ""),
            ("doctor --format json", ""),
            ("prune --dry-run", "nothing was changed"),
            ("restore latest --yes", ""),
            (&format!("restore {one} --yes --format json"), ""),
            ("true", "the command was not run"),
            ("--restore always true", ""),
            ("snapshot", "nothing was changed"),
            ("prune --format json", ""),
            ("log verify --format json", ""),
        ];
        for (line, not_done) in calls {
            let ended = run(sandbox.command().args(line.split(' ')), &sandbox.tools());
            let found = ended.faults(not_done, line == "true", line.ends_with("json"));
            faults.extend(found.into_iter().map(|fault| format!("{line}: {fault}")));
            let state = sandbox.sqlite("app_test.db", "SELECT a FROM t");
            if !["1", "2", "3"].contains(&state.as_str()) {
                faults.push(format!("{line}: the database holds {state:?}"));
            }
        }
        faults.extend(changes(&before, &look(&root, &kept)));
        faults
    }
}

fn replace(path: &Path, outside: &Path, random: &mut Random) {
    if random.once_in(2) {
        replace_by_something_else(path, &outside.join("victim.db"), random);
    } else {
        let _ = fs::remove_file(path);
        symlink(outside.join(path.file_name().unwrap()), path).unwrap();
    }
}

/// Changes values in the JSON of a manifest, or of lines of a log; what is none stays as it is.
fn with_another_value(content: &[u8], outside: &Path, random: &mut Random) -> Vec<u8> {
    if let Ok(mut whole) = serde_json::from_slice::<Value>(content) {
        (0..=random.below(3)).for_each(|_| change(&mut whole, outside, random));
        return serde_json::to_vec_pretty(&whole).unwrap();
    }
    let changed = content.split_inclusive(|&byte| byte == b'\n').map(|line| match serde_json::from_slice(line) {
        Ok(mut value) if random.once_in(4) => {
            change(&mut value, outside, random);
            format!("{value}\n").into_bytes()
        }
        _ => line.to_vec(),
    });
    changed.collect::<Vec<_>>().concat()
}

/// Gives one value in a tree another one.
fn change(tree: &mut Value, outside: &Path, random: &mut Random) {
    match tree {
        Value::Object(fields) if !fields.is_empty() && !random.once_in(8) => {
            let at = random.below(fields.len());
            change(fields.values_mut().nth(at).unwrap(), outside, random);
        }
        Value::Array(items) if !items.is_empty() && !random.once_in(4) => {
            let at = random.below(items.len());
            change(&mut items[at], outside, random);
        }
        _ => {
            let victim = outside.join("victim.db").display().to_string();
            *tree = match random.below(16) {
                0 => Value::Null,
                1 => json!(-1),
                2 => json!(u64::MAX),
                3 => json!(1e308),
                4 => json!(""),
                5 => json!("../../home/outside/victim.db"),
                6 => json!(victim),
                7 => json!(format!("sqlite:{victim}")),
                8 => json!(format!("{}{}", random.pick(&CONTROLS), random.pick(&CONTROLS))),
                9 => json!("x".repeat(100_000)),
                10 => json!("postgres://app@db.shop.example/shop"),
                11 => json!(random.pick(&["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z"])),
                12 => json!([[], {}, [[]]]),
                13 => json!({"a": {"b": [1]}}),
                14 => json!(true),
                _ => json!("app_test_20261121_143022/../../x"),
            };
        }
    }
}

/// Leaves lines out, writes them twice, or exchanges them.
fn other_lines(content: &[u8], random: &mut Random) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
    for _ in 0..=random.below(3) {
        if lines.is_empty() {
            break;
        }
        let (at, other) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(3) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, lines[at]),
            _ => lines.swap(at, other),
        }
    }
    lines.concat()
}

#[test]
fn no_store_hangs_crashes_or_leads_outside() {
    try_all(seeds(60, 5_000), Place::new, Place::faults);
}
