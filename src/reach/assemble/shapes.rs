//! Guesses by the shape of a value, for variables whose names leave it open.

use std::net::Ipv4Addr;

use crate::lists::{List, list};
use crate::reach::grammars::text::LONGEST_VALUE;

static TOP_LEVEL_DOMAINS: List = list!("top_level_domains.txt");

/// Tells whether the text is a full domain name or an IPv4 address, perhaps with a port: `cluster0.ab1cd.mongodb.net`.
///
/// Names of Java classes have dots too, so the last label has to be one that hosts end in.
pub(crate) fn is_address(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    // DNS knows no longer name.
    if text.len() > 300 || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let labels: Vec<&str> = host.split('.').collect();
    let fits = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    labels.len() >= 3 && labels.iter().all(fits) && labels.last().is_some_and(|last| TOP_LEVEL_DOMAINS.contains(last))
}

/// Tells whether the text is a host with a port: `db:5432`.
pub(crate) fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    port.parse::<u16>().is_ok_and(|port| port > 0) && !host.is_empty() && host.chars().all(fits)
}

/// Tells whether the text is a list of servers, each with its port: `10.0.0.1:6379,cache:6380`. `redis:7,valkey:8` are
/// versions of images; servers do not listen on ports that low.
pub(crate) fn is_list_of_servers(text: &str) -> bool {
    let unreserved = |item: &str| item.rsplit_once(':').is_some_and(|(_, port)| port.len() >= 4);
    text.len() <= LONGEST_VALUE
        && text.contains(',')
        && text.split(',').map(str::trim).all(|item| is_host_and_port(item) && unreserved(item))
}

/// Tells whether the text is a number in hexadecimal, such as the address of a contract.
pub(crate) fn is_hexadecimal(text: &str) -> bool {
    text.len() > 12 && text.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Tells whether what stands where a database's name may be is the path of a file about databases.
pub(crate) fn is_file_of_code(text: &str) -> bool {
    let endings = [".ini", ".prisma", ".py", ".rb", ".sql", ".toml", ".yaml", ".yml"];
    text.contains('/') && endings.iter().any(|ending| text.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_names_of_classes_and_versions() {
        let cases = [
            ("cluster0.ab1cd.mongodb.net", true),
            ("db.example.com:5432", true),
            ("10.0.0.1", true),
            ("org.hibernate.dialect.PostgreSQLDialect", false),
            ("com.mysql.cj.jdbc.Driver", false),
            ("15.2.1", false),
            ("example.com", false),
            ("ann@mail.example.com", false),
            ("shop_test", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_address(text), expected, "{text}");
        }
    }
}
