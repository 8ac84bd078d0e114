//! Elixir and Erlang: Mix.

use crate::environment::ecosystems::manifest::{Scan, each_line, trimmed_lines};

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "mix.exs" => Some(mix_exs),
        "mix.lock" => Some(mix_lock),
        _ => None,
    }
}

/// Reads `{:postgrex, "~> 0.17"}`.
fn mix_exs(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        for rest in line.split("{:").skip(1).filter(|_| !line.starts_with('#')) {
            note(rest.split([',', '}', ' ']).next().unwrap_or_default(), number);
        }
    }
}

/// Reads `"postgrex": {:hex, :postgrex, …},`.
fn mix_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| Some(line.trim().strip_prefix('"')?.split_once("\": {")?.0));
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::elixir::ELIXIR;
    use crate::environment::ecosystems::manifest::testing::drivers_of;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "mix.exs",
                "defp deps do\n  [{:jason, \"~> 1.4\"}, {:ecto_sql, \"~> 3.10\"},\n   # {:myxql, \"1\"}\n   {:postgrex, \">= 0.0.0\"}]\n",
                &["2 ecto_sql", "4 postgrex"],
            ),
            (
                "mix.lock",
                "%{\n  \"jason\": {:hex, :jason, \"1\"},\n  \"db_connection\": {:hex, :db_connection, \"2\"},\n",
                &["3 db_connection"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&ELIXIR, file, text), *expected, "{file}");
        }
    }
}
