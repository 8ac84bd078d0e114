//! One service of a compose file: what it has in its environment, and what it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::Setting;
use crate::environment::layering::StartEnvironment;
use crate::lists::{List, list};
use crate::tools::clients;
use crate::tools::words::name_of;

/// Published images of servers that run nothing of a project's own.
static SERVERS: List = list!("servers.txt");

/// Those who publish nothing but such images.
static PUBLISHERS: List = list!("publishers.txt");

/// Tells whether an image is a published server that runs nothing of a project's own.
pub(crate) fn is_server(image: &str) -> bool {
    let mut segments = image.rsplit('/');
    let name = segments.next().unwrap_or_default().split([':', '@']).next().unwrap_or_default();
    SERVERS.contains(name) || segments.next().is_some_and(|publisher| PUBLISHERS.contains(publisher))
}

/// What one service has in its environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    pub(crate) environment: Vec<Setting>,
    /// The weakest first, as they are listed.
    pub(crate) files: Vec<PathBuf>,
    /// It runs a program of the project's own, not a published image.
    pub(crate) is_built: bool,
    /// The folder that its image is built from.
    pub(crate) context: Option<PathBuf>,
    pub(crate) dockerfile: Option<String>,
    /// What its image is built with.
    pub(crate) arguments: Vec<(String, String)>,
    /// The words of the command and of the entry point that it runs instead of its image's own.
    pub(crate) command: Option<Vec<String>>,
    pub(crate) entry_point: Option<Vec<String>>,
    pub(crate) image: String,
    /// Files of the project are mounted into it.
    pub(crate) has_files_of_ours: bool,
    /// What is mounted into it, by its place in the list: from where, and to where.
    pub(crate) mounts: BTreeMap<String, (String, String)>,
    /// The services that are started before it.
    pub(crate) needs: Vec<String>,
    /// The service that it extends, and the file that it stands in, where that is another one.
    pub(crate) base: Option<String>,
    pub(crate) base_file: Option<PathBuf>,
    /// Something else gives it variables, too.
    pub(crate) is_partial: bool,
}

impl Service {
    /// Tells whether it runs code of the project's own, and no published server.
    pub(crate) fn is_own(&self) -> bool {
        let is_told = (self.command.is_some() || self.entry_point.is_some())
            && self.has_files_of_ours
            && !self.environment.is_empty();
        self.is_built || !self.is_server() && (!self.files.is_empty() || is_told)
    }

    /// Tells whether it is a published server that does what its image is there for: no client of databases runs there
    /// instead.
    pub(crate) fn is_server(&self) -> bool {
        let words = [&self.entry_point, &self.command].into_iter().flatten().flatten();
        let mut programs = words.flat_map(|word| word.split([' ', '\t', '\n', ';', '&', '|'])).map(name_of);
        !self.is_built && is_server(&self.image) && !programs.any(|name| clients::named(name).is_some())
    }

    /// Gives what names a database among its variables; `None` where nothing does.
    pub(crate) fn named_databases(&self) -> Option<StartEnvironment> {
        let names_one = |setting: &Setting| {
            let is_host = setting.name.ends_with("HOST") && !setting.name.ends_with("ROOT_HOST");
            setting.value.contains("://") || is_host
        };
        if !self.environment.iter().any(names_one) {
            return None;
        }
        let told = self.environment.iter().filter(|setting| !names_environment(&setting.name));
        Some(StartEnvironment::of(told.cloned().map(Rc::new)))
    }

    /// Takes over from the service that it extends what it does not set itself.
    pub(crate) fn extend(&mut self, base: &Service) {
        self.environment.splice(0..0, base.environment.iter().cloned());
        self.files.splice(0..0, base.files.iter().cloned());
        self.is_built |= base.is_built;
        self.is_partial |= base.is_partial;
        self.context = self.context.take().or_else(|| base.context.clone());
        self.dockerfile = self.dockerfile.take().or_else(|| base.dockerfile.clone());
        self.command = self.command.take().or_else(|| base.command.clone());
        self.entry_point = self.entry_point.take().or_else(|| base.entry_point.clone());
        self.has_files_of_ours |= base.has_files_of_ours;
        self.needs.extend(base.needs.iter().cloned());
        if self.image.is_empty() {
            self.image.clone_from(&base.image);
        }
    }
}

/// Tells whether a variable says what its environment is called.
pub(crate) fn names_environment(name: &str) -> bool {
    name.ends_with("_ENV")
        || name.ends_with("ENVIRONMENT")
        || matches!(name, "ENV" | "STAGE" | "SPRING_PROFILES_ACTIVE")
}
