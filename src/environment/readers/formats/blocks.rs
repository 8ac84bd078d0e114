//! Files of nested blocks: HOCON (Ktor, Play, Akka), HCL (Atlas) and settings in Groovy (Grails). `name "label" {` opens a
//! block, `key = value` and `key: value` stand in it.
//!
//! Lenient, as several languages are read at once: includes, heredocs and concatenation stay as written.

use crate::environment::readers::formats::{Capped, Collector, Flat, Stop, finish, within_size};
use crate::text::line_number;

/// Reads the settings of a file of nested blocks, in the order of the text; a label of a block is a key of its own.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, |text| read(text, false))
}

/// Reads settings in Groovy: texts may stand in single quotes, and values stay as they are written.
pub(crate) fn flatten_groovy(text: &str) -> Flat {
    within_size(text, |text| read(text, true))
}

fn read(text: &str, is_groovy: bool) -> Flat {
    let mut reader = Reader { open: Vec::new(), collector: Collector::new(), is_groovy };
    let stop = text.lines().enumerate().find_map(|(index, line)| {
        let number = line_number(index);
        reader.line(line, number).err().map(|capped| Stop::too_much(number, capped))
    });
    finish(text, reader.collector.entries, stop)
}

struct Reader {
    /// How many keys each open block adds to the path.
    open: Vec<usize>,
    collector: Collector,
    is_groovy: bool,
}

impl Reader {
    fn line(&mut self, line: &str, number: u32) -> Result<(), Capped> {
        let bytes = line.as_bytes();
        let (mut from, mut at) = (0, 0);
        let mut quoted: Option<u8> = None;
        // `${X}` belongs to a value.
        let mut inside_reference = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' if quoted.is_some() => at += 1,
                _ if quoted == Some(byte) => quoted = None,
                _ if quoted.is_some() => {}
                b'"' => quoted = Some(byte),
                b'\'' if self.is_groovy => quoted = Some(byte),
                b'#' => break,
                b'/' if bytes.get(at + 1) == Some(&b'/') => break,
                b'{' if at > 0 && bytes[at - 1] == b'$' => inside_reference = true,
                b'}' if inside_reference => inside_reference = false,
                b'{' => {
                    self.open_block(&line[from..at])?;
                    from = at + 1;
                }
                b'}' => {
                    self.pair(&line[from..at], number)?;
                    (0..self.open.pop().unwrap_or(0)).for_each(|_| self.collector.leave());
                    from = at + 1;
                }
                b',' => {
                    self.pair(&line[from..at], number)?;
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        self.pair(&line[from..at.min(line.len())], number)
    }

    fn open_block(&mut self, head: &str) -> Result<(), Capped> {
        let words = head.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '['));
        let keys = words.map(|word| word.trim_matches('"')).filter(|word| !word.is_empty()).take(4);
        let mut count = 0;
        for key in keys {
            self.collector.enter(key)?;
            count += 1;
        }
        self.open.push(count);
        Ok(())
    }

    fn pair(&mut self, text: &str, line: u32) -> Result<(), Capped> {
        let Some((key, value)) = text.split_once(['=', ':']) else { return Ok(()) };
        let (key, value) = (key.trim().trim_matches('"'), value.trim());
        if key.is_empty() || key.contains(char::is_whitespace) || value.is_empty() {
            return Ok(());
        }
        let whole = value.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
        let whole = whole.filter(|inside| !inside.contains('"') && !self.is_groovy);
        self.collector.step()?;
        self.collector.enter(key)?;
        self.collector.push(whole.unwrap_or(value), line)?;
        self.collector.leave();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::readers::formats::testing::{hostile, shown, survive};

    #[test]
    fn blocks_labels_and_pairs_are_read_with_their_lines() {
        let table: &[(&str, &[&str])] = &[
            (
                "ktor { deployment { port = 8080 } }\ndb {\n  url = \"jdbc:x://h/d\" // c\n  url = ${?DB_URL}\n}",
                &["1 ktor.deployment.port=8080", "3 db.url=jdbc:x://h/d", "4 db.url=${?DB_URL}"],
            ),
            (
                "env \"local\" {\n  url = \"postgres://h/d?x=y\" # c\n  dev = getenv(\"X\")\n}\na.b: c",
                &["2 env.local.url=postgres://h/d?x=y", "3 env.local.dev=getenv(\"X\")", "5 a.b=c"],
            ),
            ("}} a = { b: 1, \"c\" : \"d\" }", &["1 a.b=1", "1 a.c=d"]),
        ];
        for (text, expected) in table {
            let entries = flatten(text).read();
            assert_eq!(shown(&entries), *expected, "{text}");
        }
    }

    #[test]
    fn groovy_has_texts_in_single_quotes() {
        let text =
            "dataSource {\n  url = 'jdbc:x://h/d' // c\n}\nenvironments { test { dataSource.url = \"jdbc:y\" } }";
        let entries = flatten_groovy(text).read();
        let expected = ["2 dataSource.url='jdbc:x://h/d'", "4 environments.test.dataSource.url=\"jdbc:y\""];
        assert_eq!(shown(&entries), expected);
    }

    #[test]
    fn hostile_texts_are_survived() {
        let mut texts =
            hostile(300_000, &["{", "a {\n", "\"", "}", "a=", "a=1\n", "${", "é{", ",", "a{b=1,", "a \"b\" {c=1}\n"]);
        texts.push(format!("{} {{\n{}", "a".repeat(300_000), "b=1\n".repeat(100_000)));
        survive(texts, flatten);
    }

    #[test]
    fn nesting_beyond_the_depth_is_an_error_with_what_came_before() {
        let (line, entries) = flatten(&format!("a=1\n{}b=2", "c {\n".repeat(300))).cut();
        assert_eq!((line, shown(&entries)), (258, vec!["1 a=1".to_owned()]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-c{}=:,$#/\"\\\\\t\r\n é]{0,60}") {
            survive(vec![text], flatten);
        }
    }
}
