//! Reading single values of a policy, with the line of what is wrong.

use std::path::Path;

use toml::Spanned;
use toml::de::DeValue;

use crate::policy::document::{ExternalSnapshot, PolicyError, RestoreWhen};
use crate::text::line_at;

const EXTERNAL_KEYS: [&str; 2] = ["target", "how"];

/// A policy's text, and how errors name it.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    pub(crate) file: &'a Path,
}

impl Reader<'_> {
    pub(crate) fn line(&self, offset: usize) -> u32 {
        line_at(self.text.as_bytes(), offset)
    }

    pub(crate) fn wrong<T>(&self, at: &Spanned<T>, key: &str, expected: &'static str) -> PolicyError {
        PolicyError::Value {
            file: self.file.to_owned(),
            line: self.line(at.span().start),
            key: key.to_owned(),
            expected,
        }
    }

    pub(crate) fn unknown<T>(&self, at: &Spanned<T>, key: &str, known: &[&str]) -> PolicyError {
        let last = key.rsplit('.').next().unwrap_or(key);
        // What one of the two begins with the other is nearer than what happens to share letters.
        let is_cut = |candidate: &str| candidate.starts_with(last) || last.starts_with(candidate);
        let nearness = |candidate: &&&str| (!is_cut(candidate), distance(last, candidate));
        let nearest = known.iter().min_by_key(nearness).copied().unwrap_or_default();
        PolicyError::UnknownKey {
            file: self.file.to_owned(),
            line: self.line(at.span().start),
            key: key.to_owned(),
            nearest: nearest.to_owned(),
        }
    }

    pub(crate) fn strings(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, PolicyError> {
        let expected = "a list of strings, none of them empty";
        let DeValue::Array(items) = value.get_ref() else { return Err(self.wrong(value, key, expected)) };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
                _ => Err(self.wrong(item, key, expected)),
            })
            .collect()
    }

    pub(crate) fn string(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, PolicyError> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            _ => Err(self.wrong(value, key, "a string that is not empty")),
        }
    }

    pub(crate) fn boolean(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<bool, PolicyError> {
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong(value, key, "true or false")),
        }
    }

    pub(crate) fn positive(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<usize, PolicyError> {
        match value.get_ref() {
            DeValue::Integer(number) => {
                usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|keep| *keep > 0)
            }
            _ => None,
        }
        .ok_or_else(|| self.wrong(value, key, "a whole number of at least 1"))
    }

    pub(crate) fn restore(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<RestoreWhen, PolicyError> {
        match self.string(key, value)?.as_str() {
            "never" => Ok(RestoreWhen::Never),
            "failure" => Ok(RestoreWhen::Failure),
            "always" => Ok(RestoreWhen::Always),
            _ => Err(self.wrong(value, key, "\"never\", \"failure\" or \"always\"")),
        }
    }

    pub(crate) fn externals(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<ExternalSnapshot>, PolicyError> {
        let expected = "tables with `target` and `how`";
        let DeValue::Array(items) = value.get_ref() else { return Err(self.wrong(value, key, expected)) };
        items
            .iter()
            .map(|item| {
                let DeValue::Table(entries) = item.get_ref() else { return Err(self.wrong(item, key, expected)) };
                let mut external = ExternalSnapshot { target: String::new(), how: String::new() };
                for (name, value) in entries {
                    let full = format!("{key}.{}", name.get_ref());
                    match name.get_ref().as_ref() {
                        "target" => external.target = self.string(&full, value)?,
                        "how" => external.how = self.string(&full, value)?,
                        _ => return Err(self.unknown(name, &full, &EXTERNAL_KEYS)),
                    }
                }
                let complete = !external.target.is_empty() && !external.how.is_empty();
                complete.then_some(external).ok_or_else(|| self.wrong(item, key, expected))
            })
            .collect()
    }
}

/// How many letters have to change to make `a` out of `b` (Levenshtein's distance).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
