//! What bytes say as text: UTF-8, or UTF-16 by its mark or its zeros.

use std::borrow::Cow;

/// Decodes the text of a file, without its byte order mark; bytes that fit no encoding are replaced.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match utf_16(bytes) {
        Some(text) => Cow::Owned(text),
        None => String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)),
    }
}

/// Decodes bytes that are UTF-16, which a mark says, or zeros in every other of the first four.
pub(crate) fn utf_16(bytes: &[u8]) -> Option<String> {
    let (body, is_little) = match bytes {
        [0xFF, 0xFE, body @ ..] => (body, true),
        [0xFE, 0xFF, body @ ..] => (body, false),
        [one, 0, other, 0, ..] if *one > 0 && *other > 0 => (bytes, true),
        [0, one, 0, other, ..] if *one > 0 && *other > 0 => (bytes, false),
        _ => return None,
    };
    let unit = if is_little { u16::from_le_bytes } else { u16::from_be_bytes };
    let units = body.chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)]));
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_told_by_its_bytes() {
        let little: Vec<u8> = "A=ä\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "A=ä\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], body: &[u8]| [mark, body].concat();
        for bytes in [
            little.clone(),
            big.clone(),
            marked(&[0xFF, 0xFE], &little),
            marked(&[0xFE, 0xFF], &big),
            marked(&[0xEF, 0xBB, 0xBF], "A=ä\n".as_bytes()),
        ] {
            assert_eq!(decoded(&bytes), "A=ä\n", "{bytes:x?}");
        }
        assert_eq!(decoded(b"A=\xE4\n"), "A=\u{FFFD}\n");
        for plain in [&b""[..], b"A", b"A=b\n", b"A\0", b"\0\0\0\0"] {
            assert_eq!(utf_16(plain), None, "{plain:?}");
        }
        assert_eq!(utf_16(&[0xFF, 0xFE, b'A', 0, b'B']).as_deref(), Some("AB"));
    }
}
