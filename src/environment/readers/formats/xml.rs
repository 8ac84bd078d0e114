//! XML: elements and attributes, of whole documents and of excerpts without a root or with tags left open.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use crate::environment::readers::formats::{Capped, Collector, Flat, MAX_TEXT, Stop, finish, within_size};
use crate::text::LineIndex;

/// The most nodes of one document.
const MAX_NODES: u32 = 500_000;

/// The most attributes of one element: looking for duplicates takes the square of their number.
const MAX_ATTRIBUTES: usize = 1_000;

/// Reads the elements and attributes of an XML text.
///
/// Each element gives an entry of its own (path of element names without prefixes, value its own text without
/// surrounding blanks), then one for each attribute (last segment `@name`), then its children. So an entry whose
/// last segment has no `@` begins an element, and the `@` entries up to the next one are its attributes.
///
/// Entities that the text declares itself are filled in. External ones are never fetched: where one is used, the text is
/// given up on. Nothing of a broken text is kept.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, read)
}

fn read(text: &str) -> Flat {
    if text.trim().is_empty() {
        return finish(text, Vec::new(), None);
    }
    let lines = LineIndex::new(text);
    let refused = |offset, why| finish(text, Vec::new(), Some(Stop::too_much(lines.line(offset), Capped(why))));
    if let Some(offset) = text.find("<!ENTITY").filter(|first| may_explode(text, *first)) {
        return refused(offset, "its entities could fill more than 16 MiB");
    }
    if let Some(offset) = tags(text).find(|tag| tag.attributes > MAX_ATTRIBUTES).map(|tag| tag.offset) {
        return refused(offset, "an element has more than 1,000 attributes");
    }
    match parse(text) {
        Ok(document) => elements(text, document.root_element(), &lines, true),
        Err(error) => {
            let (opened, closed) = missing_tags(text);
            let wrapped = format!("<excerpt>{opened}{text}{closed}</excerpt>");
            match parse(&wrapped) {
                Ok(document) => elements(text, document.root_element(), &LineIndex::new(&wrapped), false),
                Err(_) => {
                    let error = Stop::form(error.pos().row, error.to_string().to_lowercase());
                    finish(text, Vec::new(), Some(error))
                }
            }
        }
    }
}

fn parse(text: &str) -> Result<Document<'_>, roxmltree::Error> {
    Document::parse_with_options(
        text,
        ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, entity_resolver: None },
    )
}

/// Reads below `root`, and `root` itself where it belongs to the text.
fn elements(text: &str, root: Node<'_, '_>, lines: &LineIndex, with_root: bool) -> Flat {
    let mut collector = Collector::new();
    let result = if with_root {
        element(root, lines, &mut collector)
    } else {
        root.children().filter(Node::is_element).try_for_each(|child| element(child, lines, &mut collector))
    };
    finish(text, collector.entries, result.err().map(|capped| Stop::too_much(1, capped)))
}

fn element(node: Node<'_, '_>, lines: &LineIndex, collector: &mut Collector) -> Result<(), Capped> {
    collector.enter(node.tag_name().name())?;
    collector.step()?;
    collector.push(own_text(node).trim(), lines.line(node.range().start))?;
    for attribute in node.attributes() {
        collector.enter(&format!("@{}", attribute.name()))?;
        collector.step()?;
        collector.push(attribute.value(), lines.line(attribute.range().start))?;
        collector.leave();
    }
    node.children().filter(Node::is_element).try_for_each(|child| element(child, lines, collector))?;
    collector.leave();
    Ok(())
}

fn own_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = node.children().filter(Node::is_text).filter_map(|child| child.text());
    let first = texts.next().unwrap_or("");
    texts.fold(Cow::Borrowed(first), |all, text| Cow::Owned(all.into_owned() + text))
}

/// Tells whether the entities that a text declares from `first` on could make it too large: the parser fills them in
/// before it counts. What is not plainly a list of declarations could.
fn may_explode(text: &str, first: usize) -> bool {
    /// How many references the parser follows inside of one.
    const INSIDE: usize = 256;
    let Some(values) = declared(&text[first..]) else { return true };
    let longest = values.iter().map(|value| value.len()).max().unwrap_or(0);
    let in_each = if values.iter().any(|value| value.contains('&')) { INSIDE } else { 1 };
    let references = memchr::memchr_iter(b'&', text.as_bytes()).count();
    longest.saturating_mul(in_each).saturating_mul(references) > MAX_TEXT
}

/// Lists the values of the entities in a row of declarations, which the bracket of the document type must end.
fn declared(text: &str) -> Option<Vec<&str>> {
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(']') {
            return (!behind.contains("<!ENTITY")).then_some(values);
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let declaration = rest.strip_prefix("<!ENTITY")?;
        let at = declaration.find(['"', '\''])?;
        let (value, behind) = declaration[at + 1..].split_once(char::from(declaration.as_bytes()[at]))?;
        values.push(value);
        // `PUBLIC "…" "…"`
        let mut behind = behind.trim_start();
        if let Some(quote) = behind.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (value, rest) = behind[1..].split_once(quote)?;
            values.push(value);
            behind = rest.trim_start();
        }
        if declaration[..at].contains(['<', '>']) {
            return None;
        }
        rest = behind.strip_prefix('>')?;
    }
}

struct Tag<'t> {
    offset: usize,
    name: &'t str,
    closes: bool,
    opens: bool,
    attributes: usize,
}

/// Finds the tags of a text without asking whether it is well-formed; comments and the like are passed over.
fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    const PASSED_OVER: [(&str, &str); 4] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")];
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let offset = at + text[at..].find('<')?;
            let rest = &text[offset..];
            if let Some((open, close)) = PASSED_OVER.iter().find(|(open, _)| rest.starts_with(open)) {
                at = offset + open.len() + rest[open.len()..].find(close)? + close.len();
                continue;
            }
            let (mut quote, mut attributes) = (None, 0);
            let length = rest.bytes().position(|byte| match quote {
                Some(_) if Some(byte) == quote => {
                    quote = None;
                    false
                }
                Some(_) => false,
                None => {
                    attributes += usize::from(byte == b'=');
                    quote = matches!(byte, b'"' | b'\'').then_some(byte);
                    byte == b'>'
                }
            })?;
            at = offset + length + 1;
            let inside = &rest[1..length];
            let closes = inside.starts_with('/');
            let name =
                inside.trim_start_matches('/').split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or("");
            return Some(Tag { offset, name, closes, opens: !closes && !inside.ends_with('/'), attributes });
        }
    })
}

/// Makes the tags that an excerpt lacks, to be put before and behind it.
fn missing_tags(text: &str) -> (String, String) {
    let (mut opened, mut closed) = (String::new(), String::new());
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(text) {
        if tag.opens {
            open.push(tag.name);
        } else if tag.closes && open.pop().is_none() {
            // Written backwards, so that a long run of them costs no more than its length.
            opened.push_str(&format!(">{}<", tag.name.chars().rev().collect::<String>()));
        }
    }
    for name in open.into_iter().rev() {
        closed.push_str(&format!("</{name}>"));
    }
    (opened.chars().rev().collect(), closed)
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use crate::environment::readers::formats::xml::flatten;
    use proptest::prelude::*;

    #[test]
    fn elements_come_with_their_attributes_behind_them() {
        let text = "<?xml version=\"1.0\"?>\n<!DOCTYPE phpunit SYSTEM \"x.dtd\">\n<phpunit a=\"b\">\n  <php>\n    <env name=\"A\"\n value=\"x &amp; y\" force='true'/>\n    <!-- <env name=\"B\" value=\"z\"/> -->\n  </php>\n  <t:k xmlns:t='u'> v <![CDATA[<w>]]></t:k>\n</phpunit>\n";
        let expected = [
            "3 phpunit=",
            "3 phpunit.@a=b",
            "4 phpunit.php=",
            "5 phpunit.php.env=",
            "5 phpunit.php.env.@name=A",
            "6 phpunit.php.env.@value=x & y",
            "6 phpunit.php.env.@force=true",
            "9 phpunit.k=v <w>",
        ];
        assert_eq!(shown(&flatten(text).read()), expected);
    }

    #[test]
    fn entities_of_its_own_are_filled_in_and_no_bomb_goes_off() {
        let of = |declared: &str, used: &str| format!("<!DOCTYPE a [{declared}]>\n<a b='{used}'>{used}</a>");
        let table = [
            ("<!ENTITY h 'db.prod'>", "x-&h;", Some("x-db.prod")),
            ("\n<!-- said -->\n<!ENTITY h \"&i;.prod\">\n<!ENTITY i 'db'>\n", "&h;", Some("db.prod")),
            ("<!ENTITY e SYSTEM 'file:///x'><!ENTITY h 'db'>", "&h;", Some("db")),
            ("<!ENTITY e SYSTEM 'file:///x'>", "&e;", None),
            ("<!ENTITY a '&b;'><!ENTITY b '&a;'>", "&a;", None),
        ];
        for (declared, used, expected) in table {
            let flat = flatten(&of(declared, used));
            match expected {
                Some(value) => assert_eq!(flat.read()[1].value, value, "{declared}"),
                None => assert!(flat.cut().1.is_empty(), "{declared}"),
            }
        }
        let large = "x".repeat(100_000);
        let many = "&a;".repeat(100_000);
        let hidden = "<!-- <!ENTITY z ' --><!ENTITY a '";
        for bomb in [
            of(&format!("<!ENTITY a '{large}'>"), &many),
            of(&format!("{hidden}{large}'>"), &many),
            of(&format!("<!ENTITY z 'q'>]><a/><!DOCTYPE a [<!ENTITY a '{large}'>"), &many),
            of(&format!("<!ENTITY a '{}'><!ENTITY b '{large}'>", "&b;".repeat(250)), &"&a;".repeat(1000)),
        ] {
            assert!(flatten(&bomb).cut().1.is_empty());
        }
    }

    #[test]
    fn excerpts_are_read_as_if_they_were_whole() {
        let cases: [(&str, &[&str]); 5] = [
            ("<env name=\"A\"/>\n<env name=\"B\"/>\n", &["1 env=", "1 env.@name=A", "2 env=", "2 env.@name=B"]),
            (
                "<phpunit>\n<php>\n<env name=\"A\"/>\n",
                &["1 phpunit=", "2 phpunit.php=", "3 phpunit.php.env=", "3 phpunit.php.env.@name=A"],
            ),
            (
                "<env name=\"A\"/>\n</php>\n</phpunit>\n",
                &["1 phpunit=", "1 phpunit.php=", "1 phpunit.php.env=", "1 phpunit.php.env.@name=A"],
            ),
            ("<!-- <env/> -->\n", &[]),
            (" \n", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
        }
    }

    #[test]
    fn mistake_is_named_with_its_line() {
        for (text, line) in [
            ("<a>\n<b></a>\n</b>", 2),
            ("<a>\n&nope;</a>", 2),
            ("<!DOCTYPE a [<!ENTITY b SYSTEM 'c'>]>\n<a>\n&b;</a>", 3),
        ] {
            assert_eq!(flatten(text).cut().0, line, "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_are_survived() {
        let pieces =
            ["<a>", "</a>", "<a ", "<", "<!--", "<a/>", "&lt;", "<?", "\"", "<![CDATA[", "a", "<!DOCTYPE", "<a b='"];
        let mut texts = hostile(300_000, &pieces);
        texts.push(format!("<a {}/>", (0..30_000).map(|n| format!("a{n}='' ")).collect::<String>()));
        texts.push("<a xmlns:b='c'>".repeat(20_000));
        survive(texts, flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([ab<>/=\"'&;!?\\[\\] \n-]|<a b='c'>|</a>|<!--|-->){0,40}") {
            survive(vec![text], flatten);
        }
    }
}
