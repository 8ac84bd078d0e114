//! Finds what will keep a database from coming back whole: known beforehand, and said before the command is run.
//!
//! A first question tells which [signs] of them there are, a second one of each kind that has its sign whether the database has
//! such; only for those that it has the names are asked. That a row
//! does not hold what its table promises (an orphan that was loaded with the triggers off) shows in no catalog: that is
//! found by the restore. Nor can be seen what is no part of the server: a file that a dictionary reads, a provider of
//! security labels that is loaded for this session only.

mod connecting;
mod everybody;
mod kind;
mod plain_roles;
mod signs;
mod tables;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::extensions;
use crate::snapshot::postgres::extensions::Lost;
use crate::snapshot::postgres::in_place;
use crate::snapshot::postgres::obstacles::kind::{BY_A_SUPERUSER, Kind};
use crate::snapshot::postgres::obstacles::tables::TABLES;
use crate::snapshot::postgres::psql::{Psql, identifier, number, text};
use crate::snapshot::postgres::session::Identity;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::{Effect, Obstacle};
use crate::text::and_more;

/// How many of a kind are named; the others are counted.
const NAMED: usize = 3;

/// Finds the obstacles, the weightiest first.
///
/// A superuser is taken to be let in everywhere. What the server refuses to tell is one itself: nothing is promised that was
/// not looked for. A transaction that is open is over then.
///
/// # Errors
///
/// [`PostgresError::ConnectionLost`].
pub(crate) fn find(
    psql: &mut Psql,
    identity: &Identity,
    tools: &Tools,
    connection: &Connection,
) -> Result<Vec<Obstacle>, PostgresError> {
    let mut obstacles = of_the_session(identity);
    if !identity.superuser {
        obstacles.extend(connecting::find(identity, tools, connection)?);
    }
    match of_the_catalogs(psql, identity) {
        Ok(more) => obstacles.extend(more),
        Err(PostgresError::Query { message, .. }) => obstacles.push(Obstacle {
            effect: Effect::LeftOut,
            what: format!("what could not be looked for ({message})"),
            remedy: "`safe-test verify --level restore` shows what comes back".to_owned(),
        }),
        Err(other) => return Err(other),
    }
    if obstacles.iter().any(|one| one.effect == Effect::InPlace) {
        obstacles.extend(of_others(psql, identity)?);
    }
    obstacles.sort_by_key(|one| one.effect);
    Ok(obstacles)
}

/// Finds what keeps the role from replacing the database in place: what it may not drop.
fn of_others(psql: &mut Psql, identity: &Identity) -> Result<Option<Obstacle>, PostgresError> {
    let names = match in_place::of_others(psql) {
        Err(error @ PostgresError::ConnectionLost { .. }) => return Err(error),
        Err(error) => format!("what could not be looked for ({error})"),
        Ok(names) => names,
    };
    Ok((!names.is_empty()).then(|| Obstacle {
        effect: Effect::NothingComesBack,
        what: format!("the role `{}` may not drop what belongs to others: {names}", identity.user),
        remedy: BY_A_SUPERUSER.to_owned(),
    }))
}

/// Finds those that show without a question.
fn of_the_session(identity: &Identity) -> Vec<Obstacle> {
    let obstacle =
        |what: String, remedy: &str| Obstacle { effect: Effect::NothingComesBack, what, remedy: remedy.to_owned() };
    let mut obstacles = Vec::new();
    if identity.in_recovery {
        obstacles
            .push(obstacle("the server is a standby, and takes no writes".to_owned(), "restore it on the primary"));
    }
    if !identity.superuser && !identity.may_exchange() {
        let user = &identity.user;
        let (what, remedy) = match identity.may_create {
            false => (
                format!("the role `{user}` may not create databases"),
                format!("ALTER ROLE {} CREATEDB", identifier(user)),
            ),
            true => (
                format!("the database does not belong to the role `{user}`"),
                "connect as the database's owner".to_owned(),
            ),
        };
        obstacles.push(Obstacle { effect: Effect::InPlace, what, remedy });
    }
    obstacles
}

fn of_the_catalogs(psql: &mut Psql, identity: &Identity) -> Result<Vec<Obstacle>, PostgresError> {
    let kinds: Vec<&Kind> = kinds(identity).collect();
    let sign = |kind: &&Kind| if kind.sign.is_empty() { kind.found_in } else { kind.sign };
    let mut signs: Vec<&str> = kinds.iter().map(sign).chain([signs::EXTENSIONS]).collect();
    signs.sort_unstable();
    signs.dedup();
    let mut found_in = found_of(psql, identity, signs)?;
    let has_sign = |kind: &&&Kind| !kind.sign.is_empty() && found_in.contains(&kind.sign);
    let mut asked: Vec<&str> = kinds.iter().filter(has_sign).map(|kind| kind.found_in).collect();
    asked.extend(found_in.contains(&signs::EXTENSIONS).then_some(RELATIONS_OF_EXTENSIONS));
    found_in.extend(found_of(psql, identity, asked)?);
    let has_relations = found_in.contains(&RELATIONS_OF_EXTENSIONS);
    let mut obstacles = if has_relations { of_extensions(psql)? } else { Vec::new() };
    let found: Vec<&Kind> = kinds.into_iter().filter(|kind| found_in.contains(&kind.found_in)).collect();
    if found.is_empty() {
        return Ok(obstacles);
    }
    let names = |(at, kind): (usize, &&Kind)| {
        let Kind { name, found_in, .. } = kind;
        format!(
            "SELECT {at}, cardinality(a), a[1], a[2], a[3] FROM (SELECT array_agg(DISTINCT ({name})::text) AS a FROM {found_in}) x"
        )
    };
    let each: Vec<String> = found.iter().enumerate().map(names).collect();
    // What `question` selects begins with the first of them.
    let all = each.join(" UNION ALL ");
    let answer = psql.ask(question(all.strip_prefix("SELECT ").unwrap_or(&all), identity))?;
    let row = |row: &[Vec<u8>]| {
        let kind = found.get(number::<usize>(&row[0])?)?;
        let count = number::<usize>(&row[1])?;
        let named: Vec<String> = row[2..].iter().take(count).map(|name| format!("`{}`", text(name))).collect();
        let names = and_more(&named, count);
        let what = kind.what.replace("{user}", &identity.user).replace("{names}", &names);
        Some(Obstacle { effect: kind.effect, what, remedy: kind.remedy.to_owned() })
    };
    obstacles.extend(answer.chunks_exact(2 + NAMED).filter_map(row));
    Ok(obstacles)
}

/// Asks of each whether the database has such, and returns those that it has.
fn found_of<'a>(psql: &mut Psql, identity: &Identity, asked: Vec<&'a str>) -> Result<Vec<&'a str>, PostgresError> {
    if asked.is_empty() {
        return Ok(asked);
    }
    let each: Vec<String> = asked.iter().map(|found_in| format!("EXISTS (SELECT FROM {found_in})")).collect();
    let has = psql.ask(question(&each.join(", "), identity))?;
    Ok(asked.into_iter().zip(has).filter(|(_, has)| has == b"t").map(|(found_in, _)| found_in).collect())
}

const RELATIONS_OF_EXTENSIONS: &str =
    "member m JOIN pg_class c ON c.oid = m.objid AND c.relkind IN ('r', 'p', 'v', 'm')";

/// Finds what a dump leaves out of extensions.
fn of_extensions(psql: &mut Psql) -> Result<Vec<Obstacle>, PostgresError> {
    let Lost { rows, additions } = extensions::lost(psql)?;
    let left_out = |names: &[String], what: &str, remedy: &str| {
        let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let what = format!("{what} ({})", and_more(&named, names.len()));
        (!names.is_empty()).then(|| Obstacle { effect: Effect::LeftOut, what, remedy: remedy.to_owned() })
    };
    let rows = left_out(
        &rows,
        "rows in tables of extensions that these do not mark to be saved",
        "save them by hand, or have the extension mark them (pg_extension_config_dump)",
    );
    let additions =
        left_out(&additions, "objects that were added to tables of extensions", "make it anew after a restore");
    Ok(rows.into_iter().chain(additions).collect())
}

/// Lists the kinds that can be obstacles for the role on this server.
fn kinds(identity: &Identity) -> impl Iterator<Item = &'static Kind> {
    let own = if identity.superuser { everybody::OF_SUPERUSERS } else { plain_roles::KINDS };
    let major = identity.major;
    let made_anew = if !identity.superuser && identity.may_exchange() { plain_roles::MADE_ANEW } else { &[] };
    everybody::KINDS.iter().chain(own).chain(made_anew).filter(move |kind| kind.since <= major)
}

/// Writes a question with the common tables that it uses, in the words of the server's version.
///
/// Source: PostgreSQL 16 release notes (`SET` as an option of memberships), 15 (rights on parameters), 13 (trusted extensions).
fn question(selected: &str, identity: &Identity) -> String {
    let mut used: Vec<(&str, &str)> = Vec::new();
    for (name, table) in TABLES.iter().rev() {
        let is_used = |text: &str| text.contains(&format!(" {name} ")) || text.contains(&format!(" {name})"));
        if is_used(&format!(" {selected} ")) || used.iter().any(|(_, other)| is_used(&format!(" {other} "))) {
            used.push((name, table));
        }
    }
    let tables: Vec<String> = used.iter().rev().map(|(name, table)| format!("{name} AS ({table})")).collect();
    let with = if tables.is_empty() { String::new() } else { format!("WITH {} ", tables.join(", ")) };
    let since = |version: u32, newer, older| if identity.major >= version { newer } else { older };
    format!("{with}SELECT {selected}")
        .replace("$ACT", since(16, "SET", "MEMBER"))
        .replace("$MAY_SET(c.setting)", since(15, "has_parameter_privilege(c.setting, 'SET')", "false"))
        .replace("$TRUSTED", since(13, "trusted", "false"))
}
