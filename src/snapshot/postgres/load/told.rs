//! What of a dump's text was carried out otherwise than it stands there: the notes of a load tell it, and the comparison of
//! definitions does not miss it.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::postgres::words::head;

/// What the notes tell, in a form to be looked up.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Roles of which something was left out: what they owned, or were granted.
    pub(crate) roles: BTreeSet<Vec<u8>>,
    /// Tables and domains with a constraint that was added `NOT VALID`, named as the catalog names them.
    pub(crate) not_valid: BTreeSet<String>,
    /// Statements that were left out, or that others stand for.
    pub(crate) replaced: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Comments on extensions that the server refused, each by what it is a comment on: `EXTENSION hstore`.
    pub(crate) comments: BTreeSet<Vec<u8>>,
    /// Whether something lies in another tablespace.
    pub(crate) has_moved: bool,
}

impl Told {
    /// Tells that a statement was left out.
    pub(crate) fn left_out(&mut self, statement: &[u8]) {
        self.replaced_by(statement, None);
    }

    /// Tells that another statement was carried out in place of this one, or none.
    pub(crate) fn replaced_by(&mut self, statement: &[u8], other: Option<&[u8]>) {
        let other = other.map(|other| other.trim_ascii_end().to_vec());
        self.replaced.insert(statement.trim_ascii_end().to_vec(), other);
    }

    /// Tells that the server refused a comment.
    pub(crate) fn refused_comment(&mut self, statement: &[u8]) {
        let commented = head(statement);
        let commented = commented.strip_prefix(b"COMMENT ON ").unwrap_or(commented);
        self.comments.insert(commented.strip_suffix(b" IS").unwrap_or(commented).to_vec());
    }
}
