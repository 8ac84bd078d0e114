//! The nodes of a YAML text with their lines, aliases kept as the node they stand for.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::environment::readers::formats::{Capped, MAX_DEPTH, MAX_STEPS, Stop, TOO_DEEP, TOO_MANY};
use crate::text::line_number;

/// How often reading is resumed after a mistake.
const MAX_RESUMES: u32 = 32;

/// What may begin no plain scalar, although templates do so (`version: @project.version@`), and what stands for it while
/// the text is read (of the private use area).
pub(crate) const RESERVED: [(char, char); 3] = [('@', '\u{E011}'), ('`', '\u{E012}'), ('%', '\u{E013}')];

/// The index of a node in its tree; an alias is the same index again.
pub(crate) type Id = usize;

pub(crate) struct Node {
    pub(crate) content: Content,
    /// Counted from 1.
    pub(crate) line: u32,
}

pub(crate) enum Content {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Id>),
    Mapping(Vec<(Id, Id)>),
}

#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Each document's number, from 0, with its outermost node; several where reading was resumed.
    pub(crate) roots: Vec<(u32, Id)>,
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
    pub(crate) fn read(text: &str) -> (Tree, Option<Stop>) {
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
    fn read_part(&mut self, text: &str, lines_before: u32) -> Result<(), (u32, Stop)> {
        let mut parser = Parser::new_from_str(text);
        self.anchors.clear();
        let result = loop {
            match parser.next_event() {
                None => break Ok(()),
                Some(Ok((event, span))) => {
                    let line = line_of(&span) + lines_before;
                    if let Err(capped) = self.take(event, line) {
                        break Err((u32::MAX, Stop::too_much(line, capped)));
                    }
                }
                // The parser has consumed the alias and goes on behind it.
                Some(Err(error)) if error.info().contains("unknown anchor") => {
                    let line = line_in(&error) + lines_before;
                    self.add(Content::Scalar { text: String::new(), plain: true }, line, 0);
                }
                // The parser's own cap on brackets, for which it has no other sign.
                Some(Err(error)) if error.info() == "recursion limit exceeded" => {
                    break Err((u32::MAX, Stop::too_much(line_in(&error) + lines_before, TOO_DEEP)));
                }
                Some(Err(error)) => {
                    let line = line_in(&error);
                    break Err((line, Stop::form(line + lines_before, error.info())));
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
        // A mapping's pair is two nodes.
        if self.tree.nodes.len() > 2 * MAX_STEPS {
            return Err(TOO_MANY);
        }
        match event {
            Event::DocumentStart(_) => {
                self.document = self.documents_begun;
                self.documents_begun += 1;
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                let text = RESERVED.iter().fold(text.into_owned(), |text, (mark, stand_in)| {
                    if text.contains(*stand_in) { text.replace(*stand_in, &mark.to_string()) } else { text }
                });
                self.add(Content::Scalar { text, plain }, line, anchor);
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
            return Err(TOO_DEEP);
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

fn line_of(span: &Span) -> u32 {
    line_number(span.start.line().saturating_sub(1))
}

fn line_in(error: &ScanError) -> u32 {
    line_number(error.marker().line().saturating_sub(1))
}
