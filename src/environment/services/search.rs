//! The search for services: what has been found, and reading each file once.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::collections::{HashMap, HashSet};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::dotenv::{self, Dialect};
use crate::environment::readers::encoding::decoded;
use crate::environment::readers::formats::{FlatEntry, Stop, yaml};
use crate::environment::services::host_path::HostPath;
use crate::environment::{Files, Project, paths};

/// The most files that are read.
const MAX_FILES: usize = 1000;

/// The most services that are followed into a file that they extend one of, and files of variables; each is read for that.
const MAX_EXTENSIONS: usize = 256;

/// What values of a compose file are filled in from.
pub(crate) type Variables = HashMap<String, String>;

/// A host name that reaches a container of this project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    /// The name in lower case: one label, except where GitLab makes the name from an image's address.
    pub(crate) host: String,
    /// The file that declares it, relative to the project's root where it lies below it.
    pub(crate) file: PathBuf,
    /// The line of the declaration, counted from 1.
    pub(crate) line: u32,
}

/// What has been found, and which files have been read for it.
pub(crate) struct Search<'a> {
    pub(crate) project: &'a Project,
    pub(crate) files: &'a dyn Files,
    found: Vec<Service>,
    process: &'a [(OsString, OsString)],
    /// Names that a container resolves to an address that is not a container's.
    pub(crate) diverted: HashSet<String>,
    read: HashSet<PathBuf>,
    /// There is more than was read.
    pub(crate) is_cut: bool,
    /// How many more services that extend one of another file are followed there, and files of variables read.
    pub(crate) extensions_left: usize,
}

impl<'a> Search<'a> {
    pub(crate) fn new(project: &'a Project, files: &'a dyn Files, process: &'a [(OsString, OsString)]) -> Self {
        Search {
            project,
            files,
            process,
            found: Vec::new(),
            diverted: HashSet::default(),
            read: HashSet::default(),
            is_cut: false,
            extensions_left: MAX_EXTENSIONS,
        }
    }

    pub(crate) fn finish(self) -> Vec<Service> {
        let Search { found, diverted, is_cut, .. } = self;
        // What was not read could say that a name is another machine's.
        if is_cut {
            return Vec::new();
        }
        let mut seen = HashSet::default();
        found.into_iter().filter(|service| !diverted.contains(&service.host) && seen.insert(service.clone())).collect()
    }

    /// Lists the folders that are looked into: the current one and those above it, up to the root.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let Project { root, folder, .. } = self.project;
        let mut folders: Vec<PathBuf> = paths::up_to(root, folder).map(Path::to_owned).collect();
        for folder in [folder, root] {
            if !folders.contains(folder) {
                folders.push(folder.clone());
            }
        }
        folders
    }

    /// Lists the YAML files of a folder, by name.
    pub(crate) fn yaml_files(&self, folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.files.list(folder).into_iter().map(|name| folder.join(name)).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml"));
        paths.sort();
        paths
    }

    /// Reads the text of a file that is read for the first time.
    pub(crate) fn text(&mut self, path: &Path) -> Option<String> {
        if !self.read.insert(path.to_owned()) {
            return None;
        }
        self.is_cut |= self.read.len() > MAX_FILES;
        self.bytes(path).map(|bytes| decoded(&bytes).into_owned())
    }

    /// Reads a file, unless too many were read.
    pub(crate) fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        if self.is_cut {
            return None;
        }
        self.files.read(path).unwrap_or_else(|error| {
            self.is_cut |= error.kind() != io::ErrorKind::IsADirectory;
            None
        })
    }

    /// Gives what fills in a compose file in `folder`: what is known outside of it (else the environment), then what the files
    /// `named` and its own `.env` say.
    pub(crate) fn variables(&mut self, folder: &Path, named: &[PathBuf], outside: Option<Variables>) -> Variables {
        let process = || {
            let texts = self.process.iter().map(|(name, value)| (name.to_string_lossy(), value.to_string_lossy()));
            texts.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
        };
        let outside = outside.unwrap_or_else(process);
        let mut all = Variables::default();
        for path in [folder.join(".env")].iter().chain(named) {
            let Some(left) = self.extensions_left.checked_sub(1) else {
                self.is_cut = true;
                break;
            };
            self.extensions_left = left;
            let Some(bytes) = self.bytes(path) else { continue };
            let document = dotenv::read(Dialect::Compose, &bytes, &|name| outside.get(name).cloned());
            let known = document.effective().filter(|entry| entry.unresolved.is_none());
            all.extend(known.filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?))));
        }
        all.extend(outside);
        all
    }

    /// Reads the outline of a YAML file that is read for the first time; empty where it has none of `words`.
    pub(crate) fn outline(&mut self, path: &Path, words: &[&str]) -> Vec<FlatEntry> {
        let Some(text) = self.text(path) else { return Vec::new() };
        if !words.is_empty() && !words.iter().any(|word| text.contains(word)) {
            return Vec::new();
        }
        yaml::outline(&text).entries(|stop| self.note(&stop))
    }

    /// Notes what was not read of a file that those who use it would read; a broken one they refuse.
    pub(crate) fn note(&mut self, stop: &Stop) {
        self.is_cut |= matches!(stop.why, GivenUp::TooMuch(_));
    }

    /// Declares the hosts that stand at these places of a YAML file which is read for the first time.
    pub(crate) fn declare_all(&mut self, path: &Path, words: &[&str], hosts: &[HostPath]) {
        for entry in self.outline(path, words) {
            for host in hosts.iter().filter_map(|place| place.host(&entry)) {
                self.declare(host, path, entry.line);
            }
        }
    }

    /// Notes a host of one label, perhaps with a version (`postgres-9.6`); anything else (a domain, an unexpanded
    /// variable) proves nothing.
    pub(crate) fn declare(&mut self, host: &str, path: &Path, line: u32) {
        let (label, version) = host.split_once('.').unwrap_or((host, "0"));
        if !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || label.parse::<u64>().is_ok() {
            return;
        }
        let is_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !host.is_empty() && host.chars().all(is_label) {
            self.declare_unchecked(host, path, line);
        }
    }

    pub(crate) fn declare_unchecked(&mut self, host: &str, path: &Path, line: u32) {
        let (host, file) = (host.to_ascii_lowercase(), self.project.shown(path));
        self.found.push(Service { host, file, line });
    }
}
