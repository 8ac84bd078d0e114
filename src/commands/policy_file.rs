//! The project's policy file: what it says, who approved it, what of it is in force.

use std::path::Path;

use crate::commands::context::Context;
use crate::error::Failure;
use crate::own_tools::Git;
use crate::policy::trust;
use crate::policy::trust::Trust;
use crate::policy::{Document, FILE_NAME, Policy, PolicyError};
use crate::regular;

/// The policy that a call goes by.
#[derive(Default)]
pub(crate) struct InForce {
    pub(crate) policy: Policy,
    /// How the file came to be trusted, and the hash of its content; `None` where there is no file.
    pub(crate) trust: Option<(Trust, String)>,
}

/// Reads the project's policy and puts in force what may be.
///
/// # Errors
///
/// Where there is one that cannot be used: it may have been meant to tighten.
pub(crate) fn in_force(context: &Context) -> Result<InForce, Failure> {
    let path = context.project.root.join(FILE_NAME);
    let Some((content, document)) = read(&path)? else { return Ok(InForce::default()) };
    let untrusted = Policy::in_force(&document, false);
    let asks_for_nothing = untrusted.ignored.is_empty();
    let trust = if asks_for_nothing { Trust::Unapproved } else { trust_of(context, &path, &content) };
    let policy = if trust.is_trusted() { Policy::in_force(&document, true) } else { untrusted };
    let policy = policy.placed(&context.project.root);
    Ok(InForce { policy, trust: Some((trust, trust::content_hash(&content))) })
}

/// Reads the policy file's bytes and what they say; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<(Vec<u8>, Document)>, PolicyError> {
    let shown = Path::new(FILE_NAME);
    let unreadable = |cause| PolicyError::Unreadable { file: shown.to_owned(), cause };
    let content = match regular::read(path, regular::SMALL) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(cause)),
    };
    let text = std::str::from_utf8(&content)
        .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    let document = Document::parse(text, shown)?;
    Ok(Some((content, document)))
}

fn trust_of(context: &Context, path: &Path, content: &[u8]) -> Trust {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let approval =
        regular::read_own(&trust::approval_file(&context.state_directory, &real), regular::SMALL).unwrap_or_default();
    if trust::is_approval_of(&approval, content) {
        return Trust::Approved;
    }
    if trust::is_reviewing_ci(&context.caller, &context.process_text) && is_committed(context, content) {
        return Trust::Reviewed;
    }
    Trust::Unapproved
}

/// Tells whether the commit that is checked out holds exactly these bytes. `cat-file` runs no filter of the repository's.
fn is_committed(context: &Context, content: &[u8]) -> bool {
    let committed = format!("HEAD:./{FILE_NAME}");
    let git = Git::find(&context.tools, &context.project.root);
    let answer = git.and_then(|git| git.ask(&["cat-file", "blob", &committed]).ok());
    answer.is_some_and(|answer| answer.status.success() && answer.stdout == content)
}
