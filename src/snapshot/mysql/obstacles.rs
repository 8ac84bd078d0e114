//! Finds what will keep a database from coming back whole.

use std::collections::BTreeMap;

use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::catalog;
use crate::snapshot::mysql::catalog::Tables;
use crate::snapshot::mysql::client::Client;
use crate::snapshot::mysql::dump::Held;
use crate::snapshot::mysql::objects::Kind;
use crate::snapshot::mysql::session::Identity;
use crate::snapshot::mysql::tools::keeps_history;
use crate::snapshot::mysql::version::Version;
use crate::snapshot::{Effect, Obstacle};
use crate::text::and_more;

/// The rights that a restore needs on the database itself, and on those that it makes beside.
const TO_RESTORE: [&str; 6] = ["CREATE", "DROP", "ALTER", "INSERT", "SELECT", "INDEX"];

/// Engines whose tables hold what is kept elsewhere: the dump programs make such a table and none of its rows. Those of
/// MERGE tables are in other tables.
///
/// Source: `check_if_ignore_table` in MariaDB's `client/mysqldump.cc`.
const KEPT_ELSEWHERE: [&str; 5] = ["CONNECT", "FEDERATED", "OQGRAPH", "SPIDER", "VP"];

/// Lists the rights that it takes to make objects of these kinds.
pub(crate) fn needed(kinds: impl IntoIterator<Item = Kind>) -> Vec<&'static str> {
    let mut rights: Vec<&str> = TO_RESTORE.to_vec();
    for kind in kinds {
        let more: &[&str] = match kind {
            Kind::Table | Kind::Sequence => &[],
            Kind::View => &["CREATE VIEW"],
            Kind::Trigger => &["TRIGGER"],
            Kind::Function | Kind::Procedure | Kind::Package | Kind::PackageBody => {
                &["CREATE ROUTINE", "ALTER ROUTINE"]
            }
            Kind::Event => &["EVENT"],
        };
        rights.extend(more);
    }
    rights.sort_unstable();
    rights.dedup();
    rights
}

/// What a catalogue tells of a database.
#[derive(Debug, Default)]
pub(crate) struct Catalogued {
    pub(crate) tables: Tables,
    pub(crate) definitions: BTreeMap<(Kind, String), String>,
    /// The objects of other accounts, where the user may not drop them.
    pub(crate) out_of_reach: Vec<String>,
    /// The tables whose foreign keys lead out of the database, into it, or nowhere.
    pub(crate) entangled: Vec<String>,
}

impl Catalogued {
    /// Asks what `tables` does not tell.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub(crate) fn with(tables: Tables, client: &mut Client, identity: &Identity) -> Result<Catalogued, MysqlError> {
        let database = identity.database.as_str();
        let definitions = catalog::definitions(client, database)?;
        let entangled = catalog::entangled(client, database, &tables)?;
        let out_of_reach = out_of_reach(client, identity, database)?;
        Ok(Catalogued { tables, definitions, out_of_reach, entangled })
    }
}

/// Lists what the user may not drop, so that nothing can be put back: since 8.0.16 MySQL keeps objects that work for an
/// account with SYSTEM_USER from all who have it not.
///
/// # Errors
///
/// Those of the server.
pub(crate) fn out_of_reach(
    client: &mut Client,
    identity: &Identity,
    database: &str,
) -> Result<Vec<String>, MysqlError> {
    let first = Version { major: 8, minor: 0, patch: 16 };
    let is_kept_from =
        !identity.is_mariadb() && identity.version >= first && !identity.rights.has_everywhere("SYSTEM_USER");
    if is_kept_from { catalog::of_others(client, database, &identity.account) } else { Ok(Vec::new()) }
}

/// Finds what shows before a dump is taken. `tool` is the version of the dump program.
#[must_use]
pub(crate) fn find(identity: &Identity, tool: Version, catalogued: &Catalogued) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let mut add = |effect, what: String, remedy: &str| {
        found.push(Obstacle { effect, what, remedy: remedy.to_owned() });
    };
    let user = shown_user(identity);
    let views = catalogued.tables.views.iter().map(|_| Kind::View);
    let kinds = views.chain(catalogued.definitions.keys().map(|(kind, _)| *kind));
    let lacking = identity.rights.lacking(&needed(kinds), &identity.database);
    if !lacking.is_empty() {
        let what = format!("{user} lacks {} on the database", lacking.join(", "));
        add(Effect::NothingComesBack, what, "grant the user these rights on the database");
    } else if !catalogued.out_of_reach.is_empty() {
        let named =
            and_more(&catalogued.out_of_reach[..catalogued.out_of_reach.len().min(3)], catalogued.out_of_reach.len());
        let what = format!("{user} may not drop what works for other accounts ({named})");
        add(Effect::NothingComesBack, what, "grant the user SYSTEM_USER, or make these objects as this user");
    } else if !may_build_beside(identity, &identity.database) {
        let what = format!("{user} may not make another database beside it");
        add(Effect::InPlace, what, "grant the user all rights on databases whose names begin like this one's");
    } else if !catalogued.entangled.is_empty() {
        let named = and_more(&catalogued.entangled[..catalogued.entangled.len().min(2)], catalogued.entangled.len());
        let what = format!("foreign keys lead into it, out of it, or to a table that is gone ({named})");
        add(Effect::InPlace, what, "save and restore the other databases, too, or drop these foreign keys");
    }
    if !identity.rights.has("TRIGGER", &identity.database) {
        let what = format!("triggers, of which {user} is not told");
        add(Effect::LeftOut, what, "grant the user TRIGGER on the database");
    }
    if !identity.rights.has("EVENT", &identity.database) {
        let what = format!("events, of which {user} is not told");
        add(Effect::LeftOut, what, "grant the user EVENT on the database");
    }
    let broken: Vec<String> = catalogued.tables.broken_views.iter().map(|name| format!("`{name}`")).collect();
    if !broken.is_empty() {
        let named = and_more(&broken[..broken.len().min(3)], broken.len());
        let what = format!("views that do not work, since what they read is gone: {named}");
        add(Effect::LeftOut, what, "drop these views, or make what they read");
    }
    let elsewhere: Vec<String> = catalogued
        .tables
        .data
        .iter()
        .filter(|(_, table)| KEPT_ELSEWHERE.iter().any(|engine| table.engine.eq_ignore_ascii_case(engine)))
        .map(|(name, table)| format!("`{name}` ({})", table.engine))
        .collect();
    if !elsewhere.is_empty() {
        let named = and_more(&elsewhere[..elsewhere.len().min(3)], elsewhere.len());
        let what = format!("rows of tables that show what is kept elsewhere: {named}");
        add(Effect::LeftOut, what, "save what they show where it is kept");
    }
    let versioned = catalogued.tables.data.values().filter(|table| table.is_versioned).count();
    if versioned > 0 && !keeps_history(tool) {
        let what = format!("the history of {versioned} tables with system versioning");
        add(Effect::LeftOut, what, "install MariaDB's client of version 10.11 or later");
    }
    if identity.distrusts_routines {
        let of = |kind: Kind| catalogued.definitions.keys().filter(|(found, _)| *found == kind).count();
        let remedy = "set log_bin_trust_function_creators = 1 on the server";
        let (triggers, functions) = (of(Kind::Trigger), of(Kind::Function));
        if triggers > 0 {
            let what = format!("{user} may neither drop nor make {triggers} triggers while the server logs changes");
            add(Effect::NothingComesBack, what, remedy);
        }
        if functions > 0 {
            let what = format!("{functions} functions, which {user} may not make while the server logs changes");
            add(Effect::LeftOut, what, remedy);
        }
    }
    found
}

/// Finds what only the dump shows.
#[must_use]
pub(crate) fn in_dump(identity: &Identity, catalogued: &Catalogued, held: &Held) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let (longest, table) = &held.longest;
    if *longest >= identity.longest_statement {
        let megabytes = longest.div_ceil(1 << 20) + 1;
        found.push(Obstacle {
            effect: Effect::NothingComesBack,
            what: format!(
                "a row of the table `{table}` takes {longest} bytes to write, more than the server's max_allowed_packet"
            ),
            remedy: format!("set max_allowed_packet to {megabytes}M or more on the server"),
        });
    }
    if !identity.rights.may_set_definers() {
        let others: Vec<String> = foreign_definers(identity, held);
        if !others.is_empty() {
            found.push(Obstacle {
                effect: Effect::LeftOut,
                what: format!(
                    "the accounts that objects work for, which {} may not set: {}",
                    shown_user(identity),
                    and_more(&others[..others.len().min(3)], others.len())
                ),
                remedy:
                    "grant the user SET USER (MariaDB) or SET_ANY_DEFINER (MySQL), or make these objects as this user"
                        .to_owned(),
            });
        }
    }
    let unseen: Vec<String> = catalogued
        .definitions
        .keys()
        .filter(|key| key.0.is_routine() && !held.definitions.contains_key(key))
        .map(|(kind, name)| format!("the {} `{name}`", kind.word()))
        .collect();
    if !unseen.is_empty() {
        found.push(Obstacle {
            effect: Effect::LeftOut,
            what: format!(
                "{}, since {} may not read the text of all routines",
                and_more(&unseen[..unseen.len().min(3)], unseen.len()),
                shown_user(identity)
            ),
            remedy:
                "connect as the user that made them, or grant SELECT on mysql.proc (MariaDB) or SHOW_ROUTINE (MySQL)"
                    .to_owned(),
        });
    }
    found
}

/// Lists the objects of a dump that work for another account than ours.
#[must_use]
pub(crate) fn foreign_definers(identity: &Identity, held: &Held) -> Vec<String> {
    let is_foreign = |definer: &Option<String>| definer.as_ref().is_some_and(|definer| *definer != identity.account);
    let foreign = held.definitions.iter().filter(|(_, definition)| is_foreign(&definition.definer));
    foreign.map(|((kind, name), _)| format!("{} `{name}`", kind.word())).collect()
}

/// Tells whether the user may make and drop the databases of a restore.
#[must_use]
pub(crate) fn may_build_beside(identity: &Identity, database: &str) -> bool {
    use crate::snapshot::beside_names::{Purpose, related};
    let now = chrono::DateTime::UNIX_EPOCH;
    let names = [Purpose::Restoring, Purpose::Replaced].map(|purpose| related(database, purpose, now, 1));
    names.iter().all(|name| identity.rights.lacking(&TO_RESTORE, name).is_empty())
}

fn shown_user(identity: &Identity) -> String {
    format!("`{}`", identity.account)
}
