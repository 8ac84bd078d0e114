//! Python: Django, python-dotenv and its kin, pytest, Alembic, and configuration in code.

pub(crate) mod alembic;
pub(crate) mod code;
pub(crate) mod decouple;
pub(crate) mod dialects;
pub(crate) mod django;
pub(crate) mod dotenv;
pub(crate) mod entries;
pub(crate) mod manifests;
pub(crate) mod program;
pub(crate) mod pytest;
pub(crate) mod settings_files;

use crate::environment::derivation::Derivation;
use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, always, nowhere};
use crate::lists::list;

pub(crate) static PYTHON: Ecosystem = Ecosystem {
    name: "python",
    is_present: |scene| {
        scene.is_any_in_project(&[
            "pyproject.toml",
            "requirements.txt",
            "manage.py",
            "Pipfile",
            "setup.py",
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
        ])
    },
    load_orders: &[
        LoadOrder { name: "Django", applies: django::is_used, add: django::add },
        LoadOrder { name: "python-dotenv", applies: always, add: dotenv::add },
        LoadOrder { name: "settings file", applies: always, add: settings_files::add },
        LoadOrder { name: "python-decouple", applies: always, add: decouple::add },
        LoadOrder { name: "Alembic", applies: |scene| scene.program() != "django-admin", add: alembic::add },
    ],
    derivations: &[(
        |scene| scene.purpose.test && django::is_used(scene),
        Derivation {
            by: "Django's tests",
            on_servers: &["test_{name}", "test_{name}_{worker}", "{tests}_{worker}"],
            in_files: &["{stem}_{worker}{ending}"],
        },
    )],
    named_files: &[],
    settings_options: &[(&["alembic"], &["-c", "--config"]), (&["flask"], &["-e", "--env-file"])],
    scan: manifests::scan,
    members: manifests::MEMBERS,
    confines: nowhere,
    included: manifests::included,
    drivers: list!("drivers.txt"),
};
