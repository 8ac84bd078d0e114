//! Oracle's connect names: `//host:1521/service`, `host:1521:SID`, `(DESCRIPTION=…)`, or an alias of tnsnames.ora.

use crate::reach::grammars::host;
use crate::reach::grammars::host::{locate, number};
use crate::reach::grammars::query;
use crate::reach::grammars::text::strip_prefix_ignore_case;
use crate::reach::{Draft, Engine, Place};

/// Reads what stands behind the `@` of an Oracle login.
pub(crate) fn connect_name(text: &str) -> Draft {
    let mut draft = Draft::new(Engine::Oracle);
    let (name, query) = match text.split_once('?') {
        Some((name, query)) if !name.contains('(') => (name, query),
        _ => (text, ""),
    };
    let name = name.trim();
    if name.contains('(') {
        descriptor(&mut draft, name);
    } else {
        let bare = name.split_once("://").map_or(name, |(_, rest)| rest).trim_start_matches('/');
        easy_connect(&mut draft, bare, name);
    }
    query::apply(&mut draft, &query::pairs(query));
    draft
}

/// Reads a login with a connect name behind it, as `sqlplus` takes it: `user/password@//host:1521/service`. `sure` says that
/// the place it stands in promises Oracle, so that an alias counts too.
pub(crate) fn login(text: &str, sure: bool) -> Option<Draft> {
    let (user, rest) = text.split_once('/')?;
    let (password, name) = rest.rsplit_once('@')?;
    let is_name = |c: char| c.is_alphanumeric() || "_$#.-[]\"".contains(c);
    let is_oracle = name.starts_with("//") || is_descriptor(name) || name.contains(":1521");
    if !(sure || is_oracle) || user.is_empty() || password.is_empty() || !user.chars().all(is_name) {
        return None;
    }
    // `sys/secret@db as sysdba`
    let mut draft = connect_name(name.split(' ').next().unwrap_or(name));
    draft.set_user(user.trim_matches('"'));
    draft.set_password(password.trim_matches('"'));
    Some(draft)
}

/// Tells whether the text is a descriptor by itself.
pub(crate) fn is_descriptor(text: &str) -> bool {
    let text: String = text.chars().take(60).filter(|c| !c.is_whitespace()).collect();
    ["(DESCRIPTION=", "(DESCRIPTION_LIST=", "(ADDRESS="]
        .iter()
        .any(|open| strip_prefix_ignore_case(&text, open).is_some())
}

fn easy_connect(draft: &mut Draft, bare: &str, name: &str) {
    let (hosts, service) = bare.split_once('/').unwrap_or((bare, ""));
    for host in hosts.split(',').filter(|host| !host.is_empty()) {
        let parts: Vec<&str> = host.split(':').collect();
        // `host:1521:SID`
        if let [host, port, sid] = parts[..]
            && !host.starts_with('[')
        {
            let mut doubts = Vec::new();
            let port = number(port, &mut doubts);
            let place = host::place(host, port, &mut doubts);
            place.into_iter().for_each(|place| draft.add_place(place));
            doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
            draft.set_database(sid);
            continue;
        }
        // A name alone, without a port and a service, is an alias that tnsnames.ora or a directory resolves.
        if parts.len() == 1 && service.is_empty() && !name.contains("//") && !host.contains('.') {
            draft.add_place(Place::Instance { name: host.to_owned() });
            continue;
        }
        let located = locate(host);
        located.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        located.place.into_iter().for_each(|place| draft.add_place(place));
    }
    draft.set_database(service.split([':', '/']).next().unwrap_or(service));
}

/// Reads every `(HOST=…)` with the `(PORT=…)` that follows it, and the service.
fn descriptor(draft: &mut Draft, text: &str) {
    let mut host: Option<&str> = None;
    for part in text.split(['(', ')']) {
        let Some((key, value)) = part.split_once('=') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_uppercase().as_str() {
            "HOST" => {
                add_host(draft, host.replace(value), None);
            }
            "PORT" => {
                let port = number(value, &mut draft.doubts);
                add_host(draft, host.take(), port);
            }
            "SERVICE_NAME" | "SID" => draft.set_database(value),
            "MY_WALLET_DIRECTORY" | "WALLET_LOCATION" => draft.add_parameter("wallet_location", value),
            _ => {}
        }
    }
    add_host(draft, host, None);
}

fn add_host(draft: &mut Draft, host: Option<&str>, port: Option<u16>) {
    let Some(host) = host else { return };
    let mut doubts = Vec::new();
    if let Some(place) = host::place(host, port, &mut doubts) {
        draft.add_place(place);
    }
    doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;

    #[test]
    fn a_login_before_a_connect_name_is_read() {
        for (text, sure, expected) in [
            ("u/p@//localhost:1521/XE", false, Some("oracle localhost:1521 XE u=u")),
            ("u/\"p@/x\"@//ora.example.net:1521/XE", false, Some("oracle ora.example.net:1521 XE u=u")),
            ("u/p@localhost:1521/XE", false, Some("oracle localhost:1521 XE u=u")),
            ("u/p@(DESCRIPTION=(ADDRESS=(HOST=a)))", false, Some("oracle a - u=u")),
            ("sys/p@XE as sysdba", true, Some("oracle <XE> - u=sys")),
            ("u/p@XE", false, None),
            ("u:p@//localhost/x", false, None),
            ("a/b", true, None),
        ] {
            assert_eq!(login(text, sure).map(|draft| line(&draft)).as_deref(), expected, "{text}");
        }
        assert_eq!(login("u/p@//h:1521/x", false).unwrap().password.unwrap().expose(), "p");
    }

    #[test]
    fn connect_names_are_read() {
        let cases = [
            ("//localhost:1521/XEPDB1", "oracle localhost:1521 XEPDB1"),
            ("ora.example.net:1521:ORCL", "oracle ora.example.net:1521 ORCL"),
            ("ora.example.net/svc", "oracle ora.example.net svc"),
            ("tcps://ora.example.net:1522/svc?wallet_location=/w", "oracle ora.example.net:1522 svc {wallet=/w}"),
            ("shop_prod_high?TNS_ADMIN=/opt/wallet", "oracle <shop_prod_high> - {wallet=/opt/wallet}"),
            (
                "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=a.example.net)(PORT=1521))(ADDRESS=(HOST = b)(PORT=1522))(CONNECT_DATA=(SERVICE_NAME=SHOPPRD)))",
                "oracle a.example.net:1521,b:1522 SHOPPRD",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(line(&connect_name(text)), expected, "{text}");
        }
    }
}
