//! Keeps circles out of the rooms that are free of them: in none of their folders does a file or folder use another
//! that uses it in turn. A folder's own `mod.rs` counts as one of its files, so types that its files share stand in a
//! file of their own, and what lists them all is used by none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::tidy::{module_path, rust_files, source_folder};

/// The rooms of the crate that have no circle, with all that is in them.
const FREE: [&str; 15] = [
    "audit",
    "caller",
    "cli",
    "commands",
    "environment",
    "exec",
    "guard",
    "policy",
    "reach",
    "secret",
    "snapshot",
    "tools",
    "touching",
    "ui",
    "verdict",
];

/// The segments of a module's path.
type Module = Vec<String>;

#[test]
fn no_room_that_is_free_of_circles_gets_one() {
    let source = source_folder();
    let read = |path: &std::path::PathBuf| {
        (module_path(path.strip_prefix(&source).unwrap()), fs::read_to_string(path).unwrap())
    };
    let circles = circles(&rust_files(&source).iter().map(read).collect());
    let in_a_free_room =
        |(folder, _): &&(Module, BTreeSet<String>)| folder.first().is_some_and(|room| FREE.contains(&room.as_str()));
    let found: Vec<_> = circles.iter().filter(in_a_free_room).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The folders with a circle among their files and folders, and those that make it up.
fn circles(texts: &BTreeMap<Module, String>) -> Vec<(Module, BTreeSet<String>)> {
    let texts: BTreeMap<Module, String> = texts
        .iter()
        .filter(|(module, _)| !is_for_tests(module, texts))
        .map(|(module, text)| (module.clone(), code(text)))
        .collect();
    let handed_on: BTreeMap<(Module, String), Module> = texts
        .iter()
        .flat_map(|(module, text)| paths(text).into_iter().map(move |path| (module, path)))
        .filter(|(_, path)| path.is_handed_on)
        .map(|(module, path)| ((module.clone(), path.name), path.segments))
        .collect();
    let mut arrows: BTreeMap<Module, BTreeSet<(String, String)>> = BTreeMap::new();
    for (user, text) in &texts {
        let absolute = paths(text).into_iter().filter(|path| !path.is_handed_on).map(|path| path.segments);
        for used in absolute.chain(named_children(user, text, &texts)) {
            let used = home_of(&used, &texts, &handed_on);
            let shared = user.iter().zip(&used).take_while(|(one, other)| one == other).count();
            let side = |module: &Module| module.get(shared).cloned().unwrap_or_else(|| "mod".to_owned());
            if *user != used && !used.is_empty() {
                arrows.entry(user[..shared].to_vec()).or_default().insert((side(user), side(&used)));
            }
        }
    }
    arrows
        .into_iter()
        .map(|(folder, arrows)| (folder, in_circles(arrows)))
        .filter(|(_, found)| !found.is_empty())
        .collect()
}

/// Who is left when those that use nobody and those that nobody uses are taken away, until none is.
fn in_circles(mut arrows: BTreeSet<(String, String)>) -> BTreeSet<String> {
    loop {
        let users: BTreeSet<String> = arrows.iter().map(|(user, _)| user.clone()).collect();
        let used: BTreeSet<String> = arrows.iter().map(|(_, used)| used.clone()).collect();
        let left: BTreeSet<_> =
            arrows.iter().filter(|(from, to)| used.contains(from) && users.contains(to)).cloned().collect();
        if left.len() == arrows.len() {
            return users;
        }
        arrows = left;
    }
}

/// A path behind `crate::`.
struct Named {
    segments: Module,
    /// The name that it goes by here.
    name: String,
    /// It stands in a `pub use`: those who ask for the name here mean the place that it comes from.
    is_handed_on: bool,
}

fn paths(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
            continue;
        }
        let before = text[..at].lines().next_back().unwrap_or("").trim();
        let is_handed_on = before.starts_with("pub") && before.ends_with("use");
        let mut rest = &text[at + "crate::".len()..];
        for (segments, alias) in tree(&mut rest) {
            let Some(last) = segments.last() else { continue };
            let name = alias.unwrap_or_else(|| last.clone());
            found.push(Named { name, is_handed_on, segments });
        }
    }
    found
}

/// Reads `a::b`, `a::{b, c::d as e}` off the front of `rest`: each path, with the name that `as` gives it.
fn tree(rest: &mut &str) -> Vec<(Module, Option<String>)> {
    let mut path = Module::new();
    loop {
        if let Some(inside) = rest.strip_prefix('{') {
            *rest = inside;
            let mut branches = Vec::new();
            loop {
                *rest = rest.trim_start_matches([',', ' ', '\n']);
                if rest.is_empty() || rest.starts_with('}') {
                    *rest = rest.get(1..).unwrap_or("");
                    return branches;
                }
                let branch = tree(rest).into_iter().map(|(inner, alias)| ([path.clone(), inner].concat(), alias));
                branches.extend(branch);
            }
        }
        let word = word(rest);
        if word.is_empty() {
            *rest = rest.get(1..).unwrap_or("");
            return vec![(path, None)];
        }
        path.push(word);
        if let Some(deeper) = rest.strip_prefix("::") {
            *rest = deeper;
            continue;
        }
        let alias = rest.strip_prefix(" as ").map(|mut behind| {
            let alias = self::word(&mut behind);
            *rest = behind;
            alias
        });
        return vec![(path, alias)];
    }
}

/// Takes a name off the front of `rest`; empty where there is none.
fn word(rest: &mut &str) -> String {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    *rest = behind;
    word.to_owned()
}

/// The modules below `user` that it names without `crate::`.
fn named_children(user: &Module, text: &str, texts: &BTreeMap<Module, String>) -> Vec<Module> {
    let children = texts.keys().filter(|module| module.len() == user.len() + 1 && module.starts_with(user));
    let is_named = |child: &&Module| {
        let mark = format!("{}::", child.last().unwrap());
        text.match_indices(&mark)
            .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':')))
    };
    children.filter(is_named).cloned().collect()
}

/// The module that a path leads to, past those that only hand it on.
fn home_of(
    path: &[String],
    texts: &BTreeMap<Module, String>,
    handed_on: &BTreeMap<(Module, String), Module>,
) -> Module {
    let mut module = Module::new();
    for (at, segment) in path.iter().enumerate() {
        let deeper = [module.clone(), vec![segment.clone()]].concat();
        if texts.contains_key(&deeper) {
            module = deeper;
        } else if let Some(origin) = handed_on.get(&(module.clone(), segment.clone())) {
            return home_of(&[origin, &path[at + 1..]].concat(), texts, handed_on);
        } else {
            break;
        }
    }
    module
}

/// A text without its comments and without the tests at its end.
fn code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = lines.join("\n");
    let tests = code.match_indices("#[cfg(test)]\n").map(|(at, _)| at);
    let is_inline =
        |at: &usize| code[*at..].lines().nth(1).is_some_and(|line| line.contains("mod ") && line.ends_with('{'));
    let end = tests.into_iter().find(is_inline).unwrap_or(code.len());
    code[..end].to_owned()
}

/// Whether a module, or one that it lies in, is declared for tests only.
fn is_for_tests(module: &Module, texts: &BTreeMap<Module, String>) -> bool {
    (1..=module.len()).any(|length| {
        let (name, parent) = module[..length].split_last().unwrap();
        let parent = if parent.is_empty() { vec!["lib".to_owned()] } else { parent.to_vec() };
        texts.get(&parent).is_some_and(|text| {
            [format!("mod {name};"), format!("pub(crate) mod {name};")]
                .iter()
                .any(|declaration| text.contains(&format!("#[cfg(test)]\n{declaration}")))
        })
    })
}

#[test]
fn circles_are_seen_however_a_module_is_named() {
    let found = |files: &[(&str, &str)]| {
        let mut texts = BTreeMap::from([(vec!["a".to_owned()], String::new())]);
        texts.extend(
            files.iter().map(|(path, text)| (path.split('/').map(str::to_owned).collect(), (*text).to_owned())),
        );
        let circles = circles(&texts);
        let shown = circles.iter().map(|(folder, members)| {
            format!("{}: {}", folder.join("/"), members.iter().cloned().collect::<Vec<_>>().join(" "))
        });
        shown.collect::<Vec<_>>()
    };
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let table: &[Case<'_>] = &[
        ("two files", &[("a/b", "use crate::a::c::X;"), ("a/c", "fn f() { crate::a::b::y() }")], &["a: b c"]),
        (
            "three folders, by a group",
            &[
                ("a/b", "mod x;"),
                ("a/b/x", "use crate::a::{c::X, e};"),
                ("a/c", "use crate::a::d::y;"),
                ("a/d", "use crate::a::b::x::z;"),
            ],
            &["a: b c d"],
        ),
        (
            "a name that is handed on",
            &[
                ("a", "pub(crate) use crate::a::c::X as Y;"),
                ("a/b", "use crate::a::Y;"),
                ("a/c", "use crate::a::b::z;"),
            ],
            &["a: b c"],
        ),
        ("a list of all that its parts use", &[("a", "fn f() { b::x() }"), ("a/b", "use crate::a::f;")], &["a: b mod"]),
        ("one direction", &[("a/b", "use crate::a::c::X;"), ("a/c", "// crate::a::b"), ("a", "mod b;\nmod c;")], &[]),
        (
            "tests use what they like",
            &[
                ("a", "#[cfg(test)]\nmod t;"),
                ("a/b", "use crate::a::c::X;"),
                ("a/c", "#[cfg(test)]\nmod tests {\nuse crate::a::b::y;"),
                ("a/t", "use crate::a::b;"),
            ],
            &[],
        ),
    ];
    for (case, files, expected) in table {
        assert_eq!(found(files), *expected, "{case}");
    }
}
