//! Which options of a connection are kept, and under which spelling.
//!
//! A list of what is kept, not of what is dropped: an option nobody thought of may hold a secret.

use crate::lists::{List, list};
use crate::reach::target::{CERTIFICATE, KEY, WALLET};

static OPTIONS: List = list!("options.txt");

/// Spells `key=value` as it is kept; `None` where it is dropped. Client certificates and keys get one spelling, [`CERTIFICATE`] and [`KEY`].
pub(crate) fn kept(key: &str, value: &str) -> Option<(String, String)> {
    let folded: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if value.trim().is_empty() || value.len() > 512 {
        return credential_key(&folded).filter(|_| value.len() > 512).map(|kind| (kind.to_owned(), INLINE.to_owned()));
    }
    if let Some(kind) = credential_key(&folded) {
        return certificate(kind, value);
    }
    OPTIONS.contains(&folded).then(|| (key.to_owned(), value.to_owned()))
}

/// What stands for a certificate that is written out in the value itself.
const INLINE: &str = "(inline)";

fn certificate(kind: &str, value: &str) -> Option<(String, String)> {
    let value = value.trim();
    let switched_off = ["false", "0", "no", "off", "none", "null", "disable", "disabled"];
    let switch = ["true", "1", "yes", "on"];
    let lower = value.to_ascii_lowercase();
    if switched_off.contains(&lower.as_str()) || switch.contains(&lower.as_str()) {
        return None;
    }
    if value.contains("-----BEGIN") || value.contains('\n') {
        return Some((kind.to_owned(), INLINE.to_owned()));
    }
    // Prisma's `sslcert`, and many hand-written settings, hold the authority that the *server* is checked against.
    if kind == CERTIFICATE && names_an_authority(&lower) {
        return Some(("sslrootcert".to_owned(), value.to_owned()));
    }
    Some((kind.to_owned(), value.to_owned()))
}

fn names_an_authority(path: &str) -> bool {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let words: Vec<&str> = file.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words.iter().any(|word| matches!(*word, "ca" | "root" | "bundle" | "cacert" | "authority" | "chain" | "rootca"))
}

/// Finds the key under which a client's credential is kept; `folded` is the option's letters and digits in lower case.
pub(crate) fn credential_key(folded: &str) -> Option<&'static str> {
    OPTIONS.find(folded).filter(|kind| !kind.is_empty())
}

/// Tells whether a kept key holds a client's own certificate, its key, or a store of both.
pub(crate) fn is_client_credential(key: &str) -> bool {
    [CERTIFICATE, KEY, WALLET].contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_kept_in_their_own_spelling_and_certificates_in_one() {
        let cases = [
            ("sslmode", "require", Some(("sslmode", "require"))),
            ("authSource", "admin", Some(("authSource", "admin"))),
            ("ssl-mode", "REQUIRED", Some(("ssl-mode", "REQUIRED"))),
            ("SSL Certificate", "/c/client.pem", Some(("sslcert", "/c/client.pem"))),
            ("ssl-cert", "client.pem", Some(("sslcert", "client.pem"))),
            ("sslcert", "./rds-combined-ca-bundle.pem", Some(("sslrootcert", "./rds-combined-ca-bundle.pem"))),
            ("sslkey", "-----BEGIN KEY", Some(("sslkey", "(inline)"))),
            ("TNS_ADMIN", "/opt/wallet", Some(("wallet", "/opt/wallet"))),
            ("sslrootcert", "system", Some(("sslrootcert", "system"))),
            ("ssl_cert", "false", None),
            ("trustServerCertificate", "true", Some(("trustServerCertificate", "true"))),
            ("password", "x", None),
            ("api_key", "x", None),
            ("sslpassword", "x", None),
            ("sslmode", "", None),
        ];
        for (key, value, expected) in cases {
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(kept(key, value), expected, "{key}={value}");
        }
    }

    #[test]
    fn every_credential_is_kept_under_one_of_three_keys() {
        for (option, kind) in OPTIONS.iter().filter(|(_, kind)| !kind.is_empty()) {
            assert!(is_client_credential(kind), "{option}");
        }
    }
}
