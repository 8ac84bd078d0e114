//! Java, Kotlin, Scala and Clojure: Maven, Gradle, sbt, Leiningen and tools.deps.

use crate::environment::ecosystems::manifest::{Members, Scan, entries, quoted, trimmed_lines};
use crate::environment::readers::formats::xml;

pub(crate) const MEMBERS: &[(&str, Members)] = &[
    ("pom.xml", modules),
    ("settings.gradle", included),
    ("settings.gradle.kts", included),
    ("build.sbt", subprojects),
];

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "pom.xml" => Some(pom),
        "build.sbt" | "libs.versions.toml" | "gradle.lockfile" | "project.clj" | "deps.edn" => Some(coordinates),
        _ => (file.ends_with(".gradle") || file.ends_with(".gradle.kts")).then_some(coordinates as Scan),
    }
}

/// Reads the artifacts of dependencies and plugins; what the project itself and its parent are called is none.
fn pom(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, xml::flatten, note) {
        let is_used =
            |key: &String| matches!(key.as_str(), "dependencies" | "dependency" | "plugin" | "extension" | "path");
        if entry.path.last().is_some_and(|last| last == "artifactId") && entry.path.iter().any(is_used) {
            note(&entry.value, entry.line);
        }
    }
}

/// Reads coordinates in any spelling: `"org.postgresql:postgresql:42"`, `"org.postgresql" % "postgresql"`,
/// `[org.postgresql/postgresql "42"]`; a plugin's id (`id "org.flywaydb.flyway"`) by its last part.
fn coordinates(text: &str, note: &mut dyn FnMut(&str, u32)) {
    let separates = |c: char| c.is_whitespace() || "\"':%/()[]{},=".contains(c);
    for (line, number) in trimmed_lines(text) {
        if line.starts_with("//") || line.starts_with('#') || line.starts_with(";;") {
            continue;
        }
        for word in line.split(separates).filter(|word| word.len() > 1) {
            note(word, number);
            match word {
                "org.flywaydb.flyway" | "org.liquibase.gradle" | "nu.studer.jooq" | "app.cash.sqldelight" => {
                    note("flyway-core", number);
                }
                _ => {}
            }
        }
    }
}

/// Reads `<module>api</module>`.
fn modules(text: &str) -> Option<Vec<String>> {
    let modules = text.split("<module>").skip(1).filter_map(|rest| rest.split_once("</module>"));
    Some(modules.map(|(module, _)| module.trim().to_owned()).collect())
}

/// Reads `include ':api:core', 'web'` and `include("web")`, over several lines too.
fn included(text: &str) -> Option<Vec<String>> {
    let mut modules = Vec::new();
    let mut goes_on = false;
    for line in text.lines().map(|line| line.split("//").next().unwrap_or(line).trim()) {
        let begins =
            line.strip_prefix("include").is_some_and(|rest| rest.trim_start().starts_with(['(', '"', '\'', ':']));
        if begins || goes_on {
            modules.extend(quoted(line).map(|module| module.trim_start_matches(':').replace(':', "/")));
        }
        goes_on = line == "include" || (begins || goes_on) && (line.is_empty() || line.ends_with([',', '(']));
    }
    Some(modules)
}

/// Reads `project in file("api")` and `project.in(file("api"))`.
fn subprojects(text: &str) -> Option<Vec<String>> {
    let folders = text.split("file(").skip(1).filter_map(|rest| quoted(rest.split(')').next()?).next());
    Some(folders.filter(|folder| *folder != "." && !folder.contains('$')).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::jvm::JVM;
    use crate::environment::ecosystems::manifest::testing::drivers_of;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "pom.xml",
                "<project>\n<artifactId>jooq-shop</artifactId><parent><artifactId>spring-boot-starter-data-jpa</artifactId></parent>\n<dependencies><dependency><artifactId>postgresql</artifactId></dependency><dependency><artifactId>h2</artifactId></dependency></dependencies></project>\n",
                &["3 postgresql", "3 h2"],
            ),
            (
                "pom.xml",
                "<plugin><artifactId>spring-boot-starter-data-jpa</artifactId></plugin>\n<plugin><artifactId>spring-boot-starter-web</artifactId></plugin>\n",
                &["1 spring-boot-starter-data-jpa"],
            ),
            (
                "pom.xml",
                "<project><dependencies><dependency><artifactId>lib</artifactId></dependency><dependency><artifactId>h2</artifactId></dependency>\n<artifactId >\n  postgresql\n</artifactId>",
                &["1 h2", "2 postgresql"],
            ),
            (
                "build.gradle",
                "dependencies {\n  implementation 'org.slf4j:slf4j-api:2'\n  // 'com.h2database:h2'\n  runtimeOnly 'com.mysql:mysql-connector-j:8.0.33'\n}\n",
                &["4 mysql-connector-j"],
            ),
            ("build.gradle.kts", "testImplementation(\"com.h2database:h2:2.2\")\n", &["1 h2"]),
            (
                "libs.versions.toml",
                "[libraries]\njooq-x = { module = \"org.jooq:jooq\", version.ref = \"jooq\" }\n",
                &["2 jooq"],
            ),
            ("build.sbt", "libraryDependencies += \"org.tpolecat\" %% \"doobie-core\" % \"1.0\"\n", &["1 doobie-core"]),
            ("deps.edn", "{:deps {seancorfield/next.jdbc {:mvn/version \"1\"}}}\n", &["1 next.jdbc"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&JVM, file, text), *expected, "{file}");
        }
    }
}
