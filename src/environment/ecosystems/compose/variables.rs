//! What the values of a compose file are filled in from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::environment::Invocation;
use crate::environment::layering::{Library, StartEnvironment};
use crate::environment::readers::dotenv::Dialect;

/// What a compose file's values are filled in from: the shell, then the files that compose reads for that.
#[derive(Clone)]
pub(crate) struct Variables<'a> {
    host: &'a StartEnvironment,
    of_files: HashMap<String, String>,
    /// What a script assigns before.
    assigned: HashMap<String, String>,
}

pub(crate) fn variables<'a>(files: &[PathBuf], host: &'a StartEnvironment, library: &Library<'_>) -> Variables<'a> {
    let mut variables = Variables { host, of_files: HashMap::new(), assigned: HashMap::new() };
    files.iter().for_each(|path| variables.read(path, library));
    variables
}

impl Variables<'_> {
    /// Adds what stands before the command, over the rest.
    pub(crate) fn with(mut self, invocation: &Invocation) -> Self {
        self.assigned.extend(invocation.assignments.iter().cloned());
        self
    }

    /// Reads one more file, over those before it.
    pub(crate) fn read(&mut self, path: &Path, library: &Library<'_>) {
        let sheet = library.dotenv(path, Dialect::Compose, &|name| self.host.get(name).map(str::to_owned));
        let known = sheet.iter().flat_map(|sheet| sheet.iter()).filter(|setting| setting.unresolved.is_none());
        self.of_files.extend(known.map(|setting| (setting.name.clone(), setting.value.clone())));
    }

    /// Gives those that fill in a file which lies in `folder`: what its own `.env` says counts where nothing else does.
    pub(crate) fn within(&self, folder: &Path, named: &[PathBuf], library: &Library<'_>) -> Self {
        let mut inner = Variables { host: self.host, of_files: HashMap::new(), assigned: self.assigned.clone() };
        inner.read(&folder.join(".env"), library);
        named.iter().for_each(|path| inner.read(path, library));
        inner.of_files.extend(self.of_files.iter().map(|(name, value)| (name.clone(), value.clone())));
        inner
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let assigned = self.assigned.get(name).cloned();
        assigned.or_else(|| self.host.get(name).map(str::to_owned)).or_else(|| self.of_files.get(name).cloned())
    }
}
