//! A home, a project and a folder of fake tools of a test's own; nothing of the tester's environment gets in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

use super::{output, write_program};

/// A sealed place to run the program in. It is removed when dropped.
pub(crate) struct Sandbox {
    folder: TempDir,
    environment: BTreeMap<OsString, OsString>,
}

impl Sandbox {
    /// An empty project, home, state directory and folder of tools.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("safe-test-").tempdir().unwrap();
        let mut sandbox = Sandbox { folder, environment: BTreeMap::new() };
        for folder in [sandbox.project(), sandbox.home(), sandbox.state(), sandbox.tools(), sandbox.temporary()] {
            fs::create_dir_all(folder).unwrap();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(sandbox.tools()).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(path).unwrap();
        for (name, value) in [
            ("PATH", path),
            ("HOME", sandbox.home().into()),
            ("XDG_STATE_HOME", sandbox.state().into()),
            ("TMPDIR", sandbox.temporary().into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
        ] {
            sandbox.environment.insert(name.into(), value);
        }
        sandbox
    }

    /// Without links in it, so that paths in output can be compared.
    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// The folder that commands run in.
    pub(crate) fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// The first folder on `PATH`.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root().join("tools")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root().join("tmp")
    }

    /// Sets a variable for all that is run from now on.
    pub(crate) fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Puts a folder onto `PATH`, in front of all others.
    pub(crate) fn put_on_path(&mut self, folder: &Path) {
        let path = self.environment.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).unwrap();
        self.set("PATH", path);
    }

    /// Writes a file below the project, with its folders; gives its path.
    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The text of a file below the project.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.project().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Puts a program onto `PATH`, in front of all others of its name.
    pub(crate) fn tool(&self, name: &str, script: &str) -> PathBuf {
        let path = self.tools().join(name);
        write_program(&path, script, 0o755);
        path
    }

    /// Puts a program onto `PATH` that writes its arguments down, then does what `script` says.
    pub(crate) fn recording_tool(&self, name: &str, script: &str) -> PathBuf {
        let calls = self.tools().join(format!("{name}.calls"));
        self.tool(name, &format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\n{script}\n", calls.display()))
    }

    /// The arguments of each call of a recording tool, in order.
    pub(crate) fn calls(&self, name: &str) -> Vec<String> {
        let calls = fs::read_to_string(self.tools().join(format!("{name}.calls"))).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Makes the project a git repository with one commit of all that is in it.
    pub(crate) fn git_init(&self) {
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "--all"],
            &["commit", "--quiet", "--allow-empty", "--message=first"],
        ] {
            let mut git = self.program("git");
            git.args(arguments).envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
            for role in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{role}_NAME"), "tester").env(format!("GIT_{role}_EMAIL"), "tester@example.com");
            }
            Outcome::of(&mut git).expect_code(0);
        }
    }

    /// Any program, in this sandbox: its environment and folder, no input.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.environment).current_dir(self.project()).stdin(Stdio::null());
        with_default_signals(&mut command);
        command
    }

    /// The built safe-test, in this sandbox, to be given arguments.
    pub(crate) fn command(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_safe-test"))
    }

    /// Runs safe-test with these arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command().args(arguments))
    }
}

/// Whatever the tests themselves were started with (`nohup`, a background job of a script), the command gets the default
/// actions of the signals that end it.
pub(crate) fn with_default_signals(command: &mut Command) {
    let defaults = || {
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTERM] {
            // SAFETY: gives a signal its default action.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: makes system calls only.
    unsafe { command.pre_exec(defaults) };
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        Outcome::from(output(command.stdout(Stdio::piped()).stderr(Stdio::piped())))
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Fails the test, showing all that was said, unless it ended with this status.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        let Outcome { status, stdout, stderr } = &self;
        assert_eq!(self.code(), Some(code), "{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Outcome {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

#[test]
fn environment_of_a_run_is_sealed() {
    let mut sandbox = Sandbox::new();
    sandbox.set("APP_ENV", "testing").tool("probe", "#!/bin/sh\nenv\npwd\n");
    let outcome = Outcome::of(&mut sandbox.program("probe")).expect_code(0);
    let mut names: Vec<_> =
        outcome.stdout.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // What shells set by themselves.
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
    names.sort_unstable();
    assert_eq!(names, ["APP_ENV", "HOME", "LANG", "PATH", "TMPDIR", "TZ", "XDG_STATE_HOME"]);
    assert!(outcome.stdout.ends_with(&format!("{}\n", sandbox.project().display())));
}

#[test]
fn recording_tool_tells_how_it_was_called() {
    let sandbox = Sandbox::new();
    sandbox.recording_tool("pg_dump", "exit 3");
    Outcome::of(sandbox.program("pg_dump").args(["--version"])).expect_code(3);
    Outcome::of(sandbox.program("pg_dump").args(["-Fc", "app test"])).expect_code(3);
    assert_eq!(sandbox.calls("pg_dump"), ["--version", "-Fc app test"]);
    assert_eq!(sandbox.calls("psql"), [""; 0]);
}

#[test]
fn git_init_commits_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox.write("a/b.txt", "x\n");
    sandbox.git_init();
    let outcome = Outcome::of(sandbox.program("git").args(["ls-files"])).expect_code(0);
    assert_eq!(outcome.stdout, "a/b.txt\n");
}
