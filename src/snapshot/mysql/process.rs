//! Starts the client programs, and says what of their messages may be shown.

use crate::own_tools::ToolCommand;
use crate::secret::{ForeignText, Secret};
use crate::snapshot::tool_process::{Running, ToolError};

/// Starts one of the programs.
pub(crate) fn start(tool: &'static str, command: ToolCommand, secrets: &[Secret]) -> Result<Running, ToolError> {
    Running::start(tool, command, cleaned, secrets)
}

/// Keeps the errors themselves, never the statement that failed, which is printed before them and may hold thousands of
/// rows, nor the values in them.
pub(crate) fn cleaned(messages: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in messages.lines() {
        let line = line.trim();
        // `mysqldump: …`, also with its path.
        let line = match line.split_once("dump: ") {
            Some((program, rest)) if !program.contains([' ', '\'']) => rest,
            _ => line,
        };
        let is_error = ["ERROR ", "Got error: ", "Couldn't ", "Error ", "Error: ", "unknown "]
            .iter()
            .any(|mark| line.starts_with(mark))
            || line.contains(" privileges to ");
        if is_error && lines.len() < 4 {
            lines.push(without_values(line).chars().take(300).collect());
        }
    }
    lines.join("; ")
}

/// Cuts off what quotes a value: `Duplicate entry 'a@b.test' for key 'mail'`, `Incorrect date value: '…' for column`.
fn without_values(line: &str) -> String {
    for mark in ["Duplicate entry '", "value: '", "value '"] {
        if let Some(at) = line.find(mark) {
            let end = line[at + mark.len()..].rfind("' for ").map_or(line.len(), |end| at + mark.len() + end + 1);
            return format!("{}…{}", &line[..at + mark.len() - 1], &line[end..]);
        }
    }
    line.to_owned()
}

/// What a program said of an error: `ERROR 1044 (42000) at line 3: Access denied …`; the number is 0 where none is said.
pub(crate) fn error_in(said: &ForeignText) -> (u32, ForeignText) {
    let number = |after: &str| {
        let rest = said.split_once(after)?.1.trim_start();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    // The dump programs write `Got error: 1045: …` and `… : Access denied … (1044)`.
    let in_brackets = || {
        let inside = said.rsplit_once('(')?.1;
        inside.split_once(')')?.0.parse().ok()
    };
    let code = number("ERROR ").or_else(|| number("Got error: ")).or_else(in_brackets).unwrap_or(0);
    let message = said.shortened(|text| match text.strip_prefix("ERROR ") {
        Some(rest) => rest.split_once(": ").map_or(rest, |(_, message)| message).to_owned(),
        None => text.to_owned(),
    });
    (code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_statements_nor_values_are_shown() {
        let said = "--------------\nINSERT INTO `users` VALUES (1,'secret')\n--------------\n\n\
                    ERROR 1062 (23000) at line 2: Duplicate entry 'a@b.test' for key 'mail'\n\
                    mariadb-dump: Got error: 1045: \"Access denied for user\" when trying to connect\n";
        assert_eq!(
            cleaned(said),
            "ERROR 1062 (23000) at line 2: Duplicate entry …' for key 'mail'; \
             Got error: 1045: \"Access denied for user\" when trying to connect"
                .replace("…'", "…")
        );
        assert!(!cleaned("ERROR 1292 (22007): Incorrect date value: '2020-99-99' for column x").contains("2020"));
    }

    #[test]
    fn the_number_of_an_error_is_found_wherever_a_program_writes_it() {
        for (said, code, message) in [
            ("ERROR 1044 (42000) at line 3: Access denied", 1044, "Access denied"),
            ("ERROR 2003 (HY000): Can't connect", 2003, "Can't connect"),
            (
                "Got error: 1049: \"Unknown database\" when selecting",
                1049,
                "Got error: 1049: \"Unknown database\" when selecting",
            ),
            (
                "Couldn't execute 'show events': Access denied (1044)",
                1044,
                "Couldn't execute 'show events': Access denied (1044)",
            ),
            ("", 0, ""),
        ] {
            let (found, text) = error_in(&ForeignText::of(said));
            assert_eq!((found, &*text), (code, message), "{said}");
        }
    }
}
