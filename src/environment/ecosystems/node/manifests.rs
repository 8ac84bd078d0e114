//! Node.js, Bun and Deno: npm packages and their lock files.

use crate::environment::ecosystems::manifest::{Members, Scan, between, entries, items_of, quoted, trimmed_lines};
use crate::environment::readers::formats::{json, yaml};
use crate::text::newlines;

pub(crate) const MEMBERS: &[(&str, Members)] = &[
    ("package.json", workspaces),
    ("pnpm-workspace.yaml", |text| items_of(yaml::flatten(text), &[&["packages"]])),
    ("deno.json", deno_workspace),
    ("deno.jsonc", deno_workspace),
];

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "package.json" => Some(package_json),
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm_lock),
        "yarn.lock" => Some(yarn_lock),
        "pnpm-lock.yaml" => Some(pnpm_lock),
        "bun.lock" => Some(bun_lock),
        "deno.json" | "deno.jsonc" | "deno.lock" | "import_map.json" => Some(deno),
        // Where Deno's programs keep what they import, by its own manual.
        "deps.ts" | "dev_deps.ts" | "test_deps.ts" => Some(deno),
        _ => None,
    }
}

/// Reads dependency tables of every kind, and `npm:` aliases.
fn package_json(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, json::flatten, note) {
        if let [table, name, ..] = entry.path.as_slice()
            && matches!(
                table.as_str(),
                "dependencies"
                    | "devDependencies"
                    | "optionalDependencies"
                    | "peerDependencies"
                    | "resolutions"
                    | "overrides"
            )
        {
            note(name, entry.line);
            if let Some(alias) = entry.value.strip_prefix("npm:") {
                note(without_version(alias), entry.line);
            }
        }
    }
}

/// Reads the keys `node_modules/NAME`; in the first version of the format, the keys of objects. What a package could
/// use if it were there (`peerDependencies`) is left aside.
fn npm_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    const FOLDER: &str = "node_modules/";
    if !text.contains("\"node_modules/") {
        for (line, number) in trimmed_lines(text) {
            if let Some(key) = line.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {")) {
                note(key, number);
            }
        }
        return;
    }
    // These files run to megabytes: the text is searched rather than taken line by line.
    let (mut line, mut counted) = (1, 0);
    for (at, _) in text.match_indices(FOLDER) {
        let rest = &text[at + FOLDER.len()..];
        // The package's own folder is the innermost one.
        let key = rest.find('"').map(|end| rest.split_at(end));
        let key = key.filter(|(name, behind)| behind.starts_with("\": {") && !name.contains(FOLDER));
        if let Some((name, _)) = key {
            line += newlines(&text.as_bytes()[counted..at]);
            counted = at;
            note(name, line);
        }
    }
}

/// Reads unindented lines: `pg@^8.0.0, pg@^8.1:` or `"pg@npm:^8.0.0":`.
fn yarn_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in text.lines().zip(1..) {
        if line.ends_with(':') && !line.starts_with([' ', '#']) {
            note(without_version(line.trim_start_matches('"')), number);
        }
    }
}

/// Reads keys with a version: `/pg@8.11.3:`, `pg@8.11.3:`, `'@scope/x@1.0.0(peer@2)':`, formerly `/pg/8.11.3:`.
fn pnpm_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        let Some(key) = line.strip_suffix(':').or_else(|| line.strip_suffix(": {}")) else { continue };
        let key = key.trim_matches('\'');
        let bare = key.strip_prefix('/').unwrap_or(key);
        let name = without_version(bare);
        if name.len() < bare.len() {
            note(name, number);
        } else if bare.len() < key.len() {
            note(bare.rsplit_once('/').map_or(bare, |(name, _)| name), number);
        }
    }
}

/// Reads the lines of `packages`: `"pg": ["pg@8.11.3", …`.
fn bun_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if let Some(package) = between(line, "\": [\"", "\"") {
            note(without_version(package), number);
        }
    }
}

/// Hosts that serve packages, with what stands before the package's name there.
///
/// Sources: the documentations of Deno, esm.sh, jsDelivr, jspm, jsr, Skypack and unpkg.
const PACKAGE_HOSTS: &[&str] = &[
    "cdn.jsdelivr.net/npm/",
    "cdn.skypack.dev/",
    "deno.land/x/",
    "esm.run/",
    "esm.sh/",
    "ga.jspm.io/npm:",
    "jsr.io/",
    "unpkg.com/",
];

/// Reads specifiers: `npm:pg@8`, `jsr:@db/sqlite@0.12`, `https://deno.land/x/postgres@v0.17.0/mod.ts`,
/// `https://esm.sh/pg@8`, `https://esm.sh/v135/pg@8/es2022/pg.mjs`.
fn deno(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        for specifier in quoted(line) {
            let package = specifier.strip_prefix("npm:").or_else(|| specifier.strip_prefix("jsr:"));
            let package = package
                .or_else(|| PACKAGE_HOSTS.iter().find_map(|host| Some(specifier.split_once(host)?.1)))
                .map(|package| package.trim_start_matches(['/', '*']));
            if let Some(package) = package {
                note(package_of(package), number);
            }
        }
    }
}

/// Finds the package's name at the start of a path: without the builder's version (`v135/`, `stable/`) before it, and
/// without its own version and the file behind it.
fn package_of(path: &str) -> &str {
    let path = match path.split_once('/') {
        Some((first, rest)) if is_version_of_builder(first) => rest.trim_start_matches('*'),
        _ => path,
    };
    let (scope, rest) = match path.split_once('/') {
        Some((scope, rest)) if scope.starts_with('@') => (scope.len() + 1, rest),
        _ => (0, path),
    };
    let end = rest.find(['/', '@', '?', '#', '&']).unwrap_or(rest.len());
    &path[..scope + end]
}

fn is_version_of_builder(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or_default();
    matches!(segment, "stable" | "jsr") || !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Cuts the version off: `pg` for `pg@8.11.3`, `@scope/x` for `@scope/x@1.0.0`.
fn without_version(package: &str) -> &str {
    package.char_indices().skip(1).find(|&(_, c)| c == '@').map_or(package, |(at, _)| &package[..at])
}

fn workspaces(text: &str) -> Option<Vec<String>> {
    // Reading it is slow, and most manifests have none.
    if !text.contains("workspaces") {
        return Some(Vec::new());
    }
    items_of(json::flatten(text), &[&["workspaces"], &["workspaces", "packages"]])
}

fn deno_workspace(text: &str) -> Option<Vec<String>> {
    items_of(json::flatten(text), &[&["workspace"], &["workspace", "members"]])
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::node::NODE;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "package.json",
                "{\n\"name\": \"pg\",\n\"dependencies\": {\n\"pg\": \"^8\", \"x\": \"1\"},\n\"devDependencies\": {\"db\": \"npm:mysql2@3\"}}",
                &["4 pg", "5 mysql2"],
            ),
            ("package.json", "{\"scripts\": {\"pg\": \"x\"}, \"dependencies\": {\"left-pad\": \"1\"}}", &[]),
            (
                "package-lock.json",
                "{\n \"packages\": {\n  \"node_modules/a/node_modules/pg\": {\n   \"peerDependenciesMeta\": {\n    \"mysql2\": {\n",
                &["3 pg"],
            ),
            (
                "npm-shrinkwrap.json",
                "{\n \"dependencies\": {\n  \"mongodb\": {\n   \"requires\": {\n    \"redis\": \"1\"\n",
                &["3 mongodb"],
            ),
            (
                "yarn.lock",
                "# yarn\n\npg@^8.0.0, pg@^8.1.0:\n  version \"8\"\n  dependencies:\n    redis \"1\"\n",
                &["3 pg"],
            ),
            ("yarn.lock", "\"@prisma/client@npm:^5.0.0\":\n  peerDependencies:\n    pg: 8\n", &["1 @prisma/client"]),
            (
                "pnpm-lock.yaml",
                "packages:\n\n  /pg@8.11.3:\n    peerDependenciesMeta:\n      mysql2:\n  '@libsql/client@0.5.0(x@1)':\n  /redis/4.0.0:\n",
                &["3 pg", "6 @libsql/client", "7 redis"],
            ),
            (
                "bun.lock",
                "{\n \"packages\": {\n  \"pg\": [\"pg@8.11.3\", \"\", { \"optionalPeers\": [\"redis\"] }],\n",
                &["3 pg"],
            ),
            (
                "deno.json",
                "{ \"imports\": {\n \"a\": \"npm:pg@8\",\n \"b\": \"jsr:@db/sqlite@0.12\",\n \"c\": \"https://deno.land/x/postgres@v0.17.0/mod.ts\" } }",
                &["2 pg", "3 @db/sqlite", "4 postgres"],
            ),
            ("deps.ts", "export * from \"https://esm.sh/pg@8.11\";\n", &["1 pg"]),
            (
                "deps.ts",
                "import \"https://esm.sh/v135/pg@8.11/es2022/pg.mjs\";\nimport \"https://esm.sh/stable/pg@8\";\n\
                 import 'https://esm.sh/pg/lib/client';\nimport 'https://deno.land/x/postgres/mod.ts';\n\
                 import 'npm:/pg@8/lib';\nimport 'https://cdn.jsdelivr.net/npm/pg@8/+esm';\n\
                 import 'https://jsr.io/@db/sqlite/0.12.0/mod.ts';\nimport 'https://esm.sh/*pg@8';\n\
                 import 'https://esm.sh/vue@3/pg';\n",
                &["1 pg", "2 pg", "3 pg", "4 postgres", "5 pg", "6 pg", "7 @db/sqlite", "8 pg"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&NODE, file, text), *expected, "{file}");
        }
    }
}
