//! What keeps a server from coming back, as far as that shows beforehand.

use crate::own_tools::ToolEnvironment;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::installed::servers;
use crate::snapshot::redis::rdb::Held;
use crate::snapshot::redis::session::Session;
use crate::snapshot::{Effect, Obstacle};

fn nothing(what: impl Into<String>, remedy: &str) -> Obstacle {
    Obstacle { effect: Effect::NothingComesBack, what: what.into(), remedy: remedy.to_owned() }
}

/// Finds what keeps a server from taking over what a temporary one is loaded with.
///
/// # Errors
///
/// The server is gone.
pub(crate) fn obstacles(session: &Session, environment: &ToolEnvironment) -> Result<Vec<Obstacle>, RedisError> {
    let (info, by_hand) = (&session.info, "restore by hand, as the snapshot's manifest says (`by_hand`)");
    let mut found = Vec::new();
    if let Some(inside) = &session.inside {
        let what = format!("the server runs inside the container {}", inside.container.name());
        found.push(nothing(what, by_hand));
    } else if !servers(environment).iter().any(|one| one.fits(info.family(), info.version_numbers())) {
        let name = info.family().server();
        let what = format!("there is no {name} here that reads what a server of version {} writes", info.version());
        found.push(nothing(what, &format!("install {name} of that version, or {by_hand}")));
    }
    match session.connection.setting("tls-replication") {
        Ok(Some(value)) if value == "yes" => {
            found.push(nothing("it copies other servers by TLS only (`tls-replication`)", by_hand));
        }
        Ok(_) => {}
        Err(error) => found.push(not_permitted(error)?),
    }
    let known = session.connection.ask(&["COMMAND", "INFO", "REPLICAOF"]);
    if known.is_ok_and(|answer| !answer.to_ascii_lowercase().contains("replicaof")) {
        found.push(nothing("it does not know the command REPLICAOF (`rename-command`)", by_hand));
    }
    Ok(found)
}

/// Makes an obstacle of a right that is lacking.
fn not_permitted(error: RedisError) -> Result<Obstacle, RedisError> {
    match error {
        RedisError::Command { .. } | RedisError::CannotConnect { why: Refusal::NotPermitted, .. } => Ok(nothing(
            "the user may not give the command CONFIG",
            "connect as a user who may give CONFIG and REPLICAOF, or restore by hand, as the snapshot's manifest says (`by_hand`)",
        )),
        other => Err(other),
    }
}

/// Finds what of a file's content does not come back, or comes back besides.
pub(crate) fn of_file(held: &Held, database: &str) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if !held.modules.is_empty() {
        let names: Vec<&str> = held.modules.iter().map(String::as_str).collect();
        found.push(nothing(
            format!("in it is what only modules read ({})", names.join(", ")),
            "restore by hand, by a server that has them",
        ));
    }
    let others: Vec<String> = held.databases.keys().map(u64::to_string).filter(|one| one != database).collect();
    if !others.is_empty() {
        found.push(Obstacle {
            effect: Effect::InPlace,
            what: format!("all databases of the server come back together, also {}", others.join(", ")),
            remedy: "give what is to be kept apart a server of its own".to_owned(),
        });
    }
    found
}
