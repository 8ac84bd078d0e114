use std::path::Path;

use super::*;
use crate::environment::Origin;
use crate::environment::memory::MemoryFiles;

fn shown(command: &str, files: &[(&str, &str)]) -> Vec<String> {
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let words: Vec<OsString> = simple_words(command).into_iter().map(OsString::from).collect();
    steps(&words, &project, &MemoryFiles::new(files), &Gaps::default())
        .into_iter()
        .filter(|step| !step.stands_for_others)
        .map(|step| {
            let pairs = step.invocation.assignments.iter().map(|(name, value)| format!("{name}={value}"));
            pairs.chain(step.invocation.words.iter().cloned()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn simple_words(command: &str) -> Vec<String> {
    let mut command = shell_text::read(command).commands.remove(0);
    let mut words: Vec<String> = command.assignments.drain(..).map(|(name, value)| format!("{name}={value}")).collect();
    words.append(&mut command.words);
    words
}

const PACKAGE: (&str, &str) = (
    "/p/package.json",
    r#"{"scripts": {"test": "cross-env NODE_ENV=test jest", "pretest": "npm run db:reset", "db:reset": "dotenv -e .env.test -- prisma migrate reset", "loop": "npm run loop"}}"#,
);

#[test]
fn command_is_followed_to_what_it_stands_for() {
    let table: &[(&str, &[&str])] = &[
        ("pytest -q", &["pytest -q"]),
        ("env -i -u X A=1 B=2 pytest", &["A=1 B=2 pytest"]),
        ("env -S 'A=1 pytest -q'", &["A=1 pytest -q"]),
        ("sudo -u x env A=1 timeout 5 pytest", &["A=1 pytest"]),
        ("sh -c 'cd sub && A=1 pytest; jest'", &["A=1 pytest", "jest"]),
        ("bash -lc \"npx jest\"", &["jest"]),
        ("cross-env A=1 B=2 jest", &["A=1 B=2 jest"]),
        ("cross-env-shell A=1 'jest && mocha'", &["A=1 jest", "A=1 mocha"]),
        ("npm test -- --watch x", &["NODE_ENV=test jest --watch x", "prisma migrate reset"]),
        ("yarn db:reset", &["prisma migrate reset"]),
        ("pnpm run db:reset", &["prisma migrate reset"]),
        ("bun test", &["bun test"]),
        ("npm install", &["npm install"]),
        ("npm run nothing", &["npm run nothing"]),
        ("bundle exec rails test", &["rails test"]),
        ("poetry run python -m pytest", &["python -m pytest"]),
        ("docker compose run -e A=1 app rspec", &["A=1 rspec"]),
        ("make -C sub e2e ENV=ci", &["ENV=ci ENV=ci jest"]),
        ("just it", &["cargo test"]),
        ("composer test", &["APP_ENV=testing php artisan test"]),
        ("./run.sh", &["./run.sh", "A=1 jest"]),
        ("concurrently 'a b' c", &["a b", "c"]),
        ("mise run it", &["A=1 B=2 C=3 jest", "A=1 B=2 before"]),
        ("mise exec -- jest", &["A=1 B=2 jest"]),
        ("task it", &["A=1 B=2 jest", "A=1 before"]),
        ("just --dotenv-path .env.x it", &["cargo test"]),
        ("script -qc 'A=1 jest' /dev/null", &["A=1 jest"]),
        ("start-server-and-test db:reset http://localhost:3000 loop", &["prisma migrate reset"]),
        ("env-cmd -e ci,more jest", &["A=1 B=2 jest"]),
        ("env-cmd -r other.json -e ci jest", &["A=3 jest"]),
        ("direnv exec sub jest", &["A=1 B=2 jest"]),
    ];
    let files = [
        PACKAGE,
        ("/p/sub/Makefile", "e2e:\n\tENV=$(ENV) jest\n"),
        ("/p/justfile", "it:\n  cargo test\n"),
        ("/p/composer.json", r#"{"scripts": {"test": ["@putenv APP_ENV=testing", "@php artisan test"]}}"#),
        ("/p/.env-cmdrc", r#"{"ci": {"A": "1"}, "more": {"B": "2"}, "production": {"A": "x"}}"#),
        ("/p/other.json", r#"{"ci": {"A": "3"}}"#),
        ("/p/sub/.envrc", "export A=1\nexport B=\"2\"\nPATH_add bin\n"),
        (
            "/p/mise.toml",
            "[env]\nA = '1'\nB = 2\n[tasks.it]\ndepends = ['first']\nenv = {C = '3'}\nrun = ['jest']\n[tasks.first]\nrun = 'before'\n",
        ),
        (
            "/p/Taskfile.yml",
            "env: {A: 1}\ntasks:\n  it:\n    deps: [first]\n    env:\n      B: 2\n    cmds:\n      - jest\n  first: before\n",
        ),
        ("/p/run.sh", "#!/usr/bin/env bash\nset -e\nexport A=1\njest\n"),
    ];
    for (command, expected) in table {
        let mut found = shown(command, &files);
        found.retain(|line| line != "set -e");
        assert_eq!(found, *expected, "{command}");
    }
}

#[test]
fn script_that_names_itself_ends() {
    assert!(shown("npm run loop", &[PACKAGE]).len() < 4);
}

#[test]
fn script_has_its_file_and_line() {
    let project = Project { root: "/p".into(), folder: "/p/sub".into(), home: None };
    let files = MemoryFiles::new(&[("/p/package.json", "{\"scripts\": {\n\"test\": \"jest\"}}")]);
    let found = steps(&["npm".into(), "test".into()], &project, &files, &Gaps::default());
    assert_eq!(found[1].invocation.origin, Origin::file("test", "package.json", 2));
    assert_eq!(found[1].invocation.words, ["jest"]);
}

#[test]
fn wrappers_name_files_injection_and_containers() {
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let files = MemoryFiles::new(&[
        ("/p/.env.x", "A=1\n"),
        ("/p/plain/.envrc", "dotenv .env.x\n"),
        ("/p/mise.toml", "[env]\n_.file = '.env.x'\n"),
        ("/p/computed/.envrc", "use nix\n"),
    ]);
    let last = |command: &str| {
        let words: Vec<OsString> = simple_words(command).into_iter().map(OsString::from).collect();
        steps(&words, &project, &files, &Gaps::default()).pop().unwrap()
    };
    assert_eq!(last("dotenv -e .env.ci -- jest").files[0].path, Path::new(".env.ci"));
    assert_eq!(last("dotenv -c test -- jest").files.len(), 4);
    assert_eq!(last("sh -c '. ./.env; jest'").files[0].reader, FileReader::Shell);
    assert_eq!(last("doppler run -- npx jest").effects, [(Effect::Injects, "doppler run".to_owned())]);
    for command in [
        "sh -c 'export $(cat .env.x | xargs) && jest'",
        "sh -c \"export $(grep -v '^#' .env.x | xargs); jest\"",
        "sh -c 'env $(cat .env.x) jest'",
        "foreman run -e .env.x jest",
        "mise x -- jest",
        "env-cmd -f .env.x jest",
    ] {
        assert!(last(command).files.iter().any(|file| file.path.ends_with(".env.x") && file.overrides), "{command}");
    }
    let envrc = last("direnv exec plain jest");
    assert_eq!((envrc.files[0].path.as_path(), envrc.effects.len()), (Path::new("/p/plain/.env.x"), 0));
    assert_eq!(last("direnv exec computed jest").effects[0].0, Effect::Injects);
    assert_eq!(last("docker exec app jest").effects[0].0, Effect::Container);
}

#[test]
fn what_is_needed_at_any_distance_is_followed() {
    let chain =
        |recipe: &str| -> String { (1..40).map(|at| format!("t{at}: t{}\n{recipe}run{at}\n", at - 1)).collect() };
    let (makefile, justfile) = (chain("\t"), chain("  "));
    let files = [("/p/Makefile", makefile.as_str()), ("/p/justfile", justfile.as_str())];
    for command in ["make t39", "just t39"] {
        let found = shown(command, &files);
        assert_eq!((found.len(), found[0].as_str(), found[38].as_str()), (39, "run1", "run39"), "{command}");
    }
}

#[test]
fn what_is_cut_off_is_said_with_its_place() {
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let many = "a;".repeat(20_000);
    let deep = format!("{}psql{}\n", "echo $(".repeat(40), ")".repeat(40));
    let chain = |length: usize| -> String {
        let scripts: Vec<String> = (0..length).map(|at| format!("\"s{at}\": \"npm run s{}\"", at + 1)).collect();
        format!("{{\"scripts\": {{\n{},\n\"s{length}\": \"jest\"}}}}", scripts.join(",\n"))
    };
    let (far, farther) = (chain(20), chain(100));
    let files = MemoryFiles::new(&[
        ("/p/many.sh", &many),
        ("/p/deep.sh", &deep),
        ("/p/short.sh", "a\n"),
        ("/p/far/package.json", &far),
        ("/p/farther/package.json", &farther),
        ("/p/broken/package.json", "{\n\"scripts\": {\n\"test\": }}"),
        PACKAGE,
    ]);
    let table = [
        ("./many.sh", Some("many.sh:1")),
        ("./deep.sh", Some("deep.sh:1")),
        ("./short.sh", None),
        ("npm test", None),
        ("npm run loop", None),
        ("npm --prefix far run s0", None),
        ("npm --prefix farther run s0", Some("farther/package.json:65")),
        ("npm --prefix broken test", Some("broken/package.json:3")),
    ];
    for (command, expected) in table {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let gaps = Gaps::default();
        steps(&words, &project, &files, &gaps);
        let found: Vec<String> = gaps
            .into_inner()
            .into_iter()
            .map(|gap| format!("{}:{}", gap.place.file.unwrap().display(), gap.place.line.unwrap()))
            .collect();
        assert_eq!(found, Vec::from_iter(expected.map(str::to_owned)), "{command}");
    }
}

#[test]
fn scripts_that_call_each_other_twice_end() {
    let package = r#"{"scripts": {"a": "X=1 npm run b && Y=2 npm run b", "b": "X=3 npm run a && npm run a && jest"}}"#;
    let files = MemoryFiles::new(&[("/p/package.json", package)]);
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let gaps = Gaps::default();
    let found = steps(&["npm".into(), "run".into(), "a".into()], &project, &files, &gaps);
    assert!(found.len() < 100 && gaps.into_inner().is_empty(), "{}", found.len());
    let grows = r#"{"scripts": {"a": "X=$X:x npm run a; Y=$X:y npm run a"}}"#;
    let files = MemoryFiles::new(&[("/p/package.json", grows)]);
    let gaps = Gaps::default();
    steps(&["npm".into(), "run".into(), "a".into()], &project, &files, &gaps);
    assert!(!gaps.into_inner().is_empty());
}
