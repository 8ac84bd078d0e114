//! Text that was never filled in: `your-db-host`, `<host>`, `${DB_HOST}`, `changeme`.

use std::net::Ipv6Addr;

use crate::reach::Doubt;
use crate::reach::grammars::text::{mask_templates, opens_template};

/// Finds the doubt that a host name raises by itself.
pub(crate) fn host_doubt(text: &str) -> Option<Doubt> {
    name_doubt(text).or_else(|| {
        let lower = text.to_ascii_lowercase();
        WHOLE_HOSTS.contains(&lower.replace('-', "_").as_str()).then_some(Doubt::Placeholder)
    })
}

/// Finds the doubt that the name of a host, a database or a file raises by itself.
pub(crate) fn name_doubt(text: &str) -> Option<Doubt> {
    if is_unexpanded(text) {
        return Some(Doubt::Unexpanded);
    }
    let lower = text.to_lowercase();
    let label_is_placeholder = |label: &str| {
        let words: Vec<&str> = label.split(['-', '_', ' ']).collect();
        let first = words.first().copied().unwrap_or("");
        let your = first == "your" || (first.starts_with("your") && !first.starts_with("yourls") && first.len() > 5);
        let instruction = words.len() > 1
            && (matches!(first, "insert" | "replace" | "change" | "enter" | "fill") || words.last() == Some(&"here"));
        your || instruction || PLACEHOLDERS.contains(&label) || is_filler(label)
    };
    let lone_bracket = matches!(text.trim(), "<" | ">");
    (lone_bracket || has_gap(text) || lower.split(['.', '/']).any(label_is_placeholder)).then_some(Doubt::Placeholder)
}

/// Tells whether `host` has a gap that a person was to fill in (`<cluster>.mongodb.net`, `cluster0.xxxxx.mongodb.net`,
/// `your-project.supabase.co`): nothing can dial it, and no loader fills it in.
#[must_use]
pub(crate) fn has_gap(host: &str) -> bool {
    let is_bracketed = host.contains(['<', '>']) || host.contains('[') && host.parse::<Ipv6Addr>().is_err();
    let template = host.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    if is_bracketed || template.is_some_and(|inside| !inside.contains("{{")) {
        return true;
    }
    let lower = host.to_lowercase();
    let labels = || lower.split('.');
    labels().any(|label| is_yours(label) || label.len() >= 3 && label.chars().all(|c| c == 'x'))
        || labels().count() > 2 && labels().all(|label| matches!(label, "" | "x" | "xx" | "*" | "**" | "***"))
}

/// Tells whether the end of `host`, which says whose it is, is still to be filled in: `${db.host}`, `db.{{ domain }}`, but not
/// `${NAME}.example.com`.
#[must_use]
pub(crate) fn is_open_ended(host: &str) -> bool {
    let masked = mask_templates(host);
    let last = masked.rfind('.').map_or(0, |dot| dot + 1);
    masked[last..] != host[last..]
}

/// Tells whether a label says "yours": `your-db`, `yourdomain`; not `yourls`, nor what may be somebody's own name.
fn is_yours(label: &str) -> bool {
    const THINGS: [&str; 16] = [
        "domain", "host", "server", "db", "database", "project", "instance", "cluster", "name", "app", "endpoint",
        "company", "site", "account", "id", "ip",
    ];
    let rest = label.strip_prefix("your").map(|rest| rest.trim_start_matches(['-', '_']));
    label.starts_with("your-") || label.starts_with("your_") || rest.is_some_and(|rest| THINGS.contains(&rest))
}

/// Tells whether a template, a variable or a marked gap is left in `text`.
pub(crate) fn is_unexpanded(text: &str) -> bool {
    // Backquotes are told from quotes around the whole by those who take these off.
    let marked = opens_template(text) || text.contains("%(") || text.matches('`').nth(1).is_some();
    marked || has_dollar_name(text) || is_enclosed(text, '%') || is_enclosed(text, '@') || has_angle_gap(text) || {
        text.len() > 4 && text.starts_with("__") && text.ends_with("__")
    }
}

fn has_dollar_name(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Tells whether `%NAME%` or `@name@` stands in the text.
fn is_enclosed(text: &str, mark: char) -> bool {
    let mut parts = text.split(mark);
    parts.next();
    let inner: Vec<&str> = parts.collect();
    inner.len() >= 2
        && inner[..inner.len() - 1].iter().any(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
        })
}

fn has_angle_gap(text: &str) -> bool {
    text.find('<').is_some_and(|at| text[at..].contains('>'))
}

fn is_filler(label: &str) -> bool {
    (label.len() >= 3 && label.chars().all(|c| c == 'x'))
        || label.chars().all(|c| c == '.' || c == '*') && !label.is_empty()
}

/// Tells whether the text says "no value" in one of the ways that files have for it.
pub(crate) fn means_nothing(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "" | "null"
            | "(null)"
            | "nil"
            | "none"
            | "undefined"
            | "~"
            | "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "empty"
            | "(empty)"
            // Azure's emulator of its storage, on this machine.
            | "usedevelopmentstorage=true"
            | "usedevelopmentstorage=true;"
    )
}

const PLACEHOLDERS: [&str; 8] =
    ["changeme", "change_me", "change-me", "replaceme", "placeholder", "todo", "tbd", "fixme"];

/// Names that stand for "a host" in templates; as a real host they would tell nothing either.
const WHOLE_HOSTS: [&str; 16] = [
    "host",
    "hostname",
    "host_name",
    "hostaddr",
    "db_host",
    "dbhost",
    "db_hostname",
    "database_host",
    "mysql_host",
    "postgres_host",
    "mongo_host",
    "redis_host",
    "my_host",
    "ip",
    "ip_address",
    "server_address",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_at_the_end_of_a_host_may_lead_anywhere() {
        for host in ["${db.host}", "{{ db.host }}", "db.${DOMAIN}", "$(hostname -f)", "a.b.${x}", "${a}${b.c}"] {
            assert!(is_open_ended(host), "{host}");
        }
        for host in ["${NAME}.example.com", "db.example.com", "db", "", "${a.b}.c", "${a", "1.2.3.4"] {
            assert!(!is_open_ended(host), "{host}");
        }
    }

    #[test]
    fn a_gap_is_told_from_a_name_that_something_could_dial() {
        for host in [
            "<cluster>.mongodb.net",
            "db.[your-project-ref].supabase.co",
            "cluster0.xxxxx.mongodb.net",
            "your-project.supabase.co",
            "yourserver.database.windows.net",
            "x.x.x.x",
            "xxx.xxx.xxx.xxx",
            "***.***.***.***",
            "${{ secrets.db_host }}",
        ] {
            assert!(has_gap(host), "{host}");
        }
        for host in [
            "db.shop.net",
            "yourls.shop.net",
            "yourmoney.c0ffee.eu-west-1.rds.amazonaws.com",
            "todo.c0ffee.eu-west-1.rds.amazonaws.com",
            "x.shop.net",
            "xx.db.shop.net",
            "::1",
            "${db_host}",
            "${cluster}.mongodb.net",
            "db",
        ] {
            assert!(!has_gap(host), "{host}");
        }
    }

    #[test]
    fn hosts_that_were_never_filled_in_are_told_from_real_ones() {
        let cases = [
            ("your-db-host", Some(Doubt::Placeholder)),
            ("your_staging_supabase_url", Some(Doubt::Placeholder)),
            ("your-project.supabase.co", Some(Doubt::Placeholder)),
            ("yourdomain.com", Some(Doubt::Placeholder)),
            ("HOST", Some(Doubt::Placeholder)),
            ("db-host", Some(Doubt::Placeholder)),
            ("xxx", Some(Doubt::Placeholder)),
            ("changeme", Some(Doubt::Placeholder)),
            ("<host>", Some(Doubt::Unexpanded)),
            ("${DB_HOST}", Some(Doubt::Unexpanded)),
            ("$DB_HOST", Some(Doubt::Unexpanded)),
            ("{{ db_host }}", Some(Doubt::Unexpanded)),
            ("%DB_HOST%", Some(Doubt::Unexpanded)),
            ("@db.host@", Some(Doubt::Unexpanded)),
            ("__DB_HOST__", Some(Doubt::Unexpanded)),
            ("`hostname`", Some(Doubt::Unexpanded)),
            ("db-`id -un`", Some(Doubt::Unexpanded)),
            ("localhost", None),
            ("staging-db-host", None),
            ("yourls-db", None),
            ("db", None),
            ("fe80::1%eth0", None),
            ("postgres", None),
            ("youronly", Some(Doubt::Placeholder)),
            ("hostess.example.net", None),
            ("x.x.x.x", Some(Doubt::Placeholder)),
            ("db.[YOUR-PROJECT-REF].supabase.co", Some(Doubt::Placeholder)),
        ];
        for (text, expected) in cases {
            assert_eq!(host_doubt(text), expected, "{text}");
        }
    }
}
