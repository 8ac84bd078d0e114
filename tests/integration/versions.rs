//! Servers and client tools of several versions side by side.

use crate::support::{Postgres, Sandbox};

#[test]
fn servers_of_other_versions_answer_and_are_saved() {
    for major in [17, 18] {
        let postgres = Postgres::of_version(major);
        assert!(std::ptr::eq(postgres, Postgres::of_version(major)));
        let number: u32 = postgres.psql("postgres", "SHOW server_version_num").parse().unwrap();
        assert_eq!((postgres.major(), number / 10_000), (major, major));
        let sandbox = Sandbox::with_postgres_on(postgres, "other_version_test");
        sandbox.guarded().expect_code(0);
        let saved = &sandbox.manifests()[0];
        assert!(saved["tool"]["version"].as_str().unwrap().starts_with(&major.to_string()), "{saved:#}");
    }
}
