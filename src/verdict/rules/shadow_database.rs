//! `shadow-database`: the shadow database, which is wiped, is the main one.

use crate::verdict::Finding;
use crate::verdict::subject::{Subject, unverified};

/// The id of this rule.
pub(crate) const ID: &str = "shadow-database";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        let is_shadow = |variable: &str| variable.to_uppercase().contains("SHADOW");
        let shadow = target.origins.iter().find(|origin| is_shadow(&origin.variable));
        let all = shadow.map_or_else(Vec::new, |_| subject.origins_of_one_database(at));
        let main = all.into_iter().find(|origin| !is_shadow(&origin.variable));
        if let (Some(shadow), Some(main)) = (shadow, main) {
            findings.push(unverified(
                ID,
                at,
                Some(shadow),
                format!("{shadow} names the same database as {main}; Prisma wipes a shadow database"),
                format!("give {} a database of its own, or remove it", shadow.variable),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::environment::Origin;
    use crate::reach::{Engine, Place};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn shadow_database_must_not_be_the_main_one() {
        let mut bench = Bench::local();
        bench.targets[0].origins = vec![Origin::process("DATABASE_URL"), Origin::process("SHADOW_DATABASE_URL")];
        assert_eq!(bench.judge().verdict, Verdict::Unverified);
        assert_eq!(Bench::local().judge().verdict, Verdict::Safe);
    }

    #[test]
    fn another_spelling_of_the_main_database_is_the_main_one() {
        let socket = Place::Socket { path: "/var/run/postgresql".into(), port: None };
        let host = |name: &str, port| Place::Host { name: name.to_owned(), port };
        let table = [
            (host("127.0.0.1", None), "shop_dev", Verdict::Unverified),
            (host("::1", Some(5432)), "shop_dev", Verdict::Unverified),
            (socket, "shop_dev", Verdict::Unverified),
            (host("127.0.0.1", Some(5433)), "shop_dev", Verdict::Safe),
            (host("127.0.0.1", None), "shop_shadow", Verdict::Safe),
        ];
        for (place, database, expected) in table {
            let mut bench = Bench::postgres("localhost", "shop_dev");
            let mut shadow = Bench::place(Engine::Postgres, place.clone(), Some(database)).targets.remove(0);
            shadow.origins = vec![Origin::process("SHADOW_DATABASE_URL")];
            bench.targets.push(shadow);
            assert_eq!(bench.judge().verdict, expected, "{place:?} {database}");
        }
    }
}
