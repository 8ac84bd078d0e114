//! Evaluates what is written out: texts with what they fill in, tuples, lists and maps.

use crate::environment::readers::code::computed::{Computed, Entry, put};
use crate::environment::readers::code::parser::{LONGEST_TEXT, Parser};
use crate::environment::readers::code::tokens::{Piece, Token};

impl Parser<'_, '_> {
    pub(crate) fn filled(&self, pieces: &[Piece<'_>]) -> Computed {
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
                        Computed::Unset => self.scope.fills_unset.set(true),
                        _ => return Computed::Unknown,
                    }
                }
            }
        }
        Computed::Text(text)
    }

    /// `(a)`, or a tuple.
    pub(crate) fn parenthesis(&mut self) -> Option<Computed> {
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
    pub(crate) fn list(&mut self, end: &str) -> Option<Computed> {
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

    /// What stands up to the next comma or `end`, and goes behind that comma, or before `end`; unknown where it cannot be read.
    pub(crate) fn element(&mut self, end: &str) -> Option<Computed> {
        let (start, depth) = (self.at, self.depth);
        let read = self.choice();
        let is_whole = matches!(self.peek(), Some(Token::Mark(mark)) if *mark == "," || *mark == end);
        let value = read.filter(|_| is_whole).unwrap_or_else(|| {
            self.at = start;
            Computed::Unknown
        });
        self.depth = depth;
        self.skip_to_next(end)?;
        Some(value)
    }

    /// The pairs up to `end`. A value that cannot be read is skipped, and unknown.
    pub(crate) fn map(&mut self, end: &str) -> Option<Computed> {
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
                self.skip_to_next(end)?;
                continue;
            }
            let place = self.place();
            let key = self.key()?;
            let from = self.tokens.get(self.at).map_or(self.text.len(), |placed| placed.at);
            let value = self.element(end)?;
            let to = self.tokens.get(self.at - 1).map_or(self.text.len(), |placed| placed.at);
            let to = if self.peek_back() == Some(",") { to } else { self.here() };
            let expression = self.text.get(from..to).unwrap_or_default().trim().trim_end_matches(',').trim().to_owned();
            put(&mut entries, Entry { key, value, expression, place });
        }
        Some(Computed::Map(entries))
    }

    /// A key with the mark behind it.
    fn key(&mut self) -> Option<String> {
        let is_name = matches!(self.peek(), Some(Token::Name(_)));
        let key = match self.peek()? {
            Token::Text(pieces) => match self.filled(pieces) {
                Computed::Text(key) => key,
                _ => return None,
            },
            Token::Name(name) => match (self.scope.names)(name) {
                Some(Computed::Text(key)) => key,
                _ => name.trim_start_matches(':').to_owned(),
            },
            Token::Number(number) => (*number).to_owned(),
            Token::Mark(_) => return None,
        };
        self.at += 1;
        match self.peek() {
            Some(Token::Mark(":" | "=>" | "=")) => self.at += 1,
            // `key :value`
            Some(Token::Name(name)) if name.starts_with(':') => {}
            // `{ name }` stands for `{ name: name }`; `{"a", "b"}` is a set.
            Some(Token::Mark("," | "}")) if is_name => self.at -= 1,
            _ => return None,
        }
        Some(key)
    }
}
