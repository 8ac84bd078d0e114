//! The texts that an expression of JavaScript may come to, where it is a command or a part of one. By text, never executed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::environment::readers::code;
use crate::environment::readers::code::javascript::{branches, constants, items};
use crate::environment::readers::code::{Computed, Value};
use crate::environment::readers::expansion::Lookup;
use crate::text::{head, shell_word};

/// How deep calls in calls, and constants that name each other, are followed.
const DEEPEST: usize = 16;

/// Longer texts are no part of a command, in bytes.
const LONGEST: usize = 4096;

/// More texts than this are not taken out of one file, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// What stands for the folder that a file of code lies in, or is run in.
const OF_THE_FOLDER: &[&str] = &["__dirname", "import.meta.dirname", "process.cwd()"];

/// A text of code without its comments.
pub(crate) struct Code<'t> {
    constants: HashMap<&'t str, &'t str>,
    /// What functions of one argument put around it.
    templates: HashMap<&'t str, (&'t str, &'t str)>,
    /// The variables that the program is started with.
    lookup: Lookup<'t>,
    /// What the constants come to that were asked for; one that is being evaluated is unknown to itself.
    known: RefCell<HashMap<&'t str, Evaluated>>,
    depth: Cell<usize>,
    bytes_left: Cell<usize>,
}

/// The texts of an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) found: Vec<String>,
    /// It comes to nothing else.
    pub(crate) is_whole: bool,
    /// It may also be the variable itself that it is for, which is not set here.
    pub(crate) keeps: bool,
}

/// What an expression comes to.
#[derive(Clone)]
struct Evaluated {
    value: Value,
    /// No variable that is not set is a part of it.
    is_whole: bool,
}

impl Texts {
    /// A text that is no code.
    pub(crate) fn plain(text: &str) -> Self {
        Texts { found: vec![text.to_owned()], is_whole: true, keeps: false }
    }

    /// What is not known.
    pub(crate) fn unknown() -> Self {
        Texts::default()
    }
}

impl<'t> Code<'t> {
    /// `lookup` gives the variables that the program is started with.
    pub(crate) fn of(text: &'t str, lookup: Lookup<'t>) -> Self {
        let constants = constants(text);
        let functions = text.match_indices("function ").filter_map(|(at, word)| {
            let (name, rest) = head(&text[at + word.len()..], LONGEST).split_once('(')?;
            Some((name, rest.find("\nfunction").map_or(rest, |end| &rest[..end])))
        });
        let is_function = |expression: &str| expression.contains("=>") || expression.starts_with("function");
        let constant = constants.iter().map(|(name, expression)| (*name, *expression));
        let functions = functions.chain(constant.filter(|(_, expression)| is_function(expression)));
        let mut templates = HashMap::new();
        for (name, (before, behind)) in functions.filter_map(|(name, body)| Some((name, template_in(body)?))) {
            templates.entry(name).or_insert((before, behind));
        }
        let (known, depth, bytes_left) = (RefCell::default(), Cell::new(0), Cell::new(MOST_BYTES));
        Code { constants, templates, lookup, known, depth, bytes_left }
    }

    /// Lists what an expression may come to, in each of its branches: texts, and those that it hands to functions. What a
    /// function of the same text makes of its argument is filled in.
    pub(crate) fn texts_of(&self, expression: &str) -> Texts {
        self.value_of("", expression)
    }

    /// Lists what an expression may come to that a variable of that name is set to.
    pub(crate) fn value_of(&self, name: &str, expression: &str) -> Texts {
        let mut texts = Texts { is_whole: true, ..Texts::default() };
        self.add(expression, name, 0, &mut texts);
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
        Texts { found: vec![words.join(" ")], is_whole, keeps: false }
    }

    fn add(&self, expression: &str, variable: &str, depth: usize, texts: &mut Texts) {
        let Some(branches) = branches(expression).filter(|_| depth < DEEPEST) else {
            texts.is_whole = false;
            return;
        };
        let (before, mut is_unset) = (texts.found.len(), false);
        for branch in branches {
            let Evaluated { value, is_whole } = self.evaluated(branch);
            texts.is_whole &= is_whole;
            match value {
                Value::Known(text) => self.take(text, texts),
                Value::Unset if is_variable(branch, variable) => texts.keeps = true,
                Value::Unset => is_unset |= !matches!(branch, "undefined" | "null"),
                Value::Unknown => self.add_parts(branch, depth, texts),
            }
        }
        // What is not set here may be set by the program itself, unless there is something in its place.
        texts.is_whole &= !is_unset || texts.found.len() > before;
    }

    fn take(&self, text: String, texts: &mut Texts) {
        match self.bytes_left.get().checked_sub(text.len() + 1).filter(|_| text.len() <= LONGEST) {
            Some(left) => {
                self.bytes_left.set(left);
                texts.found.push(text);
            }
            None => texts.is_whole = false,
        }
    }

    /// Adds the items of a list, or the arguments of a call.
    fn add_parts(&self, expression: &str, depth: usize, texts: &mut Texts) {
        let before = texts.found.len();
        if let Some(list) = expression.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            items(list).into_iter().for_each(|item| self.add(item, "", depth + 1, texts));
            return;
        }
        let call = expression.split_once('(').and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix(')')?)));
        let is_name =
            |name: &str| name.bytes().all(|byte| matches!(byte, b'_' | b'$' | b'.') || byte.is_ascii_alphanumeric());
        let Some((name, arguments)) = call.filter(|(name, _)| !name.is_empty() && is_name(name)) else {
            texts.is_whole &= matches!(expression, "true" | "false" | "{}");
            return;
        };
        items(arguments).into_iter().for_each(|argument| self.add(argument, "", depth + 1, texts));
        if let Some((start, end)) = self.templates.get(name) {
            texts.found[before..].iter_mut().for_each(|text| *text = format!("{start}{text}{end}"));
        }
        texts.is_whole &= texts.found.len() > before;
    }

    fn evaluated(&self, expression: &str) -> Evaluated {
        let is_whole = Cell::new(true);
        let fills_unset = Cell::new(false);
        let names = |name: &str| {
            if OF_THE_FOLDER.contains(&name) {
                return Some(Computed::Text(".".to_owned()));
            }
            let constant = self.constant(name)?;
            is_whole.set(is_whole.get() && constant.is_whole);
            match constant.value {
                Value::Known(text) => Some(Computed::Text(text)),
                Value::Unset => Some(Computed::Unset),
                Value::Unknown => None,
            }
        };
        let value = code::evaluate_telling(expression, self.lookup, &names, &fills_unset);
        Evaluated { value, is_whole: is_whole.get() && !fills_unset.get() }
    }

    /// Evaluates a constant, once.
    fn constant(&self, name: &str) -> Option<Evaluated> {
        let (name, expression) = self.constants.get_key_value(name)?;
        if let Some(known) = self.known.borrow().get(name) {
            return Some(known.clone());
        }
        let unknown = Evaluated { value: Value::Unknown, is_whole: true };
        self.known.borrow_mut().insert(name, unknown.clone());
        let depth = self.depth.get();
        if depth == DEEPEST {
            return Some(unknown);
        }
        self.depth.set(depth + 1);
        let evaluated = self.evaluated(expression);
        self.depth.set(depth);
        let is_short = !matches!(&evaluated.value, Value::Known(text) if text.len() > LONGEST);
        let evaluated = if is_short { evaluated } else { unknown };
        self.known.borrow_mut().insert(name, evaluated.clone());
        Some(evaluated)
    }
}

/// Tells whether an expression reads the variable of that name, and nothing else.
fn is_variable(expression: &str, name: &str) -> bool {
    let read = expression.trim_end_matches('!').strip_prefix("process.env").unwrap_or_default();
    let own = read.strip_prefix('.').or_else(|| read.strip_prefix('[')?.strip_suffix(']'));
    !name.is_empty() && own.is_some_and(|own| own.trim_matches(['"', '\'', '`']) == name)
}

/// Finds what a function puts around its argument: ``return `ts-node ${path}`;``.
fn template_in(body: &str) -> Option<(&str, &str)> {
    let template = body.split('`').nth(1)?;
    let (before, behind) = template.split_once("${")?;
    Some((before, behind.split_once('}')?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "SET").then(|| "value".to_owned())
    }

    #[test]
    fn all_texts_of_an_expression_are_taken_out_of_code() {
        let text = "function fast(path) {\n  return `ts-node -T ${path}`;\n}\n\nfunction other() {}\nconst dir = 'sub';\n\
             const part = `x${process.env.UNSET}`;\nconst quick = (name) => `tsx ${name}`;\nlet one = 'a';\none = 'b';\n";
        for (expression, expected, is_whole) in [
            ("'jest --ci'", "jest --ci", true),
            ("series('nps a', fast('./b.ts'))", "nps a|ts-node -T ./b.ts", true),
            ("quick('b')", "tsx b", true),
            ("series(['nps a', x])", "nps a", false),
            ("process.env.CI ? 'a' : 'b'", "a|b", true),
            ("process.env.A || 'b'", "b", true),
            ("process.env.SET || 'b'", "value|b", true),
            ("process.env.A", "", false),
            ("`a ${process.env.SET}`", "a value", true),
            ("`a ${process.env.A}`", "a ", false),
            ("`a ${process.env.A || 'c'}`", "a c", true),
            ("'a ' + process.env.A", "", false),
            ("part", "x", false),
            ("one", "", false),
            ("`${dir}/a.js`", "sub/a.js", true),
            ("path.join(__dirname, dir, 'a.js')", "./sub/a.js", true),
            ("path.resolve(__dirname, '..', 'a')", "./../a", true),
            ("`./${name}.js`", "", false),
            ("'a ' + x", "", false),
            ("other(x)", "", false),
            ("undefined", "", true),
        ] {
            let found = Code::of(text, &lookup).texts_of(expression);
            assert_eq!((found.found.join("|").as_str(), found.is_whole), (expected, is_whole), "{expression}");
        }
        assert_eq!(Code::of(text, &lookup).words_of("['run', 'a b']").found, ["run 'a b'"]);
        assert!(!Code::of(text, &lookup).words_of("['run', x]").is_whole);
    }

    #[test]
    fn a_variable_that_is_handed_on_keeps_its_value() {
        for (expression, expected, is_whole, keeps) in [
            ("process.env.A", "", true, true),
            ("process.env['A'] ?? 'b'", "b", true, true),
            ("process.env.B", "", false, false),
            ("process.env.A || secret()", "", false, true),
        ] {
            let found = Code::of("", &lookup).value_of("A", expression);
            let found = (found.found.join("|"), found.is_whole, found.keeps);
            assert_eq!(found, (expected.to_owned(), is_whole, keeps), "{expression}");
        }
    }

    #[test]
    fn hostile_constants_end() {
        let chain = |of: &dyn Fn(usize) -> String| (0..5000).map(of).collect::<String>();
        for text in [
            chain(&|at| format!("const a{at} = a{0} + a{0} + a{0} + a{0};\n", at + 1)),
            chain(&|at| format!("const a{at} = f(a{0}, a{0}, a{0}, a{0});\n", at + 1)),
            chain(&|at| format!("const a{at} = `${{a{0}}}${{a{0}}}${{a{0}}}`;\n", at + 1)),
            chain(&|at| format!("const a{at} = a{0} ? a{0} : a{0} || a{0};\n", at + 1)),
            format!("const a0 = {}'x'{};", "f(".repeat(500), ")".repeat(500)),
            format!("const a0 = [{}];", "a0, ".repeat(500)),
        ] {
            let started = std::time::Instant::now();
            let code = Code::of(&text, &lookup);
            for expression in ["a0", "f(a0, a0, a0)", "[a0, a0]", "`${a0}`"] {
                assert!(!code.texts_of(expression).is_whole, "{}", &text[..80]);
            }
            assert!(started.elapsed().as_secs() < 60, "{:?} {}", started.elapsed(), &text[..80]);
        }
    }
}
