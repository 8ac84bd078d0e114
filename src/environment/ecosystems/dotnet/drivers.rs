//! .NET: project files, central package management and packages.config.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, between, each_line, trimmed_lines};

/// Manifests and drivers of .
pub(crate) const DOTNET: Ecosystem = Ecosystem {
    scan,
    names: &[
        "cassandracsharpdriver",
        "clickhouse.client",
        "couchbasenetclient",
        "dapper",
        "dbup",
        "dbup-core",
        "dbup-postgresql",
        "dbup-sqlserver",
        "duckdb.net.data.full",
        "efcore.bulkextensions",
        "elasticsearch.net",
        "entityframework",
        "enyimmemcachedcore",
        "evolve",
        "firebirdsql.data.firebirdclient",
        "fluentmigrator",
        "freesql",
        "google.cloud.firestore",
        "google.cloud.spanner.data",
        "ibm.data.db2",
        "influxdb.client",
        "linq2db",
        "litedb",
        "marten",
        "microsoft.azure.cosmos",
        "microsoft.data.sqlclient",
        "microsoft.data.sqlite",
        "mongodb.driver",
        "mysql.data",
        "mysqlconnector",
        "neo4j.driver",
        "nest",
        "nhibernate",
        "npgsql",
        "npoco",
        "oracle.manageddataaccess",
        "oracle.manageddataaccess.core",
        "petapoco",
        "pomelo.entityframeworkcore.mysql",
        "ravendb.client",
        "respawn",
        "roundhouse",
        "servicestack.ormlite",
        "snowflake.data",
        "sqlite-net-pcl",
        "sqlitepclraw.core",
        "sqlkata",
        "sqlsugar",
        "sqlsugarcore",
        "stackexchange.redis",
        "system.data.sqlclient",
        "system.data.sqlite",
        "system.data.sqlite.core",
        "tinyorm",
        "yessql",
    ],
    prefixes: &[
        "microsoft.entityframeworkcore",
        "npgsql.",
        "fluentmigrator.",
        "servicestack.ormlite.",
        "dapper.",
        "dbup-",
        "microsoft.data.sqlite.",
        "sqlitepclraw.",
        "mysql.entityframeworkcore",
        "aspire.npgsql",
        "aspire.microsoft.data",
        "aspire.mongodb",
        "aspire.mysql",
        "aspire.stackexchange.redis",
        "aspire.pomelo",
        "mongodb.",
        "microsoft.extensions.caching.stackexchangeredis",
        "microsoft.extensions.caching.sqlserver",
        "hangfire.",
        "quartz.serialization",
        "marten.",
    ],
};

fn scan(file: &str) -> Option<Scan> {
    match file {
        "packages.config" | "Directory.Packages.props" | "Directory.Build.props" => Some(packages),
        "packages.lock.json" | "paket.dependencies" => Some(words),
        _ => {
            let is_project = [".csproj", ".fsproj", ".vbproj"].iter().any(|ending| file.ends_with(ending));
            is_project.then_some(packages as Scan)
        }
    }
}

/// `<PackageReference Include="Npgsql" …`, `<PackageVersion Include=…`, `<package id=…`.
fn packages(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        let attributes = line.split_once("<Package").or_else(|| line.split_once("<package "));
        for mark in ["Include=\"", "Update=\"", "id=\""] {
            if let Some(name) = attributes.and_then(|(_, rest)| between(rest, mark, "\"")) {
                note(name, number);
            }
        }
    }
}

/// `"Npgsql": {` or `nuget Npgsql`.
fn words(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| {
        let line = line.trim();
        let name = line.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {"));
        name.or_else(|| line.strip_prefix("nuget ")?.split_whitespace().next())
    });
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "App.csproj",
                "<ItemGroup>\n  <PackageReference Include=\"Npgsql\" Version=\"8\" />\n  <PackageReference Include=\"Serilog\" />\n  <PackageReference Include=\"Microsoft.EntityFrameworkCore.SqlServer\" />\n",
                &["2 Npgsql", "4 Microsoft.EntityFrameworkCore.SqlServer"],
            ),
            ("packages.config", "<packages>\n  <package id=\"Dapper\" version=\"2\" />\n", &["2 Dapper"]),
            ("packages.lock.json", "{\n \"net8.0\": {\n  \"MySqlConnector\": {\n", &["3 MySqlConnector"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
