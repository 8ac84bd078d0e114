//! `safe-test list`: the snapshots, newest first.

use crate::commands::context::Context;
use crate::commands::{CommandError, judging};
use crate::error::Failure;
use crate::exit::Exit;
use crate::snapshot::{Kind, Manifest, Store, Stored};
use crate::text::printable;
use crate::ui::bytes;

pub(crate) fn list(context: &mut Context) -> Result<Exit, Failure> {
    let (policy, _) = judging::policy_in_force(context)?;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let (stored, broken) = store.list()?;
    let text = if context.ui.json {
        let manifests: Vec<&Manifest> = stored.iter().map(|snapshot| &snapshot.manifest).collect();
        serde_json::to_string_pretty(&manifests).map_err(|error| CommandError::Output(error.into()))? + "\n"
    } else if stored.is_empty() {
        format!("no snapshots in {}\n", store.directory().display())
    } else {
        stored.iter().map(line).collect()
    };
    context.ui.answer(&text).map_err(CommandError::Output)?;
    for error in broken {
        context.ui.warn(&format!("safe-test: {error}"));
    }
    Ok(Exit::Success)
}

fn line(snapshot: &Stored) -> String {
    let manifest = &snapshot.manifest;
    let kind = match manifest.kind {
        Kind::Run => "run",
        Kind::Manual => "manual",
        Kind::Safety => "safety",
    };
    format!(
        "{}  {:6}  {:>9}  {}  {}\n",
        manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"),
        kind,
        bytes(manifest.size),
        manifest.id,
        printable(&manifest.target),
    )
}
