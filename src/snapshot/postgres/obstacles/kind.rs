//! The form of a row: one kind of obstacle.
//!
//! What is in [`Kind::found_in`] may use, besides the catalogs, the common tables of [`super::tables`]. Numbers below 16384
//! are those of `initdb`. Source: `FirstNormalObjectId` in PostgreSQL's `transam.h`.

use crate::snapshot::Effect;

/// The remedy where only a superuser may do what is to be done. A restore is done as the role that saved.
pub(super) const BY_A_SUPERUSER: &str =
    "restore it by hand as a superuser (`by_hand` in its manifest), or save it as one";

/// A kind of obstacle.
pub(super) struct Kind {
    pub(super) effect: Effect,
    /// Where the server has those that are one, what follows `FROM`. `$ACT` stands for the right to give things to a role,
    /// `$MAY_SET(c.setting)` for whether the setting was granted.
    pub(super) found_in: &'static str,
    /// Their name, an expression over `found_in`.
    pub(super) name: &'static str,
    /// What the obstacle is; `{names}` stands for their names, `{user}` for the role.
    pub(super) what: &'static str,
    /// What to do about it.
    pub(super) remedy: &'static str,
    /// The first major version of the server that has such.
    pub(super) since: u32,
    /// The [sign](super::signs) without which there is none; empty where it is as cheap to ask for the kind itself.
    pub(super) sign: &'static str,
}

impl Kind {
    pub(super) const fn since(self, since: u32) -> Kind {
        Kind { since, ..self }
    }

    pub(super) const fn where_there_are(self, sign: &'static str) -> Kind {
        Kind { sign, ..self }
    }
}

/// A restore fails because of it.
pub(super) const fn nothing_comes_back(
    found_in: &'static str,
    name: &'static str,
    what: &'static str,
    remedy: &'static str,
) -> Kind {
    Kind { effect: Effect::NothingComesBack, found_in, name, what, remedy, since: 0, sign: "" }
}

/// A restore goes on without it.
pub(super) const fn left_out(
    found_in: &'static str,
    name: &'static str,
    what: &'static str,
    remedy: &'static str,
) -> Kind {
    Kind { effect: Effect::LeftOut, found_in, name, what, remedy, since: 0, sign: "" }
}
