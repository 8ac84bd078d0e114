//! ERB in YAML: hidden while the YAML is read, evaluated afterwards.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::collections::HashMap;
use crate::environment::Unresolved;
use crate::environment::readers::code;
use crate::environment::readers::code::ruby::holds;
use crate::environment::readers::code::{Computed, Value};
use crate::environment::readers::expansion::Lookup;

/// What could disturb YAML's reading of a value, and what stands for it meanwhile (of the private use area).
const DISTURBING: [(char, char); 4] = [(':', '\u{E001}'), ('#', '\u{E002}'), ('"', '\u{E003}'), ('\'', '\u{E004}')];

/// Makes ERB inert for YAML: what gives a value is disguised, the rest is left out.
pub(crate) fn hidden(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(tag) = Tag::first(rest) {
        hidden.push_str(&rest[..tag.at]);
        let stand_in =
            |character| DISTURBING.iter().find(|(one, _)| *one == character).map_or(character, |(_, other)| *other);
        let whole = &rest[tag.at..tag.end];
        match tag.code {
            Code::Value => hidden.extend(whole.chars().map(stand_in)),
            Code::Control(_) => hidden.extend(whole.chars().filter(|c| *c == '\n')),
        }
        rest = &rest[tag.end..];
    }
    hidden.push_str(rest);
    hidden
}

fn shown(text: &str) -> String {
    let original =
        |character| DISTURBING.iter().find(|(_, other)| *other == character).map_or(character, |(one, _)| *one);
    text.chars().map(original).collect()
}

/// `<%= … %>`, or `<% … %>`.
struct Tag<'t> {
    at: usize,
    end: usize,
    code: Code<'t>,
}

enum Code<'t> {
    Value,
    Control(&'t str),
}

impl<'t> Tag<'t> {
    fn first(text: &'t str) -> Option<Self> {
        let at = text.find("<%")?;
        let end = at + text[at..].find("%>")? + 2;
        let inside = &text[at + 2..end - 2];
        let code = match inside.strip_prefix('=') {
            Some(_) => Code::Value,
            None => Code::Control(inside.trim_start_matches('-').trim_end_matches('-').trim()),
        };
        Some(Tag { at, end, code })
    }
}

/// What the tags of a file that give no value say: which of its lines count, and what names stand for.
#[derive(Default)]
pub(crate) struct Control {
    branches: Vec<Branch>,
    /// The innermost branch behind the tags of a line, by the line.
    innermost: Vec<(u32, Option<usize>)>,
    names: Vec<Name>,
    by_name: HashMap<String, Vec<usize>>,
    /// Lines of which a part hangs on a condition, with the innermost branch around all of the line.
    torn: BTreeMap<u32, Option<usize>>,
}

/// What stands between two tags, which counts where its conditions come to what is expected of them.
struct Branch {
    outer: Option<usize>,
    conditions: Vec<(String, bool)>,
    /// It hangs on what is not evaluated here: a loop, a `case`.
    is_unknown: bool,
    /// How many names were assigned before it.
    names: usize,
}

/// `name = expression`.
struct Name {
    expression: String,
    line: u32,
    branch: Option<usize>,
}

/// Blocks nested deeper, and more conditions of one, are not told apart: what stands there is unknown.
const DEEPEST: usize = 32;
const MOST_CONDITIONS: usize = 32;

/// More conditions and names of one file are not evaluated: what hangs on them is unknown.
const MOST_STEPS: usize = 10_000;

/// Names that refer to names are followed so far.
const DEEPEST_NAMES: usize = 8;

impl Control {
    pub(crate) fn of(text: &str) -> Control {
        let mut control = Control::default();
        let mut open: Vec<usize> = Vec::new();
        let (mut line, mut at) = (1_u32, 0);
        // Of the line that is gone through: where it ends, how many blocks were open all the while, whether a tag of a block
        // and something else than tags stands on it.
        let (mut end, mut fewest) = (line_end(text, 0), 0);
        let (mut has_block, mut has_more) = (false, false);
        while let Some(tag) = Tag::first(&text[at..]) {
            let (from, to) = (at + tag.at, at + tag.end);
            if from >= end {
                has_more |= !text[at..end].trim().is_empty();
                control.end_line(line, has_block && has_more, &open, fewest);
                line = line.saturating_add(lines(&text[at..from]));
                at = text[..from].rfind('\n').map_or(0, |newline| newline + 1).max(end);
                end = line_end(text, from);
                (fewest, has_block, has_more) = (open.len(), false, false);
            }
            has_more |= !text[at..from].trim().is_empty();
            match tag.code {
                Code::Control(code) if !code.starts_with('#') => {
                    has_block |= control.note(code, line, &mut open, &mut fewest);
                }
                Code::Control(_) => {}
                Code::Value => has_more = true,
            }
            if to > end {
                // What a tag of several lines ends on is its line.
                control.end_line(line, has_block && has_more, &open, fewest);
                line = line.saturating_add(lines(&text[from..to]));
                end = line_end(text, to);
                (fewest, has_block, has_more) = (open.len(), false, false);
            }
            at = to;
        }
        has_more |= !text[at..end.max(at)].trim().is_empty();
        control.end_line(line, has_block && has_more, &open, fewest);
        control
    }

    fn end_line(&mut self, line: u32, is_torn: bool, open: &[usize], fewest: usize) {
        if is_torn {
            self.torn.insert(line, fewest.checked_sub(1).and_then(|at| open.get(at)).copied());
        }
        self.innermost.push((line, open.last().copied()));
    }

    /// Notes the code of a tag; tells whether it begins, goes on with or ends a block.
    fn note(&mut self, code: &str, line: u32, open: &mut Vec<usize>, fewest: &mut usize) -> bool {
        let (word, condition) = code.split_once(' ').unwrap_or((code, ""));
        match word {
            "if" => self.begin(open, vec![(condition.to_owned(), true)], false),
            "unless" => self.begin(open, vec![(condition.to_owned(), false)], false),
            "elsif" | "else" => {
                let Some(before) = open.pop() else { return true };
                *fewest = open.len().min(*fewest);
                let Branch { conditions, is_unknown, .. } = &self.branches[before];
                let (mut conditions, mut is_unknown) = (conditions.clone(), *is_unknown);
                if let Some((_, expected)) = conditions.last_mut() {
                    *expected = !*expected;
                }
                if word == "elsif" {
                    conditions.push((condition.to_owned(), true));
                }
                if conditions.len() > MOST_CONDITIONS {
                    (conditions, is_unknown) = (Vec::new(), true);
                }
                self.begin(open, conditions, is_unknown);
            }
            "end" => {
                open.pop();
                *fewest = open.len().min(*fewest);
            }
            "when" | "in" => {}
            _ if matches!(word, "case" | "while" | "until" | "for" | "begin")
                || code.contains(" do")
                || code.ends_with('{') =>
            {
                self.begin(open, Vec::new(), true);
            }
            _ => {
                if let Some((name, expression)) = code.split_once('=')
                    && name.trim().bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
                    && !expression.starts_with('=')
                {
                    self.by_name.entry(name.trim().to_owned()).or_default().push(self.names.len());
                    let (expression, branch) = (expression.trim().to_owned(), open.last().copied());
                    self.names.push(Name { expression, line, branch });
                }
                return false;
            }
        }
        true
    }

    fn begin(&mut self, open: &mut Vec<usize>, conditions: Vec<(String, bool)>, is_unknown: bool) {
        let outer = open.last().copied();
        // Deeper ones stand for the one that they are in, of which nothing is known then.
        let (outer, is_unknown) = if open.len() < DEEPEST { (outer, is_unknown) } else { (None, true) };
        self.branches.push(Branch { outer, conditions, is_unknown, names: self.names.len() });
        open.push(self.branches.len() - 1);
    }

    /// Begins to ask about the file in an environment.
    pub(crate) fn asked<'c>(&'c self, environment: &'c str, lookup: Lookup<'c>) -> Asked<'c> {
        Asked { control: self, environment, lookup, left: Cell::new(MOST_STEPS), depth: Cell::new(0) }
    }
}

/// Questions about a file in one environment, which all together take so many steps at most.
pub(crate) struct Asked<'c> {
    control: &'c Control,
    environment: &'c str,
    lookup: Lookup<'c>,
    /// How much may still be evaluated.
    left: Cell<usize>,
    /// How many expressions wait for the one that is evaluated.
    depth: Cell<usize>,
}

impl Asked<'_> {
    /// Tells whether what stands at a line counts; `None` where that is not known.
    pub(crate) fn counts(&self, line: u32) -> Option<bool> {
        let Control { torn, innermost, .. } = self.control;
        match torn.get(&line) {
            Some(around) => self.branch_counts(*around).filter(|counts| !counts),
            None => {
                let before = innermost.partition_point(|(own, _)| *own < line);
                self.branch_counts(before.checked_sub(1).and_then(|at| innermost[at].1))
            }
        }
    }

    /// Evaluates the `<%= … %>` of the value of `key` at a line; `None` where that comes to nothing.
    pub(crate) fn evaluated(&self, key: &str, line: u32, value: &str) -> Option<(String, Option<Unresolved>)> {
        if !value.contains("<%=") {
            return Some((value.to_owned(), None));
        }
        let value = shown(value);
        let known = self.control.names.partition_point(|name| name.line <= line);
        let mut result = String::new();
        let mut rest = value.as_str();
        let mut is_unset = false;
        while let Some((before, after)) = rest.split_once("<%=") {
            let (expression, behind) = after.split_once("%>").unwrap_or((after, ""));
            result.push_str(before);
            match self.value(expression.trim_end_matches('-'), known) {
                Value::Known(known) => result.push_str(&known),
                Value::Unset => is_unset = true,
                Value::Unknown => return Some((value.clone(), Some(code::unresolved(key)))),
            }
            rest = behind;
        }
        result.push_str(rest);
        (!(is_unset && result.trim().is_empty())).then_some((result, None))
    }

    /// Takes a step; tells whether there was one left.
    fn steps(&self) -> bool {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Evaluates an expression where the first `known` names of the file are assigned.
    fn value(&self, expression: &str, known: usize) -> Value {
        if !self.steps() || self.depth.get() == DEEPEST_NAMES {
            return Value::Unknown;
        }
        self.depth.set(self.depth.get() + 1);
        let value = code::evaluate_with(expression, self.lookup, &|name| self.name(name, known));
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// Tells whether what stands in a branch counts.
    fn branch_counts(&self, branch: Option<usize>) -> Option<bool> {
        let mut counts = Some(true);
        let mut next = branch;
        while let Some(at) = next {
            let branch = &self.control.branches[at];
            if branch.is_unknown {
                counts = None;
            }
            for (condition, expected) in &branch.conditions {
                let holds = holds(condition, self.environment).or_else(|| {
                    let choice = format!("\"yes\" if {condition} else \"no\"");
                    match self.value(&choice, branch.names) {
                        Value::Known(said) => Some(said == "yes"),
                        Value::Unset | Value::Unknown => None,
                    }
                });
                match holds {
                    Some(holds) if holds != *expected => return Some(false),
                    Some(_) => {}
                    None => counts = None,
                }
            }
            next = branch.outer;
        }
        counts
    }

    /// Gives what a name stands for: what was assigned last where that counts.
    fn name(&self, name: &str, known: usize) -> Option<Computed> {
        let assigned = self.control.by_name.get(name)?;
        let assigned = &assigned[..assigned.partition_point(|at| *at < known)];
        for at in assigned.iter().rev() {
            let Name { expression, branch, .. } = &self.control.names[*at];
            match self.branch_counts(*branch) {
                Some(false) if self.steps() => {}
                Some(true) => {
                    return Some(match self.value(expression, *at) {
                        Value::Known(value) => Computed::Text(value),
                        Value::Unset => Computed::Unset,
                        Value::Unknown => Computed::Unknown,
                    });
                }
                Some(false) | None => return Some(Computed::Unknown),
            }
        }
        (!assigned.is_empty()).then_some(Computed::Unset)
    }
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_where_their_conditions_hold() {
        let text = "a\n<% if ENV['SET'] %>\nb\n<% elsif ENV['OTHER'] -%>\nc\n<%- else -%>\nd\n<% end %>\n<% unless Rails.env.production? %>\ne\n<% end %>\n<% list.each do |x| %>\nf\n<% end %>\nhost: <% if ENV['SET'] %>g<% end %>\n<%# if %>\nh\n";
        let control = Control::of(text);
        let counting = |set: Option<&str>, environment: &str| {
            let lookup = |name: &str| set.filter(|own| *own == name).map(|_| "x".to_owned());
            let mark = |(line, number): (&str, u32)| match control.asked(environment, &lookup).counts(number) {
                Some(true) => line.to_owned(),
                Some(false) => String::new(),
                None => format!("{line}?"),
            };
            let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with("<%"));
            lines
                .map(mark)
                .map(|line| line.replace("host: <% if ENV['SET'] %>g<% end %>", "g"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(counting(Some("SET"), "test"), "a b   e f? g? h");
        assert_eq!(counting(Some("OTHER"), "test"), "a  c  e f? g? h");
        assert_eq!(counting(None, "production"), "a   d  f? g? h");
    }

    #[test]
    fn values_may_read_names_and_nothing_else_of_a_template_is_left() {
        let text =
            "<% host = ENV['SET'] || 'db' %>\ntest:\n  host: <%= host %>\n  <% if true %>\n  port: 1\n  <% end %>\n";
        let hidden = hidden(text);
        assert_eq!(hidden, "\ntest:\n  host: <%= host %>\n  \n  port: 1\n  \n");
        let control = Control::of(text);
        let host = |lookup: Lookup<'_>| control.asked("test", lookup).evaluated("host", 3, "<%= host %>");
        assert_eq!(host(&|_| None), Some(("db".to_owned(), None)));
        assert_eq!(host(&|_| Some("x".to_owned())), Some(("x".to_owned(), None)));
    }

    #[test]
    fn a_name_stands_for_what_is_assigned_where_the_branch_counts() {
        let text = "<% if ENV['SET'] %><% host = 'a' %><% else %><% host = 'b' %><% end %>\n<% if Rails.env.production? %>\n<% host = 'p' %>\n<% end %>\nhost: <%= host %>\n<% list.each do |x| %>\n<% host = x %>\n<% end %>\nlast: <%= host %>\n";
        let control = Control::of(text);
        let value = |line, environment: &str, set: Option<&str>| {
            let lookup = |_: &str| set.map(str::to_owned);
            control.asked(environment, &lookup).evaluated("host", line, "<%= host %>").unwrap()
        };
        assert_eq!(value(5, "test", Some("x")), ("a".to_owned(), None));
        assert_eq!(value(5, "test", None), ("b".to_owned(), None));
        assert_eq!(value(5, "production", None), ("p".to_owned(), None));
        assert_eq!(value(9, "test", None), ("<%= host %>".to_owned(), Some(Unresolved::Code)));
    }

    #[test]
    fn hostile_templates_end() {
        for piece in [
            "<%",
            "%>",
            "<% if %>",
            "<% if a %>\n",
            "<% end %>",
            "<% else %>",
            "<% elsif a %>x",
            "<% a = a %>",
            "<% a = a + a %>\n",
            "<% if a %><% a = a %><% end %>",
            "<%= a",
            "é<%",
        ] {
            let text = piece.repeat(60_000);
            hidden(&text);
            let control = Control::of(&text);
            let asked = control.asked("test", &|_| None);
            for line in 1..60_000 {
                asked.counts(line);
                asked.evaluated("a", line, "<%= a %>");
            }
        }
    }
}
