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
        let main = target.origins.iter().find(|origin| !is_shadow(&origin.variable));
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
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn shadow_database_must_not_be_the_main_one() {
        let mut bench = Bench::local();
        bench.targets[0].origins = vec![Origin::process("DATABASE_URL"), Origin::process("SHADOW_DATABASE_URL")];
        assert_eq!(bench.judge().verdict, Verdict::Unverified);
        assert_eq!(Bench::local().judge().verdict, Verdict::Safe);
    }
}
