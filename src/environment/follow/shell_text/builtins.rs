//! What the shell's own commands do to variables and commands: `read`, `printf -v`, `unset`, `trap`, `alias`.
//!
//! Source: the Bash Reference Manual, "Shell Builtin Commands"; POSIX.1-2024, "Special Built-In Utilities".

use crate::environment::follow::shell_text::brackets::closing;
use crate::text::head;
use crate::tools::words::{SHELLS, name_of};

/// Lists the variables that a command of the shell sets to what cannot be told, or takes away.
pub(crate) fn unknown_after(words: &[String]) -> Vec<&str> {
    let [program, arguments @ ..] = words else { return Vec::new() };
    let names = || arguments.iter().map(String::as_str).filter(|word| is_name(word));
    let or_else = |default| if names().next().is_some() { names().collect() } else { vec![default] };
    match program.as_str() {
        "for" | "select" => names().take(1).collect(),
        // A word of a prompt may be among them.
        "read" => or_else("REPLY"),
        "mapfile" | "readarray" => or_else("MAPFILE"),
        "getopts" => arguments.iter().skip(1).take(1).map(String::as_str).chain(["OPTARG", "OPTIND"]).collect(),
        // `local NAME` hides what the name held.
        "unset" | "local" => names().collect(),
        "let" => arguments.iter().map(|word| leading_name(word)).filter(|name| !name.is_empty()).collect(),
        "printf" => match arguments {
            [option, name, ..] if option == "-v" => vec![name],
            [option, ..] => option.strip_prefix("-v").into_iter().collect(),
            [] => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Finds the name that `NAME+=…` or `NAME[…]=…` assigns a part to.
pub(crate) fn assigned_in_part(word: &str) -> Option<&str> {
    let (name, rest) = word.split_at(leading_name(word).len());
    let is_part = rest.starts_with("+=") || rest.starts_with('[') && rest.contains("]=") || rest.contains("]+=");
    (is_part && is_name(name)).then_some(name)
}

/// Finds the variables that a word assigns its own default to where they have none, each with the expression that does so:
/// `: "${NAME:=x}"`.
pub(crate) fn assigned_by_default(word: &str) -> impl Iterator<Item = (&str, &str)> {
    word.match_indices("${").filter_map(|(at, opening)| {
        let name = leading_name(&word[at + opening.len()..]);
        let operation = &word[at + opening.len() + name.len()..];
        let assigns = is_name(name) && (operation.starts_with(":=") || operation.starts_with('='));
        assigns.then(|| {
            let near = head(operation, LONGEST_DEFAULT);
            let end = (closing(near.as_bytes(), 0, b'{', b'}') + 1).min(near.len());
            (name, &word[at..at + opening.len() + name.len() + end])
        })
    })
}

/// How far the brace is looked for that closes a default, in bytes: what is longer is cut off, and so is none that is known.
const LONGEST_DEFAULT: usize = 4096;

/// Whether `text` has the form of a shell variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Reads what the text begins with of letters, digits and `_`.
pub(crate) fn leading_name(word: &str) -> &str {
    &word[..word.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count()]
}

/// Finds the text that `trap` has run later.
pub(crate) fn trapped(words: &[String]) -> Option<&String> {
    let [program, arguments @ ..] = words else { return None };
    let mut arguments = arguments.iter().filter(|_| program == "trap").skip_while(|word| *word == "--");
    let text = arguments.next().filter(|text| !text.is_empty() && !text.starts_with('-'))?;
    arguments.next().map(|_| text)
}

/// Tells whether a shell reads its commands from what it is fed: `… | sh`, `bash -s`.
pub(crate) fn reads_commands(words: &[String]) -> bool {
    let [program, arguments @ ..] = words else { return false };
    let is_flag = |word: &&String| word.starts_with(['-', '+']);
    let has = |letter: char| {
        arguments.iter().take_while(is_flag).any(|word| !word.starts_with("--") && word.contains(letter))
    };
    let only_flags = arguments.iter().all(|word| is_flag(&word) && word != "--version" && word != "--help");
    SHELLS.contains(&name_of(program)) && !has('c') && (only_flags || has('s'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn commands_that_set_variables_are_known() {
        for (text, expected) in [
            ("for A in x", "A"),
            ("read -r A B", "A B"),
            ("read", "REPLY"),
            ("mapfile -t A", "A"),
            ("readarray", "MAPFILE"),
            ("getopts ab: OPT x", "OPT OPTARG OPTIND"),
            ("getopts ab OPT", "OPT OPTARG OPTIND"),
            ("unset -v A B", "A B"),
            ("local A", "A"),
            ("let A=1 B+=2 C++", "A B C"),
            ("printf -v A %s x", "A"),
            ("printf -vA %s x", "A"),
            ("printf A", ""),
            ("echo A", ""),
        ] {
            assert_eq!(unknown_after(&split(text)).join(" "), expected, "{text}");
        }
        for (word, expected) in [
            ("A+=x", Some("A")),
            ("A[1]=x", Some("A")),
            ("A[x]+=y", Some("A")),
            ("A=x", None),
            ("x.y[1]=z", None),
            ("1A+=x", None),
        ] {
            assert_eq!(assigned_in_part(word), expected, "{word}");
        }
    }

    #[test]
    fn defaults_that_are_assigned_are_found() {
        for (word, expected) in [
            ("${A:=x}", &[("A", "${A:=x}")][..]),
            ("a${A=${B:-x}}/${C:=}", &[("A", "${A=${B:-x}}"), ("C", "${C:=}")]),
            ("${A:-${B:=x}}", &[("B", "${B:=x}")]),
            ("${A:=x", &[("A", "${A:=x")]),
            ("${A:-x}${A==x$A:=x", &[("A", "${A==x$A:=x")]),
            ("$A:=x ${1:=x} ${A#=x}", &[]),
        ] {
            assert_eq!(assigned_by_default(word).collect::<Vec<_>>(), expected, "{word}");
        }
    }

    #[test]
    fn commands_that_are_run_otherwise_are_known() {
        for (text, expected) in [
            ("sh", true),
            ("/bin/bash -e", true),
            ("bash -s -- x", true),
            ("bash -c x", false),
            ("bash -ec x", false),
            ("bash run.sh", false),
            ("bash --version", false),
            ("psql", false),
        ] {
            assert_eq!(reads_commands(&split(text)), expected, "{text}");
        }
        let trap = |words: &[&str]| trapped(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).cloned();
        assert_eq!(trap(&["trap", "rm -f x", "EXIT"]).as_deref(), Some("rm -f x"));
        assert_eq!(trap(&["trap", "--", "a", "EXIT"]).as_deref(), Some("a"));
        for none in [&["trap", "", "INT"][..], &["trap", "-", "INT"], &["trap"], &["trap", "INT"], &["echo", "a", "b"]]
        {
            assert_eq!(trap(none), None, "{none:?}");
        }
    }
}
