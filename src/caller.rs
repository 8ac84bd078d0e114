//! Who is calling: a person, a coding agent, a git hook, or CI. Recognised by variables; this only ever tightens.
#![forbid(unsafe_code)]

/// Who asked for the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The kind of caller.
    pub(crate) kind: CallerKind,
    /// Its name, where it tells one: `claude-code`, `GitHub Actions`, `git`.
    pub(crate) name: Option<String>,
    /// Whether standard input and standard error are a terminal.
    pub(crate) terminal: bool,
}

/// The kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallerKind {
    /// Nothing marks the caller as a program.
    Human,
    /// A coding agent.
    Agent,
    /// A continuous integration job.
    Ci,
    /// A git hook.
    Hook,
}

impl CallerKind {
    /// Gives the word in JSON and in the log.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            CallerKind::Human => "human",
            CallerKind::Agent => "agent",
            CallerKind::Ci => "ci",
            CallerKind::Hook => "hook",
        }
    }
}

impl Caller {
    /// Recognises the caller; an agent inside CI or a hook is an agent.
    ///
    /// `terminal` says whether standard input and standard error are a terminal.
    #[must_use]
    pub(crate) fn recognise(process: &[(String, String)], terminal: bool) -> Self {
        // A name may stand there twice: each value counts.
        let value = |name: &str, fits: &dyn Fn(&str) -> bool| {
            let values = process.iter().filter(|(set, value)| set == name && !value.is_empty());
            values.map(|(_, value)| value.as_str()).find(|value| fits(value))
        };
        let (kind, name) = if let Some(name) = agent(&value) {
            (CallerKind::Agent, Some(name))
        } else if let Some(name) = hook(&value) {
            (CallerKind::Hook, Some(name))
        } else if let Some(name) = ci(&value) {
            (CallerKind::Ci, Some(name))
        } else {
            (CallerKind::Human, None)
        };
        Caller { kind, name, terminal }
    }

    /// Tells whether a question can be put to a person.
    #[must_use]
    pub(crate) fn can_be_asked(&self) -> bool {
        self.kind == CallerKind::Human && self.terminal
    }
}

/// A variable that a coding agent sets in the shells it runs, the value it must start with, and the agent.
///
/// Source: the agents' documentation, and the tables of the public detection libraries.
const AGENTS: [(&str, &str, &str); 40] = [
    ("CLAUDE_CODE_CHILD_SESSION", "", "claude-code"),
    ("CLAUDECODE", "", "claude-code"),
    ("CLAUDE_CODE", "", "claude-code"),
    ("CLAUDE_CODE_ENTRYPOINT", "", "claude-code"),
    ("CODEX_THREAD_ID", "", "codex"),
    ("CODEX_CI", "", "codex"),
    ("CODEX_SANDBOX", "", "codex"),
    ("CODEX_SANDBOX_NETWORK_DISABLED", "", "codex"),
    ("CURSOR_AGENT", "", "cursor"),
    ("CURSOR_EXTENSION_HOST_ROLE", "agent-exec", "cursor"),
    ("GEMINI_CLI", "", "gemini-cli"),
    ("QWEN_CODE", "", "qwen-code"),
    ("ANTIGRAVITY_AGENT", "", "antigravity"),
    ("ANTIGRAVITY_CONVERSATION_ID", "", "antigravity"),
    ("COPILOT_CLI", "", "copilot-cli"),
    ("COPILOT_AGENT", "", "copilot"),
    ("COPILOT_AGENT_PROMPT", "", "copilot"),
    ("OPENCODE", "", "opencode"),
    ("OPENCODE_CLIENT", "", "opencode"),
    ("AUGMENT_AGENT", "", "augment"),
    ("AMP_CURRENT_THREAD_ID", "", "amp"),
    ("GOOSE_TERMINAL", "", "goose"),
    ("CRUSH", "", "crush"),
    ("CLINE_ACTIVE", "", "cline"),
    ("ROO_ACTIVE", "", "roo"),
    ("KILOCODE_FEATURE", "", "kilocode"),
    ("OR_APP_NAME", "Aider", "aider"),
    ("REPLIT_SESSION", "agent-", "replit"),
    ("REPLIT_CLI", "", "replit"),
    ("DEVIN_PROJECT_DIR", "", "devin"),
    ("KIRO_AGENT_PATH", "", "kiro"),
    ("JUNIE_DATA", "", "junie"),
    ("JUNIE_SHIM_PATH", "", "junie"),
    ("PI_CODING_AGENT", "", "pi"),
    ("TRAE_AI_SHELL_ID", "", "trae"),
    ("OPENCLAW_SHELL", "", "openclaw"),
    ("HERMES_SESSION_ID", "", "hermes"),
    ("OZ_RUN_ID", "", "warp"),
    ("MIMOCODE", "", "mimo-code"),
    ("PAGER", "head -n 10000 | cat", "cursor"),
];

/// A variable that a CI provider sets, and the provider. Source: the table of the `ci-info` package.
const CI: [(&str, &str); 26] = [
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("GITLAB_CI", "GitLab CI"),
    ("CIRCLECI", "CircleCI"),
    ("BUILDKITE", "Buildkite"),
    ("JENKINS_URL", "Jenkins"),
    ("TF_BUILD", "Azure Pipelines"),
    ("BITBUCKET_COMMIT", "Bitbucket Pipelines"),
    ("TRAVIS", "Travis CI"),
    ("APPVEYOR", "AppVeyor"),
    ("DRONE", "Drone"),
    ("TEAMCITY_VERSION", "TeamCity"),
    ("SEMAPHORE", "Semaphore"),
    ("BITRISE_IO", "Bitrise"),
    ("CIRRUS_CI", "Cirrus CI"),
    ("CODEBUILD_BUILD_ARN", "AWS CodeBuild"),
    ("BUILDER_OUTPUT", "Google Cloud Build"),
    ("CF_BUILD_ID", "Codefresh"),
    ("CM_BUILD_ID", "Codemagic"),
    ("GITEA_ACTIONS", "Gitea Actions"),
    ("BUDDY_WORKSPACE_ID", "Buddy"),
    ("HARNESS_BUILD_ID", "Harness"),
    ("PROW_JOB_ID", "Prow"),
    ("SCREWDRIVER", "Screwdriver"),
    ("VELA", "Vela"),
    ("EARTHLY_CI", "Earthly"),
    ("GO_PIPELINE_LABEL", "GoCD"),
];

/// Variables that a hook runner or git itself sets while a hook runs.
const HOOKS: [(&str, &str); 4] =
    [("PRE_COMMIT", "pre-commit"), ("LEFTHOOK", "lefthook"), ("HUSKY_GIT_PARAMS", "husky"), ("GIT_EXEC_PATH", "git")];

/// Looks up the first value of a variable that fits.
type Value<'v> = dyn Fn(&str, &dyn Fn(&str) -> bool) -> Option<&'v str> + 'v;

fn agent(value: &Value<'_>) -> Option<String> {
    let any = |_: &str| true;
    if let Some(name) = value("AI_AGENT", &any) {
        return Some(name.to_owned());
    }
    let marked = AGENTS.iter().find(|(name, start, _)| value(name, &|set| set.starts_with(start)).is_some());
    if let Some((_, _, agent)) = marked {
        return Some((*agent).to_owned());
    }
    value("AGENT", &any).map(|name| if ["1", "true"].contains(&name) { "agent".to_owned() } else { name.to_owned() })
}

fn ci(value: &Value<'_>) -> Option<String> {
    let named = CI.iter().find(|(name, _)| value(name, &is_on).is_some()).map(|(_, provider)| (*provider).to_owned());
    named.or_else(|| {
        ["CI", "CONTINUOUS_INTEGRATION"].iter().any(|name| value(name, &is_on).is_some()).then(|| "CI".to_owned())
    })
}

fn hook(value: &Value<'_>) -> Option<String> {
    HOOKS.iter().find(|(name, _)| value(name, &|_| true).is_some()).map(|(_, runner)| (*runner).to_owned())
}

fn is_on(value: &str) -> bool {
    !["0", "false"].contains(&value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(pairs: &[(&str, &str)], terminal: bool) -> Caller {
        let process: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller::recognise(&process, terminal)
    }

    #[test]
    fn callers_are_recognised_by_their_variables() {
        type Case<'a> = (&'a [(&'a str, &'a str)], CallerKind, Option<&'a str>);
        let cases: [Case<'_>; 12] = [
            (&[], CallerKind::Human, None),
            (&[("CLAUDECODE", "1")], CallerKind::Agent, Some("claude-code")),
            (&[("CLAUDECODE", ""), ("CLAUDECODE", "1")], CallerKind::Agent, Some("claude-code")),
            (&[("CI", "false"), ("CI", "true")], CallerKind::Ci, Some("CI")),
            (&[("AI_AGENT", "somebody")], CallerKind::Agent, Some("somebody")),
            (&[("AGENT", "1")], CallerKind::Agent, Some("agent")),
            (&[("GITHUB_ACTIONS", "true"), ("CODEX_CI", "1")], CallerKind::Agent, Some("codex")),
            (&[("GITHUB_ACTIONS", "true")], CallerKind::Ci, Some("GitHub Actions")),
            (&[("CI", "true")], CallerKind::Ci, Some("CI")),
            (&[("CI", "false")], CallerKind::Human, None),
            (&[("PRE_COMMIT", "1"), ("CI", "true")], CallerKind::Hook, Some("pre-commit")),
            (&[("GIT_EXEC_PATH", "/usr/lib/git-core"), ("GIT_PREFIX", "")], CallerKind::Hook, Some("git")),
        ];
        for (pairs, kind, name) in cases {
            let found = caller(pairs, true);
            assert_eq!((found.kind, found.name.as_deref()), (kind, name), "{pairs:?}");
        }
    }

    #[test]
    fn only_a_human_at_a_terminal_can_be_asked() {
        assert!(caller(&[], true).can_be_asked());
        assert!(!caller(&[], false).can_be_asked());
        assert!(!caller(&[("CI", "true")], true).can_be_asked());
        assert!(!caller(&[("CURSOR_AGENT", "1")], true).can_be_asked());
    }
}
