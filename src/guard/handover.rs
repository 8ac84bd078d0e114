//! What one watch leaves to the next, which may be another process's.

use serde::{Deserialize, Serialize};

use crate::guard::containers::Engines;
use crate::guard::notification::Attempt;
use crate::guard::rules::SavedWithin;
use crate::guard::within::Within;

/// What whoever watches next has to know besides the rules.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The targets that were saved at their first connection.
    pub(super) saved: Vec<usize>,
    /// The attempts that were shown and are not answered yet.
    pub(super) held: Vec<Attempt>,
    /// What engines of containers had before the command turned to them.
    #[serde(default)]
    pub(super) engines: Engines,
    /// What safe-tests within the run have saved.
    #[serde(default)]
    pub(super) within: SavedWithin,
    /// Those that are saving something just then.
    #[serde(default)]
    pub(super) saving: Within,
}

impl Handover {
    /// Writes it down in no more than `longest` bytes. Where it is longer, what was saved within the run stays closed to
    /// whoever outlives the command: those that wait for an answer have to get one.
    pub(crate) fn to_bytes(&self, longest: usize) -> Vec<u8> {
        let whole = serde_json::to_vec(self).unwrap_or_default();
        if whole.len() <= longest {
            return whole;
        }
        let short = Handover { within: SavedWithin::default(), saving: Within::default(), ..self.clone() };
        serde_json::to_vec(&short).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::names::Names;
    use crate::guard::rules::{Places, Rules};
    use crate::guard::testing::{host, target};
    use crate::reach::Engine;

    #[test]
    fn a_handover_that_would_be_too_long_keeps_those_that_wait() {
        let names = Names::known(&[("db.northwind-shop.test", "10.0.0.1")]);
        let mut rules = Rules::default();
        rules.take_over(&[], names, |_| None);
        assert!(serde_json::to_value(rules.saved_within()).unwrap()["named"].as_array().unwrap().is_empty());
        let target = target(Engine::Postgres, vec![host("db.northwind-shop.test", 5555)]);
        let places = Places::of(&target, std::path::Path::to_owned);
        rules.take_over(&[places], Names::default(), |_| None);
        let within = rules.saved_within();
        let handover = Handover { saved: vec![1, 2, 3], within, ..Handover::default() };
        let whole = handover.to_bytes(100_000);
        let read: Handover = serde_json::from_slice(&whole).unwrap();
        let mut others = Rules::default();
        others.add_saved_within(read.within);
        assert_eq!(others.at_address("10.0.0.1:5555".parse().unwrap()).len(), 1);
        assert!(others.expects_a_database(5555));
        let read: Handover = serde_json::from_slice(&handover.to_bytes(whole.len() - 1)).unwrap();
        assert_eq!(read.saved, [1, 2, 3]);
        let mut others = Rules::default();
        others.add_saved_within(read.within);
        assert!(others.at_address("10.0.0.1:5555".parse().unwrap()).is_empty());
    }
}
