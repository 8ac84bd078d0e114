//! PHP: Laravel picks one file, Symfony layers several, phpunit sets variables of its own.

use super::{case, check};

const ARTISAN: (&str, &str) = ("artisan", "#!/usr/bin/env php\n");
const LARAVEL: (&str, &str) = ("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}");

#[test]
fn laravel_takes_the_one_file_of_its_environment() {
    let test = &["php", "artisan", "test"];
    check(&[
        case(
            "`.env.testing` replaces `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@REMOTE\n"), (".env.testing", "DB_URL=@LOCAL\n")],
            &[],
            &["php", "artisan", "migrate:fresh", "--env=testing"],
            "safe",
            "",
        ),
        case(
            "a missing `.env.testing` means `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_DATABASE=shop\n")],
            &[],
            &["php", "artisan", "migrate:fresh", "--env=testing"],
            "safe",
            "",
        ),
        case(
            "the same with a remote `.env`",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@REMOTE\n")],
            &[("APP_ENV", "testing")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a cached configuration beats everything",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=@LOCAL\n"),
                (".env.testing", "DB_URL=@LOCAL\n"),
                ("bootstrap/cache/config.php", "<?php return [];\n"),
            ],
            &[],
            test,
            "unverified",
            "cached-configuration",
        ),
        case(
            "phpunit's <env force> does not beat the shell",
            &[
                ARTISAN,
                LARAVEL,
                (".env", ""),
                (
                    "phpunit.xml",
                    "<phpunit><php><env name=\"DB_CONNECTION\" value=\"sqlite\" force=\"true\"/><env name=\"DB_DATABASE\" value=\":memory:\" force=\"true\"/><env name=\"DB_HOST\" value=\"localhost\" force=\"true\"/></php></phpunit>",
                ),
            ],
            &[("DB_URL", "@REMOTE")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "phpunit's <server> and <env> name the database",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=\n"),
                (
                    "phpunit.xml",
                    "<phpunit><php><server name=\"APP_ENV\" value=\"testing\"/><env name=\"DB_CONNECTION\" value=\"sqlite\"/><env name=\"DB_DATABASE\" value=\":memory:\"/></php></phpunit>",
                ),
            ],
            &[],
            &["vendor/bin/phpunit"],
            "safe",
            "",
        ),
        case(
            "DB_URL beats DB_CONNECTION",
            &[ARTISAN, LARAVEL, (".env", "DB_CONNECTION=sqlite\nDB_DATABASE=:memory:\nDB_URL=@REMOTE\n")],
            &[],
            test,
            "production",
            "host-remote",
        ),
        case(
            "`.env.production` does not count",
            &[
                ARTISAN,
                LARAVEL,
                (".env", "DB_URL=@LOCAL\n"),
                (".env.testing", "DB_URL=@LOCAL\n"),
                (".env.production", "DB_URL=@REMOTE\nAPP_ENV=production\n"),
                (".env.example", "DB_URL=@REMOTE\n"),
            ],
            &[],
            test,
            "safe",
            "",
        ),
        case(
            "until the mode selects it",
            &[ARTISAN, LARAVEL, (".env", "DB_URL=@LOCAL\n"), (".env.production", "DB_URL=@REMOTE\n")],
            &[],
            &["php", "artisan", "migrate", "--env=production"],
            "production",
            "",
        ),
    ]);
}

#[test]
fn symfony_layers_the_files_of_its_environment() {
    let manifest = ("composer.json", "{\"require\": {\"symfony/framework-bundle\": \"7\"}}");
    let files = |more: &'static [(&'static str, &'static str)]| {
        [&[manifest, ("bin/console", "#!/usr/bin/env php\n")], more].concat()
    };
    check(&[
        case(
            "tests ignore `.env.local`",
            &files(&[
                (".env", "DATABASE_URL=@LOCAL\n"),
                (".env.test", "APP_ENV=test\n"),
                (".env.local", "DATABASE_URL=@REMOTE\n"),
            ]),
            &[("APP_ENV", "test")],
            &["bin/phpunit"],
            "safe",
            "",
        ),
        case(
            "other commands do not",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.local", "DATABASE_URL=@REMOTE\n")]),
            &[],
            &["bin/console", "doctrine:fixtures:load", "-n"],
            "production",
            "host-remote",
        ),
        case(
            "`.env.test.local` is the strongest file",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.test.local", "DATABASE_URL=@REMOTE\n")]),
            &[("APP_ENV", "test")],
            &["bin/phpunit"],
            "production",
            "host-remote",
        ),
        case(
            "the shell beats all files",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.test", "DATABASE_URL=@LOCAL\n")]),
            &[("DATABASE_URL", "@REMOTE")],
            &["bin/phpunit"],
            "production",
            "host-remote",
        ),
        case(
            "--env=prod takes the files of production",
            &files(&[(".env", "DATABASE_URL=@LOCAL\n"), (".env.prod", "DATABASE_URL=@REMOTE\n")]),
            &[],
            &["bin/console", "doctrine:schema:drop", "--force", "--env=prod"],
            "production",
            "",
        ),
    ]);
}
