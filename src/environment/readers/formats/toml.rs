//! TOML, with the lines of its keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::environment::readers::formats::{Capped, Collector, Flat, FlatEntry, Stop, finish, within_size};
use crate::text::LineIndex;

/// Reads the scalars of a TOML text, in the order of the text.
///
/// Of a broken text, what stands on the lines before the mistake is kept.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, read)
}

fn read(text: &str) -> Flat {
    let lines = LineIndex::new(text);
    match DeTable::parse(text) {
        Ok(table) => {
            let (entries, stop) = entries(table.get_ref(), &lines);
            finish(text, entries, stop)
        }
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = lines.line(offset);
            let sound =
                text.as_bytes()[..offset].iter().rposition(|&byte| byte == b'\n').map_or("", |end| &text[..end]);
            let before = DeTable::parse(sound).map(|table| entries(table.get_ref(), &lines).0).unwrap_or_default();
            finish(text, before, Some(Stop::form(line, error.message().to_lowercase())))
        }
    }
}

/// Lists the entries of a table by where they stand: the table itself is sorted by key.
fn entries(table: &DeTable<'_>, lines: &LineIndex) -> (Vec<FlatEntry>, Option<Stop>) {
    let mut reader = Reader { lines, collector: Collector::new(), offsets: Vec::new() };
    let stop = reader.table(table).err().map(|capped| Stop::too_much(1, capped));
    let mut placed: Vec<_> = reader.offsets.into_iter().zip(reader.collector.entries).collect();
    placed.sort_by_key(|(offset, _)| *offset);
    (placed.into_iter().map(|(_, entry)| entry).collect(), stop)
}

struct Reader<'a> {
    lines: &'a LineIndex,
    collector: Collector,
    /// Where each collected entry's value begins.
    offsets: Vec<usize>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Result<(), Capped> {
        for (key, value) in table {
            self.child(key.get_ref(), &key.span(), value)?;
        }
        Ok(())
    }

    fn child(&mut self, segment: &str, key: &Range<usize>, value: &Spanned<DeValue<'_>>) -> Result<(), Capped> {
        self.collector.enter(segment)?;
        self.collector.step()?;
        let place = value.span();
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => self.table(table)?,
            DeValue::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.child(&index.to_string(), &item.span(), item)?;
                }
            }
            scalar => {
                self.offsets.push(place.start);
                self.collector.push(&text_of(scalar), self.lines.line(key.start))?;
            }
        }
        self.collector.leave();
        Ok(())
    }
}

fn text_of<'v>(value: &'v DeValue<'_>) -> DeString<'v> {
    match value {
        DeValue::String(text) => DeString::Borrowed(text),
        DeValue::Integer(number) => DeString::Owned(number.to_string()),
        DeValue::Float(number) => DeString::Owned(number.to_string()),
        DeValue::Boolean(true) => DeString::Borrowed("true"),
        DeValue::Boolean(false) => DeString::Borrowed("false"),
        DeValue::Datetime(moment) => DeString::Owned(moment.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => DeString::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use crate::environment::readers::formats::toml::flatten;
    use proptest::prelude::*;

    #[test]
    fn scalars_have_their_path_and_the_line_of_their_key() {
        let cases: [(&str, &[&str]); 7] = [
            ("b = 1\na = 'x' # said\n", &["1 b=1", "2 a=x"]),
            (
                "[env]\nDATABASE_URL = \"postgres://h/d\"\n[env.x]\ny.z = true\n",
                &["2 env.DATABASE_URL=postgres://h/d", "4 env.x.y.z=true"],
            ),
            ("a = [\n  1,\n  2.5,\n]\nb = { c = 1, d = [] }\n", &["2 a.0=1", "3 a.1=2.5", "5 b.c=1", "5 b.d="]),
            ("[[p]]\nname = 'x'\n[[p]]\nname = 'y'\n", &["2 p.0.name=x", "4 p.1.name=y"]),
            ("a = \"\"\"\nx\ny\"\"\"\nb = 0x1F\n", &["1 a=x\ny", "4 b=0x1F"]),
            ("\u{feff}a = 1979-05-27\r\nb = 2\r\n", &["1 a=1979-05-27", "2 b=2"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
        }
    }

    #[test]
    fn mistake_is_named_and_keeps_the_lines_before_it() {
        let (line, entries) = flatten("[a]\nb = 1\nc = oops\nd = 2\n").cut();
        assert_eq!((line, shown(&entries)), (3, vec!["2 a.b=1".to_owned()]));
    }

    #[test]
    fn hostile_texts_are_survived() {
        let pieces = ["[", "a.", "a=[", "a={", "[[a]]\n", "[a.a]\n", "\"", "'''", "a=1\n", "{", "=", "\n", "x = {a="];
        let mut texts = hostile(200_000, &pieces);
        texts.push(format!("a={}1{}", "[".repeat(50_000), "]".repeat(50_000)));
        texts.push((0..20_000).map(|n| format!("[t{n}.a.b]\nk=1\n")).collect());
        survive(texts, flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-c.=\\[\\]{},\"'#0-9:T\\\\\t\r\n é-]{0,60}") {
            survive(vec![text], flatten);
        }
    }
}
