//! One simple command out of what would run: `npm test` may stand for `cross-env NODE_ENV=test jest`.

use super::Origin;

/// A program with its arguments and the assignments before it, after wrappers and scripts were looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// `X=Y` before the program, by `env`, `cross-env`, `-e` and the like, outermost first.
    pub assignments: Vec<(String, String)>,
    /// The program and its arguments, quotes removed; never empty. Bytes that are not UTF-8 are replaced.
    pub words: Vec<String>,
    /// Where it stands: the command line itself (no file), or the script that the command line names.
    pub origin: Origin,
}

impl Invocation {
    /// The program's name without folders.
    #[must_use]
    pub fn program(&self) -> &str {
        let program = self.words.first().map_or("", String::as_str);
        program.rsplit('/').next().unwrap_or(program)
    }
}
