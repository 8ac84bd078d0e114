//! The features that a schema is put together from: templates, with the names filled in.

use std::collections::BTreeMap;

use super::scheme::Roles;
use crate::support::Random;

/// A template of a feature.
struct Feature {
    name: &'static str,
    statements: Vec<String>,
}

/// What new names look like; `?` is what makes each its own.
const NAMES: [&str; 16] = [
    "?",
    "?",
    "?_rows",
    "Order ?",
    "? select",
    "?\"quoted\"\"",
    "it's ?",
    "?; DROP",
    "? \\ back",
    "über ?",
    "?\nline",
    "tab\t?",
    "$1 ? %s",
    "-- ?",
    "?.dotted",
    "? has a name as long as the server lets it be, sixty-three b",
];

/// The schemas of the names.
const SCHEMAS: [&str; 4] = ["public", "shop", "My \"Schema\"", "a b.c"];

/// Makes the names of a schema, and fills them into templates.
pub(crate) struct Writer<'r> {
    random: &'r mut Random,
    roles: &'r Roles,
    schemas: Vec<&'static str>,
    made: usize,
}

impl<'r> Writer<'r> {
    pub(crate) fn new(random: &'r mut Random, roles: &'r Roles) -> Self {
        let count = 1 + random.below(SCHEMAS.len());
        Writer { random, roles, schemas: SCHEMAS[..count].to_vec(), made: 0 }
    }

    /// The statements that make the schemas, and the table that others refer to.
    pub(crate) fn beginning(&self) -> Vec<String> {
        let schemas = self.schemas.iter().filter(|name| **name != "public");
        let mut statements: Vec<String> = schemas.map(|name| format!("CREATE SCHEMA {};", quoted(name))).collect();
        statements.push("CREATE TABLE public.q000_base (id int PRIMARY KEY, v text);".to_owned());
        statements.push("INSERT INTO public.q000_base SELECT n, 'base ' || n FROM generate_series(1, 5) n;".to_owned());
        statements
    }

    /// The statements of a feature that chance picks.
    pub(crate) fn feature(&mut self) -> Vec<String> {
        let features = features();
        let feature = self.random.pick(&features);
        let mut names = BTreeMap::new();
        let schema = quoted(self.random.pick::<&str>(&self.schemas));
        let statements = feature.statements.iter().map(|statement| self.filled(statement, &schema, &mut names));
        let mut statements: Vec<String> = statements.collect();
        if let Some(first) = statements.first_mut().filter(|first| !first.starts_with('\\')) {
            *first = format!("-- {}\n{first}", feature.name);
        }
        statements
    }

    /// A new name: with its schema, and without.
    pub(crate) fn name(&mut self) -> (String, String) {
        self.made += 1;
        let name = self.random.pick(&NAMES).replace('?', &format!("q{:03}", self.made));
        // As long as the server takes, in bytes.
        let name: String = name
            .chars()
            .scan(0, |bytes, c| {
                *bytes += c.len_utf8();
                (*bytes <= 63).then_some(c)
            })
            .collect();
        let (schema, name) = (quoted(self.random.pick::<&str>(&self.schemas)), quoted(&name));
        (format!("{schema}.{name}"), name)
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        self.random
    }

    fn filled(&mut self, template: &str, schema: &str, names: &mut BTreeMap<char, (String, String)>) -> String {
        let mut text = template.to_owned();
        for (mark, name) in [
            ("@base", "public.q000_base"),
            ("@schema", schema),
            ("@database", &quoted(&self.roles.database)),
            ("@app", &quoted(&self.roles.app)),
            ("@alice", &quoted(&self.roles.alice)),
            ("@bob", &quoted(&self.roles.bob)),
            ("@group", &quoted(&self.roles.group)),
        ] {
            text = text.replace(mark, name);
        }
        let mut filled = String::new();
        let mut rest = text.chars().peekable();
        while let Some(mark) = rest.next() {
            match rest.peek() {
                Some(number @ '1'..='9') if matches!(mark, '@' | '#' | '!') => {
                    let (whole, bare) = names.entry(*number).or_insert_with(|| self.name());
                    rest.next();
                    match mark {
                        '@' => filled.push_str(whole),
                        '#' => filled.push_str(bare),
                        _ => filled.push_str(&format!("E'{}'", whole.replace('\\', "\\\\").replace('\'', "''"))),
                    }
                }
                _ => filled.push(mark),
            }
        }
        filled
    }
}

/// An SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn features() -> Vec<Feature> {
    let mut features: Vec<Feature> = Vec::new();
    let mut statement = String::new();
    for line in include_str!("features.sql").lines() {
        if let Some(name) = line.strip_prefix("--- ") {
            features.push(Feature { name, statements: Vec::new() });
            continue;
        }
        let Some(feature) = features.last_mut() else { continue };
        if line.is_empty() && statement.is_empty() {
            continue;
        }
        statement.push_str(line);
        let is_inside = statement.matches("$$").count() % 2 == 1;
        if !is_inside && (line.ends_with(';') || line.starts_with('\\')) {
            feature.statements.push(std::mem::take(&mut statement));
        } else {
            statement.push('\n');
        }
    }
    assert_eq!(statement, "", "a statement without an end");
    features
}
