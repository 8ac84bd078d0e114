//! Heredocs: where the body ends that a line has announced.

/// A heredoc that was announced, `<<EOF`.
pub(crate) struct Heredoc {
    pub(crate) delimiter: Vec<u8>,
    /// `<<-`: tabs before its lines are dropped.
    pub(crate) strips_tabs: bool,
    /// `<<'EOF'`: nothing in its lines is filled in or run.
    pub(crate) is_quoted: bool,
}

/// Where the body of a heredoc is.
pub(crate) struct Body {
    pub(crate) end: usize,
    /// Where the text goes on, behind the delimiter.
    pub(crate) next: usize,
    pub(crate) lines: u32,
}

impl Heredoc {
    /// Finds the body that starts at `start`; without its delimiter it goes on to the end of the text.
    pub(crate) fn body(&self, text: &[u8], start: usize) -> Body {
        let mut body = Body { end: text.len(), next: start, lines: 0 };
        while body.next < text.len() {
            let rest = &text[body.next..];
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
            let line_start = body.next;
            body.next = (body.next + length + 1).min(text.len());
            body.lines += 1;
            if (if self.strips_tabs { line.trim_ascii_start() } else { line }) == self.delimiter {
                body.end = line_start;
                break;
            }
        }
        body
    }
}
