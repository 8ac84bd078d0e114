//! Versions of servers and programs, and whose they are.

use std::fmt;

/// Whose a server or a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// MySQL, and what is built of its source.
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flavor::Mysql => "MySQL",
            Flavor::Mariadb => "MariaDB",
        })
    }
}

/// A version: `10.11.19`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) patch: u32,
}

impl Version {
    /// Reads the numbers at the beginning of a text: `10.11.19-MariaDB-0+deb12u1`, `5.7.44-log`.
    pub(crate) fn read(text: &str) -> Option<Version> {
        // What replication between versions needed: `5.5.5-10.11.19-MariaDB`.
        let text = text.strip_prefix("5.5.5-").unwrap_or(text);
        let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Version { major, minor, patch })
    }

    /// Gives the series, within which nothing but faults changes: `10.11`.
    #[must_use]
    pub(crate) fn series(self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_read_whatever_follows() {
        let version = |major, minor, patch| Some(Version { major, minor, patch });
        for (text, expected) in [
            ("10.11.19-MariaDB-0+deb12u1", version(10, 11, 19)),
            ("5.5.5-10.6.1-MariaDB", version(10, 6, 1)),
            ("8.0.36", version(8, 0, 36)),
            ("5.7.44-log", version(5, 7, 44)),
            ("9.1", version(9, 1, 0)),
            ("mysql", None),
            ("8", None),
            ("", None),
        ] {
            assert_eq!(Version::read(text), expected, "{text}");
        }
    }
}
