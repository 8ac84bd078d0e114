//! Where the code goes one of several ways: the one that is known to be taken, or all that may be, side by side.

use std::ops::Range;

use crate::environment::ecosystems::python::program::block::{Block, Left};
use crate::environment::ecosystems::python::program::interpreter::body;
use crate::environment::ecosystems::python::program::scope::either;
use crate::environment::ecosystems::python::program::variables::Variables;
use crate::environment::readers::code::python::Statement;
use crate::environment::readers::code::{Entry, put};

/// What one way has come to.
struct Way {
    names: Vec<Entry>,
    variables: Variables,
    left: Option<Left>,
    /// Which of the files that were loaded it loads.
    files: Range<usize>,
}

/// Errors that a variable which is not set is caught by.
const OF_KEYS: &[&str] = &["KeyError", "LookupError", "Exception", "BaseException"];

impl Block<'_, '_> {
    /// `if`, `elif` and `else`; gives where they end.
    pub(crate) fn choice(
        &mut self,
        statements: &[Statement],
        first: &Statement,
        body: Range<usize>,
        depth: usize,
    ) -> usize {
        let mut branches = vec![(Some(first), &statements[body.clone()])];
        let mut at = body.end;
        while let Some(next) = statements.get(at).filter(|next| matches!(next.word(), "elif" | "else")) {
            let body = self::body(statements, at);
            at = body.end;
            let is_last = next.word() == "else";
            branches.push(((!is_last).then_some(next), &statements[body]));
            if is_last {
                break;
            }
        }
        let holds = |block: &mut Self, condition: Option<&Statement>| {
            condition.map_or(Some(true), |condition| block.holds(condition.rest(), condition.line))
        };
        self.branches(branches, holds, depth);
        at
    }

    /// `match` with the cases below it.
    pub(crate) fn matched(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let mut branches = Vec::new();
        let mut at = 0;
        while let Some(case) = inner.get(at) {
            let body = self::body(inner, at);
            at = body.end;
            branches.push((case, &inner[body]));
        }
        self.branches(branches, |block, case| block.fits(header.rest(), case), depth);
    }

    /// Tells whether a case is that of the subject; `None` where that is not known.
    fn fits(&mut self, subject: &str, case: &Statement) -> Option<bool> {
        let (pattern, guard) =
            case.rest().split_once(" if ").map_or((case.rest(), None), |(one, two)| (one, Some(two)));
        let fit: Vec<_> = pattern.split('|').map(|one| self.fits_one(subject, one.trim(), case.line)).collect();
        let fits = match fit.contains(&Some(true)) {
            true => Some(true),
            false => fit.iter().all(Option::is_some).then_some(false),
        };
        match guard.map(|guard| self.holds(guard, case.line)) {
            None => fits,
            Some(Some(false)) => Some(false),
            Some(holds) if fits != Some(false) => holds.and(fits),
            Some(_) => fits,
        }
    }

    fn fits_one(&mut self, subject: &str, pattern: &str, line: u32) -> Option<bool> {
        let is_name = pattern.chars().all(|c| c == '_' || c.is_alphanumeric())
            && !pattern.starts_with(|c: char| c.is_ascii_digit())
            && !matches!(pattern, "None" | "True" | "False");
        if is_name {
            // Whatever it is, it is called so from here on.
            let (value, place) = (self.evaluate(subject, line), self.at(line));
            put(&mut self.names, Entry { key: pattern.to_owned(), value, expression: subject.to_owned(), place });
            return Some(true);
        }
        let is_simple = !pattern.contains(['(', '[', '{', '*', ',']);
        if is_simple { self.holds(&format!("({subject}) == {pattern}"), line) } else { None }
    }

    /// Goes through the branch that is taken for sure, or all that may be, side by side. `holds` tells whether the
    /// condition of a branch does.
    fn branches<C>(
        &mut self,
        branches: Vec<(C, &[Statement])>,
        holds: impl Fn(&mut Self, C) -> Option<bool>,
        depth: usize,
    ) {
        if !branches.iter().any(|(_, body)| body.iter().any(changes)) {
            return;
        }
        let mut possible = Vec::new();
        let mut is_settled = false;
        for (condition, body) in branches {
            let holds = holds(self, condition);
            if holds != Some(false) {
                possible.push(body);
            }
            if holds == Some(true) {
                is_settled = true;
                break;
            }
        }
        // The branch that is taken for sure changes the names where they stand.
        if let ([body], true) = (&possible[..], is_settled) {
            self.go(body, depth);
            return;
        }
        let before = self.here();
        let mut ways: Vec<Way> = possible.into_iter().map(|body| self.way(&before, body, depth)).collect();
        if !is_settled {
            ways.insert(0, before);
        }
        self.join(ways);
    }

    /// `try`: its body, and what follows for the case that it fails, where it does or may; gives where they end.
    pub(crate) fn attempt(&mut self, statements: &[Statement], body: Range<usize>, depth: usize) -> usize {
        let inner = &statements[body.clone()];
        let is_missing = inner.iter().any(|one| self.imports_what_is_missing(one));
        let before = self.here();
        let files = self.run.count_files();
        let is_tried = std::mem::replace(&mut self.is_tried, true);
        let doubts = std::mem::take(&mut self.doubts);
        self.go(inner, depth);
        self.is_tried = is_tried;
        let may_fail = std::mem::replace(&mut self.doubts, doubts) > 0;
        let mut at = body.end;
        let mut handlers = Vec::new();
        while let Some(next) = statements.get(at).filter(|next| next.word() == "except") {
            let body = self::body(statements, at);
            at = body.end;
            handlers.push((next.rest(), &statements[body]));
        }
        let has_failed = self.left == Some(Left::Failed);
        if has_failed {
            self.left = None;
            handlers.retain(|(errors, _)| !is_of_imports(errors));
            let catches = |(errors, _): &&(&str, _)| {
                let mut words = errors.split(|c: char| !(c == '_' || c.is_alphanumeric()));
                errors.is_empty() || words.any(|word| OF_KEYS.contains(&word))
            };
            if let Some(first) = handlers.iter().find(catches).copied() {
                handlers = vec![first];
            }
            let here = self.here();
            let ways: Vec<Way> = handlers.iter().map(|(_, body)| self.way(&here, body, depth)).collect();
            if ways.is_empty() {
                // It is left to the `try` around this one.
                self.left = is_tried.then_some(Left::Failed);
            } else {
                self.join(ways);
            }
        } else {
            handlers.retain(|(errors, _)| is_missing || may_fail && !is_of_imports(errors));
            if !handlers.is_empty() {
                let mut ways = vec![self.take(files)];
                ways.extend(handlers.into_iter().map(|(_, body)| self.way(&before, body, depth)));
                self.join(ways);
            }
        }
        while let Some(next) = statements.get(at).filter(|next| matches!(next.word(), "else" | "finally")) {
            let body = self::body(statements, at);
            at = body.end;
            let is_finally = next.word() == "finally";
            let left = if is_finally { self.left.take() } else { self.left };
            if is_finally || !has_failed {
                self.go(&statements[body], depth);
            }
            self.left = self.left.or(left);
        }
        at
    }

    /// What the way has come to so far.
    fn here(&self) -> Way {
        self.run.spend(self.names.len());
        let files = self.run.count_files();
        Way { names: self.names.clone(), variables: self.run.variables(), left: None, files: files..files }
    }

    /// Goes through statements from where another way has come to.
    fn way(&mut self, from: &Way, statements: &[Statement], depth: usize) -> Way {
        self.run.spend(2 * (from.names.len() + from.variables.count()));
        self.names.clone_from(&from.names);
        self.run.replace_variables(from.variables.clone());
        self.left = None;
        let files = self.run.count_files();
        self.go(statements, depth);
        self.take(files)
    }

    /// Takes the way that began when so many files were loaded.
    fn take(&mut self, files: usize) -> Way {
        let variables = self.run.replace_variables(Variables::default());
        let files = files..self.run.count_files();
        Way { names: std::mem::take(&mut self.names), variables, left: self.left.take(), files }
    }

    /// Goes on with what all these ways have come to.
    fn join(&mut self, ways: Vec<Way>) {
        self.left = match ways.iter().all(|way| way.left.is_some()) {
            true if ways.iter().any(|way| way.left == Some(Left::Failed)) => Some(Left::Failed),
            true => ways.first().and_then(|way| way.left),
            false => None,
        };
        self.doubts += usize::from(ways.iter().any(|way| way.left == Some(Left::Failed)));
        self.run.note_files(&ways.iter().map(|way| way.files.clone()).collect::<Vec<_>>());
        let (mut names, mut variables) = (Vec::new(), Vec::new());
        for way in ways {
            names.push(way.names);
            variables.push(way.variables);
        }
        self.run.replace_variables(variables.into_iter().reduce(Variables::either).unwrap_or_default());
        self.complete(&mut names);
        self.names = names.into_iter().reduce(either).unwrap_or_default();
    }

    /// Adds to each way what the block around gives for a name that another way assigns.
    fn complete(&self, ways: &mut [Vec<Entry>]) {
        let Some(outer) = self.outer else { return };
        let mut keys: Vec<String> = Vec::new();
        for entry in ways.iter().flatten() {
            if !keys.contains(&entry.key) && outer.known(&entry.key).is_some() {
                keys.push(entry.key.clone());
            }
        }
        for key in keys {
            for way in ways.iter_mut().filter(|way| way.iter().all(|entry| entry.key != key)) {
                way.extend(outer.known(&key).cloned());
            }
        }
    }
}

/// Tells whether a statement may change what is known.
fn changes(one: &Statement) -> bool {
    let marks =
        ["=", ".update(", ".setdefault(", ".pop(", "env(", "load_dotenv(", "include(", ".read(", "(__name__", "://"];
    matches!(one.word(), "from" | "import" | "return" | "raise" | "del" | "def" | "class")
        || marks.iter().any(|mark| one.text.contains(mark))
}

/// Tells whether the errors that are caught are those of imports alone.
fn is_of_imports(errors: &str) -> bool {
    let mut words = errors.split(|c: char| !(c == '_' || c.is_alphanumeric())).filter(|word| !word.is_empty());
    let errors: Vec<&str> = words.by_ref().take_while(|word| *word != "as").collect();
    !errors.is_empty() && errors.iter().all(|error| matches!(*error, "ImportError" | "ModuleNotFoundError"))
}
