//! Text that must never be shown: passwords, and whatever could be part of one.
//!
//! What is masked is decided by where it stands, never by what it reads like: a password may be `postgres`, `safe` or
//! `null`, and our own words, ids and keys hold the same letters. Four ways lead to an output, one a file:
//!
//! - `value`: a password that a grammar or a variable's name told apart is a [`Secret`], which masks itself;
//! - `redact_name`: a host, user, database, path or environment name is cut where it has the shape of more than that;
//! - `foreign`: what a tool, a library or a person wrote is a [`ForeignText`], made of redacted text only;
//! - `redact_text`: finds the places in such a text where a grammar puts a password; `names` knows the names for it,
//!   `tokens` what gives itself away.
#![forbid(unsafe_code)]

mod foreign;
mod names;
mod redact_name;
mod redact_text;
mod tokens;
mod value;

pub(crate) use crate::secret::foreign::ForeignText;
pub(crate) use crate::secret::names::{is_kind_of_key, is_secret_word, says_secret, words_of};
pub(crate) use crate::secret::redact_name::{redact_name, redact_path, shown_path};
pub(crate) use crate::secret::redact_text::redact_text;
pub(crate) use crate::secret::value::{MASK, Secret};
