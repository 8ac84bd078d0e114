//! The grammars of connection strings: what one value names, whatever its variable is called.

pub(crate) mod ado_net;
pub(crate) mod authority;
pub(crate) mod bare;
pub(crate) mod embedded;
pub(crate) mod go_mysql;
pub(crate) mod instance;
pub(crate) mod jdbc;
pub(crate) mod json;
pub(crate) mod libpq;
pub(crate) mod looks;
pub(crate) mod oracle;
pub(crate) mod parameters;
pub(crate) mod pdo;
pub(crate) mod placeholder;
pub(crate) mod query;
pub(crate) mod scheme;
pub(crate) mod services;
pub(crate) mod sqlite;
pub(crate) mod text;
pub(crate) mod url;
pub(crate) mod value;
