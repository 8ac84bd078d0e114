//! ERB in YAML: hidden while the YAML is read, evaluated afterwards.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::collections::HashMap;
use crate::environment::Unresolved;
use crate::environment::readers::code;
use crate::environment::readers::code::ruby;
use crate::environment::readers::code::{Computed, Value};
use crate::environment::readers::expansion::Lookup;
use crate::text::newlines;

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
            Code::Value(_) => hidden.extend(whole.chars().map(stand_in)),
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
    Value(&'t str),
    Control(&'t str),
}

impl<'t> Tag<'t> {
    fn first(text: &'t str) -> Option<Self> {
        let at = text.find("<%")?;
        let end = at + text[at..].find("%>")? + 2;
        let inside = &text[at + 2..end - 2];
        let code = match inside.strip_prefix('=') {
            Some(value) => Code::Value(value),
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
    /// How many names were assigned before its conditions.
    names: usize,
}

/// An assignment to a name.
struct Name {
    /// `None` where it is not known what it comes to.
    expression: Option<String>,
    line: u32,
    branch: Option<usize>,
}

/// Blocks nested deeper, and more conditions of one, are not told apart: what stands there is unknown.
const DEEPEST: usize = 32;
const MOST_CONDITIONS: usize = 32;

/// More conditions and names of one file are not evaluated: what hangs on them is unknown.
const MOST_STEPS: usize = 10_000;

/// Stands for the variables of the environment among the names.
const ENVIRONMENT: &str = "ENV";

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
                line = line.saturating_add(newlines(&text.as_bytes()[at..from]));
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
                Code::Value(code) => {
                    control.mark(code, line, &open, false);
                    has_more = true;
                }
            }
            if to > end {
                // What a tag of several lines ends on is its line.
                control.end_line(line, has_block && has_more, &open, fewest);
                line = line.saturating_add(newlines(&text.as_bytes()[from..to]));
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
        let mut is_of_block = false;
        for statement in ruby::statements(code) {
            is_of_block |= self.note_statement(statement, line, open, fewest);
        }
        is_of_block
    }

    fn note_statement(&mut self, statement: &str, line: u32, open: &mut Vec<usize>, fewest: &mut usize) -> bool {
        let (word, condition) = ruby::first_word(statement);
        match word {
            "if" | "unless" if !ruby::ends_itself(statement) => {
                let condition = self.condition(condition, line, open);
                self.begin(open, vec![(condition, word == "if")], false, self.names.len());
            }
            "elsif" | "else" => {
                // Whether what it assigns is assigned hangs on what stands before it.
                self.mark(condition, line, open, false);
                let Some(before) = open.pop() else { return true };
                *fewest = open.len().min(*fewest);
                // What was assigned since then was not where this counts.
                let Branch { conditions, is_unknown, names, .. } = &self.branches[before];
                let (mut conditions, mut is_unknown, names) = (conditions.clone(), *is_unknown, *names);
                if let Some((_, expected)) = conditions.last_mut() {
                    *expected = !*expected;
                }
                if word == "elsif" {
                    conditions.push((condition.to_owned(), true));
                }
                if conditions.len() > MOST_CONDITIONS {
                    (conditions, is_unknown) = (Vec::new(), true);
                }
                self.begin(open, conditions, is_unknown, names);
            }
            _ if word == "end" || statement.starts_with('}') => {
                open.pop();
                *fewest = open.len().min(*fewest);
            }
            "when" | "in" => {}
            _ if ruby::begins_block(statement) => {
                self.mark(statement, line, open, true);
                self.begin(open, Vec::new(), true, self.names.len());
            }
            _ => {
                match ruby::assignment(statement) {
                    Some(assigned) => self.assign(&assigned, line, open),
                    None => self.mark(ruby::modified(statement).0, line, open, true),
                }
                return false;
            }
        }
        true
    }

    /// Notes what a condition assigns; gives what it hangs on then.
    fn condition(&mut self, condition: &str, line: u32, open: &[usize]) -> String {
        let inside =
            condition.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')).unwrap_or(condition).trim();
        match ruby::assignment(inside) {
            Some(assigned) => {
                self.assign(&assigned, line, open);
                assigned.name.to_owned()
            }
            None => {
                self.mark(condition, line, open, false);
                condition.to_owned()
            }
        }
    }

    fn assign(&mut self, assigned: &ruby::Assignment<'_>, line: u32, open: &[usize]) {
        let ruby::Assignment { name, operator, expression, .. } = *assigned;
        let expression = match (operator, self.by_name.contains_key(name)) {
            ("=", _) | ("||=", false) => Some(expression.to_owned()),
            ("||=", true) => Some(format!("{name} || ({expression})")),
            ("+=" | "<<", true) => Some(format!("{name} + ({expression})")),
            _ => None,
        };
        let mut branch = open.last().copied();
        if !assigned.conditions.is_empty() {
            let conditions = assigned.conditions.iter().map(|(condition, holds)| ((*condition).to_owned(), *holds));
            self.branches.push(Branch {
                outer: branch,
                conditions: conditions.take(MOST_CONDITIONS).collect(),
                is_unknown: assigned.conditions.len() > MOST_CONDITIONS,
                names: self.names.len(),
            });
            branch = Some(self.branches.len() - 1);
        }
        self.push(name, Name { expression, line, branch });
    }

    /// Marks the names as unknown that code may change in a way that is not evaluated: those that it assigns, or `all` that it
    /// mentions.
    fn mark(&mut self, code: &str, line: u32, open: &[usize], all: bool) {
        for (name, is_assigned) in ruby::mentioned(code) {
            if is_assigned || all && name != ENVIRONMENT {
                self.push(name, Name { expression: None, line, branch: open.last().copied() });
            }
        }
    }

    fn push(&mut self, name: &str, assigned: Name) {
        self.by_name.entry(name.to_owned()).or_default().push(self.names.len());
        self.names.push(assigned);
    }

    fn begin(&mut self, open: &mut Vec<usize>, conditions: Vec<(String, bool)>, is_unknown: bool, names: usize) {
        let outer = open.last().copied();
        // Deeper ones stand for the one that they are in, of which nothing is known then.
        let (outer, is_unknown) = if open.len() < DEEPEST { (outer, is_unknown) } else { (None, true) };
        self.branches.push(Branch { outer, conditions, is_unknown, names });
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
        let is_changed = expression.contains(ENVIRONMENT) && self.name(ENVIRONMENT, known) == Some(Computed::Unknown);
        let value = match is_changed {
            true => Value::Unknown,
            false => code::evaluate_with(expression, self.lookup, &|name| self.name(name, known)),
        };
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
                let holds = ruby::holds(condition, self.environment).or_else(|| {
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
                    return Some(match expression.as_ref().map(|expression| self.value(expression, *at)) {
                        Some(Value::Known(value)) => Computed::Text(value),
                        Some(Value::Unset) => Computed::Unset,
                        Some(Value::Unknown) | None => Computed::Unknown,
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
    fn what_happens_to_a_name_is_followed_or_makes_it_unknown() {
        let table = [
            ("<% host ||= 'b' %>", Some("b")),
            ("<% host = ENV['SET'] %><% host ||= 'b' %>", Some("b")),
            ("<% host = 'a' %><% host += 'b' %><% host << 'c' %>", Some("abc")),
            ("<% host = 'a'; port = 1\n  host = 'b' # host = 'c'\n%>", Some("b")),
            ("<% host = 'a' %><% host = 'b' if ENV['SET'] %>", Some("a")),
            ("<% host = 'a' %><% host = 'b' unless ENV['SET'] %>", Some("b")),
            ("<% if(ENV['SET']) %><% host = 'a' %><% elsif(true) %><% host = 'b' %><% end %>", Some("b")),
            ("<%\n  if ENV['SET'] then\n    host = 'a'\n  else\n    host = 'b'\n  end\n%>", Some("b")),
            ("<% host = if ENV['SET']\n  'a'\nelse\n  'b'\nend %>", Some("b")),
            ("<% if host = ENV['SET'] %><% else %><% host = 'b' %><% end %>", Some("b")),
            ("<% if !host %><% host = 'a' %><% else %><% host = 'b' %><% end %>", None),
            ("<% host = nil %><% if !host %><% host = 'a' %><% else %><% host = 'b' %><% end %>", Some("a")),
            ("<% host = 'a' %><% raise \"no host\" unless host %><% puts ENV['SET'] if host %>", Some("a")),
            ("<% host = 'a' %><% list.each { |one| %><% host = one %><% } %>", None),
            ("<% host = 'a' %><% list.each { |one| host = one } %>", None),
            ("<% host = 'a' %><% list.each do |one| host = one end %>", None),
            ("<% host = 'a' %><% if ENV['SET'].nil? then host = 'b' end %>", None),
            ("<% host = 'a' %><% host.replace('b') %>", None),
            ("<% host = 'a' %><% host, port = 'b', 1 %>", None),
            ("<% host, port = 'b', 1 %><% host ||= 'a' %>", None),
            ("<% host = 'a' %><% host &&= 'b' %>", None),
            ("<% host = 'a' %><% port && host = 'b' %>", None),
            ("<% host = 'a' %><%= host = 'b' %>", None),
            ("<% ENV['SET'] ||= 'b' %><% host = ENV['SET'] || 'a' %>", None),
            ("<% ENV.update('SET' => 'b') if ENV['SET'].nil? %><% host = ENV['SET'] || 'a' %>", None),
        ];
        for (template, expected) in table {
            let text = format!("{template}\nhost: <%= host %>\n");
            let control = Control::of(&text);
            let line = newlines(text.as_bytes());
            let found = control.asked("test", &|_| None).evaluated("host", line, "<%= host %>").unwrap();
            let known = Some(found.0.as_str()).filter(|_| found.1.is_none());
            assert_eq!(known, expected, "{template}");
        }
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
            "<% a ||= a %>",
            "<% a = a if a %>",
            "<% a.b %>",
            "<% ENV['A'] = a %><% a = ENV['A'] %>",
            "<% a = if\n %>",
            "<% a = if\n",
            "<% a;\n",
            "<%= a",
            "é<%",
        ] {
            let text = piece.repeat(20_000);
            hidden(&text);
            let control = Control::of(&text);
            let asked = control.asked("test", &|_| None);
            for line in 1..20_000 {
                asked.counts(line);
                asked.evaluated("a", line, "<%= a %>");
            }
        }
    }
}
