//! Where in a YAML file a service's host stands.

use crate::environment::readers::formats::FlatEntry;

/// A place that names a host: by the last key of its path, by the value there, or by being there.
///
/// In a pattern `*` stands for any one key, and `**` in front for any number of them.
pub(crate) enum HostPath {
    Key(&'static [&'static str]),
    Value(&'static [&'static str]),
    Brings(&'static [&'static str], &'static str),
}

impl HostPath {
    /// Gives the host that an entry names.
    pub(crate) fn host<'e>(&self, entry: &'e FlatEntry) -> Option<&'e str> {
        let (pattern, host) = match self {
            HostPath::Key(pattern) => (pattern, entry.path.last()?.as_str()),
            HostPath::Value(pattern) => (pattern, entry.value.as_str()),
            HostPath::Brings(pattern, host) => (pattern, *host),
        };
        matches(&entry.path, pattern).then_some(host)
    }
}

/// Says whether the path has the pattern's segments.
pub(crate) fn matches(path: &[String], pattern: &[&str]) -> bool {
    match pattern {
        ["**", pattern @ ..] => {
            path.len().checked_sub(pattern.len()).is_some_and(|skipped| matches(&path[skipped..], pattern))
        }
        _ => {
            let mut pairs = path.iter().zip(pattern);
            path.len() == pattern.len() && pairs.all(|(segment, wanted)| *wanted == "*" || segment == wanted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_keys() {
        for (path, pattern, expected) in [
            ("services.db", "services.*", true),
            ("services.db.image", "services.*", false),
            ("services", "services.*", false),
            ("services.db", "**.services.*", true),
            ("jobs.0.services.db", "**.services.*", true),
            ("jobs.0.services", "**.services.*", false),
            ("db", "**.services.*", false),
        ] {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            let pattern: Vec<&str> = pattern.split('.').collect();
            assert_eq!(matches(&path, &pattern), expected, "{path:?} {pattern:?}");
        }
    }
}
