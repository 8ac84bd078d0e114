//! A judgement in words, and everything that is told to programs as JSON.

use serde::Serialize;

use crate::audit::{FindingReport, JudgementReport, SettingReport, TargetReport};
use crate::commands::CommandError;
use crate::json::Json;
use crate::policy::{FILE_NAME, GuardMode};
use crate::reach::Engine;
use crate::ui::{Line, Tone};
use crate::verdict::{Level, Verdict};

/// Writes a value as one line of JSON.
///
/// # Errors
///
/// Only where a value cannot be JSON; those of this program always can.
pub(crate) fn json(value: &impl Serialize) -> Result<Json, CommandError> {
    Json::of(value).map_err(|error| CommandError::Output(error.into()))
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
pub(crate) fn judgement_text(report: &JudgementReport, verbose: bool) -> Vec<Line> {
    let mut lines =
        vec![Line::toned(tone(report.verdict), report.verdict.name()).and(format!(": {}", summary(report)))];
    for (at, target) in report.targets.iter().enumerate() {
        lines.extend(target_text(target, verbose));
        lines.extend(findings_text(report.findings.iter().filter(|finding| finding.target == Some(at))));
    }
    lines.extend(findings_text(report.findings.iter().filter(|finding| finding.target.is_none())));
    if verbose {
        let seen = report.environment.iter();
        lines.extend(seen.map(|seen| faint(format!("  {}={} from {}", seen.name, seen.value, seen.origin))));
        let files = if report.files.is_empty() { "none".to_owned() } else { report.files.join(", ") };
        lines.push(faint(format!("  files read: {files}")));
    }
    lines.extend(policy_text(report));
    lines
}

fn faint(text: String) -> Line {
    Line::toned(Tone::Faint, text)
}

fn target_text(target: &TargetReport, verbose: bool) -> Vec<Line> {
    let head = Line::from(format!("  {} ({}): ", target.label, target.locality));
    let mut lines = vec![head.and_toned(tone(target.verdict), target.verdict.name())];
    for candidate in &target.candidates {
        let read_by = match candidate.loaders.as_slice() {
            [_, ..] if verbose => format!(", read by {}", candidate.loaders.join(", ")),
            _ => String::new(),
        };
        lines.push(faint(format!("    from {}{read_by}", candidate.origin)));
    }
    if verbose {
        lines.extend(target.shown_by.iter().map(|evidence| faint(format!("    {evidence}"))));
    }
    lines
}

/// Writes the block that a refused caller acts on: which database, which rule, which variable, what to do.
pub(crate) fn refusal_text(report: &JudgementReport) -> Vec<Line> {
    objections_text(report, "refused: ")
}

/// Tells what a person has to know who is asked to vouch for it.
pub(crate) fn doubt_text(report: &JudgementReport) -> Vec<Line> {
    objections_text(report, "")
}

fn objections_text(report: &JudgementReport, done: &str) -> Vec<Line> {
    let what = match report.verdict {
        Verdict::Production => "may be production",
        Verdict::Unverified | Verdict::Safe => "is not shown to be safe",
    };
    let worst = report.targets.iter().filter(|target| target.verdict == report.verdict);
    let worst: Vec<&str> = worst.map(|target| target.label.as_str()).collect();
    let subject = if worst.is_empty() { "this run".to_owned() } else { worst.join(", ") };
    let mut lines = vec![Line::toned(Tone::Bad, "safe-test:").and(format!(" {done}{subject} {what}"))];
    lines.extend(findings_text(report.objections()));
    lines.extend(hindrance_text(report));
    lines.extend(policy_text(report));
    lines
}

/// Tells why the guard does not help a run without a name.
pub(crate) fn hindrance_text(report: &JudgementReport) -> Option<Line> {
    let why = report.hindrance.as_ref()?;
    Some(format!("    the guard does not help: {why}").into())
}

fn summary(report: &JudgementReport) -> String {
    let is_database = |target: &&TargetReport| Engine::named(&target.engine).is_none_or(Engine::is_database);
    let databases = report.targets.iter().filter(is_database).count();
    let besides = match report.targets.len() - databases {
        0 => "",
        1 => ", and a folder is saved",
        _ => ", and folders are saved",
    };
    match databases {
        0 => format!("no database is named{besides}"),
        1 => format!("1 database could be reached{besides}"),
        many => format!("{many} databases could be reached{besides}"),
    }
}

fn findings_text<'f>(findings: impl Iterator<Item = &'f FindingReport>) -> Vec<Line> {
    let mut lines = Vec::new();
    for finding in findings {
        let tone = match finding.level {
            Level::Production => Tone::Bad,
            Level::Unverified => Tone::Doubtful,
            Level::Note => Tone::Faint,
        };
        lines.push(Line::from("    ").and_toned(tone, finding.level.name()).and(format!(" {}", finding.line())));
        if !finding.remedy.is_empty() && finding.level > Level::Note {
            lines.push(format!("      what to do: {}", finding.remedy).into());
        }
    }
    lines
}

/// Tells what the policy changed, a line each.
fn policy_text(report: &JudgementReport) -> Vec<Line> {
    let Some(policy) = &report.policy else { return Vec::new() };
    let mut lines = Vec::new();
    if !policy.tightens.is_empty() {
        lines.push(format!("  {FILE_NAME} tightens: its own production words, hosts and databases count").into());
    }
    if policy.guard.mode == GuardMode::Strict {
        let only = "off this machine the command reaches only name servers and what is allowed";
        lines.push(format!("  {FILE_NAME} tightens: {only}").into());
    }
    if !policy.guard.ports.is_empty() {
        let ports: Vec<String> = policy.guard.ports.iter().map(u16::to_string).collect();
        lines.push(format!("  {FILE_NAME} tightens: {} count as ports of databases", ports.join(", ")).into());
    }
    let setting = |one: &SettingReport, what: String| {
        Line::from(format!("  {FILE_NAME}:{} {what}: {} = {}", one.line, one.key, one.value))
    };
    let trust = policy.trust.name();
    lines.extend(policy.loosens.iter().map(|one| setting(one, format!("loosens ({trust})"))));
    let in_vain = "is not in force until a person runs `safe-test trust`";
    lines.extend(policy.ignored.iter().map(|one| setting(one, in_vain.to_owned())));
    lines
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Safe => Tone::Good,
        Verdict::Unverified => Tone::Doubtful,
        Verdict::Production => Tone::Bad,
    }
}
