//! Node.js: dotenv and its relatives, configuration in code, Prisma.

use super::{case, check};

#[test]
fn node_takes_the_files_of_its_loaders() {
    let manifest =
        |dependencies: &str| format!("{{\"scripts\": {{\"test\": \"jest\"}}, \"dependencies\": {{{dependencies}}}}}");
    let (dotenv, flow, next, vite) = (
        manifest("\"dotenv\": \"16\""),
        manifest("\"dotenv-flow\": \"4\""),
        manifest("\"next\": \"15\""),
        manifest("\"vitest\": \"3\", \"dotenv\": \"16\""),
    );
    let (dotenv, flow, next, vite) =
        (("package.json", &*dotenv), ("package.json", &*flow), ("package.json", &*next), ("package.json", &*vite));
    let test = &["npm", "test"];
    check(&[
        case(
            "dotenv reads `.env`",
            &[dotenv, (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the shell beats it",
            &[dotenv, (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DATABASE_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a variable names another file",
            &[dotenv, (".env", "DATABASE_URL=@LOCAL\n"), ("other.env", "DATABASE_URL=@REMOTE\n")],
            &[("DOTENV_CONFIG_PATH", "other.env")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "dotenv-flow: tests skip `.env.local`",
            &[flow, (".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[("NODE_ENV", "test")],
            test,
            "safe",
            "",
        ),
        case(
            "dotenv-flow: `.env.test.local` wins",
            &[flow, (".env", "DATABASE_URL=@LOCAL\n"), (".env.test.local", "DATABASE_URL=@REMOTE\n")],
            &[("NODE_ENV", "test")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "node --env-file",
            &[(".env.other", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["node", "--env-file=.env.other", "--test"],
            "production",
            "host-remote",
        ),
        case(
            "Next without NODE_ENV reads production's files",
            &[next, (".env", "DATABASE_URL=@LOCAL\n"), (".env.production", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["next", "build"],
            "production",
            "",
        ),
        case(
            "a script's own assignment",
            &[("package.json", "{\"scripts\": {\"test\": \"cross-env DATABASE_URL=@REMOTE jest\"}}")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a script's own file",
            &[
                ("package.json", "{\"scripts\": {\"test\": \"dotenv -e .env.ci -- jest\"}}"),
                (".env", "DATABASE_URL=@LOCAL\n"),
                (".env.ci", "DATABASE_URL=@REMOTE\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a script behind a script",
            &[
                (
                    "package.json",
                    "{\"scripts\": {\"test\": \"npm run reset && jest\", \"reset\": \"psql @REMOTE -f reset.sql\"}}",
                ),
                (".env", "DATABASE_URL=@LOCAL\n"),
            ],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "`.env.example` never counts",
            &[vite, (".env", "DATABASE_URL=@LOCAL\n"), (".env.example", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["npx", "vitest"],
            "safe",
            "",
        ),
        case(
            "Vite reads `.env.local` in tests too",
            &[vite, (".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["npx", "vitest"],
            "production",
            "host-remote",
        ),
    ]);
}

#[test]
fn prisma_takes_the_variables_of_its_schema() {
    let manifest =
        ("package.json", "{\"dependencies\": {\"@prisma/client\": \"6\"}, \"devDependencies\": {\"prisma\": \"6\"}}");
    let schema = (
        "prisma/schema.prisma",
        "datasource db {\n  provider = \"postgresql\"\n  url = env(\"SHOP_DB\")\n  directUrl = env(\"SHOP_DIRECT\")\n}\n",
    );
    let reset = &["npx", "prisma", "migrate", "reset", "--force"];
    check(&[
        case(
            "the variable of the schema",
            &[manifest, schema, (".env", "SHOP_DB=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "its direct URL",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\nSHOP_DIRECT=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "prisma/.env",
            &[manifest, schema, ("prisma/.env", "SHOP_DB=@REMOTE\n")],
            &[],
            reset,
            "production",
            "host-remote",
        ),
        case(
            "one key in two files",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\n"), ("prisma/.env", "SHOP_DB=@LOCAL\n")],
            &[],
            reset,
            "safe",
            "",
        ),
        case(
            "a shadow database that is the main one",
            &[manifest, schema, (".env", "SHOP_DB=@LOCAL\nSHADOW_DATABASE_URL=@LOCAL\n")],
            &[],
            reset,
            "unverified",
            "shadow-database",
        ),
        case("all local", &[manifest, schema, (".env", "SHOP_DB=@LOCAL\n")], &[], reset, "safe", ""),
    ]);
}

#[test]
fn dotenv_expand_after_dotenv_sees_names_further_down() {
    let manifest = |packages: &str| format!("{{\"devDependencies\": {{\"jest\": \"29\", {packages}}}}}");
    let (both, dotenv) = (manifest("\"dotenv\": \"16\", \"dotenv-expand\": \"12\""), manifest("\"dotenv\": \"16\""));
    let (both, dotenv) = (("package.json", &*both), ("package.json", &*dotenv));
    let installed = ("node_modules/dotenv-expand/package.json", "{\"version\": \"12.0.3\"}");
    let url = "DATABASE_URL=postgres://app@${AREA:-localhost}/app_test\n";
    let (remote, local) = (format!("{url}AREA=db.northwind-shop.net\n"), format!("{url}AREA=127.0.0.1\n"));
    let (remote, local) = ((".env", &*remote), (".env", &*local));
    let test = &["npx", "jest"];
    check(&[
        case("it is among the packages", &[both, remote], &[], test, "production", "host-remote"),
        case("it came with another package", &[dotenv, installed, remote], &[], test, "production", "host-remote"),
        case("no manifest says what is there", &[remote], &[], test, "production", "host-remote"),
        case("nobody knows what the program loads", &[remote], &[], &["./run"], "production", "host-remote"),
        case("the name further down is local", &[both, installed, local], &[], test, "safe", ""),
        case("without it nothing is expanded so", &[dotenv, remote], &[], test, "safe", ""),
        case(
            "a name that the shell sets beats the file's",
            &[both, remote],
            &[("AREA", "localhost")],
            test,
            "safe",
            "",
        ),
        case("a wrapper that expands", &[dotenv, remote], &[], &["dotenv", "--", "jest"], "production", "host-remote"),
        case(
            "Prisma expands so by itself",
            &[("package.json", "{\"dependencies\": {\"prisma\": \"6\"}}"), remote],
            &[],
            &["npx", "prisma", "migrate", "dev"],
            "production",
            "host-remote",
        ),
    ]);
}
