//! The grammars of connection strings: what one value names, whatever its variable is called.
//!
//! Each reads one kind of text into a [`draft::Draft`], or says that the text is another kind: URLs (`url` with
//! `authority`, `query` and `whatwg`, `jdbc`, `sqlite`, `embedded`), key-value strings (`libpq`, `ado_net`, `pdo`), forms of one
//! driver (`go_mysql`, `oracle`), names that only a provider resolves (`instance`), properties of servers that tests start
//! (`throwaway`), and text without a scheme (`bare`). They share the smaller grammars of a host with its port (`host`), of schemes and drivers (`scheme`), of
//! options (`parameters`) and of text that was never filled in (`placeholder`). Drivers that disagree on a text have
//! their own grammar here or give several drafts.

pub(crate) mod ado_net;
mod authority;
pub(crate) mod bare;
pub(crate) mod draft;
mod embedded;
pub(crate) mod go_mysql;
pub(crate) mod host;
pub(crate) mod instance;
pub(crate) mod jdbc;
pub(crate) mod libpq;
pub(crate) mod oracle;
pub(crate) mod parameters;
pub(crate) mod pdo;
pub(crate) mod placeholder;
pub(crate) mod query;
pub(crate) mod scheme;
pub(crate) mod services;
pub(crate) mod sql_server;
pub(crate) mod sqlite;
pub(crate) mod text;
pub(crate) mod throwaway;
pub(crate) mod url;
mod whatwg;
