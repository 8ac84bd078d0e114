//! What the guard costs while a command runs, against the same command without it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::compare::{Contest, Runner};
use crate::postgres::{Data, with_database};
use crate::project::Project;
use crate::server::Postgres;
use crate::sqlite;

/// How many connections are measured at a time.
pub(crate) const CONNECTIONS: u32 = 20_000;

/// Connections to loopback, guarded and not.
pub(crate) fn connections() -> Contest {
    let project = Project::new("guard-connections");
    project.write("package.json", "{}");
    let program = compiled();
    let (other, ours) = (project.clone(), project);
    let shown = program.display().to_string();
    Contest::new(
        Runner::new(move || {
            let mut command = other.command(&program);
            command.arg(CONNECTIONS.to_string());
            command
        }),
        Runner::new(move || ours.safe_test(&["-q", &shown, &CONNECTIONS.to_string()])),
    )
}

/// A command that does nothing, with the guard and without. Both have a policy that somebody approved: to read one costs more
/// than to have none.
pub(crate) fn start() -> Contest {
    let project = |name: &str, guard: &str| {
        let project = Project::new(name);
        project.write("package.json", "{}");
        with_policy(&project, guard);
        project
    };
    let (with, without) = (project("guard-start", ON), project("guard-start-off", OFF));
    Contest::new(
        Runner::new(move || without.safe_test(&["-q", "true"])),
        Runner::new(move || with.safe_test(&["-q", "true"])),
    )
}

/// Cargo builds a package of its own from nothing: some seconds, as a small one takes.
pub(crate) fn cargo_build() -> Contest {
    const FUNCTIONS: usize = 5000;
    let project = Project::new("guard-cargo");
    project.write("Cargo.toml", "[package]\nname = \"small\"\nedition = \"2024\"\n[workspace]\n");
    let functions: String = (0..FUNCTIONS).map(|n| format!("fn f{n}(n: u64) -> u64 {{ n * {n} + 1 }}\n")).collect();
    let calls: String = (0..FUNCTIONS).map(|n| format!("sum += f{n}(sum % 7);\n")).collect();
    project.write(
        "src/main.rs",
        &format!("{functions}fn main() {{ let mut sum = 0u64;\n{calls}println!(\"{{sum}}\"); }}\n"),
    );
    everyday_work(project, "cargo", &["build", "--offline", "--quiet"], "target")
}

/// npm installs what a lock file names, all of it from files: a hundred packages of twenty files.
pub(crate) fn npm_ci() -> Contest {
    const PACKAGES: usize = 100;
    let project = Project::new("guard-npm");
    let mut names = Vec::new();
    for package in 0..PACKAGES {
        project.write(
            &format!("packed/p{package}/package/package.json"),
            &format!("{{\"name\": \"p{package}\", \"version\": \"1.0.0\"}}"),
        );
        for file in 0..20 {
            let text = format!("module.exports = {file};\n").repeat(50);
            project.write(&format!("packed/p{package}/package/lib/{file}.js"), &text);
        }
        let mut pack = project.command("tar");
        pack.args(["-czf", &format!("packed/p{package}.tgz"), "-C", &format!("packed/p{package}"), "package"]);
        assert!(pack.status().unwrap().success());
        names.push(format!("\"p{package}\": \"file:packed/p{package}.tgz\""));
    }
    project.write("package.json", &format!("{{\"dependencies\": {{{}}}}}", names.join(", ")));
    let mut lock = project.command("npm");
    lock.args(["install", "--package-lock-only", "--offline", "--silent"]);
    assert!(lock.status().unwrap().success());
    everyday_work(project, "npm", &["ci", "--offline", "--no-audit", "--no-fund", "--silent"], "node_modules")
}

/// A command that makes a folder, which is not there beforehand.
fn everyday_work(
    project: Project,
    program: &'static str,
    arguments: &'static [&'static str],
    made: &'static str,
) -> Contest {
    let remove = |project: &Project| {
        let made = project.folder().join(made);
        move || drop(std::fs::remove_dir_all(&made))
    };
    // The home folder is another than that in which `rustup` looks for what `cargo` is.
    let toolchain = ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN"].into_iter();
    let toolchain: Vec<_> = toolchain.filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
    let (bare, guarded) = (remove(&project), remove(&project));
    let (other, ours, same) = (project.clone(), project, toolchain.clone());
    Contest::new(
        Runner::new(move || {
            let mut command = other.command(program);
            command.args(arguments).envs(toolchain.iter().cloned());
            command
        })
        .after(bare),
        Runner::new(move || {
            let mut command = ours.safe_test(&["-q", "--", program]);
            command.args(arguments).envs(same.iter().cloned());
            command
        })
        .after(guarded),
    )
}

/// PostgreSQL's own benchmark, a connection for each transaction, with the guard and without: the database is judged, and
/// found unchanged, both times. It makes tables, so the database is its own.
pub(crate) fn pgbench() -> Contest {
    const DATA: Data = Data::Mixed(1);
    let server = Postgres::server();
    let (pgbench, port) = (server.program("pgbench").display().to_string(), server.port().to_string());
    let login = move |command: &mut Command| {
        command.env("PGPASSWORD", server.password()).env("PGHOST", "127.0.0.1").env("PGUSER", server.user());
        command.env("PGPORT", &port).env("PGDATABASE", DATA.database()).stderr(Stdio::null());
    };
    let run = |name: &str, guard: &str| {
        let project = with_database(name, DATA);
        with_policy(&project, guard);
        let (login, pgbench) = (login.clone(), pgbench.clone());
        Runner::new(move || {
            let mut command = project.safe_test(&["-q", &pgbench, "-C", "-S", "-n", "-t", "400"]);
            login(&mut command);
            command
        })
    };
    let contest = Contest::new(run("guard-pgbench-off", OFF), run("guard-pgbench", ON));
    let mut initialise = Project::new("guard-pgbench-initialise").command(&pgbench);
    login(&mut initialise);
    assert!(initialise.args(["-i", "-q"]).status().unwrap().success());
    contest
}

/// A guarded command on an unchanged database of 300 tables, against a dump of it.
pub(crate) fn unchanged_against_dump() -> Contest {
    let project = with_database("guard-unchanged", Data::Tables);
    let (other, ours) = (project.clone(), project.clone());
    assert!(project.safe_test(&["-q", "true"]).status().unwrap().success());
    Contest::new(
        Runner::new(move || {
            let server = Postgres::server();
            let mut command = other.command(server.program("pg_dump"));
            command.args(["-Fc", "-f", "plain.dump", "-h", "127.0.0.1", "-U", server.user(), "-p"]);
            command.arg(server.port().to_string()).arg(Data::Tables.database());
            command.env("PGPASSWORD", server.password());
            command
        }),
        Runner::new(move || ours.safe_test(&["-q", "true"])),
    )
}

/// A command on an unchanged SQLite database, with the guard and without.
pub(crate) fn unchanged_sqlite() -> Contest {
    let run = |name: &str, guard: &str| {
        let project = sqlite::with_database(name, 1);
        with_policy(&project, guard);
        assert!(project.safe_test(&["-q", "true"]).status().unwrap().success());
        Runner::new(move || project.safe_test(&["-q", "true"]))
    };
    Contest::new(run("guard-sqlite-off", OFF), run("guard-sqlite", ON))
}

/// A run without a name, in a project of two thousand files and in one of two: that of its files none is a database is found
/// out beside other work.
pub(crate) fn looking_through() -> Contest {
    let run = |name: &str, files: usize| {
        let project = Project::new(name);
        project.write("package.json", "{\"dependencies\": {\"pg\": \"8\"}}");
        for file in 0..files {
            // Of ten files one may be anything by its name, and two hold data.
            let ending = ["dat", "json", "json", "js"][(file % 10).min(3)];
            project.write(&format!("lib/part{}/file{file}.{ending}", file % 100), "module.exports = 1;\n");
        }
        Runner::new(move || project.safe_test(&["-q", "true"]))
    };
    Contest::new(run("guard-few-files", 1), run("guard-many-files", 2000))
}

/// The program that connects, compiled.
fn compiled() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench").join("connects");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-o"]).arg(&program).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/bench/connects.c"));
    assert!(compile.status().unwrap().success());
    program
}

/// A policy that leaves the guard as it is, and one that turns it off: both loosen.
const ON: &str = "allow = [\"10.1.2.3:5432\"]";
const OFF: &str = "mode = \"off\"";

/// Gives a project a policy of the guard's, and approves it.
fn with_policy(project: &Project, guard: &str) {
    project.write(".safe-test.toml", &format!("[guard]\n{guard}\n"));
    approve(project);
}

/// Approves the project's policy, as a person at a terminal does.
fn approve(project: &Project) {
    let trust = project.safe_test(&["trust"]);
    let program = trust.get_program().to_string_lossy().into_owned();
    let typed = format!("(sleep 1; echo trust; sleep 1) | script -qec '{program} trust' /dev/null");
    let mut shell = project.command("/bin/sh");
    let status = shell.args(["-c", &typed]).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "the policy was not approved");
}
