//! Chooses the programs that save a database of a server.

use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::installed::Tools;
use crate::snapshot::mysql::version::{Flavor, Version};

/// The oldest series of MariaDB's programs whose dumps of later servers are known to come back.
const MARIADB_KNOWN_WITH_LATER: (u32, u32) = (10, 11);

/// Tells whether what these programs dump of such a server is known to come back on it: programs of the same origin, of the
/// server's series or a later one; MariaDB's from 10.11 on of earlier ones, too.
///
/// Across origins it is known not to: MySQL's programs ask MariaDB for what it has not (`column_statistics`), MariaDB's
/// write values for generated columns, which MySQL refuses.
#[must_use]
pub(crate) fn fits(tools: &Tools, flavor: Flavor, server: Version) -> bool {
    let is_late_enough = match flavor {
        Flavor::Mysql => tools.version.series() >= server.series(),
        Flavor::Mariadb => {
            tools.version.series() >= server.series() || tools.version.series() >= MARIADB_KNOWN_WITH_LATER
        }
    };
    tools.flavor == flavor && is_late_enough
}

/// Chooses among the installed ones: those of the server's own series, else the lowest later ones, else the latest of those
/// that [fit](fits).
///
/// # Errors
///
/// [`MysqlError::NoTools`] and [`MysqlError::NoneFits`].
pub(crate) fn to_save(installed: &[Tools], flavor: Flavor, server: Version) -> Result<&Tools, MysqlError> {
    if installed.is_empty() {
        return Err(MysqlError::NoTools);
    }
    let fitting = || installed.iter().filter(|tools| fits(tools, flavor, server));
    let not_before = fitting().filter(|tools| tools.version.series() >= server.series());
    // Of equals the first, which is the first on `PATH`.
    let chosen = not_before.min_by_key(|tools| tools.version.series());
    chosen
        .or_else(|| fitting().reduce(|best, tools| if tools.version > best.version { tools } else { best }))
        .ok_or_else(|| {
            let found: Vec<String> = installed.iter().map(Tools::named).collect();
            MysqlError::NoneFits { flavor, server, found: found.join(", ") }
        })
}

/// Tells whether a dump program can dump what the rows of system-versioned tables were.
#[must_use]
pub(crate) fn keeps_history(tool: Version) -> bool {
    tool.series() >= (10, 11)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(listed: &[(Flavor, &str)]) -> Vec<Tools> {
        let tools = |(at, (flavor, version)): (usize, &(Flavor, &str))| Tools {
            client: format!("/{at}/client").into(),
            dump: format!("/{at}/dump").into(),
            flavor: *flavor,
            version: Version::read(version).unwrap(),
            inside: None,
        };
        listed.iter().enumerate().map(tools).collect()
    }

    #[test]
    fn the_servers_own_series_saves_else_what_is_known_to_come_back() {
        use Flavor::{Mariadb, Mysql};
        let all = [
            (Mysql, "8.0.36"),
            (Mariadb, "10.6.16"),
            (Mariadb, "10.11.19"),
            (Mysql, "9.7.4"),
            (Mariadb, "11.4.5"),
            (Mysql, "5.7.44"),
        ];
        for (flavor, server, expected) in [
            (Mysql, "8.0.1", Some("/0/dump")),
            (Mysql, "8.4.0", Some("/3/dump")),
            (Mysql, "5.6.24", Some("/5/dump")),
            (Mysql, "9.9.0", None),
            (Mariadb, "10.6.1", Some("/1/dump")),
            (Mariadb, "10.5.1", Some("/1/dump")),
            (Mariadb, "10.7.1", Some("/2/dump")),
            (Mariadb, "11.0.2", Some("/4/dump")),
            (Mariadb, "12.1.2", Some("/4/dump")),
        ] {
            let installed = tools(&all);
            let chosen = to_save(&installed, flavor, Version::read(server).unwrap()).ok();
            assert_eq!(chosen.map(|tools| tools.dump.to_str().unwrap()), expected, "{flavor} {server}");
        }
    }

    #[test]
    fn programs_of_another_origin_save_nothing_and_are_named() {
        let installed = tools(&[(Flavor::Mariadb, "10.11.19")]);
        let error = to_save(&installed, Flavor::Mysql, Version::read("8.0.36").unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no client programs found (MariaDB 10.11.19 in /0) are known to bring a database of this server (MySQL 8.0.36) back"
        );
        let old = tools(&[(Flavor::Mariadb, "10.5.1")]);
        assert!(to_save(&old, Flavor::Mariadb, Version::read("10.6.1").unwrap()).is_err());
        assert!(matches!(to_save(&[], Flavor::Mysql, Version::read("8.0.36").unwrap()), Err(MysqlError::NoTools)));
    }
}
