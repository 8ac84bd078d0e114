//! Who is calling: a person, a coding agent, a git hook, or CI. Recognised by variables; this only ever tightens.
#![forbid(unsafe_code)]

mod known;
mod sign;

use crate::caller::known::{AGENTS, CI, HOOKS, Row};
use crate::caller::sign::Surroundings;

/// Who asked for the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The kind of caller.
    pub(crate) kind: CallerKind,
    /// Its name, where it tells one: `claude-code`, `GitHub Actions`, `git`.
    pub(crate) name: Option<String>,
    /// The variable that gave it away, or the file.
    pub(crate) by: Option<&'static str>,
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
    /// `terminal` says whether standard input and standard error are a terminal, `has_file` whether this machine has a file
    /// of a path.
    #[must_use]
    pub(crate) fn recognise(process: &[(String, String)], terminal: bool, has_file: &dyn Fn(&str) -> bool) -> Self {
        let around = Surroundings { process, terminal, has_file };
        let found = agent(&around)
            .map(|found| (CallerKind::Agent, found))
            .or_else(|| Some((CallerKind::Hook, shown_by(&around, HOOKS)?)))
            .or_else(|| Some((CallerKind::Ci, shown_by(&around, CI)?)));
        match found {
            Some((kind, (name, by))) => Caller { kind, name: Some(name), by: Some(by), terminal },
            None => Caller { kind: CallerKind::Human, name: None, by: None, terminal },
        }
    }

    /// Says that an agent calls, whatever else was recognised; `name` is how it called itself.
    #[must_use]
    pub(crate) fn into_agent(self, name: &str) -> Self {
        match self.kind {
            CallerKind::Agent => self,
            CallerKind::Human | CallerKind::Ci | CallerKind::Hook => {
                Caller { kind: CallerKind::Agent, name: Some(name.to_owned()), by: None, terminal: self.terminal }
            }
        }
    }

    /// Tells whether a question can be put to a person.
    #[must_use]
    pub(crate) fn can_be_asked(&self) -> bool {
        self.kind == CallerKind::Human && self.terminal
    }
}

/// A caller's name, and what gave it away.
type Found = (String, &'static str);

fn agent(around: &Surroundings<'_>) -> Option<Found> {
    let named = |variable| Some((around.value(variable, |_| true)?.to_owned(), variable));
    let unnamed =
        |(name, by): Found| (if ["1", "true"].contains(&name.as_str()) { "agent".to_owned() } else { name }, by);
    named("AI_AGENT").or_else(|| shown_by(around, AGENTS)).or_else(|| named("AGENT").map(unnamed))
}

/// Finds the first row of which every sign is there.
fn shown_by(around: &Surroundings<'_>, rows: &[Row]) -> Option<Found> {
    let (name, signs) = rows.iter().find(|(_, signs)| signs.iter().all(|sign| around.show(*sign)))?;
    Some(((*name).to_owned(), signs.first()?.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(pairs: &[(&str, &str)], terminal: bool) -> Caller {
        with_file(pairs, terminal, "")
    }

    fn with_file(pairs: &[(&str, &str)], terminal: bool, file: &str) -> Caller {
        let process: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller::recognise(&process, terminal, &|path| path == file)
    }

    #[test]
    fn callers_are_recognised_by_their_variables() {
        type Case<'a> = (&'a [(&'a str, &'a str)], CallerKind, Option<&'a str>, Option<&'a str>);
        let cases: [Case<'_>; 20] = [
            (&[], CallerKind::Human, None, None),
            (&[("CLAUDECODE", "1")], CallerKind::Agent, Some("claude-code"), Some("CLAUDECODE")),
            (&[("CLAUDECODE", ""), ("CLAUDECODE", "1")], CallerKind::Agent, Some("claude-code"), Some("CLAUDECODE")),
            (&[("CI", "false"), ("CI", "true")], CallerKind::Ci, Some("CI"), Some("CI")),
            (&[("AI_AGENT", "somebody")], CallerKind::Agent, Some("somebody"), Some("AI_AGENT")),
            (&[("AGENT", "1")], CallerKind::Agent, Some("agent"), Some("AGENT")),
            (&[("AGENT", "goose")], CallerKind::Agent, Some("goose"), Some("AGENT")),
            (
                &[("AGENT", "1"), ("CODEX_CI", "1"), ("AI_AGENT", "x_1_agent")],
                CallerKind::Agent,
                Some("x_1_agent"),
                Some("AI_AGENT"),
            ),
            (&[("AGENT", "1"), ("CODEX_CI", "1")], CallerKind::Agent, Some("codex"), Some("CODEX_CI")),
            (&[("GITHUB_ACTIONS", "true"), ("CODEX_CI", "1")], CallerKind::Agent, Some("codex"), Some("CODEX_CI")),
            (&[("REPLIT_AGENT", "1")], CallerKind::Agent, Some("replit"), Some("REPLIT_AGENT")),
            (&[("REPLIT_SESSION", "person-7")], CallerKind::Human, None, None),
            (&[("GITHUB_ACTIONS", "true")], CallerKind::Ci, Some("GitHub Actions"), Some("GITHUB_ACTIONS")),
            (&[("CI", "true")], CallerKind::Ci, Some("CI"), Some("CI")),
            (&[("CI", "woodpecker")], CallerKind::Ci, Some("Woodpecker"), Some("CI")),
            (&[("CI", "false")], CallerKind::Human, None, None),
            (&[("RENDER", "true")], CallerKind::Human, None, None),
            (&[("RENDER", "true"), ("CI", "1")], CallerKind::Ci, Some("Render"), Some("RENDER")),
            (&[("PRE_COMMIT", "1"), ("CI", "true")], CallerKind::Hook, Some("pre-commit"), Some("PRE_COMMIT")),
            (
                &[("GIT_EXEC_PATH", "/usr/lib/git-core"), ("GIT_PREFIX", "")],
                CallerKind::Hook,
                Some("git"),
                Some("GIT_EXEC_PATH"),
            ),
        ];
        for (pairs, kind, name, by) in cases {
            let found = caller(pairs, true);
            assert_eq!((found.kind, found.name.as_deref(), found.by), (kind, name, by), "{pairs:?}");
        }
    }

    #[test]
    fn what_people_have_in_their_terminals_too_needs_a_second_sign() {
        let weak: [(&[(&str, &str)], &str); 9] = [
            (&[("CURSOR_TRACE_ID", "7")], "cursor"),
            (&[("TERM_PROGRAM", "kiro")], "kiro"),
            (&[("CODEIUM_EDITOR_APP_ROOT", "/opt/windsurf")], "windsurf"),
            (&[("REPL_ID", "7")], "replit"),
            (&[("EDITOR", "/opt/Devin/editor")], "devin"),
            (&[("OPENCODE_BIN_PATH", "/usr/bin/opencode")], "opencode"),
            (&[("BROWSER", "devin-open")], "devin"),
            (&[("BUILD_NUMBER", "7")], "CI"),
            (&[("RUN_ID", "7")], "CI"),
        ];
        for (pairs, name) in weak {
            assert_eq!(caller(pairs, true).kind, CallerKind::Human, "{pairs:?}");
            assert_eq!(caller(pairs, false).name.as_deref(), Some(name), "{pairs:?}");
        }
        let together: [(&[(&str, &str)], &str); 8] = [
            (&[("HOME", "/home/jules"), ("USER", "swebot")], "jules"),
            (&[("SHELL", "/bin/jsh"), ("npm_config_yes", "true")], "bolt"),
            (&[("CURSOR_TRACE_ID", "7"), ("PAGER", "head -n 10000 | cat")], "cursor"),
            (&[("TERM_PROGRAM", "vscode"), ("GIT_PAGER", "cat")], "copilot"),
            (&[("TERM_PROGRAM", "zed"), ("PAGER", "cat")], "zed"),
            (&[("ZED_TERM", "true"), ("PAGER", "cat")], "zed"),
            (&[("REPL_ID", "7"), ("REPLIT_MODE", "assistant")], "replit"),
            (&[("TASK_ID", "7"), ("RUN_ID", "0x1")], "TaskCluster"),
        ];
        for (pairs, name) in together {
            assert_eq!(caller(pairs, true).name.as_deref(), Some(name), "{pairs:?}");
            for (variable, value) in pairs.iter().filter(|(_, value)| !value.starts_with("head")) {
                assert_eq!(caller(&[(variable, value)], true).kind, CallerKind::Human, "{variable}");
            }
        }
    }

    #[test]
    fn a_file_of_the_machine_tells_an_agent() {
        let found = with_file(&[], true, "/opt/.devin");
        assert_eq!((found.name.as_deref(), found.by), (Some("devin"), Some("/opt/.devin")));
        assert_eq!(with_file(&[("CODEX_CI", "1")], true, "/opt/.devin").name.as_deref(), Some("codex"));
        assert_eq!(with_file(&[], true, "/opt/devin").kind, CallerKind::Human);
    }

    #[test]
    fn what_says_that_it_is_an_agent_is_one() {
        let told = caller(&[("GITHUB_ACTIONS", "true")], false).into_agent("cursor");
        assert_eq!((told.kind, told.name.as_deref(), told.by), (CallerKind::Agent, Some("cursor"), None));
        let known = caller(&[("CLAUDECODE", "1")], false);
        assert_eq!(known.clone().into_agent("cursor"), known);
    }

    #[test]
    fn only_a_human_at_a_terminal_can_be_asked() {
        assert!(caller(&[], true).can_be_asked());
        assert!(!caller(&[], false).can_be_asked());
        assert!(!caller(&[("CI", "true")], true).can_be_asked());
        assert!(!caller(&[("CURSOR_AGENT", "1")], true).can_be_asked());
    }
}
