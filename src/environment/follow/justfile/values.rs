//! The values of a justfile: its variables and parameters, filled into recipes.

use crate::environment::follow::justfile::reader::{Justfile, Recipe};
use crate::environment::follow::shell_text::is_name;

/// Texts longer than this many bytes take no more in.
const MOST_FILLED: usize = 64 << 10;

impl Justfile {
    /// The text of a recipe with its arguments and variables filled in; what is not known stays as written.
    pub(crate) fn filled(&self, recipe: &Recipe, arguments: &[String]) -> String {
        let mut filled = String::with_capacity(recipe.text.len());
        let mut rest = recipe.text.as_str();
        while let Some((before, behind)) = rest.split_once("{{")
            && let Some((expression, after)) = behind.split_once("}}")
        {
            filled.push_str(before);
            match self.evaluated_in(expression, recipe, arguments) {
                Some(value) if filled.len() < MOST_FILLED => filled.push_str(&value),
                _ => filled.extend(["{{", expression, "}}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// Reads `NAME := 'value'`; an expression that is not computed here stands for what cannot be told.
    pub(crate) fn variable(&self, line: &str) -> Option<(String, String)> {
        let (name, value) = line.split_once(":=")?;
        let (name, value) = (name.trim(), value.trim());
        let text = self.evaluated(value).unwrap_or_else(|| format!("$({value})"));
        is_identifier(name).then(|| (name.to_owned(), text))
    }

    /// Gives what those parameters of a recipe come to that its commands see as variables.
    pub(crate) fn exported_parameters(&self, recipe: &Recipe, arguments: &[String]) -> Vec<(String, String)> {
        let exported =
            recipe.parameters.iter().filter(|own| (own.is_exported || self.exports_all) && is_name(&own.name));
        let value = |name: &str| parameter(recipe, name, arguments).unwrap_or_else(|| format!("$({name})"));
        exported.map(|own| (own.name.clone(), value(&own.name))).collect()
    }

    /// Computes a text of quoted ones, names and readings of variables, joined by `+`; a variable is left to a shell.
    pub(crate) fn evaluated(&self, expression: &str) -> Option<String> {
        self.evaluated_with(expression, &|_| None)
    }

    /// Computes it in a recipe, where the parameters have names, too.
    fn evaluated_in(&self, expression: &str, recipe: &Recipe, arguments: &[String]) -> Option<String> {
        self.evaluated_with(expression, &|name| parameter(recipe, name, arguments))
    }

    /// Computes what a recipe hands to one that it needs; what is not computed here stands for what cannot be told.
    pub(crate) fn given(&self, expression: &str, recipe: &Recipe, arguments: &[String]) -> String {
        self.evaluated_in(expression, recipe, arguments).unwrap_or_else(|| format!("$({expression})"))
    }

    fn evaluated_with(&self, expression: &str, names: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let parts = parts_of(expression).into_iter().map(|part| {
            let part = part.trim();
            let literal = ['"', '\''].iter().find_map(|quote| part.strip_prefix(*quote)?.strip_suffix(*quote));
            if let Some(text) = literal.filter(|text| !text.contains(['"', '\''])) {
                return Some(text.to_owned());
            }
            if let Some(arguments) =
                ["env_var_or_default(", "env_var(", "env("].iter().find_map(|call| part.strip_prefix(call))
            {
                let mut quoted = arguments.strip_suffix(')')?.split(['"', '\'']).skip(1).step_by(2);
                let name = quoted.next().filter(|name| is_name(name))?;
                return Some(
                    quoted.next().map_or_else(|| format!("${{{name}}}"), |default| format!("${{{name}:-{default}}}")),
                );
            }
            if let Some(value) = names(part) {
                return Some(value);
            }
            let known = self.variables.iter().rev().find(|(name, _)| name == part);
            known.map(|(_, value)| value.clone()).filter(|value| value.len() < MOST_FILLED)
        });
        parts.collect()
    }
}

/// Tells whether a word may name a variable of just.
pub(crate) fn is_identifier(word: &str) -> bool {
    is_name(&word.replace('-', "_")) && !word.starts_with('-')
}

/// Gives what a parameter of a recipe gets of the arguments, else its default.
fn parameter(recipe: &Recipe, name: &str, arguments: &[String]) -> Option<String> {
    let last = recipe.parameters.len().saturating_sub(1);
    let at = recipe.parameters.iter().position(|own| own.name == name)?;
    let given = arguments.get(at..).filter(|given| !given.is_empty());
    let given = given.map(|given| if at == last { given.join(" ") } else { given[0].clone() });
    given.or_else(|| recipe.parameters[at].default.clone())
}

/// Splits an expression at each `+` that stands in no quotes.
fn parts_of(expression: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quote) = (Vec::new(), 0, None);
    for (at, byte) in expression.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'+') => {
                parts.push(&expression[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&expression[from..]);
    parts
}
