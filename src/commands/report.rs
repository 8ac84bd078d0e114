//! A judgement in words, and everything that is told to programs as JSON.

use serde::Serialize;

use crate::audit::{FindingReport, JudgementReport, SettingReport, TargetReport};
use crate::commands::CommandError;
use crate::policy::FILE_NAME;
use crate::text::printable;
use crate::ui::{Tone, Ui};
use crate::verdict::{Level, Verdict};

/// Writes a value as one line of JSON, without the newline.
///
/// # Errors
///
/// Only where a value cannot be JSON; those of this program always can.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string(value).map_err(|error| CommandError::Output(error.into()))
}

/// A judgement and what came of it, as a guarded run tells programs.
#[derive(Serialize)]
pub(crate) struct Refused<'a> {
    #[serde(flatten)]
    pub(crate) judgement: &'a JudgementReport,
    pub(crate) event: &'static str,
    pub(crate) exit: u8,
    pub(crate) message: &'static str,
}

/// Puts a judgement in words, for `check`; verbose adds who would read what.
pub(crate) fn judgement_text(report: &JudgementReport, ui: &Ui) -> String {
    let mut lines = vec![format!("{}: {}", verdict_word(report.verdict, ui), summary(report))];
    for (at, target) in report.targets.iter().enumerate() {
        lines.extend(target_text(target, ui));
        lines.extend(findings_text(report.findings.iter().filter(|finding| finding.target == Some(at)), ui));
    }
    lines.extend(findings_text(report.findings.iter().filter(|finding| finding.target.is_none()), ui));
    if ui.verbose {
        lines.extend(report.environment.iter().map(|seen| {
            let (value, origin) = (printable(&seen.value), printable(&seen.origin.to_string()));
            ui.toned(&format!("  {}={value} from {origin}", seen.name), Tone::Faint)
        }));
        let files = if report.files.is_empty() { "none".to_owned() } else { printable(&report.files.join(", ")) };
        lines.push(ui.toned(&format!("  files read: {files}"), Tone::Faint));
    }
    lines.extend(policy_text(report));
    lines.join("\n") + "\n"
}

fn target_text(target: &TargetReport, ui: &Ui) -> Vec<String> {
    let verdict = verdict_word(target.verdict, ui);
    let mut lines = vec![format!("  {} ({}): {verdict}", printable(&target.label), target.locality)];
    for candidate in &target.candidates {
        let read_by = match candidate.loaders.as_slice() {
            [_, ..] if ui.verbose => format!(", read by {}", candidate.loaders.join(", ")),
            _ => String::new(),
        };
        let origin = printable(&candidate.origin.to_string());
        lines.push(ui.toned(&format!("    from {origin}{read_by}"), Tone::Faint));
    }
    if ui.verbose {
        let shown_by = target.shown_by.iter();
        lines.extend(shown_by.map(|evidence| ui.toned(&format!("    {}", printable(evidence)), Tone::Faint)));
    }
    lines
}

/// Writes the block that a refused caller acts on: which database, which rule, which variable, what to do.
pub(crate) fn refusal_text(report: &JudgementReport, ui: &Ui) -> Vec<String> {
    objections_text(report, ui, "refused: ")
}

/// Tells what a person has to know who is asked to vouch for it.
pub(crate) fn doubt_text(report: &JudgementReport, ui: &Ui) -> Vec<String> {
    objections_text(report, ui, "")
}

fn objections_text(report: &JudgementReport, ui: &Ui, done: &str) -> Vec<String> {
    let what = match report.verdict {
        Verdict::Production => "may be production",
        Verdict::Unverified | Verdict::Safe => "is not shown to be safe",
    };
    let worst = report.targets.iter().filter(|target| target.verdict == report.verdict);
    let worst: Vec<String> = worst.map(|target| printable(&target.label)).collect();
    let subject = if worst.is_empty() { "this run".to_owned() } else { worst.join(", ") };
    let mut lines = vec![format!("{} {done}{subject} {what}", ui.toned("safe-test:", Tone::Bad))];
    lines.extend(findings_text(report.objections(), ui));
    lines.extend(policy_text(report));
    lines
}

fn summary(report: &JudgementReport) -> String {
    match report.targets.len() {
        0 => "no database is named".to_owned(),
        1 => "1 database could be reached".to_owned(),
        many => format!("{many} databases could be reached"),
    }
}

fn findings_text<'f>(findings: impl Iterator<Item = &'f FindingReport>, ui: &Ui) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings {
        let tone = match finding.level {
            Level::Production => Tone::Bad,
            Level::Unverified => Tone::Doubtful,
            Level::Note => Tone::Faint,
        };
        lines.push(format!("    {} {}", ui.toned(finding.level.name(), tone), finding.line()));
        if !finding.remedy.is_empty() && finding.level > Level::Note {
            lines.push(format!("      what to do: {}", printable(&finding.remedy)));
        }
    }
    lines
}

/// Tells what the policy changed, a line each.
fn policy_text(report: &JudgementReport) -> Vec<String> {
    let Some(policy) = &report.policy else { return Vec::new() };
    let mut lines = Vec::new();
    if !policy.tightens.is_empty() {
        lines.push(format!("  {FILE_NAME} tightens: its own production words, hosts and databases count"));
    }
    let setting = |one: &SettingReport, what: String| {
        format!("  {FILE_NAME}:{} {what}: {} = {}", one.line, one.key, printable(&one.value))
    };
    let trust = policy.trust.name();
    lines.extend(policy.loosens.iter().map(|one| setting(one, format!("loosens ({trust})"))));
    let in_vain = "is not in force until a person runs `safe-test trust`";
    lines.extend(policy.ignored.iter().map(|one| setting(one, in_vain.to_owned())));
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
