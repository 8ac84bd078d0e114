//! Command lines of container engines that remove containers or volumes, and with them the data of the databases inside.
//!
//! Without its container a volume stays, also one without a name; what removes volumes is told apart for that.
//!
//! Sources: the manuals of docker, docker compose, podman and nerdctl, the README of `@wordpress/env`.

use crate::tools::words::called;

const ENGINES: &[&str] = &["docker", "docker-compose", "nerdctl", "podman", "podman-compose", WP_ENV];

/// An environment of containers of its own, with subcommands of its own.
const WP_ENV: &str = "wp-env";

/// When a subcommand takes volumes with it, or what is in their databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Volumes {
    Always,
    Never,
    /// With one of these options.
    With(&'static [&'static str]),
}

use Volumes::{Always, Never, With};

const ASKED_FOR: Volumes = With(&["-v", "--volumes"]);

/// Words behind the program, options skipped, that a command line which removes data begins with.
const REMOVING: &[(&[&str], Volumes)] = &[
    (&["compose", "down"], ASKED_FOR),
    (&["compose", "rm"], ASKED_FOR),
    (&["container", "prune"], Never),
    (&["container", "remove"], ASKED_FOR),
    (&["container", "rm"], ASKED_FOR),
    (&["down"], ASKED_FOR),
    (&["machine", "reset"], Always),
    (&["machine", "rm"], Always),
    (&["pod", "prune"], Never),
    (&["pod", "rm"], Always),
    (&["rm"], ASKED_FOR),
    (&["stack", "down"], Never),
    (&["stack", "rm"], Never),
    (&["system", "prune"], With(&["--volumes"])),
    (&["system", "reset"], Always),
    (&["volume", "prune"], Always),
    (&["volume", "remove"], Always),
    (&["volume", "rm"], Always),
];

/// The same of [`WP_ENV`].
const REMOVING_OF_WP_ENV: &[(&[&str], Volumes)] =
    &[(&["clean"], Always), (&["cleanup"], Always), (&["destroy"], Always), (&["reset"], Always)];

/// Options with which `compose up` replaces volumes that have no name.
const RENEWING: &[&str] = &["-V", "--renew-anon-volumes"];

/// Options with which compose only says what it would do.
const DRY: &[&str] = &["--dry-run", "--dry-run=true"];

/// Options of the engines and of compose whose value is the next word.
const VALUED: &[&str] = &[
    "-c",
    "-f",
    "-H",
    "-l",
    "-p",
    "--ansi",
    "--config",
    "--connection",
    "--context",
    "--env-file",
    "--file",
    "--host",
    "--log-level",
    "--namespace",
    "--parallel",
    "--profile",
    "--progress",
    "--project-directory",
    "--project-name",
    "--url",
];

/// Subcommands behind which words are those of another program, or names.
const RUNNING: &[&str] = &["build", "create", "exec", "logs", "pull", "restart", "run", "start", "up"];

/// How many values of options that are not known may stand before a subcommand.
const MOST_BEFORE: usize = 2;

/// Finds what of a command line removes containers or volumes: `docker compose down`.
pub(crate) fn removal(words: &[String]) -> Option<String> {
    let call = Call::of(words)?;
    let (said, _) = call.removing(|_| true)?;
    Some(format!("{} {said}", call.program))
}

/// Finds what of a command line removes volumes, or empties the databases in them: `docker compose down --volumes`.
pub(crate) fn removal_of_volumes(words: &[String]) -> Option<String> {
    let call = Call::of(words)?;
    let takes = |volumes: Volumes| match volumes {
        Always => true,
        Never => false,
        With(options) => options.iter().any(|option| call.has(option)),
    };
    let (said, volumes) = call.removing(takes)?;
    let option = match volumes {
        With([.., option]) => format!(" {option}"),
        _ => String::new(),
    };
    Some(format!("{} {said}{option}", call.program))
}

/// A call of an engine's program.
struct Call<'w> {
    program: &'static str,
    /// The words that are neither options nor their values.
    plain: Vec<&'w str>,
    arguments: &'w [String],
}

impl<'w> Call<'w> {
    fn of(words: &'w [String]) -> Option<Call<'w>> {
        let (program, arguments) = called(words, |name| ENGINES.iter().find(|engine| **engine == name))?;
        let mut plain: Vec<&str> = Vec::new();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            if VALUED.contains(&word.as_str()) {
                rest.next();
            } else if !word.starts_with('-') {
                plain.push(word);
            }
        }
        Some(Call { program, plain, arguments })
    }

    /// Finds the words by which it removes something whose volumes are wanted; of several the most telling.
    fn removing(&self, are_wanted: impl Fn(Volumes) -> bool) -> Option<(String, Volumes)> {
        let table = if self.program == WP_ENV { REMOVING_OF_WP_ENV } else { REMOVING };
        if DRY.iter().any(|option| self.arguments.iter().any(|word| word == option)) {
            return None;
        }
        let said = table.iter().filter(|(words, volumes)| self.says(words) && are_wanted(*volumes));
        let said = said.max_by_key(|(words, _)| words.len()).map(|(words, volumes)| (words.join(" "), *volumes));
        said.or_else(|| self.renews().then(|| ("compose up --renew-anon-volumes".to_owned(), Always)))
    }

    /// Lists its own words: those ahead of what is run in a container, or of names.
    fn own(&self) -> &[&'w str] {
        let running = self.plain.iter().position(|word| RUNNING.contains(word));
        &self.plain[..running.unwrap_or(self.plain.len())]
    }

    /// Tells whether it says these words one behind the other. An option that is not known to have a value may have one before
    /// them.
    fn says(&self, wanted: &[&str]) -> bool {
        let begin = self.own().windows(wanted.len()).position(|words| words == wanted);
        begin.is_some_and(|begin| begin <= MOST_BEFORE)
    }

    /// Tells whether volumes without a name are replaced.
    fn renews(&self) -> bool {
        let compose = self.own().contains(&"compose") || self.program.ends_with("compose");
        let subcommand = self.plain.get(self.own().len());
        compose && subcommand == Some(&"up") && RENEWING.iter().any(|option| self.has(option))
    }

    /// Tells whether an option is given, also among short ones: `-fsv`.
    fn has(&self, option: &str) -> bool {
        let short = option.strip_prefix('-').filter(|short| short.len() == 1);
        let is_among = |word: &str| {
            // `-fdev.yml` is one option with its value.
            let options =
                word.strip_prefix('-').filter(|options| options.bytes().all(|byte| byte.is_ascii_alphabetic()));
            options.zip(short).is_some_and(|(options, short)| options.contains(short))
        };
        self.arguments.iter().any(|word| word == option || word.starts_with(&format!("{option}=")) || is_among(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_removes_volumes_is_told_from_what_leaves_them() {
        let table = [
            ("docker compose down -v", Some("docker compose down --volumes")),
            ("docker compose -f x.yml down --volumes", Some("docker compose down --volumes")),
            ("docker-compose down --remove-orphans -v", Some("docker-compose down --volumes")),
            ("docker compose down", None),
            ("docker compose --dry-run down -v", None),
            ("docker compose --dry-run=false down -v", Some("docker compose down --volumes")),
            ("docker compose rm -fsv db", Some("docker compose rm --volumes")),
            ("docker rm -f db", None),
            ("docker rm -fv db", Some("docker rm --volumes")),
            ("docker volume rm shop_db", Some("docker volume rm")),
            ("docker volume prune -f", Some("docker volume prune")),
            ("docker system prune -af", None),
            ("docker system prune --volumes", Some("docker system prune --volumes")),
            ("podman system reset", Some("podman system reset")),
            ("docker compose up -V", Some("docker compose up --renew-anon-volumes")),
            ("docker compose up -dV", Some("docker compose up --renew-anon-volumes")),
            ("docker compose up --renew-anon-volumes=true", Some("docker compose up --renew-anon-volumes")),
            ("docker volume remove x", Some("docker volume remove")),
            ("nerdctl -n k8s.io volume rm x", Some("nerdctl volume rm")),
            ("docker --tlscacert ca.pem --tlscert c.pem volume rm x", Some("docker volume rm")),
            ("docker compose logs -f down -v", None),
            ("docker compose -fdev.yml down", None),
            ("docker compose up -V cleanup", Some("docker compose up --renew-anon-volumes")),
            ("docker compose up -d destroy reset rm", None),
            ("docker reset", None),
            ("wp-env destroy", Some("wp-env destroy")),
            ("npx wp-env clean all", Some("wp-env clean")),
            ("wp-env cleanup", Some("wp-env cleanup")),
            ("wp-env start", None),
            ("docker compose up -d", None),
            ("docker run -v data:/data postgres", None),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(removal_of_volumes(&words).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn what_removes_containers_or_volumes_is_known() {
        let table = [
            ("docker compose down", Some("docker compose down")),
            ("docker compose -f a/compose.yml -p shop down -v --remove-orphans", Some("docker compose down")),
            ("docker --context default compose --profile db down", Some("docker compose down")),
            ("/usr/bin/docker-compose down -v", Some("docker-compose down")),
            ("podman-compose -f x.yml rm -fsv", Some("podman-compose rm")),
            ("docker volume rm shop_db", Some("docker volume rm")),
            ("docker rm -fv shop-db", Some("docker rm")),
            ("podman system reset --force", Some("podman system reset")),
            ("docker compose up -d --renew-anon-volumes db", Some("docker compose up --renew-anon-volumes")),
            ("npx wp-env destroy", Some("wp-env destroy")),
            ("wp-env clean all", Some("wp-env clean")),
            ("wp-env start --update", None),
            ("docker compose up -d --wait db", None),
            ("docker compose run --rm web rm -rf tmp", None),
            ("docker compose exec db down", None),
            ("docker run --rm -v data:/data alpine", None),
            ("docker volume ls", None),
            ("docker ps", None),
            ("rm -rf data", None),
            ("echo docker compose down", None),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(removal(&words).as_deref(), expected, "{command}");
        }
    }
}
