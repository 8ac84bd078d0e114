//! Databases that are named without a host: they are looked for where the environment says that such servers are.

use crate::reach::assemble::Found;
use crate::reach::{Engine, Place};

/// How many servers are considered; the first ones that an environment names. Each of the others is a target by itself, and
/// so is the database: neither is judged better for not being put together.
const MOST_SERVERS: usize = 64;

/// Gives a place to what has a database but no host. What finds none keeps its driver's default.
pub(crate) fn inherit_places(found: &mut Vec<Found>) {
    let (without, mut with): (Vec<Found>, Vec<Found>) = std::mem::take(found).into_iter().partition(is_homeless);
    let servers: Vec<usize> = (0..with.len()).filter(|at| is_server(&with[*at])).take(MOST_SERVERS).collect();
    for mut one in without {
        let fits = |at: &&usize| {
            let engines = (one.draft.engine.family(), with[**at].draft.engine.family());
            engines.0 == engines.1 || engines.0 == Engine::Unknown || engines.1 == Engine::Unknown
        };
        let candidates: Vec<usize> = servers.iter().filter(fits).copied().collect();
        let same = candidates.iter().find(|at| with[**at].draft.database == one.draft.database);
        let nameless = candidates.iter().find(|at| with[**at].draft.database.is_none());
        match (same.or(nameless), candidates.first()) {
            (Some(at), _) => fill(&mut with[*at], one),
            (None, Some(at)) => {
                borrow_place(&mut one, &with[*at]);
                found.push(one);
            }
            (None, None) => found.push(one),
        }
    }
    with.append(found);
    *found = with;
}

fn is_homeless(one: &Found) -> bool {
    let port_only = one.draft.places.iter().all(|place| matches!(place, Place::Host { name, .. } if name.is_empty()));
    port_only && !one.keeps_default && one.draft.database.is_some() && one.draft.service.is_none()
}

fn is_server(one: &Found) -> bool {
    let dialled = |place: &Place| !matches!(place, Place::File { .. } | Place::Memory);
    let gateway = one.draft.parameters.iter().any(|(key, value)| key == "protocol" && value == "http");
    let placed = !one.draft.places.is_empty() && one.draft.places.iter().all(dialled);
    placed && !gateway && !one.draft.engine.is_auxiliary() && one.draft.engine != Engine::Dynamodb
}

/// Adds to `found` what `one` says about the same connection.
fn fill(found: &mut Found, one: Found) {
    one.origins.iter().for_each(|origin| found.add_origin(origin));
    found.draft.cut = found.draft.cut.or(one.draft.cut);
    if found.draft.database.is_none() {
        found.draft.database = one.draft.database;
        one.draft.doubts.into_iter().for_each(|doubt| found.draft.doubt(doubt));
    }
    if found.draft.engine == Engine::Unknown {
        found.draft.engine = one.draft.engine;
    }
    if found.draft.user.is_none() {
        found.draft.user = one.draft.user;
        found.draft.password = found.draft.password.take().or(one.draft.password);
    }
}

/// Gives `one`, another database on the same server, the place of `found`.
fn borrow_place(one: &mut Found, found: &Found) {
    one.draft.places.clone_from(&found.draft.places);
    if one.draft.engine == Engine::Unknown {
        one.draft.engine = found.draft.engine;
    }
    found.draft.doubts.iter().for_each(|doubt| one.draft.doubt(*doubt));
    found.origins.iter().for_each(|origin| one.add_origin(origin));
}
