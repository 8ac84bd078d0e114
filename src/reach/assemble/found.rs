//! What was found in one environment.

use crate::environment::Origin;
use crate::reach::Draft;

/// How many variables are kept as the origins of one connection. They are shown; what is reached hangs on none of them.
const MOST_ORIGINS: usize = 200;

/// A draft with where it came from.
pub(crate) struct Found {
    pub(crate) draft: Draft,
    pub(crate) origins: Vec<Origin>,
    /// The group of variables that it came from.
    pub(crate) group: String,
    /// Only an engine is named; it counts where nothing else in the environment names a database.
    pub(crate) weak: bool,
    /// libpq's own variables: what is missing is its default and nothing that another variable says.
    pub(crate) keeps_default: bool,
    /// Variables are not known that another environment knows: only its place counts.
    pub(crate) is_partial: bool,
}

impl Found {
    pub(crate) fn new(draft: Draft, origin: Origin, group: &str) -> Self {
        let group = group.to_owned();
        Found { draft, origins: vec![origin], group, weak: false, keeps_default: false, is_partial: false }
    }

    pub(crate) fn add_origin(&mut self, origin: &Origin) {
        if self.origins.len() < MOST_ORIGINS && !self.origins.contains(origin) {
            self.origins.push(origin.clone());
        }
    }
}
