//! The words of a command line: which program they call, behind a path, a version or a program that runs others.

/// The shells, whose `-c` takes the text of commands.
pub(crate) const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "ash"];

/// Tells whether a shell's option takes the name of another in the next word: `-o`, `-euo`.
pub(crate) fn names_an_option(word: &str) -> bool {
    let letters = word.strip_prefix(['-', '+']).filter(|letters| !letters.starts_with('-'));
    letters.is_some_and(|letters| letters.ends_with('o'))
}

/// Programs and their subcommands that run the program named behind them.
const RUNNERS: &[&str] = &[
    "bun", "bundle", "bunx", "cargo", "dlx", "exec", "npm", "npx", "pdm", "pipenv", "pnpm", "poetry", "python",
    "python3", "run", "rye", "uv", "x", "yarn",
];

/// Options of runners whose value is the next word, and no program.
const VALUED: &[&str] = &[
    "--cwd",
    "--dir",
    "--directory",
    "--env-file",
    "--extra",
    "--filter",
    "--group",
    "--package",
    "--prefix",
    "--project",
    "--with",
    "--workspace",
    "-C",
    "-F",
    "-p",
    "-w",
];

/// Finds the name of the program that `word` calls: without folders and `.exe`.
pub(crate) fn name_of(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Finds the first program that `known` knows, behind nothing but runners and their options, with its arguments.
pub(crate) fn called<T>(words: &[String], known: impl Fn(&str) -> Option<T>) -> Option<(T, &[String])> {
    for (index, word) in words.iter().enumerate() {
        if index > 0 && VALUED.contains(&words[index - 1].as_str()) {
            continue;
        }
        let name = name_of(word);
        if let Some(found) = known(name) {
            return Some((found, &words[index + 1..]));
        }
        if !RUNNERS.contains(&name) && (index == 0 || !word.starts_with('-')) {
            return None;
        }
    }
    None
}

/// Strips from a name the version that Debian (`psql-16`) and Homebrew (`mysql@8`) append.
pub(crate) fn without_version(name: &str) -> &str {
    let plain = name.split('@').next().unwrap_or(name);
    plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_behind_runners_and_their_options_only() {
        let table = [
            ("psql -h x", Some("-h x")),
            ("/usr/bin/psql", Some("")),
            ("npx --yes psql x", Some("x")),
            ("python3 -m psql", Some("")),
            ("echo psql", None),
            ("npm run other psql", None),
            ("--yes psql", None),
            ("pnpm --filter psql test", None),
            ("npx -p psql psql x", Some("x")),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let found = called(&words, |name| (name == "psql").then_some(()));
            assert_eq!(found.map(|((), rest)| rest.join(" ")).as_deref(), expected, "{command}");
        }
    }
}
