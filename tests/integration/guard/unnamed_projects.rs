//! Made-up projects whose database nothing names: their commands go on under the guard, and dial what the files hide.

use std::fs;

use serde_json::Value;

use super::world::World;
use crate::projects::{Project, all_cases};

/// What the commands connect to in place of the database that their project hides: a server of each engine on another
/// machine, and one on this machine that nobody saved.
const HIDDEN: [&str; 5] = ["10.0.0.1 5432", "10.0.0.1 3306", "10.0.0.1 1433", "10.0.0.1 27017", "10.0.0.2 5432"];

/// Where the case goes on for want of a name, runs it with a program in place of its command that connects to each of
/// `HIDDEN`; gives what is wrong. `None` for a case that is safe, or that does not go on.
fn dial(case: &Value) -> Option<Result<(), String>> {
    let project = Project::of(case);
    let judged = project.judged();
    if judged.verdict() == "safe" || judged.json["run"] != "goes" {
        return None;
    }
    let (folder, command) = (project.folder, project.command);
    let mut world = World::around(project.sandbox);
    // What else the project names on this machine is not up yet.
    world.sandbox.set("QUIET_LOOPBACK", "1");
    let script = HIDDEN.map(|address| format!("probe tcp {address}\n")).concat();
    let dialling = world.sandbox.temporary().join("dial");
    fs::write(&dialling, script).unwrap();
    // `python3` may be a script of bash, whose place the program takes in one case.
    let python = world.sandbox.program("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let python = String::from_utf8(python.stdout).unwrap();
    world.sandbox.tool("python3", &format!("#!/bin/sh\nexec {} \"$@\"\n", python.trim_end()));
    // What it does, nobody reads beforehand.
    let program = format!("#!{python}import os\nos.execvp('sh', ['sh', '{}'])\n", dialling.display());
    match command[0].contains('/') {
        true => crate::support::write_program(&folder.join(&command[0]), &program, 0o755),
        false => drop(world.sandbox.tool(&command[0], &program)),
    }
    let safe_test = [env!("CARGO_BIN_EXE_safe-test"), "-C", folder.to_str().unwrap(), "--"];
    let words: Vec<&str> = safe_test.into_iter().chain(command.iter().map(String::as_str)).collect();
    let outcome = world.run(&[], &words);
    let is_held = outcome.code() == Some(120)
        && outcome.stdout == "tcp EACCES\n".repeat(HIDDEN.len())
        && world.reached_outside().is_empty()
        && world.reached_inside().is_empty();
    Some(if is_held { Ok(()) } else { Err(format!("{}: {outcome:?}", case["name"])) })
}

#[test]
fn a_project_without_a_name_reaches_no_database_that_its_files_hide() {
    let cases = all_cases();
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().filter_map(dial).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(results.len() >= 30, "only {} go on", results.len());
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_they_dial_is_there_to_be_reached() {
    let world = World::new();
    let script = HIDDEN.map(|address| format!("probe tcp {address}\n")).concat();
    let outcome = world.bare(&script).expect_code(0);
    assert_eq!(outcome.stdout, "tcp connected\n".repeat(HIDDEN.len()), "without the guard");
}
