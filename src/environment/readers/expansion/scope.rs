//! The variables that an expansion can see.

use std::borrow::Cow;

use crate::collections::HashMap;
use crate::environment::readers::expansion::{Lookup, Obstacle};

/// The variables set so far by the file, with the process environment behind or before them.
pub(crate) struct Scope<'a> {
    lookup: Lookup<'a>,
    file: HashMap<String, Result<String, Obstacle>>,
}

type Found<'s> = Result<Option<Cow<'s, str>>, Obstacle>;

impl<'a> Scope<'a> {
    pub(crate) fn new(lookup: Lookup<'a>) -> Self {
        Scope { lookup, file: HashMap::default() }
    }

    pub(crate) fn set(&mut self, name: &str, value: Result<String, Obstacle>) {
        self.file.insert(name.to_owned(), value);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.file.contains_key(name)
    }

    pub(crate) fn in_file(&self, name: &str) -> Found<'_> {
        match self.file.get(name) {
            Some(Ok(value)) => Ok(Some(Cow::Borrowed(value))),
            Some(Err(obstacle)) => Err(*obstacle),
            None => Ok(None),
        }
    }

    pub(crate) fn in_process(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    pub(crate) fn process_then_file(&self, name: &str) -> Found<'_> {
        match self.in_process(name) {
            Some(value) => Ok(Some(Cow::Owned(value))),
            None => self.in_file(name),
        }
    }

    pub(crate) fn file_then_process(&self, name: &str) -> Found<'_> {
        match self.in_file(name)? {
            Some(value) => Ok(Some(value)),
            None => Ok(self.in_process(name).map(Cow::Owned)),
        }
    }
}
