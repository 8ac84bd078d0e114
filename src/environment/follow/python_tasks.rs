//! Task files that are Python (`noxfile.py`, `tasks.py`): the commands that their functions run, by text.
//!
//! Sources: the manuals of Nox (`session.run`, `session.env`) and Invoke (`c.run`).

use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, Step};
use crate::environment::paths::nearest;
use crate::text::shell_word;

/// Calls that run a command.
const RUNS: &[&str] = &[".run(", ".run_always(", ".run_install(", ".sudo("];

impl Expansion<'_> {
    /// The commands of the functions that the words ask for, by the options `asking` or as plain words; of all where they
    /// ask for none.
    pub(crate) fn python_tasks(&self, words: &[String], name: &str, asking: &[&str]) -> Option<Vec<Step>> {
        let file = nearest(self.files, &self.step.folder, &self.project.root, &[name])?;
        let text = self.text_of(&file)?;
        let mut asked: Vec<String> = Vec::new();
        let mut is_option = asking.is_empty();
        for word in words[1..].iter().take_while(|word| *word != "--") {
            match word.starts_with('-') {
                true => is_option = asking.is_empty() || asking.contains(&word.as_str()),
                // `tests-3.12(lock)` is a session for one version, `db.reset` a task of a collection.
                false if is_option => {
                    let bare = word.split(['(', '-']).next().unwrap_or(word).rsplit('.').next().unwrap_or(word);
                    asked.push(bare.replace('-', "_"));
                }
                false => {}
            }
        }
        let functions = functions(&text);
        let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|asked| name.starts_with(asked.as_str()));
        let mut steps = Vec::new();
        for function in functions.iter().filter(|function| is_asked(function.name)) {
            let script = Script {
                name: function.name.to_owned(),
                text: function.commands.join("\n"),
                line: function.line,
                assignments: function.variables.clone(),
                ..Script::default()
            };
            let folder = file.parent().unwrap_or(&self.step.folder);
            steps.extend(self.script(&file, folder, script));
        }
        (!steps.is_empty()).then_some(steps)
    }
}

/// A function with the commands that it runs.
#[derive(Debug)]
struct Function<'t> {
    name: &'t str,
    line: u32,
    commands: Vec<String>,
    variables: Vec<(String, String)>,
}

/// Takes the functions of a text apart.
fn functions(text: &str) -> Vec<Function<'_>> {
    let mut functions = Vec::new();
    let mut starts: Vec<(usize, u32)> = Vec::new();
    let mut at = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        if line.starts_with("def ") || line.starts_with("async def ") {
            starts.push((at, number));
        }
        at += line.len();
    }
    for (index, (start, line)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |(next, _)| *next);
        let body = &text[*start..end];
        let name = body.trim_start_matches("async ").trim_start_matches("def ");
        let name = &name[..name.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(name.len())];
        let mut function = Function { name, line: *line, commands: Vec::new(), variables: Vec::new() };
        for call in RUNS {
            for (at, _) in body.match_indices(call) {
                let arguments = until_closed(&body[at + call.len()..]);
                let (words, rest) = leading_texts(arguments);
                // One text is a command line, several are words.
                let command = match &words[..] {
                    [] => continue,
                    [line] => line.clone(),
                    words => words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "),
                };
                function.commands.push(command);
                function.variables.extend(rest.split_once("env=").map(|(_, behind)| pairs(behind)).unwrap_or_default());
            }
        }
        for (at, mark) in body.match_indices(".env[").chain(body.match_indices("os.environ[")) {
            let mut quoted = body[at + mark.len()..].lines().next().unwrap_or_default().split(['"', '\'']);
            if let (Some(name), Some(between), Some(value)) = (quoted.nth(1), quoted.next(), quoted.next())
                && between.trim_start().starts_with(']')
                && between.contains('=')
            {
                function.variables.push((name.to_owned(), value.to_owned()));
            }
        }
        functions.push(function);
    }
    functions
}

/// The text up to the bracket that closes what is open before it.
fn until_closed(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return &text[..at],
            },
            (None, _) => {}
        }
    }
    text
}

/// Reads the quoted texts that arguments begin with, and gives what stands behind them.
fn leading_texts(arguments: &str) -> (Vec<String>, &str) {
    let mut texts = Vec::new();
    let mut rest = arguments.trim_start();
    while let Some(quote) = rest.trim_start_matches(['f', 'r']).chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &rest.trim_start_matches(['f', 'r'])[1..];
        let Some(end) = inside.find(quote) else { break };
        texts.push(inside[..end].to_owned());
        rest = inside[end + 1..].trim_start_matches([',', ' ', '\n', '\t', '\r']);
    }
    (texts, rest)
}

/// Reads `{"NAME": "value", …}`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let Some(inside) = text.trim_start().strip_prefix('{') else { return Vec::new() };
    let inside = until_closed(inside);
    let quoted: Vec<&str> = inside.split(['"', '\'']).collect();
    let mut found = Vec::new();
    let mut at = 1;
    while let (Some(name), Some(between), Some(value)) = (quoted.get(at), quoted.get(at + 1), quoted.get(at + 2)) {
        if between.trim() == ":" {
            found.push(((*name).to_owned(), (*value).to_owned()));
            at += 4;
        } else {
            at += 2;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_variables_of_functions_are_found() {
        let text = "import nox\n\n@nox.session\ndef tests(session):\n    session.env['B'] = 'y'\n    session.run(\n        \"pytest\", \"-q\", env={\"A\": \"x\", \"C\": other()}\n    )\n\ndef reset(c):\n    c.run('psql -h db.test shop')\n";
        let shown: Vec<String> = functions(text)
            .iter()
            .map(|one| format!("{} {} {:?} {:?}", one.line, one.name, one.commands, one.variables))
            .collect();
        assert_eq!(
            shown,
            [r#"4 tests ["pytest -q"] [("A", "x"), ("B", "y")]"#, r#"10 reset ["psql -h db.test shop"] []"#]
        );
    }
}
