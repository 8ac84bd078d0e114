//! At which port of this machine a service of a compose file can be reached.
//!
//! Source: the Compose specification ("ports").

use crate::environment::readers::encoding::decoded;
use crate::environment::readers::formats::{FlatEntry, yaml};
use crate::environment::services::host_path::matches;
use crate::environment::services::search::Service;
use crate::environment::{Files, Project};

/// What a compose file says of a port of one of its services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The service's own name.
    pub(crate) service: String,
    /// The port of this machine; `None` where the file leaves it open, or is not computed here.
    pub(crate) port: Option<u16>,
    /// The line that publishes it; `None` where none does.
    pub(crate) line: Option<u32>,
}

/// Finds where `port` of the service that is declared there can be reached from outside of containers; `None` where its file
/// is no compose file, or cannot be read any more.
pub(crate) fn published(project: &Project, files: &dyn Files, declared: &Service, port: u16) -> Option<Published> {
    let text = files.read(&project.root.join(&declared.file)).ok().flatten()?;
    let entries = yaml::outline(&decoded(&text)).entries(|_| {});
    // An outline has each key ahead of what it holds: the line is within the last service that begins before it.
    let mut services = entries.iter().filter(|entry| matches(&entry.path, &["services", "*"]));
    let service = services.rfind(|entry| entry.line <= declared.line)?.path[1].clone();
    let own = || entries.iter().filter(|entry| entry.path.get(1) == Some(&service) && is_a_port(entry));
    let short = own().filter(|entry| entry.path.len() == 4).find_map(|entry| {
        let (published, target) = short(&entry.value)?;
        (target == port).then_some((published, entry.line))
    });
    let long = || {
        let of = |entry: &FlatEntry, key: &str| entry.path.get(4).is_some_and(|own| own == key);
        let target = own().find(|entry| of(entry, "target") && entry.value == port.to_string())?;
        let beside = own().find(|entry| of(entry, "published") && entry.path[3] == target.path[3])?;
        Some((beside.value.parse().ok(), beside.line))
    };
    let found = short.or_else(long);
    Some(Published { service, port: found.and_then(|(port, _)| port), line: found.map(|(_, line)| line) })
}

fn is_a_port(entry: &FlatEntry) -> bool {
    entry.path.len() >= 4 && entry.path[0] == "services" && entry.path[2] == "ports"
}

/// Reads `5433:5432`, `127.0.0.1:5433:5432/tcp`, `5432` (at whichever port is free).
fn short(text: &str) -> Option<(Option<u16>, u16)> {
    let text = text.strip_suffix("/tcp").unwrap_or(text);
    let (before, target) = text.rsplit_once(':').unwrap_or(("", text));
    let published = before.rsplit(':').next().unwrap_or(before);
    Some((published.parse().ok(), target.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::memory::MemoryFiles;

    #[test]
    fn a_published_port_is_found_in_all_forms() {
        let text = "services:\n  web:\n    ports: ['80:5432']\n  db:\n    image: postgres\n    hostname: pg\n    ports:\n      - PORT\n";
        let table = [
            ("\"5433:5432\"", Some(5433), Some(8)),
            ("\"127.0.0.1:5434:5432/tcp\"", Some(5434), Some(8)),
            ("\"5432\"", None, Some(8)),
            ("\"${DB_PORT:-5433}:5432\"", None, Some(8)),
            ("\"5433:5431\"", None, None),
            ("target: 5432\n        published: \"5435\"", Some(5435), Some(9)),
        ];
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        for (written, port, line) in table {
            let files = MemoryFiles::new(&[]).with("/p/compose.yml", text.replace("PORT", written).as_str());
            for declared in [4, 6] {
                let service = Service { host: "db".to_owned(), file: "compose.yml".into(), line: declared };
                let expected = Published { service: "db".to_owned(), port, line };
                assert_eq!(published(&project, &files, &service, 5432), Some(expected), "{written}");
            }
        }
        let gone = Service { host: "db".to_owned(), file: "gone.yml".into(), line: 4 };
        assert_eq!(published(&project, &MemoryFiles::new(&[]), &gone, 5432), None);
    }
}
