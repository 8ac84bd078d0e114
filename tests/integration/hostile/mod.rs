//! Hostile projects and stores, made from seeds: whatever lies in a clone, every call ends soon, by a documented status,
//! says what it has to in text that drives no terminal, and changes nothing that it has no business with.
//!
//! The short form is part of every test run. `tests/run --long` sets `SAFE_TEST_LONG` and tries many more seeds;
//! `SAFE_TEST_SEED=N` tries the one that a failure named, `SAFE_TEST_SEED=M..N` those from M to before N.

mod bounded;
mod damage;
mod escapes;
mod files;
mod projects;
mod random;
mod stores;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use random::Random;

/// How many faults are told before the rest of the seeds is left out.
const TOLD: usize = 20;

/// Which seeds are tried: the one that is asked for, or the long or the short form.
fn seeds(short: u64, long: u64) -> Range<u64> {
    if let Ok(asked) = std::env::var("SAFE_TEST_SEED") {
        let (from, to) = asked.split_once("..").unwrap_or((&asked, ""));
        let from = from.parse().unwrap();
        return from..to.parse().unwrap_or(from + 1);
    }
    0..if std::env::var_os("SAFE_TEST_LONG").is_some() { long } else { short }
}

/// Tries each seed, on all processors, in a place of each thread's own; fails with the faults that were found.
fn try_all<P>(
    seeds: Range<u64>,
    place: impl Fn() -> P + Sync,
    faults_of: impl Fn(&mut P, Random) -> Vec<String> + Sync,
) {
    let (next, found) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || {
        let mut place = place();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || found.lock().unwrap().len() >= TOLD {
                return;
            }
            let faults = faults_of(&mut place, Random::new(seed));
            found.lock().unwrap().extend(faults.into_iter().map(|fault| format!("seed {seed}: {fault}")));
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
