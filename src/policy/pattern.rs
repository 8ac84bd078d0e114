//! Host patterns of a policy: `*` stands for any run of characters, case does not matter.

/// Whether `text` matches `pattern`. Linear in `text` for each `*`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use crate::policy::pattern::matches;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        let cases = [
            ("*.northwind-shop.test", "db.northwind-shop.test", true),
            ("*.northwind-shop.test", "northwind-shop.test", false),
            ("db-*-eu", "DB-main-EU", true),
            ("db", "db", true),
            ("db", "db2", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a--b--c", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
