//! What an agent is told: what was found in its command, and what to run in its place. It holds the agent's own words and
//! ours, nothing out of files, and no way round: an agent would take it.

use crate::text::{head, printable};
use crate::touching::{Class, Touches};

/// How much of the words that were found is said again.
const LONGEST_WORDS: usize = 300;

/// Says why a command was not run. `repeats` is whether the line to run instead may be said, however long it is.
pub(super) fn denied(touches: &Touches, repeats: bool) -> String {
    let words = head(&touches.words, LONGEST_WORDS);
    let found = format!(
        "safe-test: this command touches a database without the guard, and was not run.\n\
         Found: `{}` ({}: {}).\n",
        printable(words),
        touches.class,
        does(touches.class)
    );
    let then = match &touches.instead {
        None => return found + NOTHING_INSTEAD,
        Some(instead) if repeats => format!("Run exactly this instead:\n\n{instead}\n\n"),
        Some(_) => format!(
            "Run the same line with `safe-test` in front of the command that runs `{}`, and the rest of it as it is.\n",
            printable(words)
        ),
    };
    found + &then + REFUSES
}

const REFUSES: &str = "safe-test looks at which databases it could reach, saves them, and then runs it. If safe-test \
                       refuses, stop, and tell the person who asked for this.";

const NOTHING_INSTEAD: &str = "There is no form of it that safe-test could guard. Do not try to get the same done in another \
                               way: stop, and tell the person who asked for this what you wanted to run.";

/// Says why a command that could not be judged was not run.
pub(super) fn unjudged(reason: &str) -> String {
    format!(
        "safe-test: this command could not be judged ({reason}), and this project wants such commands not to be run. Stop, \
         and tell the person who asked for this."
    )
}

/// The facts that an agent is told when a session begins.
pub(super) const FACTS: &str = "In this project, commands that touch a database (tests, migrations, seeds, resets, imports, \
                                database clients) run as `safe-test <command>`, which saves the database first and refuses one \
                                that may be production; run directly they are denied, with the line to run instead.";

fn does(class: Class) -> &'static str {
    match class {
        Class::Test => "tests may write to a database and clear it",
        Class::Migrate => "changes the tables of a database",
        Class::Seed => "writes rows into a database",
        Class::Named => "the project says that it touches a database",
        Class::Reset => "removes what is in a database",
        Class::Import => "loads data into a database",
        Class::Client => "gives statements to a database",
        Class::Destroys => "removes a database as a whole",
    }
}
