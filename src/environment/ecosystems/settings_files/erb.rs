//! ERB in YAML: hidden while the YAML is read, evaluated afterwards.

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
    names: Vec<(String, String)>,
    /// Lines of which a part hangs on a condition.
    torn: Vec<u32>,
}

/// The lines between two tags, which count where its conditions come to what is expected of them.
struct Branch {
    from: u32,
    to: u32,
    conditions: Vec<(String, bool)>,
    /// It hangs on what is not evaluated here: a loop, a `case`.
    is_unknown: bool,
}

impl Control {
    pub(crate) fn of(text: &str) -> Control {
        let mut control = Control::default();
        let mut open: Vec<Branch> = Vec::new();
        let (mut rest, mut line) = (text, 1_u32);
        while let Some(tag) = Tag::first(rest) {
            line = line.saturating_add(lines(&rest[..tag.at]));
            if let Code::Control(code) = tag.code
                && !code.starts_with('#')
            {
                let before = rest[..tag.at].rsplit('\n').next().unwrap_or_default();
                let behind = rest[tag.end..].split('\n').next().unwrap_or_default();
                let is_alone = |text: &str| {
                    text.split("<%").all(|part| part.rsplit("%>").next().unwrap_or_default().trim().is_empty())
                };
                let is_block = control.note(code, line, &mut open);
                if is_block && !(is_alone(before) && is_alone(behind)) {
                    control.torn.push(line);
                }
            }
            line = line.saturating_add(lines(&rest[tag.at..tag.end]));
            rest = &rest[tag.end..];
        }
        // What is not closed goes on to the end.
        open.into_iter().for_each(|branch| control.branches.push(Branch { to: u32::MAX, ..branch }));
        control
    }

    /// Notes the code of a tag; tells whether it begins, goes on with or ends a block.
    fn note(&mut self, code: &str, line: u32, open: &mut Vec<Branch>) -> bool {
        let (word, condition) = code.split_once(' ').unwrap_or((code, ""));
        let new = |conditions| Branch { from: line, to: line, conditions, is_unknown: false };
        match word {
            "if" => open.push(new(vec![(condition.to_owned(), true)])),
            "unless" => open.push(new(vec![(condition.to_owned(), false)])),
            "elsif" | "else" => {
                let Some(before) = open.pop() else { return true };
                let mut conditions = before.conditions.clone();
                if let Some((_, expected)) = conditions.last_mut() {
                    *expected = !*expected;
                }
                if word == "elsif" {
                    conditions.push((condition.to_owned(), true));
                }
                let is_unknown = before.is_unknown;
                self.branches.push(Branch { to: line, ..before });
                open.push(Branch { is_unknown, ..new(conditions) });
            }
            "end" => {
                if let Some(branch) = open.pop() {
                    self.branches.push(Branch { to: line, ..branch });
                }
            }
            "when" | "in" => {}
            _ if matches!(word, "case" | "while" | "until" | "for" | "begin")
                || code.contains(" do")
                || code.ends_with('{') =>
            {
                open.push(Branch { is_unknown: true, ..new(Vec::new()) });
            }
            _ => {
                if let Some((name, expression)) = code.split_once('=')
                    && name.trim().bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
                    && !expression.starts_with('=')
                {
                    self.names.push((name.trim().to_owned(), expression.trim().to_owned()));
                }
                return false;
            }
        }
        true
    }

    /// Tells whether what stands at a line counts in the environment; `None` where that is not known.
    pub(crate) fn counts(&self, line: u32, environment: &str, lookup: Lookup<'_>) -> Option<bool> {
        let mut counts = (!self.torn.contains(&line)).then_some(true);
        for branch in self.branches.iter().filter(|branch| branch.from < line && line < branch.to) {
            if branch.is_unknown {
                counts = None;
            }
            for (condition, expected) in &branch.conditions {
                let holds = holds(condition, environment).or_else(|| {
                    let choice = format!("\"yes\" if {condition} else \"no\"");
                    match code::evaluate_with(&choice, lookup, &|name| self.name(name, lookup)) {
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
        }
        counts
    }

    fn name(&self, name: &str, lookup: Lookup<'_>) -> Option<Computed> {
        let (_, expression) = self.names.iter().rev().find(|(own, _)| own == name)?;
        Some(match code::evaluate(expression, lookup) {
            Value::Known(value) => Computed::Text(value),
            Value::Unset => Computed::Unset,
            Value::Unknown => Computed::Unknown,
        })
    }

    /// Evaluates the `<%= … %>` of the value of `key`; `None` where that comes to nothing.
    pub(crate) fn evaluated(&self, key: &str, value: &str, lookup: Lookup<'_>) -> Option<(String, Option<Unresolved>)> {
        if !value.contains("<%=") {
            return Some((value.to_owned(), None));
        }
        let value = shown(value);
        let mut result = String::new();
        let mut rest = value.as_str();
        let mut is_unset = false;
        while let Some((before, after)) = rest.split_once("<%=") {
            let (expression, behind) = after.split_once("%>").unwrap_or((after, ""));
            result.push_str(before);
            let expression = expression.trim_end_matches('-');
            match code::evaluate_with(expression, lookup, &|name| self.name(name, lookup)) {
                Value::Known(known) => result.push_str(&known),
                Value::Unset => is_unset = true,
                Value::Unknown => return Some((value.clone(), Some(code::unresolved(key)))),
            }
            rest = behind;
        }
        result.push_str(rest);
        (!(is_unset && result.trim().is_empty())).then_some((result, None))
    }
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
            let mark = |(line, number): (&str, u32)| match control.counts(number, environment, &lookup) {
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
        assert_eq!(control.evaluated("host", "<%= host %>", &|_| None), Some(("db".to_owned(), None)));
        assert_eq!(control.evaluated("host", "<%= host %>", &|_| Some("x".to_owned())), Some(("x".to_owned(), None)));
    }

    #[test]
    fn hostile_templates_end() {
        for piece in ["<%", "%>", "<% if %>", "<% end %>", "<% else %>", "<% a = a %>", "<%= a", "é<%"] {
            let text = piece.repeat(5_000);
            hidden(&text);
            Control::of(&text).counts(1, "test", &|_| None);
        }
    }
}
