//! One log per kind of damage, each under `fixtures/audit/` and each with the line and kind that it has to show.
//!
//! The files are made from one whole log by the functions here, and a test keeps both the same. To write them anew:
//! `SAFE_TEST_WRITE_FIXTURES=1 cargo test --lib fixtures_are_what_made_them`.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::*;
use crate::audit::chain::digest;
use crate::audit::chain::{Ending, Pending};
use crate::audit::damage::{Damage, DamageKind};
use crate::audit::event::Disorder;
use crate::audit::report::{CallerReport, JudgementRecord};
use crate::hash::Hash;
use crate::verdict::Verdict;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audit")
}

fn event(seq: u64) -> Event {
    let judgement = JudgementRecord::of(Verdict::Safe);
    match seq {
        1 => Event::Opened,
        4 => Event::Refused(Refusal {
            judgement: JudgementRecord::of(Verdict::Production),
            reason: "the database's name says production".to_owned(),
            exit: 120,
            manifests: Manifests::new(),
        }),
        2 | 5 | 7 => Event::RunStarted(Start {
            judgement,
            consent: Vec::new(),
            snapshots: vec![format!("app_test_20261121_14{seq:02}00")],
            manifests: Manifests::new(),
            notes: Vec::new(),
        }),
        _ => Event::RunFinished(Finish::new(ProcessEnd::Status(1), std::time::Duration::from_millis(1200 + seq))),
    }
}

/// Returns the line that says `event` after the lines in `before`; `run` tells two histories apart.
fn line(before: &[String], event: Event, run: &str) -> String {
    let seq = before.len() as u64 + 1;
    let record = Record {
        at: DateTime::from_timestamp(1_795_269_600 + 60 * seq as i64, 0).unwrap(),
        run: format!("{run}{}", seq / 2),
        who: Who {
            user: "dev".to_owned(),
            host: "workstation".to_owned(),
            caller: CallerReport { kind: "human".into(), ..CallerReport::default() },
            commit: None,
        },
        what: What { command: vec!["npm".to_owned(), "test".to_owned()], folder: "/srv/shop".to_owned() },
        event,
    };
    let log = (seq == 1).then(|| "5afe7e575afe7e575afe7e575afe7e57".to_owned());
    let previous = before.last().map(|line| Hash::of(line.as_bytes()));
    Entry::place(&record, seq, log, previous).line().unwrap()
}

fn extend(mut lines: Vec<String>, events: impl IntoIterator<Item = Event>, run: &str) -> Vec<String> {
    for event in events {
        lines.push(line(&lines, event, run));
    }
    lines
}

fn whole() -> Vec<String> {
    extend(Vec::new(), (1..=8).map(event), "r")
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

fn changed(change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines = whole();
    change(&mut lines);
    joined(&lines)
}

fn torn_and_continued() -> Vec<String> {
    let mut lines = whole();
    let half = lines[7].len() / 2;
    lines[7].truncate(half);
    let damage = Continued { damage: Disorder::Torn, expected: None, found: None };
    extend(lines, [Event::Continued(damage), event(2)], "s")
}

fn accepted(lines: Vec<String>) -> Vec<String> {
    let digest = digest(lines.iter().map(|line| Hash::of(line.as_bytes())));
    extend(lines, [Event::Accepted(Accepted { digest }), event(2)], "t")
}

/// What this machine remembers while it looks at a fixture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Remembered {
    /// The end of the whole log.
    Whole,
    /// The very end of the fixture.
    Its,
    /// Nothing.
    Nothing,
}

type Case = (&'static str, Vec<u8>, Remembered, Option<(u64, DamageKind)>);

fn cases() -> Vec<Case> {
    use Remembered::{Its, Nothing, Whole};
    let certain = DamageKind::Edited { certain: true };
    let half = |lines: &mut Vec<String>| {
        let last = lines.pop().unwrap();
        last[..last.len() / 2].to_owned()
    };
    let torn = {
        let mut lines = whole();
        let last = half(&mut lines);
        [joined(&lines), last.into_bytes()].concat()
    };
    let edit = |index: usize| move |lines: &mut Vec<String>| lines[index] = lines[index].replace("npm", "nmp");
    let relink = |lines: &mut Vec<String>| {
        let at = lines[4].rfind("previous").unwrap() + 11;
        let digit = if lines[4].as_bytes()[at] == b'0' { "1" } else { "0" };
        lines[4].replace_range(at..=at, digit);
    };
    let forked = |lines: &mut Vec<String>| {
        let other = line(&lines[..5], event(7), "other");
        lines.insert(6, other);
    };
    let rewritten = {
        let lines = extend(whole()[..1].to_vec(), [event(4)], "x");
        extend(lines, (3..=8).map(event), "r")
    };
    let accepted_and_edited = {
        let mut lines = accepted(torn_and_continued());
        edit(1)(&mut lines);
        lines
    };
    vec![
        ("whole", joined(&whole()), Whole, None),
        ("whole", joined(&whole()), Nothing, None),
        ("edited", changed(edit(3)), Whole, Some((4, certain))),
        ("edited", changed(edit(3)), Nothing, Some((4, certain))),
        ("edited_first", changed(edit(0)), Whole, Some((1, certain))),
        ("edited_last", changed(edit(7)), Whole, Some((8, certain))),
        ("edited_link", changed(relink), Whole, Some((4, DamageKind::Edited { certain: false }))),
        ("rewritten", joined(&rewritten), Whole, Some((8, certain))),
        ("cut_at_end", changed(|lines| lines.truncate(6)), Whole, Some((7, DamageKind::CutAtEnd { missing: 2 }))),
        ("cut_at_end", changed(|lines| lines.truncate(6)), Nothing, None),
        (
            "cut_at_start",
            changed(|lines| drop(lines.drain(..2))),
            Whole,
            Some((1, DamageKind::CutAtStart { missing: 2 })),
        ),
        ("gap", changed(|lines| drop(lines.drain(3..5))), Whole, Some((4, DamageKind::Gap { missing: 2 }))),
        ("reordered", changed(|lines| lines.swap(3, 4)), Whole, Some((4, DamageKind::Reordered))),
        (
            "duplicated",
            changed(|lines| lines.insert(4, lines[3].clone())),
            Whole,
            Some((5, DamageKind::Duplicated { of: 4 })),
        ),
        (
            "duplicated_last",
            changed(|lines| lines.push(lines[7].clone())),
            Whole,
            Some((9, DamageKind::Duplicated { of: 8 })),
        ),
        ("forked", changed(forked), Whole, Some((7, DamageKind::Forked { with: 6 }))),
        (
            "two_logs",
            [joined(&whole()), joined(&rewritten)].concat(),
            Whole,
            Some((9, DamageKind::Duplicated { of: 1 })),
        ),
        (
            "not_an_entry",
            changed(|lines| lines[3] = "what was here?".to_owned()),
            Whole,
            Some((4, DamageKind::NotAnEntry)),
        ),
        ("empty_line", changed(|lines| lines.insert(3, String::new())), Whole, Some((4, DamageKind::NotAnEntry))),
        ("torn", torn.clone(), Whole, Some((8, DamageKind::Torn))),
        ("torn", torn, Nothing, Some((8, DamageKind::Torn))),
        ("no_newline", joined(&whole())[..joined(&whole()).len() - 1].to_vec(), Whole, Some((8, DamageKind::Torn))),
        ("extended", joined(&extend(whole(), [event(2)], "x")), Whole, Some((9, DamageKind::Extended { lines: 1 }))),
        (
            "bytes_added",
            [joined(&whole()), b"x\ny".to_vec()].concat(),
            Whole,
            Some((9, DamageKind::Extended { lines: 2 })),
        ),
        ("nul_bytes", [joined(&whole()[..7]), vec![0; 300]].concat(), Whole, Some((8, DamageKind::NulBytes))),
        ("nul_bytes_added", [joined(&whole()), vec![0; 300]].concat(), Whole, Some((9, DamageKind::NulBytes))),
        ("torn_and_continued", joined(&torn_and_continued()), Its, Some((8, DamageKind::Torn))),
        ("accepted", joined(&accepted(torn_and_continued())), Its, None),
        ("accepted_and_edited", joined(&accepted_and_edited), Its, Some((2, certain))),
        ("empty", Vec::new(), Whole, Some((1, DamageKind::Missing { lines: 8 }))),
        ("empty", Vec::new(), Nothing, None),
    ]
}

fn links(bytes: &[u8]) -> Vec<Link> {
    Lines::new(bytes).map(|line| Link::of(&line.unwrap())).collect()
}

fn ending(lines: &[Hash]) -> Known {
    Known::End(Ending { seq: lines.len() as u64, head: lines.last().copied(), next: None, since: 1 })
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    Lines::new(bytes).map(|line| line.unwrap().hash).collect()
}

#[test]
fn each_kind_of_damage_is_named_with_its_line() {
    for (name, _, remembered, expected) in cases() {
        let bytes = fs::read(fixtures().join(format!("{name}.log"))).unwrap();
        let known = match remembered {
            Remembered::Whole => ending(&hashes(&joined(&whole()))),
            Remembered::Its => ending(&hashes(&bytes)),
            Remembered::Nothing => Known::Nothing,
        };
        let report = verify(&links(&bytes), &known);
        let found = report.damage.map(|damage| (damage.line, damage.kind));
        assert_eq!(found, expected, "{name}, {remembered:?} remembered: {}", report.sentence());
        assert_eq!(report.is_whole(), report.damages == 0, "{name}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks the person who runs the tests whether to write the fixtures anew")]
fn fixtures_are_what_made_them() {
    let write = std::env::var_os("SAFE_TEST_WRITE_FIXTURES").is_some();
    let mut made: Vec<String> = Vec::new();
    for (name, bytes, ..) in cases() {
        let path = fixtures().join(format!("{name}.log"));
        if write {
            fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
        made.push(format!("{name}.log"));
    }
    for entry in fs::read_dir(fixtures()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(made.contains(&name), "no case makes fixtures/audit/{name}");
    }
}

#[test]
fn an_append_that_is_not_settled_may_end_at_either() {
    let all = hashes(&joined(&whole()));
    let next = Some(Pending { seq: 8, head: all[7] });
    let known = Known::End(Ending { seq: 7, head: Some(all[6]), next, since: 1 });
    for (kept, whole_log) in [(8, true), (7, true), (6, false)] {
        let report = verify(&links(&joined(&whole()[..kept])), &known);
        assert_eq!(report.is_whole(), whole_log, "{kept} lines: {}", report.sentence());
    }
}

#[test]
fn every_changed_byte_is_found() {
    let bytes = joined(&whole());
    let known = ending(&hashes(&bytes));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!verify(&links(&changed), &known).is_whole(), "byte {at}");
    }
    for length in 0..bytes.len() {
        assert!(!verify(&links(&bytes[..length]), &known).is_whole(), "cut to {length}");
    }
}

#[test]
fn a_report_reads_as_a_sentence() {
    let sentences = [
        (DamageKind::Edited { certain: true }, "line 4 was edited"),
        (DamageKind::Edited { certain: false }, "line 4 was edited, or the link to it in line 5 was"),
        (DamageKind::CutAtEnd { missing: 2 }, "the log was cut after line 3: 2 lines are missing"),
        (DamageKind::CutAtStart { missing: 1 }, "the log was cut at its start: 1 line is missing before its first"),
        (DamageKind::Gap { missing: 2 }, "2 lines are missing before line 4"),
        (
            DamageKind::Extended { lines: 1 },
            "1 line was added from line 4 on, not by safe-test on this machine, or where it could not write the anchor, as in a sandbox",
        ),
    ];
    for (kind, expected) in sentences {
        assert_eq!(Damage { line: 4, kind }.sentence(), expected);
    }
}
