//! Programs that run another command: how to find that command behind their options, and what they add to it.
//!
//! Facts: the tools' own manuals; `env`, `sudo` and `timeout` as in coreutils and sudo.

use std::path::PathBuf;

use crate::environment::follow::shell_text::assignment;
use crate::environment::invocation::option_of;

/// What a wrapper does to the environment besides running the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that matters here.
    Nothing,
    /// It adds variables that are on no disk.
    Injects,
    /// The command runs elsewhere, in an environment of its own.
    Container,
}

/// Who reads a file that a wrapper names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileReader {
    /// One of the programs called `dotenv`, or a close relative.
    Dotenv,
    /// dotenvy, as `just` loads it.
    Dotenvy,
    /// A container's `--env-file`, or compose.
    Compose,
    /// A shell that sources it.
    Shell,
    /// `include .env` in a Makefile.
    Make,
}

/// A file that a wrapper loads before it runs the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrapperFile {
    /// As named there; relative to the folder that the wrapper runs in.
    pub(crate) path: PathBuf,
    pub(crate) reader: FileReader,
    /// Whether its values replace those of the process environment.
    pub(crate) overrides: bool,
}

/// A wrapper taken off: the command inside, and what the wrapper adds to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peeled {
    pub(crate) words: Vec<String>,
    pub(crate) assignments: Vec<(String, String)>,
    pub(crate) files: Vec<WrapperFile>,
    pub(crate) folder: Option<String>,
    /// The wrapper in words (`railway run`), where it injects variables or is a container.
    pub(crate) effect: Option<(Effect, String)>,
}

struct Wrapper {
    program: &'static str,
    /// Words that must follow, options between them skipped; empty where the program alone is the wrapper.
    subcommand: &'static [&'static str],
    /// Options whose value is the next word.
    valued: &'static str,
    /// Words between the options and the command.
    positionals: usize,
    effect: Effect,
}

const fn plain(program: &'static str, valued: &'static str) -> Wrapper {
    Wrapper { program, subcommand: &[], valued, positionals: 0, effect: Effect::Nothing }
}

const fn runs(program: &'static str, subcommand: &'static [&'static str], valued: &'static str) -> Wrapper {
    Wrapper { program, subcommand, valued, positionals: 0, effect: Effect::Nothing }
}

const fn injects(program: &'static str, subcommand: &'static [&'static str], valued: &'static str) -> Wrapper {
    Wrapper { program, subcommand, valued, positionals: 0, effect: Effect::Injects }
}

const fn container(
    program: &'static str,
    subcommand: &'static [&'static str],
    valued: &'static str,
    positionals: usize,
) -> Wrapper {
    Wrapper { program, subcommand, valued, positionals, effect: Effect::Container }
}

const fn after(wrapper: Wrapper, positionals: usize) -> Wrapper {
    Wrapper { positionals, ..wrapper }
}

const DOCKER: &str = "-e --env --env-file -u --user -w --workdir -v --volume -p --publish --name --network --entrypoint \
                      --index -f --file --project-name --profile --project-directory -l --label --platform -m --memory \
                      --add-host -h --hostname --mount --cpus --rmi --pull --context -H --host";
const UV: &str = "--with --with-requirements --with-editable --python -p --env-file --extra --group --only-group --project \
                  --directory --package --index --index-url --no-group --config-file";

const WRAPPERS: &[Wrapper] = &[
    plain("sudo", "-u -g -h -p -C -r -t -U -D -T -R"),
    plain("doas", "-u -C"),
    plain("time", "-f -o"),
    plain("nice", "-n"),
    plain("ionice", "-c -n -p"),
    plain("nohup", ""),
    plain("xargs", "-I -n -P -L -d -s -E -a --max-args --max-procs --max-lines --delimiter --arg-file --replace"),
    plain("parallel", "-j --jobs -n -N -I --delay --timeout -a --arg-file"),
    plain("entr", ""),
    plain("watchexec", "-w -e -i -f --watch --exts --ignore --filter"),
    plain("dumb-init", ""),
    plain("tini", "-p -e"),
    plain("setsid", ""),
    plain("exec", "-a"),
    plain("command", ""),
    plain("builtin", ""),
    plain("noglob", ""),
    plain("unbuffer", ""),
    plain("chronic", ""),
    plain("caffeinate", "-t -w"),
    plain("stdbuf", "-i -o -e"),
    plain("strace", "-e -o -p -s"),
    plain("watch", "-n -d"),
    plain("xvfb-run", "-e -f -n -p -s -w"),
    after(plain("timeout", "-k -s --kill-after --signal"), 1),
    after(plain("gtimeout", "-k -s"), 1),
    after(plain("flock", "-w -E --timeout"), 1),
    after(plain("faketime", "-f"), 1),
    plain("npx", "-p --package -c --call"),
    plain("bunx", ""),
    plain("pnpx", ""),
    runs("npm", &["exec"], "-p --package -w --workspace --prefix -C"),
    runs("npm", &["x"], "-p --package"),
    runs("pnpm", &["exec"], "--filter -C --dir"),
    runs("pnpm", &["dlx"], ""),
    runs("yarn", &["exec"], "--cwd"),
    runs("yarn", &["dlx"], "-p"),
    runs("bun", &["x"], ""),
    plain("c8", "-r --reporter -o --reports-dir --exclude -x --include -n"),
    plain("nyc", "-r --reporter --exclude -x --include -n"),
    runs("bundle", &["exec"], "--gemfile"),
    plain("spring", ""),
    runs("poetry", &["run"], "-C --directory -P --project"),
    runs("uv", &["run"], UV),
    runs("pdm", &["run"], "-p --project"),
    runs("pipenv", &["run"], ""),
    runs("hatch", &["run"], "-e --env"),
    runs("rye", &["run"], ""),
    runs("pixi", &["run"], "-e --environment"),
    runs("foreman", &["run"], "-e --env -f --procfile -d --root"),
    runs("forego", &["run"], "-e -f"),
    runs("nf", &["run"], "-e --env -j --procfile"),
    runs("honcho", &["run"], "-e --env -f --procfile -d --app-root"),
    runs("conda", &["run"], "-n --name -p --prefix --cwd"),
    runs("micromamba", &["run"], "-n -p"),
    runs("coverage", &["run"], "--source --rcfile --omit --include --data-file"),
    runs("asdf", &["exec"], ""),
    runs("rbenv", &["exec"], ""),
    runs("pyenv", &["exec"], ""),
    injects("railway", &["run"], "-s --service -e --environment -p --project"),
    injects("railway", &["shell"], ""),
    injects("doppler", &["run"], "-p --project -c --config -t --token --scope --fallback --mount --name-transformer"),
    injects("op", &["run"], "--env-file --account --session --environment"),
    injects("infisical", &["run"], "--env --projectId --path --token --domain --tags"),
    after(injects("chamber", &["exec"], "-b --backend -r --retries"), 1),
    after(injects("aws-vault", &["exec"], "-d --duration --region -t --mfa-token"), 1),
    injects("vercel", &["env", "run"], "-e --environment --git-branch --cwd -t --token --scope"),
    injects("vercel", &["dev"], ""),
    injects("heroku", &["local:run"], "-e --env -p --port"),
    injects("heroku", &["local"], "-f --procfile -e --env -p --port"),
    injects("netlify", &["dev:exec"], "--context --filter"),
    injects("pscale", &["connect"], "--execute --org --port --host --execute-env-url"),
    after(injects("sops", &["exec-env"], ""), 1),
    injects("teller", &["run"], "-c --config"),
    after(injects("envchain", &[], ""), 1),
    injects("envconsul", &[], "-config -prefix -secret -upcase"),
    injects("summon", &[], "-p --provider -e --environment -f -D"),
    injects("phase", &["run"], "--env --app --path --tags"),
    injects("bws", &["run"], "--project-id -t --access-token"),
    injects("teleport", &["exec"], ""),
    injects("fnox", &["exec"], "-P --profile"),
    injects("devbox", &["run"], "-c --config -e --env --env-file"),
    injects("nix", &["develop"], "-c --command"),
    container("docker", &["compose", "exec"], DOCKER, 1),
    container("docker", &["compose", "run"], DOCKER, 1),
    container("docker-compose", &["exec"], DOCKER, 1),
    container("docker-compose", &["run"], DOCKER, 1),
    container("podman-compose", &["exec"], DOCKER, 1),
    container("podman-compose", &["run"], DOCKER, 1),
    container("podman", &["compose", "exec"], DOCKER, 1),
    container("podman", &["compose", "run"], DOCKER, 1),
    container("docker", &["exec"], DOCKER, 1),
    container("docker", &["run"], DOCKER, 1),
    container("podman", &["exec"], DOCKER, 1),
    container("podman", &["run"], DOCKER, 1),
    container("nerdctl", &["exec"], DOCKER, 1),
    container("nerdctl", &["run"], DOCKER, 1),
    container("kubectl", &["exec"], "-n --namespace -c --container --context", 1),
    container("oc", &["exec"], "-n --namespace -c --container", 1),
    container("sail", &[], "", 0),
    container("ddev", &["exec"], "-s --service -d --dir", 0),
    container("lando", &["ssh"], "-s -c", 0),
    container("devcontainer", &["exec"], "--workspace-folder --config", 0),
    container("heroku", &["run"], "-a --app -r --remote -s --size -e --env --type", 0),
    container("fly", &["ssh", "console"], "-a --app -C --command", 0),
    container("vagrant", &["ssh"], "-c --command", 0),
    container("ssh", &[], "-p -i -l -o -F -J -L -R -D -b -c -E -m -S -W", 1),
];

/// Whether one of the words of `list` is `option`.
fn lists(list: &str, option: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == option)
}

/// The command inside `words`, where `words` is a wrapper of the table around one.
pub(crate) fn peel(program: &str, words: &[String]) -> Option<Peeled> {
    WRAPPERS.iter().filter(|wrapper| wrapper.program == program).find_map(|wrapper| peel_one(wrapper, words))
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
    at += wrapper.positionals;
    if words.get(at).is_some_and(|word| word == "--") {
        at += 1;
    }
    while wrapper.program == "sudo"
        && let Some(pair) = words.get(at).and_then(|word| assignment(word))
    {
        peeled.assignments.push(pair);
        at += 1;
    }
    if wrapper.effect != Effect::Nothing {
        let name = std::iter::once(&wrapper.program).chain(wrapper.subcommand).copied().collect::<Vec<_>>().join(" ");
        peeled.effect = Some((wrapper.effect, name));
    }
    // `pscale connect --execute CMD`, `lando ssh -c CMD`: the command was the value of an option.
    if peeled.words.is_empty() {
        peeled.words = words.get(at..).unwrap_or_default().to_vec();
    }
    // A container's default command, or a remote shell: nothing inside to look at, but the effect counts.
    (!peeled.words.is_empty() || wrapper.effect == Effect::Container).then_some(peeled)
}

/// The index of the first word that is no option, after noting what the options before it add.
fn skip_options(wrapper: &Wrapper, words: &[String], mut at: usize, peeled: &mut Peeled) -> Option<usize> {
    while let Some(word) = words.get(at) {
        if word == "--" || !word.starts_with('-') || word == "-" {
            break;
        }
        let (option, mut value) = option_of(word);
        at += 1;
        if value.is_none() && lists(wrapper.valued, option) {
            value = Some(words.get(at)?);
            at += 1;
        }
        if let Some(value) = value {
            note_option(wrapper, option, value.to_owned(), peeled);
        }
    }
    Some(at)
}

fn note_option(wrapper: &Wrapper, option: &str, value: String, peeled: &mut Peeled) {
    let runs_inside = matches!(option, "--execute" | "--call" | "--command")
        || (option == "-c" && matches!(wrapper.program, "npx" | "lando" | "vagrant" | "nix"))
        || (option == "-C" && wrapper.program == "fly");
    if runs_inside {
        peeled.words = vec!["sh".to_owned(), "-c".to_owned(), value];
        return;
    }
    let is_container = wrapper.effect == Effect::Container;
    match option {
        "--env-file" => {
            let reader = match wrapper.program {
                "uv" | "op" | "devbox" => FileReader::Dotenv,
                _ => FileReader::Compose,
            };
            peeled.files.push(WrapperFile { path: value.into(), reader, overrides: is_container });
        }
        "-e" | "--env" if is_container => peeled.assignments.extend(assignment(&value)),
        "-e" | "--env" if matches!(wrapper.program, "heroku" | "foreman" | "forego" | "nf" | "honcho") => {
            let files = value.split(',').map(|path| WrapperFile {
                path: path.into(),
                reader: FileReader::Dotenv,
                overrides: true,
            });
            peeled.files.extend(files);
        }
        "-C" | "--dir" | "--directory" | "--project" | "--prefix" | "--cwd" | "-w" | "--cd"
            if !is_container && wrapper.effect != Effect::Injects =>
        {
            peeled.folder = Some(value);
        }
        _ => {}
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
            ("kubectl exec -n x pod -- rails db:migrate", "rails db:migrate", Some(Effect::Container)),
            ("ssh -p 22 host psql", "psql", Some(Effect::Container)),
            ("npx -c jest", "sh -c jest", None),
            ("xargs -n 1 -I{} psql -h db {}", "psql -h db {}", None),
            ("parallel -j 4 pytest", "pytest", None),
        ];
        for (command, expected, effect) in table {
            assert_eq!(inside(command), Some((expected.to_owned(), effect)), "{command}");
        }
        for command in ["bundle install", "docker ps", "timeout", "npm test", "poetry install", "sudo -u"] {
            assert_eq!(inside(command), None, "{command}");
        }
    }
}
