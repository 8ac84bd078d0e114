//! What safe-test costs, as its users pay it: whole processes, timed from outside, against the plain tools.
//!
//! `cargo bench` runs every case; `cargo bench -- check sqlite` those whose names contain one of the words;
//! `--rounds N` sets how often each pair runs. Times depend on the machine and on what else it does: the ratio of two
//! processes that ran one after the other is what the goals are about. Nothing here asserts a time.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers, which ends at what goes wrong")]
#![allow(clippy::disallowed_methods, reason = "what is read here is the environment of whoever measures")]

mod check;
mod compare;
mod growth;
mod guard;
mod hook;
#[path = "../tests/integration/support/mariadb.rs"]
#[allow(dead_code, reason = "shared with the tests, which need more of it")]
mod mariadb;
mod mysql;
#[path = "../tests/integration/support/patience.rs"]
#[allow(dead_code, reason = "shared with the tests, which need more of it")]
mod patience;
mod postgres;
#[path = "../tests/integration/support/postgres_programs.rs"]
mod postgres_programs;
mod project;
mod redis;
#[path = "../tests/integration/support/redis.rs"]
#[allow(dead_code, reason = "shared with the tests, which need more of it")]
mod redis_server;
mod scale;
#[path = "../tests/integration/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests, which need more of it")]
mod server;
#[path = "../tests/integration/support/server_guard.rs"]
mod server_guard;
mod sqlite;

use compare::{Contest, Measured, compare, peak_memory};
use postgres::{Data, Undo};

/// A line of the table.
struct Case {
    name: &'static str,
    /// Ours against what.
    what: &'static str,
    goal: Goal,
    rounds: usize,
    contest: fn() -> Contest,
}

enum Goal {
    /// The most that ours may take, as a multiple of the other's time.
    Ratio(f64),
    /// The most that ours may take more than the other, in microseconds, for each of so many.
    More { microseconds: f64, each: u32 },
    /// The most resident memory, in MiB.
    Memory(u64),
}

const CASES: [Case; 49] = [
    Case {
        name: "check-three-files",
        what: "check, three .env files / env true",
        goal: Goal::Ratio(1.3),
        rounds: 200,
        contest: check::three_files,
    },
    Case {
        name: "check-corpus",
        what: "check, largest corpus case / env true",
        goal: Goal::Ratio(1.3),
        rounds: 200,
        contest: check::largest_corpus_case,
    },
    Case { name: "hook-ls", what: "hook, ls -la / env true", goal: Goal::Ratio(1.5), rounds: 200, contest: hook::ls },
    Case {
        name: "hook-heredoc",
        what: "hook, a heredoc of 300 lines / env true",
        goal: Goal::Ratio(3.0),
        rounds: 200,
        contest: hook::heredoc,
    },
    Case {
        name: "check-launcher-script",
        what: "check, a launcher script / a bare command",
        goal: Goal::Ratio(6.0),
        rounds: 60,
        contest: scale::launcher_script,
    },
    Case {
        name: "check-workspace-1000",
        what: "check, 1,000 packages / 100 packages",
        goal: Goal::Ratio(12.0),
        rounds: 15,
        contest: scale::workspace,
    },
    Case {
        name: "check-make-2000",
        what: "check, 2,000 make targets / 20 targets",
        goal: Goal::Ratio(2.0),
        rounds: 60,
        contest: scale::make_target,
    },
    Case {
        name: "check-make-all-2000",
        what: "check, make with 2,000 prerequisites / with 200",
        goal: Goal::Ratio(12.0),
        rounds: 15,
        contest: scale::make_all,
    },
    Case {
        name: "check-just-2000",
        what: "check, 2,000 just recipes / 20 recipes",
        goal: Goal::Ratio(2.0),
        rounds: 60,
        contest: scale::just_recipe,
    },
    Case {
        name: "run-sqlite-1mb",
        what: "guarded true, SQLite 1 MB / bash checklist",
        goal: Goal::Ratio(0.6),
        rounds: 60,
        contest: || sqlite::run_against_checklist("settled", sqlite::Written::LongAgo),
    },
    Case {
        name: "run-sqlite-1mb-one-core",
        what: "the same, both on one core",
        goal: Goal::Ratio(0.6),
        rounds: 60,
        contest: || {
            let contest = sqlite::run_against_checklist("one-core", sqlite::Written::LongAgo);
            Contest { on_one_core: true, ..contest }
        },
    },
    Case {
        name: "run-sqlite-1mb-fresh",
        what: "the same, written just before",
        goal: Goal::Ratio(1.0),
        rounds: 60,
        contest: || sqlite::run_against_checklist("fresh", sqlite::Written::JustNow),
    },
    Case {
        name: "snapshot-sqlite-1mb",
        what: "snapshot, SQLite 1 MB / sqlite3, also checked",
        goal: Goal::Ratio(0.8),
        rounds: 60,
        contest: || sqlite::snapshot_against_backup(1),
    },
    Case {
        name: "snapshot-sqlite-10mb",
        what: "snapshot, SQLite 10 MB / sqlite3, also checked",
        goal: Goal::Ratio(0.8),
        rounds: 25,
        contest: || sqlite::snapshot_against_backup(10),
    },
    Case {
        name: "snapshot-sqlite-100mb",
        what: "snapshot, SQLite 100 MB / sqlite3, also checked",
        goal: Goal::Ratio(0.8),
        rounds: 9,
        contest: || sqlite::snapshot_against_backup(100),
    },
    Case {
        name: "second-run-sqlite-100mb",
        what: "second run, SQLite 100 MB / first run",
        goal: Goal::Ratio(0.2),
        rounds: 7,
        contest: || sqlite::second_run(100),
    },
    Case {
        name: "memory-sqlite-1gb",
        what: "snapshot, SQLite 1 GB",
        goal: Goal::Memory(32),
        rounds: 1,
        contest: || sqlite::second_run(1000),
    },
    Case {
        name: "growth-check-snapshots",
        what: "check, 1000 snapshots / one",
        goal: Goal::Ratio(1.2),
        rounds: 60,
        contest: || growth::snapshots(&["check"]),
    },
    Case {
        name: "growth-run-snapshots",
        what: "unchanged run, 1000 snapshots / one",
        goal: Goal::Ratio(2.0),
        rounds: 60,
        contest: || growth::snapshots(&["-q", "true"]),
    },
    Case {
        name: "growth-run-log",
        what: "unchanged run, log of 100000 lines / of a few",
        goal: Goal::Ratio(1.2),
        rounds: 60,
        contest: growth::log,
    },
    Case {
        name: "run-postgres-300-tables",
        what: "guarded true, 300 tables / pg_dump -Fc",
        goal: Goal::Ratio(1.25),
        rounds: 9,
        contest: || postgres::run_against_dump(Data::Tables, &["-Fc"]),
    },
    Case {
        name: "run-postgres-150mb",
        what: "guarded true, 150 MB mixed / pg_dump -Fc -Z9",
        goal: Goal::Ratio(0.4),
        rounds: 5,
        contest: || postgres::run_against_dump(Data::Mixed(150), &["-Fc", "-Z9"]),
    },
    Case {
        name: "second-run-postgres-300-tables",
        what: "second run, 300 tables / first run",
        goal: Goal::Ratio(0.2),
        rounds: 7,
        contest: || postgres::second_run(Data::Tables),
    },
    Case {
        name: "restore-postgres-300-tables",
        what: "restore, 300 tables / drop, create, pg_restore",
        goal: Goal::Ratio(1.3),
        rounds: 9,
        contest: || postgres::restore_against_hand(Data::Tables),
    },
    Case {
        name: "restore-postgres-300mb",
        what: "restore, 300 MB / drop, create, pg_restore",
        goal: Goal::Ratio(1.5),
        rounds: 5,
        contest: || postgres::restore_against_hand(Data::Mixed(300)),
    },
    Case {
        name: "undo-postgres-300-tables",
        what: "snapshot and restore, 300 tables / server's copies",
        goal: Goal::Ratio(1.0),
        rounds: 9,
        contest: || postgres::undo_against_copies(Data::Tables, Undo::ByDump),
    },
    Case {
        name: "undo-postgres-300mb",
        what: "snapshot and restore, 300 MB / server's copies",
        goal: Goal::Ratio(1.0),
        rounds: 5,
        contest: || postgres::undo_against_copies(Data::Mixed(300), Undo::ByDump),
    },
    Case {
        name: "fast-undo-postgres-300-tables",
        what: "the same with fast_undo, 300 tables",
        goal: Goal::Ratio(1.0),
        rounds: 9,
        contest: || postgres::undo_against_copies(Data::Tables, Undo::ByCopy),
    },
    Case {
        name: "fast-undo-postgres-300mb",
        what: "the same with fast_undo, 300 MB",
        goal: Goal::Ratio(1.0),
        rounds: 5,
        contest: || postgres::undo_against_copies(Data::Mixed(300), Undo::ByCopy),
    },
    Case {
        name: "fast-undo-again-postgres-300-tables",
        what: "a run after an undo, and its undo, 300 tables",
        goal: Goal::Ratio(1.0),
        rounds: 9,
        contest: || postgres::undo_against_copies(Data::Tables, Undo::Again),
    },
    Case {
        name: "fast-undo-again-postgres-300mb",
        what: "a run after an undo, and its undo, 300 MB",
        goal: Goal::Ratio(1.0),
        rounds: 5,
        contest: || postgres::undo_against_copies(Data::Mixed(300), Undo::Again),
    },
    Case {
        name: "fast-undo-snapshot-postgres-300-tables",
        what: "its snapshot alone, 300 tables / the copy alone",
        goal: Goal::Ratio(3.0),
        rounds: 9,
        contest: || postgres::undo_against_copies(Data::Tables, Undo::CopyOnly),
    },
    Case {
        name: "fast-undo-snapshot-postgres-300mb",
        what: "its snapshot alone, 300 MB / the copy alone",
        goal: Goal::Ratio(4.0),
        rounds: 5,
        contest: || postgres::undo_against_copies(Data::Mixed(300), Undo::CopyOnly),
    },
    Case {
        name: "guard-connect",
        what: "a guarded loopback connection / a bare one",
        goal: Goal::More { microseconds: 25.0, each: guard::CONNECTIONS },
        rounds: 15,
        contest: guard::connections,
    },
    Case {
        name: "guard-start",
        what: "guarded true, no database / the guard off",
        goal: Goal::More { microseconds: 1300.0, each: 1 },
        rounds: 200,
        contest: guard::start,
    },
    Case {
        name: "guard-pgbench",
        what: "guarded pgbench -C -S / the guard off",
        goal: Goal::Ratio(1.03),
        rounds: 9,
        contest: guard::pgbench,
    },
    Case {
        name: "guard-cargo-build",
        what: "guarded cargo build / bare",
        goal: Goal::Ratio(1.02),
        rounds: 15,
        contest: guard::cargo_build,
    },
    Case {
        name: "guard-npm-ci",
        what: "guarded npm ci / bare",
        goal: Goal::Ratio(1.02),
        rounds: 15,
        contest: guard::npm_ci,
    },
    Case {
        name: "guard-unchanged-postgres",
        what: "guarded true, unchanged 300 tables / pg_dump -Fc",
        goal: Goal::Ratio(0.2),
        rounds: 15,
        contest: guard::unchanged_against_dump,
    },
    Case {
        name: "guard-unchanged-sqlite",
        what: "guarded true, unchanged SQLite / the guard off",
        goal: Goal::More { microseconds: 2000.0, each: 1 },
        rounds: 200,
        contest: guard::unchanged_sqlite,
    },
    Case {
        name: "guard-looking-through",
        what: "run without a name, 2,000 files / 2 files",
        goal: Goal::More { microseconds: 2000.0, each: 1 },
        rounds: 200,
        contest: guard::looking_through,
    },
    Case {
        name: "memory-restore-postgres-150mb",
        what: "restore, PostgreSQL 150 MB",
        goal: Goal::Memory(32),
        rounds: 1,
        contest: || postgres::restore_against_hand(Data::Mixed(150)),
    },
    Case {
        name: "memory-postgres-150mb",
        what: "snapshot, PostgreSQL 150 MB",
        goal: Goal::Memory(32),
        rounds: 1,
        contest: || postgres::snapshot(Data::Mixed(150)),
    },
    Case {
        name: "memory-postgres-1gb",
        what: "snapshot, PostgreSQL 1 GB",
        goal: Goal::Memory(32),
        rounds: 1,
        contest: || postgres::snapshot(Data::Mixed(1000)),
    },
    Case {
        name: "run-mariadb-300-tables",
        what: "guarded true, MariaDB 300 tables / mariadb-dump",
        goal: Goal::Ratio(1.25),
        rounds: 7,
        contest: || mysql::run_against_dump(mysql::Data::Tables, ""),
    },
    Case {
        name: "run-mariadb-200mb",
        what: "guarded true, MariaDB 200 MB / mariadb-dump | gzip",
        goal: Goal::Ratio(0.5),
        rounds: 5,
        contest: || mysql::run_against_dump(mysql::Data::Mixed(200), "| gzip"),
    },
    Case {
        name: "restore-mariadb-300-tables",
        what: "restore, MariaDB 300 tables / drop, create, load by hand",
        goal: Goal::Ratio(1.5),
        rounds: 5,
        contest: || mysql::restore_against_hand(mysql::Data::Tables),
    },
    Case {
        name: "memory-mariadb-1gb",
        what: "memory, guarded true, MariaDB 1 GB / mariadb-dump",
        goal: Goal::Memory(32),
        rounds: 1,
        contest: || mysql::run_against_dump(mysql::Data::Mixed(1000), ""),
    },
    Case {
        name: "run-redis-100mb",
        what: "guarded true, Redis 100 MB / redis-cli --rdb",
        goal: Goal::Ratio(1.2),
        rounds: 5,
        contest: redis::run_against_client,
    },
];

fn main() {
    let asked = Asked::read();
    println!("{:<49} {:>17} {:>17} {:>18} {:>8}", "case", "other, ms", "ours, ms", "ratio", "goal");
    for case in CASES.iter().filter(|case| asked.wants(case.name)) {
        let rounds = asked.rounds.unwrap_or(case.rounds);
        let contest = (case.contest)();
        match case.goal {
            Goal::Ratio(goal) => show(case.what, &compare(contest, rounds), goal),
            Goal::More { microseconds, each } => show_more(case.what, &compare(contest, rounds), microseconds, each),
            Goal::Memory(goal) => {
                let peak = peak_memory(contest.ours);
                let verdict = if peak <= goal * 1024 { "" } else { "  missed" };
                println!("{:<49} {:>44.1} MiB peak {:>5} MiB{verdict}", case.what, peak as f64 / 1024.0, goal);
            }
        }
    }
}

fn show(what: &str, measured: &Measured, goal: f64) {
    let spread = |spread: &compare::Spread, digits: usize| {
        format!("{:.digits$} ({:.digits$}-{:.digits$})", spread.median, spread.least, spread.most)
    };
    let verdict = if measured.ratio.median <= goal { "" } else { "  missed" };
    let (other, ours) = (spread(&measured.other, 1), spread(&measured.ours, 1));
    println!("{what:<49} {other:>17} {ours:>17} {:>18} {goal:>8.2}{verdict}", spread(&measured.ratio, 2));
}

/// Shows what each of so many costs more, in microseconds.
fn show_more(what: &str, measured: &Measured, goal: f64, each: u32) {
    let of = |spread: &compare::Spread, digits: usize| {
        format!("{:.digits$} ({:.digits$}-{:.digits$})", spread.median, spread.least, spread.most)
    };
    let more = measured.more.median * 1e3 / f64::from(each);
    let verdict = if more <= goal { "" } else { "  missed" };
    let (other, ours) = (of(&measured.other, 1), of(&measured.ours, 1));
    println!("{what:<49} {other:>17} {ours:>17} {:>15.1} µs {goal:>5.0} µs{verdict}", more);
}

/// What stands on the command line.
struct Asked {
    words: Vec<String>,
    rounds: Option<usize>,
}

impl Asked {
    fn read() -> Self {
        let mut asked = Asked { words: Vec::new(), rounds: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--rounds" => asked.rounds = Some(arguments.next().and_then(|n| n.parse().ok()).expect("--rounds N")),
                word if word.starts_with('-') => panic!("unknown option {word}; there is only --rounds N"),
                word => asked.words.push(word.to_owned()),
            }
        }
        asked
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}
