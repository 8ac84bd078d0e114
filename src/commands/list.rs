//! `safe-test list`: the snapshots, newest first.

use serde::Serialize;

use crate::audit::{KnownSnapshots, Log};
use crate::commands::context::Context;
use crate::commands::{CommandError, policy_file};
use crate::error::Failure;
use crate::exit::Exit;
use crate::json::Json;
use crate::snapshot;
use crate::snapshot::{Kind, Manifest, Store, Stored, VerificationLevel};
use crate::text::shown;
use crate::ui::bytes;

pub(crate) fn list(context: &mut Context) -> Result<Exit, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let (stored, broken) = store.list()?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let line = |snapshot: &Stored| line(snapshot, &past);
    let answered = if context.ui.json {
        let listed: Vec<Listed<'_>> = stored.iter().map(|snapshot| Listed::new(snapshot, &past)).collect();
        context.ui.answer_json(&Json::pretty(&listed).map_err(|error| CommandError::Output(error.into()))?)
    } else if context.ui.quiet {
        context.ui.answer(stored.iter().map(|snapshot| snapshot.manifest.id.as_str()))
    } else if stored.is_empty() {
        context.ui.answer([format!("no snapshots in {}", shown(store.directory()))])
    } else if context.ui.verbose {
        let lines = |one: &Stored| std::iter::once(line(one)).chain(details(&one.manifest)).collect::<Vec<_>>();
        context.ui.answer(stored.iter().flat_map(lines))
    } else {
        context.ui.answer(stored.iter().map(line))
    };
    answered.map_err(CommandError::Output)?;
    for error in broken {
        context.ui.warn(format!("safe-test: {error}"));
    }
    Ok(Exit::Success)
}

/// A snapshot, for programs.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// Whether it was made here.
    known: bool,
}

impl<'a> Listed<'a> {
    fn new(snapshot: &'a Stored, past: &KnownSnapshots) -> Self {
        Listed { manifest: &snapshot.manifest, known: snapshot.standing(past).is_known() }
    }
}

pub(crate) fn line(snapshot: &Stored, past: &KnownSnapshots) -> String {
    let manifest = &snapshot.manifest;
    let kind = match manifest.kind {
        Kind::Run => "run",
        Kind::Manual => "manual",
        Kind::Safety => "safety",
    };
    format!(
        "{}  {:6}  {:>9}  {}  {}{}{}",
        manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"),
        kind,
        bytes(manifest.size),
        manifest.id,
        manifest.target,
        if snapshot.standing(past).is_known() { "" } else { "  (not known here)" },
        if manifest.obstacles.is_empty() { "" } else { "  (cannot be restored whole)" },
    )
}

/// Tells what is in a snapshot, what took it and how far it was verified.
fn details(manifest: &Manifest) -> Vec<String> {
    let verified = match manifest.verified {
        VerificationLevel::Read => "read back",
        VerificationLevel::Restore => "restored and compared",
    };
    let tool = format!("{} {}", manifest.tool.program, manifest.tool.version);
    let mut lines = vec![format!("{}, by {}, {verified}", contents(manifest), tool.trim_end()), manifest.file.clone()];
    lines.extend(snapshot::not_whole_in_full(&manifest.obstacles));
    lines.extend(snapshot::remedy(&manifest.obstacles).map(|remedy| format!("what to do: {remedy}")));
    lines.extend(manifest.notes.iter().cloned());
    lines.iter().map(|line| format!("    {line}")).collect()
}

/// Counts how many tables a snapshot has, and how many rows where all were counted.
pub(crate) fn contents(manifest: &Manifest) -> String {
    let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let tables = counted(manifest.tables.len() as u64, "table");
    match manifest.tables.iter().map(|table| table.rows).sum::<Option<u64>>() {
        Some(rows) => format!("{tables} with {}", counted(rows, "row")),
        None => tables,
    }
}
