//! The last look at what a value names before it is a target: nothing of a password may be in a name.

use std::cell::Cell;
use std::path::PathBuf;

use crate::reach::{Doubt, Draft, Place};
use crate::secret::{MASK, redact_name, redact_path};

/// Cuts host, user, database, paths and options to what is surely no secret. What was cut does not follow the form of an
/// address, so it is in doubt, and never safe.
pub(crate) fn without_secrets(mut draft: Draft) -> Draft {
    let is_cut = Cell::new(false);
    let cut = |name: &mut String| {
        let kept = redact_name(name).into_owned();
        is_cut.set(is_cut.get() || kept != *name);
        *name = kept;
    };
    draft.user.iter_mut().for_each(|user| match is_login(user) && !user.contains("://") {
        true => {
            is_cut.set(true);
            *user = MASK.to_owned();
        }
        false => cut(user),
    });
    let written = draft.database.clone();
    let is_file = draft.places.iter().any(|place| matches!(place, Place::File { .. }));
    draft.database.iter_mut().filter(|_| !is_file).for_each(cut);
    draft.parameters.iter_mut().for_each(|(_, value)| cut(value));
    for place in &mut draft.places {
        match place {
            // What stands before an option is not known to be a host.
            Place::Host { name, .. } if redact_name(name) != *name => {
                is_cut.set(true);
                *name = MASK.to_owned();
            }
            Place::Host { .. } => {}
            // A provider's names have colons of their own.
            Place::Instance { name } if is_plain(name) => {}
            Place::Instance { name } => cut(name),
            Place::Memory => {}
            Place::Socket { path, .. } => is_cut.set(cut_path(path, None) || is_cut.get()),
            Place::File { path } => is_cut.set(cut_path(path, written.as_deref()) || is_cut.get()),
        }
    }
    if let Some(written) = written.filter(|_| is_file) {
        draft.database = Some(redact_path(&written).into_owned());
    }
    if is_cut.get() {
        draft.doubt(Doubt::Syntax);
    }
    draft
}

/// Tells whether a user's name is a whole login: `app:secret`, Oracle's `app/secret`. An ARN or a placeholder is one name.
fn is_login(user: &str) -> bool {
    user.split_once([':', '/']).is_some_and(|(name, _)| name != "arn" && !name.contains('{'))
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || "_.:/-".contains(c))
        && redact_name(&name.replace(':', "")) == name.replace(':', "")
}

/// Cuts a path; where it ends in what the value holds, only that part: folders of the project are nobody's password.
fn cut_path(path: &mut PathBuf, written: Option<&str>) -> bool {
    let text = path.to_string_lossy();
    let (folder, own) = match written.and_then(|written| text.strip_suffix(written)) {
        Some(folder) => (folder, &text[folder.len()..]),
        None => ("", &*text),
    };
    let kept = redact_path(own);
    if kept == own {
        return false;
    }
    *path = format!("{folder}{kept}").into();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::Engine;
    use crate::reach::testing::line;

    fn cut(place: Place, database: Option<&str>, user: Option<&str>) -> String {
        let mut draft = Draft::at(Engine::Postgres, place);
        draft.database = database.map(str::to_owned);
        draft.user = user.map(str::to_owned);
        line(&without_secrets(draft))
    }

    #[test]
    fn what_a_grammar_left_in_a_name_is_cut_and_in_doubt() {
        let host = |name: &str| Place::Host { name: name.into(), port: None };
        let file = |path: &str| Place::File { path: path.into() };
        for (place, database, user, expected) in [
            (host("db"), Some("app"), Some("me@server"), "postgres db app u=me@server"),
            (host("db"), Some("app;password=P"), None, "postgres db app [Syntax]"),
            (host("db"), Some("https://h?key=P"), None, "postgres db https://*** [Syntax]"),
            (host("//u:p@h"), None, None, "postgres *** - [Syntax]"),
            (host("1433;pwd=p"), None, None, "postgres *** - [Syntax]"),
            (host("db"), None, Some("a?password=P"), "postgres db - u=a [Syntax]"),
            (host("db"), None, Some("a:P"), "postgres db - u=*** [Syntax]"),
            (host("db"), None, Some("a/P@x"), "postgres db - u=*** [Syntax]"),
            (host("db"), None, Some("arn:aws:iam::1:role/a"), "postgres db - u=arn:aws:iam::1:role/a"),
            (host("db"), None, Some("${DB_USER:-app}"), "postgres db - u=${DB_USER:-app}"),
            (file("/p/x.db"), Some("x.db"), None, "postgres file:/p/x.db x.db"),
            (file("/a:b/c@d/x.db"), Some("x.db"), None, "postgres file:/a:b/c@d/x.db x.db"),
            (file("/p/x.db;Password=P"), Some("x.db;Password=P"), None, "postgres file:/p/x.db x.db [Syntax]"),
            (file("/p/u:P@h/x"), Some("u:P@h/x"), None, "postgres file:/p/*** *** [Syntax]"),
            (Place::Instance { name: "a-key:eu:main".into() }, None, None, "postgres <a-key:eu:main> -"),
            (Place::Instance { name: "u:P@x".into() }, None, None, "postgres <***> - [Syntax]"),
        ] {
            assert_eq!(cut(place, database, user), expected, "{database:?}");
        }
    }
}
