//! Database files that split variables name: `DB_CONNECTION=sqlite` with `DB_DATABASE=db/x.sqlite`.

use crate::reach::Engine;
use crate::reach::assemble::scene::{Found, Scene};
use crate::reach::grammars::sqlite::{looks_like_file, plain_path};
use crate::reach::names::Role;
use crate::reach::names::group::{Group, MOST_ALTERNATIVES};
use crate::reach::names::split::note_unresolved;

/// Whether the group names a file, although it names no engine.
pub(crate) fn is_file(group: &Group<'_, '_>, engine: Option<Engine>) -> bool {
    let named = |role| group.all(role).any(|entry| looks_like_file(entry.value()));
    engine.is_none() && group.first(Role::Host).is_none() && (named(Role::Database) || named(Role::File))
}

/// The files that the group names, or the one that its framework takes by default.
pub(crate) fn files(group: &Group<'_, '_>, engine: Engine, scene: &Scene<'_>, has_url: bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let sure = group.explicit_engine().is_some() || group.engine.is_some();
    let named =
        group.all(Role::Database).chain(group.all(Role::File).filter(|entry| sure || looks_like_file(entry.value())));
    for entry in named.take(MOST_ALTERNATIVES) {
        for mut draft in plain_path(entry.value(), engine, scene.context) {
            note_unresolved(&mut draft, entry);
            let mut one = Found::new(draft, entry.origin().clone(), &group.key);
            group.all(Role::Engine).for_each(|engine| one.add_origin(engine.origin()));
            found.push(one);
        }
    }
    if !found.is_empty() || has_url {
        return found;
    }
    // Laravel and Django have a file of their own where none is named.
    let Some(entry) = group.first(Role::Engine) else { return found };
    let default = match entry.setting.name.as_str() {
        "DB_CONNECTION" => "database/database.sqlite",
        _ if entry.value().contains("django") => "db.sqlite3",
        _ => return found,
    };
    let path = scene.context.project.root.join(default);
    let drafts = plain_path(&path.to_string_lossy(), engine, scene.context);
    drafts.into_iter().for_each(|draft| {
        let mut one = Found::new(draft, entry.origin().clone(), &group.key);
        one.weak = true;
        found.push(one);
    });
    found
}
