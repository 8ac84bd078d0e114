//! Where brackets end.

/// Where the bracket opened before `from` closes, quotes and nested brackets minded; the end where it never does.
pub(super) fn closing(text: &[u8], from: usize, open: u8, close: u8) -> usize {
    let (mut at, mut depth, mut quote) = (from, 1u32, None);
    while let Some(&byte) = text.get(at) {
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (_, Some(open_quote)) if byte == open_quote => quote = None,
            (_, Some(_)) => {}
            (b'\'' | b'"', None) => quote = Some(byte),
            _ if byte == open => depth += 1,
            _ if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}
