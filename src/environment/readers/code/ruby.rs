//! Ruby code, by text: its statements and what they assign, and the lines that count in an environment, which are those in
//! no block that is for another one.

use crate::environment::readers::code::python::{closing, end_of_text, top_level};
use crate::environment::readers::code::tokens::{Token, tokens};

/// The blocks that a line stands in, told by their indentation.
#[derive(Default)]
pub(crate) struct Sections {
    blocks: Vec<Block>,
    /// How many branches were begun.
    begun: usize,
}

struct Block {
    indentation: usize,
    is_case: bool,
    /// A branch of it was for the environment.
    was_taken: bool,
    is_skipped: bool,
    /// The number of its branch, where nothing here tells whether that is taken.
    open: Option<usize>,
}

impl Sections {
    /// Notes a line before it is asked whether it counts.
    pub(crate) fn note(&mut self, line: &str, environment: &str) {
        let indentation = line.len() - line.trim_start().len();
        let (word, rest) = first_word(line.trim());
        let is_own = |block: &&mut Block| block.indentation == indentation;
        self.begun += 1;
        let number = self.begun;
        match word {
            "case" if rest.contains("_ENV") || rest.contains("env") => {
                self.blocks.push(Block { indentation, is_case: true, was_taken: false, is_skipped: false, open: None });
            }
            "if" | "unless" => {
                let holds = holds(rest, environment).map(|holds| holds == (word == "if"));
                let (was_taken, is_skipped) = (holds == Some(true), holds == Some(false));
                let open = holds.is_none().then_some(number);
                self.blocks.push(Block { indentation, is_case: false, was_taken, is_skipped, open });
            }
            "when" => {
                if let Some(block) = self.blocks.last_mut().filter(is_own).filter(|block| block.is_case) {
                    let is_own = rest.split(['"', '\'', ':', ' ', ',']).any(|name| name == environment);
                    block.was_taken |= is_own;
                    block.is_skipped = !is_own;
                }
            }
            "elsif" => {
                if let Some(block) = self.blocks.last_mut().filter(is_own) {
                    let holds = holds(rest, environment);
                    block.is_skipped = block.was_taken || holds == Some(false);
                    block.was_taken |= holds == Some(true);
                    block.open = block.open.or(holds.is_none().then_some(number)).map(|_| number);
                }
            }
            "else" => {
                if let Some(block) = self.blocks.last_mut().filter(is_own) {
                    block.is_skipped = block.was_taken;
                    block.open = block.open.map(|_| number);
                }
            }
            "end" => {
                while self.blocks.last().is_some_and(|block| block.indentation >= indentation) {
                    self.blocks.pop();
                }
            }
            _ => {}
        }
    }

    /// Lists the branches that the line stands in of which nothing here tells whether they are taken, the outermost first.
    pub(crate) fn open(&self) -> Vec<usize> {
        self.blocks.iter().filter_map(|block| block.open).collect()
    }

    pub(crate) fn is_skipped(&self) -> bool {
        self.blocks.iter().any(|block| block.is_skipped)
    }
}

/// Splits a statement behind its first word, which is empty where a label or a method stands there; a `then` at its end is
/// left out.
pub(crate) fn first_word(statement: &str) -> (&str, &str) {
    let end = statement.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(statement.len());
    let (word, rest) = statement.split_at(end);
    if rest.starts_with('?') || rest.starts_with(':') && !rest.starts_with("::") {
        return ("", statement);
    }
    (word, rest.trim().trim_end_matches(" then").trim_end())
}

/// Words that begin what `end` ends.
const OPENERS: &[&str] = &["begin", "case", "class", "def", "for", "if", "module", "unless", "until", "while"];

/// Tells whether a later `end` or `}` ends what a statement begins.
pub(crate) fn begins_block(statement: &str) -> bool {
    let is_opener = |code: &str| OPENERS.contains(&first_word(code).0);
    let is_one = is_opener(statement) || assignment(statement).is_some_and(|one| is_opener(one.expression));
    let is_do = statement.ends_with(" do") || statement.contains(" do |");
    let is_brace = statement.ends_with('{') || statement.ends_with('|') && statement.contains('{');
    (is_one || is_do || is_brace) && !ends_itself(statement)
}

/// Tells whether what a statement begins is ended in it: `if x then y end`.
pub(crate) fn ends_itself(statement: &str) -> bool {
    statement
        .strip_suffix("end")
        .is_some_and(|before| before.ends_with(|c: char| c.is_whitespace() || ")]}'\"".contains(c)))
}

/// Tells whether the next line belongs to the code that ends here.
pub(crate) fn goes_on(so_far: &str) -> bool {
    so_far.is_empty()
        || so_far.ends_with(['\\', '(', ',', '+', '{', '[', '=', '.'])
        || so_far.ends_with("||")
        || so_far.ends_with("&&")
}

/// Splits code into its statements, without the comments between them. What is assigned is one up to its `end`.
pub(crate) fn statements(code: &str) -> Vec<&str> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    // How many blocks are open in what is assigned.
    let mut open = 0_usize;
    for (from, to) in pieces(code) {
        let piece = &code[from..to];
        let is_more = ["||", "&&", "."].iter().any(|start| piece.starts_with(start));
        match found.last_mut() {
            Some((start, end)) if open > 0 || is_more || goes_on(&code[*start..*end]) => *end = to,
            _ => found.push((from, to)),
        }
        let whole = found.last().map_or(piece, |(start, end)| &code[*start..*end]);
        match open {
            // Only what comes is looked at: the rest was, with the piece before.
            0 if whole.len() > piece.len() && !begins_block(piece) => {}
            0 => open = usize::from(begins_block(whole) && assignment(whole).is_some()),
            _ if begins_block(piece) => open += 1,
            _ if first_word(piece).0 == "end" => open -= 1,
            _ => {}
        }
    }
    found.into_iter().map(|(from, to)| &code[from..to]).collect()
}

/// Finds what stands between the line ends and semicolons outside brackets and quotes: where each begins and ends.
fn pieces(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut from, mut at, mut depth) = (0, 0, 0_usize);
    let bytes = code.as_bytes();
    let mut add = |from: usize, to: usize| {
        let piece = code[from..to].trim();
        let start = from + code[from..to].find(|c: char| !c.is_whitespace()).unwrap_or(0);
        if !piece.is_empty() {
            found.push((start, start + piece.len()));
        }
    };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' | b'\'' | b'`' => {
                at = end_of_text(code, at);
                continue;
            }
            b'#' => {
                let end = at + code[at..].find('\n').unwrap_or(code.len() - at);
                if depth == 0 {
                    add(from, at);
                    from = end;
                }
                at = end;
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' | b';' if depth == 0 => {
                add(from, at);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    add(from, code.len());
    found
}

/// A statement that assigns to a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'t> {
    pub(crate) name: &'t str,
    /// `=`, `||=`, `&&=`, `+=` or `<<`.
    pub(crate) operator: &'static str,
    pub(crate) expression: &'t str,
    /// The modifiers behind it, and whether they must hold.
    pub(crate) conditions: Vec<(&'t str, bool)>,
}

/// Reads a statement as an assignment.
pub(crate) fn assignment(statement: &str) -> Option<Assignment<'_>> {
    let (name, _) = first_word(statement);
    let behind = statement[name.len()..].trim_start();
    let operator = ["||=", "&&=", "+=", "<<", "="].into_iter().find(|operator| behind.starts_with(operator))?;
    let expression = behind[operator.len()..].trim_start();
    let is_other = behind[operator.len()..].starts_with(['=', '~', '>', '<']);
    if name.is_empty() || is_other || OPENERS.contains(&name) {
        return None;
    }
    let (expression, conditions) = modified(expression);
    Some(Assignment { name, operator, expression, conditions })
}

/// The most modifiers that one statement has.
const MOST_MODIFIERS: usize = 33;

/// Splits the modifiers from a statement or its expression: conditions, each with whether it must hold.
pub(crate) fn modified(code: &str) -> (&str, Vec<(&str, bool)>) {
    let (mut own, mut conditions) = (code, Vec::new());
    // More than that in a row is nothing that anybody evaluates.
    while conditions.len() < MOST_MODIFIERS && !OPENERS.contains(&first_word(own).0) {
        let at = [" if ", " unless "].into_iter().filter_map(|word| Some((own.rfind(word)?, word))).max();
        let Some((at, word)) = at else { break };
        conditions.push((own[at + word.len()..].trim(), word == " if "));
        own = own[..at].trim_end();
    }
    (own, conditions)
}

/// Lists the names that code mentions, but not the members of something, each with whether it is assigned there, or a part
/// of it.
pub(crate) fn mentioned(code: &str) -> Vec<(&str, bool)> {
    let Some(tokens) = tokens(code) else {
        return code.split(|c: char| !(c == '_' || c.is_alphanumeric())).map(|word| (word, true)).collect();
    };
    let mut found = Vec::new();
    for (at, placed) in tokens.iter().enumerate() {
        let Token::Name(name) = placed.token else { continue };
        let is_member = at.checked_sub(1).is_some_and(|at| matches!(tokens[at].token, Token::Mark("." | "&.")));
        let behind = &code[placed.at + name.len()..];
        let is_changed = match behind.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            Some((_, behind)) => is_assigned(behind),
            None => is_assigned(behind) || name == "ENV" && CHANGES.iter().any(|call| behind.starts_with(call)),
        };
        if !is_member {
            found.push((name, is_changed));
        }
    }
    found
}

/// Calls that change what the environment holds.
const CHANGES: &[&str] = &[".clear", ".delete", ".merge!", ".replace", ".store", ".update"];

/// Tells whether what stands behind a name assigns to it.
fn is_assigned(behind: &str) -> bool {
    let behind = behind.trim_start();
    ["=", "||=", "&&=", "+=", "-=", "|=", "<<"].iter().any(|mark| behind.starts_with(mark))
        && !["==", "=~", "=>"].iter().any(|mark| behind.starts_with(mark))
}

/// Splits at the first of the marks that stands outside brackets and quotes.
fn split_outside<'t>(text: &'t str, marks: [&str; 2]) -> Option<(&'t str, &'t str)> {
    marks.iter().find_map(|mark| {
        let at = top_level(text, |rest| rest.starts_with(mark))?;
        Some((&text[..at], &text[at + mark.len()..]))
    })
}

/// Tells whether a condition holds in the environment; `None` where it is about something else.
pub(crate) fn holds(condition: &str, environment: &str) -> Option<bool> {
    if let Some((one, other)) = split_outside(condition, ["||", " or "]) {
        return match (holds(one, environment), holds(other, environment)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    if let Some((one, other)) = split_outside(condition, ["&&", " and "]) {
        return match (holds(one, environment), holds(other, environment)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    let condition = condition.trim();
    if let Some(inside) = condition.strip_prefix('(').filter(|inside| closing(inside) == Some(inside.len() - 1)) {
        return holds(&inside[..inside.len() - 1], environment);
    }
    if let Some(rest) = condition.strip_prefix('!').or_else(|| condition.strip_prefix("not ")) {
        return holds(rest, environment).map(|holds| !holds);
    }
    let speaks_of_it = condition.contains("_ENV") || condition.contains(".env") || condition.contains(".environment");
    if !speaks_of_it {
        return None;
    }
    // `Rails.env.production?`
    if let Some(name) = condition.strip_suffix('?').and_then(|asked| asked.rsplit('.').next()) {
        return match name {
            "local" => Some(matches!(environment, "development" | "test")),
            name if name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) => Some(name == environment),
            _ => None,
        };
    }
    let own = |text: &str| text.split(['"', '\'', ':', ' ', ',', '[', ']', '(', ')']).any(|name| name == environment);
    // `ENV["RACK_ENV"] == "test"`, `Hanami.env?(:test)`, `%w[development test].include?(Rails.env)`
    if let Some((_, other)) = condition.split_once("!=") {
        return Some(!own(other));
    }
    let compared = condition.split_once("==").map(|(_, other)| other);
    let asked = || condition.split_once("?(").map(|(_, asked)| asked);
    let listed = || condition.split_once(".include?").map(|(list, _)| list);
    compared.or_else(listed).or_else(asked).map(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_statements_end() {
        assert_eq!(statements(&format!("a = b{}", "\n|| c".repeat(50_000))).len(), 1);
        let conditions = assignment(&format!("a = b{}", " if c".repeat(50_000))).unwrap().conditions.len();
        assert_eq!(conditions, MOST_MODIFIERS);
    }

    #[test]
    fn conditions_about_the_environment_are_decided() {
        for (condition, test, production) in [
            ("Rails.env.production?", Some(false), Some(true)),
            ("!Rails.env.production?", Some(true), Some(false)),
            ("Rails.env.local?", Some(true), Some(false)),
            ("Rails.env.test? || Rails.env.development?", Some(true), Some(false)),
            ("ENV['RACK_ENV'] == 'test'", Some(true), Some(false)),
            ("ENV.fetch(\"HANAMI_ENV\") != 'test'", Some(false), Some(true)),
            ("Hanami.env?(:test, :development)", Some(true), Some(false)),
            ("%w[development test].include?(Rails.env)", Some(true), Some(false)),
            ("Rails.env.test? && ENV['CI']", None, Some(false)),
            ("defined?(Rails)", None, None),
            ("ENV['X']", None, None),
            ("(Rails.env.production?)", Some(false), Some(true)),
            ("(Rails.env.test? || x) && Rails.env.production?", Some(false), None),
            ("!(Rails.env.test? || Rails.env.production?)", Some(false), Some(false)),
            ("(x) || (Rails.env.test?)", Some(true), None),
        ] {
            assert_eq!(holds(condition, "test"), test, "{condition}");
            assert_eq!(holds(condition, "production"), production, "{condition}");
        }
    }

    #[test]
    fn code_is_split_into_its_statements() {
        let table: &[(&str, &[&str])] = &[
            ("a = 1; b = 2 # c; d\n\nputs 'x; y'", &["a = 1", "b = 2", "puts 'x; y'"]),
            (
                "a = if x\n  'b'\nelse\n  c do |d|\n  end\nend\ne = 1",
                &["a = if x\n  'b'\nelse\n  c do |d|\n  end\nend", "e = 1"],
            ),
            ("a = if x then b end\nc", &["a = if x then b end", "c"]),
            ("a = b ||\n  'c'\n  .strip\nd", &["a = b ||\n  'c'\n  .strip", "d"]),
            ("list.each do |x|\n  a = x\nend", &["list.each do |x|", "a = x", "end"]),
            ("a = {\n  'b' => 1;\n}\nc", &["a = {\n  'b' => 1;\n}", "c"]),
            ("", &[]),
        ];
        for (code, expected) in table {
            assert_eq!(statements(code), *expected, "{code}");
        }
    }

    #[test]
    fn assignments_are_told_from_other_statements() {
        type Told<'t> = Option<(&'t str, &'t str, &'t str, &'t [(&'t str, bool)])>;
        let table: &[(&str, Told<'_>)] = &[
            ("host = 'a'", Some(("host", "=", "'a'", &[]))),
            ("host ||= 'a' if x", Some(("host", "||=", "'a'", &[("x", true)]))),
            ("host += 'a' unless x if y", Some(("host", "+=", "'a'", &[("y", true), ("x", false)]))),
            ("host = if x then 'a' else 'b' end", Some(("host", "=", "if x then 'a' else 'b' end", &[]))),
            ("a, b = 1, 2", None),
            ("host.replace('x')", None),
            ("a == b", None),
            ("a =~ b", None),
            ("'a' => b", None),
            ("a => b", None),
            ("class << self", None),
        ];
        for (statement, expected) in table {
            let found = assignment(statement);
            let found = found.as_ref().map(|one| (one.name, one.operator, one.expression, &one.conditions[..]));
            assert_eq!(found, *expected, "{statement}");
        }
    }

    #[test]
    fn the_first_word_is_no_label_and_no_method() {
        for (statement, expected) in [
            ("if(x) then", ("if", "(x)")),
            ("elsif x then", ("elsif", "x")),
            ("end", ("end", "")),
            ("if: x", ("", "if: x")),
            ("end? x", ("", "end? x")),
            ("A::B.c", ("A", "::B.c")),
            ("end_of x", ("end_of", "x")),
        ] {
            assert_eq!(first_word(statement), expected);
        }
    }

    #[test]
    fn lines_for_another_environment_are_skipped() {
        let text = "if Rails.env.production?\n  1\nelse\n  2\n  if x\n    3\n  end\nend\n4\ncase Rails.env\nwhen 'test', 'ci'\n  5\nelse\n  6\nend\nunless Rails.env.test?\n  7\nelsif x\n  8\nend";
        let counting = |environment: &str| {
            let mut sections = Sections::default();
            let mut found = Vec::new();
            for line in text.lines() {
                sections.note(line, environment);
                if !sections.is_skipped() && line.trim().parse::<u8>().is_ok() {
                    found.push(line.trim());
                }
            }
            found.join(" ")
        };
        assert_eq!(counting("test"), "2 3 4 5 8");
        assert_eq!(counting("production"), "1 4 6 7");
        assert_eq!(counting("development"), "2 3 4 6 7");
    }
}
