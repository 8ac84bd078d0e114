//! What a project's policy says of commands.

use super::{TOUCHING, ask, from_claude, reason};
use crate::support::Sandbox;
use crate::terminal::Terminal;

const POLICY: &str = ".safe-test.toml";

fn is_allowed(sandbox: &Sandbox, line: &str) -> bool {
    ask(sandbox, &["hook"], from_claude(sandbox, line)).expect_code(0).stdout.is_empty()
}

#[test]
fn what_tightens_counts_at_once_and_what_loosens_with_approval() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{ "scripts": { "test:unit": "jest --selectProjects unit" } }"#);
    assert!(!is_allowed(&sandbox, "npm run test:unit") && is_allowed(&sandbox, "./go.sh"));
    sandbox.write(POLICY, "[commands]\nplain = [\"npm run test:unit\"]\nguard = [\"./go.sh\"]\n");
    assert!(!is_allowed(&sandbox, "npm run test:unit") && !is_allowed(&sandbox, "./go.sh"));
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    let said = terminal.read_until("exactly this content:");
    assert!(said.contains("line 2: commands.plain = [\"npm run test:unit\"]"), "{said}");
    terminal.type_in("trust\n");
    assert_eq!(terminal.end().1, (0, -1), "{said}");
    assert!(is_allowed(&sandbox, "npm run test:unit") && !is_allowed(&sandbox, "./go.sh"));
    assert!(!is_allowed(&sandbox, TOUCHING));
    sandbox.write(POLICY, "[commands]\nplain = [\"npm run test:unit\", \"npx prisma\"]\n");
    assert!(!is_allowed(&sandbox, "npm run test:unit"), "another content counts as approved");
}

#[test]
fn no_job_reviews_a_policy_for_an_agent() {
    let mut sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{ "scripts": { "test:unit": "jest" } }"#);
    sandbox.write(POLICY, "[commands]\nplain = [\"npm run test:unit\"]\n");
    sandbox.git_init();
    sandbox.set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "7");
    assert!(!is_allowed(&sandbox, "npm run test:unit"));
}

#[test]
fn with_a_policy_that_cannot_be_read_the_table_alone_decides() {
    let sandbox = Sandbox::new();
    sandbox.write(POLICY, "[commands]\nplains = []\n");
    assert!(reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING))).contains("safe-test npx"));
    let outcome = ask(&sandbox, &["hook"], from_claude(&sandbox, "ls -la")).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("not judged, and allowed: .safe-test.toml:2: unknown key"), "{}", outcome.stderr);
    let log = std::fs::read_to_string(sandbox.backups().join("audit.log")).unwrap();
    assert!(log.contains("\"event\":\"command-unjudged\""), "{log}");
}

#[test]
fn a_reason_shows_no_way_round_and_nothing_out_of_files() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{ "scripts": { "sneaky": "npx prisma migrate reset --hidden-in-the-file" } }"#);
    sandbox.write(POLICY, "[commands]\nguard = [\"./go.sh\"]\n");
    for line in [TOUCHING, "npm run sneaky", "./go.sh", "docker compose down -v", "docker volume rm shop_data"] {
        let told = reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, line)).expect_code(0));
        for way in
            ["toml", "policy", "[commands]", "plain", "trust", "rename", "--agent", "hidden-in-the-file", "hooks"]
        {
            assert!(!told.contains(way), "{line}: {way} in {told}");
        }
        assert!(told.contains("stop") && told.contains("tell the person"), "{told}");
    }
}

#[test]
fn lines_for_powershell_are_judged_as_far_as_they_are_understood() {
    let payload =
        |line: &str| serde_json::json!({ "tool_name": "PowerShell", "tool_input": { "command": line } }).to_string();
    let sandbox = Sandbox::new();
    let told = reason(&ask(
        &sandbox,
        &["hook"],
        payload("cd app; $env:CI='1'; npx.cmd prisma migrate reset --force | Out-Null"),
    ));
    assert!(
        told.contains("\ncd app; $env:CI='1'; safe-test npx.cmd prisma migrate reset --force | Out-Null\n"),
        "{told}"
    );
    assert_eq!(ask(&sandbox, &["hook"], payload("Get-ChildItem -Force")).expect_code(0).stdout, "");
    let unclear = payload("if ($x) { npx prisma migrate reset }");
    let outcome = ask(&sandbox, &["hook"], &unclear).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("PowerShell is not understood"), "{}", outcome.stderr);
    sandbox.write(POLICY, "[guard]\nmode = \"strict\"\n");
    assert!(reason(&ask(&sandbox, &["hook"], &unclear)).contains("could not be judged"));
}
