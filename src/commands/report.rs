//! A judgement in words and in JSON.

use serde_json::{Map, Value, json};

use crate::audit;
use crate::caller::Caller;
use crate::commands::describe::{origin_json, target_place};
use crate::commands::judging::Judged;
use crate::environment::{Origin, Reading};
use crate::policy::FILE_NAME;
use crate::reach::Place;
use crate::text::printable;
use crate::ui::{Tone, Ui};
use crate::verdict::{Finding, JudgedTarget, Judgement, Level, Verdict};

/// `check --format json`, version 1: fields are added, never renamed.
pub(crate) fn judgement_json(judged: &Judged, caller: &Caller) -> Value {
    let judgement = &judged.judgement;
    let readings = &judged.survey.readings;
    json!({
        "schema": 1,
        "verdict": judgement.verdict.name(),
        "targets": judgement.targets.iter().map(|target| target_json(target, readings)).collect::<Vec<_>>(),
        "findings": judgement.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "environment": judgement.environment.iter().map(|name| json!({
            "name": name.name, "value": name.value, "origin": origin_json(&name.origin),
        })).collect::<Vec<_>>(),
        "caller": { "kind": caller.kind.name(), "name": caller.name },
        "policy": policy_json(judged),
        "loaders": judged.survey.loaders,
    })
}

/// The policy in force: its hash, how it is trusted, what it loosens and what it asks for in vain.
pub(crate) fn policy_json(judged: &Judged) -> Value {
    let Some((trust, hash)) = &judged.trust else { return Value::Null };
    let settings = |list: &[crate::policy::Loosening]| -> Value {
        list.iter()
            .map(|one| json!({ "key": one.key, "value": audit::redact_text(&one.value, &[]), "line": one.line }))
            .collect()
    };
    let tightens = &judged.policy.production;
    json!({
        "file": FILE_NAME, "sha256": hash, "trust": trust.name(),
        "loosens": settings(&judged.policy.loosened), "ignored": settings(&judged.policy.ignored),
        "tightens": { "words": tightens.words, "hosts": tightens.hosts, "databases": tightens.databases },
    })
}

pub(crate) fn finding_json(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule, "level": finding.level.name(), "target": finding.target,
        "message": finding.message, "remedy": finding.remedy,
        "origin": finding.origin.as_ref().map(origin_json),
    })
}

fn target_json(judged: &JudgedTarget, readings: &[Reading]) -> Value {
    let target = &judged.target;
    let (host, port) = target_place(target);
    let mut fields = Map::new();
    fields.insert("engine".into(), target.engine.name().into());
    fields.insert("host".into(), host.into());
    fields.insert("port".into(), port.into());
    fields.insert("database".into(), target.database.clone().into());
    fields.insert("user".into(), target.user.clone().into());
    fields.insert("locality".into(), judged.locality.name().into());
    fields.insert("verdict".into(), judged.verdict.name().into());
    fields.insert("origins".into(), target.origins.iter().map(origin_json).collect());
    let candidates: Vec<Value> = target
        .origins
        .iter()
        .map(|origin| {
            let mut candidate = origin_json(origin);
            candidate["loaders"] = loaders_of(origin, readings).into();
            candidate
        })
        .collect();
    fields.insert("candidates".into(), candidates.into());
    let file = target.places.iter().find_map(|place| match place {
        Place::File { path } => Some(path.to_string_lossy().into_owned()),
        Place::Host { .. } | Place::Socket { .. } | Place::Memory | Place::Instance { .. } => None,
    });
    fields.insert("path".into(), file.into());
    fields.insert("shown_by".into(), judged.shown_by.clone().into());
    Value::Object(fields)
}

/// The loaders that would take a value from `origin`.
fn loaders_of(origin: &Origin, readings: &[Reading]) -> Vec<String> {
    let mut loaders: Vec<String> = readings
        .iter()
        .filter(|reading| reading.settings.iter().any(|setting| setting.origin == *origin))
        .map(|reading| reading.loader.clone())
        .collect();
    loaders.sort();
    loaders.dedup();
    loaders
}

/// A judgement in words, for `check`; verbose adds who would read what.
pub(crate) fn judgement_text(judged: &Judged, ui: &Ui) -> String {
    let judgement = &judged.judgement;
    let mut lines = vec![format!("{}: {}", verdict_word(judgement.verdict, ui), summary(judgement))];
    for (at, one) in judgement.targets.iter().enumerate() {
        lines.push(format!(
            "  {} ({}): {}",
            printable(&one.target.shown()),
            one.locality,
            verdict_word(one.verdict, ui)
        ));
        for origin in &one.target.origins {
            let loaders = loaders_of(origin, &judged.survey.readings);
            let read_by = if ui.verbose && !loaders.is_empty() {
                format!(", read by {}", loaders.join(", "))
            } else {
                String::new()
            };
            lines.push(ui.toned(&format!("    from {}{read_by}", printable(&origin.to_string())), Tone::Faint));
        }
        if ui.verbose {
            lines.extend(
                one.shown_by.iter().map(|evidence| ui.toned(&format!("    {}", printable(evidence)), Tone::Faint)),
            );
        }
        lines.extend(findings_text(judgement.findings.iter().filter(|finding| finding.target == Some(at)), ui));
    }
    lines.extend(findings_text(judgement.findings.iter().filter(|finding| finding.target.is_none()), ui));
    if ui.verbose {
        lines.extend(judgement.environment.iter().map(|name| {
            ui.toned(
                &format!("  {}={} from {}", name.name, printable(&name.value), printable(&name.origin.to_string())),
                Tone::Faint,
            )
        }));
        let files: Vec<String> = judged.survey.files.iter().map(|file| file.display().to_string()).collect();
        lines.push(ui.toned(
            &format!(
                "  files read: {}",
                if files.is_empty() { "none".to_owned() } else { printable(&files.join(", ")) }
            ),
            Tone::Faint,
        ));
    }
    lines.extend(policy_text(judged));
    lines.join("\n") + "\n"
}

/// The block that a refused caller acts on: which database, which rule, which variable, what to do.
pub(crate) fn refusal_text(judged: &Judged, ui: &Ui) -> Vec<String> {
    objections_text(judged, ui, "refused: ")
}

/// What a person who is asked to vouch for it has to know.
pub(crate) fn doubt_text(judged: &Judged, ui: &Ui) -> Vec<String> {
    objections_text(judged, ui, "")
}

fn objections_text(judged: &Judged, ui: &Ui, done: &str) -> Vec<String> {
    let judgement = &judged.judgement;
    let what = match judgement.verdict {
        Verdict::Production => "may be production",
        Verdict::Unverified | Verdict::Safe => "is not shown to be safe",
    };
    let worst: Vec<String> = judgement
        .targets
        .iter()
        .filter(|one| one.verdict == judgement.verdict)
        .map(|one| printable(&one.target.shown()))
        .collect();
    let subject = if worst.is_empty() { "this run".to_owned() } else { worst.join(", ") };
    let mut lines = vec![format!("{} {done}{subject} {what}", ui.toned("safe-test:", Tone::Bad))];
    lines.extend(findings_text(judgement.objections(), ui));
    lines.extend(policy_text(judged));
    lines
}

fn summary(judgement: &Judgement) -> String {
    match judgement.targets.len() {
        0 => "no database is named".to_owned(),
        1 => "1 database could be reached".to_owned(),
        many => format!("{many} databases could be reached"),
    }
}

fn findings_text<'f>(findings: impl Iterator<Item = &'f Finding>, ui: &Ui) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings {
        let tone = match finding.level {
            Level::Production => Tone::Bad,
            Level::Unverified => Tone::Doubtful,
            Level::Note => Tone::Faint,
        };
        let origin =
            finding.origin.as_ref().map(|origin| format!(" [{}]", printable(&origin.to_string()))).unwrap_or_default();
        lines.push(format!(
            "    {} {}: {}{origin}",
            ui.toned(finding.level.name(), tone),
            finding.rule,
            printable(&finding.message)
        ));
        if !finding.remedy.is_empty() && finding.level > Level::Note {
            lines.push(format!("      what to do: {}", printable(&finding.remedy)));
        }
    }
    lines
}

/// What the policy changed, a line each.
fn policy_text(judged: &Judged) -> Vec<String> {
    let Some((trust, _)) = &judged.trust else { return Vec::new() };
    let mut lines = Vec::new();
    if !judged.policy.production.is_empty() {
        lines.push(format!("  {FILE_NAME} tightens: its own production words, hosts and databases count"));
    }
    for one in &judged.policy.loosened {
        lines.push(format!(
            "  {FILE_NAME}:{} loosens ({}): {} = {}",
            one.line,
            trust.name(),
            one.key,
            printable(&audit::redact_text(&one.value, &[]))
        ));
    }
    for one in &judged.policy.ignored {
        lines.push(format!(
            "  {FILE_NAME}:{} is not in force until a person runs `safe-test trust`: {} = {}",
            one.line,
            one.key,
            printable(&audit::redact_text(&one.value, &[]))
        ));
    }
    lines
}

fn verdict_word(verdict: Verdict, ui: &Ui) -> String {
    let tone = match verdict {
        Verdict::Safe => Tone::Good,
        Verdict::Unverified => Tone::Doubtful,
        Verdict::Production => Tone::Bad,
    };
    ui.toned(verdict.name(), tone)
}
