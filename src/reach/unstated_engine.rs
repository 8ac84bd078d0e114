//! Infers an engine that no value tells (`DB_HOST=localhost`, `DB_NAME=app`), when all the project's drivers agree.

use crate::environment::{Driver, DriverEvidence};
use crate::lists::{List, list};
use crate::reach::{Engine, Place, Target};

static PACKAGE_PARTS: List = list!("package_parts.txt");

/// Files that name what was resolved, among it drivers that a library offers and the project does not use.
const LOCK_FILES: [&str; 10] = [
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "deno.lock",
    "composer.lock",
    "Gemfile.lock",
    "mix.lock",
];

/// Gives targets on a server whose engine is unknown the one engine that the project's drivers speak to.
///
/// What the manifests ask for counts before what lock files resolved. Where drivers of several engines' servers are
/// named, or none, or not all that there is was read (`None`: nothing was), the engine stays unknown. Targets that turn out to be one
/// database become one.
#[must_use]
pub(crate) fn name_engines(targets: Vec<Target>, drivers: Option<&DriverEvidence>) -> Vec<Target> {
    let Some(engine) = drivers.and_then(spoken_to) else { return targets };
    let mut named: Vec<Target> = Vec::new();
    for mut target in targets {
        let is_on_server = target.places.iter().any(|place| matches!(place, Place::Host { .. } | Place::Socket { .. }));
        if target.engine == Engine::Unknown && is_on_server {
            target.engine = engine;
            for place in &mut target.places {
                if let Place::Host { port, .. } | Place::Socket { port, .. } = place {
                    *port = port.or(engine.default_port());
                }
            }
        }
        let same = |other: &&mut Target| {
            other.engine.family() == target.engine.family()
                && other.places == target.places
                && other.database == target.database
        };
        match named.iter_mut().find(same) {
            Some(known) => {
                known.origins.extend(target.origins);
                known.password = known.password.take().or(target.password);
                known.user = known.user.take().or(target.user);
            }
            None => named.push(target),
        }
    }
    named
}

/// Finds the one engine that all drivers speak to.
fn spoken_to(evidence: &DriverEvidence) -> Option<Engine> {
    let is_asked_for =
        |driver: &&Driver| !driver.file.file_name().is_some_and(|name| LOCK_FILES.iter().any(|lock| name == *lock));
    let mut asked_for = evidence.drivers.iter().filter(is_asked_for).filter_map(|driver| engine_of(&driver.name));
    let all = || evidence.drivers.iter().filter_map(|driver| engine_of(&driver.name)).collect::<Vec<_>>();
    let engines = match asked_for.next() {
        Some(first) => std::iter::once(first).chain(asked_for).collect(),
        None => all(),
    };
    let (first, rest) = engines.split_first()?;
    let agree = rest.iter().all(|engine| engine.family() == first.family());
    (evidence.complete && agree).then_some(*first)
}

/// Finds the engine whose server a driver speaks to; `None` for ORMs, files, caches and what speaks to several.
fn engine_of(package: &str) -> Option<Engine> {
    let package = package.to_ascii_lowercase();
    let part =
        PACKAGE_PARTS.iter().find(|(part, _)| package.contains(part)).and_then(|(_, engine)| Engine::named(engine));
    // `pg`, `pg-promise`, `lib/pq`, `jackc/pgx/v5`.
    let is_postgres = |word: &str| ["pg", "pq", "pgx", "pgxpool"].contains(&word);
    part.or_else(|| package.split(|c: char| !c.is_alphanumeric()).any(is_postgres).then_some(Engine::Postgres))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::DataPath;
    use crate::reach::testing::{found, reading};

    fn evidence(drivers: &[(&str, &str)]) -> DriverEvidence {
        let driver = |(file, name): &(&str, &str)| Driver {
            name: (*name).into(),
            file: file.into(),
            line: 1,
            data: DataPath::Known,
        };
        let drivers = drivers.iter().map(driver).collect();
        DriverEvidence { drivers, complete: true, ..DriverEvidence::default() }
    }

    #[test]
    fn an_unknown_engine_is_the_one_that_all_drivers_speak_to() {
        let cases: [(&[(&str, &str)], &str); 12] = [
            (&[("package.json", "pg"), ("package.json", "redis")], "postgres://localhost:5432/app"),
            (&[("go.mod", "github.com/jackc/pgx/v5")], "postgres://localhost:5432/app"),
            (&[("go.mod", "github.com/lib/pq")], "postgres://localhost:5432/app"),
            (
                &[("requirements.txt", "psycopg2-binary"), ("requirements.txt", "sqlalchemy")],
                "postgres://localhost:5432/app",
            ),
            (&[("composer.json", "ext-pdo_pgsql")], "postgres://localhost:5432/app"),
            (&[("x.csproj", "Npgsql.EntityFrameworkCore.PostgreSQL")], "postgres://localhost:5432/app"),
            (&[("Gemfile", "mysql2")], "mysql://localhost:3306/app"),
            (&[("package.json", "mongoose")], "mongodb://localhost:27017/app"),
            (&[("package.json", "pg"), ("package.json", "mysql2")], "unknown://localhost/app"),
            (&[("package.json", "sequelize")], "unknown://localhost/app"),
            (&[("Cargo.lock", "sqlx-mysql"), ("Cargo.toml", "tokio-postgres")], "postgres://localhost:5432/app"),
            (&[], "unknown://localhost/app"),
        ];
        for (drivers, address) in cases {
            let targets = found(&[reading(&[("DB_HOST", "localhost"), ("DB_NAME", "app")])], &[], &[]);
            let named = name_engines(targets, Some(&evidence(drivers)));
            let addresses: Vec<String> = named.iter().map(Target::address).collect();
            assert_eq!(addresses, [address], "{drivers:?}");
        }
    }

    #[test]
    fn what_a_value_tells_is_never_changed() {
        let settings = [("DATABASE_URL", "mysql://localhost/app"), ("CACHE_FILE", "sqlite:/tmp/cache.db")];
        let targets = found(&[reading(&settings)], &[], &[]);
        assert_eq!(name_engines(targets.clone(), Some(&evidence(&[("package.json", "pg")]))), targets);
    }

    #[test]
    fn targets_that_turn_out_to_be_one_database_become_one() {
        let with_port = reading(&[("DB_HOST", "localhost"), ("DB_PORT", "5432"), ("DB_NAME", "app")]);
        let without = reading(&[("DB_HOST", "localhost"), ("DB_NAME", "app")]);
        let named = name_engines(found(&[with_port, without], &[], &[]), Some(&evidence(&[("package.json", "pg")])));
        assert_eq!(named.iter().map(Target::address).collect::<Vec<_>>(), ["postgres://localhost:5432/app"]);
    }

    #[test]
    fn every_part_names_an_engine_that_is_known() {
        for (part, engine) in PACKAGE_PARTS.iter() {
            assert!(Engine::named(engine).is_some(), "{part}");
        }
    }
}
