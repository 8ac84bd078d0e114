//! Gives a database that stays where it is what belongs to it as a whole: settings, rights, its comment.

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::facts::{Facts, Grant, Setting};
use crate::snapshot::postgres::psql::{Psql, identifier, literal};

/// Writes the statements by which a session sees the settings that the database had when it was saved, where it has
/// others now. One that this role may not make shows in what it changes, if it does.
pub(crate) fn settings_of_the_session(now: &Facts, saved: &Facts, user: &str) -> Vec<String> {
    if now.settings == saved.settings {
        return Vec::new();
    }
    let is_seen = |setting: &&Setting| setting.role.as_deref().is_none_or(|role| role == user);
    // Those of the role come last, as they do in the server.
    let (of_all, own): (Vec<&Setting>, Vec<&Setting>) =
        saved.settings.iter().filter(is_seen).partition(|setting| setting.role.is_none());
    let set = |setting: &Setting| {
        format!(
            "DO LANGUAGE plpgsql $safe_test$ BEGIN PERFORM pg_catalog.set_config({}, {}, false); \
             EXCEPTION WHEN OTHERS THEN NULL; END $safe_test$",
            literal(&setting.name),
            literal(&setting.value)
        )
    };
    of_all.into_iter().chain(own).map(set).collect()
}

/// Makes settings, rights and comment of the database what they were, within the session's transaction; gives a sentence for
/// each that this role may not make so. Only what is not so is touched.
pub(crate) fn carry_over(
    psql: &mut Psql,
    now: &Facts,
    saved: &Facts,
    database: &str,
) -> Result<Vec<String>, PostgresError> {
    let name = identifier(database);
    let mut statements = Vec::new();
    let is_set = |facts: &Facts, setting: &Setting| {
        facts.settings.iter().any(|other| other.role == setting.role && other.name == setting.name)
    };
    let added = now.settings.iter().filter(|setting| !is_set(saved, setting));
    statements.extend(added.map(|setting| setting.reset(database)));
    let changed = saved.settings.iter().filter(|setting| !now.settings.contains(setting));
    statements.extend(changed.map(|setting| setting.set(database)));
    if now.grants != saved.grants {
        let mut granted: Vec<&Option<String>> = now.grants.iter().flatten().map(|grant| &grant.role).collect();
        granted.dedup();
        let revoke = |role: &Option<String>| {
            let role = role.as_deref().map_or("PUBLIC".to_owned(), identifier);
            format!("REVOKE ALL ON DATABASE {name} FROM {role}")
        };
        statements.extend(granted.into_iter().map(revoke));
        let grants = saved.grants.clone().unwrap_or_else(|| grants_of_a_new_one(now));
        statements.extend(
            Facts { grants: Some(grants), owner: now.owner.clone(), connection_limit: -1, ..Facts::default() }
                .carry_over(database),
        );
    }
    if now.connection_limit != saved.connection_limit {
        statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {}", saved.connection_limit));
    }
    if now.is_template != saved.is_template {
        statements.push(format!("ALTER DATABASE {name} IS_TEMPLATE {}", saved.is_template));
    }
    if now.comment != saved.comment {
        let comment = saved.comment.as_deref().map_or("NULL".to_owned(), literal);
        statements.push(format!("COMMENT ON DATABASE {name} IS {comment}"));
    }
    let mut notes = Vec::new();
    for statement in statements {
        psql.ask("SAVEPOINT safe_test")?;
        match psql.ask(&statement) {
            Ok(_) => psql.ask("RELEASE SAVEPOINT safe_test")?,
            Err(error @ PostgresError::Query { .. }) => {
                notes.push(format!("Not carried over: {statement} ({error})."));
                psql.ask("ROLLBACK TO SAVEPOINT safe_test")?
            }
            Err(error) => return Err(error),
        };
    }
    Ok(notes)
}

/// Source: PostgreSQL documentation, "Privileges": everybody may connect and make temporary tables, the owner may all.
fn grants_of_a_new_one(facts: &Facts) -> Vec<Grant> {
    let owner = Some(facts.owner.clone());
    let all = [(None, "CONNECT"), (None, "TEMPORARY"), (owner, "ALL")];
    all.map(|(role, right)| Grant { role, right: right.to_owned(), grantable: false }).into()
}
