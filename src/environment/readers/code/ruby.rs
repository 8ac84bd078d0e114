//! The lines of Ruby code that count in an environment: those in no block that is for another one.

/// The blocks that a line stands in, told by their indentation.
#[derive(Default)]
pub(crate) struct Sections(Vec<Block>);

struct Block {
    indentation: usize,
    is_case: bool,
    /// A branch of it was for the environment.
    was_taken: bool,
    is_skipped: bool,
}

impl Sections {
    /// Notes a line before it is asked whether it counts.
    pub(crate) fn note(&mut self, line: &str, environment: &str) {
        let code = line.trim();
        let indentation = line.len() - line.trim_start().len();
        let word = code.split([' ', '(']).next().unwrap_or_default();
        let rest = code[word.len()..].trim().trim_end_matches(" then").trim();
        let is_own = |block: &&mut Block| block.indentation == indentation;
        match word {
            "case" if rest.contains("_ENV") || rest.contains("env") => {
                self.0.push(Block { indentation, is_case: true, was_taken: false, is_skipped: false });
            }
            "if" | "unless" => {
                let holds = holds(rest, environment).map(|holds| holds == (word == "if"));
                let (was_taken, is_skipped) = (holds == Some(true), holds == Some(false));
                self.0.push(Block { indentation, is_case: false, was_taken, is_skipped });
            }
            "when" => {
                if let Some(block) = self.0.last_mut().filter(is_own).filter(|block| block.is_case) {
                    let is_own = rest.split(['"', '\'', ':', ' ', ',']).any(|name| name == environment);
                    block.was_taken |= is_own;
                    block.is_skipped = !is_own;
                }
            }
            "elsif" => {
                if let Some(block) = self.0.last_mut().filter(is_own) {
                    let holds = holds(rest, environment);
                    block.is_skipped = block.was_taken || holds == Some(false);
                    block.was_taken |= holds == Some(true);
                }
            }
            "else" => {
                if let Some(block) = self.0.last_mut().filter(is_own) {
                    block.is_skipped = block.was_taken;
                }
            }
            "end" => {
                while self.0.last().is_some_and(|block| block.indentation >= indentation) {
                    self.0.pop();
                }
            }
            _ => {}
        }
    }

    pub(crate) fn is_skipped(&self) -> bool {
        self.0.iter().any(|block| block.is_skipped)
    }
}

/// Tells whether a condition holds in the environment; `None` where it is about something else.
pub(crate) fn holds(condition: &str, environment: &str) -> Option<bool> {
    if let Some((one, other)) = condition.split_once("||").or_else(|| condition.split_once(" or ")) {
        return match (holds(one, environment), holds(other, environment)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    if let Some((one, other)) = condition.split_once("&&").or_else(|| condition.split_once(" and ")) {
        return match (holds(one, environment), holds(other, environment)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    let condition = condition.trim();
    if let Some(rest) = condition.strip_prefix('!').or_else(|| condition.strip_prefix("not ")) {
        return holds(rest, environment).map(|holds| !holds);
    }
    let speaks_of_it = condition.contains("_ENV") || condition.contains(".env") || condition.contains(".environment");
    if !speaks_of_it {
        return None;
    }
    // `Rails.env.production?`
    if let Some(name) = condition.strip_suffix('?').and_then(|asked| asked.rsplit('.').next()) {
        return match name {
            "local" => Some(matches!(environment, "development" | "test")),
            name if name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) => Some(name == environment),
            _ => None,
        };
    }
    let own = |text: &str| text.split(['"', '\'', ':', ' ', ',', '[', ']', '(', ')']).any(|name| name == environment);
    // `ENV["RACK_ENV"] == "test"`, `Hanami.env?(:test)`, `%w[development test].include?(Rails.env)`
    if let Some((_, other)) = condition.split_once("!=") {
        return Some(!own(other));
    }
    let compared = condition.split_once("==").map(|(_, other)| other);
    let asked = || condition.split_once("?(").map(|(_, asked)| asked);
    let listed = || condition.split_once(".include?").map(|(list, _)| list);
    compared.or_else(listed).or_else(asked).map(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_about_the_environment_are_decided() {
        for (condition, test, production) in [
            ("Rails.env.production?", Some(false), Some(true)),
            ("!Rails.env.production?", Some(true), Some(false)),
            ("Rails.env.local?", Some(true), Some(false)),
            ("Rails.env.test? || Rails.env.development?", Some(true), Some(false)),
            ("ENV['RACK_ENV'] == 'test'", Some(true), Some(false)),
            ("ENV.fetch(\"HANAMI_ENV\") != 'test'", Some(false), Some(true)),
            ("Hanami.env?(:test, :development)", Some(true), Some(false)),
            ("%w[development test].include?(Rails.env)", Some(true), Some(false)),
            ("Rails.env.test? && ENV['CI']", None, Some(false)),
            ("defined?(Rails)", None, None),
            ("ENV['X']", None, None),
        ] {
            assert_eq!(holds(condition, "test"), test, "{condition}");
            assert_eq!(holds(condition, "production"), production, "{condition}");
        }
    }

    #[test]
    fn lines_for_another_environment_are_skipped() {
        let text = "if Rails.env.production?\n  1\nelse\n  2\n  if x\n    3\n  end\nend\n4\ncase Rails.env\nwhen 'test', 'ci'\n  5\nelse\n  6\nend\nunless Rails.env.test?\n  7\nelsif x\n  8\nend";
        let counting = |environment: &str| {
            let mut sections = Sections::default();
            let mut found = Vec::new();
            for line in text.lines() {
                sections.note(line, environment);
                if !sections.is_skipped() && line.trim().parse::<u8>().is_ok() {
                    found.push(line.trim());
                }
            }
            found.join(" ")
        };
        assert_eq!(counting("test"), "2 3 4 5 8");
        assert_eq!(counting("production"), "1 4 6 7");
        assert_eq!(counting("development"), "2 3 4 6 7");
    }
}
