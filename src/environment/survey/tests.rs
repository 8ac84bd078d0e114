//! Tables by ecosystem: what each plausible loader would hand to the command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::*;
use crate::environment::memory::MemoryFiles;
use crate::environment::{ProblemKind, Project};

/// A survey of `/p`, as a value that is asked questions.
struct Case {
    files: MemoryFiles,
    process: Vec<(OsString, OsString)>,
    command: Option<Vec<OsString>>,
    extra: Vec<PathBuf>,
    only: Option<Vec<PathBuf>>,
    folder: PathBuf,
}

fn project(files: &[(&str, &str)]) -> Case {
    let files =
        files.iter().fold(MemoryFiles::default(), |files, (path, text)| files.with(&format!("/p/{path}"), *text));
    Case { files, process: Vec::new(), command: None, extra: Vec::new(), only: None, folder: "/p".into() }
}

impl Case {
    fn set(mut self, name: &str, value: &str) -> Self {
        self.process.push((name.into(), value.into()));
        self
    }

    fn run(mut self, command: &str) -> Self {
        self.command = Some(command.split(' ').map(OsString::from).collect());
        self
    }

    fn words(mut self, command: &[&str]) -> Self {
        self.command = Some(command.iter().map(OsString::from).collect());
        self
    }

    fn env_file(mut self, path: &str) -> Self {
        self.extra.push(path.into());
        self
    }

    fn only(mut self, paths: &[&str]) -> Self {
        self.only = Some(paths.iter().map(PathBuf::from).collect());
        self
    }

    fn in_folder(mut self, folder: &str) -> Self {
        self.folder = folder.into();
        self
    }

    fn survey(&self) -> Survey {
        let project = Project { root: "/p".into(), folder: self.folder.clone(), home: None };
        survey(&SurveyInput {
            process: &self.process,
            project: &project,
            files: &self.files,
            command: self.command.as_deref(),
            extra_files: &self.extra,
            only_files: self.only.as_deref(),
        })
    }

    /// The values that `name` has in any reading, sorted; `-` where a reading lacks it.
    fn values(&self, name: &str) -> Vec<String> {
        let survey = self.survey();
        let values = survey
            .readings
            .iter()
            .map(|reading| reading.get(name).map_or("-".to_owned(), |setting| setting.value.clone()));
        values.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// As [`Case::values`], without the readings that lack it.
    fn seen(&self, name: &str) -> Vec<String> {
        self.values(name).into_iter().filter(|value| value != "-").collect()
    }

    fn conditions(&self) -> Vec<Condition> {
        self.survey().conditions
    }
}

const NONE: [&str; 0] = [];

#[test]
fn process_environment_alone_is_always_the_first_reading() {
    let survey = project(&[(".env", "DB_HOST=file\n")]).set("DB_HOST", "shell").survey();
    assert_eq!(survey.readings[0].loader, "process environment");
    assert_eq!(survey.readings[0].get("DB_HOST").unwrap().value, "shell");
    assert_eq!(survey.readings[0].get("DB_HOST").unwrap().origin.file, None);
}

#[test]
fn environment_beats_files_and_assignments_beat_the_environment() {
    let case = project(&[(".env", "DB_HOST=file\nDB_NAME=n\n"), ("package.json", "{}")]).set("DB_HOST", "shell");
    assert_eq!(case.values("DB_HOST"), ["shell"]);
    assert_eq!(case.run("env DB_HOST=given jest").values("DB_HOST"), ["given"]);
}

#[test]
fn command_in_a_container_sees_the_services_environment() {
    let compose = "services:\n  app:\n    build: .\n    env_file: app.env\n    environment:\n      DATABASE_URL: postgres://${DB_HOST:-db}/app\n  db:\n    image: postgres\n    environment:\n      - POSTGRES_DB=app\n";
    let files = [("docker-compose.yml", compose), ("app.env", "B=file\n"), ("package.json", "{}")];
    let case = project(&files).set("DATABASE_URL", "postgres://host/x").run("docker compose exec app npm test");
    assert!(case.seen("DATABASE_URL").contains(&"postgres://db/app".to_owned()));
    assert_eq!(case.seen("B"), ["file"]);
    assert_eq!(case.seen("POSTGRES_DB"), NONE);
    let (program, place) = ("docker compose exec".to_owned(), Vec::new());
    assert_eq!(case.conditions(), [Condition::ContainerEnvironment { program, place, is_declared: true }]);
    assert_eq!(project(&files).run("npm test").seen("B"), NONE);
    assert_eq!(project(&files).seen("B"), ["file"]);
}

#[test]
fn what_removes_volumes_is_told_wherever_it_stands() {
    let package = r#"{"scripts":{"reset":"docker compose down -v && docker compose up -d --wait","test":"jest"}}"#;
    let files = [
        ("package.json", package),
        ("compose.yml", "services:\n  db:\n    image: postgres:16\n"),
        ("Makefile", "clean:\n\tdocker volume prune -f\n\techo done\nall: clean\n\tnpm test\n"),
        ("reset.sh", "#!/bin/sh\ndocker compose down --volumes\nnpm test\n"),
    ];
    for (command, expected) in [
        ("npm run reset", Some("docker compose down --volumes")),
        ("make all", Some("docker volume prune")),
        ("./reset.sh", Some("docker compose down --volumes")),
        ("npm test", None),
    ] {
        let conditions = project(&files).run(command).conditions();
        let removing = conditions.iter().find_map(|condition| match condition {
            Condition::RemovesVolumes { command } => Some(command.as_str()),
            _ => None,
        });
        assert_eq!(removing, expected, "{command}");
    }
}

/// Tells whether something was given up on.
fn gives_up(case: Case) -> bool {
    case.conditions().iter().any(|condition| matches!(condition, Condition::NotFollowed(_)))
}

#[test]
fn what_may_go_more_ways_than_are_followed_is_told() {
    let makefile = |conditions: usize| {
        let each = |at| format!("ifeq ($(shell a{at}),x)\nexport DB_HOST = h{at}\nendif\n");
        format!("{}test:\n\tnpm test\n", (0..conditions).map(each).collect::<String>())
    };
    let runtime = |blocks: usize| {
        let each = |at| format!("if a{at}() do\n  config :app, App.Repo, hostname: \"h{at}\"\nend\n");
        format!("import Config\nconfig :app, App.Repo, database: \"x\"\n{}", (0..blocks).map(each).collect::<String>())
    };
    let pom = |profiles: usize| {
        let each = |at| {
            format!(
                "<profile><id>p{at}</id><activation><property><name>java.a{at}</name></property></activation>\
                 <properties><spring.datasource.url>jdbc:postgresql://h{at}/x</spring.datasource.url></properties></profile>"
            )
        };
        format!(
            "<project><artifactId>a</artifactId><profiles>{}</profiles></project>",
            (0..profiles).map(each).collect::<String>()
        )
    };
    let make = |conditions| project(&[("Makefile", &makefile(conditions)), ("package.json", "{}")]).run("make test");
    let mix = |blocks| project(&[("mix.exs", "ecto_sql"), ("config/runtime.exs", &runtime(blocks))]).run("mix test");
    let maven = |profiles| {
        let settings = ("src/main/resources/application.properties", "spring.datasource.url=@spring.datasource.url@\n");
        project(&[("pom.xml", &pom(profiles)), settings]).run("mvn test")
    };
    for (few, many) in [(make(2), make(80)), (mix(2), mix(40)), (maven(2), maven(40))] {
        assert!(!gives_up(few) && gives_up(many));
    }
}

#[test]
fn compose_files_that_the_command_names_replace_the_usual_ones() {
    let service = |value: &str| format!("services:\n  app:\n    build: .\n    environment:\n      A: {value}\n");
    let (usual, live) = (service("usual"), service("live"));
    let more = "services:\n  app:\n    env_file: more.env\n";
    let files = [
        ("compose.yaml", usual.as_str()),
        ("compose.prod.yaml", live.as_str()),
        ("deploy/more.yaml", more),
        ("deploy/more.env", "B=more\n"),
    ];
    let table: &[(&str, &[&str], &[&str])] = &[
        ("docker compose run app npm test", &["usual"], &[]),
        ("docker compose -f compose.yaml -f compose.prod.yaml run app npm test", &["live"], &[]),
        ("docker-compose --file=compose.prod.yaml exec app npm test", &["live"], &[]),
        ("docker compose -f deploy/more.yaml run app npm test", &[], &["more"]),
        ("docker compose run app npm test -f compose.prod.yaml", &["usual"], &[]),
    ];
    for (command, a, b) in table {
        let case = project(&files).run(command);
        assert_eq!(case.seen("A"), *a, "{command}");
        assert_eq!(case.seen("B"), *b, "{command}");
    }
    let case = project(&files).set("COMPOSE_FILE", "compose.yaml:compose.prod.yaml").run(table[0].0);
    assert_eq!(case.seen("A"), ["live"]);
}

#[test]
fn wrapper_that_injects_variables_is_said_with_what_to_do() {
    for wrapper in
        ["railway run", "doppler run --", "op run --", "infisical run --", "vercel env run --", "heroku local:run"]
    {
        let conditions = project(&[("package.json", "{}")]).run(&format!("{wrapper} npm test")).conditions();
        let [Condition::InjectedEnvironment { advice, .. }] = &conditions[..] else {
            panic!("{wrapper}: {conditions:?}")
        };
        assert!(advice.contains("safe-test npm"), "{advice}");
    }
}

#[test]
fn nothing_recognised_reads_what_the_common_loaders_would() {
    let files = [
        (".env", "A=main\n"),
        (".env.test", "A=test\n"),
        (".env.testing", "A=testing\n"),
        (".env.local", "A=local\n"),
        (".env.development", "A=development\n"),
        (".env.staging", "A=staging\n"),
    ];
    assert_eq!(project(&files).seen("A"), ["development", "local", "main", "test", "testing"]);
    assert_eq!(project(&files).run("./run.sh").seen("A"), ["development", "local", "main", "test", "testing"]);
    assert_eq!(project(&files).set("NODE_ENV", "test").run("jest").seen("A"), ["main", "test", "testing"]);
}

#[test]
fn named_files_of_other_formats_are_read_by_their_name() {
    let table = [
        ("application-prod.properties", "spring.datasource.url=${X:y}\n", "spring.datasource.url", "y"),
        ("app.yaml", "env_variables:\n  DB_HOST: h\n", "DB_HOST", "h"),
        ("docker-compose.test.yml", "    environment:\n      DB_HOST: h\n", "DB_HOST", "h"),
        ("pg_service.conf", "[shop]\nhost=h\n", "shop.host", "h"),
        ("phpunit.xml", "<env name=\"DB_HOST\" value=\"h\"/>\n<env name=\"B\" value=\"c\"/>", "DB_HOST", "h"),
        ("config/test.exs", "config :app, App.Repo,\n  hostname: \"h\"\n", "App.Repo.hostname", "h"),
        ("docker/.env.prod", "DB_HOST=h\n", "DB_HOST", "h"),
        ("appsettings.json", "{\"ConnectionStrings\": {\"D\": \"Host=h\"}}", "ConnectionStrings.D", "Host=h"),
    ];
    for (path, text, name, expected) in table {
        assert_eq!(project(&[(path, text)]).env_file(path).seen(name), [expected], "{path}");
    }
    let sections = "test:\n  database: app_test\nproduction:\n  database: app_production\n";
    let case = project(&[("config/database.yml", sections)]).env_file("config/database.yml");
    assert_eq!(
        (case.seen("test.database"), case.seen("production.database")),
        (vec!["app_test".to_owned()], Vec::new())
    );
    assert_eq!(case.set("RAILS_ENV", "production").seen("production.database"), ["app_production"]);
    let survey = project(&[]).env_file("missing.env").survey();
    assert_eq!(survey.problems[0].kind, ProblemKind::Missing);
}

#[test]
fn named_file_is_a_candidate_by_itself_and_over_the_rest() {
    let files = [(".env", "HOST=main\nNAME=main\n"), ("x.env", "HOST=x\n")];
    let case = project(&files).env_file("x.env").run("./run.sh");
    assert_eq!(case.seen("HOST"), ["main", "x"]);
    let survey = case.survey();
    assert!(survey.readings.iter().any(|reading| {
        let value = |name| reading.get(name).map(|setting| setting.value.as_str());
        value("HOST") == Some("x") && value("NAME") == Some("main")
    }));
    assert_eq!(case.set("HOST", "shell").seen("HOST"), ["shell", "x"]);
}

#[test]
fn files_of_the_policy_replace_discovery() {
    let files = [(".env", "A=main\n"), (".env.testing", "A=testing\n"), ("package.json", "{}")];
    assert_eq!(project(&files).only(&[".env.testing"]).run("npx jest").seen("A"), ["testing"]);
}

#[test]
fn problems_name_file_and_line_and_hide_nothing() {
    let case = project(&[("package.json", "{}")]);
    let case = Case {
        files: case.files.with("/p/.env", &b"A=1\nno equals here\nB=\xff2\nC=3\n"[..]).with("/p/.env.test/x", ""),
        ..case
    };
    let survey = case.run("npx jest").survey();
    let kinds: Vec<(ProblemKind, &Path, Option<u32>)> =
        survey.problems.iter().map(|problem| (problem.kind, problem.file.as_path(), problem.line)).collect();
    assert!(kinds.contains(&(ProblemKind::NotUtf8, Path::new(".env"), Some(3))), "{kinds:?}");
    assert!(kinds.contains(&(ProblemKind::Folder, Path::new(".env.test"), None)), "{kinds:?}");
    assert!(
        survey.readings.iter().any(|reading| reading.get("C").is_some_and(|setting| setting.origin.line == Some(4)))
    );
    assert!(survey.conditions.iter().any(|condition| matches!(condition, Condition::UnreadableFile { .. })));
}

#[test]
fn identical_readings_are_given_once() {
    let files = [
        (".env", "A=\"b\"\nC=postgres://u:p@localhost:5432/app_test\n"),
        (".env.test", "A=c\n"),
        ("package.json", "{\"dependencies\": {\"dotenv\": \"1\", \"prisma\": \"5\"}}"),
    ];
    let survey = project(&files).run("npx jest").survey();
    assert_eq!(survey.readings.len(), 4, "{:?}", survey.readings);
}

mod derivations;
mod frameworks;
mod hostile;
mod incidents;
mod settings_files;

#[test]
fn a_long_script_is_followed_to_its_end_or_said_to_be_cut() {
    let script =
        format!("{}node -r dotenv/config t.js dotenv_config_path=last.env\n", "node t.js\necho x\n".repeat(200));
    let files = MemoryFiles::new(&[("/p/run.sh", &script), ("/p/last.env", "LAST=1\n"), ("/p/.env", "FIRST=1\n")]);
    let command: Vec<std::ffi::OsString> = vec!["sh".into(), "run.sh".into()];
    let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
    let look = |files: &MemoryFiles| {
        survey(&SurveyInput {
            process: &[],
            project: &project,
            files,
            command: Some(&command),
            extra_files: &[],
            only_files: None,
        })
    };
    let found = look(&files);
    assert!(found.readings.iter().flat_map(|reading| &reading.settings).any(|setting| setting.name == "LAST"));
    assert_eq!(found.conditions, []);
    let cut = look(&MemoryFiles::new(&[("/p/run.sh", &"echo x\n".repeat(30_000))]));
    assert!(matches!(&cut.conditions[..], [Condition::NotFollowed(_)]));
}
