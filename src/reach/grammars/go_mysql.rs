//! The Go MySQL driver's own form: `user:password@tcp(host:3306)/database?options`.

use crate::reach::grammars::host::{locate, place};
use crate::reach::grammars::query;
use crate::reach::{Doubt, Draft, Engine, Place};

/// Reads such a text; `sure` says that the place it stands in promises one, so that `user@/database` counts too.
pub(crate) fn parse(text: &str, sure: bool) -> Option<Draft> {
    if text.contains("://") {
        return None;
    }
    let mut draft = Draft::new(Engine::Mysql);
    if let Some(close) = text.rfind(")/").or_else(|| text.ends_with(')').then(|| text.len() - 1)) {
        let open = text[..close].rfind('(')?;
        let login_end = text[..open].rfind('@');
        let network = &text[login_end.map_or(0, |at| at + 1)..open];
        let known = ["tcp", "tcp4", "tcp6", "unix", "cloudsql", "cloudsql-mysql", "mysql"].contains(&network);
        let plausible = network.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '.'));
        if !(known || sure && plausible && !network.is_empty()) {
            return None;
        }
        add_address(&mut draft, network, &text[open + 1..close]);
        add_login(&mut draft, login_end.map_or("", |at| &text[..at]));
        add_rest(&mut draft, text.get(close + 2..).unwrap_or(""));
        return Some(draft);
    }
    let at = text.rfind("@/").filter(|_| sure)?;
    add_login(&mut draft, &text[..at]);
    add_rest(&mut draft, &text[at + 2..]);
    Some(draft)
}

fn add_address(draft: &mut Draft, network: &str, address: &str) {
    let mut doubts: Vec<Doubt> = Vec::new();
    let found = match network {
        "unix" => place(address, None, &mut doubts),
        _ if network.contains("cloudsql") => Some(Place::Instance { name: address.to_owned() }),
        _ => {
            let located = locate(address);
            doubts = located.doubts;
            located.place
        }
    };
    draft.places.extend(found);
    doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
}

fn add_login(draft: &mut Draft, login: &str) {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    draft.set_user(user);
    draft.set_password(password);
}

fn add_rest(draft: &mut Draft, rest: &str) {
    let (database, query) = rest.split_once('?').unwrap_or((rest, ""));
    draft.set_database(database);
    for (key, value) in query::pairs(query) {
        draft.add_parameter(&key, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;

    #[test]
    fn go_strings_are_read() {
        let cases = [
            ("app:x@tcp(127.0.0.1:3306)/app_test?parseTime=true", false, "mysql 127.0.0.1:3306 app_test u=app"),
            (
                "a:p@ss/(x@tcp(db.example.net:3306)/shop?tls=true",
                false,
                "mysql db.example.net:3306 shop u=a {tls=true}",
            ),
            ("u:p@unix(/cloudsql/a:b:c)/db", false, "mysql unix:/cloudsql/a:b:c db u=u"),
            ("u@cloudsql(a:b:c)/db", false, "mysql <a:b:c> db u=u"),
            ("u:p@tcp([::1]:3307)/", false, "mysql ::1:3307 - u=u"),
            ("tcp(db)/x", false, "mysql db x"),
            ("root:x@/shop", true, "mysql - shop u=root"),
        ];
        for (text, sure, expected) in cases {
            assert_eq!(parse(text, sure).map(|draft| line(&draft)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_with_parentheses_is_left_alone() {
        for text in ["f(x)/y", "a@/b", "mail@example.net (Ann)/x", ")/", "http://x/(y)/"] {
            assert_eq!(parse(text, false), None, "{text}");
        }
    }
}
