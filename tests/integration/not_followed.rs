//! What is cut off or given up on never makes a verdict better: a production database behind every cap and every form
//! that some reader cannot read.

use proptest::prelude::*;

use crate::support::{Judged, Sandbox};

/// A settings file that a loader reads for the command, with a production database in it.
struct Settings {
    /// What the project needs for its loader, beside a local database in `.env`.
    files: &'static [(&'static str, &'static str)],
    command: &'static [&'static str],
    path: &'static str,
    /// The text up to the planted lines, these lines, and the rest.
    text: [&'static str; 3],
    /// What opens and closes one level around the planted lines, where the format nests.
    level: Option<(&'static str, &'static str)>,
    /// A line that is a mistake in the format, where it knows mistakes.
    mistake: Option<&'static str>,
    /// Whether its loaders read UTF-16, so that the planted database is found in it.
    reads_utf_16: bool,
}

const ALL: &[Settings] = &[
    Settings {
        files: &[("Gemfile", "gem \"rails\"\ngem \"pg\"\n"), ("config/application.rb", "")],
        command: &["bin/rails", "test"],
        path: "config/database.yml",
        text: [
            "",
            "test:\n  primary:\n    adapter: postgresql\n  audit:\n    adapter: postgresql\n    host: db.prod.northwind-shop.net\n    database: shop\n",
            "x: 1\n",
        ],
        level: Some(("[", "]")),
        mistake: Some("x: 'y' z\n"),
        reads_utf_16: true,
    },
    Settings {
        files: &[("App.csproj", "<PackageReference Include=\"Npgsql\" />\n")],
        command: &["dotnet", "test"],
        path: "appsettings.json",
        text: [
            "{\n",
            "\"ConnectionStrings\": {\"Default\": \"Host=db.prod.northwind-shop.net;Database=shop;Username=a\"}\n",
            ", \"x\": 1\n}\n",
        ],
        level: Some(("[", "]")),
        mistake: Some("\"y\": ,\n"),
        reads_utf_16: true,
    },
    Settings {
        files: &[("composer.json", "{\"require\": {\"doctrine/dbal\": \"4\"}}")],
        command: &["vendor/bin/phpunit"],
        path: "phpunit.xml",
        text: [
            "<phpunit>\n<php>\n",
            "<server name=\"DATABASE_URL\" value=\"postgres://db.prod.northwind-shop.net/shop\"/>\n",
            "</php>\n</phpunit>\n",
        ],
        level: Some(("<a>", "</a>")),
        mistake: Some("<a b></c>\n"),
        reads_utf_16: true,
    },
    Settings {
        files: &[("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n")],
        command: &["cargo", "test"],
        path: ".cargo/config.toml",
        text: ["[env]\n", "TEST_DATABASE_URL = \"postgres://db.prod.northwind-shop.net/shop\"\n", "X = \"1\"\n"],
        level: Some(("[", "]")),
        mistake: Some("y = = 1\n"),
        reads_utf_16: false,
    },
    Settings {
        files: &[("pom.xml", "<project><artifactId>postgresql</artifactId></project>\n")],
        command: &["mvn", "test"],
        path: "src/main/resources/application.properties",
        text: ["a=1\n", "spring.datasource.url=jdbc:postgresql://db.prod.northwind-shop.net/shop\n", "b=1\n"],
        level: None,
        mistake: None,
        reads_utf_16: false,
    },
    Settings {
        files: &[("requirements.txt", "psycopg\npytest-env\n")],
        command: &["pytest"],
        path: "pytest.ini",
        text: [
            "[pytest]\nenv =\n  A=1\n",
            "  DATABASE_URL=postgres://db.prod.northwind-shop.net/shop\n",
            "[other]\nb = 1\n",
        ],
        level: None,
        mistake: None,
        reads_utf_16: false,
    },
    Settings {
        files: &[("manage.py", "DJANGO_SETTINGS_MODULE = 'settings'\n"), ("requirements.txt", "django\npsycopg\n")],
        command: &["python", "manage.py", "test"],
        path: "settings.py",
        text: [
            "X = {\n}\n",
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'db.prod.northwind-shop.net', 'NAME': 'shop'}}\n",
            "Y = 1\n",
        ],
        level: Some(("{'a': ", "}")),
        mistake: None,
        reads_utf_16: true,
    },
    Settings {
        files: &[("package.json", "{\"dependencies\": {\"pg\": \"8\", \"dotenv\": \"16\"}}")],
        command: &["npx", "jest"],
        path: ".env.test",
        text: ["A=1\n", "TEST_DATABASE_URL=postgres://db.prod.northwind-shop.net/shop\n", "B=1\n"],
        level: None,
        mistake: None,
        reads_utf_16: false,
    },
];

impl Settings {
    fn judged(&self, bytes: &[u8]) -> Judged {
        let sandbox = Sandbox::new();
        sandbox.write(".env", "DATABASE_URL=postgres://localhost/app_test\n");
        for (path, text) in self.files {
            sandbox.write(path, text);
        }
        sandbox.write(self.path, bytes);
        Judged::of(&sandbox, self.command)
    }

    /// The text with something in front of the planted lines.
    fn behind(&self, something: &str) -> String {
        let [before, planted, after] = self.text;
        format!("{before}{something}{planted}{after}")
    }

    /// A value of its own that is nested so deep, to stand in front of the planted lines.
    fn nested(&self, depth: usize) -> Option<String> {
        let (open, close) = self.level?;
        let inside = format!("{}{}", open.repeat(depth), close.repeat(depth));
        Some(match self.path {
            "phpunit.xml" => inside,
            "appsettings.json" => format!("\"deep\": {inside},\n"),
            "config/database.yml" => format!("deep: {inside}\n"),
            ".cargo/config.toml" => format!("deep = {inside}\n"),
            _ => format!("DEEP = {}1{}\n", open.repeat(depth), close.repeat(depth)),
        })
    }
}

fn utf_16(text: &str, mark: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("{mark}{text}").encode_utf16().flat_map(unit).collect()
}

#[test]
fn the_planted_database_is_found_where_nothing_is_in_the_way() {
    for settings in ALL {
        let judged = settings.judged(settings.behind("").as_bytes());
        assert_eq!(judged.verdict(), "production", "{}", settings.path);
        if let Some(nested) = settings.nested(60) {
            let judged = settings.judged(settings.behind(&nested).as_bytes());
            assert_eq!(judged.verdict(), "production", "{} nested 60 deep", settings.path);
        }
    }
}

#[test]
fn no_cap_and_no_form_of_a_settings_file_makes_it_safe() {
    let mut wrong = Vec::new();
    for settings in ALL {
        let text = settings.behind("");
        let [before, planted, _] = settings.text;
        let mut cases: Vec<(&str, Vec<u8>)> = vec![
            ("UTF-16 with a mark", utf_16(&text, "\u{feff}", u16::to_le_bytes)),
            ("UTF-16 of the other order", utf_16(&text, "\u{feff}", u16::to_be_bytes)),
            ("UTF-16 without a mark", utf_16(&text, "", u16::to_le_bytes)),
            ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
            ("Latin-1", [text.as_bytes(), b"\n# \xE4\n"].concat()),
            ("cut in the middle", format!("{before}{planted}").into_bytes()),
            ("too large", settings.behind(&"\n".repeat(17 << 20)).into_bytes()),
        ];
        cases.extend(settings.nested(400).map(|nested| ("too deep", settings.behind(&nested).into_bytes())));
        cases.extend(settings.nested(100_000).map(|nested| ("far too deep", settings.behind(&nested).into_bytes())));
        cases.extend(settings.mistake.map(|mistake| ("a mistake", settings.behind(mistake).into_bytes())));
        for (what, bytes) in cases {
            let judged = settings.judged(&bytes);
            if judged.verdict() == "safe" {
                wrong.push(format!("{} with {what}: safe", settings.path));
            }
            if what.starts_with("UTF-16") && settings.reads_utf_16 && judged.verdict() != "production" {
                wrong.push(format!("{} with {what}: {}", settings.path, judged.verdict()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn too_many_values_and_entities_are_no_way_around() {
    let of = |path: &str| ALL.iter().find(|settings| settings.path == path).unwrap();
    let yaml = of("config/database.yml");
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ('b'..='h').zip('a'..) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", "));
    }
    let judged = yaml.judged(yaml.behind(&bomb).as_bytes());
    assert_eq!(judged.verdict(), "unverified");
    assert!(judged.finding("not-followed")["message"].as_str().unwrap().contains("more than 150,000 values"));
    let xml = of("phpunit.xml");
    let [before, planted, after] = xml.text;
    let planted = planted.replace("db.prod", "&h;");
    let declared = |entity: &str| format!("<!DOCTYPE phpunit [<!ENTITY {entity}>]>\n{before}{planted}{after}");
    assert_eq!(xml.judged(declared("h 'db.prod'").as_bytes()).verdict(), "production");
    for entity in ["h SYSTEM 'host.txt'", "other 'x'", "h '&h;'"] {
        assert_eq!(xml.judged(declared(entity).as_bytes()).verdict(), "unverified", "{entity}");
    }
}

const PLANTED: &str = "psql -h db.prod.northwind-shop.net shop";

/// One step on the way to the planted command: each makes a file of its own, and gives the command that runs it.
#[derive(Debug, Clone, Copy)]
enum Link {
    Npm,
    Shell,
    Make,
    Just,
    Text,
    Substitution,
}

impl Link {
    fn around(self, inner: &str, at: usize, sandbox: &Sandbox) -> String {
        let folder = format!("at{at}");
        match self {
            Link::Npm => {
                let script = inner.replace('\\', "\\\\").replace('"', "\\\"");
                sandbox.write(format!("{folder}/package.json"), format!("{{\"scripts\": {{\"x\": \"{script}\"}}}}"));
                format!("npm --prefix ../{folder} run x")
            }
            Link::Shell => {
                sandbox.write(format!("{folder}/x.sh"), format!("cd ../{folder}\n{inner}\n"));
                format!("sh ../{folder}/x.sh")
            }
            Link::Make => {
                sandbox.write(format!("{folder}/Makefile"), format!("x:\n\t{inner}\n"));
                format!("make -C ../{folder} x")
            }
            Link::Just => {
                sandbox.write(format!("{folder}/justfile"), format!("x:\n  {inner}\n"));
                format!("cd ../{folder} && just x")
            }
            Link::Text => format!("sh -c '{}'", inner.replace('\'', "'\\''")),
            Link::Substitution => format!("echo $({inner})"),
        }
    }
}

/// Judges a chain of links that ends in the planted command.
fn judged(links: &[Link]) -> Judged {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "DATABASE_URL=postgres://localhost/app_test\n");
    sandbox.write("at/package.json", "{}");
    let inner =
        links.iter().enumerate().fold(PLANTED.to_owned(), |inner, (at, link)| link.around(&inner, at, &sandbox));
    Judged::of(&sandbox, &["sh", "-c", &format!("cd at; {inner}")])
}

#[test]
fn chains_of_scripts_are_followed_far_and_said_to_be_cut() {
    for link in [Link::Npm, Link::Shell, Link::Make, Link::Just] {
        for (length, expected) in [(1, "production"), (20, "production"), (80, "unverified")] {
            assert_eq!(judged(&vec![link; length]).verdict(), expected, "{length} of {link:?}");
        }
    }
}

#[test]
fn large_workspaces_and_makefiles_are_followed_to_their_end() {
    let local = |sandbox: &Sandbox| drop(sandbox.write(".env", "DATABASE_URL=postgres://localhost/app_test\n"));
    let sandbox = Sandbox::new();
    local(&sandbox);
    sandbox.write("package.json", "{\"workspaces\": [\"packages/*\"]}");
    for at in 0..1000 {
        let script = if at == 999 { PLANTED } else { "jest" };
        sandbox.write(format!("packages/p{at}/package.json"), format!("{{\"scripts\": {{\"test\": \"{script}\"}}}}"));
    }
    assert_eq!(Judged::of(&sandbox, &["npm", "test", "--workspaces"]).verdict(), "production");
    for (targets, expected) in [(2000, "production"), (40_000, "unverified")] {
        let sandbox = Sandbox::new();
        local(&sandbox);
        let chain: String = (0..targets).map(|at| format!("t{at}: t{}\n\techo {at}\n", at + 1)).collect();
        // The last one is first in order; what the steps before it leave of the room decides.
        sandbox.write("Makefile", format!("all: t0 last\n{chain}t{targets}:\nlast:\n\t{PLANTED}\n"));
        let verdict = Judged::of(&sandbox, &["make"]).verdict().to_owned();
        assert!(verdict == expected || verdict == "production", "{targets} targets: {verdict}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(10), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_growth_hides_the_planted_command(
        links in prop::collection::vec(
            prop::sample::select(vec![Link::Npm, Link::Shell, Link::Make, Link::Just, Link::Text, Link::Substitution]),
            1..60,
        )
    ) {
        // Quotes in quotes double with each level.
        let mut texts = 0;
        let links: Vec<Link> = links
            .into_iter()
            .filter(|link| {
                texts += usize::from(matches!(link, Link::Text));
                !matches!(link, Link::Text) || texts < 5
            })
            .collect();
        let judged = judged(&links);
        prop_assert_ne!(judged.verdict(), "safe");
    }
}
