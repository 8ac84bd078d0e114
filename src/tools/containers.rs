//! Command lines of container engines that remove containers or volumes, and with them the data of the databases inside.
//!
//! Sources: the manuals of docker, docker compose, podman and nerdctl.

use crate::tools::words::called;

const ENGINES: &[&str] = &["docker", "docker-compose", "nerdctl", "podman", "podman-compose"];

/// Words behind the program, options skipped, that a command line which removes data begins with.
const REMOVING: &[&[&str]] = &[
    &["compose", "down"],
    &["compose", "rm"],
    &["container", "prune"],
    &["container", "rm"],
    &["down"],
    &["machine", "reset"],
    &["machine", "rm"],
    &["pod", "prune"],
    &["pod", "rm"],
    &["rm"],
    &["stack", "down"],
    &["stack", "rm"],
    &["system", "prune"],
    &["system", "reset"],
    &["volume", "prune"],
    &["volume", "rm"],
];

/// Options with which `compose up` replaces volumes that have no name.
const RENEWING: &[&str] = &["-V", "--renew-anon-volumes"];

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

/// Finds what of a command line removes containers or volumes: `docker compose down`.
pub(crate) fn removal(words: &[String]) -> Option<String> {
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
    let compose = plain.first() == Some(&"compose") || program.ends_with("compose");
    let renews = compose && arguments.iter().any(|word| RENEWING.contains(&word.as_str()));
    let removing = REMOVING.iter().find(|wanted| plain.starts_with(wanted)).map(|words| words.join(" "));
    let said = removing.or_else(|| renews.then(|| "compose up --renew-anon-volumes".to_owned()))?;
    Some(format!("{program} {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
