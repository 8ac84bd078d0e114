//! Ruby: Bundler and gemspecs.

use crate::environment::ecosystems::manifest::{Scan, each_line, quoted};

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "Gemfile" | "gems.rb" => Some(gemfile),
        "Gemfile.lock" | "gems.locked" => Some(gemfile_lock),
        _ => file.ends_with(".gemspec").then_some(gemfile as Scan),
    }
}

/// Reads `gem "x"`, `add_dependency "x"`: the first string of the line.
fn gemfile(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| {
        let line = line.trim();
        let names_gem = line.starts_with("gem ") || line.starts_with("gem(") || line.contains("_dependency");
        names_gem.then(|| quoted(line).next()).flatten()
    });
}

/// Reads `    pg (1.5.4)`.
fn gemfile_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| Some(line.trim().split_once(" (")?.0));
}

/// Lists the files that a Gemfile evaluates: `eval_gemfile "gemfiles/base.rb"`. Source: Bundler's manual.
pub(crate) fn included(_: &str, text: &str) -> Vec<(String, Scan)> {
    let lines = text.lines().filter(|line| line.trim_start().starts_with("eval_gemfile"));
    lines.filter_map(|line| Some((quoted(line).next()?.to_owned(), gemfile as Scan))).collect()
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::ruby::RUBY;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("Gemfile", "source 'x'\ngem 'rake'\ngem \"pg\", '~> 1.5'\n# gem 'mysql2'\n", &["3 pg"]),
            ("Gemfile.lock", "GEM\n  specs:\n    rake (13.0)\n    sqlite3 (1.7.0-x86_64-linux)\n", &["4 sqlite3"]),
            (
                "shop.gemspec",
                "Gem::Specification.new do |s|\n  s.name = 'pg'\n  s.add_development_dependency 'activerecord', '>= 7'\n",
                &["3 activerecord"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&RUBY, file, text), *expected, "{file}");
        }
    }
}
