//! Small collections that a server keeps in one piece of memory and writes as one string: the entries in it, as text.
//!
//! Source: Redis, `src/listpack.c`, `src/ziplist.c` and `src/intset.c`.

/// The entries of a collection, as text.
pub(super) type Entries = Vec<Vec<u8>>;

/// What is said of one that cannot be read.
const DAMAGED: &str = "a packed collection is damaged";

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn decimal(number: impl Into<i64>) -> Vec<u8> {
    number.into().to_string().into_bytes()
}

/// Reads a number of three bytes.
fn three(bytes: [u8; 3]) -> i64 {
    i64::from(i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) >> 8)
}

/// Lists the entries of a listpack.
pub(super) fn listpack(bytes: &[u8]) -> Result<Entries, String> {
    // Its length and how many entries it has, which is not counted where they are many.
    listpack_from(bytes, 6).ok_or_else(|| DAMAGED.to_owned())
}

fn listpack_from(bytes: &[u8], mut at: usize) -> Option<Entries> {
    let mut entries = Vec::new();
    loop {
        let first = *bytes.get(at)?;
        let text =
            |begin: usize, length: usize| Some((bytes.get(begin..begin + length)?.to_vec(), begin + length - at));
        let (entry, length) = match first {
            0xff => return (at + 1 == bytes.len()).then_some(entries),
            0x00..=0x7f => (decimal(i64::from(first)), 1),
            0x80..=0xbf => text(at + 1, usize::from(first & 0x3f))?,
            0xc0..=0xdf => {
                let value = i64::from(first & 0x1f) << 8 | i64::from(*bytes.get(at + 1)?);
                (decimal(if value < 1 << 12 { value } else { value - (1 << 13) }), 2)
            }
            0xe0..=0xef => {
                let length = usize::from(first & 0x0f) << 8 | usize::from(*bytes.get(at + 1)?);
                text(at + 2, length)?
            }
            0xf0 => text(at + 5, usize::try_from(u32::from_le_bytes(number(bytes, at + 1)?)).ok()?)?,
            0xf1 => (decimal(i16::from_le_bytes(number(bytes, at + 1)?)), 3),
            0xf2 => (decimal(three(number(bytes, at + 1)?)), 4),
            0xf3 => (decimal(i32::from_le_bytes(number(bytes, at + 1)?)), 5),
            0xf4 => (decimal(i64::from_le_bytes(number(bytes, at + 1)?)), 9),
            _ => return None,
        };
        entries.push(entry);
        // Behind each entry stands its length, in seven bits a byte.
        let back = match length {
            0..=127 => 1,
            128..=16_382 => 2,
            16_383..=2_097_150 => 3,
            2_097_151..=268_435_454 => 4,
            _ => 5,
        };
        at += length + back;
    }
}

/// Lists the entries of a ziplist, which servers before 7.0 write in place of listpacks.
pub(super) fn ziplist(bytes: &[u8]) -> Result<Entries, String> {
    // Its length, where its last entry is, and how many there are.
    ziplist_from(bytes, 10).ok_or_else(|| DAMAGED.to_owned())
}

fn ziplist_from(bytes: &[u8], mut at: usize) -> Option<Entries> {
    let mut entries = Vec::new();
    loop {
        // The length of the entry before.
        at += match *bytes.get(at)? {
            0xff => return (at + 1 == bytes.len()).then_some(entries),
            0xfe => 5,
            _ => 1,
        };
        let first = *bytes.get(at)?;
        let text =
            |begin: usize, length: usize| Some((bytes.get(begin..begin + length)?.to_vec(), begin + length - at));
        let (entry, length) = match first {
            0x00..=0x3f => text(at + 1, usize::from(first))?,
            0x40..=0x7f => text(at + 2, usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?))?,
            0x80..=0xbf => text(at + 5, usize::try_from(u32::from_be_bytes(number(bytes, at + 1)?)).ok()?)?,
            0xc0 => (decimal(i16::from_le_bytes(number(bytes, at + 1)?)), 3),
            0xd0 => (decimal(i32::from_le_bytes(number(bytes, at + 1)?)), 5),
            0xe0 => (decimal(i64::from_le_bytes(number(bytes, at + 1)?)), 9),
            0xf0 => (decimal(three(number(bytes, at + 1)?)), 4),
            0xfe => (decimal(i8::from_le_bytes(number(bytes, at + 1)?)), 2),
            0xf1..=0xfd => (decimal(i64::from(first & 0x0f) - 1), 1),
            _ => return None,
        };
        entries.push(entry);
        at += length;
    }
}

/// Lists the members of a set of integers.
pub(super) fn intset(bytes: &[u8]) -> Result<Entries, String> {
    let members = || {
        let width = u32::from_le_bytes(number(bytes, 0)?);
        let members = bytes.get(8..)?;
        let read: fn(&[u8]) -> Option<Vec<u8>> = match width {
            2 => |one| Some(decimal(i16::from_le_bytes(number(one, 0)?))),
            4 => |one| Some(decimal(i32::from_le_bytes(number(one, 0)?))),
            8 => |one| Some(decimal(i64::from_le_bytes(number(one, 0)?))),
            _ => return None,
        };
        members.chunks(usize::try_from(width).ok()?).map(read).collect()
    };
    members().ok_or_else(|| DAMAGED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_not_known_is_damaged() {
        // Two entries, `a` and 5.
        let whole = [11, 0, 0, 0, 2, 0, 0x81, b'a', 2, 5, 1, 0xff];
        assert_eq!(listpack(&whole).unwrap(), [b"a".to_vec(), b"5".to_vec()]);
        for end in 0..whole.len() {
            assert!(listpack(&whole[..end]).is_err(), "{end}");
        }
        assert!(listpack(&[0, 0, 0, 0, 0, 0, 0xf5, 0xff]).is_err());
        let whole = [15, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0, 1, b'a', 3, 0xf6, 0xff];
        assert_eq!(ziplist(&whole).unwrap(), [b"a".to_vec(), b"5".to_vec()]);
        for end in 0..whole.len() {
            assert!(ziplist(&whole[..end]).is_err(), "{end}");
        }
        let whole = [2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0xff, 0xff];
        assert_eq!(intset(&whole).unwrap(), [b"1".to_vec(), b"-1".to_vec()]);
        assert!(intset(&whole[..11]).is_err() && intset(&whole[..7]).is_err() && intset(&[3; 12]).is_err());
    }
}
