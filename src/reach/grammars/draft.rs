//! What one value names before the rest of its environment is looked at.

use crate::reach::grammars::parameters;
use crate::reach::grammars::placeholder;
use crate::reach::{Doubt, Engine, Place};
use crate::secret::Secret;

/// How many places or options of one value are kept: comparing them takes time.
const MOST: usize = 500;

/// A target in the making: `places` may still be empty, which means the driver's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) engine: Engine,
    /// Every place that some driver could dial for the value, in the order they would.
    pub(crate) places: Vec<Place>,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) doubts: Vec<Doubt>,
    /// What is left out of it, as a phrase about the value.
    pub(crate) cut: Option<&'static str>,
    /// The name of a libpq service that fills what is missing.
    pub(crate) service: Option<String>,
    /// Whether a driver that finds no host dials the usual Unix socket (libpq) rather than the loopback address.
    pub(crate) socket_by_default: bool,
}

impl Draft {
    pub(crate) fn new(engine: Engine) -> Self {
        Draft {
            engine,
            places: Vec::new(),
            database: None,
            user: None,
            password: None,
            parameters: Vec::new(),
            doubts: Vec::new(),
            cut: None,
            service: None,
            socket_by_default: false,
        }
    }

    pub(crate) fn at(engine: Engine, place: Place) -> Self {
        Draft { places: vec![place], ..Draft::new(engine) }
    }

    pub(crate) fn doubt(&mut self, doubt: Doubt) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    pub(crate) fn add_place(&mut self, place: Place) {
        if self.places.contains(&place) {
            return;
        }
        if self.places.len() < MOST {
            self.places.push(place);
        } else {
            self.cut = Some("it names more than 500 servers");
        }
    }

    /// Sets the database where none is named yet; empty text names nothing.
    pub(crate) fn set_database(&mut self, name: &str) {
        if !name.is_empty() {
            if let Some(doubt) = placeholder::name_doubt(name) {
                self.doubt(doubt);
            }
            self.database = Some(name.to_owned());
        }
    }

    /// Keeps a user, unless the text is a URL, which may hold a password.
    pub(crate) fn set_user(&mut self, name: &str) {
        if !name.is_empty() && !name.contains("://") {
            self.user = Some(name.to_owned());
        }
    }

    pub(crate) fn set_password(&mut self, password: &str) {
        if !password.is_empty() {
            self.password = Some(Secret::new(password));
        }
    }

    /// Keeps an option, unless it could hold a secret.
    pub(crate) fn add_parameter(&mut self, key: &str, value: &str) {
        if let Some(kept) = parameters::kept(key, value)
            && !self.parameters.contains(&kept)
        {
            if self.parameters.len() < MOST {
                self.parameters.push(kept);
            } else {
                self.cut = Some("it has more than 500 options");
            }
        }
    }

    /// Gives every host without a port the port `port`.
    pub(crate) fn fill_port(&mut self, port: Option<u16>) {
        for place in &mut self.places {
            if let Place::Host { port: missing @ None, .. } = place {
                *missing = port;
            }
        }
    }
}
