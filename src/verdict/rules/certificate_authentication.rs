//! `certificate-authentication`: a client certificate or key is configured for the connection.

use crate::verdict::Finding;
use crate::verdict::subject::{Subject, origin_of, production};

/// The id of this rule.
pub(crate) const ID: &str = "certificate-authentication";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        let (Some(certificate), Some(origin)) = (target.client_certificate(), origin_of(target)) else { continue };
        let message = format!("a client certificate or key is configured (`{certificate}`)");
        findings.push(production(
            ID,
            at,
            origin,
            message,
            format!("remove {certificate} for tests: a test database does not need it"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn certificate_authentication_is_a_client_certificate_not_a_root_one() {
        let judge = |key: &str| {
            let mut bench = Bench::postgres("localhost", "app_test");
            bench.targets[0].parameters.push((key.to_owned(), "/etc/ssl/x.pem".to_owned()));
            bench.judge().verdict
        };
        assert_eq!(judge("sslcert"), Verdict::Production);
        assert_eq!(judge("sslkey"), Verdict::Production);
        assert_eq!(judge("sslrootcert"), Verdict::Safe);
        assert_eq!(judge("sslmode"), Verdict::Safe);
    }
}
