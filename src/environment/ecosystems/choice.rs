//! Which loaders are plausible: from what the project is made of, and from the program that would run.

use crate::environment::Invocation;
use crate::environment::ecosystems::Scene;
use crate::tools::programs;
use crate::tools::programs::{Family, Program};

/// A way to come by an environment; each has its file in `load_order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Loader {
    Laravel,
    Symfony,
    Phpdotenv,
    Rails,
    RubyDotenv,
    Django,
    Python,
    NodeDotenv,
    DotenvFlow,
    Next,
    Vite,
    Prisma,
    NodeConfig,
    NodeEnvFile,
    Bun,
    Go,
    Rust,
    Spring,
    Dotnet,
    Elixir,
    Compose,
    Generic,
}

/// The loaders that the scene makes plausible; empty for a program that loads no file.
pub(crate) fn loaders(scene: &Scene<'_>) -> Vec<Loader> {
    let mut loaders = Vec::new();
    match scene.step.map(|step| programs::loading(&step.invocation)) {
        Some(Program::LoadsNothing) => return Vec::new(),
        Some(Program::Of(family)) => loaders.extend(of_family(family, scene)),
        Some(Program::Plain | Program::Unknown) | None => {
            for family in Family::ALL.into_iter().filter(|family| is_present(*family, scene)) {
                loaders.extend(of_family(family, scene));
            }
            if loaders.is_empty() {
                loaders.push(Loader::Generic);
            }
            loaders.push(Loader::Compose);
        }
    }
    loaders
}

/// Whether a command is the everyday work of scripts (`cd`, `mkdir`, `git`): beside others it loads nothing. Where there
/// is nothing else, nobody can say what it was meant to touch, and it is taken like any unknown program.
pub(crate) fn is_plain(invocation: &Invocation) -> bool {
    programs::loading(invocation) == Program::Plain
}

/// Whether the project shows signs of the family.
fn is_present(family: Family, scene: &Scene<'_>) -> bool {
    let signs: &[&str] = match family {
        Family::Php => &["composer.json", "artisan", "phpunit.xml", "phpunit.xml.dist", "symfony.lock"],
        Family::Ruby => &["Gemfile", "config/database.yml", "Rakefile", "config/application.rb"],
        Family::Python => &[
            "pyproject.toml",
            "requirements.txt",
            "manage.py",
            "Pipfile",
            "setup.py",
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
        ],
        Family::Node => &["package.json", "deno.json", "bun.lockb", "prisma/schema.prisma"],
        Family::Go => &["go.mod"],
        Family::Rust => &["Cargo.toml", "diesel.toml"],
        Family::Jvm => {
            &["pom.xml", "build.gradle", "build.gradle.kts", "build.sbt", "project.clj", "src/main/resources"]
        }
        Family::Dotnet => return scene.names().iter().any(|name| is_dotnet_file(name)),
        Family::Elixir => &["mix.exs"],
    };
    signs.iter().any(|sign| scene.is_in_project(sign))
}

fn is_dotnet_file(name: &str) -> bool {
    [".csproj", ".sln", ".fsproj", ".slnx", ".vbproj"].iter().any(|extension| name.ends_with(extension))
        || name == "appsettings.json"
}

/// The plausible loaders of a family: those that its manifests name; where there are none, all it commonly has.
fn of_family(family: Family, scene: &Scene<'_>) -> Vec<Loader> {
    match family {
        Family::Php => {
            let manifest = scene.manifest(&["composer.json"]);
            let mut found = Vec::new();
            let program = scene.program();
            if scene.is_in_project("artisan") || program == "artisan" || manifest.contains("\"laravel/framework\"") {
                found.push(Loader::Laravel);
            }
            let bin_phpunit =
                scene.step.is_some_and(|step| step.invocation.words[0].trim_start_matches("./") == "bin/phpunit");
            let symfony = manifest.contains("\"symfony/framework-bundle\"") || manifest.contains("\"symfony/dotenv\"");
            if symfony
                || scene.is_in_project("symfony.lock")
                || scene.is_in_project("bin/console")
                || program == "console"
                || (bin_phpunit && found.is_empty())
            {
                found.push(Loader::Symfony);
            }
            if manifest.contains("\"vlucas/phpdotenv\"") || found.is_empty() {
                found.push(Loader::Phpdotenv);
                if manifest.is_empty() && found.len() == 1 {
                    found.extend([Loader::Laravel, Loader::Symfony]);
                }
            }
            found
        }
        Family::Ruby => {
            if scene.is_in_project("config/application.rb") || scene.is_in_project("config/database.yml") {
                vec![Loader::Rails]
            } else {
                vec![Loader::Rails, Loader::RubyDotenv]
            }
        }
        Family::Python => {
            if scene.is_in_project("manage.py") || scene.shell.get("DJANGO_SETTINGS_MODULE").is_some() {
                vec![Loader::Django, Loader::Python]
            } else {
                vec![Loader::Python]
            }
        }
        Family::Node => node(scene),
        Family::Go => vec![Loader::Go],
        Family::Rust => vec![Loader::Rust],
        Family::Jvm => vec![Loader::Spring],
        Family::Dotnet => vec![Loader::Dotnet],
        Family::Elixir => vec![Loader::Elixir],
    }
}

fn node(scene: &Scene<'_>) -> Vec<Loader> {
    let manifest = scene.manifest(&["package.json"]);
    let has = |name: &str| manifest.contains(&format!("\"{name}\""));
    let program = scene.program();
    let mut found = vec![Loader::NodeConfig, Loader::NodeEnvFile];
    let mut knows_loader = false;
    let table: &[(&[&str], Loader)] = &[
        (&["dotenv-flow"], Loader::DotenvFlow),
        (&["next"], Loader::Next),
        (&["vite", "vitest"], Loader::Vite),
        (&["prisma", "@prisma/client"], Loader::Prisma),
    ];
    for (names, loader) in table {
        let is_program = names.contains(&program);
        if is_program || names.iter().any(|name| has(name)) {
            found.push(*loader);
            knows_loader |= *loader != Loader::Vite && *loader != Loader::Prisma;
        }
    }
    if scene.is_in_project("prisma/schema.prisma") && !found.contains(&Loader::Prisma) {
        found.push(Loader::Prisma);
    }
    if program == "bun" || scene.is_in_project("bun.lockb") || scene.is_in_project("bun.lock") {
        found.push(Loader::Bun);
    }
    // Next and dotenv-flow do their own loading; beside them, plain dotenv counts where it is asked for.
    if !knows_loader || has("dotenv") || has("@nestjs/config") || has("dotenv-cli") {
        found.push(Loader::NodeDotenv);
    }
    if manifest.is_empty() {
        found.extend([Loader::DotenvFlow, Loader::Prisma]);
        found.dedup();
    }
    found
}
