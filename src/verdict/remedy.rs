//! What can be done about a finding or a refusal, and who is told which part of it.

use crate::error::Explain;

/// What can be done, in phrases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remedy {
    /// What anybody may do.
    plain: String,
    /// What makes safe-test less strict: a line of the policy, a name by which a database passes for a test's.
    loosening: Option<String>,
}

const STOP: &str = "stop and tell the person who asked for this run";

impl Remedy {
    /// Adds what a person may do besides.
    pub(crate) fn or_loosen(self, loosening: impl Into<String>) -> Remedy {
        Remedy { loosening: Some(loosening.into()), ..self }
    }

    /// Gives what can be done about an error; `None` where its message says it.
    pub(crate) fn of(error: &dyn Explain) -> Option<Remedy> {
        let plain = error.hint().map(Remedy::from);
        match error.loosening() {
            None => plain,
            Some(loosening) => Some(plain.unwrap_or_default().or_loosen(loosening)),
        }
    }

    /// Says it to a reader. Whoever is no person at a terminal is to stop before anything is loosened, and is not told how.
    pub(crate) fn told(&self, is_person: bool) -> String {
        let Remedy { plain, loosening } = self;
        match loosening {
            None => plain.clone(),
            Some(loosening) if is_person => joined(plain, "; ", loosening),
            Some(_) => joined(STOP, ", or ", plain),
        }
    }
}

fn joined(first: &str, between: &str, second: &str) -> String {
    let between = if first.is_empty() || second.is_empty() { "" } else { between };
    format!("{first}{between}{second}")
}

impl From<String> for Remedy {
    fn from(plain: String) -> Remedy {
        Remedy { plain, loosening: None }
    }
}

impl From<&str> for Remedy {
    fn from(plain: &str) -> Remedy {
        plain.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loosens_is_told_to_a_person_only_and_others_are_to_stop_first() {
        let (plain, both) = (Remedy::from("name it"), Remedy::from("name it").or_loosen("allow it"));
        assert_eq!([plain.told(true), plain.told(false)], ["name it", "name it"]);
        assert_eq!(
            [both.told(true), both.told(false)],
            ["name it; allow it".to_owned(), format!("{STOP}, or name it")]
        );
        let alone = Remedy::default().or_loosen("allow it");
        assert_eq!([alone.told(true), alone.told(false)], ["allow it", STOP]);
    }
}
