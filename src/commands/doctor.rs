//! `safe-test doctor`: for each target whether it is reachable and how it would be saved; folder, log, disk.

use std::path::Path;

use serde_json::{Value, json};

use super::context::Context;
use super::disk::Disk;
use super::judging::Judged;
use super::{CommandError, judging};
use crate::error::Failure;
use crate::exit::Exit;
use crate::snapshot::{self, SnapshotError, Store};
use crate::ui::{Tone, bytes, printable};
use crate::verdict::Verdict;

/// One thing that was looked at.
struct Looked {
    what: String,
    ok: bool,
    found: String,
    hint: Option<String>,
}

pub(super) fn doctor(context: &mut Context) -> Result<Exit, Failure> {
    let judged = judging::judge(context, None)?;
    let mut results = Vec::new();
    let store = Store::locate(&context.project.root, judged.policy.snapshots.directory.as_deref());
    match &store {
        Ok(store) => results.extend(look_at_folder(store, &context.project.root)),
        Err(error) => results.push(bad("snapshots", error)),
    }
    for at in 0..judged.judgement.targets.len() {
        results.push(look_at_target(context, &judged, at));
    }
    if judged.judgement.targets.is_empty() {
        results.push(Looked {
            what: "databases".to_owned(),
            ok: judged.judgement.verdict == Verdict::Safe,
            found: judged
                .judgement
                .findings
                .first()
                .map_or("none is named", |finding| finding.message.as_str())
                .to_owned(),
            hint: judged.judgement.objections().next().map(|finding| finding.remedy.clone()),
        });
    }
    let all_well = results.iter().all(|one| one.ok);
    let text: String = if context.ui.json {
        let rows: Vec<Value> = results
            .iter()
            .map(|one| json!({ "what": one.what, "ok": one.ok, "found": one.found, "hint": one.hint }))
            .collect();
        format!("{}\n", json!({ "schema": 1, "ok": all_well, "checks": rows }))
    } else {
        results.iter().map(|one| line(context, one)).collect()
    };
    context.ui.answer(&text).map_err(CommandError::Output)?;
    Ok(if all_well { Exit::Success } else { Exit::Failed })
}

fn line(context: &Context, one: &Looked) -> String {
    let mark = if one.ok { context.ui.toned("ok  ", Tone::Good) } else { context.ui.toned("BAD ", Tone::Bad) };
    let hint = one.hint.as_ref().map(|hint| format!("       hint: {}\n", printable(hint))).unwrap_or_default();
    format!("{mark} {}: {}\n{hint}", printable(&one.what), printable(&one.found))
}

/// A target that is not shown to be safe is not connected to.
fn look_at_target(context: &Context, judged: &Judged, at: usize) -> Looked {
    let one = &judged.judgement.targets[at];
    let what = one.target.shown();
    if one.verdict != Verdict::Safe {
        let finding = judged.judgement.objections().find(|finding| finding.target == Some(at));
        return Looked {
            what,
            ok: false,
            found: format!("{}: not connected to", one.verdict),
            hint: finding.map(|finding| format!("{}; {}", finding.message, finding.remedy)),
        };
    }
    let looked = snapshot::plan(&one.target, &judged.policy, &Disk)
        .map_err(SnapshotError::from)
        .and_then(|step| snapshot::describe(&one.target, &step, &context.process));
    match looked {
        Ok(found) => Looked { what, ok: true, found, hint: None },
        Err(error) => bad(&what, &error),
    }
}

fn look_at_folder(store: &Store, root: &Path) -> Vec<Looked> {
    let directory = store.directory();
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(root);
    let writable = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok();
    let mut results = vec![Looked {
        what: format!("snapshots in {}", directory.display()),
        ok: writable,
        found: if writable { "can be written".to_owned() } else { "cannot be written".to_owned() },
        hint: (!writable).then(|| "check the owner and the permissions of the folder".to_owned()),
    }];
    match rustix::fs::statvfs(existing) {
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let enough = free > 64 * 1024 * 1024;
            results.push(Looked {
                what: "room on its disk".to_owned(),
                ok: enough,
                found: bytes(free),
                hint: (!enough).then(|| "make room; `safe-test prune` removes old snapshots".to_owned()),
            });
        }
        Err(error) => results.push(Looked {
            what: "room on its disk".to_owned(),
            ok: false,
            found: error.to_string(),
            hint: None,
        }),
    }
    results
}

fn bad(what: &str, error: &dyn crate::error::Explain) -> Looked {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Looked { what: what.to_owned(), ok: false, found: format!("{error}{cause}"), hint: error.hint() }
}
