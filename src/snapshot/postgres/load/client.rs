//! The `psql` that a dump's text is given to: most of it without waiting, and some of it with a question.

use std::hash::{BuildHasher, RandomState};

use crate::snapshot::postgres::names::shown;
use crate::snapshot::postgres::psql::{Fields, Psql, literal};
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::words::head;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::tool_process::{Stopper, ToolError};

/// A session that is in one transaction, and ends at the first error of what is not asked.
#[derive(Debug)]
pub(crate) struct Client {
    psql: Psql,
    /// The word that closes psql's restricted mode, in which it takes no command.
    ///
    /// Source: PostgreSQL documentation, "psql", `\restrict` (15.14, 17.6 and others of that day).
    restricted: Option<Vec<u8>>,
}

/// Lets indexes be sorted and foreign keys be joined in memory. The server's own value stands where it is larger.
///
/// Source: PostgreSQL documentation, "Populating a Database", "Increase maintenance_work_mem".
const MEMORY: &[u8] = b"SELECT pg_catalog.set_config('maintenance_work_mem', '256MB', false) \
    WHERE pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) < 268435456;\n";

impl Client {
    /// Starts it in a database; nothing of the environment or of start-up files reaches it. The database's own settings are in
    /// force, but for those by which a dump's text would be read as something else.
    pub(crate) fn start(server: &Session, whole: &Whole<'_>, database: &str) -> Result<Self, PostgresError> {
        let connection = server.connection_to(database);
        let mark = format!("{:016x}", RandomState::new().hash_one(database));
        let mut psql = Psql::start_saying(&whole.tools, &connection, &mark, last_error)?;
        psql.write(b"\\set ECHO errors\n\\set VERBOSITY verbose\n\\set ON_ERROR_STOP on\n\\o /dev/null\n")?;
        psql.write(b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n")?;
        psql.write(
            b"SET ROLE NONE;\nSET array_nulls = on;\nSET transform_null_equals = off;\nSET search_path = '';\n",
        )?;
        if let Some(locale) = whole.facts.written_with.get("lc_monetary") {
            psql.write(format!("SET lc_monetary = {};\n", literal(locale)).as_bytes())?;
        }
        psql.write(MEMORY)?;
        Ok(Client { psql, restricted: None })
    }

    pub(crate) fn stopper(&self) -> Stopper {
        // Ended, not interrupted: what comes next must not be taken for the beginning.
        self.psql.terminator()
    }

    /// Gives it statements or rows, which it carries out after all that it was given before.
    ///
    /// # Errors
    ///
    /// That of an earlier statement, which ended it.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<(), PostgresError> {
        match self.psql.write(text) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.ended_by(error)),
        }
    }

    /// Takes the command that opens or closes psql's restricted mode; no other command is passed on.
    pub(crate) fn command(&mut self, line: &[u8]) -> Result<(), PostgresError> {
        if let Some(word) = line.strip_prefix(b"\\restrict ") {
            self.restricted = Some(word.trim_ascii_end().to_vec());
        } else if line.starts_with(b"\\unrestrict ") {
            self.restricted = None;
        } else {
            return Ok(());
        }
        self.write(line)
    }

    /// Asks a statement, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Query`], upon which the transaction takes nothing but a rollback; that of an earlier statement.
    pub(crate) fn ask(&mut self, statement: impl AsRef<[u8]>) -> Result<Fields, PostgresError> {
        let (open, close) = match &self.restricted {
            Some(word) => {
                ([b"\\unrestrict ", word.as_slice(), b"\n"].concat(), [b"\\restrict ", word.as_slice(), b"\n"].concat())
            }
            None => (Vec::new(), Vec::new()),
        };
        self.write(&[&open, b"\\set ON_ERROR_STOP off\n\\o\n".as_slice()].concat())?;
        match self.psql.ask(statement) {
            Err(error) if !matches!(error, PostgresError::Query { .. }) => Err(self.ended_by(error)),
            answer => {
                self.write(&[b"\\o /dev/null\n\\set ON_ERROR_STOP on\n".as_slice(), &close].concat())?;
                answer
            }
        }
    }

    /// Carries out statements, all or none; each ends with a semicolon and the end of its line.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Query`], after which the session can go on.
    pub(crate) fn try_all(&mut self, statements: &[&[u8]]) -> Result<(), PostgresError> {
        let mut text = b"SAVEPOINT safe_test\\;\n".to_vec();
        for statement in statements {
            text.extend_from_slice(statement.trim_ascii_end().strip_suffix(b";").unwrap_or(statement));
            text.extend_from_slice(b"\\;\n");
        }
        text.extend_from_slice(b"RELEASE SAVEPOINT safe_test");
        match self.ask(text) {
            Err(error @ PostgresError::Query { .. }) => {
                self.ask("ROLLBACK TO SAVEPOINT safe_test\\; RELEASE SAVEPOINT safe_test")?;
                Err(error)
            }
            other => other.map(drop),
        }
    }

    /// Lets somebody else ask, for instance whether all is there.
    pub(crate) fn asked_by<T>(
        &mut self,
        ask: impl FnOnce(&mut Psql) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        self.ask("SELECT")?;
        self.psql.write(b"\\set ON_ERROR_STOP off\n\\o\n")?;
        ask(&mut self.psql)
    }

    /// Commits, and gives the session, in which what came before left nothing but settings.
    pub(crate) fn commit(mut self) -> Result<Psql, PostgresError> {
        self.ask("COMMIT")?;
        self.psql.write(b"\\set ON_ERROR_STOP off\n\\o\n")?;
        Ok(self.psql)
    }

    /// What an ended psql said is the cause.
    fn ended_by(&mut self, error: PostgresError) -> PostgresError {
        let Err(ToolError::Failed { tool, status, message }) = self.psql.finish() else { return error };
        // Its messages are given once.
        let message = match error {
            PostgresError::ConnectionLost { message: first } if message.is_empty() => first,
            _ => message,
        };
        let code = message.split_once("ERROR:  ").and_then(|(_, said)| said.get(..5)).unwrap_or_default().to_owned();
        let without = format!("{code}: ");
        let message = message.shortened(|said| said.replacen(&without, "", 1));
        if code.starts_with(CONSTRAINT_VIOLATION) {
            return PostgresError::NotRestorable { what: message.to_string() };
        }
        ToolError::Failed { tool, status, message }.into()
    }
}

/// How the codes of all errors begin that say that data do not hold.
const CONSTRAINT_VIOLATION: &str = "23";

/// Keeps the error that ended psql, and the beginning of its statement; what was asked may have failed before.
fn last_error(messages: &str) -> String {
    let mut error = String::new();
    for line in messages.lines() {
        let line = line.trim();
        if ["error: ", "FATAL: ", "ERROR: ", "PANIC: "].iter().any(|mark| line.contains(mark)) {
            error = line.chars().take(300).collect();
        } else if let Some((_, statement)) = line.split_once("STATEMENT:  ")
            // Which one of several it was is not said.
            && !statement.starts_with("SAVEPOINT safe_test")
        {
            error.push_str(&format!(" (in `{}`)", shown(head(statement.as_bytes()))));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_told_with_its_object_and_without_rows() {
        let said = "ERROR:  first\nSTATEMENT:  SELECT 1\npsql:<stdin>:9: ERROR:  duplicate key\nDETAIL:  Key (mail)=(a@b.c) exists.\n\
                    CONTEXT:  COPY users, line 1: \"1 secret row\"\nSTATEMENT:  COPY public.users (id) FROM stdin;";
        assert_eq!(last_error(said), "psql:<stdin>:9: ERROR:  duplicate key (in `COPY public.users`)");
        let of_several = "FATAL:  terminating connection\nSTATEMENT:  SAVEPOINT safe_test;\nCREATE TABLE t ();";
        assert_eq!(last_error(of_several), "FATAL:  terminating connection");
    }
}
