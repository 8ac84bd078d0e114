//! The servers that split variables name: hosts, sockets, and what lies behind a tunnel.

use crate::environment::Origin;
use crate::reach::assemble::shapes;
use crate::reach::assemble::split::group::{Group, MOST_ALTERNATIVES, TOO_MANY_ALTERNATIVES};
use crate::reach::assemble::{Found, Variables};
use crate::reach::grammars::host::{locate, locate_list};
use crate::reach::grammars::sql_server;
use crate::reach::grammars::text::without_quotes;
use crate::reach::grammars::url;
use crate::reach::names::Role;
use crate::reach::{Doubt, Draft, Engine, Place};

/// How many tunnels are followed.
const MOST_TUNNELS: usize = 16;

/// One way in which the group names its server.
pub(crate) struct Alternative {
    pub(crate) places: Vec<Place>,
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) origins: Vec<Origin>,
}

/// Lists every server that the group names: a socket and a host are places of one, two different hosts are two.
pub(crate) fn alternatives(group: &Group<'_, '_>, variables: &Variables<'_>) -> Vec<Alternative> {
    let mut sockets = Alternative { places: Vec::new(), doubts: Vec::new(), origins: Vec::new() };
    for variable in group.all(Role::Socket).filter(|variable| variable.value().starts_with('/')) {
        if sockets.places.len() >= MOST_ALTERNATIVES {
            variables.cut_off(variable.origin(), TOO_MANY_ALTERNATIVES);
            break;
        }
        sockets.places.push(Place::Socket { path: variable.value().into(), port: None });
        sockets.origins.push(variable.origin().clone());
    }
    let mut found: Vec<Alternative> = Vec::new();
    for variable in group.all(Role::Host) {
        let (text, quoted) = without_quotes(variable.value());
        let (places, mut doubts) = hosts(text);
        let known = found.iter().any(|earlier| earlier.places == places);
        if places.is_empty() {
            continue;
        }
        if found.len() >= MOST_ALTERNATIVES && !known {
            variables.cut_off(variable.origin(), TOO_MANY_ALTERNATIVES);
            continue;
        }
        if quoted {
            doubts.push(Doubt::Syntax);
        }
        doubts.extend(variable.setting.unresolved.as_ref().map(Doubt::from));
        match found.iter_mut().find(|earlier| earlier.places == places) {
            Some(earlier) => earlier.origins.push(variable.origin().clone()),
            None => found.push(Alternative { places, doubts, origins: vec![variable.origin().clone()] }),
        }
    }
    if sockets.places.is_empty() {
        return found;
    }
    if found.is_empty() {
        return vec![sockets];
    }
    for alternative in &mut found {
        alternative.places.splice(0..0, sockets.places.iter().cloned());
        alternative.origins.splice(0..0, sockets.origins.iter().cloned());
    }
    found
}

/// Reads the hosts in one value: one, a list, or the authority of a URL.
fn hosts(text: &str) -> (Vec<Place>, Vec<Doubt>) {
    let text = without_transport(text);
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return (Vec::new(), Vec::new());
    }
    if let Some((_, rest)) = text.split_once("://").filter(|(_, rest)| !rest.contains("://")) {
        let draft = url::parse_rest(Engine::Unknown, "", rest);
        return (draft.places, draft.doubts);
    }
    if !text.contains("://") && (text.contains('@') || text.contains('/')) && !text.starts_with(['/', '<', '$', '{']) {
        let draft = url::parse_rest(Engine::Unknown, "", text);
        return (draft.places, draft.doubts);
    }
    if sql_server::is_this_machine(text) {
        return (vec![Place::Host { name: "localhost".to_owned(), port: None }], Vec::new());
    }
    if text.contains(',') {
        return locate_list(text);
    }
    let located = locate(text.split('\\').next().unwrap_or(text));
    (located.place.into_iter().collect(), located.doubts)
}

/// Takes off what chooses the way to the server: SQL Server's `tcp:host`, mysqli's `p:host`, and `//host`, `//user:password@host`.
///
/// Sources: Microsoft's "Connection string syntax" (`tcp:`, `np:`, `lpc:`, `admin:`), PHP's manual of mysqli ("The
/// mysqli Extension and Persistent Connections").
fn without_transport(text: &str) -> &str {
    let is_port = |text: &str| text.split(',').next().unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    let transport = ["tcp:", "np:", "lpc:", "admin:", "p:"].iter().find_map(|own| {
        let start = text.get(..own.len()).filter(|start| start.eq_ignore_ascii_case(own))?;
        Some(&text[start.len()..]).filter(|rest| !rest.starts_with("//") && !is_port(rest))
    });
    if let Some(rest) = transport {
        return rest;
    }
    // A folder of sockets may begin with two slashes too.
    let server = text
        .strip_prefix("//")
        .filter(|rest| rest.contains('@') || shapes::is_address(rest.split(['/', ',']).next().unwrap_or(rest)));
    server.unwrap_or(text)
}

/// Adds the server behind a tunnel to the places of the databases that are reached through it.
pub(crate) fn tunnels(variables: &Variables<'_>, found: &mut Vec<Found>) {
    let ends =
        variables.all.iter().filter(|variable| variable.name.role == Some(Role::TunnelEnd) && !variable.is_empty());
    for (at, variable) in ends.enumerate() {
        if at >= MOST_TUNNELS {
            variables.cut_off(variable.origin(), "more than 16 variables name the end of a tunnel");
            break;
        }
        let (places, doubts) = hosts(without_quotes(variable.value()).0);
        let network = |one: &Found| {
            !one.draft.engine.is_auxiliary()
                && !one.draft.places.iter().any(|place| matches!(place, Place::File { .. } | Place::Memory))
        };
        let mut used = false;
        for one in found.iter_mut().filter(|one| network(one)) {
            if one.draft.places.is_empty() {
                one.draft.places.push(Place::Host { name: "localhost".to_owned(), port: None });
            }
            places.iter().cloned().for_each(|place| one.draft.add_place(place));
            doubts.iter().for_each(|doubt| one.draft.doubt(*doubt));
            one.add_origin(variable.origin());
            used = true;
        }
        if !used && !places.is_empty() {
            let mut draft = Draft { places, ..Draft::new(Engine::Unknown) };
            doubts.iter().for_each(|doubt| draft.doubt(*doubt));
            found.push(Found::new(draft, variable.origin().clone(), &variable.name.group));
        }
    }
}
