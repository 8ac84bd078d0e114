//! The variables of a makefile, and texts with them filled in.
//!
//! Source: GNU Make's manual, "Flavors", "Setting Variables", "Functions".

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

/// Bytes that the variables of one makefile may add to it; what is beyond them stays as written.
const MOST_EXPANDED: usize = 1 << 20;
/// Bytes that are looked through for the ends of references.
const MOST_SCANNED: usize = 32 << 20;
/// What looking one reference up counts for besides its length, in such bytes.
const LOOK_UP: usize = 8;
/// How deep variables that name each other are filled in.
const DEEPEST: usize = 32;
/// The names of what is given to a call.
const ARGUMENTS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// How a definition treats what the variable holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`: filled in where it is used.
    Recursive,
    /// `:=`: filled in where it stands.
    Simple,
    /// `?=`: only where nothing is set, by the environment neither.
    Default,
    /// `+=`
    Append,
    /// `!=`: what a command prints.
    Shell,
}

/// `X = y` taken apart, with the words before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition<'l> {
    pub(crate) name: &'l str,
    pub(crate) operator: Operator,
    pub(crate) value: &'l str,
    pub(crate) is_exported: bool,
    /// It beats what is given on the command line.
    pub(crate) overrides: bool,
}

impl<'l> Definition<'l> {
    /// Takes a line apart; `None` where it defines nothing.
    pub(crate) fn of(line: &'l str) -> Option<Self> {
        let (Modified { is_exported, overrides }, rest) = Modified::of(line);
        let (before, value) = rest.split_once('=')?;
        let name = before.trim_end_matches([':', '?', '+', '!', ' ', '\t']);
        let operator = match before[name.len()..].trim() {
            "" => Operator::Recursive,
            "?" => Operator::Default,
            "+" => Operator::Append,
            "!" => Operator::Shell,
            colons if colons.bytes().all(|byte| byte == b':') => Operator::Simple,
            _ => return None,
        };
        let is_part = |byte: u8| matches!(byte, b'_' | b'.' | b'-') || byte.is_ascii_alphanumeric();
        let is_name = !name.is_empty() && name.bytes().all(is_part);
        is_name.then(|| Definition { name, operator, value: value.trim(), is_exported, overrides })
    }
}

/// The words that may stand before a definition.
#[derive(Debug, Default)]
pub(crate) struct Modified {
    pub(crate) is_exported: bool,
    pub(crate) overrides: bool,
}

impl Modified {
    /// Takes them off a line.
    pub(crate) fn of(line: &str) -> (Self, &str) {
        let mut modified = Modified::default();
        let mut rest = line.trim_start();
        while let Some((word, behind)) = rest.split_once([' ', '\t']) {
            // `export = x` is a variable of that name.
            if behind.trim_start().starts_with(['=', ':', '?', '+', '!']) {
                break;
            }
            match word {
                "export" => modified.is_exported = true,
                "override" => modified.overrides = true,
                "private" => {}
                _ => break,
            }
            rest = behind.trim_start();
        }
        (modified, rest)
    }
}

/// What a variable holds.
#[derive(Debug, Clone)]
struct Variable {
    text: String,
    /// It is filled in already.
    is_simple: bool,
}

/// A text with what could be filled in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) text: String,
    /// Nothing in it hangs on what is not computed here.
    pub(crate) is_whole: bool,
}

/// What counts besides the variables: those of one target, those that make sets by itself (`@`, `*`, `<`), and the arguments
/// of a call. Such texts stand over each other, and none is copied.
#[derive(Clone, Copy, Default)]
pub(crate) struct Overlay<'o> {
    /// Names and texts; one without a text hides what is beneath.
    pub(crate) entries: &'o [(&'o str, Option<&'o str>)],
    pub(crate) beneath: Option<&'o Overlay<'o>>,
}

impl Overlay<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match self.entries.iter().rev().find(|(own, _)| *own == name) {
            Some((_, text)) => *text,
            None => self.beneath?.get(name),
        }
    }
}

/// Gives a variable of the environment.
type Environment<'f> = &'f dyn Fn(&str) -> Option<String>;

/// The variables of a makefile with those that it includes.
#[derive(Default)]
pub(crate) struct Variables<'f> {
    own: HashMap<String, Variable>,
    /// What was given on the command line: it beats what the file says.
    given: HashSet<String>,
    /// The environment that make is started with.
    pub(crate) environment: Option<Environment<'f>>,
    /// Tells whether a file is there, by its path from the folder that make runs in.
    pub(crate) present: Option<&'f dyn Fn(&str) -> bool>,
    /// A file that may set more is not there yet.
    pub(crate) is_incomplete: bool,
    /// Bytes that variables have added so far: doubling ones must not fill the memory.
    expanded_bytes: Cell<usize>,
    scanned_bytes: Cell<usize>,
}

impl Variables<'_> {
    /// Sets what the command line gives.
    pub(crate) fn give(&mut self, given: &[(String, String)]) {
        for (name, value) in given {
            self.given.insert(name.clone());
            self.put(name, value.clone(), false);
        }
    }

    pub(crate) fn put(&mut self, name: &str, text: String, is_simple: bool) {
        self.own.insert(name.to_owned(), Variable { text, is_simple });
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.own.remove(name);
    }

    /// Does what a definition says; tells whether it sets the variable.
    pub(crate) fn define(&mut self, definition: &Definition<'_>) -> bool {
        let Definition { name, operator, value, overrides, .. } = *definition;
        if self.given.contains(name) && !overrides {
            return false;
        }
        let before = self.own.get(name);
        let (text, is_simple) = match operator {
            Operator::Default if self.is_set(name) => return false,
            Operator::Recursive | Operator::Default => (value.to_owned(), false),
            Operator::Simple => {
                let filled = self.filled(value, &Overlay::default());
                (filled.text, filled.is_whole)
            }
            Operator::Append => {
                let (before, is_simple) = match before {
                    Some(variable) => (variable.text.clone(), variable.is_simple),
                    None => (self.of_environment(name).unwrap_or_default(), false),
                };
                let added = if is_simple { self.filled(value, &Overlay::default()).text } else { value.to_owned() };
                (format!("{before} {added}").trim_start().to_owned(), is_simple)
            }
            Operator::Shell => (format!("$(shell {value})"), false),
        };
        self.put(name, text, is_simple);
        true
    }

    fn of_environment(&self, name: &str) -> Option<String> {
        self.environment.and_then(|look| look(name))
    }

    /// Lists the variables of the makefile by name, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.own.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Tells whether the command line gives a variable.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Tells whether make hands a variable on to what it starts, without being told to.
    ///
    /// Source: GNU Make's manual, "Communicating Variables to a Sub-make": one that came from the environment or the
    /// command line.
    pub(crate) fn is_handed_on(&self, name: &str) -> bool {
        self.is_given(name) || self.is_in_environment(name)
    }

    fn is_in_environment(&self, name: &str) -> bool {
        self.of_environment(name).is_some()
    }

    /// Tells whether anything sets a variable.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.is_in_environment(name)
    }

    /// Gives what a variable of the makefile comes to; `None` where it sets none of that name.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.own.contains_key(name).then(|| self.filled(&format!("$({name})"), &Overlay::default()).text)
    }

    /// Gives what a variable holds, as it stands there.
    pub(crate) fn held(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(|variable| variable.text.as_str())
    }

    /// Fills the variables into a text; what is not computed here stays as written, and `$$` becomes one.
    pub(crate) fn filled(&self, text: &str, overlay: &Overlay) -> Filled {
        self.filled_at(text, overlay, 0)
    }

    /// Tells whether more would have been filled in than is.
    pub(crate) fn is_cut(&self) -> bool {
        self.expanded_bytes.get() >= MOST_EXPANDED || self.scanned_bytes.get() >= MOST_SCANNED
    }

    /// Gives how many bytes were looked through and filled in so far.
    pub(crate) fn spent(&self) -> usize {
        self.expanded_bytes.get() + self.scanned_bytes.get()
    }

    fn filled_at(&self, text: &str, overlay: &Overlay, depth: usize) -> Filled {
        let mut filled = Filled { text: String::with_capacity(text.len()), is_whole: true };
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            self.scanned_bytes.set(self.scanned_bytes.get() + LOOK_UP);
            let (inside, behind) = match rest.bytes().next() {
                Some(b'$') => {
                    filled.text.push('$');
                    rest = &rest[1..];
                    continue;
                }
                Some(b'(' | b'{') => match closed(rest).filter(|_| !self.is_cut()) {
                    Some(found) => {
                        self.scanned_bytes.set(self.scanned_bytes.get() + found.0.len());
                        found
                    }
                    // Make fails there.
                    None => {
                        filled.is_whole = false;
                        filled.text.push('$');
                        break;
                    }
                },
                Some(byte) if byte.is_ascii() && !self.is_cut() => rest.split_at(1),
                _ => {
                    filled.is_whole = false;
                    filled.text.push('$');
                    continue;
                }
            };
            let value = self.referred(inside, overlay, depth);
            match value {
                Some(value) => {
                    self.expanded_bytes.set(self.expanded_bytes.get() + value.text.len());
                    filled.text.push_str(&value.text);
                    filled.is_whole &= value.is_whole;
                    rest = behind;
                }
                None => {
                    filled.is_whole = false;
                    filled.text.push('$');
                    // `$(shell X)` runs what a shell runs as `$(X)`.
                    if let Some(behind) = rest.strip_prefix("(shell ") {
                        filled.text.push('(');
                        rest = behind;
                    }
                }
            }
        }
        filled.text.push_str(rest);
        filled
    }

    /// What stands for `$(inside)`: the value of a variable, of `wildcard NAME`, or of `call NAME,ARGUMENTS`.
    fn referred(&self, inside: &str, overlay: &Overlay, depth: usize) -> Option<Filled> {
        if depth >= DEEPEST {
            return None;
        }
        if let Some(name) = inside.strip_prefix("wildcard ") {
            let name = self.filled_at(name.trim(), overlay, depth + 1);
            let is_one = name.is_whole && !name.text.contains(['*', '?', '[', ' ', '$']);
            let present = self.present.filter(|_| is_one)?;
            let text = if present(&name.text) { name.text } else { String::new() };
            return Some(Filled { text, is_whole: true });
        }
        if let Some(call) = inside.strip_prefix("call ") {
            let mut parts = call.split(',').map(str::trim);
            let body = &self.own.get(parts.next()?)?.text;
            let given: Vec<String> =
                parts.take(9).map(|argument| self.filled_at(argument, overlay, depth + 1).text).collect();
            let given = given.iter().map(String::as_str).chain(std::iter::repeat(""));
            let entries: Vec<(&str, Option<&str>)> = ARGUMENTS.into_iter().zip(given.map(Some)).collect();
            return Some(self.filled_at(body, &Overlay { entries: &entries, beneath: Some(overlay) }, depth + 1));
        }
        if inside.contains([' ', '\t', ',', ':', '%']) {
            return None;
        }
        let name = self.filled_at(inside, overlay, depth + 1);
        if !name.is_whole {
            return None;
        }
        if let Some(text) = overlay.get(&name.text) {
            // One that is made of itself is made of what it was before.
            let inner = Overlay { entries: &[(&name.text, None)], beneath: Some(overlay) };
            return Some(self.filled_at(text, &inner, depth + 1));
        }
        match self.own.get(&name.text) {
            Some(variable) if variable.is_simple => Some(Filled { text: variable.text.clone(), is_whole: true }),
            Some(variable) => Some(self.filled_at(&variable.text, overlay, depth + 1)),
            None if name.text == "MAKE" => Some(Filled { text: "make".to_owned(), is_whole: true }),
            None => {
                let value = self.of_environment(&name.text)?;
                let is_whole = !value.contains(['$', '`']);
                Some(Filled { text: value, is_whole })
            }
        }
    }

    /// Fills a text in that a condition compares. What nothing sets is empty.
    pub(crate) fn compared(&self, text: &str) -> Filled {
        self.filled(&self.without_unset(text), &Overlay::default())
    }

    /// Leaves the plain references to variables out that nothing sets.
    fn without_unset(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("$(").into_iter().chain(rest.find("${")).min() {
            kept.push_str(&rest[..at]);
            let Some((name, behind)) = closed(&rest[at + 1..]) else { break };
            let is_name = name.bytes().all(|byte| matches!(byte, b'_' | b'-' | b'.') || byte.is_ascii_alphanumeric());
            let is_empty = is_name && !self.is_set(name) && !self.is_incomplete && !is_of_make(name);
            if !is_empty {
                kept.push_str(&rest[at..rest.len() - behind.len()]);
            }
            rest = behind;
        }
        kept.push_str(rest);
        kept
    }
}

/// Tells whether make itself may set a variable.
fn is_of_make(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with("MAKE")
        || matches!(name, "CURDIR" | "MFLAGS" | "SHELL" | "SUFFIXES")
        || matches!(name, "AR" | "AS" | "CC" | "CXX" | "CPP" | "FC" | "LD" | "LEX" | "RM" | "YACC")
}

/// Splits `(…)…` or `{…}…` into what stands inside and what behind.
fn closed(text: &str) -> Option<(&str, &str)> {
    let (open, close) = if text.starts_with('(') { (b'(', b')') } else { (b'{', b'}') };
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Some((&text[1..at], &text[at + 1..]));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_told_by_their_operator_and_the_words_before_them() {
        let definition = |line| {
            let one = Definition::of(line)?;
            let modified =
                format!("{}{}", if one.is_exported { "e" } else { "" }, if one.overrides { "o" } else { "" });
            Some(format!("{modified}|{}|{:?}|{}", one.name, one.operator, one.value))
        };
        for (line, expected) in [
            ("A = b", Some("|A|Recursive|b")),
            ("A:=b=c", Some("|A|Simple|b=c")),
            ("A ::= b", Some("|A|Simple|b")),
            ("export A ?= b", Some("e|A|Default|b")),
            ("override export A += b", Some("eo|A|Append|b")),
            ("A != date", Some("|A|Shell|date")),
            ("exporter = b", Some("|exporter|Recursive|b")),
            ("exports ?= b", Some("|exports|Default|b")),
            ("export = b", Some("|export|Recursive|b")),
            ("export", None),
            ("export A", None),
            ("t: A = b", None),
            ("t: a", None),
            ("= b", None),
        ] {
            assert_eq!(definition(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn variables_hold_what_make_lets_them() {
        let environment = |name: &str| (name == "HOST").then(|| "there".to_owned());
        for (lines, expected) in [
            ("HOST = here", "here"),
            ("HOST ?= here", "there"),
            ("X = a|HOST = $(X)|X = b", "b"),
            ("X = a|HOST := $(X)|X = b", "a"),
            ("HOST = a|HOST += b", "a b"),
            ("HOST += b", "there b"),
            ("HOST = a|HOST ?= b", "a"),
            ("NAME = HOST|X = $($(NAME))|HOST := $(X)", "there"),
            ("HOST = $(HOST)", "$(HOST)"),
            ("HOST != date", "$(date)"),
        ] {
            let mut variables = Variables { environment: Some(&environment), ..Variables::default() };
            for line in lines.split('|') {
                variables.define(&Definition::of(line).unwrap());
            }
            assert_eq!(variables.filled("$(HOST)", &Overlay::default()).text, expected, "{lines}");
        }
    }

    #[test]
    fn what_is_given_beats_the_file_unless_it_overrides() {
        let mut variables = Variables::default();
        variables.give(&[("A".to_owned(), "given".to_owned())]);
        assert!(!variables.define(&Definition::of("A = b").unwrap()));
        assert_eq!(variables.value("A").as_deref(), Some("given"));
        assert!(variables.define(&Definition::of("override A = b").unwrap()));
        assert_eq!(variables.value("A").as_deref(), Some("b"));
    }

    #[test]
    fn doubling_variables_end() {
        let mut variables = Variables::default();
        for at in 0..60_000 {
            let line = format!("V{} = $(V{at})$(V{at})", at + 1);
            variables.define(&Definition::of(&line).unwrap());
        }
        assert!(variables.filled("$(V60000)", &Overlay::default()).text.len() < 4 * MOST_EXPANDED);
        let open = "$(".repeat(60_000);
        assert!(!variables.filled(&open, &Overlay::default()).is_whole);
    }
}
