//! Reads and writes BSON, as far as the protocol and the headers of archives need it.
//!
//! Source: bsonspec.org, version 1.1.

/// The most bytes of a document: a server's own limit, and what it adds to it.
///
/// Source: `BSONObjMaxInternalSize` of the server; `MaxBSONSize` of the tools.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024 + 16 * 1024;

/// A document whose length and end are right; its elements are looked at as they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<'a>(&'a [u8]);

/// A value, as far as anybody here asks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Number(f64),
    Integer(i64),
    Text(&'a str),
    Document(Document<'a>),
    Array(Document<'a>),
    /// Bytes, also those of an object's number.
    Bytes(&'a [u8]),
    Bool(bool),
    /// Anything else.
    Other,
}

impl<'a> Document<'a> {
    /// Takes the bytes of a whole document; `None` where their length or end is not that of one.
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Document<'a>> {
        let length = usize::try_from(i32::from_le_bytes(*bytes.first_chunk()?)).ok()?;
        (length == bytes.len() && length > 4 && bytes.last() == Some(&0)).then_some(Document(bytes))
    }

    /// Goes through the elements in their order; one that cannot be read ends them.
    pub(crate) fn elements(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut rest = &self.0[4..];
        std::iter::from_fn(move || {
            let (element, after) = element(rest)?;
            rest = after;
            Some(element)
        })
    }

    pub(crate) fn get(self, name: &str) -> Option<Value<'a>> {
        self.elements().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Gives a whole number, however it is written.
    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Integer(number) => Some(number),
            Value::Number(number) if number.fract() == 0.0 => Some(number as i64),
            _ => None,
        }
    }

    /// Tells whether it is there and says yes, by a bool or a number.
    pub(crate) fn is_true(self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Bool(says)) => says,
            Some(Value::Integer(number)) => number != 0,
            Some(Value::Number(number)) => number != 0.0,
            _ => false,
        }
    }

    pub(crate) fn document(self, name: &str) -> Option<Document<'a>> {
        match self.get(name)? {
            Value::Document(document) => Some(document),
            _ => None,
        }
    }

    pub(crate) fn array(self, name: &str) -> Option<Document<'a>> {
        match self.get(name)? {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub(crate) fn bytes(self, name: &str) -> Option<&'a [u8]> {
        match self.get(name)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Reads the first element: its name, its value, and what follows.
fn element(bytes: &[u8]) -> Option<((&str, Value<'_>), &[u8])> {
    let (&kind, rest) = bytes.split_first().filter(|(kind, _)| **kind != 0)?;
    let (name, rest) = until_nul(rest)?;
    let name = std::str::from_utf8(name).ok()?;
    let fixed = |length: usize| rest.split_at_checked(length);
    let number = |length: usize| Some((i64::from_le_bytes(*rest.first_chunk()?), fixed(length)?.1));
    let with_length = || {
        let length = usize::try_from(i32::from_le_bytes(*rest.first_chunk()?)).ok()?;
        Some((length, &rest[4..]))
    };
    let (value, rest) = match kind {
        0x01 => (Value::Number(f64::from_le_bytes(*rest.first_chunk()?)), fixed(8)?.1),
        0x02 | 0x0d | 0x0e => {
            let (length, rest) = with_length()?;
            let (text, after) = rest.split_at_checked(length)?;
            let (end, text) = text.split_last()?;
            (if *end == 0 { Value::Text(std::str::from_utf8(text).ok()?) } else { return None }, after)
        }
        0x03 | 0x04 => {
            let (own, after) = fixed(with_length()?.0)?;
            let document = Document::of(own)?;
            (if kind == 0x03 { Value::Document(document) } else { Value::Array(document) }, after)
        }
        0x05 => {
            let (length, rest) = with_length()?;
            let (own, after) = rest.split_at_checked(length.checked_add(1)?)?;
            (Value::Bytes(&own[1..]), after)
        }
        0x07 => fixed(12).map(|(own, after)| (Value::Bytes(own), after))?,
        0x08 => (Value::Bool(*rest.first()? != 0), fixed(1)?.1),
        0x10 => (Value::Integer(i32::from_le_bytes(*rest.first_chunk()?).into()), fixed(4)?.1),
        0x12 => number(8).map(|(number, after)| (Value::Integer(number), after))?,
        0x09 | 0x11 => (Value::Other, fixed(8)?.1),
        0x13 => (Value::Other, fixed(16)?.1),
        0x06 | 0x0a | 0x7f | 0xff => (Value::Other, rest),
        0x0b => (Value::Other, until_nul(until_nul(rest)?.1)?.1),
        0x0c => {
            let (length, rest) = with_length()?;
            (Value::Other, rest.split_at_checked(length.checked_add(12)?)?.1)
        }
        0x0f => (Value::Other, fixed(with_length()?.0)?.1),
        _ => return None,
    };
    Some(((name, value), rest))
}

fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// A document that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Writing(Vec<u8>);

impl Writing {
    pub(crate) fn new() -> Writing {
        Writing(vec![0; 4])
    }

    fn element(mut self, kind: u8, name: &str, value: &[&[u8]]) -> Writing {
        self.0.push(kind);
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        value.iter().for_each(|part| self.0.extend_from_slice(part));
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Writing {
        self.element(0x02, name, &[&length(text.len() + 1), text.as_bytes(), &[0]])
    }

    pub(crate) fn integer(self, name: &str, number: i32) -> Writing {
        self.element(0x10, name, &[&number.to_le_bytes()])
    }

    pub(crate) fn long(self, name: &str, number: i64) -> Writing {
        self.element(0x12, name, &[&number.to_le_bytes()])
    }

    pub(crate) fn bool(self, name: &str, value: bool) -> Writing {
        self.element(0x08, name, &[&[value.into()]])
    }

    pub(crate) fn bytes(self, name: &str, bytes: &[u8]) -> Writing {
        self.element(0x05, name, &[&length(bytes.len()), &[0], bytes])
    }

    pub(crate) fn document(self, name: &str, document: Writing) -> Writing {
        self.element(0x03, name, &[&document.done()])
    }

    pub(crate) fn array(self, name: &str, elements: impl IntoIterator<Item = Writing>) -> Writing {
        let numbered = elements.into_iter().enumerate();
        let array = numbered.fold(Writing::new(), |array, (at, one)| array.document(&at.to_string(), one));
        self.element(0x04, name, &[&array.done()])
    }

    /// Gives the bytes of the whole document.
    pub(crate) fn done(mut self) -> Vec<u8> {
        self.0.push(0);
        let length = length(self.0.len());
        self.0[..4].copy_from_slice(&length);
        self.0
    }
}

/// Writes a length; none that is written here comes near what the form can say.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Writing::new().long("far", i64::MIN);
        let bytes = Writing::new()
            .text("name", "shöp")
            .integer("number", -5)
            .bool("yes", true)
            .bytes("raw", &[0, 1, 2])
            .document("inner", inner.clone())
            .array("many", [inner, Writing::new()])
            .done();
        let document = Document::of(&bytes).unwrap();
        assert_eq!(document.text("name"), Some("shöp"));
        assert_eq!(document.integer("number"), Some(-5));
        assert!(document.is_true("yes") && !document.is_true("no") && !document.is_true("name"));
        assert_eq!(document.bytes("raw"), Some(&[0, 1, 2][..]));
        assert_eq!(document.document("inner").and_then(|inner| inner.integer("far")), Some(i64::MIN));
        assert_eq!(document.array("many").unwrap().elements().count(), 2);
        assert_eq!((document.text("number"), document.integer("name"), document.bytes("none")), (None, None, None));
    }

    /// A document of the specification's examples, and one with each kind that nobody asks for before what is asked for.
    #[test]
    fn kinds_that_nobody_asks_for_are_passed_over() {
        let hello = b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0";
        assert_eq!(Document::of(hello).and_then(|document| document.text("hello")), Some("world"));
        let mut bytes = vec![0; 4];
        for (kind, value) in [
            (0x06, &b""[..]),
            (0x07, b"123456789012"),
            (0x09, b"12345678"),
            (0x0a, b""),
            (0x0b, b"^a\0i\0"),
            (0x0c, b"\x02\0\0\0a\x00123456789012"),
            (0x0d, b"\x02\0\0\0a\0"),
            (0x0f, b"\x0f\0\0\0\x02\0\0\0a\0\x05\0\0\0\0"),
            (0x11, b"12345678"),
            (0x13, b"1234567890123456"),
            (0x7f, b""),
            (0xff, b""),
            (0x01, &1.5_f64.to_le_bytes()),
        ] {
            bytes.push(kind);
            bytes.extend_from_slice(b"n\0");
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(b"\x08last\0\x01\0");
        let length = u8::try_from(bytes.len()).unwrap();
        bytes[0] = length;
        let document = Document::of(&bytes).unwrap();
        assert_eq!(document.elements().count(), 14);
        assert!(document.is_true("last"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..0x14) {
            let mut whole = vec![0; 4];
            whole.push(kind);
            whole.extend_from_slice(b"a\0");
            whole.extend(&bytes);
            whole.push(0);
            let length = i32::try_from(whole.len()).unwrap().to_le_bytes();
            whole[..4].copy_from_slice(&length);
            for bytes in [&whole, &bytes] {
                if let Some(document) = Document::of(bytes) {
                    document.elements().for_each(drop);
                }
            }
        }
    }
}
