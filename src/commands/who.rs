//! Who asks for something, as the log says it: account, machine, caller, commit.

use std::path::Path;

use crate::audit::{CallerReport, Who};
use crate::commands::context::Context;
use crate::regular;

pub(crate) fn who(context: &Context) -> Who {
    Who {
        user: user_name(context),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        caller: CallerReport::from(&context.caller),
        commit: commit_of(&context.project.root),
    }
}

fn user_name(context: &Context) -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| context.variable(name));
    named.map_or_else(
        || format!("uid {}", rustix::process::getuid().as_raw()),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Reads which commit is checked out from git's files: starting git would cost more than the rest of a run.
fn commit_of(root: &Path) -> Option<String> {
    let read = |path: &Path| {
        let text = String::from_utf8(regular::read(path, regular::LARGE).ok()?).ok()?;
        Some(text.trim().to_owned())
    };
    let mark = root.ancestors().map(|above| above.join(".git")).find(|mark| mark.exists())?;
    // A worktree's `.git` is a file that names its folder; that folder names the common one.
    let folder = match read(&mark) {
        Some(text) => mark.parent()?.join(text.strip_prefix("gitdir: ")?),
        None => mark,
    };
    let common = read(&folder.join("commondir")).map_or_else(|| folder.clone(), |relative| folder.join(relative));
    let head = read(&folder.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return Some(head) };
    let loose = read(&folder.join(reference)).or_else(|| read(&common.join(reference)));
    loose.or_else(|| {
        let packed = read(&common.join("packed-refs"))?;
        packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' ').map(str::to_owned))
    })
}
