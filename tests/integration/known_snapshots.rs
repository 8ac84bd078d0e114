//! Snapshots that this machine did not make: nothing in a clone acts by itself, whatever its manifests say.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox};
use crate::terminal::Terminal;

/// Restores `what` at a terminal, where a person vouches for the snapshot `typed` by its name; gives what was said, and
/// status and signal at the end.
pub(crate) fn restored_by_a_person(sandbox: &Sandbox, what: &str, typed: &str) -> (String, (i32, i32)) {
    vouching(sandbox, &["restore", what, "--yes"], typed)
}

fn vouching(sandbox: &Sandbox, arguments: &[&str], typed: &str) -> (String, (i32, i32)) {
    let mut terminal = Terminal::start(sandbox.command().args(arguments));
    let mut said = terminal.read_until("type its name");
    terminal.type_in(&format!("{typed}\n"));
    let (rest, ended) = terminal.end();
    said.push_str(&rest);
    (said, ended)
}

/// A project with one snapshot, as somebody else's machine made it, after which its database was changed.
fn theirs() -> Sandbox {
    let theirs = Sandbox::with_sqlite();
    theirs.guarded().expect_code(0);
    theirs.sqlite("app_test.db", "UPDATE t SET a = 2");
    theirs
}

/// Clones a project: its files, its snapshots, and its log where `log` says so, to another machine.
fn clone_of(theirs: &Sandbox, log: bool) -> Sandbox {
    let clone = Sandbox::new();
    let copied = Command::new("cp").arg("-a").arg(theirs.project().join(".")).arg(clone.project()).status().unwrap();
    assert!(copied.success());
    if !log {
        fs::remove_file(clone.backups().join("audit.log")).unwrap();
    }
    for manifest in manifests_in(&clone) {
        edit(&manifest, |manifest| {
            let text = manifest.to_string();
            let ours = clone.project().to_str().unwrap().to_owned();
            *manifest = serde_json::from_str(&text.replace(theirs.project().to_str().unwrap(), &ours)).unwrap();
        });
    }
    clone
}

fn manifests_in(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(sandbox.backups()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
}

fn edit(manifest: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    change(&mut value);
    fs::write(manifest, value.to_string()).unwrap();
}

fn row(sandbox: &Sandbox) -> String {
    sandbox.sqlite("app_test.db", "SELECT a FROM t")
}

#[test]
fn what_came_with_a_clone_is_put_back_only_after_a_person_said_so() {
    for log in [false, true] {
        let clone = clone_of(&theirs(), log);
        let id = clone.ids().remove(0);
        for arguments in [
            &["restore", "latest", "--yes"][..],
            &["restore", "--yes", &id],
            &["restore", &format!("backups/{id}.json")],
            &["verify", &id, "--level", "restore"],
        ] {
            let outcome = clone.run(arguments).expect_code(121);
            assert!(outcome.stderr.contains("is not known here: "), "{arguments:?} {}", outcome.stderr);
            assert!(outcome.stderr.contains("a person is asked, at a terminal"), "{}", outcome.stderr);
            assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{}", outcome.stderr);
            assert_eq!(row(&clone), "2");
        }
        // Reading changes nothing, and says what is read.
        let read = clone.run(&["verify", "--all", "--level", "restore"]).expect_code(0).stdout;
        assert_eq!(read, format!("ok   {id}  (not known here: read back only)\n"));
        let read = clone.run(&["verify", &id, "--format", "json"]).expect_code(0).stdout;
        let read = &serde_json::from_str::<Value>(&read).unwrap()["snapshots"][0];
        assert_eq!((&read["known"], &read["level"], &read["ok"]), (&false.into(), &"read".into(), &true.into()));
        assert!(clone.run(&["list"]).expect_code(0).stdout.ends_with("  (not known here)\n"));
        assert_eq!(clone.manifests()[0]["known"], false);
        let doctor = clone.run(&["doctor"]).expect_code(0).stdout;
        assert!(doctor.contains("ok   snapshots: 1 of 1 are not known here"), "{doctor}");

        for (typed, status, rows) in [("", 125, "2"), ("yes", 125, "2"), (id.as_str(), 0, "1")] {
            let (said, ended) = restored_by_a_person(&clone, "latest", typed);
            assert_eq!((ended, row(&clone).as_str()), ((status, -1), rows), "{typed:?} {said}");
            assert!(said.contains("whoever made it decided what goes into sqlite database"), "{said}");
        }
        let started = clone.log().into_iter().rfind(|entry| entry["event"] == "restore-started").unwrap();
        assert_eq!(started["consent"], serde_json::json!([id]));
        // What is put back is no more known than before; the safety snapshot is.
        let safety = started["safety"][0].as_str().unwrap();
        let known = |id: &str| clone.manifests().iter().find(|one| one["id"] == id).unwrap()["known"].clone();
        assert_eq!((known(&id), known(safety)), (false.into(), true.into()));
        clone.run(&["restore", safety]).expect_code(0);
        assert_eq!(row(&clone), "2");
    }
}

#[test]
fn an_agent_is_not_asked_about_a_snapshot_of_others() {
    let mut clone = clone_of(&theirs(), false);
    clone.set("CLAUDECODE", "1");
    let (said, ended) = Terminal::start(clone.command().args(["restore", "latest", "--yes"])).end();
    assert_eq!(ended, (121, -1), "{said}");
    assert_eq!(row(&clone), "2");
    let (said, ended) = Terminal::start(clone.command().args(["--format", "json", "restore", "latest"])).end();
    assert_eq!(ended, (121, -1), "{said}");
}

#[test]
fn a_snapshot_of_others_goes_nowhere_but_onto_a_database_that_the_project_names() {
    let clone = clone_of(&theirs(), false);
    let id = clone.ids().remove(0);
    let outside = clone.home().join("precious.db");
    let inside = clone.project().join("unnamed.db");
    for victim in [&outside, &inside] {
        fs::copy(clone.project().join("app_test.db"), victim).unwrap();
        let before = fs::read(victim).unwrap();
        edit(&clone.backups().join(format!("{id}.json")), |manifest| {
            manifest["database"] = victim.to_str().unwrap().into();
            manifest["target"] = format!("sqlite:{}", victim.display()).into();
        });
        for arguments in [["restore", &id, "--yes"].as_slice(), &["verify", &id, "--level", "restore"]] {
            let refused = clone.run(arguments).expect_code(120);
            assert!(refused.stderr.contains("this project does not name its database"), "{}", refused.stderr);
            let (said, ended) = Terminal::start(clone.command().args(arguments)).end();
            assert_eq!((ended, said.contains("type its name")), ((120, -1), false), "{said}");
        }
        assert_eq!(fs::read(victim).unwrap(), before);
    }
    // Where the target is not shown to be safe, no answer makes up for both.
    clone.write(".env", "DATABASE_URL=postgres://app@db/shop\n");
    edit(&clone.backups().join(format!("{id}.json")), |manifest| {
        manifest["target"] = "postgres://app@db:5432/shop".into();
    });
    let (said, ended) = Terminal::start(clone.command().args(["restore", &id])).end();
    assert_eq!((ended, said.contains("type")), ((120, -1), false), "{said}");
}

#[test]
fn a_snapshot_made_here_goes_back_where_it_came_from_though_nothing_names_that_any_more() {
    let sandbox = Sandbox::with_sqlite();
    let outside = sandbox.home().join("outside_test.db");
    fs::copy(sandbox.project().join("app_test.db"), &outside).unwrap();
    let mut run = sandbox.command();
    run.arg("./suite").env("DATABASE_URL", format!("sqlite:{}", outside.display()));
    Outcome::of(&mut run).expect_code(0);
    sandbox.sqlite(outside.to_str().unwrap(), "UPDATE t SET a = 2");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(sandbox.sqlite(outside.to_str().unwrap(), "SELECT a FROM t"), "1");
}

#[test]
fn the_sql_of_a_clone_s_snapshot_is_not_executed() {
    let (database, server) = ("clone_test", Postgres::server());
    let theirs = Sandbox::with_postgres(database);
    // What runs when the rows are filled in, as the one who restores: here the server's superuser.
    let proof = server.socket_folder().join("clone_test_was_here");
    server.psql(
        database,
        &format!(
            "CREATE FUNCTION act(a int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
                COPY (SELECT 1) TO PROGRAM 'touch {}'; RETURN true; END $$;
            ALTER TABLE t ADD CHECK (act(a));",
            proof.display()
        ),
    );
    theirs.guarded().expect_code(0);
    fs::remove_file(&proof).unwrap();
    let clone = clone_of(&theirs, true);
    let id = clone.ids().remove(0);
    clone.run(&["restore", "latest", "--yes"]).expect_code(121);
    clone.run(&["restore", &id, "--yes"]).expect_code(121);
    clone.run(&["verify", "--level", "restore", &id]).expect_code(121);
    clone.run(&["verify", "--level", "restore", "--all"]).expect_code(0);
    let (_, ended) = restored_by_a_person(&clone, &id, "no");
    assert_eq!(ended, (125, -1));
    // Nor is it taken for this database's own, though the server says that nothing was written since.
    clone.guarded().expect_code(0);
    assert_eq!(clone.ids().len(), 2);
    assert!(!proof.exists());
    // That it would have acted: a person may let it.
    let (said, ended) = vouching(&clone, &["verify", "--level", "restore", &id], &id);
    assert_eq!(ended, (0, -1), "{said}");
    assert!(proof.exists());
    fs::remove_file(&proof).unwrap();
}

#[test]
fn latest_is_the_newest_that_was_made_here_and_a_newer_one_of_others_is_told() {
    let clone = clone_of(&theirs(), false);
    let theirs = clone.ids().remove(0);
    clone.guarded().expect_code(0);
    clone.sqlite("app_test.db", "UPDATE t SET a = 3");
    let newer = "app_test_20991231_235959";
    for (of, to) in [("dump", "dump"), ("json", "json")] {
        let path = |id: &str, ending: &str| clone.backups().join(format!("{id}.{ending}"));
        fs::copy(path(&theirs, of), path(newer, to)).unwrap();
    }
    edit(&clone.backups().join(format!("{newer}.json")), |manifest| {
        manifest["id"] = newer.into();
        manifest["file"] = format!("{newer}.dump").into();
        manifest["taken_at"] = "2099-12-31T23:59:59Z".into();
        manifest["run"] = "20991231T235959000Z-000001".into();
    });
    // One that cannot be read is not missed either: no entry of ours names it.
    fs::write(clone.backups().join("app_test_20991231_235959_2.json"), "{").unwrap();
    let outcome = clone.run(&["restore", "latest"]).expect_code(0);
    assert!(outcome.stderr.contains(&format!("{newer} is newer, but not known here: ")), "{}", outcome.stderr);
    assert_eq!(row(&clone), "2");
}

#[test]
fn retention_neither_counts_nor_drops_what_others_made() {
    let clone = clone_of(&theirs(), false);
    let [theirs] = clone.ids().try_into().unwrap();
    clone.write(".safe-test.toml", "[snapshots]\nkeep_last = 10\n");
    for number in 3..15 {
        clone.sqlite("app_test.db", &format!("UPDATE t SET a = {number}"));
        clone.guarded().expect_code(0);
    }
    let ids = clone.ids();
    assert_eq!((ids.len(), ids.contains(&theirs)), (11, true), "{ids:?}");
    let pruned = clone.run(&["prune"]).expect_code(0).stdout;
    assert!(pruned.contains(&format!("keep {theirs}  not known here: ")), "{pruned}");
    assert_eq!(clone.ids(), ids);
    clone.run(&["verify", "--all"]).expect_code(0);
    clone.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn a_manifest_that_was_changed_is_not_ours_any_more() {
    let sandbox = theirs();
    let id = sandbox.ids().remove(0);
    let manifest = sandbox.backups().join(format!("{id}.json"));
    let whole = fs::read(&manifest).unwrap();
    edit(&manifest, |manifest| manifest["by_hand"] = Value::Array(Vec::new()));
    for what in ["latest", id.as_str()] {
        let outcome = sandbox.run(&["restore", what, "--yes"]).expect_code(121);
        assert!(outcome.stderr.contains("not the one that was written down"), "{}", outcome.stderr);
    }
    let outcome = sandbox.run(&["verify", "--all"]).expect_code(121);
    assert!(outcome.stdout.contains(&format!("BAD  {id}: its manifest is not the one")), "{}", outcome.stdout);
    // Nor does a run take it for its own.
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 1");
    sandbox.guarded().expect_code(0);
    let second = sandbox.ids().into_iter().find(|other| *other != id).unwrap();
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
    sandbox.run(&["restore", &second]).expect_code(0);
    assert_eq!(row(&sandbox), "1");
    // As it was, it is ours, in whatever form: what checks and runs add is not part of it.
    fs::write(&manifest, &whole).unwrap();
    edit(&manifest, |manifest| manifest["verified"] = "restore".into());
    sandbox.run(&["restore", &id]).expect_code(0);
}

#[test]
fn latest_is_not_an_older_one_where_the_newest_was_changed() {
    let sandbox = theirs();
    let first = sandbox.ids();
    sandbox.guarded().expect_code(0);
    let second = sandbox.ids().into_iter().find(|id| !first.contains(id)).unwrap();
    edit(&sandbox.backups().join(format!("{second}.json")), |manifest| manifest["run"] = "20200101".into());
    let outcome = sandbox.run(&["restore", "latest"]).expect_code(121);
    assert!(outcome.stderr.contains(&format!("{second}.json was changed since")), "{}", outcome.stderr);
    assert_eq!(row(&sandbox), "2");
    sandbox.run(&["restore", &first[0]]).expect_code(0);
}

#[test]
fn a_command_that_changes_its_own_snapshot_s_manifest_is_not_undone_by_that() {
    let sandbox = Sandbox::with_sqlite();
    sandbox
        .suite("sqlite3 app_test.db 'UPDATE t SET a = 2'; sed -i 's/\"tables\"/\"tables2\"/' backups/app_test_*.json");
    let outcome = sandbox.run(&["--restore", "always", "./suite"]).expect_code(122);
    assert!(outcome.stderr.contains("was changed since the audit log wrote it down"), "{}", outcome.stderr);
    assert_eq!(row(&sandbox), "2");
}

#[test]
fn where_the_log_s_anchor_is_gone_a_person_is_asked_until_there_is_a_new_snapshot() {
    for gone in ["state", "log", "other log"] {
        let sandbox = theirs();
        let id = sandbox.ids().remove(0);
        let log = sandbox.backups().join("audit.log");
        match gone {
            "state" => fs::remove_dir_all(sandbox.state()).unwrap(),
            "log" => fs::remove_file(log).unwrap(),
            _ => drop(fs::copy(theirs().backups().join("audit.log"), log).unwrap()),
        }
        let outcome = sandbox.run(&["restore", "latest", "--yes"]).expect_code(121);
        assert!(outcome.stderr.contains(&format!("{id} is not known here")), "{gone}: {}", outcome.stderr);
        let (said, ended) = restored_by_a_person(&sandbox, "latest", &id);
        assert_eq!((ended, row(&sandbox).as_str()), ((0, -1), "1"), "{gone}: {said}");
        sandbox.guarded().expect_code(0);
        sandbox.sqlite("app_test.db", "UPDATE t SET a = 3");
        sandbox.run(&["restore", "latest"]).expect_code(0);
        assert_eq!(row(&sandbox), "1", "{gone}");
        sandbox.run(&["restore", &id]).expect_code(121);
    }
}

#[test]
fn a_manifest_of_another_project_of_the_same_user_is_not_known_in_this_one() {
    let here = theirs();
    let there = here.project().parent().unwrap().join("other");
    let copied = Command::new("cp").arg("-a").arg(here.project()).arg(&there).status().unwrap();
    assert!(copied.success());
    fs::remove_dir_all(there.join("backups")).unwrap();
    let run_there = |arguments: &[&str]| Outcome::of(here.command().args(arguments).current_dir(&there));
    run_there(&["snapshot"]).expect_code(0);
    for entry in fs::read_dir(here.backups()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|ending| ending != "log") {
            fs::copy(&entry, there.join("backups").join(entry.file_name().unwrap())).unwrap();
        }
    }
    let id = here.ids().remove(0);
    edit(&there.join("backups").join(format!("{id}.json")), |manifest| {
        let text = manifest.to_string();
        let (from, to) = (here.project(), there.to_str().unwrap());
        *manifest = serde_json::from_str(&text.replace(from.to_str().unwrap(), to)).unwrap();
    });
    let outcome = run_there(&["restore", &id, "--yes"]).expect_code(121);
    assert!(outcome.stderr.contains("is not known here"), "{}", outcome.stderr);
    here.run(&["restore", &id]).expect_code(0);
}

#[test]
fn a_hostile_store_changes_nothing_and_hides_nothing() {
    let sandbox = theirs();
    let ours = sandbox.ids().remove(0);
    let read = |ending: &str| fs::read(sandbox.backups().join(format!("{ours}.{ending}"))).unwrap();
    let (manifest, dump): (Value, _) = (serde_json::from_slice(&read("json")).unwrap(), read("dump"));
    let victim = sandbox.home().join("victim");
    fs::write(&victim, "precious").unwrap();
    // A newer one by its name and by all it says.
    let theirs = "app_test_20991231_235959";
    let mut honest = manifest.clone();
    honest["id"] = theirs.into();
    honest["file"] = format!("{theirs}.dump").into();
    honest["taken_at"] = "2099-12-31T23:59:59Z".into();
    let elsewhere = victim.to_str().unwrap();
    let huge: Value = serde_json::from_str("1e300").unwrap();
    let mut cases: Vec<(String, Value)> = Vec::new();
    for (field, values) in [
        ("id", vec!["../x".into(), "/etc/passwd".into(), "".into(), ours.clone().into(), 1.into(), Value::Null]),
        ("file", vec![elsewhere.into(), "../../home/victim".into(), format!("{ours}.dump").into(), "/dev/zero".into()]),
        ("size", vec![huge.clone(), (-1).into(), 0.into(), u64::MAX.into(), "4".into()]),
        ("sha256", vec!["".into(), "\u{1b}[2J".into(), 0.into()]),
        ("database", vec![elsewhere.into(), "".into(), Value::Null]),
        ("target", vec!["".into(), "sqlite:".into(), format!("sqlite:{elsewhere}").into(), "\u{1b}]0;x\u{7}".into()]),
        ("project", vec!["/nowhere".into(), Value::Null, 7.into()]),
        ("kind", vec!["safety".into(), "manual".into(), "x".into()]),
        ("engine", vec!["postgres".into(), "../sqlite".into(), 3.into()]),
        ("taken_at", vec!["+262142-12-31T23:59:59Z".into(), "-262143-01-01T00:00:00Z".into(), "x".into()]),
        ("run", vec!["~".into(), "\u{202e}".into(), Value::Null]),
        ("used_by", vec!["x".into(), vec!["~~~~"].into()]),
        ("tables", vec![Value::Null, "x".into(), serde_json::json!([{"name": "\u{1b}[1m", "rows": u64::MAX}])]),
        ("schema", vec![0.into(), 2.into(), huge]),
        ("verified", vec!["restore".into(), "x".into()]),
        ("by_hand", vec!["rm -rf /".into()]),
    ] {
        for value in values {
            let mut changed = honest.clone();
            changed[field] = value;
            cases.push((format!("{field}: {}", changed[field]), changed));
        }
    }
    cases.push(("a list".to_owned(), Value::Array(Vec::new())));
    cases.push(("only braces".to_owned(), serde_json::json!({})));
    let paths = |ending: &str| sandbox.backups().join(format!("{theirs}.{ending}"));
    let tried = |name: &str| {
        // Ours is what `latest` means, or it is said what is in the way.
        let restored = sandbox.run(&["restore", "latest"]);
        assert_eq!((restored.code(), row(&sandbox).as_str()), (Some(0), "1"), "{name}: {}", restored.stderr);
        for arguments in [&["restore", theirs, "--yes"][..], &["verify", theirs, "--level", "restore"]] {
            let refused = sandbox.run(arguments);
            assert!(matches!(refused.code(), Some(120 | 121)), "{name} {arguments:?}: {refused:?}");
        }
        for arguments in [&["list"][..], &["list", "-v"], &["verify", "--all"], &["prune"], &["doctor"]] {
            let outcome = sandbox.run(arguments);
            assert!(matches!(outcome.code(), Some(0 | 121)), "{name} {arguments:?}: {outcome:?}");
            assert!(!outcome.stdout.contains('\u{1b}'), "{name}: {outcome:?}");
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{name}");
        sandbox.sqlite("app_test.db", "UPDATE t SET a = 2");
    };
    for (name, hostile) in &cases {
        fs::write(paths("json"), hostile.to_string()).unwrap();
        fs::write(paths("dump"), &dump).unwrap();
        tried(name);
        // The safety snapshots are not what is looked at here.
        for manifest in manifests_in(&sandbox) {
            let id = manifest.file_stem().unwrap().to_str().unwrap();
            if id != ours && id != theirs {
                fs::remove_file(manifest.with_extension("dump")).unwrap();
                fs::remove_file(manifest).unwrap();
            }
        }
    }
    fs::write(paths("json"), honest.to_string()).unwrap();
    for link in [victim.as_path(), Path::new("/dev/zero"), &sandbox.backups().join(format!("{ours}.dump"))] {
        fs::remove_file(paths("dump")).unwrap();
        symlink(link, paths("dump")).unwrap();
        tried(&format!("a dump that is a link to {}", link.display()));
    }
    sandbox.run(&["log", "verify"]).expect_code(0);
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the log anew as an earlier version would have written it, which named snapshots by their ids alone; and what
/// this machine remembers of its end.
fn as_an_earlier_version_left_it(sandbox: &Sandbox) {
    let log = sandbox.backups().join("audit.log");
    let (mut text, mut last) = (String::new(), None);
    for line in fs::read_to_string(&log).unwrap().lines() {
        let mut entry: Value = serde_json::from_str(line).unwrap();
        entry.as_object_mut().unwrap().shift_remove("manifests");
        entry["previous"] = last.into();
        let line = entry.to_string();
        last = Some(sha256(&line));
        text.push_str(&(line + "\n"));
    }
    fs::write(&log, &text).unwrap();
    let only = |folder: &Path| fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let anchor = only(&only(&sandbox.state().join("safe-test/audit/anchors")));
    let slots = fs::read(&anchor).unwrap();
    let bodies = slots.chunks(16 * 1024).filter_map(|slot| {
        let line = String::from_utf8_lossy(slot.split(|&byte| byte == b'\n').next()?).into_owned();
        serde_json::from_str::<Value>(line.split_once(' ')?.1).ok()
    });
    let mut end = bodies.max_by_key(|body| body["generation"].as_u64()).unwrap();
    (end["head"], end["length"], end["next"]) = (last.into(), text.len().into(), Value::Null);
    let body = end.to_string();
    let mut file = format!("{} {body}\n", sha256(&body)).into_bytes();
    file.resize(32 * 1024, 0);
    fs::write(anchor, file).unwrap();
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn snapshots_of_an_earlier_version_are_adopted_by_their_names_once() {
    let sandbox = theirs();
    for number in 3..12 {
        sandbox.guarded().expect_code(0);
        sandbox.sqlite("app_test.db", &format!("UPDATE t SET a = {number}"));
    }
    let ids = sandbox.ids();
    assert_eq!(ids.len(), 10);
    as_an_earlier_version_left_it(&sandbox);
    assert!(sandbox.manifests().iter().all(|manifest| manifest["known"] == true));
    let row_of = |id: &str| {
        sandbox.run(&["restore", id]).expect_code(0);
        row(&sandbox)
    };
    assert_eq!((row_of(&ids[9]).as_str(), row_of(&ids[8]).as_str()), ("1", "2"));
    // Until then only its name is known, and its manifest's word for where it goes does not count.
    let oldest = sandbox.backups().join(format!("{}.json", ids[9]));
    let whole = fs::read(&oldest).unwrap();
    let outside = sandbox.home().join("precious.db");
    fs::copy(sandbox.project().join("app_test.db"), &outside).unwrap();
    edit(&oldest, |manifest| {
        manifest["database"] = outside.to_str().unwrap().into();
        manifest["target"] = format!("sqlite:{}", outside.display()).into();
    });
    sandbox.run(&["restore", &ids[9]]).expect_code(120);
    fs::write(&oldest, &whole).unwrap();
    // A run that takes one over, and one whose retention counts them, write their hashes down.
    let adopted = || {
        let started = sandbox.log().into_iter().rfind(|entry| entry["event"] == "run-started").unwrap();
        started["manifests"].as_object().unwrap().len()
    };
    sandbox.sqlite("app_test.db", "UPDATE t SET a = 20");
    sandbox.guarded().expect_code(0);
    assert_eq!((sandbox.ids().len() - safeties(&sandbox), adopted()), (10, 11));
    let [.., second, _] = ids.as_slice() else { panic!("{ids:?}") };
    edit(&sandbox.backups().join(format!("{second}.json")), |manifest| manifest["notes"] = vec!["theirs"].into());
    let outcome = sandbox.run(&["restore", second]).expect_code(121);
    assert!(outcome.stderr.contains("not the one that was written down"), "{}", outcome.stderr);
}

fn safeties(sandbox: &Sandbox) -> usize {
    sandbox.manifests().iter().filter(|manifest| manifest["kind"] == "safety").count()
}

#[test]
fn a_reused_snapshot_of_an_earlier_version_is_adopted() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    as_an_earlier_version_left_it(&sandbox);
    let outcome = sandbox.guarded().expect_code(0);
    assert!(outcome.stderr.contains("unchanged since"), "{}", outcome.stderr);
    let id = sandbox.ids().remove(0);
    edit(&sandbox.backups().join(format!("{id}.json")), |manifest| manifest["notes"] = vec!["theirs"].into());
    assert_eq!(sandbox.manifests()[0]["known"], false);
}

#[test]
fn a_name_is_never_given_twice() {
    let sandbox = Sandbox::with_sqlite();
    let mut given = std::collections::BTreeSet::new();
    for _ in 0..12 {
        let id = sandbox.run(&["snapshot"]).expect_code(0).stdout.trim_end().to_owned();
        assert!(given.insert(id.clone()), "{id} {given:?}");
        for ending in ["json", "dump"] {
            fs::remove_file(sandbox.backups().join(format!("{id}.{ending}"))).unwrap();
        }
    }
}

#[test]
fn two_databases_whose_names_fit_the_same_way_have_a_snapshot_each() {
    let sandbox = Sandbox::with_sqlite();
    for (path, row) in [("a b_test.db", 1), ("a+b_test.db", 2)] {
        sandbox.sqlite(path, &format!("CREATE TABLE t(a); INSERT INTO t VALUES ({row});"));
    }
    sandbox.write(".env", "DATABASE_URL='sqlite:./a b_test.db'\nOTHER_URL=sqlite:./a+b_test.db\n");
    sandbox.suite("sqlite3 'a b_test.db' 'UPDATE t SET a = 9'; sqlite3 a+b_test.db 'UPDATE t SET a = 9'");
    sandbox.guarded().expect_code(0);
    sandbox.run(&["restore", "latest"]).expect_code(0);
    let rows = ["a b_test.db", "a+b_test.db"].map(|path| sandbox.sqlite(path, "SELECT a FROM t"));
    assert_eq!(rows, ["1", "2"]);
}

#[test]
fn a_snapshot_that_was_made_before_another_failed_is_known() {
    for arguments in ["./suite", "snapshot"] {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write("broken_test.db", "not a database at all, but long enough to look like a file of something else");
        sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\nZ_URL=sqlite:./broken_test.db\n");
        sandbox.run(&[arguments]).expect_code(121);
        let known: Vec<Value> = sandbox.manifests().iter().map(|manifest| manifest["known"].clone()).collect();
        assert_eq!(known, [true], "{arguments}");
    }
}
