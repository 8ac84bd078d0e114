//! Random databases, saved, wrecked and restored: what comes back is what was there, or it was said.
//!
//! A schema is put together from the features in `features.sql` and from tables of every type; most of its names are odd. It
//! belongs to a superuser or to a role that may create databases. It is looked at before it is saved and after it is
//! restored with `pg_dump` and `COPY` alone, which know nothing of how a restore compares. Whatever differs must have been
//! named before the run (`cannot be restored whole`) or by the restore.
//!
//! How many seeds, and which: [`crate::support::seeds`]. A fault of a seed that was asked for alone is told with the fewest
//! statements that still show it.

mod client;
mod differences;
mod features;
mod look;
mod place;
mod scheme;
mod shrink;
mod tables;
mod wreck;

use crate::support::{seeds, try_all};
use place::Place;
use scheme::Scheme;

#[test]
fn what_was_saved_comes_back_or_it_was_said() {
    let seeds = seeds(40, 2000);
    let is_alone = seeds.end - seeds.start == 1;
    try_all(seeds, Place::new, |place, random| {
        let scheme = Scheme::random(random, &place.roles);
        let mut faults = place.faults(&scheme);
        if is_alone && let Some(fault) = faults.first() {
            faults.push(format!("smallest schema:\n{}", shrink::smallest(place, &scheme, fault)));
        }
        if faults.is_empty() { faults } else { vec![faults.join("\n")] }
    });
}
