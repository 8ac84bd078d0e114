//! Names that only a provider resolves: ARNs and Cloud SQL instances.

use crate::reach::grammars::placeholder::is_unexpanded;
use crate::reach::{Doubt, Draft, Engine, Place};

/// The longest ARN, in bytes.
///
/// Source: the AWS IAM API reference, `arnType`.
const LONGEST_ARN: usize = 2048;

/// Reads an ARN of a database; `None` for ARNs of other services (buckets, queues, secrets).
pub(crate) fn arn(text: &str) -> Option<Draft> {
    let mut parts = text.trim().splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    if arn != "arn" || !partition.starts_with("aws") || text.len() > LONGEST_ARN || text.contains(char::is_whitespace) {
        return None;
    }
    let resource = parts.nth(2)?;
    let engine = match service {
        "rds" | "docdb" | "neptune-db" => Engine::Unknown,
        "redshift" | "redshift-serverless" | "dsql" => Engine::Postgres,
        "dynamodb" | "dax" => Engine::Dynamodb,
        "elasticache" | "memorydb" => Engine::Redis,
        "es" | "aoss" => Engine::Search,
        "cassandra" => Engine::Cassandra,
        _ => return None,
    };
    let mut draft = Draft::at(engine, Place::Instance { name: text.trim().to_owned() });
    if engine == Engine::Dynamodb
        && let Some(table) = resource.strip_prefix("table/")
    {
        draft.set_database(table.split('/').next().unwrap_or(table));
    }
    Some(draft)
}

/// Reads `project:region:instance`, or the folder `/cloudsql/…` of its socket.
///
/// `sure` says that the variable's name promises one; without it only the folder counts.
pub(crate) fn cloud_sql(text: &str, sure: bool) -> Option<Draft> {
    let text = text.trim();
    if text.starts_with("/cloudsql/") && !text.contains(char::is_whitespace) {
        return Some(Draft::at(Engine::Unknown, Place::Socket { path: text.into(), port: None }));
    }
    if !sure || text.is_empty() {
        return None;
    }
    let unexpanded = is_unexpanded(text);
    // `example.com:project:region:instance` exists too: a project of a domain.
    let shape = text.split(':').count() >= 3 && !text.contains(['/', ' ']);
    if !shape && !unexpanded {
        return None;
    }
    // `instance=tcp:5432`, as the proxy takes it.
    let name = text.split_once("=tcp").map_or(text, |(name, _)| name);
    let mut draft = Draft::at(Engine::Unknown, Place::Instance { name: name.to_owned() });
    if unexpanded {
        draft.doubt(Doubt::Unexpanded);
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;

    #[test]
    fn arns_of_databases_are_instances() {
        let cases = [
            (
                "arn:aws:rds:eu-west-1:123456789012:cluster:shop-prod",
                Some("unknown <arn:aws:rds:eu-west-1:123456789012:cluster:shop-prod> -"),
            ),
            (
                "arn:aws:dynamodb:eu-west-1:1:table/orders",
                Some("dynamodb <arn:aws:dynamodb:eu-west-1:1:table/orders> orders"),
            ),
            ("arn:aws-cn:es:cn-north-1:1:domain/x", Some("search <arn:aws-cn:es:cn-north-1:1:domain/x> -")),
            ("arn:aws:s3:::bucket", None),
            ("arn:aws:secretsmanager:eu-west-1:1:secret:db", None),
            ("arn", None),
        ];
        for (text, expected) in cases {
            assert_eq!(arn(text).map(|draft| line(&draft)).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn cloud_sql_names_are_instances_and_sockets() {
        let cases = [
            ("contoso-shop:europe-west1:main", true, Some("unknown <contoso-shop:europe-west1:main> -")),
            ("contoso-shop:europe-west1:main", false, None),
            ("/cloudsql/a:b:c", false, Some("unknown unix:/cloudsql/a:b:c -")),
            ("<MY-PROJECT>:<REGION>:<DB>", true, Some("unknown <<MY-PROJECT>:<REGION>:<DB>> - [Unexpanded]")),
            ("a:b:c=tcp:5432", true, Some("unknown <a:b:c> -")),
            ("true", true, None),
        ];
        for (text, sure, expected) in cases {
            assert_eq!(cloud_sql(text, sure).map(|draft| line(&draft)).as_deref(), expected, "{text}");
        }
    }
}
