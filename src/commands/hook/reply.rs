//! Answers, in the form that each agent takes. The only place that writes to an agent.

use serde::Serialize;

use crate::commands::hook::agents::{Agent, Allowing, Form, Session};
use crate::json::Json;
use crate::ui::Ui;

/// The status by which most agents are told that a command is not to run; the reason stands on standard error.
const DENIED: u8 = 2;

/// The longest answer: Claude Code takes no more than 10,000 characters, and what it does not take denies nothing.
const LONGEST: usize = 9_000;

/// Whether a command may run, with what is said where it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Allow,
    /// The reason, and a shorter one for where the first does not fit.
    Deny(String, String),
}

/// What is written for an agent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Standard output, without the line's end.
    output: Option<Json>,
    /// A text on standard output, line by line, where it is no JSON.
    text: Option<&'static str>,
    /// Standard error.
    said: Option<String>,
    status: u8,
}

impl Reply {
    const NOTHING: Reply = Reply { output: None, text: None, said: None, status: 0 };

    /// Answers whether a command may run.
    pub(super) fn to(agent: &Agent, decision: &Decision) -> Self {
        match decision {
            Decision::Allow => allowed(agent.form),
            Decision::Deny(reason, shorter) => {
                let whole = denied(agent.form, reason);
                let fits = whole.output.as_ref().is_none_or(|output| output.to_string().chars().count() <= LONGEST);
                if fits { whole } else { denied(agent.form, shorter) }
            }
        }
    }

    /// Tells an agent something when a session begins.
    pub(super) fn at_start(agent: &Agent, facts: &'static str) -> Self {
        let specific = SpecificOutput {
            hook_event_name: "SessionStart",
            permission_decision: None,
            permission_decision_reason: None,
            additional_context: Some(facts),
        };
        match agent.session {
            Session::Specific => written(&Specific { hook_specific_output: specific }),
            Session::SpecificAndTop => {
                written(&ContextAndTop { additional_context: facts, hook_specific_output: specific })
            }
            Session::Flat => written(&Flat { additional_context: facts }),
            Session::Modification => {
                written(&Modification { cancel: false, context_modification: facts, context: facts })
            }
            Session::Text => Reply { text: Some(facts), ..Reply::NOTHING },
            Session::Nothing => allowed(agent.form),
        }
    }

    /// Denies where nothing is known of who asks, or where its own form cannot be written.
    fn by_status(reason: &str) -> Self {
        Reply { said: Some(reason.to_owned()), status: DENIED, ..Reply::NOTHING }
    }

    /// Writes the answer; gives the status to end with. Where standard output cannot be written, or is closed, a denial is
    /// told by the status, which most agents heed.
    pub(super) fn send(self, ui: &Ui, decision: &Decision, has_output: bool) -> u8 {
        let sent = match (&self.output, self.text) {
            (Some(output), _) => ui.answer_json(output).is_ok() && has_output,
            (None, Some(text)) => ui.answer([text]).is_ok() && has_output,
            (None, None) => true,
        };
        if let (false, Decision::Deny(reason, _)) = (sent, decision) {
            return Reply::by_status(reason).send(ui, decision, true);
        }
        for line in self.said.iter().flat_map(|said| said.lines()) {
            ui.warn(line.to_owned());
        }
        self.status
    }
}

fn allowed(form: Form) -> Reply {
    match form {
        Form::Permission => written(&Permission { permission: "allow", user_message: None, agent_message: None }),
        Form::Cancel | Form::Decision(_, Allowing::EmptyObject) => written(&Empty {}),
        Form::Decision(_, Allowing::Decision) => written(&Decided { decision: "allow", reason: None }),
        Form::Specific | Form::SpecificAndTop | Form::Status | Form::Decision(_, Allowing::Nothing) => Reply::NOTHING,
    }
}

fn denied(form: Form, reason: &str) -> Reply {
    let specific = SpecificOutput {
        hook_event_name: "PreToolUse",
        permission_decision: Some("deny"),
        permission_decision_reason: Some(reason),
        additional_context: None,
    };
    match form {
        Form::Specific => written(&Specific { hook_specific_output: specific }),
        Form::SpecificAndTop => written(&SpecificAndTop {
            permission_decision: "deny",
            permission_decision_reason: reason,
            hook_specific_output: specific,
        }),
        Form::Permission => {
            written(&Permission { permission: "deny", user_message: Some(reason), agent_message: Some(reason) })
        }
        Form::Decision(deny, _) => written(&Decided { decision: deny, reason: Some(reason) }),
        Form::Cancel => written(&Cancel { cancel: true, error_message: reason }),
        Form::Status => Reply::by_status(reason),
    }
}

fn written(output: &impl Serialize) -> Reply {
    match Json::of(output) {
        Ok(output) => Reply { output: Some(output), ..Reply::NOTHING },
        // A value of the types here always can be JSON.
        Err(_) => Reply::by_status("safe-test: the answer cannot be put as JSON"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Specific<'a> {
    hook_specific_output: SpecificOutput<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecificOutput<'a> {
    hook_event_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_context: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecificAndTop<'a> {
    permission_decision: &'static str,
    permission_decision_reason: &'a str,
    hook_specific_output: SpecificOutput<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContextAndTop<'a> {
    additional_context: &'a str,
    hook_specific_output: SpecificOutput<'a>,
}

#[derive(Serialize)]
struct Permission<'a> {
    permission: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_message: Option<&'a str>,
}

#[derive(Serialize)]
struct Decided<'a> {
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cancel<'a> {
    cancel: bool,
    error_message: &'a str,
}

#[derive(Serialize)]
struct Flat<'a> {
    additional_context: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modification<'a> {
    cancel: bool,
    context_modification: &'a str,
    context: &'a str,
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::hook::agents::{AGENTS, CLAUDE};

    fn denial(reason: &str) -> Decision {
        Decision::Deny(reason.to_owned(), "shorter".to_owned())
    }

    #[test]
    fn a_reason_that_an_agent_would_not_take_whole_is_said_shorter() {
        for agent in AGENTS.iter().copied().chain([CLAUDE]).filter(|agent| agent.form != Form::Status) {
            // What is escaped counts as it is written.
            for (reason, is_whole) in
                [("x".repeat(1_000), true), ("x".repeat(9_500), false), ("\u{202e}".repeat(1_600), false)]
            {
                let output = Reply::to(agent, &denial(&reason)).output.unwrap().to_string();
                assert!(output.len() <= LONGEST, "{}", agent.name);
                assert_eq!(!output.contains("shorter"), is_whole, "{} {}", agent.name, reason.len());
            }
        }
    }

    #[test]
    fn only_where_the_protocol_wants_it_is_the_status_another_than_0() {
        for agent in AGENTS.iter().copied().chain([CLAUDE]) {
            let by_status = agent.form == Form::Status;
            assert_eq!(Reply::to(agent, &denial("no")).status, if by_status { 2 } else { 0 }, "{}", agent.name);
            assert_eq!(Reply::to(agent, &denial("no")).output.is_none(), by_status, "{}", agent.name);
            assert_eq!(Reply::to(agent, &Decision::Allow).status, 0, "{}", agent.name);
        }
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(Reply::to(CLAUDE, &Decision::Allow), Reply::NOTHING);
    }
}
