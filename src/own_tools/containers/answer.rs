//! Reads what an engine of containers answers by HTTP.

use std::io;

use crate::text::printable;

/// What stands before the body of an answer.
pub(super) struct Head<'a> {
    pub(super) status: &'a str,
    lines: std::str::Split<'a, &'a str>,
    /// Where the body begins.
    pub(super) end: usize,
}

impl<'a> Head<'a> {
    /// Reads it; `None` where it is not there yet, or none.
    pub(super) fn of(answer: &'a [u8]) -> Option<Head<'a>> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let mut lines = std::str::from_utf8(&answer[..end]).ok()?.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
        Some(Head { status, lines, end: end + 4 })
    }

    fn field(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.lines.clone().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Tells whether all of the body is known to be there.
    pub(super) fn is_whole(&self, answer: &[u8]) -> bool {
        let length = self.field("Content-Length").and_then(|length| length.parse::<usize>().ok());
        length.is_some_and(|length| answer.len() - self.end >= length)
    }

    /// Finds the body; `None` where it is not whole.
    fn body(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let rest = &answer[self.end..];
        if self.field("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return unchunked(rest);
        }
        match self.field("Content-Length").map(str::parse) {
            None => Some(rest.to_vec()),
            Some(Ok(length)) => rest.get(..length).map(<[u8]>::to_vec),
            Some(Err(_)) => None,
        }
    }
}

/// Finds the body of an answer that says that all is well.
pub(super) fn body(answer: &[u8]) -> io::Result<Vec<u8>> {
    let head = Head::of(answer).ok_or_else(unreadable)?;
    if !matches!(head.status, "200" | "201") {
        return Err(refused(&head, answer));
    }
    head.body(answer).ok_or_else(unreadable)
}

pub(super) fn unreadable() -> io::Error {
    io::Error::other("it does not answer as an engine of containers does")
}

/// Says that the engine does not do what it was asked for, and in its own words why, if there are any.
pub(super) fn refused(head: &Head<'_>, answer: &[u8]) -> io::Error {
    let said = head.body(answer).and_then(|body| serde_json::from_slice::<serde_json::Value>(&body).ok());
    let why = said.as_ref().and_then(|said| said["message"].as_str()).map(str::trim).filter(|why| !why.is_empty());
    let why = why.map(|why| format!(": {}", printable(why))).unwrap_or_default();
    io::Error::other(format!("it answers with status {}{why}", printable(head.status)))
}

/// Joins chunks, each behind its length (RFC 9112, 7.1); `None` where the last is missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        rest = rest.get(end + 2..)?;
        whole.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &str) -> Result<String, String> {
        body(answer.as_bytes()).map(|body| String::from_utf8(body).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn answers_are_read_to_their_end_and_no_further() {
        let cases = [
            ("HTTP/1.0 200 OK\r\nA: b\r\n\r\n[1]", "[1]"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]more", "[1]"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1;x=y\r\n]\r\n0\r\n\r\n", "[1]"),
        ];
        for (answer, expected) in cases {
            assert_eq!(text(answer).as_deref(), Ok(expected), "{answer}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let cut_off = [
            "",
            "HTTP/1.1 200 OK\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[1]",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n[1]\r\n",
        ];
        for answer in cut_off {
            assert_eq!(text(answer).unwrap_err(), "it does not answer as an engine of containers does", "{answer}");
        }
        assert_eq!(text("HTTP/1.1 403 Forbidden\r\n\r\n").unwrap_err(), "it answers with status 403");
    }
}
