//! INI as `.my.cnf`, `pg_service.conf`, `alembic.ini`, `pytest.ini` and their like use it.
//!
//! A line that is indented deeper than the key above it continues that key (Python's configparser): it becomes an
//! item of its own, because such lists (`env =`, `setenv =`) hold one setting a line.

use crate::environment::readers::formats::{Capped, Collector, FlatEntry, FormatError, checked, finish};
use crate::text::line_number;

/// The settings of a text: the path is the section and the key, or the key alone above the first section.
///
/// # Errors
///
/// [`FormatError`] where the text is larger than is read; any other line is taken as well as can be.
pub(crate) fn flatten(text: &str) -> Result<Vec<FlatEntry>, FormatError> {
    let text = checked(text)?;
    let mut reader = Reader { collector: Collector::new(), section: None, key: None };
    let mut error = None;
    for (index, line) in text.lines().enumerate() {
        if let Err(Capped(message)) = reader.line(line, line_number(index)) {
            error = Some(FormatError::new(line_number(index), message));
            break;
        }
    }
    finish(text, reader.collector.entries, error)
}

struct Reader {
    collector: Collector,
    section: Option<String>,
    /// The key that an indented line would continue, its indentation, and how many lines have continued it.
    key: Option<(String, usize, usize)>,
}

impl Reader {
    fn line(&mut self, line: &str, number: u32) -> Result<(), Capped> {
        let trimmed = line.trim();
        let indentation = line.len() - line.trim_start().len();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return Ok(());
        }
        if let Some((key, depth, items)) = &mut self.key
            && indentation > *depth
        {
            let (key, item) = (key.clone(), items.to_string());
            *items += 1;
            return self.note(&[&key, &item], without_comment(trimmed), number);
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            self.section = Some(section.0.trim().to_owned());
            self.key = None;
            return Ok(());
        }
        let end = trimmed.find(['=', ':']).unwrap_or(trimmed.len());
        let bare = trimmed[..end].trim_end();
        let key = without_comment(bare);
        self.key = Some((key.to_owned(), indentation, 0));
        // A separator inside a comment separates nothing.
        let value = if key == bare { trimmed.get(end + 1..).unwrap_or("").trim_start() } else { "" };
        self.note(&[key], unquoted(value), number)
    }

    fn note(&mut self, keys: &[&str], value: &str, number: u32) -> Result<(), Capped> {
        self.collector.step()?;
        let section = self.section.take();
        for segment in section.as_deref().iter().chain(keys) {
            self.collector.enter(segment)?;
        }
        self.collector.push(value, number)?;
        self.collector.path.clear();
        self.section = section;
        Ok(())
    }
}

/// The value inside its quotes, or up to a comment.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, behind)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            let behind = behind.trim_start();
            if behind.is_empty() || behind.starts_with(['#', ';']) {
                return inside;
            }
        }
    }
    without_comment(value)
}

/// The text up to a `#` or `;` that follows a blank.
fn without_comment(text: &str) -> &str {
    let comment = text.match_indices(['#', ';']).find(|(at, _)| text[..*at].ends_with([' ', '\t']));
    comment.map_or(text, |(at, _)| text[..at].trim_end())
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::ini::flatten;
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use proptest::prelude::*;

    #[test]
    fn settings_have_their_section_key_and_line() {
        let cases: [(&str, &[&str]); 8] = [
            ("[qwc]\nhost=db\nport = 5432\n", &["2 qwc.host=db", "3 qwc.port=5432"]),
            ("top = 1\n; said\n# too\n[client]\nskip-networking\n", &["1 top=1", "5 client.skip-networking="]),
            (
                "a = 'x # y' ; said\nb = \"p\"q\"\nc = p#q # said\nd='o",
                &["1 a=x # y", "2 b=\"p\"q\"", "3 c=p#q", "4 d='o"],
            ),
            (
                "[alembic]\nsqlalchemy.url = postgresql://u:p@h:5/d\n",
                &["2 alembic.sqlalchemy.url=postgresql://u:p@h:5/d"],
            ),
            (
                "[pytest]\nenv =\n    DB=x\n    D:HOST = y\nnext: 1\n",
                &["2 pytest.env=", "3 pytest.env.0=DB=x", "4 pytest.env.1=D:HOST = y", "5 pytest.next=1"],
            ),
            ("[a]\n  host = x\n  port = 1\n[b]\nhost = y\n", &["2 a.host=x", "3 a.port=1", "5 b.host=y"]),
            ("\u{feff}[ a ] # said\r\nk = v\r\n", &["2 a.k=v"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).unwrap()), expected, "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_are_survived() {
        survive(hostile(300_000, &["[", "a=1\n", "a\n ", "=", "\n", "'", "[a]\n", "#", "a ;"]), flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-c\\[\\]=:#;\"'\t\r\n é]{0,60}") {
            survive(vec![text], flatten);
        }
    }
}
