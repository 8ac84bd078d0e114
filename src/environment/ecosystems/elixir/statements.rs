//! What stands around the pairs of an Elixir configuration: the names that are bound, and the blocks of which some parts
//! count. By text and indentation, as `mix format` lays code out; never executed.
//!
//! Source: hexdocs `Kernel.SpecialForms` (`case`, `cond`, `for`, `with`): what is bound in a block is not bound behind it.

use std::cell::Cell;

use crate::collections::{HashMap, HashSet};
use crate::environment::readers::code;
use crate::environment::readers::code::python::top_level;
use crate::environment::readers::code::{Computed, Value};
use crate::environment::readers::expansion::Lookup;

/// What stands around the pairs of a file.
pub(super) struct Statements {
    names: Vec<Binding>,
    by_name: HashMap<String, Vec<usize>>,
    choices: Vec<Choice>,
    /// It has more blocks than are told apart.
    pub(super) is_cut: bool,
    /// How many expressions may still be evaluated.
    left: Cell<usize>,
}

/// A name that is bound.
struct Binding {
    /// `None` where it is not known what to.
    expression: Option<String>,
    line: u32,
    /// The first line that does not see it any more.
    end: u32,
}

/// A block of which one section counts, or none: `if … do … else … end`, `case … do … end`, found by its indentation.
struct Choice {
    from: u32,
    end: u32,
    /// What the patterns of the sections are compared with.
    subject: Option<String>,
    sections: Vec<Section>,
    /// Its last section counts where no other does.
    is_exhaustive: bool,
    /// It is about the environment that is configured, which is known: a variable may yet be set.
    is_of_environment: bool,
    /// Its sections begin with conditions: `cond do`.
    is_cond: bool,
}

/// The lines of a block up to the next section.
struct Section {
    from: u32,
    test: Test,
}

enum Test {
    Holds(String),
    Fits(String),
    Otherwise,
    Unknown,
}

/// Which section of a block counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Surely(Option<usize>),
    Open,
}

/// What is taken to count of the blocks of which that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// All of them, one after the other.
    All,
    /// This section of this block, or none of it; of the others the last one.
    Only(usize, Option<usize>),
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    /// What `config_env()` gives.
    pub(super) environment: Option<&'c str>,
    pub(super) lookup: Lookup<'c>,
}

/// Files with more blocks are not read to their end, and no more expressions are evaluated at once.
const MOST_BLOCKS: usize = 512;
const MOST_STEPS: usize = 20_000;
/// Names that refer to names are followed so far.
const MOST_NAMES: usize = 8;
/// Longer expressions are not read, in lines.
pub(super) const MOST_LINES: usize = 64;

/// Where lines stand that are `end` or `else`, by their indentation.
struct Marks(HashMap<(&'static str, usize), Vec<usize>>);

impl Marks {
    fn of(lines: &[&str]) -> Self {
        let mut marks: HashMap<(&'static str, usize), Vec<usize>> = HashMap::default();
        for (at, line) in lines.iter().enumerate() {
            let mark = ["end", "else"].into_iter().find(|mark| word(line.trim()) == *mark);
            if let Some(mark) = mark {
                marks.entry((mark, indentation(line))).or_default().push(at);
            }
        }
        Marks(marks)
    }

    /// Finds the next one behind a line.
    fn next(&self, mark: &'static str, indentation: usize, at: usize) -> Option<usize> {
        let lines = self.0.get(&(mark, indentation))?;
        lines.get(lines.partition_point(|own| *own <= at)).copied()
    }
}

pub(super) fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Gives the first word of code that is no key: `end` of `end)`, nothing of `endpoint:`.
fn word(code: &str) -> &str {
    let end = code.find(|c: char| !is_of_name(c)).unwrap_or(code.len());
    if code[end..].starts_with(':') { "" } else { &code[..end] }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_lowercase()) && text.chars().all(is_of_name)
}

/// Lists the names in a pattern.
fn names_in(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split(|c: char| !(is_of_name(c) || c == ':')).filter(|part| is_name(part))
}

/// Splits `left = right`; both as written.
fn assignment(code: &str) -> Option<(&str, &str)> {
    let at = top_level(code, |rest| rest.starts_with('='))?;
    let (left, right) = (code[..at].trim_end(), &code[at + 1..]);
    let is_other = right.starts_with(['=', '~', '>']) || left.ends_with(['=', '!', '<', '>', '|']);
    (!is_other).then_some((left, right.trim_start()))
}

/// Splits what stands behind a word that begins a block into its condition and what follows it on the line.
fn condition(rest: &str) -> Option<(&str, bool)> {
    let rest = rest.trim();
    if let Some(condition) = rest.strip_suffix("do").filter(|before| before.is_empty() || before.ends_with([' ', ')']))
    {
        return Some((condition.trim(), true));
    }
    let at = top_level(rest, |rest| rest.starts_with(", do:"))?;
    Some((rest[..at].trim(), false))
}

pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}

impl Statements {
    pub(super) fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let marks = Marks::of(&lines);
        let mut choices: Vec<Choice> =
            (0..lines.len()).filter_map(|at| Choice::at(&lines, at, &marks)).take(MOST_BLOCKS + 1).collect();
        // What stands around a line is looked up among them.
        let is_cut = choices.len() > MOST_BLOCKS;
        choices.truncate(MOST_BLOCKS);
        let mut statements =
            Statements { names: Vec::new(), by_name: HashMap::default(), choices, is_cut, left: Cell::new(MOST_STEPS) };
        statements.bind(&lines);
        statements
    }

    /// Lets as much be evaluated again as at first.
    pub(super) fn begin(&self) {
        self.left.set(MOST_STEPS);
    }

    /// Notes what the lines bind, and how far that is seen.
    fn bind(&mut self, lines: &[&str]) {
        // Those that are seen, with their indentation, how many blocks they stand in, and the line that their expression ends at.
        let mut seen: Vec<(usize, usize, usize, usize)> = Vec::new();
        let mut depth = 0_usize;
        let conditions: HashSet<u32> = self
            .choices
            .iter()
            .filter(|choice| choice.is_cond)
            .flat_map(|choice| &choice.sections)
            .map(|one| one.from)
            .collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.trim();
            if code.is_empty() || code.starts_with('#') {
                continue;
            }
            let outer = indentation(line);
            if word(code) == "end" {
                depth = depth.saturating_sub(1);
            }
            while let Some((name, indentation, blocks, last)) = seen.last().copied()
                && at > last
                && (indentation > outer || blocks > depth)
            {
                self.names[name].end = number(at);
                seen.pop();
            }
            let bound = Self::bound_by(lines, at, &conditions);
            let of_patterns = if bound.is_empty() { outer } else { inside(lines, at) };
            for (name, bound) in bound {
                let (expression, last) = match bound {
                    Some((expression, last)) => (Some(expression), last),
                    None => (None, at),
                };
                // What a pattern binds is seen on its own line, and on those of its block.
                let line = if expression.is_none() { number(at) - 1 } else { number(at) };
                let indentation = if expression.is_none() { of_patterns } else { outer };
                self.by_name.entry(name.to_owned()).or_default().push(self.names.len());
                seen.push((self.names.len(), indentation, depth, last));
                self.names.push(Binding { expression, line, end: u32::MAX });
            }
            if code.ends_with(" do") || code.ends_with("->") && code.contains("fn ") {
                depth += 1;
            }
        }
    }

    /// Lists the names that a line binds, each with its expression and the line where that ends; without it where it is not
    /// known what they are bound to.
    fn bound_by<'t>(
        lines: &[&'t str],
        at: usize,
        conditions: &HashSet<u32>,
    ) -> Vec<(&'t str, Option<(String, usize)>)> {
        let code = lines[at].trim();
        let mut found: Vec<(&str, Option<(String, usize)>)> = Vec::new();
        let unknown = |name| (name, None);
        // `{:ok, host} <- read()`
        for pattern in code.split_inclusive("<-").filter_map(|part| part.strip_suffix("<-")) {
            found.extend(names_in(pattern).map(unknown));
        }
        let arrow = top_level(code, |rest| rest.starts_with("->")).filter(|_| !conditions.contains(&number(at)));
        if let Some(arrow) = arrow {
            let pattern = code[..arrow].rsplit("fn ").next().unwrap_or_default();
            found.extend(names_in(pattern).map(unknown));
        } else if let Some(function) = code.rfind("fn ") {
            let pattern = code[function + 3..].split("->").next().unwrap_or_default();
            found.extend(names_in(pattern).map(unknown));
        }
        let word = word(code);
        let statement = match word {
            "if" | "unless" | "case" => {
                let condition = condition(&code[word.len()..]).map_or("", |(condition, _)| condition);
                let inside = condition.strip_prefix('(').and_then(|inside| inside.strip_suffix(')'));
                inside.unwrap_or(condition)
            }
            _ => code,
        };
        let Some((left, right)) = assignment(statement) else { return found };
        if !is_name(left) {
            found.extend(names_in(left).map(unknown));
            // The end of a pattern that began above.
            if left.starts_with(['}', ']', ')']) {
                let outer = indentation(lines[at]);
                for line in lines[..at].iter().rev().take(MOST_LINES) {
                    found.extend(names_in(line).map(unknown));
                    if indentation(line) <= outer && !line.trim().is_empty() {
                        break;
                    }
                }
            }
            return found;
        }
        let mut expression = right.to_owned();
        let mut last = at;
        if statement.len() == code.len() {
            let outer = indentation(lines[at]);
            let is_open = right.ends_with(" do") || right.ends_with(['(', '[', '{']);
            for next in lines[at + 1..].iter().take(MOST_LINES) {
                let is_mark = matches!(next.trim(), "end" | "else" | ")" | "]" | "}");
                let is_end = is_open && is_mark && indentation(next) == outer;
                if !next.trim().is_empty() && indentation(next) <= outer && !is_end {
                    break;
                }
                last += 1;
                expression.push('\n');
                expression.push_str(next);
                if is_end && next.trim() != "else" {
                    break;
                }
            }
        }
        found.push((left, Some((expression, last))));
        found
    }

    /// Evaluates an expression that stands at `line`.
    pub(super) fn value(&self, expression: &str, line: u32, context: Context<'_>) -> Value {
        self.computed(expression, line, context, MOST_NAMES).into()
    }

    /// As [`Statements::value`], with its structure.
    pub(super) fn structured(&self, expression: &str, line: u32, context: Context<'_>) -> Computed {
        self.computed(expression, line, context, MOST_NAMES)
    }

    fn computed(&self, expression: &str, line: u32, context: Context<'_>, depth: usize) -> Computed {
        let names = |name: &str| {
            if matches!(name, "config_env()" | "Mix.env()") {
                return Some(context.environment.map_or(Computed::Unknown, |name| Computed::Text(name.to_owned())));
            }
            let own = self.by_name.get(name)?;
            let before = own.partition_point(|at| self.names[*at].line < line);
            for at in own[..before].iter().rev() {
                let Binding { expression, line: bound, end } = &self.names[*at];
                if *end > line {
                    return Some(match (expression, depth.checked_sub(1)) {
                        (Some(expression), Some(depth)) => self.computed(expression, *bound, context, depth),
                        _ => Computed::Unknown,
                    });
                }
                if !self.takes_step() {
                    return Some(Computed::Unknown);
                }
            }
            None
        };
        if !self.takes_step() {
            return Computed::Unknown;
        }
        code::computed_with(expression, context.lookup, &names)
    }

    fn takes_step(&self) -> bool {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn holds(&self, condition: &str, line: u32, context: Context<'_>) -> Option<bool> {
        match self.value(&format!("\"yes\" if {condition} else \"no\""), line, context) {
            Value::Known(said) => Some(said == "yes"),
            Value::Unset | Value::Unknown => None,
        }
    }

    /// Decides of each block which section counts.
    pub(super) fn decisions(&self, context: Context<'_>) -> Vec<Decision> {
        self.choices.iter().map(|choice| self.decision(choice, context)).collect()
    }

    fn decision(&self, choice: &Choice, context: Context<'_>) -> Decision {
        let subject = choice.subject.as_ref().map(|subject| self.structured(subject, choice.from, context));
        for (at, section) in choice.sections.iter().enumerate() {
            let counts = match &section.test {
                Test::Holds(condition) => self.holds(condition, choice.from, context),
                Test::Fits(pattern) => subject.as_ref().and_then(|subject| fits(subject, pattern)),
                Test::Otherwise => Some(true),
                Test::Unknown => None,
            };
            match counts {
                Some(true) => return Decision::Surely(Some(at)),
                Some(false) => {}
                None => return Decision::Open,
            }
        }
        // What hangs on a variable that is not set may count, unless it is about another environment.
        if choice.is_of_environment || choice.is_exhaustive { Decision::Surely(None) } else { Decision::Open }
    }

    /// Lists the ways through the blocks around the `lines` of which it is not known what counts.
    pub(super) fn ways(&self, decisions: &[Decision], lines: &[u32]) -> Vec<Way> {
        let mut ways = vec![Way::All];
        for (at, choice) in self.choices.iter().enumerate().filter(|(at, _)| decisions[*at] == Decision::Open) {
            if lines.iter().any(|line| choice.section_of(*line).is_some()) {
                ways.extend((0..choice.sections.len()).map(|section| Way::Only(at, Some(section))));
                ways.extend((!choice.is_exhaustive).then_some(Way::Only(at, None)));
            }
        }
        ways
    }

    /// Tells whether what stands at `line` counts, where that is decided so and what is open goes this way.
    pub(super) fn counts(&self, line: u32, decisions: &[Decision], way: Way) -> bool {
        let around =
            self.choices.iter().enumerate().filter_map(|(at, choice)| Some((at, choice, choice.section_of(line)?)));
        around.into_iter().all(|(at, choice, section)| match (decisions[at], way) {
            (Decision::Surely(taken), _) => taken == Some(section),
            (Decision::Open, Way::All) => true,
            (Decision::Open, Way::Only(one, taken)) if one == at => taken == Some(section),
            (Decision::Open, Way::Only(one, _)) => match choice.section_of(self.choices[one].from) {
                Some(around) => around == section,
                None => choice.is_exhaustive && section + 1 == choice.sections.len(),
            },
        })
    }
}

/// Finds how far the lines are indented that see what a pattern on a line binds.
fn inside(lines: &[&str], at: usize) -> usize {
    let outer = indentation(lines[at]);
    if lines[at].contains("->") {
        return outer + 1;
    }
    if !lines[at].contains("<-") {
        return outer;
    }
    // `with a <- b,` goes on below.
    let begins = |line: &&&str| matches!(word(line.trim()), "for" | "with") && indentation(line) <= outer;
    lines[..=at].iter().rev().take(MOST_LINES).find(begins).map_or(0, |line| indentation(line) + 1)
}

impl Choice {
    /// Reads the block that begins at a line.
    fn at(lines: &[&str], at: usize, marks: &Marks) -> Option<Choice> {
        let line = lines[at];
        let code = line.trim();
        let kind = word(code);
        if !matches!(kind, "if" | "unless" | "case" | "cond" | "with" | "try") {
            return None;
        }
        let (condition, is_block) = condition(&code[kind.len()..])?;
        // What a condition binds is what it comes to.
        let inside = condition.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')).unwrap_or(condition);
        let condition = assignment(inside).filter(|(left, _)| is_name(left)).map_or(condition, |(_, value)| value);
        let test = match kind {
            "if" => Test::Holds(condition.to_owned()),
            "unless" => Test::Holds(format!("not ({condition})")),
            _ => Test::Unknown,
        };
        let is_of_environment = condition.contains("config_env") || condition.contains("Mix.env");
        let choice = |from: usize, end: usize, sections: Vec<Section>, is_exhaustive| Choice {
            from: number(from),
            end: number(end),
            subject: (kind == "case").then(|| condition.to_owned()),
            sections,
            is_exhaustive,
            is_of_environment,
            is_cond: kind == "cond",
        };
        if !is_block {
            let has_other = code.contains(", else:");
            let section = Section { from: number(at), test: if has_other { Test::Unknown } else { test } };
            return (kind != "case").then(|| choice(at, at + 1, vec![section], has_other));
        }
        let outer = indentation(line);
        let end = marks.next("end", outer, at)?;
        if matches!(kind, "case" | "cond") {
            let sections = clauses(&lines[..end], at, kind == "cond");
            return (!sections.is_empty()).then(|| choice(at, end, sections, true));
        }
        let mut sections = vec![Section { from: number(at + 1), test }];
        let otherwise = marks.next("else", outer, at).filter(|otherwise| *otherwise < end);
        sections.extend(otherwise.map(|otherwise| {
            let test = if matches!(kind, "if" | "unless") { Test::Otherwise } else { Test::Unknown };
            Section { from: number(otherwise), test }
        }));
        let is_exhaustive = sections.len() > 1;
        Some(choice(at, end, sections, is_exhaustive))
    }

    /// Finds the section that a line stands in.
    fn section_of(&self, line: u32) -> Option<usize> {
        let before = self.sections.partition_point(|section| section.from <= line);
        before.checked_sub(1).filter(|_| line < self.end)
    }
}

/// Lists the clauses of a `case` or `cond` that begins at a line, whose end the lines stand before.
fn clauses(lines: &[&str], at: usize, is_condition: bool) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut own = None;
    for (at, line) in lines.iter().enumerate().skip(at + 1) {
        let Some(arrow) = line.find("->").filter(|_| own.is_none_or(|own| own == indentation(line))) else { continue };
        own = Some(indentation(line));
        let pattern = line[..arrow].trim().to_owned();
        let test = if is_condition { Test::Holds(pattern) } else { Test::Fits(pattern) };
        sections.push(Section { from: number(at), test });
    }
    sections
}

/// Tells whether a value fits a pattern of a clause; `None` where that is not known.
fn fits(value: &Computed, pattern: &str) -> Option<bool> {
    if is_name(pattern) && !matches!(pattern, "nil" | "true" | "false") {
        return Some(true);
    }
    let text = pattern
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .filter(|text| !text.contains(['"', '\\', '#']));
    let text = text.or_else(|| pattern.strip_prefix(':').filter(|atom| atom.chars().all(is_of_name)));
    match (value, text) {
        (Computed::Unknown | Computed::Either(_), _) => None,
        (Computed::Text(value), Some(text)) => Some(value == text),
        (_, Some(_)) => Some(false),
        (Computed::Unset, None) if pattern == "nil" => Some(true),
        (Computed::Text(_) | Computed::Flag(_), None) if pattern == "nil" => Some(false),
        (Computed::Flag(flag), None) if matches!(pattern, "true" | "false") => Some(*flag == (pattern == "true")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
