//! What some agents want besides an entry in their settings, before they start it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::hooks::agents::rows::Agent;
use crate::commands::hooks::agents::scope::{Scope, text_of};
use crate::commands::hooks::agents::settings::{member, parse};
use crate::own_tools;
use crate::text::shown;

/// The first version of Claude Code that stops a command whose hook cannot be started.
const CLAUDE_BLOCKS_SINCE: [u32; 3] = [2, 1, 295];

/// Lists why the agent does not start what stands in `path`.
pub(super) fn problems(agent: &Agent, scope: &Scope, path: &Path, context: &Context) -> Vec<String> {
    match agent.name {
        "claude" => claude_is_off(scope).into_iter().collect(),
        "codex" => codex_does_not_start(agent, path, context).into_iter().collect(),
        "gemini" => gemini_does_not_start(agent, path, context).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Lists what weakens it where it is started.
pub(super) fn notes(agent: &Agent, context: &Context) -> Vec<String> {
    match agent.name {
        "claude" => claude_is_old(context).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn claude_is_off(scope: &Scope) -> Option<String> {
    let names = [".claude/settings.json", ".claude/settings.local.json", "settings.json"];
    let is_off = |name: &&str| {
        let text = text_of(&scope.folder.join(name)).ok().flatten()?;
        Some(member(&parse(&text).ok()?, "disableAllHooks").ok()??.as_boolean_lit()?.value)
    };
    let name = names.iter().find(|name| is_off(name) == Some(true))?;
    Some(format!("{} switches all hooks off: `disableAllHooks`", shown(&scope.folder.join(name))))
}

fn claude_is_old(context: &Context) -> Option<String> {
    let program = own_tools::find_all("claude", &context.tools.folders()).into_iter().next()?;
    let answer = own_tools::ask(&program, &[OsStr::new("--version")], &context.process).ok()?;
    let version = version(&String::from_utf8_lossy(&answer.stdout))?;
    let [major, minor, patch] = version;
    let text = format!(
        "Claude Code {major}.{minor}.{patch} lets a command go where its hook cannot be started; that `onFailure` stops it came later"
    );
    (version < CLAUDE_BLOCKS_SINCE).then_some(text)
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut numbers = text.split_whitespace().next()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

/// Codex starts a hook only once a person has trusted it, which it writes down in its own settings.
fn codex_does_not_start(agent: &Agent, path: &Path, context: &Context) -> Option<String> {
    let own = Scope::user(agent, context).ok()?;
    let settings = text_of(&own.folder.join("config.toml")).ok().flatten().unwrap_or_default();
    let settings: toml::Table = settings.parse().ok()?;
    let at = |keys: &[&str]| {
        let mut keys = keys.iter();
        let first = settings.get(*keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    };
    if at(&["features", "hooks"]).and_then(toml::Value::as_bool) == Some(false) {
        return Some("Codex's hooks are switched off: `hooks` in `[features]`".to_owned());
    }
    let begins = format!("{}:pre_tool_use:", shown(path));
    let is_trusted = at(&["hooks", "state"]).and_then(toml::Value::as_table).is_some_and(|state| {
        state.iter().any(|(key, known)| key.starts_with(&begins) && known.get("trusted_hash").is_some())
    });
    (!is_trusted).then(|| "Codex does not start it until a person has trusted it there: `/hooks`".to_owned())
}

/// Gemini CLI starts hooks in the folders that a person trusts, which it writes down in its own settings. Of a person's own
/// hooks nothing can be said here: they are for all folders.
fn gemini_does_not_start(agent: &Agent, path: &Path, context: &Context) -> Option<String> {
    let own = Scope::user(agent, context).ok()?.folder;
    if path.starts_with(&own) {
        return None;
    }
    let settings = text_of(&own.join("settings.json")).ok().flatten();
    let is_off = settings.as_deref().and_then(|text| {
        let settings = parse(text).ok()?;
        let security = member(&settings, "security").ok()??;
        member(member(security, "folderTrust").ok()??, "enabled").ok()??.as_boolean_lit().map(|lit| !lit.value)
    });
    let known = text_of(&own.join("trustedFolders.json")).ok().flatten().unwrap_or_default();
    let known: BTreeMap<PathBuf, String> = serde_json::from_str(&known).unwrap_or_default();
    // `TRUST_PARENT` means the folder above and all that is in it.
    let mut trusted = known.iter().filter_map(|(folder, word)| match word.as_str() {
        "TRUST_FOLDER" => Some(folder.as_path()),
        "TRUST_PARENT" => folder.parent(),
        _ => None,
    });
    let is_trusted = is_off == Some(true) || trusted.any(|folder| path.starts_with(folder));
    (!is_trusted)
        .then(|| "Gemini CLI does not start it until a person has trusted the folder there: `/permissions`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("2.1.240 (Claude Code)\n"), Some([2, 1, 240]));
        assert!(version("2.1.295").unwrap() >= CLAUDE_BLOCKS_SINCE);
        assert_eq!(version("claude"), None);
    }
}
