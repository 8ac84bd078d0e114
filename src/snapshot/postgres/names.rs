//! Spells the names of tables in one way wherever they come from.

use crate::snapshot::postgres::psql::identifier;
use crate::snapshot::postgres::words::words;

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
}
