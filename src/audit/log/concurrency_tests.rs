//! Many processes at once, and processes that are killed.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::audit::log::file::LogFile;
use crate::audit::log::test_support::{Sandbox, record, runs};
use crate::audit::log::{Log, Stop};

#[test]
fn ten_processes_at_once_make_one_chain() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..10).map(|number| sandbox.child(&format!("p{number}"), 12).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let report = sandbox.report();
    assert!(report.is_whole(), "{}", report.sentence());
    assert_eq!(report.lines, 1 + 10 * 12);
    for number in 0..10 {
        let mine = runs(&sandbox.log()).iter().filter(|run| **run == format!("p{number}")).count();
        assert!(mine >= 12, "process {number} has {mine} entries");
    }
}

#[test]
fn a_process_killed_at_any_time_leaves_the_log_whole() {
    let sandbox = Sandbox::with_entries(1);
    for round in 0..40_u64 {
        let length = || fs::metadata(sandbox.path()).unwrap().len();
        let before = length();
        let mut child = sandbox.child(&format!("k{round}"), 1_000_000).spawn().unwrap();
        while length() == before {
            assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
            thread::sleep(Duration::from_micros(100));
        }
        // Anywhere in one of the appends that follow; every moment is a valid one.
        thread::sleep(Duration::from_micros(37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let report = sandbox.report();
        assert!(report.is_whole(), "round {round}: {}", report.sentence());
    }
    let appended = sandbox.log().append(&record("after")).unwrap();
    assert_eq!(appended.damage, None);
    assert!(sandbox.report().is_whole());
    assert!(appended.line > 41, "{} lines", appended.line);
}

/// A log whose last append, of the run `killed`, was stopped at `stop`.
fn stopped(entries: usize, stop: Stop) -> (Sandbox, Log) {
    let sandbox = Sandbox::with_entries(entries);
    let log = sandbox.log();
    log.append_until(&record("killed"), stop).unwrap();
    (sandbox, log)
}

#[test]
fn a_kill_between_the_three_writes_leaves_the_log_whole() {
    // Whether the killed entry is in the log after the next append: all of it, or nothing.
    let stops =
        [(Stop::BeforeLine, false), (Stop::InLine(1), true), (Stop::InLine(300), true), (Stop::BeforeSettling, true)];
    for (stop, kept) in stops {
        for entries in [0, 3] {
            let (sandbox, log) = stopped(entries, stop);
            let report = sandbox.report();
            assert!(report.is_whole(), "{stop:?} after {entries}: {}", report.sentence());
            assert_eq!(report.interrupted, matches!(stop, Stop::InLine(_)), "{stop:?}");
            let appended = log.append(&record("next")).unwrap();
            assert_eq!(appended.damage, None, "{stop:?} after {entries}");
            assert_eq!(runs(&log).contains(&"killed".to_owned()), kept, "{stop:?} after {entries}");
            let report = sandbox.report();
            assert!(report.is_whole() && !report.interrupted, "{stop:?}: {}", report.sentence());
        }
    }
}

#[test]
fn a_kill_while_damage_is_written_down_does_not_lose_it() {
    for stop in [Stop::BeforeLine, Stop::InLine(1), Stop::InLine(300), Stop::BeforeSettling] {
        let sandbox = Sandbox::with_entries(3);
        let text = std::fs::read_to_string(sandbox.path()).unwrap();
        let cut = text.trim_end().rfind('\n').unwrap() + 1;
        std::fs::write(sandbox.path(), &text[..cut]).unwrap();
        sandbox.log().append_until(&record("killed"), stop).unwrap();
        sandbox.log().append(&record("next")).unwrap();
        assert!(!sandbox.report().is_whole(), "{stop:?}");
        assert!(std::fs::read_to_string(sandbox.path()).unwrap().contains(r#""event":"continued""#), "{stop:?}");
    }
}

#[test]
fn a_log_removed_while_an_append_waits_for_it_is_not_written_into_the_void() {
    let sandbox = Sandbox::with_entries(1);
    let held = LogFile::lock(&sandbox.path(), super::file::PATIENCE).unwrap();
    let child = sandbox.child("waiting", 1).spawn().unwrap();
    // Time for the child to open the file and wait; where it is slower, this test asks less, and still holds.
    thread::sleep(Duration::from_millis(200));
    fs::remove_file(sandbox.path()).unwrap();
    drop(held);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(runs(&sandbox.log()).contains(&"waiting".to_owned()));
}
