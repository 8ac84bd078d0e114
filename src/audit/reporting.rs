//! From what was judged to the [report](super::report) of it.

use std::collections::BTreeSet;

use crate::audit::redact::redact_line;
use crate::audit::report::{
    CallerReport, Candidate, EnvironmentReport, FindingReport, GuardReport, JudgementReport, PolicyReport,
    SettingReport, TargetReport, Word,
};
use crate::caller::Caller;
use crate::collections::HashMap;
use crate::environment::{Origin, Survey};
use crate::policy::trust::Trust;
use crate::policy::{FILE_NAME, Loosening, Policy};
use crate::reach::{Place, Target};
use crate::secret::{redact_name, shown_path};
use crate::text::shown;
use crate::verdict::{Finding, JudgedTarget, Judgement};

impl JudgementReport {
    /// Reports a judgement; `trust` is the policy file's, with the hash of its content.
    pub(crate) fn new(
        judgement: &Judgement,
        survey: &Survey,
        caller: &Caller,
        policy: &Policy,
        trust: Option<(Trust, String)>,
    ) -> Self {
        let loaders = loaders_by_origin(judgement, survey);
        JudgementReport {
            schema: 1,
            verdict: judgement.verdict,
            targets: judgement.targets.iter().map(|target| TargetReport::new(target, &loaders)).collect(),
            findings: judgement.findings.iter().map(|one| FindingReport::new(one, caller)).collect(),
            environment: judgement
                .environment
                .iter()
                .map(|name| EnvironmentReport {
                    name: name.name.clone(),
                    value: redact_name(&name.value).into_owned(),
                    origin: name.origin.clone(),
                })
                .collect(),
            caller: caller.into(),
            policy: trust.map(|(trust, sha256)| PolicyReport::new(policy, trust, sha256)),
            loaders: survey.loaders.clone(),
            files: survey.files.iter().map(shown_path).collect(),
            hindrance: judgement.hindrance.clone().filter(|_| judgement.is_unnamed()),
        }
    }
}

impl JudgementReport {
    /// Takes over a judgement that was made anew, of the targets that are reported and of some that were derived from them:
    /// these are `derived`, each with whose tests do so, and have the origins of those.
    pub(crate) fn judged_anew(&mut self, judgement: &Judgement, caller: &Caller, derived: &[&'static str]) {
        let known = std::mem::take(&mut self.targets);
        let mut loaders = LoadersByOrigin::default();
        for candidate in known.iter().flat_map(|target| &target.candidates) {
            loaders.entry(&candidate.origin).or_default().extend(candidate.loaders.iter().map(String::as_str));
        }
        let by = known.iter().map(|target| target.derived_by.clone());
        let by = by.chain(derived.iter().map(|by| Some(Word::from(*by))));
        let targets = judgement.targets.iter().zip(by);
        self.targets =
            targets.map(|(one, derived_by)| TargetReport { derived_by, ..TargetReport::new(one, &loaders) }).collect();
        self.findings = judgement.findings.iter().map(|one| FindingReport::new(one, caller)).collect();
        self.verdict = judgement.verdict;
    }
}

impl TargetReport {
    fn new(judged: &JudgedTarget, loaders: &LoadersByOrigin<'_>) -> Self {
        let target = &judged.target;
        let (host, port) = first_place(target);
        let file = target.places.iter().find_map(|place| match place {
            Place::File { path } => Some(shown(path).into_owned()),
            Place::Host { .. } | Place::Socket { .. } | Place::Memory | Place::Instance { .. } => None,
        });
        let candidate = |origin: &Origin| Candidate {
            origin: origin.clone(),
            loaders: loaders[origin].iter().map(|&loader| loader.to_owned()).collect(),
        };
        TargetReport {
            engine: target.engine.name().into(),
            host,
            port,
            database: target.database.clone(),
            user: target.user.clone(),
            locality: judged.locality.name().into(),
            verdict: judged.verdict,
            origins: target.origins.clone(),
            candidates: target.origins.iter().map(candidate).collect(),
            path: file,
            shown_by: judged.shown_by.clone(),
            label: target.shown(),
            derived_by: None,
        }
    }
}

/// Gives the first place of a target as host and port.
fn first_place(target: &Target) -> (Option<String>, Option<u16>) {
    match target.places.first() {
        Some(Place::Host { name, port }) => (Some(name.clone()), *port),
        Some(Place::Socket { path, port }) => (Some(shown(path).into_owned()), *port),
        Some(Place::Instance { name }) => (Some(name.clone()), None),
        Some(Place::File { .. } | Place::Memory) | None => (None, None),
    }
}

type LoadersByOrigin<'s> = HashMap<&'s Origin, BTreeSet<&'s str>>;

/// Finds the loaders that would take a value from each origin of a target, in one pass over what was read.
fn loaders_by_origin<'s>(judgement: &'s Judgement, survey: &'s Survey) -> LoadersByOrigin<'s> {
    let origins = judgement.targets.iter().flat_map(|one| &one.target.origins);
    let mut loaders: LoadersByOrigin<'s> = origins.map(|origin| (origin, BTreeSet::new())).collect();
    for reading in &survey.readings {
        for setting in &reading.settings {
            if let Some(own) = loaders.get_mut(&setting.origin) {
                own.insert(&reading.loader);
            }
        }
    }
    loaders
}

impl FindingReport {
    fn new(finding: &Finding, reader: &Caller) -> Self {
        FindingReport {
            rule: finding.rule.into(),
            level: finding.level,
            target: finding.target,
            message: finding.message.clone(),
            remedy: finding.remedy.told(reader.can_be_asked()),
            origin: finding.origin.clone(),
        }
    }
}

impl From<&Caller> for CallerReport {
    fn from(caller: &Caller) -> Self {
        CallerReport { kind: caller.kind.name().into(), name: caller.name.clone(), by: caller.by.map(Word::from) }
    }
}

impl PolicyReport {
    fn new(policy: &Policy, trust: Trust, sha256: String) -> Self {
        let settings = |list: &[Loosening]| list.iter().map(SettingReport::from).collect();
        PolicyReport {
            file: FILE_NAME.into(),
            sha256,
            trust,
            loosens: settings(&policy.loosened),
            ignored: settings(&policy.ignored),
            tightens: policy.production.shown(),
            guard: GuardReport { mode: policy.guard.mode, ports: policy.guard.ports.clone() },
        }
    }
}

impl From<&Loosening> for SettingReport {
    fn from(loosening: &Loosening) -> Self {
        let value = redact_line(&loosening.value);
        SettingReport { key: loosening.key, value, line: loosening.line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::JudgementRecord;
    use crate::caller::CallerKind;
    use crate::environment::{Reading, Setting};
    use crate::reach::Engine;
    use crate::secret::Secret;
    use crate::verdict::{Level, Locality, Verdict};

    fn origin() -> Origin {
        Origin::file("DATABASE_URL", ".env.testing", 4)
    }

    fn report() -> JudgementReport {
        let target = Target {
            engine: Engine::Postgres,
            places: vec![Place::Host { name: "127.0.0.1".to_owned(), port: Some(5432) }],
            database: Some("app_test".to_owned()),
            user: Some("app".to_owned()),
            password: Some(Secret::new("hunter2")),
            parameters: Vec::new(),
            origins: vec![origin()],
            doubts: Vec::new(),
        };
        let finding = Finding {
            rule: "host-unknown",
            level: Level::Unverified,
            target: Some(0),
            message: "a message".to_owned(),
            remedy: "a remedy".into(),
            origin: Some(Origin::process("DATABASE_URL")),
        };
        let judgement = Judgement::new(vec![(target, Locality::Loopback, Vec::new())], vec![finding], Vec::new(), None);
        let setting = |value: &str| Setting {
            name: "DATABASE_URL".to_owned(),
            value: value.to_owned(),
            origin: origin(),
            unresolved: None,
        };
        let reading = |loader: &str| Reading { loader: loader.to_owned(), settings: vec![setting("x:hunter2").into()] };
        let survey =
            Survey { readings: vec![reading("rails"), reading("node"), reading("rails")], ..Survey::default() };
        let caller =
            Caller { kind: CallerKind::Ci, name: Some("GitLab CI".to_owned()), by: Some("GITLAB_CI"), terminal: false };
        let policy = Policy {
            ignored: vec![Loosening { key: "snapshots.skip", value: "[\"mysql://a:hunter2@h/d\"]".into(), line: 2 }],
            ..Policy::default()
        };
        let trust = Some((Trust::Unapproved, "ab".to_owned()));
        JudgementReport::new(&judgement, &survey, &caller, &policy, trust)
    }

    #[test]
    fn a_report_has_the_fields_of_version_one_and_no_password() {
        let origin = r#"{"variable":"DATABASE_URL","file":".env.testing","line":4}"#;
        let expected = [
            r#"{"schema":1,"verdict":"unverified","targets":["#,
            r#"{"engine":"postgres","host":"127.0.0.1","port":5432,"database":"app_test","user":"app","#,
            &format!(r#""locality":"loopback","verdict":"unverified","origins":[{origin}],"#),
            r#""candidates":[{"variable":"DATABASE_URL","file":".env.testing","line":4,"loaders":["node","rails"]}],"#,
            r#""path":null,"shown_by":[],"label":"postgres database `app_test` on 127.0.0.1:5432"}],"#,
            r#""findings":[{"rule":"host-unknown","level":"unverified","target":0,"message":"a message","#,
            r#""remedy":"a remedy","origin":{"variable":"DATABASE_URL","file":null,"line":null}}],"#,
            r#""environment":[],"caller":{"kind":"ci","name":"GitLab CI","by":"GITLAB_CI"},"#,
            r#""policy":{"file":".safe-test.toml","sha256":"ab","trust":"unapproved","loosens":[],"#,
            r#""ignored":[{"key":"snapshots.skip","value":"[\"mysql://a:***@h/d\"]","line":2}],"#,
            r#""tightens":{"words":[],"hosts":[],"databases":[]},"guard":{"mode":"databases","ports":[]}},"#,
            r#""loaders":[],"files":[]}"#,
        ];
        assert_eq!(serde_json::to_string(&report()).unwrap(), expected.concat());
    }

    #[test]
    fn words_are_the_same_in_json_and_in_messages() {
        for verdict in [Verdict::Safe, Verdict::Unverified, Verdict::Production] {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{verdict}\""));
        }
        for level in [Level::Note, Level::Unverified, Level::Production] {
            assert_eq!(serde_json::to_string(&level).unwrap(), format!("\"{}\"", level.name()));
        }
        for trust in [Trust::Approved, Trust::Reviewed, Trust::Unapproved] {
            assert_eq!(serde_json::to_string(&trust).unwrap(), format!("\"{}\"", trust.name()));
        }
    }

    #[test]
    fn a_path_that_is_not_text_keeps_nothing_from_being_told() {
        use std::os::unix::ffi::OsStringExt;
        let file = std::ffi::OsString::from_vec(b".env.\xff".to_vec());
        let origin = Origin::file("A", file, 1);
        assert_eq!(
            serde_json::to_string(&origin).unwrap(),
            "{\"variable\":\"A\",\"file\":\".env.\\\\xff\",\"line\":1}"
        );
    }

    #[test]
    fn records_read_back_and_those_of_other_versions_too() {
        let record = report().record();
        let written = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<JudgementRecord>(&written).unwrap(), record);
        // Without what later versions added, and with what this one does not know.
        let other = r#"{"verdict":"safe","targets":[{"engine":"newdb","host":null,"port":null,"database":"a","user":null,
            "locality":"orbit","verdict":"safe","origins":[],"height":3}],"mood":"good"}"#;
        let read: JudgementRecord = serde_json::from_str(other).unwrap();
        assert_eq!(read.targets[0].line(), "newdb  a (orbit): safe, from ");
    }
}
