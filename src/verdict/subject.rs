//! What every rule looks at, and the findings that rules have in common.

use crate::environment::Origin;
use crate::reach::{Place, Target};
use crate::verdict::locality::{LocatedPlace, locate_places};
use crate::verdict::{Evidence, Finding, Level, Locality, Remedy, words};

/// The evidence with the places of its targets already located.
pub(crate) struct Subject<'a> {
    pub(crate) evidence: &'a Evidence<'a>,
    /// The places of each target, in the order of the targets.
    pub(crate) located: Vec<Vec<LocatedPlace<'a>>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(evidence: &'a Evidence<'a>) -> Self {
        Subject { evidence, located: evidence.targets.iter().map(|target| locate_places(target, evidence)).collect() }
    }

    /// Lists the targets with their index and located places.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (usize, &'a Target, &[LocatedPlace<'a>])> {
        self.evidence
            .targets
            .iter()
            .zip(&self.located)
            .enumerate()
            .map(|(at, (target, located))| (at, target, located.as_slice()))
    }

    /// Lists the origins of the target at `at`, and of those that may be the same database by another spelling.
    pub(crate) fn origins_of_one_database(&self, at: usize) -> Vec<&'a Origin> {
        let targets = &self.evidence.targets;
        let others = (0..targets.len()).filter(|other| *other != at && self.may_be_one(at, *other));
        std::iter::once(at).chain(others).flat_map(|at| &targets[at].origins).collect()
    }

    /// Tells whether two targets may be one database: the same name behind one port of this machine, by whichever of
    /// its names or by a socket. Which of them one listener serves is not asked; where their servers were, that counts too.
    fn may_be_one(&self, one: usize, other: usize) -> bool {
        if self.evidence.same_database.iter().any(|&(a, b)| (a, b) == (one, other) || (a, b) == (other, one)) {
            return true;
        }
        let ports = |at: usize| -> Option<Vec<Option<u16>>> {
            let target = &self.evidence.targets[at];
            let port = |located: &LocatedPlace<'_>| match (located.locality, located.place) {
                (Locality::Loopback, Place::Host { port, .. }) | (Locality::Socket, Place::Socket { port, .. }) => {
                    Some(port.or(target.engine.default_port()))
                }
                _ => None,
            };
            self.located[at].iter().map(port).collect()
        };
        let [first, second] = [one, other].map(|at| &self.evidence.targets[at]);
        let shared = |one: &[Option<u16>], other: &[Option<u16>]| one.iter().any(|port| other.contains(port));
        first.engine.family() == second.engine.family()
            && first.database == second.database
            && ports(one).zip(ports(other)).is_some_and(|(one, other)| shared(&one, &other))
    }

    /// Tells whether every place of every target is positively local and every database is named like a test's.
    pub(crate) fn everything_is_local_and_test_shaped(&self) -> bool {
        self.targets().all(|(_, target, located)| {
            let in_memory = located.iter().all(|place| place.locality == Locality::Memory);
            located.iter().all(|place| place.locality.is_local())
                && (in_memory
                    || target.engine.is_auxiliary()
                    || target.database.as_deref().is_some_and(words::is_test_shaped))
        }) && !self.evidence.targets.is_empty()
    }
}

/// Makes a production finding about a target.
pub(crate) fn production(
    rule: &'static str,
    target: usize,
    origin: &Origin,
    message: String,
    remedy: impl Into<Remedy>,
) -> Finding {
    let (level, remedy) = (Level::Production, remedy.into());
    Finding { rule, level, target: Some(target), message, remedy, origin: Some(origin.clone()) }
}

/// Makes a finding that a target is not shown to be safe.
pub(crate) fn unverified(
    rule: &'static str,
    target: usize,
    origin: Option<&Origin>,
    message: String,
    remedy: impl Into<Remedy>,
) -> Finding {
    let (level, remedy) = (Level::Unverified, remedy.into());
    Finding { rule, level, target: Some(target), message, remedy, origin: origin.cloned() }
}

/// Makes a note of what a rule would have found about a target if the policy did not allow it.
pub(crate) fn allowed(rule: &'static str, target: usize, origin: &Origin, message: String) -> Finding {
    let level = Level::Note;
    Finding { rule, level, target: Some(target), message, remedy: Remedy::default(), origin: Some(origin.clone()) }
}

/// Makes a finding about the run and none of its targets.
pub(crate) fn about_the_run(
    rule: &'static str,
    level: Level,
    message: String,
    remedy: impl Into<Remedy>,
    origin: Option<Origin>,
) -> Finding {
    Finding { rule, level, target: None, message, remedy: remedy.into(), origin }
}

/// Finds the variable that names the place of a target.
pub(crate) fn origin_of(target: &Target) -> Option<&Origin> {
    target.origins.first()
}

/// Says what to set instead: the remedy that most findings about a target share.
pub(crate) fn point_elsewhere(target: &Target) -> String {
    let variable = origin_of(target).map_or("it".into(), Origin::named);
    format!("point {variable} at a database on this machine that is made for tests")
}
