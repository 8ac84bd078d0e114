//! Database files that split variables name: `DB_CONNECTION=sqlite` with `DB_DATABASE=db/x.sqlite`.

use crate::reach::Engine;
use crate::reach::assemble::split::group::{Group, MOST_ALTERNATIVES, TOO_MANY_ALTERNATIVES};
use crate::reach::assemble::{Found, Variables};
use crate::reach::grammars::sqlite::{looks_like_file, plain_path};
use crate::reach::names::Role;

/// Tells whether the group names a file, although it names no engine.
pub(crate) fn is_file(group: &Group<'_, '_>, engine: Option<Engine>) -> bool {
    let named = |role| group.all(role).any(|variable| looks_like_file(variable.value()));
    engine.is_none() && group.first(Role::Host).is_none() && (named(Role::Database) || named(Role::File))
}

/// Finds the files that the group names, or the one that its framework takes by default.
pub(crate) fn files(group: &Group<'_, '_>, engine: Engine, variables: &Variables<'_>, has_url: bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let sure = group.explicit_engine().is_some() || group.engine.is_some();
    let named = group
        .all(Role::Database)
        .chain(group.all(Role::File).filter(|variable| sure || looks_like_file(variable.value())));
    for (at, variable) in named.enumerate() {
        if at >= MOST_ALTERNATIVES {
            variables.cut_off(variable.origin(), TOO_MANY_ALTERNATIVES);
            break;
        }
        for mut draft in plain_path(variable.value(), engine, variables.lookup) {
            variable.pass_doubt_on(&mut draft);
            let mut one = Found::new(draft, variable.origin().clone(), &group.key);
            group.all(Role::Engine).for_each(|engine| one.add_origin(engine.origin()));
            found.push(one);
        }
    }
    if !found.is_empty() || has_url {
        return found;
    }
    // Laravel and Django have a file of their own where none is named.
    let Some(variable) = group.first(Role::Engine) else { return found };
    let default = match variable.setting.name.as_str() {
        "DB_CONNECTION" => "database/database.sqlite",
        _ if variable.value().contains("django") => "db.sqlite3",
        _ => return found,
    };
    let path = variables.lookup.project.root.join(default);
    let drafts = plain_path(&path.to_string_lossy(), engine, variables.lookup);
    drafts.into_iter().for_each(|draft| {
        let mut one = Found::new(draft, variable.origin().clone(), &group.key);
        one.weak = true;
        found.push(one);
    });
    found
}
