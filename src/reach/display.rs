//! How targets and places are shown to people, without secrets.

use std::fmt::{self, Write as _};

use percent_encoding::percent_encode_byte;

use crate::reach::{Engine, Place, Target};
use crate::secret::Secret;
use crate::text::shown;

impl Target {
    /// Lists what no text of others may show: the password, unless it reads like something that is shown anyway.
    #[must_use]
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let is_shown = |password: &Secret| {
            let same = |name: &str| name.eq_ignore_ascii_case(password.expose());
            let places = self.places.iter().map(|place| match place {
                Place::Host { name, .. } | Place::Instance { name } => name.as_str().into(),
                Place::Socket { path, .. } | Place::File { path } => path.to_string_lossy(),
                Place::Memory => "memory".into(),
            });
            let names = [&self.user, &self.database].into_iter().flatten();
            Engine::named(&password.expose().to_ascii_lowercase()).is_some()
                || names.map(String::as_str).any(same)
                || places.into_iter().any(|name| same(&name))
        };
        self.password.iter().filter(|password| !is_shown(password)).cloned().collect()
    }

    /// Describes the target on one line, without secrets: ``postgres database `app` on db.test:5432``.
    #[must_use]
    pub(crate) fn shown(&self) -> String {
        let places = self.places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (&self.database, &self.places[..]) {
            (_, [Place::File { path }]) if self.engine == Engine::Folder => format!("folder `{}`", shown(path)),
            (_, [Place::File { path }]) => format!("{} database `{}`", self.engine, shown(path)),
            (_, [Place::Memory]) => format!("{} database in memory", self.engine),
            (Some(database), _) => format!("{} database `{}` on {places}", self.engine, database),
            (None, _) => format!("{} server on {places}", self.engine),
        }
    }

    /// Writes the target as a URL without its password: `postgres://app@127.0.0.1:5432/app`. What would end a name in a URL is
    /// percent-encoded, so that reading the address gives this target again.
    #[must_use]
    pub(crate) fn address(&self) -> String {
        let mut out = match &self.places[..] {
            [Place::File { path }] => return format!("{}:{}", self.engine, shown(path)),
            [Place::Memory] => return format!("{}::memory:", self.engine),
            _ => format!("{}://", self.engine),
        };
        if let Some(user) = &self.user {
            let _ = write!(out, "{}@", encoded(user));
        }
        let hosts = self.places.iter().filter(|place| !matches!(place, Place::Socket { .. }));
        out.push_str(&hosts.map(ToString::to_string).collect::<Vec<_>>().join(","));
        if let Some(database) = &self.database {
            let _ = write!(out, "/{}", encoded(database));
        }
        let socket = self.places.iter().find_map(|place| match place {
            Place::Socket { path, .. } => Some(path),
            _ => None,
        });
        if let Some(path) = socket {
            let slash = if self.database.is_none() { "/" } else { "" };
            let _ = write!(out, "{slash}?host={}", encoded(&shown(path)));
        }
        out
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host { name, port } => match port {
                Some(port) if name.contains(':') => write!(f, "[{name}]:{port}"),
                Some(port) => write!(f, "{name}:{port}"),
                None => f.write_str(name),
            },
            Place::Socket { path, .. } | Place::File { path } => f.write_str(&shown(path)),
            Place::Memory => f.write_str("memory"),
            Place::Instance { name } => f.write_str(name),
        }
    }
}

/// Encodes those characters of a URL's part that would not be read back as themselves.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || "%?#@ ".contains(c) {
            // Letters beyond ASCII stay, so that people can read them; `utf8_percent_encode` would encode them all.
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(percent_encode_byte(byte)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::testing::{found, reading};

    #[test]
    fn an_address_is_read_back_as_the_same_target() {
        for name in ["app", "per%41cent", "d?b#1", "x@y", "we ird", "a/b", "q'uote", "Ünï", "a%2Fb", "a&b=c", "tab\t"]
        {
            let mut target = target(vec![Place::Host { name: "127.0.0.1".to_owned(), port: Some(5432) }], Some(name));
            target.user = Some("us@er".to_owned());
            let address = target.address();
            let again = found(&[reading(&[("DATABASE_URL", &address)])], &[], &[]);
            assert_eq!(again.len(), 1, "{address}");
            assert_eq!((again[0].database.as_deref(), again[0].address()), (Some(name), address));
        }
    }

    fn target(places: Vec<Place>, database: Option<&str>) -> Target {
        Target {
            engine: Engine::Postgres,
            places,
            database: database.map(ToOwned::to_owned),
            user: Some("app".to_owned()),
            password: Some(Secret::new("hunter22")),
            parameters: vec![("sslmode".to_owned(), "require".to_owned())],
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        }
    }

    fn host(name: &str, port: u16) -> Place {
        Place::Host { name: name.to_owned(), port: Some(port) }
    }

    #[test]
    fn targets_are_shown_without_their_password() {
        let cases = [
            (
                target(vec![host("db.test", 5432)], Some("app")),
                "postgres database `app` on db.test:5432",
                "postgres://app@db.test:5432/app",
            ),
            (target(vec![host("::1", 5432)], None), "postgres server on [::1]:5432", "postgres://app@[::1]:5432"),
            (
                target(vec![Place::Socket { path: "/tmp".into(), port: Some(5432) }], Some("a\x1b[2J")),
                "postgres database `a\u{1b}[2J` on /tmp",
                "postgres://app@/a%1B[2J?host=/tmp",
            ),
            (
                target(vec![host("a", 1), host("b", 2)], Some("x")),
                "postgres database `x` on a:1, b:2",
                "postgres://app@a:1,b:2/x",
            ),
        ];
        for (target, shown, address) in cases {
            assert_eq!(target.shown(), shown);
            assert_eq!(target.address(), address);
            assert!(!format!("{target:?}").contains("hunter22"));
        }
    }

    #[test]
    fn a_password_that_reads_like_what_is_shown_is_no_secret_in_text() {
        for (password, is_secret) in
            [("hunter22", true), ("Postgres", false), ("app", false), ("shop_test", false), ("DB.test", false)]
        {
            let mut target = target(vec![host("db.test", 5432)], Some("shop_test"));
            target.password = Some(Secret::new(password));
            assert_eq!(!target.secrets().is_empty(), is_secret, "{password}");
        }
    }

    #[test]
    fn passwords_never_reach_what_is_shown() {
        let values = [
            "postgres://u:hunter22@db/x",
            "postgres://u:hun/ter22@db/x",
            "postgres://u:a@hunter22/b@db/x",
            "postgres://u:a@b/hunter22@db/x",
            "postgres://u:12/hunter22@db/x",
            "mysql://u:a?hunter22@db/x",
            "redis://hunter22@db",
            "Server=db;Database=x;User Id=u;Password=hunter22",
            "host=db dbname=x password=hunter22",
            "u:hunter22@tcp(db:3306)/x",
            "jdbc:postgresql://db/x?user=u&password=hunter22",
            "jdbc:oracle:thin:u/hunter22@//db:1521/x",
            "hunter22 db x",
        ];
        for value in values {
            for target in found(&[reading(&[("DATABASE_URL", value)])], &[], &[]) {
                let shown = format!("{target:?} {} {}", target.shown(), target.address());
                assert!(!shown.contains("hunter22") && !shown.contains("ter22"), "{value}: {shown}");
            }
        }
    }
}
