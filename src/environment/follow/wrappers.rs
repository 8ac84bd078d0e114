//! Takes a wrapper off: finds the command behind its options, and what it adds to it.

use std::path::{Path, PathBuf};

use crate::environment::follow::shell_text::assignment;
use crate::environment::invocation::option_of;
use crate::tools::wrappers;
use crate::tools::wrappers::{Effect, FileReader, OptionValue, Wrapper};

/// A file that a wrapper loads before it runs the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrapperFile {
    /// As named there, in the folder where the wrapper looks for it.
    pub(crate) path: PathBuf,
    pub(crate) reader: FileReader,
    /// Whether its values replace those of the process environment.
    pub(crate) overrides: bool,
}

impl WrapperFile {
    /// The same where a wrapper that runs in `folder` finds it: whatever it starts may run in another one.
    pub(crate) fn below(&self, folder: &Path) -> Self {
        WrapperFile { path: folder.join(&self.path), ..*self }
    }
}

/// A wrapper taken off: the command inside, and what the wrapper adds to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peeled {
    pub(crate) words: Vec<String>,
    pub(crate) assignments: Vec<(String, String)>,
    pub(crate) files: Vec<WrapperFile>,
    pub(crate) folder: Option<String>,
    /// The wrapper in words (`railway run`), where it injects variables or runs the command away from here.
    pub(crate) effect: Option<(Effect, String)>,
    /// The words before the command, of a wrapper that runs it away from here.
    pub(crate) place: Vec<String>,
}

/// The command inside `words`, where `words` is a known wrapper around one.
pub(crate) fn peel(program: &str, words: &[String]) -> Option<Peeled> {
    wrappers::of(program).find_map(|wrapper| peel_one(wrapper, words))
}

fn peel_one(wrapper: &Wrapper, words: &[String]) -> Option<Peeled> {
    let mut peeled = Peeled::default();
    let mut at = 1;
    for subcommand in wrapper.subcommand {
        at = skip_options(wrapper, words, at, &mut peeled)?;
        if words.get(at)? != subcommand {
            return None;
        }
        at += 1;
    }
    at = skip_options(wrapper, words, at, &mut peeled)?;
    while wrapper.positionals == usize::MAX && words.get(at).is_some_and(|word| word != "--") {
        at = skip_options(wrapper, words, at + 1, &mut peeled)?;
    }
    at = at.saturating_add(wrapper.positionals).min(words.len());
    if words.get(at).is_some_and(|word| word == "--") {
        at += 1;
    }
    while wrapper.takes_assignments
        && let Some(pair) = words.get(at).and_then(|word| assignment(word))
    {
        peeled.assignments.push(pair);
        at += 1;
    }
    if wrapper.effect != Effect::Nothing {
        peeled.effect = Some((wrapper.effect, wrapper.name()));
    }
    if wrapper.effect.is_away() {
        peeled.place = words[..at.min(words.len())].to_vec();
    }
    // `pscale connect --execute CMD`, `lando ssh -c CMD`: the command was the value of an option.
    if peeled.words.is_empty() {
        peeled.words = words.get(at..).unwrap_or_default().to_vec();
    }
    // A container's default command, or a remote shell: nothing inside to look at, but the effect counts.
    (!peeled.words.is_empty() || wrapper.effect.is_away()).then_some(peeled)
}

/// The index of the first word that is no option, after noting what the options before it add.
fn skip_options(wrapper: &Wrapper, words: &[String], mut at: usize, peeled: &mut Peeled) -> Option<usize> {
    while let Some(word) = words.get(at) {
        if word == "--" || !word.starts_with('-') || word == "-" {
            break;
        }
        let (option, mut value) = option_of(word);
        at += 1;
        if value.is_none() && wrapper.takes_value(option) {
            value = Some(words.get(at)?);
            at += 1;
        }
        match value.zip(wrapper.meaning(option)) {
            Some((program, OptionValue::Program)) => {
                peeled.words =
                    std::iter::once(program).chain(words[at..].iter().map(String::as_str)).map(str::to_owned).collect();
                return Some(words.len());
            }
            Some((value, meaning)) => note(meaning, value, peeled),
            None => {}
        }
    }
    Some(at)
}

fn note(meaning: OptionValue, value: &str, peeled: &mut Peeled) {
    match meaning {
        OptionValue::Command | OptionValue::Program => {
            peeled.words = vec!["sh".to_owned(), "-c".to_owned(), value.to_owned()];
        }
        OptionValue::Folder => peeled.folder = Some(value.to_owned()),
        OptionValue::Assignment => peeled.assignments.extend(assignment(value)),
        OptionValue::Files(reader, overrides) => {
            let files = value.split(',').map(|path| WrapperFile { path: path.into(), reader, overrides });
            peeled.files.extend(files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(command: &str) -> Option<(String, Option<Effect>)> {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let peeled = peel(&words[0], &words)?;
        Some((peeled.words.join(" "), peeled.effect.map(|(effect, _)| effect)))
    }

    #[test]
    fn the_command_inside_a_wrapper_is_found() {
        let table = [
            ("sudo -u postgres -E psql app", "psql app", None),
            ("timeout -k 5 30 npm test", "npm test", None),
            ("nice -n 10 make", "make", None),
            ("bundle exec rspec", "rspec", None),
            ("uv run --with x --env-file .env.test -- pytest", "pytest", None),
            ("poetry run pytest -q", "pytest -q", None),
            ("npx --yes prisma migrate deploy", "prisma migrate deploy", None),
            ("railway run npm test", "npm test", Some(Effect::Injects)),
            ("doppler --project x run --config=dev -- npm test", "npm test", Some(Effect::Injects)),
            ("chamber exec svc -- rake", "rake", Some(Effect::Injects)),
            ("docker compose -f a.yml exec -T -e A=1 app npm test", "npm test", Some(Effect::Container)),
            ("kubectl exec -n x pod -- rails db:migrate", "rails db:migrate", Some(Effect::Elsewhere)),
            ("ssh -p 22 host psql", "psql", Some(Effect::Elsewhere)),
            ("docker compose up -d web worker", "", Some(Effect::Container)),
            ("npx -c jest", "sh -c jest", None),
            ("doppler run --command jest", "sh -c jest", Some(Effect::Injects)),
            ("fly ssh console -a shop -C jest", "sh -c jest", Some(Effect::Elsewhere)),
            ("xargs -n 1 -I{} psql -h db {}", "psql -h db {}", None),
            ("parallel -j 4 pytest", "pytest", None),
            ("nix develop .#ci -c npm test", "npm test", Some(Effect::Injects)),
            ("nix shell nixpkgs#nodejs --command npm test", "npm test", None),
            ("nix-shell -p nodejs yarn --run jest", "sh -c jest", Some(Effect::Injects)),
            ("git -C app bisect run npm test", "npm test", None),
            ("git rebase -i HEAD~3 --exec jest", "sh -c jest", None),
            ("gcloud compute ssh vm --zone x --command jest", "sh -c jest", Some(Effect::Elsewhere)),
            ("lxc exec db -- psql", "psql", Some(Effect::Container)),
            ("taskset -c 0 npm test", "npm test", None),
        ];
        for (command, expected, effect) in table {
            assert_eq!(inside(command), Some((expected.to_owned(), effect)), "{command}");
        }
        for command in [
            "bundle install",
            "docker ps",
            "timeout",
            "npm test",
            "poetry install",
            "sudo -u",
            "git rebase main",
            "git log",
            "nix develop",
        ] {
            assert_eq!(inside(command), None, "{command}");
        }
    }
}
