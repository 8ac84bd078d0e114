//! Spells the names of tables in one way wherever they come from, and makes names for the databases of a restore.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::snapshot::postgres::psql::identifier;
use crate::snapshot::postgres::words::words;
use crate::text::hex;

/// The longest name a server keeps, in bytes; a longer one is cut without a word, so that two could become one.
const LONGEST: usize = 63;

/// Shows a name in the bytes of the database's own encoding, as text; bytes that are not UTF-8 are written `\xE9`.
pub(crate) fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => name
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte).to_string() } else { format!("\\x{byte:02X}") })
            .collect(),
    }
}

/// Writes a table's name with its schema, each quoted where it is not plain. Key words stay as they are: their list
/// differs between versions.
pub(crate) fn qualified(schema: &[u8], name: &[u8]) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

fn quoted(name: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let text = shown(name);
    if name.iter().all(plain) && !name.first().is_none_or(u8::is_ascii_digit) {
        return text;
    }
    identifier(&text)
}

/// Writes a name that a tool has quoted in its own way as [`qualified`] does.
pub(crate) fn canonical(written: &[u8]) -> String {
    let parts: Vec<String> = words(written).iter().filter_map(|(_, word)| word.name()).map(quoted).collect();
    parts.join(".")
}

/// What a database is that a restore, a rehearsal or a snapshot makes, as its name and its mark say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// It is to take a database's place.
    Restoring,
    /// It only shows that a snapshot can be restored.
    Verifying,
    /// It stood in a restored database's place.
    Replaced,
    /// It is a copy of a saved database, for a fast undo.
    Undo,
}

impl Purpose {
    const ALL: [Purpose; 4] = [Purpose::Restoring, Purpose::Verifying, Purpose::Replaced, Purpose::Undo];

    fn word(self) -> &'static str {
        match self {
            Purpose::Restoring => "restoring",
            Purpose::Verifying => "verifying",
            Purpose::Replaced => "replaced",
            Purpose::Undo => "undo",
        }
    }
}

/// Makes a name for a database that belongs to `database`: `shop_replaced_20261121_143022`, with `_2` and so on for a
/// later `attempt`. A long name is cut and told apart by a digest.
pub(crate) fn related(database: &str, purpose: Purpose, now: DateTime<Utc>, attempt: u32) -> String {
    let mut ending = format!("_{}_{}", purpose.word(), now.format("%Y%m%d_%H%M%S"));
    if attempt > 1 {
        ending.push_str(&format!("_{attempt}"));
    }
    with_ending(database, &ending)
}

/// Tells whether [`related`] makes this name, in whatever attempt.
pub(crate) fn is_related(name: &str, database: &str, purpose: Purpose, at: DateTime<Utc>) -> bool {
    let attempt = name.rsplit_once('_').and_then(|(_, attempt)| attempt.parse().ok()).unwrap_or(1);
    [1, attempt].iter().any(|attempt| related(database, purpose, at, *attempt) == name)
}

/// Writes what the names end in that [`related`] makes, as a regular expression of the server.
pub(crate) fn endings() -> String {
    format!("_({})_[0-9]{{8}}_[0-9]{{6}}(_[0-9]+)?$", Purpose::ALL.map(Purpose::word).join("|"))
}

/// Reads the purpose and the time in a name that [`related`] makes for `database`.
pub(crate) fn parts_of(name: &str, database: &str) -> Option<(Purpose, DateTime<Utc>)> {
    Purpose::ALL.into_iter().find_map(|purpose| {
        let separator = format!("_{}_", purpose.word());
        let time = name.get(name.rfind(&separator)? + separator.len()..)?.get(..15)?;
        let at = NaiveDateTime::parse_from_str(time, "%Y%m%d_%H%M%S").ok()?.and_utc();
        is_related(name, database, purpose, at).then_some((purpose, at))
    })
}

/// Makes a database's name with an ending, within what a server keeps.
pub(crate) fn with_ending(database: &str, ending: &str) -> String {
    if database.len() + ending.len() <= LONGEST {
        return format!("{database}{ending}");
    }
    let digest: String = hex(&Sha256::digest(database)[..4]);
    let mut cut = LONGEST - ending.len() - digest.len() - 1;
    while !database.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}_{digest}{ending}", &database[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let cases: [(&str, &[u8], &[u8], &str); 5] = [
            ("public.orders", b"public", b"orders", "public.orders"),
            ("public.\"order\"", b"public", b"order", "public.order"),
            ("\"S\".\"a \"\"b\"\".c\"", b"S", b"a \"b\".c", "\"S\".\"a \"\"b\"\".c\""),
            ("public.\"1\"", b"public", b"1", "public.\"1\""),
            ("public.\"\"\"\"", b"public", b"\"", "public.\"\"\"\""),
        ];
        for (written, schema, name, expected) in cases {
            assert_eq!(qualified(schema, name), expected);
            assert_eq!(canonical(written.as_bytes()), expected, "{written}");
        }
        assert_eq!(qualified(b"public", b"caf\xE9"), "public.\"caf\\xE9\"");
    }

    #[test]
    fn purpose_and_time_are_read_back_of_every_name() {
        let now = DateTime::from_timestamp(1_795_271_422, 0).unwrap();
        let long = "ü".repeat(31);
        for database in ["shop", "shop_replaced_20250101_000000", "r's \"a\" \\ name", &long] {
            for purpose in Purpose::ALL {
                for attempt in [1, 2, 12] {
                    let name = related(database, purpose, now, attempt);
                    assert_eq!(parts_of(&name, database), Some((purpose, now)), "{name}");
                    assert_eq!(parts_of(&name, "other"), None, "{name}");
                }
            }
        }
        for name in ["shop", "shop_replaced_", "shop_replaced_20261399_143022", "shop_replaced_20261121_143022_x"] {
            assert_eq!(parts_of(name, "shop"), None, "{name}");
        }
    }

    #[test]
    fn names_fit_and_do_not_collide() {
        let now = DateTime::from_timestamp(1_795_271_422, 0).unwrap();
        assert_eq!(related("shop", Purpose::Replaced, now, 1), "shop_replaced_20261121_143022");
        assert_eq!(related("shop", Purpose::Replaced, now, 2), "shop_replaced_20261121_143022_2");
        for name in ["shop_replaced_20261121_143022", "shop_replaced_20261121_143022_2"] {
            assert!(is_related(name, "shop", Purpose::Replaced, now), "{name}");
        }
        for name in [
            "shop",
            "shop_replaced_20261121_143023",
            "shop_replaced_20261121_143022_02",
            "x_shop_replaced_20261121_143022",
        ] {
            assert!(!is_related(name, "shop", Purpose::Replaced, now), "{name}");
        }
        let (one, other) = ("ü".repeat(31) + "1", "ü".repeat(31) + "2");
        let (one, other) = (related(&one, Purpose::Replaced, now, 1), related(&other, Purpose::Replaced, now, 1));
        assert!(one.len() <= LONGEST && other.len() <= LONGEST && one != other, "{one} {other}");
    }
}
