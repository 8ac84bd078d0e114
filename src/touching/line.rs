//! A shell line taken apart into its simple commands, with where their words stand.
//!
//! The grammar is Bash's, by the crate `rable`. It counts places in characters, and those inside substitutions from the
//! beginning of these; here they are bytes of the whole line, and none where the text there is not what was read.

use std::ops::Range;

use rable::{Node, NodeKind};

use crate::environment::follow::shell_text;
use crate::touching::statements::Stdin;

/// A word as it stands, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) raw: String,
    /// Where it begins, in bytes.
    pub(super) at: Option<usize>,
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// `NAME=value` in front of it, as they stand.
    pub(super) assignments: Vec<String>,
    /// The program and its arguments; empty where only something is assigned or written.
    pub(super) words: Vec<Word>,
    /// What it reads; for `echo`, which reads nothing, what it prints.
    pub(super) stdin: Stdin,
    /// The files that its output replaces or is added to, without quotes.
    pub(super) writes: Vec<String>,
    /// What stands in files that are there for it alone, under the names that it gets: `bash <(echo TEXT)`.
    pub(super) given: Vec<(String, String)>,
}

/// What stands on a line, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Command(Command),
    /// A subshell begins: what changes inside is over at its end.
    Open,
    Close,
    /// A function, whose commands come before this; whether it runs what it is given.
    Function {
        name: String,
        runs_arguments: bool,
    },
}

/// Takes a line apart; `None` where it is no Bash.
pub(super) fn read(text: &str) -> Option<Vec<Part>> {
    let nodes = rable::parse(text, true).ok()?;
    let starts = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
    let mut reader = Reader { text, starts, parts: Vec::new() };
    nodes.iter().for_each(|node| reader.node(node, Some(0), &Stdin::Inherited));
    Some(reader.parts)
}

/// Takes the quotes off words, and leaves what would be filled in as it stands.
pub(super) fn unquoted<S: AsRef<str>>(words: &[S]) -> Vec<String> {
    let raw: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    // A word in front keeps the first one from being read as something of the shell's own.
    let text = shell_text::read(&format!("x {}", raw.join(" ")));
    text.commands.into_iter().next().map(|mut command| command.words.split_off(1)).unwrap_or_default()
}

struct Reader<'t> {
    text: &'t str,
    /// Where each character begins; empty where each is a byte.
    starts: Vec<usize>,
    parts: Vec<Part>,
}

impl Reader<'_> {
    /// Finds the byte at which the character of that number begins.
    fn byte(&self, character: usize) -> usize {
        match self.starts.get(character) {
            _ if self.starts.is_empty() => character.min(self.text.len()),
            Some(at) => *at,
            None => self.text.len(),
        }
    }

    fn character(&self, byte: usize) -> usize {
        if self.starts.is_empty() { byte } else { self.starts.partition_point(|start| *start < byte) }
    }

    /// Reads a node whose places count from the character `base`; `None` where that is not known.
    fn node(&mut self, node: &Node, base: Option<usize>, stdin: &Stdin) {
        let mut redirections: &[Node] = &[];
        match &node.kind {
            NodeKind::Command { assignments, words, redirects } => {
                self.command(assignments, words, redirects, base, stdin);
            }
            NodeKind::Pipeline { commands, .. } => self.pipeline(commands, base, stdin),
            NodeKind::List { items } => items.iter().for_each(|item| self.node(&item.command, base, stdin)),
            NodeKind::If { condition, then_body, else_body, redirects } => {
                redirections = redirects;
                self.node(condition, base, stdin);
                self.node(then_body, base, stdin);
                else_body.iter().for_each(|body| self.node(body, base, stdin));
            }
            NodeKind::While { condition, body, redirects } | NodeKind::Until { condition, body, redirects } => {
                redirections = redirects;
                self.node(condition, base, stdin);
                self.node(body, base, stdin);
            }
            NodeKind::For { words, body, redirects, .. } | NodeKind::Select { words, body, redirects, .. } => {
                redirections = redirects;
                words.iter().flatten().for_each(|word| self.substitutions(word, self.range(node, base)));
                self.node(body, base, stdin);
            }
            NodeKind::ForArith { body, redirects, .. } => {
                redirections = redirects;
                self.node(body, base, stdin);
            }
            NodeKind::Case { word, patterns, redirects } => {
                redirections = redirects;
                self.substitutions(word, self.range(node, base));
                patterns.iter().filter_map(|one| one.body.as_ref()).for_each(|body| self.node(body, base, stdin));
            }
            NodeKind::Function { name, body } => {
                let before = self.parts.len();
                self.node(body, base, &Stdin::Inherited);
                let runs_arguments = self.parts[before..].iter().any(runs_arguments);
                self.parts.push(Part::Function { name: name.clone(), runs_arguments });
            }
            NodeKind::Subshell { body, redirects } => {
                redirections = redirects;
                self.inside(body, base, stdin);
            }
            NodeKind::BraceGroup { body, redirects } => {
                redirections = redirects;
                self.node(body, base, stdin);
            }
            NodeKind::Coproc { command, .. } => self.inside(command, base, stdin),
            NodeKind::Negation { pipeline } | NodeKind::Time { pipeline, .. } => self.node(pipeline, base, stdin),
            NodeKind::ConditionalExpr { .. } | NodeKind::ArithmeticCommand { .. } => {
                let inside = self.range(node, base).map_or("", |range| &self.text[range]).to_owned();
                self.unplaced(&inside);
            }
            _ => {}
        }
        if !redirections.is_empty() {
            self.command(&[], &[], redirections, base, stdin);
        }
    }

    fn inside(&mut self, body: &Node, base: Option<usize>, stdin: &Stdin) {
        self.parts.push(Part::Open);
        self.node(body, base, stdin);
        self.parts.push(Part::Close);
    }

    fn pipeline(&mut self, commands: &[Node], base: Option<usize>, stdin: &Stdin) {
        let mut fed = stdin.clone();
        for command in commands {
            self.inside(command, base, &fed);
            fed = printed(command).unwrap_or(Stdin::Pipe);
        }
    }

    fn command(
        &mut self,
        assignments: &[Node],
        words: &[Node],
        redirects: &[Node],
        base: Option<usize>,
        stdin: &Stdin,
    ) {
        let mut command = Command {
            assignments: Vec::new(),
            words: Vec::new(),
            stdin: stdin.clone(),
            writes: Vec::new(),
            given: Vec::new(),
        };
        for node in assignments.iter().chain(words) {
            self.substitutions(node, self.range(node, base));
        }
        command.assignments = assignments.iter().filter_map(raw).map(str::to_owned).collect();
        command.words = words.iter().filter_map(|node| self.word(node, base)).collect();
        for (word, node) in command.words.iter_mut().zip(words) {
            match substituted(node).and_then(printed) {
                Some(Stdin::File(path)) => word.raw = crate::text::shell_word(&path).into_owned(),
                Some(Stdin::Text(text)) => {
                    word.raw = format!("/dev/fd/{}", 63 - command.given.len().min(60));
                    command.given.push((word.raw.clone(), text));
                }
                _ => {}
            }
        }
        for redirect in redirects {
            match &redirect.kind {
                NodeKind::HereDoc { content, quoted, .. } => {
                    if !quoted && content.contains(['$', '`']) {
                        self.unplaced_in_text(content);
                    }
                    command.stdin = Stdin::Text(content.clone());
                }
                NodeKind::Redirect { op, target, .. } => {
                    self.substitutions(target, self.range(redirect, base));
                    let target = raw(target).map(|target| unquoted(&[target]).join(" ")).unwrap_or_default();
                    match op.as_str() {
                        "<<<" => command.stdin = Stdin::Text(target),
                        "<" | "<>" => command.stdin = Stdin::File(target),
                        _ if op.contains('>') => command.writes.push(target),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        if let (Stdin::Inherited, Some(text @ Stdin::Text(_))) = (&command.stdin, printed_by(words, redirects)) {
            command.stdin = text;
        }
        self.parts.push(Part::Command(command));
    }

    /// Finds the bytes that a node stands in.
    fn range(&self, node: &Node, base: Option<usize>) -> Option<Range<usize>> {
        let base = base.filter(|_| !node.span.is_empty())?;
        let range = self.byte(base + node.span.start)..self.byte(base + node.span.end);
        (range.start <= range.end).then_some(range)
    }

    fn word(&self, node: &Node, base: Option<usize>) -> Option<Word> {
        let raw = raw(node)?;
        let at = self.range(node, base).map(|range| range.start);
        let at = at.filter(|at| self.text[*at..].starts_with(raw));
        Some(Word { raw: raw.to_owned(), at })
    }

    /// Reads the commands whose output a word is made of; the word stands in `range`.
    fn substitutions(&mut self, word: &Node, range: Option<Range<usize>>) {
        let NodeKind::Word { parts, .. } = &word.kind else { return };
        let mut from = range.as_ref().map(|range| range.start);
        for part in parts {
            let (command, openings): (&Node, &[&str]) = match &part.kind {
                NodeKind::CommandSubstitution { command, .. } => (command, &["$(", "`", "${ ", "${|"]),
                NodeKind::ProcessSubstitution { command, .. } => (command, &["<(", ">("]),
                NodeKind::ParamExpansion { arg: Some(text), .. } | NodeKind::ParamIndirect { arg: Some(text), .. } => {
                    self.unplaced(text);
                    continue;
                }
                NodeKind::ParamExpansion { param, .. } if param.starts_with([' ', '|']) => {
                    self.unplaced_commands(param.trim_start_matches('|'));
                    continue;
                }
                NodeKind::ArithmeticExpansion { .. } => continue,
                NodeKind::WordLiteral { value } if value.contains("=(") => {
                    self.unplaced(value);
                    continue;
                }
                _ => continue,
            };
            let begin =
                from.zip(range.as_ref()).and_then(|(from, range)| self.begin(command, openings, from..range.end));
            from = begin.map(|(_, behind)| behind);
            let base = begin.map(|(base, _)| base);
            self.inside(command, base, &Stdin::Inherited);
        }
    }

    /// Finds the character from which the places in a substitution count, and the byte behind its first word: where the
    /// first word of it stands as it was read.
    fn begin(&self, command: &Node, openings: &[&str], range: Range<usize>) -> Option<(usize, usize)> {
        let first = first_word(command)?;
        let raw = raw(first)?;
        let opens = |at: usize| openings.iter().find(|opening| self.text[at..].starts_with(**opening));
        let mut starts = range.clone().filter(|at| self.text.is_char_boundary(*at));
        starts.find_map(|at| {
            let base = self.character(at + opens(at)?.len());
            let word = self.byte(base + first.span.start);
            let is_there = word < range.end && self.text[word..].starts_with(raw);
            is_there.then_some((base, word + raw.len()))
        })
    }

    /// Reads the substitutions in a text that stands nobody knows where.
    fn unplaced(&mut self, text: &str) {
        if text.contains("$(") || text.contains('`') || text.contains("<(") {
            self.unplaced_commands(&format!(": {text}"));
        }
    }

    /// Reads the substitutions in a text in which quotes are letters.
    fn unplaced_in_text(&mut self, text: &str) {
        let found = shell_text::read(&format!("cat <<END_OF_THAT_TEXT\n{text}\nEND_OF_THAT_TEXT\n")).commands;
        for command in found.into_iter().skip(1) {
            let word = |word: String| Word { raw: crate::text::shell_word(&word).into_owned(), at: None };
            self.parts.push(Part::Open);
            self.parts.push(Part::Command(Command {
                assignments: Vec::new(),
                words: command.words.into_iter().map(word).collect(),
                stdin: Stdin::Inherited,
                writes: Vec::new(),
                given: Vec::new(),
            }));
            self.parts.push(Part::Close);
        }
    }

    fn unplaced_commands(&mut self, text: &str) {
        for node in rable::parse(text, true).iter().flatten() {
            self.inside(node, None, &Stdin::Inherited);
        }
    }
}

fn raw(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Word { value, .. } => Some(value),
        _ => None,
    }
}

/// Finds the word that comes first in a command, and has a place.
fn first_word(node: &Node) -> Option<&Node> {
    match &node.kind {
        NodeKind::Word { .. } => Some(node).filter(|node| !node.span.is_empty()),
        NodeKind::Command { assignments, words, .. } => {
            let first = assignments.iter().chain(words).filter(|node| !node.span.is_empty());
            first.min_by_key(|node| node.span.start)
        }
        NodeKind::Pipeline { commands, .. } => commands.iter().find_map(first_word),
        NodeKind::List { items } => items.iter().find_map(|item| first_word(&item.command)),
        NodeKind::If { condition, .. } | NodeKind::While { condition, .. } | NodeKind::Until { condition, .. } => {
            first_word(condition)
        }
        NodeKind::For { body, .. }
        | NodeKind::ForArith { body, .. }
        | NodeKind::Select { body, .. }
        | NodeKind::Function { body, .. }
        | NodeKind::Subshell { body, .. }
        | NodeKind::BraceGroup { body, .. } => first_word(body),
        NodeKind::Coproc { command, .. } => first_word(command),
        NodeKind::Negation { pipeline } | NodeKind::Time { pipeline, .. } => first_word(pipeline),
        NodeKind::Case { patterns, .. } => patterns.iter().filter_map(|one| one.body.as_ref()).find_map(first_word),
        _ => None,
    }
}

/// Finds the commands that a word is which stands for a file with what they print: `<(echo TEXT)`.
fn substituted(node: &Node) -> Option<&Node> {
    let NodeKind::Word { value, parts, .. } = &node.kind else { return None };
    match &parts[..] {
        [Node { kind: NodeKind::ProcessSubstitution { command, .. }, .. }] if value.starts_with("<(") => Some(command),
        _ => None,
    }
}

/// Finds what a command prints, where that stands on the line or in a file: `echo TEXT`, `cat <<EOF`, `cat FILE`.
fn printed(node: &Node) -> Option<Stdin> {
    match &node.kind {
        NodeKind::Command { words, redirects, .. } => printed_by(words, redirects),
        NodeKind::Subshell { body, .. } | NodeKind::BraceGroup { body, .. } => printed(body),
        NodeKind::Pipeline { commands, .. } => match &commands[..] {
            [one] => printed(one),
            _ => None,
        },
        NodeKind::List { items } => match &items[..] {
            [one] => printed(&one.command),
            _ => None,
        },
        _ => None,
    }
}

fn printed_by(words: &[Node], redirects: &[Node]) -> Option<Stdin> {
    let words: Vec<&str> = words.iter().filter_map(raw).collect();
    let (program, arguments) = words.split_first()?;
    match *program {
        "cat" if arguments.is_empty() => redirects.iter().find_map(|redirect| match &redirect.kind {
            NodeKind::HereDoc { content, .. } => Some(Stdin::Text(content.clone())),
            _ => None,
        }),
        "cat" if arguments.len() == 1 && !arguments[0].starts_with('-') => unquoted(arguments).pop().map(Stdin::File),
        "echo" | "printf" => {
            let given = unquoted(arguments);
            let text = given.iter().skip_while(|word| matches!(word.as_str(), "-e" | "-n" | "-en" | "-ne" | "--"));
            let text = text.map(|word| word.replace("\\n", "\n")).collect::<Vec<_>>();
            Some(Stdin::Text(if *program == "printf" { text.join("\n") } else { text.join(" ") }))
        }
        _ => None,
    }
}

/// Tells whether a command runs what the function around it was given: `"$@"`.
fn runs_arguments(part: &Part) -> bool {
    let Part::Command(Command { words, .. }) = part else { return false };
    let is_given = |word: &Word| matches!(word.raw.trim_matches('"'), "$@" | "$*" | "${@}" | "$1");
    let only_shows = words.first().is_some_and(|word| matches!(word.raw.as_str(), "echo" | "printf" | ":" | "cat"));
    !only_shows && words.iter().take(4).any(is_given)
}
