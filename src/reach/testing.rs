//! Shows drafts and targets on one line each, so that tests are tables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::environment;
use crate::environment::{Files, Invocation, Origin, Project, Reading, Setting};
use crate::reach::{Doubt, Draft, Engine, Lookup, Place, Reached, Target, find_targets};

pub(crate) fn line(draft: &Draft) -> String {
    let mut out = show(draft.engine, &draft.places, draft.database.as_deref(), draft.user.as_deref());
    if let Some(service) = &draft.service {
        out.push_str(&format!(" service={service}"));
    }
    finish(out, &draft.parameters, &draft.doubts)
}

pub(crate) fn target_line(target: &Target) -> String {
    let out = show(target.engine, &target.places, target.database.as_deref(), target.user.as_deref());
    finish(out, &target.parameters, &target.doubts)
}

fn show(engine: Engine, places: &[Place], database: Option<&str>, user: Option<&str>) -> String {
    let mut out = format!("{} ", engine.name());
    let shown: Vec<String> = places.iter().map(show_place).collect();
    out.push_str(if shown.is_empty() { "-" } else { "" });
    out.push_str(&shown.join(","));
    out.push_str(&format!(" {}", database.unwrap_or("-")));
    if let Some(user) = user {
        out.push_str(&format!(" u={user}"));
    }
    out
}

fn show_place(place: &Place) -> String {
    let port = |port: &Option<u16>| port.map_or(String::new(), |port| format!(":{port}"));
    match place {
        Place::Host { name, port: number } => format!("{name}{}", port(number)),
        Place::Socket { path, port: number } => format!("unix:{}{}", path.display(), port(number)),
        Place::File { path } => format!("file:{}", path.display()),
        Place::Memory => "memory".to_owned(),
        Place::Instance { name } => format!("<{name}>"),
    }
}

fn finish(mut out: String, parameters: &[(String, String)], doubts: &[Doubt]) -> String {
    if !parameters.is_empty() {
        let pairs: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        out.push_str(&format!(" {{{}}}", pairs.join(",")));
    }
    if !doubts.is_empty() {
        let mut doubts = doubts.to_vec();
        doubts.sort();
        doubts.dedup();
        out.push_str(&format!(" {doubts:?}"));
    }
    out
}

/// A file system made of values.
#[derive(Default)]
pub(crate) struct Folder(pub(crate) BTreeMap<PathBuf, String>);

impl Files for Folder {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).map(|text| text.clone().into_bytes()))
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path))
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(path).ok());
        below.filter_map(|rest| rest.iter().next().map(ToOwned::to_owned)).collect()
    }

    fn folder(&self, _: &Path) -> Option<environment::Folder> {
        None
    }
}

/// One reading of these variables, each on a line of its own in `.env`.
pub(crate) fn reading(pairs: &[(&str, &str)]) -> Reading {
    let settings = pairs
        .iter()
        .zip(1..)
        .map(|((name, value), line)| Setting::known(*name, *value, Origin::file(*name, ".env", line)).into());
    Reading { loader: "test".to_owned(), settings: settings.collect() }
}

/// A command that was typed, split at blanks; `'` keeps blanks together.
pub(crate) fn typed(command: &str) -> Invocation {
    let mut words: Vec<String> = Vec::new();
    for (index, piece) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(ToOwned::to_owned));
        }
    }
    let assigned = words.iter().take_while(|word| word.contains('=') && !word.starts_with('-')).count();
    let rest = words.split_off(assigned);
    let assignments = words.iter().filter_map(|word| word.split_once('='));
    Invocation {
        assignments: assignments.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        unknown: Vec::new(),
        words: rest,
        origin: Origin::process("command"),
        places: std::rc::Rc::default(),
    }
}

/// What is found in a project at `/p` with these files.
pub(crate) fn found(readings: &[Reading], invocations: &[Invocation], files: &[(&str, &str)]) -> Vec<Target> {
    reached(readings, invocations, files).targets
}

/// What is reached in a project at `/p` with these files.
pub(crate) fn reached(readings: &[Reading], invocations: &[Invocation], files: &[(&str, &str)]) -> Reached {
    let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
    let files = Folder(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect());
    let base_folders = [PathBuf::from("/p")];
    find_targets(readings, invocations, &Lookup { project: &project, files: &files, base_folders: &base_folders })
}

/// What the variables name, one line each.
pub(crate) fn lines(pairs: &[(&str, &str)]) -> Vec<String> {
    found(&[reading(pairs)], &[], &[]).iter().map(target_line).collect()
}
