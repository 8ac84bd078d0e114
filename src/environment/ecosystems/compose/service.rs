//! One service of a compose file: what it has in its environment, and what it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Setting;
use crate::environment::follow::shell_text::{self, ShellText};
use crate::environment::follow::wrappers::peel;
use crate::lists::{List, list};
use crate::text::shell_line;
use crate::tools::clients;
use crate::tools::programs::{self, Loading};
use crate::tools::words::{SHELLS, name_of};

/// Published images of servers that run nothing of a project's own.
static SERVERS: List = list!("servers.txt");

/// Those who publish nothing but such images.
static PUBLISHERS: List = list!("publishers.txt");

/// How deep texts for a shell are looked into that stand in others.
const DEEPEST: usize = 4;

/// Tells whether an image is a published server that runs nothing of a project's own. Of those who publish more than that,
/// none is where a project puts files of its own into it.
pub(crate) fn is_server(image: &str, has_files: bool) -> bool {
    let mut segments = image.rsplit('/');
    let name = segments.next().unwrap_or_default().split([':', '@']).next().unwrap_or_default();
    SERVERS.contains(name) || !has_files && segments.next().is_some_and(|publisher| PUBLISHERS.contains(publisher))
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
    /// Some of them may be programs.
    pub(crate) has_programs_of_ours: bool,
    /// Where in it files of this machine are.
    pub(crate) mounted: Vec<String>,
    /// What is mounted into it, by its place in the list: from where, and to where.
    pub(crate) mounts: BTreeMap<String, (String, String)>,
    /// It is started by name, or with one of these.
    pub(crate) profiles: Vec<String>,
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
    /// instead, nothing that projects are written for, and no program of theirs.
    pub(crate) fn is_server(&self) -> bool {
        !self.is_built && is_server(&self.image, self.has_programs_of_ours) && self.does_as_its_image()
    }

    /// What it runs in place of what its image does, as a text for a shell; empty where that does.
    pub(crate) fn runs(&self) -> String {
        let entry_point = self.entry_point.as_deref().unwrap_or_default();
        // `["sh", "-c"]` takes the command as one word.
        let takes_text = entry_point.len() > 1 && entry_point.last().is_some_and(|word| word == "-c");
        let spelled = |words: &[String]| match words {
            [text] if !takes_text => text.clone(),
            words => shell_line(words),
        };
        let parts = [entry_point, self.command.as_deref().unwrap_or_default()];
        let parts = parts.into_iter().filter(|words| !words.is_empty()).map(spelled);
        parts.collect::<Vec<String>>().join(" ")
    }

    fn does_as_its_image(&self) -> bool {
        let text = self.runs();
        let mut words = text.split([' ', '\t', '\n', ';', '&', '|', '\'', '"']).map(name_of);
        !words.any(|name| clients::named(name).is_some()) && self.is_plain_text(&text, 0)
    }

    fn is_plain_text(&self, text: &str, depth: usize) -> bool {
        let ShellText { commands, cut } = shell_text::read(text);
        cut.is_none() && commands.iter().all(|command| self.is_plain(&command.words, depth))
    }

    /// Tells whether a command runs nothing but what is in the image, or what is not known by its name.
    fn is_plain(&self, words: &[String], depth: usize) -> bool {
        let Some((program, arguments)) = words.split_first() else { return true };
        let name = name_of(program);
        if depth > DEEPEST {
            return false;
        }
        if SHELLS.contains(&name) {
            let is_text = |word: &String| word.starts_with('-') && word.ends_with('c');
            return match arguments.iter().position(is_text) {
                Some(at) => arguments.get(at + 1).is_none_or(|text| self.is_plain_text(text, depth + 1)),
                None => !arguments.iter().any(|word| self.is_mounted(word)),
            };
        }
        if name == "exec" {
            return self.is_plain(arguments, depth + 1);
        }
        if let Some(peeled) = peel(name, words) {
            return self.is_plain(&peeled.words, depth + 1);
        }
        let is_of_projects = matches!(programs::loading(words), Loading::Of(_) | Loading::Nothing);
        !is_of_projects && !programs::is_database_tool(name) && !self.is_mounted(program)
    }

    fn is_mounted(&self, program: &str) -> bool {
        self.mounted.iter().any(|place| Path::new(program).starts_with(place))
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
        self.has_programs_of_ours |= base.has_programs_of_ours;
        self.mounted.extend(base.mounted.iter().cloned());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_server_runs_nothing_else_and_no_program_of_ours() {
        let server = |image: &str, command: &[&str]| Service {
            image: image.to_owned(),
            command: (!command.is_empty()).then(|| command.iter().map(|word| (*word).to_owned()).collect()),
            mounted: vec!["/scripts".to_owned(), "/etc/own.conf".to_owned()],
            ..Service::default()
        };
        for (image, command, expected) in [
            ("postgres:16", &[][..], true),
            ("postgres:16", &["postgres", "-c", "fsync=off"], true),
            ("postgres:16", &["-c fsync=off"], true),
            ("mysql:8", &["mysqld --init-file=/scripts/init.sql --log-error=/dev/null"], true),
            ("redis", &["redis-server", "/etc/own.conf"], true),
            ("minio/minio", &["sh -c 'mkdir -p /data/shop && exec minio server /data'"], true),
            ("redis", &["sh", "-c", "exec redis-server --requirepass $$PASSWORD"], true),
            ("postgres:16", &["psql", "-f", "/seed.sql"], false),
            ("postgres:16", &["bash -c 'sleep 5; psql -f /seed.sql'"], false),
            ("mysql:8", &["bash", "-lc", "python3 /app/seed.py"], false),
            ("mysql:8", &["timeout 60 python3 /app/seed.py"], false),
            ("postgres:16", &["/scripts/seed"], false),
            ("postgres:16", &["sh", "/scripts/seed.sh"], false),
            ("postgres:16", &["sh", "/wait-for-it.sh", "db:5432"], true),
            ("bitnami/laravel", &["php", "artisan", "migrate"], false),
            ("bitnami/laravel", &[], true),
            ("shop/web", &[], false),
        ] {
            assert_eq!(server(image, command).is_server(), expected, "{image} {command:?}");
        }
        let with_ours = |image| Service { has_programs_of_ours: true, ..server(image, &[]) };
        assert!(with_ours("postgres").is_server() && !with_ours("bitnami/laravel").is_server());
    }
}
