//! Lines for PowerShell, as far as they are commands with words and what stands between these. A line with more in it (a
//! block, an expression, a variable for a program) is not understood, and that is said.

use crate::text::shell_line;
use crate::touching;
use crate::touching::{Corrections, Judged, Place, Touches};

/// One command of a line.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    words: Vec<String>,
    /// Where it begins: at the operator that calls it, where there is one.
    from: usize,
    /// Where its first word begins.
    program: usize,
}

/// What runs text, or a program in another way, so that its words are no command.
const RUNNERS: [&str; 9] =
    ["cmd", "iex", "icm", "invoke-command", "invoke-expression", "saps", "start", "start-job", "start-process"];

/// The endings by which Windows knows programs.
const ENDINGS: [&str; 4] = [".exe", ".cmd", ".bat", ".ps1"];

/// Judges a line; `None` where it is not understood.
pub(super) fn judge(line: &str, place: &Place<'_>, corrections: &Corrections) -> Option<Judged> {
    let pieces = pieces(line)?;
    let mut found: Option<Touches> = None;
    let mut instead = Some(line.to_owned());
    // From the last one on: places in front of what is put in stay where they are.
    for piece in pieces.iter().rev() {
        let plain = shell_line(&piece.words);
        let Judged::Touches(touches) = touching::judge(&plain, place, corrections) else { continue };
        let is_wrapped_whole =
            touches.instead.as_deref().is_some_and(|instead| instead == format!("safe-test {plain}"));
        instead = instead.filter(|_| is_wrapped_whole).map(|mut instead| {
            instead.replace_range(piece.from..piece.program, "safe-test ");
            instead
        });
        found = Some(touches);
    }
    Some(found.map_or(Judged::Plain, |touches| Judged::Touches(Touches { instead, ..touches })))
}

/// Takes a line apart.
fn pieces(line: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut reader = Reader { line, at: 0 };
    loop {
        reader.skip(|c| matches!(c, ';' | '|' | '&' | '\n' | '\r' | ' ' | '\t'));
        if reader.rest().is_empty() {
            break;
        }
        let program = reader.at;
        let called = line[..program].trim_end_matches([' ', '\t']);
        let from = if called.ends_with('&') && !called.ends_with("&&") { called.len() - 1 } else { program };
        let words = reader.words()?;
        let Some(first) = words.first() else { continue };
        if first.to_lowercase().starts_with("$env:") && words.iter().any(|word| word.contains('=')) {
            continue;
        }
        let name = program_of(first);
        if name.is_empty()
            || name.starts_with(['$', '-', '%', '.', '?']) && !name.starts_with("./") && !name.starts_with("../")
        {
            return None;
        }
        if RUNNERS.contains(&name.to_lowercase().as_str()) {
            return None;
        }
        pieces.push(Piece { words: std::iter::once(name).chain(words.into_iter().skip(1)).collect(), from, program });
    }
    Some(pieces)
}

/// A program as it is called elsewhere: `.\vendor\bin\phpunit.bat` is `./vendor/bin/phpunit`.
fn program_of(word: &str) -> String {
    let plain = word.replace('\\', "/");
    let ending = ENDINGS.iter().find(|ending| plain.to_lowercase().ends_with(*ending));
    ending.map_or_else(|| plain.clone(), |ending| plain[..plain.len() - ending.len()].to_owned())
}

struct Reader<'l> {
    line: &'l str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.line[self.at..]
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        self.at = self.line.len() - self.rest().trim_start_matches(is_skipped).len();
    }

    /// Reads the words of one command, to what separates it from the next.
    fn words(&mut self) -> Option<Vec<String>> {
        let (mut words, mut word) = (Vec::new(), None::<String>);
        while let Some(c) = self.rest().chars().next() {
            if matches!(c, ';' | '|' | '&' | '\n' | '\r') {
                break;
            }
            self.at += c.len_utf8();
            match c {
                ' ' | '\t' => words.extend(word.take()),
                '\'' | '"' => self.quoted(c, word.get_or_insert_default())?,
                '#' if word.is_none() => self.skip(|c| c != '\n'),
                // `2>&1`, `> file`: what it leads to is a word more.
                '>' => {
                    words.extend(word.take());
                    self.skip(|c| matches!(c, '>' | '&'));
                }
                '{' | '}' | '(' | ')' | '`' | '<' => return None,
                '@' if word.is_none() => return None,
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        (!words.iter().any(|word| word == "--%")).then_some(words)
    }

    /// Reads to the end of what is quoted. What is computed within is not understood.
    fn quoted(&mut self, quote: char, word: &mut String) -> Option<()> {
        loop {
            let c = self.rest().chars().next()?;
            self.at += c.len_utf8();
            match c {
                '`' if quote == '"' => return None,
                '$' if quote == '"' && self.rest().starts_with('(') => return None,
                _ if c == quote && self.rest().starts_with(quote) => {
                    self.at += quote.len_utf8();
                    word.push(quote);
                }
                _ if c == quote => return Some(()),
                _ => word.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(line: &str) -> Option<Vec<String>> {
        pieces(line).map(|pieces| pieces.iter().map(|piece| shell_line(&piece.words)).collect())
    }

    #[test]
    fn plain_lines_are_taken_apart() {
        for (line, expected) in [
            ("npm test", &["npm test"][..]),
            ("cd app; npm test && echo done", &["cd app", "npm test", "echo done"]),
            ("npm test | Select-Object -First 20", &["npm test", "Select-Object -First 20"]),
            ("$env:NODE_ENV='test'; npx jest", &["npx jest"]),
            ("$env:NODE_ENV = \"test\"; npx jest", &["npx jest"]),
            (r".\vendor\bin\phpunit.bat --filter 'it''s'", &[r"./vendor/bin/phpunit --filter 'it'\''s'"]),
            (r#"& "npx.cmd" prisma migrate reset"#, &["npx prisma migrate reset"]),
            ("npm test 2>&1 > out.txt", &["npm test 2 1 out.txt"]),
            ("npm run lint # npm test", &["npm run lint"]),
            ("echo 'npm test; x'", &["echo 'npm test; x'"]),
            ("", &[]),
        ] {
            assert_eq!(
                commands(line).as_deref(),
                Some(&expected.iter().map(|&one| one.to_owned()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }

    #[test]
    fn lines_with_more_in_them_are_not_understood() {
        for line in [
            "if ($x) { npm test }",
            "$cmd = 'npm test'; & $cmd",
            "& $cmd",
            "Invoke-Expression 'npm test'",
            "iex \"npm test\"",
            "npm $(Get-Task)",
            "echo \"$(npm test)\"",
            "npm te`st",
            "cmd /c npm test",
            "Get-ChildItem | % { npm test }",
            "@'\nnpm test\n'@ | iex",
            "npm 'test",
            ". ./setup.ps1",
            "npm --% test",
        ] {
            assert_eq!(commands(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_line_is_taken_apart_or_not_understood(line in r#"(npm|test|;|&|\||'|"|\$env:|\$|=|>|#|ä| |\n|@|`|\.|\\){0,30}"#) {
            for piece in pieces(&line).unwrap_or_default() {
                proptest::prop_assert!(piece.from <= piece.program && line.is_char_boundary(piece.program));
                proptest::prop_assert!(!piece.words.is_empty());
            }
        }
    }
}
