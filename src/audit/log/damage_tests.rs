//! A log that is not as it was left: it goes on, says so, and is reported until a person accepts it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::audit::Event;
use crate::audit::damage::DamageKind;
use crate::audit::event::Disorder;
use crate::audit::log::test_support::{Sandbox, record};
use crate::audit::log::{Log, verify_file};

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn last_line(bytes: &[u8]) -> usize {
    bytes[..bytes.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1
}

fn append(path: &Path, text: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text).unwrap();
}

#[test]
fn a_damaged_log_goes_on_and_is_reported_until_a_person_accepts_it() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm, Disorder); 11] = [
        ("removed", |path| fs::remove_file(path).unwrap(), Disorder::Missing),
        ("removed with its folder", |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(), Disorder::Missing),
        ("emptied", |path| rewrite(path, Vec::clear), Disorder::Missing),
        ("cut by a line", |path| rewrite(path, |bytes| bytes.truncate(last_line(bytes))), Disorder::Cut),
        ("cut in a line", |path| rewrite(path, |bytes| bytes.truncate(bytes.len() - 9)), Disorder::Torn),
        ("cut by its newline", |path| rewrite(path, |bytes| bytes.truncate(bytes.len() - 1)), Disorder::Torn),
        ("a line removed", |path| rewrite(path, |bytes| drop(bytes.drain(..last_line(bytes)))), Disorder::Cut),
        ("a line added", |path| append(path, b"{}\n"), Disorder::Extended),
        ("half a line added", |path| append(path, b"{"), Disorder::Torn),
        ("NUL bytes added", |path| append(path, &[0; 20_000]), Disorder::Torn),
        (
            "its last line changed",
            |path| {
                rewrite(path, |bytes| {
                    let at = last_line(bytes) + 90;
                    bytes[at] ^= 1;
                });
            },
            Disorder::Changed,
        ),
    ];
    for (name, harm, disorder) in harms {
        let sandbox = Sandbox::with_entries(4);
        harm(&sandbox.path());
        assert!(!sandbox.report().is_whole(), "{name}: before the next append");
        let appended = sandbox.log().append(&record("next")).unwrap();
        let damage = appended.damage.expect(name);
        assert_eq!(damage.damage, disorder, "{name}");
        assert_eq!(damage.expected.expect(name).seq, 5, "{name}");
        assert_eq!(damage.found.is_none(), disorder == Disorder::Missing, "{name}");
        assert_eq!(sandbox.log().append(&record("again")).unwrap().damage, None, "{name}: said twice");
        assert!(!sandbox.report().is_whole(), "{name}: not accepted yet");
        sandbox.log().accept(&record("person")).unwrap();
        let report = sandbox.report();
        assert!(report.is_whole(), "{name}: accepted, and yet {}", report.sentence());
        assert_eq!(sandbox.log().append(&record("later")).unwrap().damage, None, "{name}");
        assert!(sandbox.report().is_whole(), "{name}");
        rewrite(&sandbox.path(), |bytes| bytes[100] ^= 1);
        assert!(!sandbox.report().is_whole(), "{name}: changed after it was accepted");
    }
}

#[test]
fn a_log_that_is_gone_is_missed_at_its_place() {
    let sandbox = Sandbox::with_entries(2);
    fs::remove_dir_all(sandbox.path().parent().unwrap()).unwrap();
    let report = sandbox.report();
    assert_eq!(report.damage.unwrap().kind, DamageKind::Missing { lines: 3 });
    assert_eq!(report.sentence(), "the log is gone: it had 3 lines");
}

#[test]
fn another_log_in_its_place_is_noticed() {
    let (sandbox, other) = (Sandbox::with_entries(3), Sandbox::with_entries(2));
    fs::copy(other.path(), sandbox.path()).unwrap();
    let damage = sandbox.log().append(&record("next")).unwrap().damage.unwrap();
    assert_eq!(damage.damage, Disorder::Replaced);
    assert_eq!((damage.expected.unwrap().seq, damage.found.unwrap().seq), (4, 3));
    assert_eq!(sandbox.log().append(&record("again")).unwrap().damage, None);
    let report = sandbox.report();
    assert_eq!(report.damage.unwrap().kind, DamageKind::Recorded { damage: Disorder::Replaced });
}

#[test]
fn a_moved_project_keeps_its_anchor() {
    let sandbox = Sandbox::with_entries(3);
    fs::rename(sandbox.folder.path().join("shop"), sandbox.folder.path().join("store")).unwrap();
    let path = sandbox.log_in("store");
    let report = verify_file(&path, &sandbox.state()).unwrap();
    assert_eq!((report.is_whole(), report.watched_since), (true, Some(1)));
    rewrite(&path, |bytes| bytes.truncate(last_line(bytes)));
    assert!(!verify_file(&path, &sandbox.state()).unwrap().is_whole());
    let appended = Log::open(&path, &sandbox.state()).append(&record("next")).unwrap();
    assert_eq!(appended.damage.unwrap().damage, Disorder::Cut);
    // The old place has nothing to miss any more: a new project there starts a log of its own.
    fs::create_dir(sandbox.folder.path().join("shop")).unwrap();
    assert_eq!(sandbox.log().append(&record("new")).unwrap().line, 2);
}

#[test]
fn a_copied_project_goes_on_beside_its_original() {
    let sandbox = Sandbox::with_entries(3);
    let folder = sandbox.folder.path();
    assert!(Command::new("cp").arg("-r").arg(folder.join("shop")).arg(folder.join("copy")).status().unwrap().success());
    let copy = Log::open(&sandbox.log_in("copy"), &sandbox.state());
    for _ in 0..2 {
        assert_eq!(sandbox.log().append(&record("original")).unwrap().damage, None);
        assert_eq!(copy.append(&record("copy")).unwrap().damage, None);
    }
    assert!(sandbox.report().is_whole());
    let report = verify_file(copy.path(), &sandbox.state()).unwrap();
    assert_eq!((report.is_whole(), report.watched_since), (true, Some(5)));
}

#[test]
fn a_machine_without_an_anchor_says_so() {
    let sandbox = Sandbox::with_entries(3);
    fs::remove_dir_all(sandbox.state()).unwrap();
    let report = sandbox.report();
    assert_eq!((report.is_whole(), report.watched_since), (true, None));
    assert!(report.sentence().contains("this machine has no anchor"), "{}", report.sentence());
    assert_eq!(sandbox.log().append(&record("next")).unwrap().damage, None);
    assert_eq!(sandbox.report().watched_since, Some(5));
}

#[test]
fn an_anchor_that_cannot_be_read_is_damage() {
    let sandbox = Sandbox::with_entries(3);
    let anchors = sandbox.state().join("audit/anchors");
    let log = fs::read_dir(anchors).unwrap().next().unwrap().unwrap().path();
    let anchor = fs::read_dir(log).unwrap().next().unwrap().unwrap().path();
    fs::write(anchor, b"rubbish").unwrap();
    assert_eq!(sandbox.report().damage.unwrap().kind, DamageKind::AnchorUnreadable);
    let damage = sandbox.log().append(&record("next")).unwrap().damage.unwrap();
    assert_eq!(damage.damage, Disorder::Forgotten);
    assert_eq!(sandbox.log().append(&record("again")).unwrap().damage, None);
}

#[test]
fn lines_that_are_no_entries_do_not_stop_the_reader() {
    let sandbox = Sandbox::with_entries(1);
    append(&sandbox.path(), &[b"what?\n".to_vec(), vec![b'x'; 3 << 20], b"\n".to_vec()].concat());
    sandbox.log().append(&record("next")).unwrap();
    let events: Vec<String> = sandbox.log().read().unwrap().unwrap().map(|line| kind(&line.unwrap().entry)).collect();
    assert_eq!(events, ["opened", "run", "none", "none", "continued", "run"]);
}

fn kind(entry: &Option<crate::audit::Entry>) -> String {
    match entry.as_ref().map(|entry| &entry.event) {
        None => "none",
        Some(Event::Opened) => "opened",
        Some(Event::Continued(_)) => "continued",
        Some(_) => "run",
    }
    .to_owned()
}
