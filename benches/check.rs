//! Judging alone, against the least that a program before a command can cost.

use crate::compare::{Contest, Runner};
use crate::project::Project;

/// A project with three `.env` files.
pub(crate) fn three_files() -> Contest {
    let project = Project::new("check-three-files");
    project.write(
        ".env",
        "APP_NAME=Shop\nAPP_ENV=local\nAPP_URL=http://localhost:8000\nDB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\n\
         DB_PORT=5432\nDB_DATABASE=shop_dev\nDB_USERNAME=shop\nDB_PASSWORD=shop\nREDIS_URL=redis://localhost:6379/0\n",
    );
    project.write(".env.test", "APP_ENV=testing\nDATABASE_URL=postgres://shop:shop@localhost:5432/shop_test\n");
    project.write(".env.local", "DB_PASSWORD=other\nMAIL_HOST=localhost\n");
    against_env(project, &["check"], 0)
}

/// The largest file of the corpus: a managed database, so it is refused.
pub(crate) fn largest_corpus_case() -> Contest {
    let project = Project::new("check-corpus");
    project.write("prisma/.env", include_str!("../fixtures/bench/largest-corpus-case.env"));
    against_env(project, &["--env-file", "prisma/.env", "check", "--format", "json"], 120)
}

fn against_env(project: Project, arguments: &'static [&'static str], status: i32) -> Contest {
    let other = project.clone();
    Contest::new(
        Runner::new(move || other.env_true()),
        Runner { status, ..Runner::new(move || project.safe_test(arguments)) },
    )
}
