//! Dart: its manifests. No load order is known.

pub(crate) mod manifests;

use crate::environment::ecosystems::row::{Ecosystem, nothing, nowhere};
use crate::lists::list;

pub(crate) static DART: Ecosystem = Ecosystem {
    name: "dart",
    is_present: |_| false,
    load_orders: &[],
    derivations: &[],
    named_files: &[],
    settings_options: &[],
    scan: manifests::scan,
    members: &[],
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};
