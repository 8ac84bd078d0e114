//! JSON as people write it: with comments, trailing commas and the like.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::environment::readers::formats::{Capped, Collector, Flat, Stop, finish, within_size};
use crate::text::LineIndex;

/// Reads the scalars of a JSON text.
///
/// Nothing of a broken text is kept, as no loader would take it either.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, read)
}

fn read(text: &str) -> Flat {
    let lines = LineIndex::new(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = error.kind().to_string().to_lowercase();
            return finish(text, Vec::new(), Some(Stop::form(lines.line(error.range().start), message)));
        }
    };
    let mut collector = Collector::new();
    let stop = parsed.value.and_then(|value| {
        let line = lines.line(value.start());
        visit(&value, line, &lines, &mut collector).err().map(|capped| Stop::too_much(line, capped))
    });
    finish(text, collector.entries, stop)
}

/// Notes the scalars of a value; `line` is that of the key that leads to it.
fn visit(value: &Value<'_>, line: u32, lines: &LineIndex, collector: &mut Collector) -> Result<(), Capped> {
    collector.step()?;
    match value {
        Value::StringLit(literal) => collector.push(&literal.value, line),
        Value::NumberLit(literal) => collector.push(literal.value, line),
        Value::BooleanLit(literal) => collector.push(if literal.value { "true" } else { "false" }, line),
        Value::NullKeyword(_) => collector.push("", line),
        Value::Object(object) if object.properties.is_empty() => collector.push("", line),
        Value::Array(array) if array.elements.is_empty() => collector.push("", line),
        Value::Object(object) => object.properties.iter().try_for_each(|property| {
            collector.enter(property.name.as_str())?;
            visit(&property.value, lines.line(property.range.start), lines, collector)?;
            collector.leave();
            Ok(())
        }),
        Value::Array(array) => array.elements.iter().enumerate().try_for_each(|(index, element)| {
            collector.enter(&index.to_string())?;
            visit(element, lines.line(element.start()), lines, collector)?;
            collector.leave();
            Ok(())
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::json::flatten;
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use proptest::prelude::*;

    #[test]
    fn scalars_have_their_path_and_the_line_of_their_key() {
        let cases: [(&str, &[&str]); 6] = [
            (r#"{"a": 1, "b": {"c": "x\"y"}}"#, &["1 a=1", "1 b.c=x\"y"]),
            (
                "{\n  // said\n  \"a\": [true, null,],\n  /* b */ 'b': \"/*no*/\",\n}\n",
                &["3 a.0=true", "3 a.1=", "4 b=/*no*/"],
            ),
            ("{\"a\":\n  \"x\",\n \"e\": {}, \"f\": []}", &["1 a=x", "3 e=", "3 f="]),
            ("\u{feff}[1e3,\r\n-0.50]", &["1 0=1e3", "2 1=-0.50"]),
            (
                r#"{"ConnectionStrings": {"Default": "Server=.;Database=x"}}"#,
                &["1 ConnectionStrings.Default=Server=.;Database=x"],
            ),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
        }
    }

    #[test]
    fn mistake_is_named_with_its_line() {
        for (text, line) in [("{\n \"a\": 1,\n \"b\": }\n", 3), ("{\n", 1), ("{} {}", 1), ("nope", 1)] {
            assert_eq!(flatten(text).cut().0, line, "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_are_survived() {
        survive(hostile(300_000, &["[", "{\"a\":", "\"", "/*", "[[],", "//\n", "\\u", "-", "{\"a\":[", "1,"]), flatten);
        survive(vec![format!("[{}]", "1,".repeat(500_000))], flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[a-cu:{}\\[\\],\"'/*0-9.eE+\\\\\t\r\n é-]{0,60}") {
            survive(vec![text], flatten);
        }
    }
}
