//! .NET: project files, central package management and packages.config.

use crate::environment::ecosystems::manifest::{Scan, each_line, quoted, tags};

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "packages.config" | "Directory.Packages.props" | "Directory.Build.props" => Some(packages),
        "packages.lock.json" | "paket.dependencies" => Some(words),
        _ => {
            let is_project = [".csproj", ".fsproj", ".vbproj"].iter().any(|ending| file.ends_with(ending));
            is_project.then_some(packages as Scan)
        }
    }
}

/// Reads `<PackageReference Include="Npgsql" …`, `<PackageVersion Include=…`, `<package id=…`.
fn packages(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (tag, number) in tags(text) {
        let rest = tag.strip_prefix("package");
        if !tag.starts_with("Package") && !rest.is_some_and(|rest| rest.starts_with(char::is_whitespace)) {
            continue;
        }
        for mark in ["Include=", "Update=", "id="] {
            if let Some(name) = tag.split_once(mark).and_then(|(_, rest)| quoted(rest).next()) {
                note(name, number);
            }
        }
    }
}

/// Reads `"Npgsql": {` or `nuget Npgsql`.
fn words(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| {
        let line = line.trim();
        let name = line.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {"));
        name.or_else(|| line.strip_prefix("nuget ")?.split_whitespace().next())
    });
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::dotnet::DOTNET;
    use crate::environment::ecosystems::manifest::testing::drivers_of;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "App.csproj",
                "<ItemGroup>\n  <PackageReference Include=\"Npgsql\" Version=\"8\" />\n  <PackageReference Include=\"Serilog\" />\n  <PackageReference Include=\"Microsoft.EntityFrameworkCore.SqlServer\" />\n",
                &["2 Npgsql", "4 Microsoft.EntityFrameworkCore.SqlServer"],
            ),
            (
                "Directory.Packages.props",
                "<ItemGroup><PackageVersion Include='Serilog' /><PackageVersion Include='Npgsql' />\n<PackageReference\n Include=\"Dapper\"/>",
                &["1 Npgsql", "2 Dapper"],
            ),
            ("packages.config", "<packages>\n  <package id=\"Dapper\" version=\"2\" />\n", &["2 Dapper"]),
            ("packages.lock.json", "{\n \"net8.0\": {\n  \"MySqlConnector\": {\n", &["3 MySqlConnector"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&DOTNET, file, text), *expected, "{file}");
        }
    }
}
