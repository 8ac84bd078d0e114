//! Cases that are made from seeds, the same on every machine.
//!
//! The short form is part of every test run. `tests/run --long` sets `SAFE_TEST_LONG` and tries many more seeds;
//! `SAFE_TEST_SEED=N` tries the one that a failure named, `SAFE_TEST_SEED=M..N` those from M to before N.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::Random;

/// How many faults are told before the rest of the seeds is left out, unless they were asked for.
const TOLD: usize = 20;

/// Which seeds are tried: the one that is asked for, or the long or the short form.
pub(crate) fn seeds(short: u64, long: u64) -> Range<u64> {
    if let Ok(asked) = std::env::var("SAFE_TEST_SEED") {
        let (from, to) = asked.split_once("..").unwrap_or((&asked, ""));
        let from = from.parse().unwrap();
        return from..to.parse().unwrap_or(from + 1);
    }
    0..if std::env::var_os("SAFE_TEST_LONG").is_some() { long } else { short }
}

/// Tries each seed, on all processors, in a place of each thread's own; fails with the faults that were found.
pub(crate) fn try_all<P>(
    seeds: Range<u64>,
    place: impl Fn() -> P + Sync,
    faults_of: impl Fn(&mut P, Random) -> Vec<String> + Sync,
) {
    let told = if std::env::var_os("SAFE_TEST_SEED").is_some() { usize::MAX } else { TOLD };
    let (next, found) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || {
        let mut place = place();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || found.lock().unwrap().len() >= told {
                return;
            }
            // Its message is told as it happens; here it gets its seed.
            let tried = catch_unwind(AssertUnwindSafe(|| faults_of(&mut place, Random::new(seed))));
            let faults = tried.unwrap_or_else(|_| vec!["a panic".to_owned()]);
            let faults: Vec<String> = faults.into_iter().map(|fault| format!("seed {seed}: {fault}")).collect();
            // As they are found: the rest may take an hour.
            faults.iter().for_each(|fault| eprintln!("{fault}\n"));
            found.lock().unwrap().extend(faults);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} faults\n{}", found.len(), found.join("\n"));
}
