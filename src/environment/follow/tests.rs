use std::path::Path;

use super::*;
use crate::environment::Origin;
use crate::environment::memory::MemoryFiles;

fn shown(command: &str, files: &[(&str, &str)]) -> Vec<String> {
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let words: Vec<OsString> = simple_words(command).into_iter().map(OsString::from).collect();
    steps(&words, &[], &project, &MemoryFiles::new(files), &Gaps::default())
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
        ("bash -euo pipefail -c \"npx jest\"", &["jest"]),
        ("cross-env A=1 B=2 jest", &["A=1 B=2 jest"]),
        ("cross-env-shell A=1 'jest && mocha'", &["A=1 jest", "A=1 mocha"]),
        ("npm test -- --watch x", &["NODE_ENV=test jest --watch x", "prisma migrate reset"]),
        ("yarn db:reset", &["prisma migrate reset"]),
        ("pnpm run db:reset", &["prisma migrate reset"]),
        ("bun test", &["bun test"]),
        ("npm install", &["npm install"]),
        ("npm test --prefix sub -- -x", &["NODE_ENV=test below -x"]),
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
        ("/p/sub/package.json", r#"{"scripts": {"test": "NODE_ENV=test below"}}"#),
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
fn commands_in_other_files_are_followed_however_they_are_named() {
    let files = [
        (
            "/p/package.json",
            r#"{"workspaces": ["pkg/*"], "scripts": {"db:a": "found a", "db:b": "found b", "postinstall": "found c"}}"#,
        ),
        ("/p/pkg/x/package.json", r#"{"name": "x", "scripts": {"test": "found test", "reset": "found reset"}}"#),
        ("/p/turbo.json", r#"{"tasks": {"test": {"dependsOn": ["^mid"]}, "mid": {"dependsOn": ["x#reset"]}}}"#),
        ("/p/lib/a.sh", "f() {\n  found it\n}\n"),
        ("/p/bin/plain", "found it\n"),
        ("/p/bin/program", "\0found it\n"),
        ("/p/bin/python", "#!/usr/bin/env python\nfound it\n"),
        ("/p/bin/calls.sh", "D=$(cd \"$(dirname \"$0\")\" && pwd)\n. \"$D/../lib/a.sh\"\n"),
        ("/p/bin/beside.sh", "\"$(dirname \"$0\")\"/plain\n${BASH_SOURCE%/*}/plain\n"),
        ("/p/bin/takes.sh", "A=$1 env found A=$1\n"),
        ("/p/composer.json", r#"{"scripts": {"post-install-cmd": "found c"}}"#),
        ("/p/Procfile", "# c: x\nweb: found web\nworker: found worker\n"),
        (
            "/p/pyproject.toml",
            "[tool.pdm.scripts]\na = 'found a'\n[tool.poe.tasks.b]\ncmd = 'found b'\nhelp = 'x'\n[tool.hatch.envs.x.scripts]\nc = ['found c', 'found d']\n",
        ),
        ("/p/Pipfile", "[scripts]\na = 'found a'\n"),
        ("/p/deno.json", r#"{"tasks": {"a": "found a", "b": {"command": "found b"}}}"#),
        (
            "/p/Taskfile.yml",
            "tasks:\n  a:\n    aliases: [z]\n    deps: [{task: b, vars: {X: y}}]\n    cmds:\n      - defer: found a\n      - defer: {task: c}\n  b: found b\n  c: found c\n",
        ),
    ];
    let table: &[(&str, &[&str])] = &[
        ("npm-run-all 'db:*'", &["found a", "found b"]),
        ("run-s 'db:a -- --force'", &["found a"]),
        ("concurrently npm:db:a 'npm:db:*'", &["found a", "found b"]),
        ("turbo run test", &["found reset", "found test"]),
        ("sh -c '. lib/a.sh; f'", &["found it"]),
        ("sh -c 'source ./lib/a.sh'", &["found it"]),
        ("bash bin/calls.sh", &["found it"]),
        ("bash bin/beside.sh", &["found it"]),
        ("./bin/plain", &["found it"]),
        ("./bin/program", &[]),
        ("./bin/python", &[]),
        ("sh bin/python", &["found it"]),
        ("sh -c 'cd bin && sh plain'", &["found it"]),
        ("sh -c 'X=\"found it\"; $X; ${X} now; eval \"$X\"'", &["found it", "found it now"]),
        ("sh -c 'D=./bin; $D/plain'", &["found it"]),
        ("npm ci", &["found c"]),
        ("yarn", &["found c"]),
        ("npm exec -c 'found x'", &["found x"]),
        ("bash bin/takes.sh x", &["found A=x"]),
        ("composer install", &["found c"]),
        ("composer update", &[]),
        ("foreman start", &["found web", "found worker"]),
        ("overmind s worker", &["found worker"]),
        ("foreman check", &[]),
        ("pdm run a", &["found a"]),
        ("poe b", &["found b"]),
        ("hatch run x:c", &["found c", "found d"]),
        ("pipenv run a", &["found a"]),
        ("deno task a", &["found a"]),
        ("deno task b", &["found b"]),
        ("task z", &["found a", "found b", "found c"]),
    ];
    for (command, expected) in table {
        let found: HashSet<String> = shown(command, &files).into_iter().collect();
        let mut found: Vec<&str> = found.iter().filter_map(|line| line.rfind("found").map(|at| &line[at..])).collect();
        found.retain(|line| !line.contains('$'));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, *expected, "{command}");
    }
}

#[test]
fn what_a_runners_file_does_not_hold_is_told() {
    let files = MemoryFiles::new(&[
        ("/p/Makefile", "test:\n\tx\n"),
        ("/p/justfile", "mod db\ntest:\n  x\n"),
        ("/p/Taskfile.yml", "includes: {db: ./db}\ntasks:\n  test: x\n  all:\n    deps: [db:reset]\n"),
    ]);
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    for (command, expected) in [
        ("make test", 0),
        ("make reset", 1),
        ("just test", 0),
        ("just db::reset", 1),
        ("task test", 0),
        ("task db:reset", 1),
        ("task all", 1),
    ] {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let gaps = Gaps::default();
        let _ = steps(&words, &[], &project, &files, &gaps);
        assert_eq!(gaps.into_inner().len(), expected, "{command}");
    }
}

#[test]
fn wrappers_that_take_the_environment_away_are_known() {
    for (command, expected) in [
        ("env -i A=1 jest", Some("A=1")),
        ("A=0 env - B=1 jest", Some("B=1")),
        ("env -u A jest -i", None),
        ("sudo A=1 jest", Some("A=1")),
        ("sudo -E jest", None),
        ("sudo --preserve-env=A jest", None),
        ("su - app -c jest", Some("")),
        ("su app -c jest", None),
        ("exec -c jest", Some("")),
        ("exec jest -c x", None),
        ("timeout 5 jest", None),
    ] {
        let words: Vec<OsString> = simple_words(command).into_iter().map(OsString::from).collect();
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let last = steps(&words, &[], &project, &MemoryFiles::new(&[]), &Gaps::default()).pop().unwrap();
        let afresh = last.assigned_afresh().map(|behind| {
            let pairs = behind.assignments.iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(afresh.as_deref(), expected, "{command}");
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
    let found = steps(&["npm".into(), "test".into()], &[], &project, &files, &Gaps::default());
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
        steps(&words, &[], &project, &files, &Gaps::default()).pop().unwrap()
    };
    assert_eq!(last("dotenv -e .env.ci -- jest").files[0].path, Path::new("/p/.env.ci"));
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
        steps(&words, &[], &project, &files, &gaps);
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
    let found = steps(&["npm".into(), "run".into(), "a".into()], &[], &project, &files, &gaps);
    assert!(found.len() < 100 && gaps.into_inner().is_empty(), "{}", found.len());
    let grows = r#"{"scripts": {"a": "X=$X:x npm run a; Y=$X:y npm run a"}}"#;
    let files = MemoryFiles::new(&[("/p/package.json", grows)]);
    let gaps = Gaps::default();
    steps(&["npm".into(), "run".into(), "a".into()], &[], &project, &files, &gaps);
    assert!(!gaps.into_inner().is_empty());
}
