//! Command lines and policies that are wrong.

use crate::support::Sandbox;

#[test]
fn a_missing_command_is_127_and_costs_no_snapshot() {
    let mut sandbox = Sandbox::with_sqlite();
    // A folder that the tester may not look into would make it 126, as it does for `env`.
    sandbox.set("PATH", "/usr/bin:/bin");
    let outcome = sandbox.run(&["no-such-program", "--flag"]);
    sandbox.expect_not_run(&outcome, 127, &["command not found: no-such-program", "hint: "]);
    assert!(!sandbox.backups().exists());
}

#[test]
fn a_file_that_is_no_program_is_126() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("notes.txt", "no program\n");
    sandbox.expect_not_run(&sandbox.run(&["./notes.txt"]), 126, &["./notes.txt"]);
    sandbox.expect_not_run(&sandbox.run(&["./backups/.."]), 127, &["./backups/.."]);
}

#[test]
fn a_folder_that_is_not_there_is_125() {
    let sandbox = Sandbox::with_sqlite();
    let outcome = sandbox.run(&["-C", "nowhere", "./suite"]);
    sandbox.expect_not_run(&outcome, 125, &["cannot use the folder", "nowhere", "No such file or directory"]);
    let outcome = sandbox.run(&["-C", "suite", "./suite"]);
    sandbox.expect_not_run(&outcome, 125, &["cannot use the folder", "Not a directory"]);
}

#[test]
fn wrong_usage_is_125_and_says_that_nothing_was_run() {
    let sandbox = Sandbox::with_sqlite();
    let cases: [(&[&str], &str); 8] = [
        (&["--nope", "./suite"], "--nope"),
        (&["--force", "./suite"], "--force"),
        (&[], "a command to guard"),
        (&["--restore", "sometimes", "./suite"], "sometimes"),
        (&["--format", "xml", "./suite"], "xml"),
        (&["list", "extra"], "extra"),
        (&["verify", "some", "--all"], "--all"),
        (&["log", "burn"], "burn"),
    ];
    for (arguments, says) in cases {
        let outcome = sandbox.run(arguments).expect_code(125);
        assert!(outcome.stderr.contains(says), "{arguments:?}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().last(), Some("  nothing was run"), "{arguments:?}");
        assert_eq!(outcome.stdout, "");
    }
    assert!(!sandbox.has_run());
}

#[test]
fn wrong_usage_is_said_like_every_other_failure() {
    let sandbox = Sandbox::with_sqlite();
    let outcome = sandbox.run(&["list", "--formt", "json"]).expect_code(125);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let expected = [
        "safe-test: `safe-test list` has no option `--formt`",
        "  hint: did you mean `--format`?",
        "  nothing was run",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn failures_before_the_command_are_json_where_that_was_asked_for() {
    let sandbox = Sandbox::with_sqlite();
    let cases: [(&[&str], &str, u64); 6] = [
        (&["--format", "json", "--nope", "./suite"], "nothing was run", 125),
        (&["list", "extra", "--format=json"], "nothing was run", 125),
        (&["--format", "json"], "nothing was run", 125),
        (&["-C", "nowhere", "list", "--format", "json"], "nothing was changed", 125),
        (&["-C", "nowhere", "check", "--format", "json"], "nothing was judged", 125),
        (&["--format", "json", "chekc"], "the command was not run", 125),
    ];
    for (arguments, message, status) in cases {
        let outcome = sandbox.run(arguments).expect_code(125);
        let failed: serde_json::Value = serde_json::from_str(&outcome.stderr)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", outcome.stderr));
        assert_eq!(failed["event"], "failed", "{failed}");
        assert_eq!((failed["message"].as_str(), failed["exit"].as_u64()), (Some(message), Some(status)), "{failed}");
    }
}

#[test]
fn every_failure_of_a_subcommand_says_what_to_do_next() {
    let sandbox = Sandbox::with_sqlite();
    for (arguments, hint, not_done) in [
        (&["-C", "nowhere", "check"][..], "leave `-C` out", "nothing was judged"),
        (&["-C", "nowhere", "list"], "leave `-C` out", "nothing was changed"),
        (&["trust"], "nothing needs approval", "nothing was changed"),
        (&["hooks", "install"], "`git init` makes one", "nothing was changed"),
    ] {
        let outcome = sandbox.run(arguments).expect_code(125);
        let hints: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("  hint: ")).collect();
        assert!(hints.iter().any(|said| said.contains(hint)), "{arguments:?}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().last(), Some(format!("  {not_done}").as_str()), "{arguments:?}");
    }
    let outcome = sandbox.run(&["--env-file", "nowhere.env", "./suite"]);
    sandbox.expect_not_run(
        &outcome,
        120,
        &["nowhere.env: `--env-file` names it, and it is not there", "or leave it out"],
    );
}

#[test]
fn a_quiet_doctor_says_only_what_is_wrong() {
    let sandbox = Sandbox::with_sqlite();
    assert_eq!(sandbox.run(&["doctor", "-q"]).expect_code(0).stdout, "");
    sandbox.write("backups", "no folder");
    let outcome = sandbox.run(&["doctor", "-q"]).expect_code(125);
    assert!(outcome.stdout.contains("BAD"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("ok  "), "{}", outcome.stdout);
}

#[test]
fn a_damaged_log_is_told_with_what_to_do_next() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    assert_eq!(sandbox.run(&["log", "verify"]).expect_code(0).stderr, "");
    let log = sandbox.read("backups/audit.log").replacen("\"safe\"", "\"evil\"", 1);
    sandbox.write("backups/audit.log", log);
    let outcome = sandbox.run(&["log", "verify"]).expect_code(125);
    assert!(outcome.stderr.contains("hint: `safe-test log` shows the lines"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`safe-test log accept`"), "{}", outcome.stderr);
}

#[test]
fn a_mistyped_subcommand_is_told_unless_a_program_has_that_name() {
    let sandbox = Sandbox::with_sqlite();
    let outcome = sandbox.run(&["chekc", "-v"]);
    let says = ["`chekc` is neither a program on PATH nor a subcommand", "hint: did you mean `safe-test check`?"];
    sandbox.expect_not_run(&outcome, 125, &says);
    sandbox.expect_not_run(&sandbox.run(&["--", "chekc"]), 127, &["command not found: chekc"]);
    sandbox.expect_not_run(&sandbox.run(&["./chekc"]), 127, &["./chekc"]);
    sandbox.recording_tool("chekc", "exit 3");
    sandbox.run(&["chekc", "-v"]).expect_code(3);
    assert_eq!(sandbox.calls("chekc"), ["-v"]);
}

#[test]
fn what_was_typed_is_said_again_without_passwords_and_cannot_drive_the_terminal() {
    let sandbox = Sandbox::with_sqlite();
    for arguments in [
        &["check", "postgres://app:Tr0ub4dor@127.0.0.1/app_test"][..],
        &["postgres://app:Tr0ub4dor@127.0.0.1/app_test"],
        &["--format", "postgres://app:Tr0ub4dor@127.0.0.1/app_test", "./suite"],
        &["restore", "postgres://app:Tr0ub4dor@127.0.0.1/app_test"],
        &["list", "a\u{1b}[2Jb"],
        &["check", "a\u{1b}[2Jb"],
    ] {
        for format in ["text", "json"] {
            let outcome = sandbox.run(&[&["--format", format], arguments].concat());
            assert!(!outcome.stderr.contains("Tr0ub4dor"), "{arguments:?}\n{}", outcome.stderr);
            assert!(!outcome.stderr.contains('\u{1b}'), "{arguments:?}\n{}", outcome.stderr);
            assert_eq!(outcome.stdout, "");
        }
    }
}

#[test]
fn help_and_version_go_to_standard_output_and_look_at_nothing() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write(".safe-test.toml", "broken");
    for (arguments, says) in [
        (&["--help"][..], "Examples:"),
        (&["help"], "Subcommands:"),
        (&["help", "check"], "safe-test check -v -- npm test"),
        (&["restore", "--help"], "safe-test restore --yes"),
        (&["version"], "safe-test 0"),
        (&["--version"], "safe-test 0"),
    ] {
        let outcome = sandbox.run(arguments).expect_code(0);
        assert!(outcome.stdout.contains(says), "{arguments:?}\n{}", outcome.stdout);
        assert_eq!(outcome.stderr, "", "{arguments:?}");
    }
    assert!(!sandbox.backups().exists());
}

#[test]
fn an_unknown_snapshot_is_125_for_every_subcommand_that_takes_one() {
    let sandbox = Sandbox::with_sqlite();
    for arguments in [&["restore", "nope"][..], &["verify", "nope"], &["verify", "backups/nope.dump"]] {
        let outcome = sandbox.run(arguments).expect_code(125);
        assert!(outcome.stderr.contains("there is no snapshot"), "{arguments:?}\n{}", outcome.stderr);
        assert!(outcome.stderr.contains("hint: `safe-test list`"), "{arguments:?}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"), "{arguments:?}");
    }
    assert!(!sandbox.backups().exists());
}

#[test]
fn a_broken_policy_is_125_and_named_with_its_line() {
    let cases: [(&[u8], &[&str]); 6] = [
        (b"[snapshots\n", &[".safe-test.toml:1: "]),
        (
            b"[run]\nrestore = \"never\"\n[snapshot]\n",
            &[".safe-test.toml:3: unknown key `snapshot`", "did you mean `snapshots`?"],
        ),
        (b"[snapshots]\nkeep_last = \"ten\"\n", &[".safe-test.toml:2: ", "`snapshots.keep_last`"]),
        (b"[snapshots]\nkeep_last = 0\n", &[".safe-test.toml:2: "]),
        (b"[run]\nrestore = \"sometimes\"\n", &[".safe-test.toml:2: "]),
        (b"[run]\n# \xff\n", &[".safe-test.toml", "utf-8"]),
    ];
    for (policy, says) in cases {
        let sandbox = Sandbox::with_sqlite();
        sandbox.write(".safe-test.toml", policy);
        sandbox.expect_not_run(&sandbox.guarded(), 125, says);
        for subcommand in ["list", "prune", "restore"] {
            let outcome = sandbox.run(&[subcommand]).expect_code(125);
            assert_eq!(outcome.stderr.lines().last(), Some("  nothing was changed"));
        }
    }
}
