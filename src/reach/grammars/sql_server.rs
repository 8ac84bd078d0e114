//! What only SQL Server has in an address: names for this machine, instances behind a backslash, properties behind `;`.

use std::borrow::Cow;

/// Tells whether the host is one of SQL Server's own names for this machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let name = host.split(['\\', ',']).next().unwrap_or(host).trim();
    [".", "(local)", "(localdb)", "(localhost)"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Takes the instance out of `host\\instance:1434`.
pub(crate) fn without_instance(rest: &str) -> Cow<'_, str> {
    let Some(at) = rest.rfind('\\').filter(|at| !rest[*at..].contains('@')) else { return Cow::Borrowed(rest) };
    let name = &rest[at + 1..];
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'))).unwrap_or(name.len());
    Cow::Owned(format!("{}{}", &rest[..at], &name[end..]))
}

/// Cuts the properties off `host:1433;database=x;user=sa`: what follows the first `;key=`.
pub(crate) fn cut_properties(rest: &str) -> (&str, &str) {
    let start = rest.match_indices(';').map(|(at, _)| at).find(|at| {
        let key = rest[at + 1..].split(['=', ';']).next().unwrap_or("");
        rest[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()) && rest[at + 1 + key.len()..].starts_with('=')
    });
    match start {
        None => (rest.trim_end_matches(';'), ""),
        Some(at) => (&rest[..at], &rest[at + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known_with_and_without_an_instance() {
        for host in [".", "(local)", "(LocalDB)\\MSSQLLocalDB", ".\\SQLEXPRESS", "(local),1433"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["localhost", "sql01", "", ".x"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn instances_and_properties_are_told_from_the_host() {
        let cases = [
            ("sql01\\INST:1434/x", "sql01:1434/x", ""),
            ("sa:a\\b@sql01", "sa:a\\b@sql01", ""),
            ("sql01:1433;database=x;user=sa", "sql01:1433", "database=x;user=sa"),
            ("sql01;", "sql01", ""),
            ("sa:a;b@sql01", "sa:a;b@sql01", ""),
        ];
        for (rest, host, properties) in cases {
            let (address, found) = cut_properties(rest);
            assert_eq!((without_instance(address).as_ref(), found), (host, properties), "{rest}");
        }
    }
}
