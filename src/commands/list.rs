//! `safe-test list`: the snapshots, newest first, and what restores have left on servers.

use serde::Serialize;

use crate::audit::{KnownSnapshots, Log};
use crate::commands::clearing::Left;
use crate::commands::context::Context;
use crate::commands::{CommandError, clearing, policy_file};
use crate::error::{Failure, in_one_line};
use crate::exit::Exit;
use crate::json::Json;
use crate::snapshot;
use crate::snapshot::{Effect, Kind, Leftover, LeftoverKind, Manifest, Store, Stored, VerificationLevel};
use crate::text::shown;
use crate::ui::bytes;

pub(crate) fn list(context: &mut Context) -> Result<Exit, Failure> {
    let policy = policy_file::in_force(context)?.policy;
    let store = Store::locate(&context.project.root, policy.snapshots.directory.as_deref())?;
    let (stored, broken) = store.list()?;
    let past = KnownSnapshots::of(&Log::open(&store.log(), &context.state_directory));
    let left = leftovers(context, &past, &store, &stored, policy.keep_last());
    let line = |snapshot: &Stored| line(snapshot, &past);
    let beside = left.iter().map(database_line);
    let answered = if context.ui.json {
        let snapshots = stored.iter().map(|snapshot| Listed::Snapshot(ListedSnapshot::new(snapshot, &past)));
        let listed: Vec<Listed<'_>> = snapshots.chain(left.iter().map(Listed::of_database)).collect();
        context.ui.answer_json(&Json::pretty(&listed).map_err(|error| CommandError::Output(error.into()))?)
    } else if context.ui.quiet {
        context.ui.answer(stored.iter().map(|snapshot| snapshot.manifest.id.as_str()))
    } else if stored.is_empty() {
        context.ui.answer([format!("no snapshots in {}", shown(store.directory()))])
    } else if context.ui.verbose {
        let lines = |one: &Stored| std::iter::once(line(one)).chain(details(&one.manifest)).collect::<Vec<_>>();
        context.ui.answer(stored.iter().flat_map(lines).chain(beside))
    } else {
        context.ui.answer(stored.iter().map(line).chain(beside))
    };
    answered.map_err(CommandError::Output)?;
    for error in broken {
        context.ui.warn(format!("safe-test: {error}"));
    }
    Ok(Exit::Success)
}

/// Looks for what restores have left on the servers of a project that has snapshots of databases on servers. A project that
/// cannot be judged is not looked at any further.
fn leftovers(
    context: &Context,
    past: &KnownSnapshots,
    store: &Store,
    stored: &[Stored],
    keep_last: usize,
) -> Vec<Left> {
    if context.ui.quiet || !snapshot::may_have_left_databases(stored) {
        return Vec::new();
    }
    match clearing::look(context, past) {
        Ok(found) => found.iter().flat_map(|(_, leftovers)| clearing::foresee(leftovers, keep_last, store)).collect(),
        Err(failure) => {
            context
                .ui
                .say(format!("safe-test: databases of restores not looked for: {}", in_one_line(failure.error())));
            Vec::new()
        }
    }
}

fn database_line(left: &Left) -> String {
    let Leftover { name, kind, of, at, size, .. } = &left.leftover;
    let kind = match kind {
        LeftoverKind::Replaced => "kept",
        LeftoverKind::Unfinished => "killed",
        LeftoverKind::Copy => "copy",
    };
    let size = size.map_or("?".to_owned(), bytes);
    let (name, of) = (shown(name.as_str()), shown(of.as_str()));
    format!("{}  {kind:6}  {size:>9}  {name}  database beside {of}: {}", at.format("%Y-%m-%d %H:%M:%SZ"), left.reason)
}

/// A row, for programs.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed<'a> {
    Snapshot(ListedSnapshot<'a>),
    /// A database on a server; one that was `replaced` can be restored by its id, as a snapshot can.
    Database {
        id: &'a str,
        #[serde(flatten)]
        left: &'a Left,
    },
}

impl<'a> Listed<'a> {
    fn of_database(left: &'a Left) -> Self {
        Listed::Database { id: &left.leftover.name, left }
    }
}

/// A snapshot, for programs.
#[derive(Serialize)]
struct ListedSnapshot<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// Whether it was made here.
    known: bool,
}

impl<'a> ListedSnapshot<'a> {
    fn new(snapshot: &'a Stored, past: &KnownSnapshots) -> Self {
        ListedSnapshot { manifest: &snapshot.manifest, known: snapshot.standing(past).is_known() }
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
        match snapshot::worst(&manifest.obstacles) {
            Some(Effect::NothingComesBack | Effect::LeftOut) => "  (cannot be restored whole)",
            Some(Effect::InPlace) | None => "",
        },
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
    if let Some(contents) = snapshot::contents(manifest) {
        return contents;
    }
    let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let tables = counted(manifest.tables.len() as u64, "table");
    match manifest.tables.iter().map(|table| table.rows).sum::<Option<u64>>() {
        Some(rows) => format!("{tables} with {}", counted(rows, "row")),
        None => tables,
    }
}
