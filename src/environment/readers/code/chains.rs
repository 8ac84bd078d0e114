//! Evaluates a name, text, bracket or number with the calls, indexes and members behind it.

use std::ops::ControlFlow;

use crate::environment::readers::code::calls;
use crate::environment::readers::code::calls::Arguments;
use crate::environment::readers::code::computed::{Computed, constant};
use crate::environment::readers::code::parser::Parser;
use crate::environment::readers::code::tokens::Token;

/// What a chain of names, calls and indexes has come to so far.
enum Reached {
    Path(String),
    Value(Computed),
}

impl Parser<'_, '_> {
    /// A name, text, bracket or number with the calls, indexes and members behind it.
    pub(crate) fn chain(&mut self) -> Option<Computed> {
        let mut reached = self.start()?;
        loop {
            reached = match self.step(reached)? {
                ControlFlow::Continue(reached) => reached,
                ControlFlow::Break(value) => return Some(value),
            };
        }
    }

    /// The first part of a chain.
    fn start(&mut self) -> Option<Reached> {
        Some(match self.peek()? {
            Token::Text(pieces) => {
                self.at += 1;
                let mut text = self.filled(pieces);
                while let Some(Token::Text(pieces)) = self.peek() {
                    self.at += 1;
                    text = match (text, self.filled(pieces)) {
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
            // `lambda: x` comes to what it gives when it is called.
            Token::Name("lambda") => {
                while self.takes_mark(&[":"]).is_none() {
                    self.at += 1;
                    self.peek()?;
                }
                Reached::Value(self.choice()?)
            }
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
                    None => self.named(name),
                }
            }
            Token::Mark(_) => return None,
        })
    }

    /// What the code knows by a name, or its member that stands behind it.
    fn named(&mut self, name: &str) -> Reached {
        if let Some(value) = self.member_of(name) {
            return Reached::Value(value);
        }
        match (self.scope.names)(name) {
            // `env = environ.Env()`: what cannot be told is called by its name.
            None | Some(Computed::Unknown | Computed::Unset) if self.goes_on() => Reached::Path(name.to_owned()),
            Some(value) => Reached::Value(value),
            None => Reached::Path(name.to_owned()),
        }
    }

    /// Takes the member that stands behind a name, where that is known by itself.
    fn member_of(&mut self, name: &str) -> Option<Computed> {
        let token = |at: usize| self.tokens.get(self.at + at).map(|placed| &placed.token);
        let (Some(Token::Mark(".")), Some(Token::Name(member))) = (token(0), token(1)) else { return None };
        if token(2) == Some(&Token::Mark("(")) {
            return None;
        }
        let value = (self.scope.members)(name, member)?;
        self.at += 2;
        Some(value)
    }

    /// Goes on with the call, index or member that stands here; breaks where the chain ends.
    fn step(&mut self, reached: Reached) -> Option<ControlFlow<Computed, Reached>> {
        Some(ControlFlow::Continue(match self.peek() {
            Some(Token::Mark("." | "?." | "&." | "::" | "->")) => {
                self.at += 1;
                match self.peek() {
                    Some(Token::Name(name)) => {
                        self.at += 1;
                        self.member(reached, name)?
                    }
                    // `process.env?.["X"]`
                    Some(Token::Mark("[")) => reached,
                    // PHP's `'a' . 'b'`
                    Some(Token::Text(pieces)) => {
                        let other = self.filled(pieces);
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
                let Reached::Path(path) = reached else { return Some(ControlFlow::Break(Computed::Unknown)) };
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
            _ => return Some(ControlFlow::Break(self.value(reached))),
        }))
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
        // `name()` stands for what a function of the code returns, `name(…)` for what it returns for any arguments.
        let is_plain = arguments.positional.is_empty() && arguments.keywords.is_empty();
        let of_any = if is_plain { None } else { (self.scope.names)(&format!("{path}(…)")) };
        let of_any = of_any.filter(|value| *value != Computed::Unset);
        let returned = of_any.or_else(|| (self.scope.names)(&format!("{path}()")));
        if let Some(value) = returned.filter(|value| *value != Computed::Unknown) {
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

    /// The arguments up to the closing parenthesis.
    pub(crate) fn arguments(&mut self) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        while self.takes_mark(&[")"]).is_none() {
            let keyword = match (self.peek(), self.tokens.get(self.at + 1).map(|placed| &placed.token)) {
                (Some(Token::Name(name)), Some(Token::Mark("=" | ":" | "=>"))) => {
                    Some((*name).trim_start_matches(':').to_owned())
                }
                _ => None,
            };
            self.at += if keyword.is_some() { 2 } else { 0 };
            let value = self.element(")")?;
            match keyword {
                Some(name) => arguments.keywords.push((name, value)),
                None => arguments.positional.push(value),
            }
        }
        Some(arguments)
    }
}
