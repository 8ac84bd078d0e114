//! YAML: anchors, aliases and merge keys resolved, several documents, any tag, template lines skipped.
//!
//! A mistake does not hide what stands after it: reading resumes at the line of the mistake, as if the text began
//! there. An alias without its anchor (an excerpt, a file that is included by another) is an empty value.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{Capped, Collector, FlatEntry, FormatError, MAX_DEPTH, checked, finish, line_number};

/// How often reading is resumed after a mistake.
const MAX_RESUMES: u32 = 32;

/// The scalars of a YAML text.
///
/// # Errors
///
/// [`FormatError`] with the first mistake; what could be read stands in its `entries`.
pub fn flatten(text: &str) -> Result<Vec<FlatEntry>, FormatError> {
    walk(text, false)
}

/// Like [`flatten`], with an entry of empty value for each mapping and sequence too, ahead of what it holds: for
/// those who need the line of a key whose value is not a scalar.
///
/// # Errors
///
/// As [`flatten`].
pub fn outline(text: &str) -> Result<Vec<FlatEntry>, FormatError> {
    walk(text, true)
}

fn walk(text: &str, containers: bool) -> Result<Vec<FlatEntry>, FormatError> {
    let text = without_template_lines(checked(text)?);
    let (tree, mut error) = Tree::read(&text);
    let mut walker = Walker { tree: &tree, collector: Collector::new(), containers };
    for &(document, root) in &tree.roots {
        walker.collector.document = document;
        if let Err(Capped(message)) = walker.visit(root, tree.nodes[root].line) {
            error.get_or_insert_with(|| FormatError::new(tree.nodes[root].line, message));
            break;
        }
    }
    // The parser counts one line more at the end of some texts.
    let last = line_number(text.lines().count().saturating_sub(1));
    let mut entries = walker.collector.entries;
    entries.iter_mut().for_each(|entry| entry.line = entry.line.min(last));
    finish(entries, error.map(|error| FormatError { line: error.line.min(last), ..error }))
}

/// Blanks lines that are nothing but a template's control flow (`<% if … %>`, `{% for … %}`, `{{- end }}`).
fn without_template_lines(text: &str) -> String {
    const MARKS: [(&str, &str); 3] = [("<%", "%>"), ("{%", "%}"), ("{{", "}}")];
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if MARKS.iter().any(|(open, close)| trimmed.starts_with(open) && trimmed.ends_with(close)) {
            kept.push('\n');
        } else {
            kept.push_str(line);
        }
    }
    kept
}

/// The index of a node in its tree; an alias is the same index again.
type Id = usize;

struct Node {
    content: Content,
    line: u32,
}

enum Content {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Id>),
    Mapping(Vec<(Id, Id)>),
}

#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    roots: Vec<(u32, Id)>,
}

/// What is under construction: the open containers, each with the key that waits for its value.
#[derive(Default)]
struct Builder {
    tree: Tree,
    open: Vec<(Id, Option<Id>)>,
    anchors: HashMap<usize, Id>,
    document: u32,
    documents_begun: u32,
}

impl Tree {
    /// Reads all documents; the error is the first one met.
    fn read(text: &str) -> (Tree, Option<FormatError>) {
        let mut builder = Builder::default();
        let mut first_error = None;
        let mut lines_before = 0;
        let mut rest = text;
        for _ in 0..=MAX_RESUMES {
            let Err((line_in_rest, error)) = builder.read_part(rest, lines_before) else { break };
            first_error.get_or_insert(error);
            // The line of the mistake may be sound by itself (less indented than its excerpt began), unless some of
            // it was read already. The first line of a part is not tried twice.
            let read_to = builder.tree.nodes.last().map_or(0, |node| node.line.saturating_sub(lines_before));
            let skipped = (line_in_rest as usize - usize::from(read_to < line_in_rest)).max(1);
            let Some(offset) = rest.split_inclusive('\n').take(skipped).map(str::len).reduce(|a, b| a + b) else {
                break;
            };
            lines_before += u32::try_from(skipped).unwrap_or(u32::MAX / 2);
            rest = &rest[offset..];
        }
        (builder.tree, first_error)
    }
}

impl Builder {
    /// Reads up to the end or to the first mistake, which is given with its line counted from this part's start.
    fn read_part(&mut self, text: &str, lines_before: u32) -> Result<(), (u32, FormatError)> {
        let mut parser = Parser::new_from_str(text);
        self.anchors.clear();
        let result = loop {
            match parser.next_event() {
                None => break Ok(()),
                Some(Ok((event, span))) => {
                    let line = line_of(&span) + lines_before;
                    if let Err(Capped(message)) = self.take(event, line) {
                        break Err((u32::MAX, FormatError::new(line, message)));
                    }
                }
                // The parser has consumed the alias and goes on behind it.
                Some(Err(error)) if error.info().contains("unknown anchor") => {
                    let line = line_in(&error) + lines_before;
                    self.add(Content::Scalar { text: String::new(), plain: true }, line, 0);
                }
                Some(Err(error)) => {
                    let line = line_in(&error);
                    break Err((line, FormatError::new(line + lines_before, error.info())));
                }
            }
        };
        // What was begun before a mistake is kept as if it were complete.
        while !self.open.is_empty() {
            self.close();
        }
        result
    }

    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Capped> {
        match event {
            Event::DocumentStart(_) => {
                self.document = self.documents_begun;
                self.documents_begun += 1;
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                self.add(Content::Scalar { text: text.into_owned(), plain }, line, anchor);
            }
            Event::SequenceStart(anchor, _) => self.begin(Content::Sequence(Vec::new()), line, anchor)?,
            Event::MappingStart(anchor, _) => self.begin(Content::Mapping(Vec::new()), line, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(&id) => self.attach(id),
                None => {
                    self.add(Content::Scalar { text: String::new(), plain: true }, line, 0);
                }
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn add(&mut self, content: Content, line: u32, anchor: usize) -> Id {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node { content, line });
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        self.attach(id);
        id
    }

    fn begin(&mut self, content: Content, line: u32, anchor: usize) -> Result<(), Capped> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Capped("nested too deeply"));
        }
        let id = self.add(content, line, anchor);
        self.open.push((id, None));
        Ok(())
    }

    /// Hangs a node into the innermost open container: as item, as key, or as the value of the waiting key.
    fn attach(&mut self, id: Id) {
        let Some((container, waiting_key)) = self.open.last_mut() else {
            self.tree.roots.push((self.document, id));
            return;
        };
        match &mut self.tree.nodes[*container].content {
            Content::Sequence(items) => items.push(id),
            Content::Mapping(pairs) => match waiting_key.take() {
                Some(key) => pairs.push((key, id)),
                None => *waiting_key = Some(id),
            },
            Content::Scalar { .. } => {}
        }
    }

    /// Closes the innermost container; a key that still waits (after a mistake) gets an empty value.
    fn close(&mut self) {
        if let Some(&(_, Some(key))) = self.open.last() {
            let line = self.tree.nodes[key].line;
            self.add(Content::Scalar { text: String::new(), plain: true }, line, 0);
        }
        self.open.pop();
    }
}

struct Walker<'a> {
    tree: &'a Tree,
    collector: Collector,
    containers: bool,
}

impl<'a> Walker<'a> {
    /// Notes the scalars of a node; `line` is that of the key that leads to it.
    fn visit(&mut self, id: Id, line: u32) -> Result<(), Capped> {
        self.collector.step()?;
        let tree = self.tree;
        match &tree.nodes[id].content {
            Content::Scalar { text, plain } => self.collector.push(scalar(text, *plain), line),
            Content::Sequence(items) => {
                if self.containers || items.is_empty() {
                    self.collector.push("", line)?;
                }
                for (index, &item) in items.iter().enumerate() {
                    self.child(&index.to_string(), item, tree.nodes[item].line)?;
                }
                Ok(())
            }
            Content::Mapping(pairs) => {
                if self.containers || pairs.is_empty() {
                    self.collector.push("", line)?;
                }
                let mut merged = Vec::with_capacity(pairs.len());
                self.merge(pairs, &mut HashSet::new(), &mut merged, 0)?;
                for (key, value) in merged {
                    self.child(self.key(key), value, tree.nodes[key].line)?;
                }
                Ok(())
            }
        }
    }

    fn child(&mut self, segment: &str, id: Id, line: u32) -> Result<(), Capped> {
        self.collector.enter(segment)?;
        self.visit(id, line)?;
        self.collector.leave();
        Ok(())
    }

    /// Gathers the pairs of a mapping and of what its `<<` bring in; `seen` are the keys that are already decided.
    fn merge(
        &mut self,
        pairs: &'a [(Id, Id)],
        seen: &mut HashSet<&'a str>,
        merged: &mut Vec<(Id, Id)>,
        depth: usize,
    ) -> Result<(), Capped> {
        if depth > MAX_DEPTH {
            return Err(Capped("merged too deeply"));
        }
        if depth == 0 && !pairs.iter().any(|&(key, _)| self.is_merge(key)) {
            merged.extend_from_slice(pairs);
            return Ok(());
        }
        let wanted: Vec<bool> = pairs.iter().map(|&(key, _)| !seen.contains(self.key(key))).collect();
        seen.extend(pairs.iter().filter(|&&(key, _)| !self.is_merge(key)).map(|&(key, _)| self.key(key)));
        for (&(key, value), wanted) in pairs.iter().zip(wanted) {
            self.collector.step()?;
            if !self.is_merge(key) {
                merged.extend(wanted.then_some((key, value)));
                continue;
            }
            let tree = self.tree;
            let sources = match &tree.nodes[value].content {
                Content::Sequence(items) => items.as_slice(),
                Content::Mapping(_) | Content::Scalar { .. } => std::slice::from_ref(&value),
            };
            for &source in sources {
                if let Content::Mapping(pairs) = &tree.nodes[source].content {
                    self.merge(pairs, seen, merged, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn is_merge(&self, key: Id) -> bool {
        matches!(&self.tree.nodes[key].content, Content::Scalar { text, plain: true } if text == "<<")
    }

    /// The text of a key; a key that is no scalar (nothing in use has one) counts as empty.
    fn key(&self, key: Id) -> &'a str {
        match &self.tree.nodes[key].content {
            Content::Scalar { text, .. } => text,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }
}

/// The text of a scalar; nulls are empty.
fn scalar(text: &str, plain: bool) -> &str {
    if plain && matches!(text, "~" | "null" | "Null" | "NULL") { "" } else { text }
}

fn line_of(span: &Span) -> u32 {
    line_number(span.start.line().saturating_sub(1))
}

fn line_in(error: &ScanError) -> u32 {
    line_number(error.marker().line().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{hostile, shown, survive};
    use super::{flatten, outline};
    use proptest::prelude::*;

    #[test]
    fn scalars_have_their_path_and_the_line_of_their_key() {
        let cases: [(&str, &[&str]); 12] = [
            ("a: 1\nb:\n  c: two # said\n", &["1 a=1", "3 b.c=two"]),
            ("a:\n  - x\n  - y: z\n    w: v\n", &["2 a.0=x", "3 a.1.y=z", "4 a.1.w=v"]),
            ("a: >\n  folded\n  text\nb: |\n  kept\n", &["1 a=folded text\n", "4 b=kept\n"]),
            ("a: ~\nb: null\nc:\nd: 'null'\ne: []\nf: {}\n", &["1 a=", "2 b=", "3 c=", "4 d=null", "5 e=", "6 f="]),
            ("{a: 1, b: [2, 3]}", &["1 a=1", "1 b.0=2", "1 b.1=3"]),
            (
                "a: !vault |\n  secret\nb: !Ref x\nc: !reference [y, z]\n",
                &["1 a=secret\n", "3 b=x", "4 c.0=y", "4 c.1=z"],
            ),
            ("\u{feff}a: 1\r\nb: 2\r\n", &["1 a=1", "2 b=2"]),
            ("url: postgres://u@h/d?x=1#y\n", &["1 url=postgres://u@h/d?x=1#y"]),
            ("password: <%= ENV['TEST_DB'] %>\n", &["1 password=<%= ENV['TEST_DB'] %>"]),
            ("<% if x %>\na: 1\n<% end %>\n{% raw %}\nb: 2\n", &["2 a=1", "5 b=2"]),
            ("image: x\n  - A=b\n  - C=d\n", &["1 image=x - A=b - C=d"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).unwrap()), expected, "{text:?}");
        }
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        let text = "\
base: &base\n  adapter: postgresql\n  host: db\ntest:\n  <<: *base\n  host: localhost\nother:\n  <<: [*base, {pool: 5, host: x}]\nname: &n shop\nagain: *n\n";
        let expected = [
            "2 base.adapter=postgresql",
            "3 base.host=db",
            "2 test.adapter=postgresql",
            "6 test.host=localhost",
            "2 other.adapter=postgresql",
            "3 other.host=db",
            "8 other.pool=5",
            "9 name=shop",
            "10 again=shop",
        ];
        assert_eq!(shown(&flatten(text).unwrap()), expected);
    }

    #[test]
    fn alias_without_its_anchor_is_an_empty_value() {
        let text = "test:\n  <<: *default\n  database: app_test\nproduction:\n  <<: *default\n  pool: *pool\n";
        assert_eq!(shown(&flatten(text).unwrap()), ["3 test.database=app_test", "6 production.pool="]);
    }

    #[test]
    fn documents_are_counted() {
        let entries = flatten("a: 1\n---\na: 2\n---\n---\na: 3\n").unwrap();
        let documents: Vec<_> = entries.iter().map(|entry| (entry.document, entry.value.as_str())).collect();
        assert_eq!(documents, [(0, "1"), (1, "2"), (2, ""), (3, "3")]);
    }

    #[test]
    fn outline_names_containers_too() {
        let entries = outline("services:\n  db:\n    image: postgres\n  cache:\n").unwrap();
        assert_eq!(
            shown(&entries),
            ["1 =", "1 services=", "2 services.db=", "3 services.db.image=postgres", "4 services.cache="]
        );
    }

    #[test]
    fn mistake_is_named_and_does_not_hide_what_follows() {
        let cases: [(&str, u32, &[&str]); 4] = [
            ("    environment:\n      HOST: db\n  db:\n    image: x\n", 3, &["2 environment.HOST=db", "4 db.image=x"]),
            ("a: 1\nb: [\nc: 2\n", 3, &["1 a=1", "2 b=", "3 c=2"]),
            ("a: 1\nb: @x\nc: 2\n", 2, &["1 a=1", "2 b=", "3 c=2"]),
            ("a: 1\n\tb: 2\nc: 3\n", 2, &["1 a=1", "3 c=3"]),
        ];
        for (text, line, expected) in cases {
            let error = flatten(text).unwrap_err();
            assert_eq!(
                (error.line, shown(&error.entries)),
                (line, expected.iter().map(|&e| e.to_owned()).collect()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn hostile_texts_are_survived() {
        let mut texts = hostile(
            300_000,
            &["[", "{", "- ", "? ", "{a: ", "&a ", "*a ", "!t ", "\"", "- a: ", "a:\n", "\n", "%", "|\n"],
        );
        let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (name, before) in ('b'..='z').zip('a'..) {
            bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", "));
        }
        texts.push(bomb.clone());
        texts.push(bomb.replace('[', "{<<: [").replace(']', "]}"));
        texts.push("a: &a\n  <<: *a\n  b: *a\n".to_owned());
        texts.push((0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect());
        survive(texts, flatten);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([a-c:&*<>{}\\[\\],!|?#%\"'~@\\\\\t\r\n -]|<<: |\n  |- |---\n){0,60}") {
            survive(vec![text], flatten);
        }
    }
}
