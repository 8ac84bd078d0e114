//! Django and pytest: the settings module, and the files beside it.

use super::{case, check};

#[test]
fn python_takes_the_settings_module_and_the_files_beside_it() {
    let manage = ("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n");
    let settings = "import environ\nenv = environ.Env()\nDATABASES = {'default': env.db('DATABASE_URL')}\n";
    check(&[
        case(
            "a file beside manage.py",
            &[manage, ("shop/settings.py", settings), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["python", "manage.py", "test", "--noinput"],
            "production",
            "host-remote",
        ),
        case(
            "the settings module of production",
            &[manage, (".env", "DATABASE_URL=@LOCAL\n")],
            &[("DJANGO_SETTINGS_MODULE", "shop.settings.production")],
            &["pytest"],
            "production",
            "environment-production",
        ),
        case(
            "--ds beats pytest.ini",
            &[
                ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings.test\n"),
                (".env", "DATABASE_URL=@LOCAL\n"),
            ],
            &[],
            &["pytest", "--ds=shop.settings.prod"],
            "production",
            "environment-production",
        ),
        case(
            "python-dotenv climbs",
            &[("requirements.txt", "python-dotenv\npsycopg\n"), (".env", "DATABASE_URL=@REMOTE\n")],
            &[],
            &["pytest", "tests"],
            "production",
            "host-remote",
        ),
        case(
            "pydantic reads any case",
            &[("requirements.txt", "pydantic-settings\n")],
            &[("database_url", "@REMOTE")],
            &["pytest"],
            "production",
            "host-remote",
        ),
        case(
            "pytest-env sets it",
            &[("pytest.ini", "[pytest]\nenv =\n    DATABASE_URL=@LOCAL\n"), ("requirements.txt", "pytest-env\n")],
            &[],
            &["pytest"],
            "safe",
            "",
        ),
        case(
            "a test name on the main server",
            &[manage, (".env", "DATABASE_URL=postgres://localhost/shop_test?dbname=shop_prod\n")],
            &[],
            &["python", "manage.py", "test"],
            "production",
            "database-name-production",
        ),
    ]);
}
