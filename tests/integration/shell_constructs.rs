//! What a script does to variables and commands by the shell's own means: what cannot be told is never safe, and what names
//! no database does no harm.

use crate::support::{Judged, Sandbox};

const REMOTE: &str = "db.northwind-shop.net";

/// A script of a project whose environment says `AREA=localhost`, in which a database on this machine is named, too.
fn sandbox(script: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.set("AREA", "localhost");
    sandbox.write("run.sh", format!("#!/bin/bash\npsql -h localhost own_test\n{}", script.replace("REMOTE", REMOTE)));
    sandbox
}

/// Constructs that change `AREA` before what follows, with `…` in the place of what uses it.
const CHANGES: &[&str] = &[
    "for AREA in REMOTE; do …\ndone",
    "for AREA in REMOTE\ndo\n…\ndone",
    "select AREA in REMOTE; do …\ndone",
    "read AREA <<EOF\nREMOTE\nEOF\n…",
    "echo REMOTE | while IFS= read -r AREA; do …\ndone",
    "read -p host -r AREA\n…",
    "f() { local AREA=REMOTE\n…\n}\nf",
    "f() { local AREA\n…\n}\nf",
    "declare AREA=REMOTE\n…",
    "typeset -x AREA=REMOTE\n…",
    "readonly AREA=REMOTE\n…",
    "printf -v AREA %s REMOTE\n…",
    "mapfile -t AREA <areas\n…",
    "getopts a:b: AREA\n…",
    "AREA=db.northwind-shop.; AREA+=net\n…",
    "AREA=(REMOTE)\n…",
    "AREA[0]=REMOTE\n…",
    "let AREA=1\n…",
    "AREA=$(cat area)\n…",
];

#[test]
fn a_variable_that_a_script_changes_is_not_what_the_environment_says() {
    for change in CHANGES {
        for (use_of_it, dotenv) in [
            ("psql -h \"$AREA\" shop_test", None),
            ("psql \"postgres://$AREA/shop_test\"", None),
            ("DATABASE_URL=postgres://$AREA/shop_test npx jest", None),
            ("npx jest", Some("DATABASE_URL=postgres://app@${AREA:-localhost}/shop_test\n")),
        ] {
            let sandbox = sandbox(&change.replace('…', use_of_it));
            if let Some(dotenv) = dotenv {
                sandbox.write("package.json", r#"{"devDependencies": {"dotenv": "16", "dotenv-expand": "11"}}"#);
                sandbox.write(".env", dotenv);
            }
            let judged = Judged::of(&sandbox, &["./run.sh"]);
            assert_ne!(judged.verdict(), "safe", "{change} {use_of_it}: {:#}", judged.json);
        }
    }
}

#[test]
fn a_variable_that_is_taken_away_leaves_its_default() {
    for take in ["unset AREA\nnpx jest", "env -u AREA npx jest"] {
        let sandbox = sandbox(take);
        sandbox.write("package.json", r#"{"devDependencies": {"dotenv": "16", "dotenv-expand": "11"}}"#);
        sandbox.write(".env", format!("DATABASE_URL=postgres://app@${{AREA:-{REMOTE}}}/shop_test\n"));
        let judged = Judged::of(&sandbox, &["./run.sh"]);
        assert_ne!(judged.verdict(), "safe", "{take}: {:#}", judged.json);
    }
}

#[test]
fn what_the_environment_files_say_is_not_hidden_by_a_variable_that_may_never_reach_the_command() {
    let sandbox = sandbox("read DATABASE_URL\nnpx jest");
    sandbox.write("package.json", r#"{"devDependencies": {"dotenv": "16"}}"#);
    sandbox.write(".env", format!("DATABASE_URL=postgres://app@{REMOTE}/shop\n"));
    assert_eq!(Judged::of(&sandbox, &["./run.sh"]).verdict(), "production");
}

#[test]
fn commands_that_a_script_hides_are_found_or_told() {
    for script in [
        "function f { psql -h REMOTE shop_test; }\nf",
        "function f() {\npsql -h REMOTE shop_test\n}\nf",
        "function f\n{\npsql -h REMOTE shop_test\n}\nf",
        "f() { psql \"$@\"; }\nf -h REMOTE shop_test",
        "bash -c 'psql \"$@\"' x -h REMOTE",
        "bash -c 'psql -h $1 shop_test' x REMOTE",
        "coproc psql -h REMOTE shop_test",
        "coproc P { psql -h REMOTE shop_test; }",
        "trap 'psql -h REMOTE shop_test' EXIT",
        "alias p='psql -h REMOTE'\np shop_test",
        "alias p=psql\np -h REMOTE shop_test",
        "echo 'psql -h REMOTE shop_test' | sh",
        "echo 'psql -h REMOTE shop_test' | bash -s -- x",
        "sh <other",
        "bash <<<'psql -h REMOTE shop_test'",
        "cat <<EOF\n$(psql -h REMOTE shop_test)\nEOF",
        "cat <<EOF\n`psql -h REMOTE shop_test`\nEOF",
        "cat <<<\"$(psql -h REMOTE shop_test)\"",
        "make -Csub",
        "make -sC sub",
        "make -fsub/Makefile",
        "just deploy",
    ] {
        let sandbox = sandbox(script);
        sandbox.write("sub/Makefile", format!("all:\n\tpsql -h {REMOTE} shop_test\n"));
        sandbox.write("justfile", format!("set export\nAREA := '{REMOTE}'\ndeploy:\n\tpsql -h \"$AREA\" shop_test\n"));
        let judged = Judged::of(&sandbox, &["./run.sh"]);
        assert_ne!(judged.verdict(), "safe", "{script}: {:#}", judged.json);
    }
    let judged = Judged::of(&sandbox("psql \"$@\""), &["./run.sh", "-h", REMOTE]);
    assert_eq!(judged.verdict(), "production");
}

#[test]
fn constructs_that_touch_no_database_stay_safe() {
    for script in [
        "read -r NAME\nfor d in a b; do echo $d; done\nlocal X=1\npsql -h \"$AREA\" shop_test",
        "trap 'rm -f $tmp' EXIT INT\npsql -h \"$AREA\" shop_test",
        "cat <<'EOF'\n$(psql -h REMOTE x)\nEOF\npsql -h \"$AREA\" shop_test",
        "cat <<EOF\n\\$(psql -h REMOTE x)\nEOF\npsql -h \"$AREA\" shop_test",
        "bash <<EOF\npsql -h \"$AREA\" shop_test\nEOF",
        "function f { psql -h \"$AREA\" shop_test; }\nf",
        "alias ll='ls -l'\nll\npsql -h \"$AREA\" shop_test",
        "bash -c 'psql -h localhost \"$@\"' x shop_test",
        "read AREA\nAREA=localhost\npsql -h localhost shop_test",
    ] {
        let judged = Judged::of(&sandbox(script), &["./run.sh"]);
        assert_eq!(judged.verdict(), "safe", "{script}: {:#}", judged.json);
    }
}
