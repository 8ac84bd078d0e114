//! The rules, one a file: each looks at the whole evidence and says what it found.

mod broken_file;
mod cached_configuration;
mod certificate_authentication;
mod container_environment;
mod database_name_production;
mod duplicate_key;
mod environment_file_missing;
mod environment_production;
pub(crate) mod file_unreadable;
mod host_managed;
mod host_production_word;
mod host_remote;
mod host_unknown;
mod injected_environment;
mod machine_production;
pub(crate) mod no_database;
pub(crate) mod not_followed;
mod one_database_two_names;
mod platform_production;
mod protection_disabled;
mod removes_volumes;
mod replica_or_cluster;
mod shadow_database;
mod value_unclear;

pub(crate) use crate::verdict::rules::machine_production::MARK as MACHINE_MARK;

use crate::verdict::Finding;
use crate::verdict::subject::Subject;

/// One rule.
pub(crate) type Check = fn(&Subject<'_>) -> Vec<Finding>;

/// Every rule, in the order of the README.
pub(crate) const ALL: [Check; 24] = [
    environment_production::check,
    platform_production::check,
    machine_production::check,
    database_name_production::check,
    host_remote::check,
    host_managed::check,
    host_production_word::check,
    replica_or_cluster::check,
    certificate_authentication::check,
    host_unknown::check,
    value_unclear::check,
    one_database_two_names::check,
    shadow_database::check,
    cached_configuration::check,
    environment_file_missing::check,
    injected_environment::check,
    container_environment::check,
    removes_volumes::check,
    file_unreadable::check,
    not_followed::check,
    duplicate_key::check,
    protection_disabled::check,
    broken_file::check,
    no_database::check,
];
