//! A machine with a network of its own, and another machine beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{Outcome, Sandbox};

/// A project whose databases at 127.0.0.1:5432 and [::1]:5432 are left to the policy, so that they are cleared; all else
/// that listens in this world is not.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
}

impl World {
    pub(super) fn new() -> Self {
        World::with_policy("")
    }

    /// A world whose project has these settings in its policy besides.
    pub(super) fn with_policy(settings: &str) -> Self {
        let mut sandbox = Sandbox::new();
        let databases = ["postgres://app@127.0.0.1:5432/app_test", "postgres://app@[::1]:5432/app_test"];
        sandbox.write(
            ".env",
            format!("APP_ENV=testing\nDATABASE_URL={}\nTEST_DATABASE_URL={}\n", databases[0], databases[1]),
        );
        sandbox.write(".safe-test.toml", format!("[snapshots]\nskip = {databases:?}\n{settings}"));
        sandbox.git_init();
        sandbox.set("CI", "true").set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "71");
        World { sandbox }
    }

    /// The world of a project that is there already.
    pub(super) fn around(sandbox: Sandbox) -> Self {
        World { sandbox }
    }

    /// Runs a shell script under safe-test as a program that nobody reads beforehand.
    pub(super) fn guarded_unread(&self, script: &str) -> Outcome {
        self.sandbox.write("script", script);
        self.sandbox.tool("unread", "#!/usr/bin/env python3\nimport os\nos.execvp('sh', ['sh', 'script'])\n");
        self.run(&[], &[env!("CARGO_BIN_EXE_safe-test"), "unread"])
    }

    /// Runs a shell script under safe-test, with the probes on `PATH`.
    pub(super) fn guarded(&self, script: &str) -> Outcome {
        self.run(&[], &[env!("CARGO_BIN_EXE_safe-test"), "sh", "-c", script])
    }

    /// The same where neither the command nor safe-test has any privilege.
    pub(super) fn guarded_unprivileged(&self, script: &str) -> Outcome {
        let drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];
        self.run(&drop, &[env!("CARGO_BIN_EXE_safe-test"), "sh", "-c", script])
    }

    /// Runs a shell script without safe-test.
    pub(super) fn bare(&self, script: &str) -> Outcome {
        self.run(&[], &["sh", "-c", script])
    }

    pub(super) fn run(&self, prefix: &[&str], words: &[&str]) -> Outcome {
        for (name, built) in probes() {
            self.sandbox.tool(name, &format!("#!/bin/sh\nexec '{}' \"$@\"\n", built.display()));
        }
        for log in ["cleared.log", "inside.log", "outside.log", "plain.sock"] {
            let _ = fs::remove_file(self.folder().join(log));
        }
        let mut command = self.sandbox.program("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let world = fixture("world.sh");
        command.arg("--net").arg(world).arg(self.folder()).args(prefix).args(words);
        Outcome::of(&mut command)
    }

    fn folder(&self) -> PathBuf {
        self.sandbox.temporary()
    }

    /// Whom the other machine's servers were reached by, each address once.
    pub(super) fn reached_outside(&self) -> BTreeSet<String> {
        self.log("outside.log")
    }

    /// Which of this machine's servers were reached that are not cleared.
    pub(super) fn reached_inside(&self) -> BTreeSet<String> {
        self.log("inside.log")
    }

    fn log(&self, name: &str) -> BTreeSet<String> {
        let text = fs::read_to_string(self.folder().join(name)).unwrap();
        text.lines().filter(|line| *line != "ready").map(str::to_owned).collect()
    }
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/guard").join(name)
}

/// A program that the tests build, once for each way of linking it.
#[derive(Debug, Clone, Copy)]
enum Probe {
    Shared,
    Static,
    /// Of 32-bit x86, without a C library.
    Narrow,
}

impl Probe {
    /// Its name, its source, and what the compiler is told.
    fn recipe(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Probe::Shared => ("probe", "probe.c", &["-pthread"]),
            Probe::Static => ("static-probe", "probe.c", &["-pthread", "-static"]),
            Probe::Narrow => (
                "narrow-probe",
                "narrow.c",
                &["-m32", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"],
            ),
        }
    }

    fn all() -> impl Iterator<Item = Probe> {
        let narrow = cfg!(target_arch = "x86_64").then_some(Probe::Narrow);
        [Probe::Shared, Probe::Static].into_iter().chain(narrow)
    }

    fn build(self) -> PathBuf {
        let (name, source, flags) = self.recipe();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let built = folder.join(name);
        // Several test programs may build it at once.
        let making = folder.join(format!("{name}.{}", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-o"]).arg(&making).args(flags).arg(fixture(source));
        Outcome::of(&mut compiler).expect_code(0);
        fs::rename(&making, &built).unwrap();
        built
    }
}

/// The probes' names, and where each was built.
fn probes() -> &'static [(&'static str, PathBuf)] {
    static BUILT: OnceLock<Vec<(&'static str, PathBuf)>> = OnceLock::new();
    BUILT.get_or_init(|| Probe::all().map(|probe| (probe.recipe().0, probe.build())).collect())
}
