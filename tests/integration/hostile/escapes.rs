//! What may be printed.

/// Names the first thing in an output that a terminal would obey or not show, or that is no text; line ends are ours.
pub(crate) fn drives_a_terminal(output: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(output) {
        Ok(text) => text,
        Err(error) => return Some(format!("the byte {:#x}", output[error.valid_up_to()])),
    };
    // Rust's own `Debug` escapes control, format, private and unassigned characters, blanks but the space, and quotes;
    // behind a letter none that combines with it.
    let escapes = |c: char| format!("a{c}").escape_debug().count() > 2 && !"\n\"'\\".contains(c);
    text.chars().find(|&c| escapes(c)).map(|c| format!("{c:?}"))
}

#[test]
fn what_drives_a_terminal_is_seen() {
    for (output, is_fine) in [
        (&b"safe-test: a `b` \"c\" \\n\n"[..], true),
        ("größer हिन्दी 日本 🦀\n".as_bytes(), true),
        (b"a\x1b[2J", false),
        (b"a\rb", false),
        (b"\x7f", false),
        ("\u{9b}31m".as_bytes(), false),
        ("\u{202e}".as_bytes(), false),
        (b"\xff", false),
    ] {
        assert_eq!(drives_a_terminal(output).is_none(), is_fine, "{output:?}");
    }
}
