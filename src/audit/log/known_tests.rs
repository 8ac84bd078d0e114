//! Which snapshots are known, whatever became of the log and its anchor.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::audit::log::test_support::{Sandbox, record};
use crate::audit::log::{KnownSnapshots, Log, Stop};
use crate::audit::report::JudgementRecord;
use crate::audit::{Entry, Event, Manifests, Pruned, Record, RestoreStart, Restored, Saved, Start};
use crate::hash::Hash;
use crate::snapshot::{Making, Provenance, Restated, Standing};
use crate::verdict::Verdict;

/// A run that made snapshots, each of which has a manifest that its id alone makes up.
fn made(ids: &[&str]) -> Record {
    let start = Start::of(JudgementRecord::of(Verdict::Safe));
    let snapshots = ids.iter().map(|&id| id.to_owned()).collect();
    Record { event: Event::RunStarted(Start { snapshots, manifests: manifests(ids), ..start }), ..record("run") }
}

fn manifests(ids: &[&str]) -> Manifests {
    ids.iter().map(|&id| (id.to_owned(), Hash::of(id.as_bytes()))).collect()
}

/// A run of an earlier version.
fn made_without_hashes(ids: &[&str]) -> Record {
    let Record { event: Event::RunStarted(start), .. } = made(ids) else { unreachable!() };
    Record { event: Event::RunStarted(Start { manifests: Manifests::new(), ..start }), ..record("run") }
}

fn standing(log: &Log, id: &str) -> Standing {
    KnownSnapshots::of(log).standing_of(id, &Hash::of(id.as_bytes()))
}

#[track_caller]
fn expect(log: &Log, expected: &[(&str, Standing)]) {
    // One after the other in one walk, and each in a walk of its own.
    let together = KnownSnapshots::of(log);
    for (id, standing_of_it) in expected {
        assert_eq!(together.standing_of(id, &Hash::of(id.as_bytes())), *standing_of_it, "{id}");
        assert_eq!(standing(log, id), *standing_of_it, "{id}");
        if !standing_of_it.is_known() {
            assert!(!together.why_not(*standing_of_it).is_empty());
        }
    }
}

/// Appends a line that somebody made up, as if it followed the last one.
fn forge(path: &Path, record: &Record) {
    let text = fs::read_to_string(path).unwrap();
    let last = text.lines().last().unwrap();
    let seq = text.lines().count() as u64 + 1;
    let line = Entry::place(record, seq, None, Some(Hash::of(last.as_bytes()))).line().unwrap();
    OpenOptions::new().append(true).open(path).unwrap().write_all((line + "\n").as_bytes()).unwrap();
}

/// A log of three runs: `old`, `mid` and `new`, with others between them.
fn three() -> Sandbox {
    let sandbox = Sandbox::with_entries(1);
    for id in ["old", "mid", "new"] {
        sandbox.log().append(&made(&[id])).unwrap();
        sandbox.log().append(&record("between")).unwrap();
    }
    sandbox
}

#[test]
fn a_snapshot_is_known_by_its_manifest_s_hash() {
    let sandbox = three();
    let log = sandbox.log();
    expect(&log, &[("mid", Standing::Known), ("old", Standing::Known), ("new", Standing::Known)]);
    expect(&log, &[("theirs", Standing::Unknown)]);
    let past = KnownSnapshots::of(&log);
    assert_eq!(past.standing_of("mid", &Hash::of(b"edited")), Standing::Changed);
    // Its content under another name.
    assert_eq!(past.standing_of("theirs", &Hash::of(b"mid")), Standing::Unknown);
    assert!(past.names("mid") && !past.names("theirs"));
}

#[test]
fn what_was_made_counts_and_what_was_put_back_or_removed_does_not() {
    let sandbox = Sandbox::new();
    let log = sandbox.log();
    let both = |snapshots: &str, safety: &str| (vec![snapshots.to_owned()], vec![safety.to_owned()]);
    let (snapshots, safety) = both("restored", "safety");
    let events = [
        Event::RestoreStarted(RestoreStart {
            snapshots,
            safety,
            manifests: manifests(&["safety"]),
            ..RestoreStart::default()
        }),
        Event::Restore(Restored { manifests: manifests(&["late-safety"]), ..Restored::default() }),
        Event::Snapshot(Saved { manifests: manifests(&["manual", "adopted"]), ..Saved::default() }),
        Event::Prune(Pruned { snapshots: vec!["pruned".to_owned()], databases: vec![] }),
    ];
    for event in events {
        log.append(&Record { event, ..record("run") }).unwrap();
    }
    for id in ["safety", "late-safety", "manual", "adopted"] {
        expect(&log, &[(id, Standing::Known)]);
    }
    expect(&log, &[("restored", Standing::Unknown), ("pruned", Standing::Unknown)]);
}

#[test]
fn a_name_without_a_hash_counts_until_an_entry_has_the_hash() {
    let sandbox = Sandbox::new();
    let log = sandbox.log();
    log.append(&made_without_hashes(&["a", "b"])).unwrap();
    let safety = vec!["s".to_owned()];
    let restore = Event::Restore(Restored { safety, snapshots: vec!["r".to_owned()], ..Restored::default() });
    log.append(&Record { event: restore, ..record("run") }).unwrap();
    let named = Standing::Named;
    expect(&log, &[("a", named), ("b", named), ("s", named), ("r", Standing::Unknown)]);
    log.append(&made(&["a"])).unwrap();
    expect(&log, &[("a", Standing::Known), ("b", named)]);
    // By an earlier version again.
    log.append(&made_without_hashes(&["a"])).unwrap();
    expect(&log, &[("a", Standing::Known)]);
    assert_eq!(KnownSnapshots::of(&log).standing_of("a", &Hash::of(b"edited")), Standing::Changed);
}

#[test]
fn what_others_did_to_the_log_makes_nothing_of_theirs_known() {
    use Standing::{Known, Unknown};
    type Harm = fn(&Sandbox);
    type Standings = [Standing; 3];
    fn lines(sandbox: &Sandbox) -> Vec<String> {
        fs::read_to_string(sandbox.path()).unwrap().lines().map(str::to_owned).collect()
    }
    fn put(sandbox: &Sandbox, lines: &[String]) {
        fs::write(sandbox.path(), lines.join("\n") + "\n").unwrap();
    }
    /// A log that somebody else's machine wrote.
    fn foreign() -> Vec<String> {
        let other = Sandbox::new();
        for id in ["theirs", "new", "mid", "old"] {
            other.log().append(&made(&[id])).unwrap();
        }
        lines(&other)
    }
    let harms: [(&str, Harm, Standings); 13] = [
        ("nothing", |_| (), [Known; 3]),
        ("removed", |it| fs::remove_file(it.path()).unwrap(), [Unknown; 3]),
        ("emptied", |it| fs::write(it.path(), "").unwrap(), [Unknown; 3]),
        ("replaced by the clone's", |it| put(it, &foreign()), [Unknown; 3]),
        (
            "replaced by the clone's under our id",
            |it| {
                let ours = lines(it)[0].clone();
                let mut theirs = foreign();
                theirs[0] = ours;
                put(it, &theirs);
            },
            [Unknown; 3],
        ),
        ("a forged line behind ours", |it| forge(&it.path(), &made(&["theirs"])), [Known; 3]),
        (
            "forged lines that name our ids with other hashes",
            |it| {
                let other = made(&["theirs"]);
                let Event::RunStarted(mut start) = other.event.clone() else { unreachable!() };
                start.manifests = [("new".to_owned(), Hash::of(b"theirs"))].into();
                forge(&it.path(), &Record { event: Event::RunStarted(start), ..other });
                forge(&it.path(), &made_without_hashes(&["theirs"]));
            },
            [Known; 3],
        ),
        (
            "a line put in between",
            |it| {
                let mut all = lines(it);
                all.insert(5, Entry::place(&made(&["theirs"]), 6, None, None).line().unwrap());
                put(it, &all);
            },
            [Known; 3],
        ),
        (
            "a line edited",
            |it| {
                let mut all = lines(it);
                all[5] = all[5].replace("between", "BETWEEN");
                put(it, &all);
            },
            [Unknown, Unknown, Known],
        ),
        ("cut", |it| put(it, &lines(it)[..6]), [Unknown; 3]),
        ("cut at its start", |it| put(it, &lines(it)[4..]), [Unknown, Known, Known]),
        (
            "torn",
            |it| OpenOptions::new().append(true).open(it.path()).unwrap().write_all(b"{\"sch").unwrap(),
            [Known; 3],
        ),
        ("its anchor removed", |it| fs::remove_dir_all(it.state()).unwrap(), [Unknown; 3]),
    ];
    for (name, harm, standings) in harms {
        println!("{name}");
        let sandbox = three();
        harm(&sandbox);
        let log = sandbox.log();
        let ids = ["old", "mid", "new", "theirs"];
        let expected: Vec<_> = ids.into_iter().zip(standings.into_iter().chain([Unknown])).collect();
        expect(&log, &expected);
        // Nor later, when the log tells of the damage, and a person has accepted that.
        log.append(&made(&["later"])).unwrap();
        expect(&log, &expected);
        log.accept(&record("person")).unwrap();
        log.append(&record("again")).unwrap();
        expect(&log, &expected);
        expect(&log, &[("later", Known)]);
    }
}

#[test]
fn a_log_from_elsewhere_makes_nothing_known_that_it_holds_already() {
    let theirs = three();
    let ours = Sandbox::new();
    fs::create_dir_all(ours.path().parent().unwrap()).unwrap();
    fs::copy(theirs.path(), ours.path()).unwrap();
    let log = ours.log();
    expect(&log, &[("new", Standing::Unknown)]);
    log.append(&made(&["ours"])).unwrap();
    log.append(&record("next")).unwrap();
    expect(&log, &[("ours", Standing::Known), ("new", Standing::Unknown), ("old", Standing::Unknown)]);
}

#[test]
fn a_moved_project_keeps_what_it_knows_and_a_copied_one_knows_nothing() {
    let sandbox = three();
    let project = sandbox.folder.path().join("shop");
    let copied = Command::new("cp").arg("-a").arg(&project).arg(sandbox.folder.path().join("copy")).status().unwrap();
    assert!(copied.success());
    let copy = Log::open(&sandbox.log_in("copy"), &sandbox.state());
    expect(&copy, &[("new", Standing::Unknown)]);
    copy.append(&made(&["copy's"])).unwrap();
    expect(&copy, &[("copy's", Standing::Known), ("new", Standing::Unknown)]);
    expect(&sandbox.log(), &[("new", Standing::Known), ("copy's", Standing::Unknown)]);
    fs::rename(&project, sandbox.folder.path().join("moved")).unwrap();
    let moved = Log::open(&sandbox.log_in("moved"), &sandbox.state());
    expect(&moved, &[("new", Standing::Known), ("old", Standing::Known)]);
    moved.append(&made(&["moved"])).unwrap();
    expect(&moved, &[("moved", Standing::Known), ("old", Standing::Known)]);
}

#[test]
fn the_hash_of_another_project_of_the_same_user_counts_there_alone() {
    let sandbox = three();
    fs::create_dir(sandbox.folder.path().join("other")).unwrap();
    let other = Log::open(&sandbox.log_in("other"), &sandbox.state());
    other.append(&made(&["other's"])).unwrap();
    expect(&sandbox.log(), &[("other's", Standing::Unknown)]);
    expect(&other, &[("other's", Standing::Known), ("new", Standing::Unknown)]);
}

#[test]
fn an_append_that_was_killed_hides_nothing() {
    for (stop, is_written) in [(Stop::BeforeLine, false), (Stop::InLine(20), false), (Stop::BeforeSettling, true)] {
        let sandbox = three();
        sandbox.log().append_until(&made(&["killed"]), stop).unwrap();
        let killed = if is_written { Standing::Known } else { Standing::Unknown };
        expect(&sandbox.log(), &[("killed", killed), ("new", Standing::Known), ("old", Standing::Known)]);
        sandbox.log().append(&record("next")).unwrap();
        expect(&sandbox.log(), &[("new", Standing::Known), ("old", Standing::Known)]);
    }
}

#[test]
fn a_name_was_given_once_an_entry_of_about_that_time_or_later_has_it() {
    let sandbox = Sandbox::new();
    let (now, log) = (record("run").at, sandbox.log());
    let past = |log: &Log, id: &str, at| KnownSnapshots::of(log).was_given(id, at);
    assert!(!past(&log, "app_1", now), "no log");
    log.append(&made(&["app_1"])).unwrap();
    let pruned = Event::Prune(Pruned { snapshots: vec!["app_2".to_owned()], databases: vec![] });
    log.append(&Record { event: pruned, ..record("run") }).unwrap();
    for _ in 0..50 {
        log.append(&record("between")).unwrap();
    }
    // The clock was set back by an hour in between, and is at that second again.
    log.append(&Record { at: now - chrono::Duration::hours(1), ..record("back") }).unwrap();
    for (id, is_given) in [("app_1", true), ("app_2", true), ("app", false), ("app_3", false), ("pp_1", false)] {
        assert_eq!(past(&log, id, now), is_given, "{id}");
    }
    // Two days later nobody looks that far back: no name has that time in it.
    let later = now + chrono::Duration::days(2);
    log.append(&Record { at: later, ..record("later") }).unwrap();
    assert!(!past(&log, "app_1", later));
}

#[test]
fn garbage_in_the_log_s_place_is_survived() {
    let sandbox = three();
    for garbage in [&b"\n\n\n"[..], b"{}\n", b"\0\0\0", &[b'x'; 3 << 20], b"{\"event\":1,\"manifests\":[]}\n"] {
        fs::write(sandbox.path(), garbage).unwrap();
        expect(&sandbox.log(), &[("new", Standing::Unknown)]);
        assert!(!KnownSnapshots::of(&sandbox.log()).was_given("new", record("run").at));
    }
    fs::remove_file(sandbox.path()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", sandbox.path()).unwrap();
    expect(&sandbox.log(), &[("new", Standing::Unknown)]);
}

#[test]
fn a_database_was_made_here_where_an_entry_of_ours_announced_it_for_that_server() {
    let sandbox = Sandbox::with_entries(1);
    let log = sandbox.log();
    let making = |server: &str, name: &str| {
        let (server, target) = (server.to_owned(), "postgres://localhost/shop".to_owned());
        Event::Making(Making { server, target, database: "shop".to_owned(), making: vec![name.to_owned()] })
    };
    for (server, name) in [("postgres:1", "a"), ("postgres:2", "b"), ("postgres:3", "a")] {
        log.append(&Record { event: making(server, name), ..record("run") }).unwrap();
        log.append(&record("between")).unwrap();
    }
    forge(log.path(), &Record { event: making("postgres:1", "theirs"), ..record("run") });
    let at = record("run").at;
    let was_made = |server: &str, name: &str| KnownSnapshots::of(&log).was_made(server, name, at);
    let together = KnownSnapshots::of(&log);
    for (server, name, expected) in [
        ("postgres:1", "a", true),
        ("postgres:3", "a", true),
        ("postgres:2", "a", false),
        ("postgres:2", "b", true),
        ("postgres:1", "b", false),
        ("postgres:1", "theirs", false),
    ] {
        assert_eq!(was_made(server, name), expected, "{name} on {server}");
        assert_eq!(together.was_made(server, name, at), expected, "{name} on {server}");
    }
    assert_eq!(together.made("a").unwrap().server, "postgres:3");
    assert_eq!(together.made("theirs"), None);
    // An entry long before the time in the name is not of it.
    let later = at + chrono::Duration::days(3);
    assert!(!KnownSnapshots::of(&log).was_made("postgres:1", "a", later));
}

#[test]
fn what_was_restated_last_by_an_entry_of_ours_holds() {
    let sandbox = Sandbox::with_entries(1);
    let log = sandbox.log();
    let restated = |id: &str, number: u32| Record {
        event: Event::Restated(Restated { snapshot: id.to_owned(), state: number.into() }),
        ..record("run")
    };
    for (id, number) in [("a", 1), ("b", 2), ("a", 3)] {
        log.append(&restated(id, number)).unwrap();
        log.append(&record("between")).unwrap();
    }
    forge(log.path(), &restated("b", 4));
    let at = record("run").at;
    let known = KnownSnapshots::of(&log);
    for (id, expected) in [("b", Some(2.into())), ("a", Some(3.into())), ("c", None)] {
        assert_eq!(known.restated(id, at), expected, "{id}");
    }
}
