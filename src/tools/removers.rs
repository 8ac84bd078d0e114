//! Programs that remove files, move them away or write over them, and which of their words are those files.

use crate::tools::words::name_of;

/// Programs that remove or empty each file that they are given.
const REMOVERS: &[&str] =
    &["del-cli", "gio", "rimraf", "rm", "rmdir", "shred", "srm", "tee", "trash", "trash-put", "truncate", "unlink"];

/// Tells whether a program may remove files.
pub(crate) fn is_remover(name: &str) -> bool {
    REMOVERS.contains(&name) || matches!(name, "cp" | "dd" | "find" | "install" | "mv" | "rsync")
}

/// Lists what a command removes, empties, moves away or writes over, as it stands there: files, folders, and of `find` also
/// what the names of these are like. Options are none.
pub(crate) fn lost(words: &[String]) -> Vec<&str> {
    let Some((program, arguments)) = words.split_first() else { return Vec::new() };
    let plain = || arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-'));
    match name_of(program) {
        // What is moved, and what it replaces.
        "mv" => plain().collect(),
        "cp" | "install" | "rsync" if plain().count() > 1 => plain().next_back().into_iter().collect(),
        "dd" => plain().filter_map(|word| word.strip_prefix("of=")).collect(),
        "find" if removes_found(arguments) => {
            let named = arguments
                .windows(2)
                .filter(|pair| matches!(pair[0].as_str(), "-name" | "-iname" | "-path" | "-wholename"));
            let starts = arguments.iter().map(String::as_str).take_while(|word| !word.starts_with('-'));
            named.map(|pair| pair[1].as_str()).chain(starts).collect()
        }
        name if REMOVERS.contains(&name) => plain().collect(),
        _ => Vec::new(),
    }
}

fn removes_found(arguments: &[String]) -> bool {
    let runs =
        |pair: &[String]| matches!(pair[0].as_str(), "-exec" | "-execdir") && REMOVERS.contains(&name_of(&pair[1]));
    arguments.iter().any(|word| word == "-delete") || arguments.windows(2).any(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_loses_is_listed() {
        let table: [(&str, &[&str]); 12] = [
            ("rm -rf a b/c", &["a", "b/c"]),
            ("/bin/rm a", &["a"]),
            ("mv a b", &["a", "b"]),
            ("cp a b c", &["c"]),
            ("cp -r a", &[]),
            ("dd if=a of=b bs=1", &["b"]),
            ("truncate -s 0 a", &["0", "a"]),
            ("find a -name *.b -delete", &["*.b", "a"]),
            ("find a -name *.b -exec rm {} ;", &["*.b", "a"]),
            ("find a -name *.b", &[]),
            ("cat a", &[]),
            ("git rm a", &[]),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(lost(&words), expected, "{command}");
        }
        assert_eq!(lost(&[]), [""; 0]);
    }
}
