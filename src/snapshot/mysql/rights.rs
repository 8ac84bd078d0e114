//! What the user may do, as its grants say.

use std::collections::BTreeSet;

/// The rights on all databases, and those on databases by patterns of their names. What is granted on tables alone is left
/// out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    everywhere: BTreeSet<String>,
    within: Vec<(String, BTreeSet<String>)>,
}

/// What stands for all rights at a place.
const ALL: &str = "ALL PRIVILEGES";

impl Rights {
    /// Reads the lines of `SHOW GRANTS`: ``GRANT SELECT, INSERT ON `shop\_%`.* TO …``.
    pub(crate) fn read<'l>(lines: impl IntoIterator<Item = &'l str>) -> Rights {
        let mut rights = Rights::default();
        for line in lines {
            let Some((granted, place)) = line.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON ")) else {
                continue;
            };
            let granted = granted.split(',').map(|right| right.trim().to_ascii_uppercase()).collect();
            if place.starts_with("*.* ") {
                rights.everywhere.extend::<BTreeSet<String>>(granted);
            } else if let Some(pattern) = pattern(place) {
                rights.within.push((pattern, granted));
            }
        }
        rights
    }

    /// Tells whether it has a right on every database.
    #[must_use]
    pub(crate) fn has_everywhere(&self, right: &str) -> bool {
        self.everywhere.contains(right) || self.everywhere.contains(ALL)
    }

    /// Tells whether it has a right on a database.
    #[must_use]
    pub(crate) fn has(&self, right: &str, database: &str) -> bool {
        let within = |(pattern, granted): &(String, BTreeSet<String>)| {
            (granted.contains(right) || granted.contains(ALL)) && is_like(database, pattern)
        };
        self.has_everywhere(right) || self.within.iter().any(within)
    }

    /// Lists which of these rights it does not have on a database.
    #[must_use]
    pub(crate) fn lacking<'r>(&self, rights: &[&'r str], database: &str) -> Vec<&'r str> {
        rights.iter().copied().filter(|right| !self.has(right, database)).collect()
    }

    /// Tells whether it may make objects that belong to another user.
    #[must_use]
    pub(crate) fn may_set_definers(&self) -> bool {
        ["SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"].iter().any(|right| self.has_everywhere(right))
    }
}

/// Reads the name in `` `shop\_test`.* TO … ``; `None` for a table's or a routine's.
fn pattern(place: &str) -> Option<String> {
    let quoted = place.strip_prefix('`')?;
    let mut name = String::new();
    let mut rest = quoted.char_indices();
    while let Some((at, character)) = rest.next() {
        if character != '`' {
            name.push(character);
        } else if quoted[at + 1..].starts_with('`') {
            name.push('`');
            rest.next();
        } else {
            return quoted[at + 1..].starts_with(".* ").then_some(name);
        }
    }
    None
}

/// Tells whether a name is like a pattern, in which `%` stands for any text, `_` for any character, and `\` takes that
/// meaning away.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = pattern_rest.as_str();
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| is_like(&name[at..], rest))
        }
        Some(other) => {
            let mut name_rest = name.chars();
            let Some(first) = name_rest.next() else { return false };
            let (is_same, rest) = match (other, pattern_rest.as_str().chars().next()) {
                ('_', _) => (true, pattern_rest.as_str()),
                ('\\', Some(escaped)) => (first == escaped, &pattern_rest.as_str()[escaped.len_utf8()..]),
                _ => (first == other, pattern_rest.as_str()),
            };
            is_same && is_like(name_rest.as_str(), rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_by_place() {
        let rights = Rights::read([
            "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*0'",
            r"GRANT ALL PRIVILEGES ON `shop\_test`.* TO `app`@`%`",
            r"GRANT SELECT, CREATE ON `shop\_test\_%`.* TO `app`@`%`",
            "GRANT SELECT ON `other`.`orders` TO `app`@`%`",
            "GRANT EXECUTE ON PROCEDURE `other`.`p` TO `app`@`%`",
            "GRANT INSERT ON `odd``.* name`.* TO `app`@`%`",
            "GRANT `role` TO `app`@`%`",
        ]);
        for (right, database, expected) in [
            ("TRIGGER", "shop_test", true),
            ("TRIGGER", "shopXtest", false),
            ("CREATE", "shop_test_replaced_20261121_143022", true),
            ("DROP", "shop_test_replaced_20261121_143022", false),
            ("SELECT", "other", false),
            ("INSERT", "odd`.* name", true),
        ] {
            assert_eq!(rights.has(right, database), expected, "{right} on {database}");
        }
        assert!(!rights.may_set_definers() && !rights.has_everywhere("SELECT"));
        assert_eq!(rights.lacking(&["CREATE", "DROP"], "shop_test_x"), ["DROP"]);
        for line in [
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION",
            "GRANT SELECT, SUPER ON *.* TO `root`@`localhost`",
            "GRANT ROLE_ADMIN,SET_ANY_DEFINER,SHOW_ROUTINE ON *.* TO `root`@`localhost`",
        ] {
            assert!(Rights::read([line]).may_set_definers(), "{line}");
        }
    }

    #[test]
    fn patterns_are_those_of_like() {
        for (name, pattern, expected) in [
            ("shop", "shop", true),
            ("shop", "shop%", true),
            ("shop_x", "shop_%", true),
            ("shop", "%", true),
            ("", "%", true),
            ("shop", "s_o_", true),
            ("shop", "s_o", false),
            ("a%b", r"a\%b", true),
            ("axb", r"a\%b", false),
            (r"a\", r"a\", true),
        ] {
            assert_eq!(is_like(name, pattern), expected, "{name} {pattern}");
        }
    }
}
