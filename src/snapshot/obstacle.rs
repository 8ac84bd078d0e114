//! What keeps a snapshot from being put back whole, as far as it showed when the snapshot was taken.
//!
//! It stands in the manifest and is said wherever else "to undo" would be: a promise that cannot be kept is not made.

use serde::{Deserialize, Serialize};

/// One thing that keeps a database from coming back whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Obstacle {
    /// How much it keeps back.
    pub(crate) effect: Effect,
    /// What it is: a reason where nothing comes back, else what is left out. A phrase.
    pub(crate) what: String,
    /// What to do about it, a phrase.
    pub(crate) remedy: String,
}

/// How much an obstacle keeps back. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    /// A restore fails, and leaves the database as it finds it.
    NothingComesBack,
    /// A restore brings all the rest back.
    LeftOut,
    /// A restore brings all back, but in place of what is there, which only a snapshot keeps then.
    InPlace,
}

/// How many obstacles are named in a line; the others are counted.
const NAMED: usize = 2;

/// Says in a line that a snapshot cannot be restored whole, or only in place, and why; nothing where there is no obstacle.
#[must_use]
pub(crate) fn not_whole(obstacles: &[Obstacle]) -> Option<String> {
    said(obstacles, NAMED)
}

/// Says the same with every obstacle named.
#[must_use]
pub(crate) fn not_whole_in_full(obstacles: &[Obstacle]) -> Option<String> {
    said(obstacles, usize::MAX)
}

fn said(obstacles: &[Obstacle], named: usize) -> Option<String> {
    let worst = worst(obstacles)?;
    let kept_back = match worst {
        Effect::NothingComesBack => "cannot be restored whole: nothing comes back, since",
        Effect::LeftOut => "cannot be restored whole: left out are",
        Effect::InPlace => "can be restored in place only, with a safety snapshot as the way back, since",
    };
    let (weighty, lesser): (Vec<_>, Vec<_>) = obstacles.iter().partition(|one| one.effect == worst);
    let whats = |some: &[&Obstacle]| some.iter().map(|one| one.what.clone()).collect::<Vec<_>>().join("; ");
    let shown = whats(&weighty[..weighty.len().min(named)]);
    // They are of another kind: said after "since" they would be reasons.
    let besides = &lesser[..lesser.len().min(named.saturating_sub(weighty.len()))];
    let besides = match besides {
        [] => String::new(),
        some => format!("; besides: {}", whats(some)),
    };
    let rest = match obstacles.len().saturating_sub(named) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Some(format!("{kept_back} {shown}{besides}{rest}"))
}

/// Says what to do, once each, for those that weigh most; nothing where there is no obstacle.
#[must_use]
pub(crate) fn remedy(obstacles: &[Obstacle]) -> Option<String> {
    let worst = worst(obstacles)?;
    let mut remedies: Vec<&str> = Vec::new();
    for one in obstacles.iter().filter(|one| one.effect == worst) {
        if !remedies.contains(&one.remedy.as_str()) {
            remedies.push(&one.remedy);
        }
    }
    Some(remedies.join("; "))
}

/// Finds how much is kept back; `None` where all comes back.
#[must_use]
pub(crate) fn worst(obstacles: &[Obstacle]) -> Option<Effect> {
    obstacles.iter().map(|one| one.effect).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(effect: Effect, what: &str) -> Obstacle {
        Obstacle { effect, what: what.to_owned(), remedy: format!("mend {}", &what[..1]) }
    }

    #[test]
    fn the_weightiest_are_named_and_the_others_counted() {
        use Effect::{InPlace, LeftOut, NothingComesBack};
        let cases = [
            (vec![], None, None),
            (
                vec![(InPlace, "a")],
                Some("can be restored in place only, with a safety snapshot as the way back, since a"),
                Some("mend a"),
            ),
            (vec![(LeftOut, "a")], Some("cannot be restored whole: left out are a"), Some("mend a")),
            (
                vec![(LeftOut, "a"), (NothingComesBack, "b"), (NothingComesBack, "b2")],
                Some("cannot be restored whole: nothing comes back, since b; b2; and 1 more"),
                Some("mend b"),
            ),
            (
                vec![(LeftOut, "a"), (NothingComesBack, "b")],
                Some("cannot be restored whole: nothing comes back, since b; besides: a"),
                Some("mend b"),
            ),
        ];
        for (given, line, what_to_do) in cases {
            let given: Vec<_> = given.iter().map(|(effect, what)| obstacle(*effect, what)).collect();
            assert_eq!((not_whole(&given).as_deref(), remedy(&given).as_deref()), (line, what_to_do));
        }
        let many: Vec<_> = ["a", "b", "c"].iter().map(|what| obstacle(LeftOut, what)).collect();
        assert_eq!(not_whole_in_full(&many).unwrap(), "cannot be restored whole: left out are a; b; c");
    }
}
