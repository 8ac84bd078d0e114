//! A folder with a project to measure in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::compare::{Contest, Runner};

/// A project with a home of its own, on the disk that the build is on. It stays until the next run of its name.
#[derive(Clone)]
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    /// A new, empty project.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench").join(name);
        let _ = fs::remove_dir_all(&folder);
        let project = Project { folder };
        for folder in [project.folder(), project.state(), project.folder().join(".git")] {
            fs::create_dir_all(folder).unwrap();
        }
        project
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.join("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that runs in the project and sees none of the variables outside.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.folder()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.folder).env("XDG_STATE_HOME", self.state()).env("LANG", "C.UTF-8");
        command
    }

    /// The program that is measured, with arguments.
    pub(crate) fn safe_test(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(program());
        command.args(arguments);
        command
    }

    /// The least that a program can cost which runs another.
    pub(crate) fn env_true(&self) -> Command {
        let mut command = self.command("env");
        command.arg("true");
        command
    }

    /// Removes the snapshots: neither reuse nor retention may come into what is measured. The log stays, as it does
    /// in a project in use.
    pub(crate) fn forget_snapshots(&self) {
        for entry in fs::read_dir(self.folder().join("backups")).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending != "log") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// How many snapshots there are.
    pub(crate) fn snapshots(&self) -> usize {
        self.snapshot_names().len()
    }

    /// Their names.
    pub(crate) fn snapshot_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder().join("backups")).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect()
    }
}

/// The program as it is installed. The one that stands there while Cargo builds benches is larger: packages that it
/// shares with the tests have more of their features on.
fn program() -> &'static Path {
    static PROGRAM: LazyLock<&Path> = LazyLock::new(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--release", "--locked", "--quiet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "cargo build --release");
        Path::new(env!("CARGO_BIN_EXE_safe-test"))
    });
    &PROGRAM
}

/// The second of two guarded runs between which nothing was written, against the first.
pub(crate) fn second_run(project: Project) -> Contest {
    let (first, second, between) = (project.clone(), project.clone(), project.clone());
    let guarded = |project: Project| Runner::new(move || project.safe_test(&["-q", "true"]));
    Contest::new(
        guarded(first).after(move || project.forget_snapshots()),
        guarded(second).after(move || assert!(between.snapshots() <= 1, "the second run took a snapshot of its own")),
    )
}
