//! Leaves out of a schema what a fault does not need.

use super::place::Place;
use super::scheme::Scheme;

/// How many smaller schemas are tried at the most: each takes a second or two.
const TRIES: usize = 120;

/// The smallest schema found that still has a fault of the same kind, as text.
pub(crate) fn smallest(place: &Place, scheme: &Scheme, fault: &str) -> String {
    let kind = kind(fault);
    let mut tries = TRIES;
    let mut still = |smaller: &Scheme| {
        tries = tries.saturating_sub(1);
        tries > 0 && place.faults(smaller).iter().any(|fault| self::kind(fault) == kind)
    };
    let mut smallest = scheme.clone();
    let mut piece = smallest.steps.len().max(1);
    while piece > 0 {
        let mut at = 0;
        while at < smallest.steps.len() {
            let mut smaller = smallest.clone();
            smaller.steps.drain(at..(at + piece).min(smallest.steps.len()));
            if still(&smaller) { smallest = smaller } else { at += piece }
        }
        piece /= 2;
    }
    let mut at = 0;
    while at < smallest.wreck.len() {
        let mut smaller = smallest.clone();
        smaller.wreck.remove(at);
        if still(&smaller) { smallest = smaller } else { at += 1 }
    }
    for simpler in
        [Scheme { created: "", ..smallest.clone() }, Scheme { as_app: false, created: "", ..smallest.clone() }]
    {
        if still(&simpler) {
            smallest = simpler;
        }
    }
    smallest.text()
}

/// A fault's first words, without the names of one schema.
fn kind(fault: &str) -> String {
    let words = fault.split(['\n', '`', '"']).next().unwrap_or_default().split(' ');
    words.filter(|word| !word.contains(|c: char| c.is_ascii_digit())).take(12).collect::<Vec<_>>().join(" ")
}
