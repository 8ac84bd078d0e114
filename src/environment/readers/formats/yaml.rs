//! YAML: anchors, aliases and merge keys resolved, several documents, any tag, template lines skipped.
//!
//! A mistake does not hide what stands after it: reading resumes at the line of the mistake, as if the text began
//! there. An alias without its anchor (an excerpt, a file that is included by another) is an empty value.

use std::collections::HashSet;

use crate::environment::readers::formats::yaml_tree::{Content, Id, RESERVED, Tree};
use crate::environment::readers::formats::{Capped, Collector, Flat, MAX_DEPTH, Stop, TOO_DEEP, finish, within_size};

/// Reads the scalars of a YAML text.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, |text| walk(text, false))
}

/// Reads as [`flatten`] does, with an entry of empty value for each mapping and sequence too, ahead of what it holds: for
/// those who need the line of a key whose value is not a scalar.
pub(crate) fn outline(text: &str) -> Flat {
    within_size(text, |text| walk(text, true))
}

fn walk(text: &str, containers: bool) -> Flat {
    let text = with_reserved_marks(without_template_lines(text));
    let (mut tree, mut stop) = Tree::read(&text);
    if stop.is_some() {
        // Other readers take a bracket that closes at the indentation of its key.
        let (other, stop_of_other) = Tree::read(&with_closing_brackets_moved(&text));
        if stop_of_other.is_none() {
            (tree, stop) = (other, None);
        }
    }
    let mut walker = Walker { tree: &tree, collector: Collector::new(), containers };
    for &(document, root) in &tree.roots {
        walker.collector.document = document;
        if let Err(capped) = walker.visit(root, tree.nodes[root].line) {
            stop.get_or_insert_with(|| Stop::too_much(tree.nodes[root].line, capped));
            break;
        }
    }
    finish(&text, walker.collector.entries, stop)
}

/// Moves brackets that close at the beginning of a line to the right; within brackets indentation says nothing.
fn with_closing_brackets_moved(text: &str) -> String {
    let mut moved = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with([']', '}']) {
            moved.push_str("                ");
        }
        moved.push_str(line);
    }
    moved
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

/// Makes a reserved mark that begins a value one that YAML takes.
fn with_reserved_marks(text: String) -> String {
    if !RESERVED.iter().any(|(mark, _)| text.contains(*mark)) {
        return text;
    }
    let (mut before, mut is_behind_blank) = ('\n', false);
    let marked = text.chars().map(|c| {
        let begins_a_value = is_behind_blank && matches!(before, ':' | '-');
        is_behind_blank = matches!(c, ' ' | '\t');
        if !is_behind_blank {
            before = c;
        }
        let reserved = RESERVED.iter().find(|(mark, _)| *mark == c && begins_a_value);
        reserved.map_or(c, |(_, stand_in)| *stand_in)
    });
    marked.collect()
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
            return Err(TOO_DEEP);
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

    /// Gives the text of a key; a key that is no scalar (nothing in use has one) counts as empty.
    fn key(&self, key: Id) -> &'a str {
        match &self.tree.nodes[key].content {
            Content::Scalar { text, .. } => text,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }
}

/// Gives the text of a scalar; nulls are empty.
fn scalar(text: &str, plain: bool) -> &str {
    if plain && matches!(text, "~" | "null" | "Null" | "NULL") { "" } else { text }
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use crate::environment::readers::formats::yaml::{flatten, outline};
    use proptest::prelude::*;

    #[test]
    fn scalars_have_their_path_and_the_line_of_their_key() {
        let cases: [(&str, &[&str]); 14] = [
            ("a:\n  b: [\n    1,\n  ]\nc: 2\n", &["3 a.b.0=1", "5 c=2"]),
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
            ("a: @b.c@\nd:\n  - %e% x\n  - `f`\ng: 'x: @y'\n", &["1 a=@b.c@", "3 d.0=%e% x", "4 d.1=`f`", "5 g=x: @y"]),
            ("image: x\n  - A=b\n  - C=d\n", &["1 image=x - A=b - C=d"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
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
        assert_eq!(shown(&flatten(text).read()), expected);
    }

    #[test]
    fn alias_without_its_anchor_is_an_empty_value() {
        let text = "test:\n  <<: *default\n  database: app_test\nproduction:\n  <<: *default\n  pool: *pool\n";
        assert_eq!(shown(&flatten(text).read()), ["3 test.database=app_test", "6 production.pool="]);
    }

    #[test]
    fn documents_are_counted() {
        let entries = flatten("a: 1\n---\na: 2\n---\n---\na: 3\n").read();
        let documents: Vec<_> = entries.iter().map(|entry| (entry.document, entry.value.as_str())).collect();
        assert_eq!(documents, [(0, "1"), (1, "2"), (2, ""), (3, "3")]);
    }

    #[test]
    fn outline_names_containers_too() {
        let entries = outline("services:\n  db:\n    image: postgres\n  cache:\n").read();
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
            ("a: 1\nb: x: y\nc: 2\n", 2, &["1 a=1", "2 b=x", "3 c=2"]),
            ("a: 1\nb: \"x\" y\nc: 3\n", 2, &["1 a=1", "2 b=", "3 c=3"]),
        ];
        for (text, line, expected) in cases {
            let (at, entries) = flatten(text).cut();
            assert_eq!((at, shown(&entries)), (line, expected.iter().map(|&e| e.to_owned()).collect()), "{text:?}");
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
