//! The texts that an expression of JavaScript may come to, where it is a command or a part of one. By text, never executed.

use std::collections::HashMap;

use crate::environment::readers::code;
use crate::environment::readers::code::javascript::{branches, constants_by_name, items};
use crate::environment::readers::code::{Computed, Value};
use crate::text::shell_word;

/// How deep calls in calls, and constants that name each other, are followed.
const DEEPEST: usize = 16;

/// What stands for the folder that a file of code lies in, or is run in.
const OF_THE_FOLDER: &[&str] = &["__dirname", "import.meta.dirname", "process.cwd()"];

/// A text of code without its comments.
pub(crate) struct Code<'t> {
    text: &'t str,
    constants: HashMap<&'t str, &'t str>,
}

/// The texts of an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) found: Vec<String>,
    /// It comes to nothing else.
    pub(crate) is_whole: bool,
}

impl Texts {
    /// A text that is no code.
    pub(crate) fn plain(text: &str) -> Self {
        Texts { found: vec![text.to_owned()], is_whole: true }
    }
}

impl<'t> Code<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Code { text, constants: constants_by_name(text) }
    }

    /// Lists what an expression may come to, in each of its branches: texts, and those that it hands to functions. What a
    /// function of the same text makes of its argument is filled in.
    pub(crate) fn texts_of(&self, expression: &str) -> Texts {
        let mut texts = Texts { found: Vec::new(), is_whole: true };
        self.add(expression, 0, &mut texts);
        texts.found.retain(|text| !text.trim().is_empty());
        texts
    }

    /// Joins what a list holds, as the words of a command; other expressions are words already.
    pub(crate) fn words_of(&self, expression: &str) -> Texts {
        let list = expression.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let Some(list) = list else { return self.texts_of(expression) };
        let (mut words, mut is_whole) = (Vec::new(), true);
        for item in items(list) {
            let texts = self.texts_of(item);
            is_whole &= texts.is_whole && texts.found.len() < 2;
            words.extend(texts.found.first().map(|word| shell_word(word).into_owned()));
        }
        Texts { found: vec![words.join(" ")], is_whole }
    }

    fn add(&self, expression: &str, depth: usize, texts: &mut Texts) {
        let Some(branches) = branches(expression).filter(|_| depth < DEEPEST) else {
            texts.is_whole = false;
            return;
        };
        for branch in branches {
            match self.evaluated(branch, depth) {
                Value::Known(text) => texts.found.push(text),
                Value::Unset => {}
                Value::Unknown => self.add_parts(branch, depth, texts),
            }
        }
    }

    /// Adds the items of a list, or the arguments of a call.
    fn add_parts(&self, expression: &str, depth: usize, texts: &mut Texts) {
        let before = texts.found.len();
        if let Some(list) = expression.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            items(list).into_iter().for_each(|item| self.add(item, depth + 1, texts));
            return;
        }
        let call = expression.split_once('(').and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix(')')?)));
        let is_name =
            |name: &str| name.bytes().all(|byte| matches!(byte, b'_' | b'$' | b'.') || byte.is_ascii_alphanumeric());
        let Some((name, arguments)) = call.filter(|(name, _)| !name.is_empty() && is_name(name)) else {
            texts.is_whole &= matches!(expression, "true" | "false" | "{}");
            return;
        };
        items(arguments).into_iter().for_each(|argument| self.add(argument, depth + 1, texts));
        if let Some((start, end)) = self.template_of(name) {
            texts.found[before..].iter_mut().for_each(|text| *text = format!("{start}{text}{end}"));
        }
        texts.is_whole &= texts.found.len() > before;
    }

    fn evaluated(&self, expression: &str, depth: usize) -> Value {
        let names = |name: &str| {
            if OF_THE_FOLDER.contains(&name) {
                return Some(Computed::Text(".".to_owned()));
            }
            let constant = self.constants.get(name).filter(|_| depth < DEEPEST)?;
            match self.evaluated(constant, depth + 1) {
                Value::Known(text) => Some(Computed::Text(text)),
                Value::Unset => Some(Computed::Unset),
                Value::Unknown => None,
            }
        };
        code::evaluate_with(expression, &|_| None, &names)
    }

    /// Finds what a function of one argument puts around it: ``function f(path) { return `ts-node ${path}`; }``.
    fn template_of(&self, name: &str) -> Option<(&'t str, &'t str)> {
        let declared = [format!("function {name}("), format!("const {name} = ")];
        let rest = declared.iter().find_map(|start| Some(self.text.split_once(start.as_str())?.1))?;
        let own = rest.find("\nfunction").map_or(rest, |end| &rest[..end]);
        let template = own.split('`').nth(1)?;
        let (before, behind) = template.split_once("${")?;
        Some((before, behind.split_once('}')?.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_texts_of_an_expression_are_taken_out_of_code() {
        let text =
            "function fast(path) {\n  return `ts-node -T ${path}`;\n}\n\nfunction other() {}\nconst dir = 'sub';\n";
        for (expression, expected, is_whole) in [
            ("'jest --ci'", "jest --ci", true),
            ("series('nps a', fast('./b.ts'))", "nps a|ts-node -T ./b.ts", true),
            ("series(['nps a', x])", "nps a", false),
            ("process.env.CI ? 'a' : 'b'", "a|b", true),
            ("process.env.A || 'b'", "b", true),
            ("`${dir}/a.js`", "sub/a.js", true),
            ("path.join(__dirname, dir, 'a.js')", "./sub/a.js", true),
            ("path.resolve(__dirname, '..', 'a')", "./../a", true),
            ("`./${name}.js`", "", false),
            ("'a ' + x", "", false),
            ("other(x)", "", false),
            ("undefined", "", true),
        ] {
            let found = Code::of(text).texts_of(expression);
            assert_eq!((found.found.join("|").as_str(), found.is_whole), (expected, is_whole), "{expression}");
        }
        assert_eq!(Code::of(text).words_of("['run', 'a b']").found, ["run 'a b'"]);
        assert!(!Code::of(text).words_of("['run', x]").is_whole);
    }
}
