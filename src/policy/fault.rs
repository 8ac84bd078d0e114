//! From serde's complaint about a policy to the key, the line and what was expected there.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue, Error};

use crate::policy::error::PolicyError;
use crate::text::line_at;

/// How much alike a key and the known one have to be for a suggestion: 1.0 is the same word (Jaro and Winkler).
const ALIKE: f64 = 0.8;

/// Says what is wrong with `text`.
///
/// serde tells an unknown key, the known ones and a missing one in backticks, and of a wrong value what it is, and
/// behind that what was expected. Only the expectation is passed on: a value may be a password.
pub(crate) fn explain(error: &Error, text: &str, file: &Path) -> PolicyError {
    let span = error.span().unwrap_or_default();
    let (file, line) = (file.to_owned(), line_at(text.as_bytes(), span.start));
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => return PolicyError::Syntax { file, line, message: error.message().to_owned() },
    };
    let mut path = path_to(table.get_ref(), &span).unwrap_or_default();
    let message = error.message();
    if message.starts_with("unknown field `") {
        let key = path.pop().unwrap_or_default();
        let (_, rest) = message.split_at(message.find(", ").unwrap_or_default());
        let known: Vec<String> = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let nearest = nearest(&key, &known);
        return PolicyError::UnknownKey { file, line, table: path.join("."), nearest, known, key };
    }
    let key = path.join(".");
    if let Some(missing) = message.strip_prefix("missing field `") {
        return PolicyError::MissingKey { file, line, table: key, missing: missing.trim_end_matches('`').to_owned() };
    }
    let expected = message.rsplit_once(", expected ").map_or(message, |(_, expected)| expected).to_owned();
    PolicyError::Value { file, line, key, expected }
}

/// Finds the key that stands at `place`, or whose value does, with the tables that it is in.
fn path_to(table: &DeTable<'_>, place: &Range<usize>) -> Option<Vec<String>> {
    table.iter().find_map(|(key, value)| {
        let inside = match value.get_ref() {
            DeValue::Table(table) => path_to(table, place),
            DeValue::Array(items) => items.iter().find_map(|item| path_to(item.get_ref().as_table()?, place)),
            _ => None,
        };
        let holds = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
        let path = inside.or_else(|| (holds(key.span()) || holds(value.span())).then(Vec::new))?;
        Some(std::iter::once(key.get_ref().clone().into_owned()).chain(path).collect())
    })
}

fn nearest(key: &str, known: &[String]) -> Option<String> {
    let likeness = |candidate: &&String| strsim::jaro_winkler(key, candidate);
    let best = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&best) >= ALIKE).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Explain;
    use crate::policy::Document;

    fn refused(text: &str) -> PolicyError {
        Document::parse(text, Path::new("p")).expect_err(text)
    }

    const WITHIN: &str = "p:2: `snapshots.folders.path` takes the path of a folder within the project, from its root, and not below `.git`";

    #[test]
    fn errors_name_the_line_the_key_and_what_is_expected() {
        let cases = [
            ("[allow]\nhost = [\"a:1\"]", "p:2: unknown key `host` in [allow]"),
            ("[production]\n\"password=x\" = 1", "p:2: unknown key `***` in [production]"),
            ("[produktion]\n", "p:1: unknown key `produktion`"),
            ("[snapshots]\n\n\nkeep_lats = 3", "p:4: unknown key `keep_lats` in [snapshots]"),
            ("snapshots.keep_lats = 3", "p:1: unknown key `keep_lats` in [snapshots]"),
            ("[[snapshots.external]]\ntarget = \"x\"\nwho = \"y\"", "p:3: unknown key `who` in [snapshots.external]"),
            (
                "[[snapshots.command]]\ntarget = \"x\"\nsave = [\"s\", \"{file}\"]\ncheck = [\"c\", \"{file}\"]",
                "p:1: `snapshots.command` has no key `restore`",
            ),
            (
                "[[snapshots.command]]\ntarget = \"x\"\nsave = \"s {file}\"",
                "p:3: `snapshots.command.save` takes a list of strings: a program and its arguments, `{file}` in one of them",
            ),
            (
                "[[snapshots.command]]\ncheck = [\"{file}\"]",
                "p:2: `snapshots.command.check` takes a list of strings: a program and its arguments, `{file}` in one of them",
            ),
            (
                "[[snapshots.command]]\nrestore = [\"r\", \"-\"]",
                "p:2: `snapshots.command.restore` takes a list of strings: a program and its arguments, `{file}` in one of them",
            ),
            ("[[snapshots.folders]]\npath = \"../uploads\"", WITHIN),
            ("[[snapshots.folders]]\npath = \"/srv/uploads\"", WITHIN),
            ("[[snapshots.folders]]\npath = \".\"", WITHIN),
            ("[[snapshots.folders]]\npath = \"sub/.git/objects\"", WITHIN),
            ("[[snapshots.folders]]\npath = \"\"", WITHIN),
            ("[[snapshots.external]]\ntarget = \"x\"", "p:1: `snapshots.external` has no key `how`"),
            ("[snapshots]\nexternal = [{ how = \"x\" }]", "p:2: `snapshots.external` has no key `target`"),
            ("[snapshots]\nexternal = 7", "p:2: `snapshots.external` takes a list of tables"),
            ("[snapshots]\nexternal = [7]", "p:2: `snapshots.external` takes a table"),
            ("[snapshots]\nexternal = [[\"x\", \"y\"]]", "p:2: `snapshots.external` takes a table"),
            ("[[allow]]\nno_database = true", "p:1: `allow` takes a table"),
            ("allow = 3", "p:1: `allow` takes a table"),
            ("\n[snapshots]\nkeep_last = 0", "p:3: `snapshots.keep_last` takes a whole number of at least 1"),
            ("[snapshots]\nkeep_last = -3", "p:2: `snapshots.keep_last` takes a whole number of at least 1"),
            ("[snapshots]\nkeep_last = 1.5", "p:2: `snapshots.keep_last` takes a whole number of at least 1"),
            ("[snapshots]\ndirectory = \" \"", "p:2: `snapshots.directory` takes a string that is not empty"),
            ("[allow]\nno_database = 1979-05-27", "p:2: `allow.no_database` takes true or false"),
            (
                "[allow]\nhosts = [\"*.internal:5432\"]",
                "p:2: `allow.hosts` takes a list of exact `host:port` pairs, without wildcards",
            ),
            (
                "[allow]\nenvironments = [\"A=b\", \"C\"]",
                "p:2: `allow.environments` takes a list of `NAME=value` pairs",
            ),
            ("[production]\nwords = [\"\"]", "p:2: `production.words` takes a list of strings, none of them empty"),
            ("[guard]\nmode = \"on\"", "p:2: `guard.mode` takes \"databases\", \"strict\" or \"off\""),
            ("[guard]\nports = [5432, 0]", "p:2: `guard.ports` takes a list of ports between 1 and 65535"),
            ("[guard]\nports = [65536]", "p:2: `guard.ports` takes a list of ports between 1 and 65535"),
            ("[guard]\nports = 5432", "p:2: `guard.ports` takes a list of ports between 1 and 65535"),
            (
                "[guard]\nallow = [\"db.internal\"]",
                "p:2: `guard.allow` takes a list of exact `host:port` pairs, without wildcards",
            ),
            ("[commands]\nplain = \"npm test\"", "p:2: `commands.plain` takes a list of strings, none of them empty"),
            ("[commands]\nguards = []", "p:2: unknown key `guards` in [commands]"),
            ("[run]\nrestore = \"sometimes\"", "p:2: `run.restore` takes \"never\", \"failure\" or \"always\""),
        ];
        for (text, message) in cases {
            assert_eq!(refused(text).to_string(), message);
        }
        for (text, line) in [("[allow\n", 1), ("[allow]\n\n[allow]\n", 3), ("[run]\nrestore = 1\nrestore = 2", 3)] {
            let error = refused(text);
            assert!(matches!(error, PolicyError::Syntax { line: found, .. } if found == line), "{text} {error}");
        }
    }

    #[test]
    fn a_mistyped_key_gets_a_suggestion_and_a_strange_one_what_there_is() {
        let cases = [
            ("[snapshots]\nkeep_lats = 3", Some("keep_last")),
            ("[snapshots]\nkeep = 3", Some("keep_last")),
            ("[production]\nword = []", Some("words")),
            ("[prodution]", Some("production")),
            ("[guard]\nmodes = \"strict\"", Some("mode")),
            ("[snapshots]\ncompression = 1", None),
            ("[[notify]]\non = \"failure\"", None),
            ("[[snapshots.archive]]\ntarget = \"x\"", None),
            ("hosts = [\"a:1\"]", None),
        ];
        for (text, expected) in cases {
            let error = refused(text);
            let PolicyError::UnknownKey { nearest, known, .. } = &error else { panic!("{text}: {error}") };
            assert_eq!(nearest.as_deref(), expected, "{text}");
            let hint = error.hint().unwrap();
            assert!(known.len() > 2 && known.iter().all(|key| hint.contains(&format!("`{key}`"))), "{hint}");
        }
    }

    #[test]
    fn no_error_shows_a_value() {
        let keys = [
            "environment",
            "environment.files",
            "production",
            "production.words",
            "production.hosts",
            "production.databases",
            "allow",
            "allow.hosts",
            "allow.no_database",
            "allow.environments",
            "snapshots",
            "snapshots.keep_last",
            "snapshots.skip",
            "snapshots.external",
            "snapshots.command",
            "snapshots.folders",
            "guard",
            "guard.mode",
            "guard.allow",
            "guard.ports",
            "run",
            "run.restore",
            "commands",
            "commands.plain",
            "commands.guard",
        ];
        for key in keys {
            for value in
                ["\"hunter2, expected \"", "[\"\", \"hunter2\"]", "[[\"hunter2\"]]", "{ hunter = \"hunter2\" }"]
            {
                let error = refused(&format!("{key} = {value}"));
                let shown = format!("{error} {:?}", error.hint());
                assert!(!shown.contains("hunter2"), "{key} = {value}: {shown}");
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_a_policy_or_an_error_with_a_line(
            text in r#"(\[|\]|=|"|'|\n| |,|allow|hosts|snapshots|external|run|restore|x|ä|\{|\}|true|[0-9]|\.){0,40}"#,
        ) {
            let lines = u32::try_from(text.split('\n').count()).unwrap();
            match Document::parse(&text, Path::new("p")) {
                Ok(_) | Err(PolicyError::Unreadable { .. }) => {}
                Err(
                    PolicyError::Syntax { line, .. }
                    | PolicyError::UnknownKey { line, .. }
                    | PolicyError::MissingKey { line, .. }
                    | PolicyError::Value { line, .. },
                ) => {
                    proptest::prop_assert!((1..=lines).contains(&line), "{line} of {lines}");
                }
            }
        }
    }
}
