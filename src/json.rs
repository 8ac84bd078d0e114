//! JSON as it leaves us: what is told to programs, and what is written down.
#![forbid(unsafe_code)]

use std::fmt::{self, Write};

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::text::shows;

/// JSON text in which every character that a terminal would obey or not show is escaped: `\u202e`.
///
/// Nothing is dropped: who parses it has the true values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json(String);

impl Json {
    /// Writes a value on one line.
    ///
    /// # Errors
    ///
    /// Only where a value cannot be JSON; those of this program always can.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Json(escaped(&serde_json::to_string(value)?)))
    }

    /// Writes a value on indented lines.
    ///
    /// # Errors
    ///
    /// As [`Json::of`].
    pub(crate) fn pretty(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Json(escaped(&serde_json::to_string_pretty(value)?)))
    }

    /// Takes a line that says of itself to be JSON, as it is written but for the escapes; `None` where it is not.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        // No string of JSON holds a control character of ASCII: these are the blanks between its parts.
        Some(Json(escaped(&text.replace(|c: char| c.is_ascii_control() && c != '\x7f', " "))))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Escapes what stands in the strings. The rest of JSON is of ASCII, whose control characters serde has escaped in
/// strings; between them stand line ends.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if shows(c) || c == '\n' {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::HOSTILE;

    #[test]
    fn hostile_text_is_escaped_and_parses_to_its_true_value() {
        for written in [Json::of(&[HOSTILE]), Json::pretty(&[HOSTILE])] {
            let written = written.unwrap().to_string();
            assert_eq!(serde_json::from_str::<[String; 1]>(&written).unwrap(), [HOSTILE]);
            assert!(written.chars().all(|c| shows(c) || c == '\n'), "{written:?}");
        }
        let bits = "a\u{7f}\u{9b}\u{202e}\u{feff}\u{e0041}";
        assert_eq!(Json::of(&bits).unwrap().to_string(), r#""a\u007f\u009b\u202e\ufeff\udb40\udc41""#);
        assert_eq!(Json::of(&"größer\tя").unwrap().to_string(), r#""größer\tя""#);
    }

    #[test]
    fn a_line_is_taken_as_it_is_written_where_it_is_json() {
        for (line, taken) in [
            (&br#"{ "a" : 1.50, "b" : "x" }"#[..], Some(r#"{ "a" : 1.50, "b" : "x" }"#)),
            (b"{\"a\":\r\t1}\r", Some("{\"a\":  1} ")),
            ("\"\u{202e}\x7f\"".as_bytes(), Some(r#""\u202e\u007f""#)),
            (b"\"\x1b\"", None),
            (b"\"\xff\"", None),
            (b"{\"a\":1", None),
            (b"", None),
        ] {
            assert_eq!(Json::read(line).map(|json| json.to_string()).as_deref(), taken, "{line:?}");
        }
    }
}
