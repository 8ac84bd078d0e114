//! What some agents want besides an entry in their settings, before they start it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::hooks::agents::rows::Agent;
use crate::commands::hooks::agents::scope::{Scope, text_of};
use crate::commands::hooks::agents::settings::parse;
use crate::own_tools;
use crate::text::shown;

/// The first version of Claude Code that stops a command whose hook cannot be started.
const CLAUDE_BLOCKS_SINCE: [u32; 3] = [2, 1, 295];

/// Lists why the agent does not start what stands in `path`.
pub(super) fn problems(agent: &Agent, scope: &Scope, path: &Path, context: &Context) -> Vec<String> {
    match agent.name {
        "claude" => claude_is_off(agent, context).into_iter().collect(),
        "codex" => codex_does_not_start(agent, path, context).into_iter().collect(),
        "gemini" => gemini_is_off(agent, context)
            .into_iter()
            .chain(gemini_does_not_start(agent, scope, path, context))
            .collect(),
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

/// Settings of the project count before a person's own, and those of a person for this project before both.
fn claude_is_off(agent: &Agent, context: &Context) -> Option<String> {
    let project = Scope::project(agent, context).folder.join(".claude");
    let own = Scope::user(agent, context).map(|own| own.folder.join("settings.json"));
    let paths = [project.join("settings.local.json"), project.join("settings.json")].into_iter().chain(own);
    let mut said = paths.filter_map(|path| Some((is_on(&path, &["disableAllHooks"])?, path)));
    let (is_off, path) = said.next()?;
    is_off.then(|| format!("{} switches all hooks off: `disableAllHooks`", shown(&path)))
}

/// What a file of settings says at that place: yes or no. Of a key that stands there twice the last one counts, as it does for
/// the agents.
fn is_on(path: &Path, keys: &[&str]) -> Option<bool> {
    let text = text_of(path).ok().flatten()?;
    let settings = parse(&text).ok()?;
    let value = keys.iter().try_fold(&settings, |value, key| {
        let mut named = value.as_object()?.properties.iter().rev().filter(|property| property.name.as_str() == *key);
        named.next().map(|property| &property.value)
    })?;
    Some(value.as_boolean_lit()?.value)
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
    let own = Scope::user(agent, context).map(|own| own.folder.join("config.toml"));
    let text = own.as_ref().ok().and_then(|own| text_of(own).ok().flatten()).unwrap_or_default();
    let Ok(settings) = text.parse::<toml::Table>() else {
        return Some(
            "Codex's own settings cannot be read: nobody knows whether a person has trusted it there".to_owned(),
        );
    };
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

/// Where Gemini CLI keeps a person's settings; `None` without a home folder.
fn of_gemini(agent: &Agent, context: &Context) -> Option<PathBuf> {
    Scope::user(agent, context).ok().map(|own| own.folder)
}

fn gemini_is_off(agent: &Agent, context: &Context) -> Option<String> {
    let project = Scope::project(agent, context).folder.join(".gemini");
    let paths = [Some(project), of_gemini(agent, context)].into_iter().flatten().map(|at| at.join("settings.json"));
    let path = paths.into_iter().find(|path| is_on(path, &["hooksConfig", "enabled"]) == Some(false))?;
    Some(format!("{} switches all hooks off: `hooksConfig`", shown(&path)))
}

/// Gemini CLI starts hooks in the folders that a person trusts, which it writes down in its own settings; of several that
/// hold the project the longest counts. Of a person's own hooks nothing can be said here: they are for all folders.
///
/// Source: gemini-cli `packages/cli/src/config/trustedFolders.ts`.
fn gemini_does_not_start(agent: &Agent, scope: &Scope, path: &Path, context: &Context) -> Option<String> {
    if !scope.is_project || context.variable("GEMINI_CLI_TRUST_WORKSPACE").is_some_and(|value| value == "true") {
        return None;
    }
    let own = of_gemini(agent, context).unwrap_or_default();
    let is_off = is_on(&own.join("settings.json"), &["security", "folderTrust", "enabled"]) == Some(false);
    let known = text_of(&own.join("trustedFolders.json")).ok().flatten().unwrap_or_default();
    let known: BTreeMap<PathBuf, String> = serde_json::from_str(&known).unwrap_or_default();
    let holding = known.iter().filter(|(folder, word)| match word.as_str() {
        // It means the folder above and all that is in it.
        "TRUST_PARENT" => folder.parent().is_some_and(|parent| path.starts_with(parent)),
        _ => path.starts_with(folder),
    });
    let longest = holding.max_by_key(|(folder, _)| folder.as_os_str().len());
    let is_trusted =
        is_off || longest.is_some_and(|(_, word)| ["TRUST_FOLDER", "TRUST_PARENT"].contains(&word.as_str()));
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
