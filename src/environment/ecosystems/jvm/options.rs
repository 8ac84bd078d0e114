//! Options that a JVM, a build or a program is given as text: `-Dname=value`, `--name=value`, and those that carry
//! others in them.
//!
//! Sources: the `java` command's manual; Spring Boot's reference ("Accessing Command Line Properties") and the manuals of
//! its plugins; the manuals of Surefire, of Gradle's `JavaExec` (`--args`), of Quarkus' and of Micronaut's plugins.

use crate::environment::{Origin, Setting};

/// Options whose value is a text of further options, for the program or for its JVM.
pub(crate) const CARRIERS: &[&str] = &[
    "appArgs",
    "args",
    "argLine",
    "exec.args",
    "failsafe.argLine",
    "jvm.args",
    "jvmArgs",
    "mn.appArgs",
    "mn.jvmArgs",
    "org.gradle.jvmargs",
    "quarkus.args",
    "run.arguments",
    "run.jvmArguments",
    "spring-boot.run.arguments",
    "spring-boot.run.jvmArguments",
    "surefire.argLine",
];

/// Other names of Spring's active profiles.
const PROFILES: &[&str] = &["spring-boot.run.profiles", "run.profiles"];

/// How deep options are followed that carry others.
const DEEPEST: u8 = 4;

/// Tells whether the option of that name carries others.
pub(crate) fn is_carrier(name: &str) -> bool {
    CARRIERS.contains(&name)
}

/// Reads a text of options, the strongest first; each has the origin of the text.
pub(crate) fn of_text(text: &str, origin: &Origin) -> Vec<Setting> {
    let mut found = Vec::new();
    add(&words(text), Some(origin), origin, 1, &mut found);
    found.reverse();
    found
}

/// Reads the words of a command, the strongest first; each has the origin of the command and is called as it is spelled there.
pub(crate) fn of_words(given: &[String], origin: &Origin) -> Vec<Setting> {
    let mut found = Vec::new();
    add(given, None, origin, 0, &mut found);
    found.reverse();
    found
}

/// Adds what the words say. `carrier` is the origin of all of them; without it each is called by its own name.
fn add(given: &[String], carrier: Option<&Origin>, origin: &Origin, depth: u8, found: &mut Vec<Setting>) {
    let named = |name: &str| carrier.cloned().unwrap_or_else(|| Origin { variable: name.to_owned(), ..origin.clone() });
    let mut rest = given.iter();
    while let Some(word) = rest.next() {
        // `-D name=value` and `--define name=value` of Maven, `--args TEXT` of Gradle.
        let apart = match word.as_str() {
            "-D" | "--define" | "-P" => rest.next().map(|next| format!("-D{next}")),
            "--args" => rest.next().map(|next| format!("--args={next}")),
            _ => None,
        };
        let word = apart.as_ref().unwrap_or(word);
        let option = ["-D", "-P", "--"].iter().find_map(|mark| word.strip_prefix(mark));
        let spelled = word.split_once('=').map_or(word.as_str(), |(spelled, _)| spelled);
        match option.and_then(|option| option.split_once('=')) {
            Some((name, text)) if is_carrier(name) && depth < DEEPEST => {
                add(&words(text), Some(&named(spelled)), origin, depth + 1, found);
            }
            Some((name, value)) => {
                let name = if PROFILES.contains(&name) { "spring.profiles.active" } else { name };
                found.push(Setting::known(name, value, named(spelled)));
            }
            // `sbt "run -Dconfig.resource=live.conf"`
            None if option.is_none() && word.contains([' ', '\t']) && depth < DEEPEST => {
                add(&words(word), carrier, origin, depth + 1, found);
            }
            None if carrier.is_some() && (word.contains("://") || word.contains("jdbc:")) => {
                let own = named("");
                found.push(Setting::known(format!("{}.{}", own.variable, found.len()), word.clone(), own));
            }
            None => {}
        }
    }
}

/// Splits a text at blanks outside of quotes, and at the commas between options that Spring's older plugin wants.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ',') if rest.peek() == Some(&'-') => words.push(String::new()),
            (None, _) if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().into_iter().for_each(|word| word.push(character)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_however_they_are_carried() {
        let table: [(&[&str], &[&str]); 9] = [
            (&["-Da.b=1", "-Da.b=2"], &["a.b=2 -Da.b", "a.b=1 -Da.b"]),
            (&["-D", "a.b=1"], &["a.b=1 -Da.b"]),
            (&["-DargLine=-Xmx1g -Da.b=1"], &["a.b=1 -DargLine"]),
            (
                &["-Dspring-boot.run.arguments=--a.b=1,--c=2"],
                &["c=2 -Dspring-boot.run.arguments", "a.b=1 -Dspring-boot.run.arguments"],
            ),
            (&["--args=--spring.profiles.active=live"], &["spring.profiles.active=live --args"]),
            (&["--args", "'--a=b c'"], &["a=b c --args"]),
            (&["-Dspring-boot.run.profiles=live"], &["spring.profiles.active=live -Dspring-boot.run.profiles"]),
            (&["run -Dconfig.resource=live.conf"], &["config.resource=live.conf -Dconfig.resource"]),
            (&["test", "-q", "--tests", "a.B"], &[]),
        ];
        for (given, expected) in table {
            let given: Vec<String> = given.iter().map(|word| (*word).to_owned()).collect();
            let found = of_words(&given, &Origin::command_line());
            let shown: Vec<String> =
                found.iter().map(|one| format!("{}={} {}", one.name, one.value, one.origin.variable)).collect();
            assert_eq!(shown, expected, "{given:?}");
        }
    }

    #[test]
    fn hostile_options_end() {
        for piece in ["-DargLine=", "--args=", "'", "-D ", "\"a b\" "] {
            of_text(&piece.repeat(10_000), &Origin::process("JAVA_TOOL_OPTIONS"));
        }
    }
}
