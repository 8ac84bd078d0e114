//! Evaluates expressions that are simple in any language: texts with what they fill in, variables of the environment
//! with their defaults, names that are known, choices, and the common methods of texts. By text, never executed.

use std::cell::Cell;

use crate::environment::readers::code::calls;
use crate::environment::readers::code::calls::Arguments;
use crate::environment::readers::code::tokens::{Piece, Placed, Token, tokens};
use crate::environment::readers::expansion::Lookup;

/// What an expression comes to, with its structure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Computed {
    Text(String),
    Flag(bool),
    /// Nothing: `None`, or a variable that is not set and has no default.
    Unset,
    Map(Vec<Entry>),
    List(Vec<Computed>),
    /// One of several, by what cannot be known.
    Either(Vec<Entry>),
    Unknown,
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Computed,
    /// The value as written.
    pub(crate) expression: String,
    pub(crate) place: Place,
}

/// Where something is assigned: the file's number in its program, and the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) line: u32,
}

/// What is known around an expression.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// The variables of the environment.
    pub(crate) lookup: Lookup<'s>,
    /// The names of the code.
    pub(crate) names: &'s dyn Fn(&str) -> Option<Computed>,
    /// Decides a choice that hangs on an unset variable as if it stayed unset.
    pub(crate) settles_unset: bool,
    /// Takes a choice that hangs on an unset variable the other way.
    pub(crate) takes_other: bool,
    /// Is set where a choice hangs on an unset variable.
    pub(crate) is_undecided: &'s Cell<bool>,
    /// Where the expression starts.
    pub(crate) place: Place,
}

/// Longer texts are not put together, in bytes, and longer lists neither.
const LONGEST_TEXT: usize = 1 << 16;

/// Deeper expressions are not evaluated.
const DEEPEST: usize = 48;

impl Scope<'_> {
    /// Evaluates a whole expression.
    pub(crate) fn evaluate(&self, text: &str) -> Computed {
        self.evaluate_at(text, DEEPEST)
    }

    fn evaluate_at(&self, text: &str, depth: usize) -> Computed {
        let Some(tokens) = tokens(text) else { return Computed::Unknown };
        let mut parser = Parser { scope: self, text, tokens: &tokens, at: 0, depth };
        match parser.choice() {
            Some(value) if parser.at == tokens.len() => value,
            _ => Computed::Unknown,
        }
    }

    /// Tells what a condition comes to; `None` where that is not known.
    pub(crate) fn holds(&self, condition: &Computed) -> Option<bool> {
        match condition {
            Computed::Text(text) => Some(!text.is_empty()),
            Computed::Flag(flag) => Some(*flag),
            Computed::Unset if self.settles_unset => Some(false),
            Computed::Unset => {
                self.is_undecided.set(true);
                Some(self.takes_other)
            }
            Computed::Map(entries) => Some(!entries.is_empty()),
            Computed::List(items) => Some(!items.is_empty()),
            Computed::Either(_) | Computed::Unknown => None,
        }
    }

    /// Evaluates the arguments of a call, given without its parentheses.
    pub(crate) fn arguments(&self, text: &str) -> Option<Arguments> {
        let closed = format!("{text}\n)");
        let tokens = tokens(&closed)?;
        let mut parser = Parser { scope: self, text: &closed, tokens: &tokens, at: 0, depth: DEEPEST };
        parser.arguments()
    }
}

struct Parser<'p, 't> {
    scope: &'p Scope<'p>,
    text: &'t str,
    tokens: &'p [Placed<'t>],
    at: usize,
    depth: usize,
}

/// What a chain of names, calls and indexes has come to so far.
enum Reached {
    Path(String),
    Value(Computed),
}

impl<'t> Parser<'_, 't> {
    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn takes_mark(&mut self, marks: &[&str]) -> Option<&'t str> {
        match self.peek() {
            Some(Token::Mark(mark)) if marks.contains(mark) => {
                let mark = *mark;
                self.at += 1;
                Some(mark)
            }
            _ => None,
        }
    }

    fn takes_word(&mut self, words: &[&str]) -> Option<&'t str> {
        match self.peek() {
            Some(Token::Name(word)) if words.contains(word) => {
                let word = *word;
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    /// `a if c else b`, `a unless c`, `c ? a : b`, and what binds more tightly.
    fn choice(&mut self) -> Option<Computed> {
        self.depth = self.depth.checked_sub(1)?;
        let value = self.alternatives()?;
        let value = if let Some(word) = self.takes_word(&["if", "unless"]) {
            let condition = self.alternatives()?;
            let other = if self.takes_word(&["else"]).is_some() { self.choice()? } else { Computed::Unset };
            match word {
                "if" => self.chosen(&condition, value, other),
                _ => self.chosen(&condition, other, value),
            }
        } else if self.takes_mark(&["?"]).is_some() {
            let first = self.choice()?;
            let second = match self.peek() {
                // `? a :b`
                Some(Token::Name(name)) if name.starts_with(':') => {
                    let name = (*name)[1..].to_owned();
                    self.at += 1;
                    (self.scope.names)(&name).unwrap_or(Computed::Unknown)
                }
                _ => {
                    self.takes_mark(&[":"])?;
                    self.choice()?
                }
            };
            self.chosen(&value, first, second)
        } else {
            value
        };
        self.depth += 1;
        Some(value)
    }

    fn chosen(&self, condition: &Computed, first: Computed, second: Computed) -> Computed {
        match self.scope.holds(condition) {
            Some(true) => first,
            Some(false) => second,
            None if first == second => first,
            None => Computed::Unknown,
        }
    }

    /// `a || b`, `a or b`, `a ?? b`, `a ?: b`.
    fn alternatives(&mut self) -> Option<Computed> {
        let mut value = self.conjunctions()?;
        loop {
            let is_nullish = match self.takes_mark(&["||", "??", "?:"]) {
                Some(mark) => mark == "??",
                None if self.takes_word(&["or"]).is_some() => false,
                None => return Some(value),
            };
            let other = self.conjunctions()?;
            value = match value {
                Computed::Unset => other,
                Computed::Text(text) if text.is_empty() && !is_nullish => other,
                Computed::Flag(false) => other,
                Computed::Unknown if other == Computed::Flag(true) => other,
                value => value,
            };
        }
    }

    fn conjunctions(&mut self) -> Option<Computed> {
        let mut value = self.comparison()?;
        while self.takes_mark(&["&&"]).is_some() || self.takes_word(&["and"]).is_some() {
            let other = self.comparison()?;
            value = match (&value, &other) {
                (Computed::Unset | Computed::Flag(false), _) => value,
                (Computed::Unknown, Computed::Flag(false)) => other,
                (Computed::Unknown, _) => Computed::Unknown,
                _ => other,
            };
        }
        Some(value)
    }

    fn comparison(&mut self) -> Option<Computed> {
        let mut is_turned = false;
        let mut is_condition = false;
        while self.takes_mark(&["!"]).is_some() || self.takes_word(&["not"]).is_some() {
            is_condition = true;
            is_turned = !is_turned;
        }
        let value = self.compared()?;
        if !is_condition {
            return Some(value);
        }
        Some(self.scope.holds(&value).map_or(Computed::Unknown, |holds| Computed::Flag(holds != is_turned)))
    }

    fn compared(&mut self) -> Option<Computed> {
        let left = self.sum()?;
        if let Some(mark) = self.takes_mark(&["==", "===", "!=", "!=="]) {
            let right = self.sum()?;
            return Some(
                same(&left, &right).map_or(Computed::Unknown, |same| Computed::Flag(same == mark.starts_with('='))),
            );
        }
        if self.takes_word(&["is"]).is_some() {
            let is_negated = self.takes_word(&["not"]).is_some();
            let right = self.sum()?;
            return Some(same(&left, &right).map_or(Computed::Unknown, |same| Computed::Flag(same != is_negated)));
        }
        let is_negated = match (self.peek(), self.tokens.get(self.at + 1).map(|placed| &placed.token)) {
            (Some(Token::Name("not")), Some(Token::Name("in"))) => {
                self.at += 1;
                true
            }
            _ => false,
        };
        if self.takes_word(&["in"]).is_some() {
            let right = self.sum()?;
            return Some(
                contains(&right, &left).map_or(Computed::Unknown, |holds| Computed::Flag(holds != is_negated)),
            );
        }
        Some(left)
    }

    /// `a + b`, `a <> b`, `a / b` of paths, `a % b` of formats, `a | b` of maps.
    fn sum(&mut self) -> Option<Computed> {
        let mut value = self.signed()?;
        while let Some(mark) = self.takes_mark(&["+", "<>", "/", "%", "|", "-", "*"]) {
            let other = self.signed()?;
            value = match (mark, value, other) {
                ("+" | "<>", Computed::Text(one), Computed::Text(other)) if one.len() + other.len() <= LONGEST_TEXT => {
                    Computed::Text(one + &other)
                }
                ("+", Computed::List(one), Computed::List(other)) if one.len() + other.len() <= LONGEST_TEXT => {
                    Computed::List([one, other].concat())
                }
                ("/", start, Computed::Text(end)) => calls::joined(&[start, Computed::Text(end)]),
                ("%", Computed::Text(format), filled) => calls::filled_in(&format, filled),
                ("|", Computed::Map(mut entries), Computed::Map(more)) => {
                    more.into_iter().for_each(|entry| put(&mut entries, entry));
                    Computed::Map(entries)
                }
                _ => Computed::Unknown,
            };
        }
        Some(value)
    }

    fn signed(&mut self) -> Option<Computed> {
        while self.takes_word(&["await", "new", "typeof"]).is_some() {}
        while self.takes_mark(&["-", "+"]).is_some() {}
        self.depth = self.depth.checked_sub(1)?;
        let value = self.chain()?;
        self.depth += 1;
        Some(value)
    }

    /// A name, text, bracket or number with the calls, indexes and members behind it.
    fn chain(&mut self) -> Option<Computed> {
        let mut reached = match self.tokens.get(self.at)?.token.clone() {
            Token::Text(pieces) => {
                self.at += 1;
                let mut text = self.filled(&pieces);
                while let Some(Token::Text(pieces)) = self.peek().cloned() {
                    self.at += 1;
                    text = match (text, self.filled(&pieces)) {
                        (Computed::Text(one), Computed::Text(other)) => Computed::Text(one + &other),
                        _ => Computed::Unknown,
                    };
                }
                Reached::Value(text)
            }
            Token::Number(number) => {
                self.at += 1;
                Reached::Value(Computed::Text(number.replace('_', "")))
            }
            Token::Mark("(") => Reached::Value(self.parenthesis()?),
            Token::Mark("[") => {
                self.at += 1;
                Reached::Value(self.list("]")?)
            }
            Token::Mark("{" | "%{") => {
                self.at += 1;
                Reached::Value(self.map("}")?)
            }
            Token::Name("if") => Reached::Value(self.block_choice()?),
            // Nothing comes of it.
            Token::Name("raise" | "throw" | "die" | "abort" | "exit") => {
                self.at += 1;
                self.skip_operand();
                Reached::Value(Computed::Unset)
            }
            Token::Name(name) => {
                self.at += 1;
                match constant(name) {
                    Some(value) => Reached::Value(value),
                    None => match (self.scope.names)(name) {
                        // `env = environ.Env()`: what cannot be told is called by its name.
                        None | Some(Computed::Unknown | Computed::Unset) if self.goes_on() => {
                            Reached::Path(name.to_owned())
                        }
                        Some(value) => Reached::Value(value),
                        None => Reached::Path(name.to_owned()),
                    },
                }
            }
            Token::Mark(_) => return None,
        };
        loop {
            reached = match self.tokens.get(self.at).map(|placed| placed.token.clone()) {
                Some(Token::Mark("." | "?." | "&." | "::" | "->")) => {
                    self.at += 1;
                    match self.peek() {
                        Some(Token::Name(name)) => {
                            let name = *name;
                            self.at += 1;
                            self.member(reached, name)?
                        }
                        // `process.env?.["X"]`
                        Some(Token::Mark("[")) => reached,
                        // PHP's `'a' . 'b'`
                        Some(Token::Text(pieces)) => {
                            let other = self.filled(&pieces.clone());
                            self.at += 1;
                            Reached::Value(match (self.value(reached), other) {
                                (Computed::Text(one), Computed::Text(other)) => Computed::Text(one + &other),
                                _ => Computed::Unknown,
                            })
                        }
                        _ => return None,
                    }
                }
                Some(Token::Mark("|>")) => {
                    self.at += 1;
                    let value = self.value(reached);
                    let mut path = String::new();
                    while let Some(Token::Name(name)) = self.peek() {
                        path = (*name).to_owned();
                        self.at += 1;
                        if self.takes_mark(&["."]).is_none() {
                            break;
                        }
                    }
                    let arguments =
                        if self.takes_mark(&["("]).is_some() { self.arguments()? } else { Arguments::default() };
                    let converted = calls::method(value.clone(), &path, &arguments);
                    Reached::Value(if calls::is_conversion(&path) { value } else { converted })
                }
                Some(Token::Mark("(")) => {
                    self.at += 1;
                    let arguments = self.arguments()?;
                    let Reached::Path(path) = reached else { return Some(Computed::Unknown) };
                    Reached::Value(self.called(&path, &arguments)?)
                }
                Some(Token::Mark("[")) => {
                    self.at += 1;
                    let key = self.choice()?;
                    let is_one = self.takes_mark(&["]"]).is_some();
                    if !is_one {
                        return None;
                    }
                    Reached::Value(self.indexed(reached, key))
                }
                // TypeScript's `process.env.X!` and `process.env.X as string`.
                Some(Token::Mark("!")) => {
                    self.at += 1;
                    reached
                }
                Some(Token::Name("as")) => {
                    self.at += 2;
                    reached
                }
                // `getenv "X"`, `ENV.fetch "X"`: a call without parentheses.
                Some(Token::Text(_)) if matches!(&reached, Reached::Path(path) if calls::reads_environment(path)) => {
                    let Reached::Path(path) = reached else { return None };
                    let mut arguments = Arguments::default();
                    loop {
                        arguments.positional.push(self.chain()?);
                        if self.takes_mark(&[","]).is_none() {
                            break;
                        }
                    }
                    Reached::Value(self.called(&path, &arguments)?)
                }
                _ => return Some(self.value(reached)),
            };
        }
    }

    /// Tells whether a call, a member or an index follows.
    fn goes_on(&self) -> bool {
        matches!(self.peek(), Some(Token::Mark("(" | "." | "?." | "&." | "[") | Token::Text(_)))
    }

    fn value(&self, reached: Reached) -> Computed {
        match reached {
            Reached::Value(value) => value,
            Reached::Path(path) => match path.strip_prefix(':') {
                Some(atom) => Computed::Text(atom.to_owned()),
                None => Computed::Unknown,
            },
        }
    }

    fn member(&mut self, reached: Reached, name: &str) -> Option<Reached> {
        let is_call = self.peek() == Some(&Token::Mark("("));
        Some(match reached {
            Reached::Path(path) if !is_call && calls::holds_environment(&path) => {
                Reached::Value(calls::variable(name, None, self.scope.lookup))
            }
            Reached::Path(path) => Reached::Path(format!("{path}.{name}")),
            Reached::Value(Computed::Map(entries)) if !is_call => Reached::Value(
                entries
                    .into_iter()
                    .rev()
                    .find(|entry| entry.key == name)
                    .map_or(Computed::Unknown, |entry| entry.value),
            ),
            Reached::Value(value) => {
                let arguments =
                    if self.takes_mark(&["("]).is_some() { self.arguments()? } else { Arguments::default() };
                Reached::Value(calls::method(value, name, &arguments))
            }
        })
    }

    /// Calls what stands at a path; a block behind it is a default.
    fn called(&mut self, path: &str, arguments: &Arguments) -> Option<Computed> {
        // `name()` stands for what a function of the code returns.
        if let Some(value) = (self.scope.names)(&format!("{path}()")).filter(|value| *value != Computed::Unknown) {
            return Some(value);
        }
        let value = calls::call(path, arguments, self.scope.lookup);
        let reads = calls::reads_environment(path);
        let block = if reads && self.takes_mark(&["{"]).is_some() {
            let block = self.choice()?;
            self.takes_mark(&["}"])?;
            block
        } else {
            return Some(value);
        };
        Some(if value == Computed::Unset { block } else { value })
    }

    fn indexed(&self, reached: Reached, key: Computed) -> Computed {
        match (reached, key) {
            (Reached::Path(path), Computed::Text(name)) if calls::holds_environment(&path) => {
                calls::variable(&name, None, self.scope.lookup)
            }
            (Reached::Value(Computed::Map(entries)), Computed::Text(name)) => {
                entries.into_iter().rev().find(|entry| entry.key == name).map_or(Computed::Unknown, |entry| entry.value)
            }
            (Reached::Value(Computed::List(items)), Computed::Text(at)) => {
                at.parse().ok().and_then(|at: usize| items.get(at).cloned()).unwrap_or(Computed::Unknown)
            }
            (Reached::Value(Computed::Unset), _) => Computed::Unset,
            _ => Computed::Unknown,
        }
    }

    fn filled(&self, pieces: &[Piece<'_>]) -> Computed {
        let mut text = String::new();
        for piece in pieces {
            if text.len() > LONGEST_TEXT {
                return Computed::Unknown;
            }
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Opaque => return Computed::Unknown,
                Piece::Code(code) => {
                    let Some(depth) = self.depth.checked_sub(4) else { return Computed::Unknown };
                    let value = self.scope.evaluate_at(code, depth);
                    // `f"{port:d}"`
                    let value = match (value, code.split_once([':', '!'])) {
                        (Computed::Unknown, Some((code, _))) => self.scope.evaluate_at(code, depth),
                        (value, _) => value,
                    };
                    match value {
                        Computed::Text(value) => text.push_str(&value),
                        Computed::Unset => {}
                        _ => return Computed::Unknown,
                    }
                }
            }
        }
        Computed::Text(text)
    }

    /// `(a)`, or a tuple.
    fn parenthesis(&mut self) -> Option<Computed> {
        self.at += 1;
        let is_tuple = |items: &[Computed], commas: usize| items.len() != 1 || commas > 0;
        let mut items = Vec::new();
        let mut commas = 0;
        while self.takes_mark(&[")"]).is_none() {
            items.push(self.choice()?);
            match self.takes_mark(&[",", ")"])? {
                "," => commas += 1,
                _ => break,
            }
        }
        Some(if is_tuple(&items, commas) { Computed::List(items) } else { items.pop()? })
    }

    /// The items up to `end`; keyword pairs among them are a map.
    fn list(&mut self, end: &str) -> Option<Computed> {
        if self.begins_pair() {
            return self.map(end);
        }
        let mut items = Vec::new();
        while self.takes_mark(&[end]).is_none() {
            let is_spread = self.takes_mark(&["*", "..."]).is_some();
            match (self.choice()?, is_spread) {
                (Computed::List(more), true) => items.extend(more),
                (_, true) => return self.skip_to(end),
                (item, false) => items.push(item),
            }
            if self.takes_mark(&[","]).is_none() && self.peek() != Some(&Token::Mark(end)) {
                return self.skip_to(end);
            }
        }
        Some(Computed::List(items))
    }

    /// Tells whether `name:`, `"name":` or `"name" =>` stands here.
    fn begins_pair(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|placed| &placed.token);
        matches!(self.peek(), Some(Token::Name(_) | Token::Text(_))) && matches!(next, Some(Token::Mark(":" | "=>")))
    }

    /// The pairs up to `end`. A value that cannot be read is skipped, and unknown.
    fn map(&mut self, end: &str) -> Option<Computed> {
        let mut entries = Vec::new();
        while self.takes_mark(&[end]).is_none() {
            if self.takes_mark(&["**", "..."]).is_some() {
                if let Some(Computed::Map(more)) = self.choice() {
                    more.into_iter().for_each(|entry| put(&mut entries, entry));
                } else {
                    let place = self.place();
                    put(
                        &mut entries,
                        Entry { key: "**".to_owned(), value: Computed::Unknown, expression: String::new(), place },
                    );
                }
                self.to_next(end)?;
                continue;
            }
            let place = self.place();
            let key = self.key()?;
            let from = self.tokens.get(self.at).map_or(self.text.len(), |placed| placed.at);
            let start = self.at;
            let depth = self.depth;
            let value = self.choice();
            let is_whole = matches!(self.peek(), Some(Token::Mark(mark)) if *mark == "," || *mark == end);
            let value = match value {
                Some(value) if is_whole => value,
                _ => {
                    self.at = start;
                    Computed::Unknown
                }
            };
            self.depth = depth;
            self.to_next(end)?;
            let to = self.tokens.get(self.at - 1).map_or(self.text.len(), |placed| placed.at);
            let to = if self.peek_back() == Some(",") { to } else { self.here() };
            let expression = self.text.get(from..to).unwrap_or_default().trim().trim_end_matches(',').trim().to_owned();
            put(&mut entries, Entry { key, value, expression, place });
        }
        Some(Computed::Map(entries))
    }

    fn peek_back(&self) -> Option<&'t str> {
        match self.tokens.get(self.at.checked_sub(1)?)?.token {
            Token::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    fn here(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |placed| placed.at)
    }

    fn place(&self) -> Place {
        let lines = self.tokens.get(self.at).map_or(0, |placed| placed.lines);
        Place { line: self.scope.place.line.saturating_add(lines), ..self.scope.place }
    }

    /// A key with the mark behind it.
    fn key(&mut self) -> Option<String> {
        let key = match self.tokens.get(self.at)?.token.clone() {
            Token::Text(pieces) => match self.filled(&pieces) {
                Computed::Text(key) => key,
                _ => return None,
            },
            Token::Name(name) => match (self.scope.names)(name) {
                Some(Computed::Text(key)) => key,
                _ => name.trim_start_matches(':').to_owned(),
            },
            Token::Number(number) => number.to_owned(),
            Token::Mark(_) => return None,
        };
        self.at += 1;
        match self.peek() {
            Some(Token::Mark(":" | "=>" | "=")) => self.at += 1,
            // `key :value`
            Some(Token::Name(name)) if name.starts_with(':') => {}
            // `{ name }` stands for `{ name: name }`.
            Some(Token::Mark("," | "}")) => self.at -= 1,
            _ => return None,
        }
        Some(key)
    }

    /// Goes behind the next comma, or before `end`, on this level.
    fn to_next(&mut self, end: &str) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Mark(",") if depth == 0 => {
                    self.at += 1;
                    return Some(());
                }
                Token::Mark(mark) if depth == 0 && *mark == end => return Some(()),
                Token::Mark("(" | "[" | "{" | "%{") => depth += 1,
                Token::Mark(")" | "]" | "}") => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    fn skip_to(&mut self, end: &str) -> Option<Computed> {
        while self.peek() != Some(&Token::Mark(end)) {
            self.to_next(end)?;
        }
        self.at += 1;
        Some(Computed::Unknown)
    }

    /// Goes to the end of what is raised.
    fn skip_operand(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Mark("(" | "[" | "{" | "%{") => depth += 1,
                Token::Mark(")" | "]" | "}") if depth == 0 => return,
                Token::Mark(")" | "]" | "}") => depth -= 1,
                Token::Mark(",") | Token::Name("end" | "else") if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// `if c do a else b end`, `if c, do: a, else: b`.
    fn block_choice(&mut self) -> Option<Computed> {
        self.at += 1;
        let condition =
            match (self.tokens.get(self.at).map(|placed| placed.token.clone()), self.tokens.get(self.at + 1)) {
                // `if p = System.get_env("P") do`: the branches read the name.
                (Some(Token::Name(name)), Some(Placed { token: Token::Mark("="), .. })) => {
                    self.at += 2;
                    let value = self.choice()?;
                    return self.branches(&value, Some((name, value.clone())));
                }
                _ => self.alternatives()?,
            };
        self.branches(&condition, None)
    }

    fn branches(&mut self, condition: &Computed, named: Option<(&str, Computed)>) -> Option<Computed> {
        let names = |name: &str| match &named {
            Some((own, value)) if *own == name => Some(value.clone()),
            _ => (self.scope.names)(name),
        };
        let scope = Scope { names: &names, ..*self.scope };
        let mut inner = Parser { scope: &scope, text: self.text, tokens: self.tokens, at: self.at, depth: self.depth };
        let is_inline = inner.takes_mark(&[","]).is_some();
        inner.takes_word(&["do", "then"]);
        if is_inline {
            inner.takes_mark(&[":"])?;
        }
        let first = inner.choice()?;
        let is_more = if is_inline { inner.takes_mark(&[","]).is_some() } else { true };
        let second = if is_more && inner.takes_word(&["else"]).is_some() {
            inner.takes_mark(&[":"]);
            inner.choice()?
        } else {
            Computed::Unset
        };
        if !is_inline {
            inner.takes_word(&["end"])?;
        }
        self.at = inner.at;
        Some(self.chosen(condition, first, second))
    }

    /// The arguments up to the closing parenthesis.
    fn arguments(&mut self) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        while self.takes_mark(&[")"]).is_none() {
            let keyword = match (self.peek(), self.tokens.get(self.at + 1).map(|placed| &placed.token)) {
                (Some(Token::Name(name)), Some(Token::Mark("=" | ":" | "=>"))) => {
                    Some((*name).trim_start_matches(':').to_owned())
                }
                _ => None,
            };
            self.at += if keyword.is_some() { 2 } else { 0 };
            let start = self.at;
            let depth = self.depth;
            let value = self.choice();
            let is_whole = matches!(self.peek(), Some(Token::Mark("," | ")")));
            let value = match value {
                Some(value) if is_whole => value,
                _ => {
                    self.at = start;
                    Computed::Unknown
                }
            };
            self.depth = depth;
            self.to_next(")")?;
            match keyword {
                Some(name) => arguments.keywords.push((name, value)),
                None => arguments.positional.push(value),
            }
        }
        Some(arguments)
    }
}

/// Puts an entry in a map, over one with its key.
pub(crate) fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|known| known.key == entry.key) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

fn constant(name: &str) -> Option<Computed> {
    Some(match name {
        "None" | "nil" | "null" | "undefined" => Computed::Unset,
        "True" | "true" => Computed::Flag(true),
        "False" | "false" => Computed::Flag(false),
        _ => return None,
    })
}

/// Tells whether two values are the same; `None` where that is not known.
fn same(one: &Computed, other: &Computed) -> Option<bool> {
    match (one, other) {
        (Computed::Unknown, _) | (_, Computed::Unknown) => None,
        (Computed::Flag(flag), Computed::Text(text)) | (Computed::Text(text), Computed::Flag(flag)) => {
            Some(text.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
        }
        (one, other) => Some(one == other),
    }
}

fn contains(whole: &Computed, part: &Computed) -> Option<bool> {
    match (whole, part) {
        (Computed::List(items), part) if !items.contains(&Computed::Unknown) && *part != Computed::Unknown => {
            Some(items.contains(part))
        }
        (Computed::Text(text), Computed::Text(part)) => Some(text.contains(part.as_str())),
        (Computed::Map(entries), Computed::Text(key)) => Some(entries.iter().any(|entry| entry.key == *key)),
        _ => None,
    }
}
