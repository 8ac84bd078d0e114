//! Runs a program of the project's own for as long as it takes.

use std::io;
use std::path::{Path, PathBuf};

use crate::own_tools::{ToolCommand, ToolEnvironment};
use crate::policy::FILE_WORD;
use crate::reach::Target;
use crate::secret::Secret;
use crate::snapshot::Watch;
use crate::snapshot::own_command::error::OwnCommandError;
use crate::snapshot::tool_process::{Running, ToolError, attended, engine_said};

/// What a person calls any of them.
pub(crate) const LABEL: &str = "the project's own program";

/// A program that was found, and what it is given.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// As the policy has it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// Finds the program of these words: a name on `PATH`, but not in the project; a path from the project's root.
///
/// # Errors
///
/// [`OwnCommandError::NotFound`].
pub(crate) fn find(words: &[String], file: &Path, environment: &ToolEnvironment) -> Result<Program, OwnCommandError> {
    let (name, arguments) = words.split_first().map_or((String::new(), &[][..]), |(name, rest)| (name.clone(), rest));
    let path = match name.contains('/') {
        true => Some(environment.project().join(&name)).filter(|path| path.is_file()),
        false => environment.find(&name),
    };
    let path = path.ok_or_else(|| OwnCommandError::NotFound { program: name.clone() })?;
    // A path of other bytes than UTF-8 would be another one there.
    let file = file.to_str().ok_or_else(|| {
        OwnCommandError::file("name", file)(io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8"))
    })?;
    let arguments = arguments.iter().map(|word| word.replace(FILE_WORD, file)).collect();
    Ok(Program { name, path, arguments })
}

/// Runs it in the project's root to its end. What it says on stdout is not kept; on stderr, only where it fails.
///
/// # Errors
///
/// It cannot be started, ends with another status than 0, or somebody asks to stop: then it is ended.
pub(crate) fn run(
    program: &Program,
    target: &Target,
    environment: &ToolEnvironment,
    watch: &dyn Watch,
) -> Result<(), ToolError> {
    let mut command = ToolCommand::chosen(&program.path, environment.project(), environment);
    command.args(&program.arguments);
    let secrets: Vec<Secret> = target.password.iter().cloned().collect();
    let mut running = Running::start(LABEL, command, engine_said, &secrets)?;
    drop(running.stdin());
    let (stdout, stopper) = (running.stdout(), running.stopper());
    attended(watch, &[stopper], || {
        if let Some(mut stdout) = stdout {
            // What it says there is nobody's; that it is taken keeps it going.
            let _ = io::copy(&mut stdout, &mut io::sink());
        }
        running.finish()
    })
}
