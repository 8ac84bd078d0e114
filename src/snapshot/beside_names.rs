//! Names for the databases that restores and rehearsals make on a server beside the one that they are of.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::hex;

/// The longest name that every server keeps, in bytes: PostgreSQL cuts a longer one without a word, so that two could become
/// one; MySQL refuses more than 64 characters.
const LONGEST: usize = 63;

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

/// Gives the time, and which attempt it was, in a name that [`related`] makes for `database`, as they stand in it: what all
/// that one restore makes has in common.
pub(crate) fn moment_of<'n>(name: &'n str, database: &str) -> Option<&'n str> {
    let (purpose, _) = parts_of(name, database)?;
    name.rsplit_once(&format!("_{}_", purpose.word())).map(|(_, moment)| moment)
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
    fn purpose_and_time_are_read_back_of_every_name() {
        let now = DateTime::from_timestamp(1_795_271_422, 0).unwrap();
        let long = "ü".repeat(31);
        for database in ["shop", "shop_replaced_20250101_000000", "r's \"a\" \\ name", &long] {
            for purpose in Purpose::ALL {
                for attempt in [1, 2, 12] {
                    let name = related(database, purpose, now, attempt);
                    assert_eq!(parts_of(&name, database), Some((purpose, now)), "{name}");
                    assert_eq!(parts_of(&name, "other"), None, "{name}");
                    let moment =
                        if attempt > 1 { format!("20261121_143022_{attempt}") } else { "20261121_143022".to_owned() };
                    assert_eq!(moment_of(&name, database), Some(moment.as_str()), "{name}");
                }
            }
        }
        for name in ["shop", "shop_replaced_", "shop_replaced_20261399_143022", "shop_replaced_20261121_143022_x"] {
            assert_eq!((parts_of(name, "shop"), moment_of(name, "shop")), (None, None), "{name}");
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
