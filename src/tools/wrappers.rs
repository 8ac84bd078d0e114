//! Programs that run another command: how to find that command behind their options, and what they add to it.
//!
//! Facts: the tools' own manuals; `env`, `sudo` and `timeout` as in coreutils and sudo.

/// What a wrapper does to the environment besides running the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// Nothing that matters here.
    Nothing,
    /// It adds variables that are on no disk.
    Injects,
    /// The command runs in a container, in an environment of its own.
    Container,
    /// The command runs on another machine.
    Elsewhere,
}

impl Effect {
    /// Tells whether the command does not run among the processes of this machine.
    pub(crate) fn is_away(self) -> bool {
        matches!(self, Effect::Container | Effect::Elsewhere)
    }
}

/// Who reads a file that a wrapper names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// What the value of an option is to the command inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionValue {
    /// The text of the command itself.
    Command,
    /// The program, with what follows as its arguments.
    Program,
    /// The folder that it runs in.
    Folder,
    /// `NAME=value` in its environment.
    Assignment,
    /// Files of variables, separated by commas; whether they beat what is set.
    Files(FileReader, bool),
}

/// A program that runs another command.
pub(crate) struct Wrapper {
    pub(crate) program: &'static str,
    /// Words that must follow, options between them skipped; empty where the program alone is the wrapper.
    pub(crate) subcommand: &'static [&'static str],
    /// Options whose value is the next word.
    pub(crate) valued: &'static str,
    /// Those of them that matter to the command inside.
    pub(crate) meanings: &'static [(&'static str, OptionValue)],
    /// Words between the options and the command; `usize::MAX` where no plain word begins one, and options stand anywhere.
    pub(crate) positionals: usize,
    /// `NAME=value` may stand before the command.
    pub(crate) takes_assignments: bool,
    pub(crate) effect: Effect,
}

const NOTHING: Wrapper = Wrapper {
    program: "",
    subcommand: &[],
    valued: "",
    meanings: &[],
    positionals: 0,
    takes_assignments: false,
    effect: Effect::Nothing,
};

const fn plain(program: &'static str, valued: &'static str) -> Wrapper {
    Wrapper { program, valued, meanings: FOLDER, ..NOTHING }
}

const fn runs(program: &'static str, subcommand: &'static [&'static str], valued: &'static str) -> Wrapper {
    Wrapper { program, subcommand, valued, meanings: FOLDER, ..NOTHING }
}

const fn injects(program: &'static str, subcommand: &'static [&'static str], valued: &'static str) -> Wrapper {
    Wrapper { program, subcommand, valued, meanings: INJECTED, effect: Effect::Injects, ..NOTHING }
}

const fn container(
    program: &'static str,
    subcommand: &'static [&'static str],
    valued: &'static str,
    positionals: usize,
) -> Wrapper {
    Wrapper { program, subcommand, valued, meanings: INSIDE, positionals, effect: Effect::Container, ..NOTHING }
}

const fn elsewhere(
    program: &'static str,
    subcommand: &'static [&'static str],
    valued: &'static str,
    positionals: usize,
) -> Wrapper {
    Wrapper { effect: Effect::Elsewhere, ..container(program, subcommand, valued, positionals) }
}

/// Starts services of a compose file: all that follows names some.
const fn starts(program: &'static str, subcommand: &'static [&'static str]) -> Wrapper {
    container(program, subcommand, DOCKER, usize::MAX)
}

const fn after(wrapper: Wrapper, positionals: usize) -> Wrapper {
    Wrapper { positionals, ..wrapper }
}

/// Runs only what an option names, wherever that stands.
const fn by_option(wrapper: Wrapper, meanings: &'static [(&'static str, OptionValue)]) -> Wrapper {
    with(after(wrapper, usize::MAX), meanings)
}

const fn with(wrapper: Wrapper, meanings: &'static [(&'static str, OptionValue)]) -> Wrapper {
    Wrapper { meanings, ..wrapper }
}

const NPM_EXEC: &[(&str, OptionValue)] = &[("-c --call", OptionValue::Command), IN_FOLDER];

const DOCKER: &str = "-e --env --env-file -u --user -w --workdir -v --volume -p --publish --name --network --entrypoint \
                      --index -f --file --project-name --profile --project-directory -l --label --platform -m --memory \
                      --add-host -h --hostname --mount --cpus --rmi --pull --context -H --host --health-cmd \
                      --health-interval --health-retries --health-start-period --health-timeout --restart --tmpfs \
                      --shm-size --ulimit --network-alias --ip --pid --cap-add --cap-drop --security-opt --stop-signal \
                      --stop-timeout --log-driver --log-opt --device --dns --expose --group-add --sysctl";
const GIT: &str = "-C -c --git-dir --work-tree --namespace --exec-path";
const UV: &str = "--with --with-requirements --with-editable --python -p --env-file --extra --group --only-group --project \
                  --directory --package --index --index-url --no-group --config-file";

const IN_FOLDER: (&str, OptionValue) = ("-C --dir --directory --project --prefix --cwd -w --cd", OptionValue::Folder);
const FOLDER: &[(&str, OptionValue)] = &[IN_FOLDER, COMPOSE_FILE, COMMAND];
const INJECTED: &[(&str, OptionValue)] = &[COMPOSE_FILE, COMMAND];
const COMMAND: (&str, OptionValue) = ("--execute --call --command", OptionValue::Command);
const COMPOSE_FILE: (&str, OptionValue) = ("--env-file", OptionValue::Files(FileReader::Compose, false));
const DOTENV_FILE: (&str, OptionValue) = ("--env-file", OptionValue::Files(FileReader::Dotenv, false));
const CONTAINER_FILE: (&str, OptionValue) = ("--env-file", OptionValue::Files(FileReader::Compose, true));
const ASSIGNMENT: (&str, OptionValue) = ("-e --env", OptionValue::Assignment);
const INSIDE: &[(&str, OptionValue)] = &[ASSIGNMENT, CONTAINER_FILE, COMMAND];
const NIX: &[(&str, OptionValue)] = &[("-c --command", OptionValue::Program)];
const PROCFILE: &[(&str, OptionValue)] = &[("-e --env", OptionValue::Files(FileReader::Dotenv, true))];

const WRAPPERS: &[Wrapper] = &[
    Wrapper { takes_assignments: true, ..plain("sudo", "-u -g -h -p -C -r -t -U -D -T -R") },
    plain("doas", "-u -C"),
    plain("time", "-f -o"),
    plain("nice", "-n"),
    plain("ionice", "-c -n -p"),
    plain("nohup", ""),
    plain("xargs", "-I -n -P -L -d -s -E -a --max-args --max-procs --max-lines --delimiter --arg-file --replace"),
    plain("parallel", "-j --jobs -n -N -I --delay --timeout -a --arg-file"),
    plain("entr", ""),
    with(plain("watchexec", "-w -e -i -f --watch --exts --ignore --filter"), &[]),
    plain("dumb-init", ""),
    plain("tini", "-p -e"),
    plain("setsid", ""),
    after(plain("su-exec", ""), 1),
    after(plain("gosu", ""), 1),
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
    plain("busybox", ""),
    after(plain("chrt", "-P -T -D"), 1),
    plain("firejail", ""),
    plain("ltrace", "-A -a -D -e -F -l -n -o -p -s -u -w -x"),
    plain("numactl", "-C -N -P -i -m -p"),
    runs("perf", &["record"], "-C -F -c -e -m -o -p -t -u"),
    runs("perf", &["stat"], "-C -D -I -e -o -p -r -t -x"),
    plain("prlimit", "-o"),
    plain("proxychains", "-f"),
    plain("proxychains4", "-f"),
    plain("rlwrap", "-C -D -H -O -P -S -b -f -l -m -p -q -s -t -w"),
    plain(
        "systemd-run",
        "-E -H -M -P -p -u --description --property --setenv --slice --uid --unit --working-directory",
    ),
    after(plain("taskset", ""), 1),
    plain("torsocks", "-P -a -p -u"),
    plain("unshare", "-G -R -S -w"),
    plain("valgrind", ""),
    plain("winpty", ""),
    runs("git", &["bisect", "run"], GIT),
    runs("git", &["submodule", "foreach"], GIT),
    by_option(runs("iex", &[], "-S -r --cookie --erl --name --sname"), &[("-S", OptionValue::Program)]),
    by_option(
        runs("git", &["rebase"], "-C -c --git-dir --work-tree -X -s -x --exec --onto --strategy --strategy-option"),
        &[("-x --exec", OptionValue::Command), ("-C", OptionValue::Folder)],
    ),
    plain("xvfb-run", "-e -f -n -p -s -w"),
    after(plain("timeout", "-k -s --kill-after --signal"), 1),
    after(plain("gtimeout", "-k -s"), 1),
    after(plain("flock", "-w -E --timeout"), 1),
    after(plain("faketime", "-f"), 1),
    with(plain("npx", "-p --package -c --call -w --workspace"), &[("-c --call", OptionValue::Command), IN_FOLDER]),
    plain("bunx", ""),
    plain("pnpx", ""),
    with(runs("npm", &["exec"], "-p --package -w --workspace --prefix -C -c --call"), NPM_EXEC),
    with(runs("npm", &["x"], "-p --package -w --workspace --prefix -C -c --call"), NPM_EXEC),
    runs("pnpm", &["exec"], "--filter -F -C --dir"),
    runs("pnpm", &["dlx"], ""),
    runs("yarn", &["exec"], "--cwd"),
    runs("yarn", &["dlx"], "-p"),
    runs("bun", &["x"], ""),
    plain("c8", "-r --reporter -o --reports-dir --exclude -x --include -n"),
    plain("nyc", "-r --reporter --exclude -x --include -n"),
    runs("bundle", &["exec"], "--gemfile"),
    runs("composer", &["exec"], "-d --working-dir"),
    plain("spring", ""),
    runs("poetry", &["run"], "-C --directory -P --project"),
    with(runs("uv", &["run"], UV), &[DOTENV_FILE, ("--directory --project", OptionValue::Folder)]),
    plain("uvx", "--from --with -p --python"),
    runs("pipx", &["run"], "--spec --python"),
    runs("pdm", &["run"], "-p --project"),
    runs("pipenv", &["run"], ""),
    runs("hatch", &["run"], "-e --env"),
    runs("rye", &["run"], ""),
    runs("pixi", &["run"], "-e --environment"),
    with(runs("foreman", &["run"], "-e --env -f --procfile -d --root"), PROCFILE),
    with(runs("forego", &["run"], "-e -f"), PROCFILE),
    with(runs("nf", &["run"], "-e --env -j --procfile"), PROCFILE),
    with(runs("honcho", &["run"], "-e --env -f --procfile -d --app-root"), PROCFILE),
    runs("conda", &["run"], "-n --name -p --prefix --cwd"),
    runs("micromamba", &["run"], "-n -p"),
    runs("coverage", &["run"], "--source --rcfile --omit --include --data-file"),
    runs("asdf", &["exec"], ""),
    runs("rbenv", &["exec"], ""),
    runs("pyenv", &["exec"], ""),
    injects("railway", &["run"], "-s --service -e --environment -p --project"),
    injects("railway", &["shell"], ""),
    injects(
        "doppler",
        &["run"],
        "-p --project -c --config -t --token --scope --fallback --mount --name-transformer --command",
    ),
    with(injects("op", &["run"], "--env-file --account --session --environment"), &[DOTENV_FILE]),
    injects("infisical", &["run"], "--env --projectId --path --token --domain --tags"),
    after(injects("chamber", &["exec"], "-b --backend -r --retries"), 1),
    after(injects("aws-vault", &["exec"], "-d --duration --region -t --mfa-token"), 1),
    injects("vercel", &["env", "run"], "-e --environment --git-branch --cwd -t --token --scope"),
    injects("vercel", &["dev"], ""),
    with(injects("heroku", &["local:run"], "-e --env -p --port"), PROCFILE),
    with(injects("heroku", &["local"], "-f --procfile -e --env -p --port"), PROCFILE),
    injects("netlify", &["dev:exec"], "--context --filter"),
    with(injects("pscale", &["connect"], "--execute --org --port --host --execute-env-url"), &[COMMAND]),
    after(injects("sops", &["exec-env"], ""), 1),
    injects("teller", &["run"], "-c --config"),
    after(injects("envchain", &[], ""), 1),
    injects("envconsul", &[], "-config -prefix -secret -upcase"),
    injects("summon", &[], "-p --provider -e --environment -f -D"),
    injects("phase", &["run"], "--env --app --path --tags"),
    injects("bws", &["run"], "--project-id -t --access-token"),
    injects("teleport", &["exec"], ""),
    injects("fnox", &["exec"], "-P --profile"),
    with(injects("devbox", &["run"], "-c --config -e --env --env-file"), &[DOTENV_FILE]),
    by_option(injects("nix", &["develop"], "-c --command"), NIX),
    by_option(runs("nix", &["shell"], "-c --command"), NIX),
    by_option(
        injects("nix-shell", &[], "-A -E -I --attr --run --command"),
        &[("--run --command", OptionValue::Command)],
    ),
    container("docker", &["compose", "exec"], DOCKER, 1),
    container("docker", &["compose", "run"], DOCKER, 1),
    container("docker-compose", &["exec"], DOCKER, 1),
    container("docker-compose", &["run"], DOCKER, 1),
    container("podman-compose", &["exec"], DOCKER, 1),
    container("podman-compose", &["run"], DOCKER, 1),
    container("podman", &["compose", "exec"], DOCKER, 1),
    container("podman", &["compose", "run"], DOCKER, 1),
    starts("docker", &["compose", "up"]),
    starts("docker-compose", &["up"]),
    starts("podman", &["compose", "up"]),
    starts("podman-compose", &["up"]),
    container("docker", &["exec"], DOCKER, 1),
    container("docker", &["run"], DOCKER, 1),
    container("podman", &["exec"], DOCKER, 1),
    container("podman", &["run"], DOCKER, 1),
    container("nerdctl", &["exec"], DOCKER, 1),
    container("nerdctl", &["run"], DOCKER, 1),
    elsewhere("kubectl", &["exec"], "-n --namespace -c --container --context", 1),
    elsewhere("oc", &["exec"], "-n --namespace -c --container", 1),
    container("sail", &[], "", 0),
    container("ddev", &["exec"], "-s --service -d --dir", 0),
    container("wp-env", &["run"], "--config", 1),
    with(container("lando", &["ssh"], "-s -c", 0), &[("-c", OptionValue::Command)]),
    container("incus", &["exec"], "--cwd --env --group --user", 1),
    container("limactl", &["shell"], "--shell --workdir", 1),
    container("lxc", &["exec"], "--cwd --env --group --user", 1),
    container("multipass", &["exec"], "-d --working-directory", 1),
    container("devcontainer", &["exec"], "--workspace-folder --config", 0),
    elsewhere("heroku", &["run"], "-a --app -r --remote -s --size -e --env --type", 0),
    with(elsewhere("fly", &["ssh", "console"], "-a --app -C --command", 0), &[("-C --command", OptionValue::Command)]),
    with(container("vagrant", &["ssh"], "-c --command", 0), &[("-c --command", OptionValue::Command)]),
    by_option(elsewhere("aws", &["ecs", "execute-command"], "--cluster --command --container --task", 0), &[COMMAND]),
    by_option(elsewhere("gcloud", &["compute", "ssh"], "--command --project --zone", 0), &[COMMAND]),
    elsewhere("ssh", &[], "-p -i -l -o -F -J -L -R -D -b -c -E -m -S -W", 1),
];

/// Lists the wrappers that the program of that name can be.
pub(crate) fn of(program: &str) -> impl Iterator<Item = &'static Wrapper> {
    WRAPPERS.iter().filter(move |wrapper| wrapper.program == program)
}

impl Wrapper {
    /// Names the wrapper in words: `railway run`.
    pub(crate) fn name(&self) -> String {
        std::iter::once(&self.program).chain(self.subcommand).copied().collect::<Vec<_>>().join(" ")
    }

    /// Tells whether the value of `option` is the next word.
    pub(crate) fn takes_value(&self, option: &str) -> bool {
        lists(self.valued, option)
    }

    /// Tells what the value of `option` is to the command inside.
    pub(crate) fn meaning(&self, option: &str) -> Option<OptionValue> {
        self.meanings.iter().find(|(options, _)| lists(options, option)).map(|(_, meaning)| *meaning)
    }
}

/// Tells whether one of the words of `list` is `option`.
fn lists(list: &str, option: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrapper_stands_in_one_row_and_takes_the_values_that_matter() {
        let mut seen = std::collections::HashSet::new();
        for wrapper in WRAPPERS {
            assert!(seen.insert(wrapper.name()), "{}", wrapper.name());
            let own = wrapper.meanings.iter().flat_map(|(options, _)| options.split(' '));
            let given: Vec<&str> = own.filter(|option| wrapper.takes_value(option)).collect();
            let shared = [FOLDER, INSIDE, INJECTED, NOTHING.meanings].contains(&wrapper.meanings);
            assert!(shared || !given.is_empty(), "{}: no option of its own takes a value", wrapper.name());
        }
    }
}
