//! Keeps the map in the module docs of `src/lib.rs` true: who may use whom, how long a file may be, and that each
//! rule is told of and tested.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate's root with those that it may use besides itself and [`OPEN`].
///
/// `environment → reach → verdict → snapshot → clearance → exec → audit`: a stage uses types of stages to its left.
/// `commands` may use all; nobody uses `commands`, and only it uses `cli` and `ui`.
const MAY_USE: [(&str, &[&str]); 16] = [
    ("tools", &[]),
    ("environment", &["tools"]),
    ("touching", &["tools", "environment"]),
    ("caller", &["environment"]),
    ("reach", &["tools", "environment"]),
    ("policy", &["environment", "caller", "reach"]),
    ("verdict", &["environment", "caller", "reach", "policy"]),
    ("snapshot", &["environment", "caller", "reach", "policy", "verdict"]),
    ("guard", &["environment", "reach", "policy", "verdict", "snapshot"]),
    ("clearance", &["environment", "caller", "reach", "policy", "verdict", "snapshot", "guard"]),
    ("exec", &["environment", "caller", "reach", "policy", "verdict", "snapshot", "guard", "clearance"]),
    (
        "audit",
        &["tools", "environment", "caller", "reach", "policy", "verdict", "snapshot", "guard", "clearance", "exec"],
    ),
    ("ui", &["environment", "caller", "reach", "policy", "verdict", "snapshot", "clearance", "exec", "audit"]),
    ("cli", &[]),
    (
        "commands",
        &[
            "environment",
            "touching",
            "caller",
            "reach",
            "policy",
            "verdict",
            "snapshot",
            "guard",
            "clearance",
            "exec",
            "audit",
            "ui",
            "cli",
        ],
    ),
    ("main", &["commands", "cli"]),
];

/// Open to all.
const OPEN: [&str; 15] = [
    "collections",
    "secret",
    "exit",
    "error",
    "hash",
    "json",
    "lists",
    "lock",
    "text",
    "letter_case",
    "durable",
    "own_tools",
    "random",
    "regular",
    "state_directory",
];

/// The most lines of a file in `src`.
const MAX_LINES: usize = 600;

#[test]
fn modules_use_only_what_is_left_of_them() {
    let source = source_folder();
    let mut violations = Vec::new();
    for path in rust_files(&source) {
        let shown = path.strip_prefix(source.parent().unwrap()).unwrap().display().to_string();
        let module = module_path(path.strip_prefix(&source).unwrap());
        if module == ["lib"] {
            continue;
        }
        for (line, used) in uses(&fs::read_to_string(&path).unwrap(), &module) {
            if let Err(why) = judged(&module[0], &used) {
                violations.push(format!("{shown}:{line}: {why}"));
            }
        }
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn files_are_short_enough_to_tell_one_story() {
    let long = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count() > MAX_LINES;
    let long: Vec<_> = rust_files(&source_folder()).into_iter().filter(long).collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines: {long:?}");
}

#[test]
fn what_is_told_to_programs_is_derived_from_types() {
    let by_hand = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("property_tests.rs");
        code.contains("json!(") && !is_test
    };
    let by_hand: Vec<_> = rust_files(&source_folder()).into_iter().filter(by_hand).collect();
    assert!(by_hand.is_empty(), "JSON is built by hand: {by_hand:?}");
}

#[test]
fn processes_are_started_in_three_places() {
    // A program of ours goes through `own_tools`, the guarded command through `exec`.
    const PLACES: [&str; 3] = ["exec/spawn.rs", "own_tools/ask.rs", "own_tools/mod.rs"];
    let starts = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default().replace("clap::Command", "");
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || ["testing.rs", "test_support.rs", "_tests.rs"].iter().any(|end| path.to_string_lossy().ends_with(end));
        !is_test && (code.contains("Command::new(") || code.contains("duct::"))
    };
    let source = source_folder();
    let starting: Vec<_> = rust_files(&source).into_iter().filter(starts).collect();
    let mut shown: Vec<_> =
        starting.iter().map(|path| path.strip_prefix(&source).unwrap().display().to_string()).collect();
    shown.sort();
    assert_eq!(shown, PLACES);
}

#[test]
fn lists_are_sorted_and_name_nothing_twice() {
    let mut violations = Vec::new();
    for path in files_of(&source_folder(), "txt") {
        let text = fs::read_to_string(&path).unwrap();
        violations.extend(list_violations(&text).into_iter().map(|why| format!("{}:{why}", path.display())));
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn drivers_are_in_the_spelling_that_is_looked_up() {
    for path in files_of(&source_folder(), "txt").into_iter().filter(|path| path.ends_with("drivers.txt")) {
        let text = fs::read_to_string(&path).unwrap();
        let odd = |line: &&str| !line.starts_with('#') && line.contains(|c: char| c == '_' || c.is_ascii_uppercase());
        assert_eq!(text.lines().find(odd), None, "{}", path.display());
    }
}

#[test]
fn disorder_in_a_list_is_seen() {
    assert!(list_violations("# head\na*\na-b  note\n\n# middle\nb\n").is_empty());
    for text in ["b\na\n", "a\na\n", "a  one\na  two\n", " a\n", "a \n", "a\n# c\n* # b\na\n"] {
        assert_eq!(list_violations(text).len(), 1, "{text:?}");
    }
}

#[test]
fn every_rule_has_a_line_in_the_readme_and_a_test() {
    let root = source_folder().parent().unwrap().to_owned();
    let rules = root.join("src/verdict/rules");
    let readme = fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let tests: String = [&root.join("src/verdict"), &root.join("tests")]
        .into_iter()
        .flat_map(|folder| rust_files(folder))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut missing = Vec::new();
    for path in rust_files(&rules) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "mod" {
            continue;
        }
        let id = name.replace('_', "-");
        if !readme.lines().any(|line| line.contains(&format!("`{id}`"))) {
            missing.push(format!("README.md: no line about `{id}`"));
        }
        let is_test = |(at, _): (usize, &str)| tests[..at].trim_end().ends_with("#[test]");
        if !tests.match_indices(&format!("fn {name}")).any(is_test) {
            missing.push(format!("{}: no test whose name begins with {name}", path.display()));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn an_engine_is_known_to_its_folder_and_its_row_alone() {
    let snapshot = source_folder().join("snapshot");
    let folders: Vec<PathBuf> = fs::read_dir(&snapshot).unwrap().map(|entry| entry.unwrap().path()).collect();
    let engines: Vec<_> = folders.into_iter().filter(|folder| folder.join("engine.rs").exists()).collect();
    assert!(engines.len() >= 2, "{engines:?}");
    let mut violations = Vec::new();
    let files = rust_files(&snapshot).into_iter().chain(rust_files(&source_folder().join("commands")));
    let outside = |path: &PathBuf| !engines.iter().any(|folder| path.starts_with(folder));
    let is_free = |path: &PathBuf| path.ends_with("snapshot/engines.rs") || path.ends_with("snapshot/testing.rs");
    for path in files.filter(|path| outside(path) && !is_free(path)) {
        let text = fs::read_to_string(&path).unwrap();
        let names: Vec<_> = engines.iter().map(|folder| folder.file_name().unwrap().to_str().unwrap()).collect();
        violations.extend(engine_named(&text, &names).map(|line| format!("{}: {line}", path.display())));
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn an_engine_that_is_named_is_seen() {
    let named = |text| engine_named(text, &["mongodb"]).is_some();
    for text in
        ["mongodb::take(x)", "if engine == \"mongodb\" {", "Engine::Mongodb => 1", "(Engine::Unknown, Engine::Redis)"]
    {
        assert!(named(text), "{text}");
    }
    for text in ["// mongodb::take", "mod mongodb;", "Engine::Unknown", "x\n#[cfg(test)]\nmod tests {\nEngine::Redis"] {
        assert!(!named(text), "{text}");
    }
}

/// The first line outside of tests that knows one of these engines: by a path, as a string, or as a variant.
fn engine_named<'t>(text: &'t str, engines: &[&str]) -> Option<&'t str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().find(|line| {
        let line = line.split("//").next().unwrap_or_default();
        let is_named = |name: &&str| line.contains(&format!("{name}::")) || line.contains(&format!("\"{name}\""));
        let mut variants = line.match_indices("Engine::").map(|(at, mark)| &line[at + mark.len()..]);
        let is_an_engine = |variant: &str| variant.starts_with(char::is_uppercase) && !variant.starts_with("Unknown");
        engines.iter().any(is_named) || variants.any(is_an_engine)
    })
}

/// What is wrong with a list (see `src/lists.rs`), each as `line: why`.
fn list_violations(text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let mut before = "";
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        if line.trim() != line {
            violations.push(format!("{number}: blanks around `{line}`"));
        } else if line <= before || line.split_whitespace().next() == before.split_whitespace().next() {
            violations.push(format!("{number}: `{line}` belongs before `{before}`, or stands twice"));
        }
        before = line;
    }
    violations
}

/// Why `module` may not use `used`.
fn judged(module: &str, used: &str) -> Result<(), String> {
    if module == used || OPEN.contains(&used) {
        return Ok(());
    }
    if used == "super" {
        return Err("reaches the crate's root by `super`; write `crate::`".to_owned());
    }
    if OPEN.contains(&module) {
        return Err(format!("`{module}` is open to all, so it uses nobody, but uses `{used}`"));
    }
    match MAY_USE.iter().find(|(name, _)| *name == module) {
        Some((_, allowed)) if allowed.contains(&used) => Ok(()),
        Some(_) => Err(format!("`{module}` may not use `{used}`")),
        None => Err(format!("`{module}` has no place in the map; give it one in tests/integration/tidy.rs")),
    }
}

/// The modules of the crate's root that a text names, each with its line.
fn uses(text: &str, module: &[String]) -> Vec<(usize, String)> {
    // Comments name what they like.
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    let mut found = BTreeSet::new();
    for mark in ["crate::", "safe_test::"] {
        for (at, _) in code.match_indices(mark) {
            let is_word_before = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if !is_word_before {
                found.extend(first_segments(&code[at + mark.len()..]).into_iter().map(|used| (line_of(at), used)));
            }
        }
    }
    // Below `mod tests {` one `super` more is needed to get anywhere.
    let tests = code.find("\nmod test").unwrap_or(code.len());
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let levels = code.as_bytes()[at..].chunks(7).take_while(|chunk| *chunk == b"super::").count();
        if levels >= module.len() + usize::from(at > tests) {
            found.insert((line_of(at), "super".to_owned()));
        }
    }
    found.into_iter().collect()
}

/// The first segments of the paths behind `crate::`: one, or those of a group in braces.
fn first_segments(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut segments, mut begins) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !character.is_whitespace() => {
                segments.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    segments
}

/// `["environment", "services", "ci"]` for `environment/services/ci.rs`.
pub(crate) fn module_path(file: &Path) -> Vec<String> {
    let mut segments: Vec<String> =
        file.with_extension("").iter().map(|segment| segment.to_string_lossy().into_owned()).collect();
    if segments.last().is_some_and(|last| last == "mod") {
        segments.pop();
    }
    segments
}

pub(crate) fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files_of(folder, "rs")
}

fn files_of(folder: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_of(&path, wanted));
        } else if path.extension().is_some_and(|extension| extension == wanted) {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn uses_are_seen_in_every_spelling() {
    let text = "use crate::reach::{Engine, Target};\nuse crate::{\n    error::Explain,\n    verdict::{self, Verdict},\n};\n// crate::commands\nfn f() -> crate::exit::Exit { super::super::x() }\nuse safe_test::audit;\nmod tests {\n    use super::super::y;\n}\n";
    let module = ["snapshot", "take"].map(str::to_owned);
    let found: Vec<_> = uses(text, &module).into_iter().map(|(line, used)| format!("{line} {used}")).collect();
    assert_eq!(found, ["1 reach", "2 error", "2 verdict", "7 exit", "7 super", "8 audit"]);
}

#[test]
fn use_against_the_direction_is_refused() {
    let cases = [
        ("reach", "environment", true),
        ("environment", "reach", false),
        ("snapshot", "verdict", true),
        ("verdict", "snapshot", false),
        ("exec", "audit", false),
        ("audit", "exec", true),
        ("verdict", "error", true),
        ("error", "exit", true),
        ("error", "reach", false),
        ("exec", "ui", false),
        ("exec", "cli", false),
        ("commands", "cli", true),
        ("audit", "commands", false),
        ("helpers", "reach", false),
    ];
    for (module, used, expected) in cases {
        assert_eq!(judged(module, used).is_ok(), expected, "{module} → {used}");
    }
}
