//! What gives a caller away: variables of the environment, mostly.

/// One thing that a caller is known by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// A variable has a value.
    Set(&'static str),
    /// A variable has a value that does not say no.
    On(&'static str),
    /// A variable has this value.
    Is(&'static str, &'static str),
    /// A variable's value begins so.
    Begins(&'static str, &'static str),
    /// A variable's value holds this, in any case.
    Holds(&'static str, &'static str),
    /// There is no terminal: a person is elsewhere.
    NoTerminal,
    /// There is such a file.
    File(&'static str),
}

/// Where a caller is looked for.
pub(super) struct Surroundings<'s> {
    /// The variables. A name may stand there twice: each value counts.
    pub(super) process: &'s [(String, String)],
    /// Whether there is a terminal.
    pub(super) terminal: bool,
    /// Tells whether there is a file of this path.
    pub(super) has_file: &'s dyn Fn(&str) -> bool,
}

impl Surroundings<'_> {
    /// Finds a value of a variable that fits; one that is empty counts as not set.
    pub(super) fn value(&self, name: &str, fits: impl Fn(&str) -> bool) -> Option<&str> {
        let values = self.process.iter().filter(|(set, value)| set == name && !value.is_empty());
        values.map(|(_, value)| value.as_str()).find(|value| fits(value))
    }

    /// Tells whether a sign is there.
    pub(super) fn show(&self, sign: Sign) -> bool {
        match sign {
            Sign::Set(name) => self.value(name, |_| true).is_some(),
            Sign::On(name) => {
                self.value(name, |value| !["0", "false"].contains(&value.to_lowercase().as_str())).is_some()
            }
            Sign::Is(name, wanted) => self.value(name, |value| value == wanted).is_some(),
            Sign::Begins(name, start) => self.value(name, |value| value.starts_with(start)).is_some(),
            Sign::Holds(name, part) => self.value(name, |value| value.to_lowercase().contains(part)).is_some(),
            Sign::NoTerminal => !self.terminal,
            Sign::File(path) => (self.has_file)(path),
        }
    }
}

impl Sign {
    /// Gives the variable's name, or the file's.
    pub(super) fn name(self) -> &'static str {
        match self {
            Sign::Set(name) | Sign::On(name) | Sign::File(name) => name,
            Sign::Is(name, _) | Sign::Begins(name, _) | Sign::Holds(name, _) => name,
            Sign::NoTerminal => "no terminal",
        }
    }
}
