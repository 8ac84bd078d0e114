//! Writes the password file that libpq reads.

use std::ffi::OsString;
use std::io;

use crate::secret::Secret;
use crate::snapshot::secret_file::SecretFile;

/// Writes a file for `PGPASSFILE`. `environment` is that of this process.
pub(crate) fn write(password: &Secret, environment: &[(OsString, OsString)]) -> io::Result<SecretFile> {
    SecretFile::new(line(password).as_bytes(), environment)
}

/// Makes one line for every server: the tools get host, user and database from us alone.
///
/// Source: PostgreSQL documentation, "The Password File": `\` and `:` are escaped with `\`.
fn line(password: &Secret) -> String {
    let escaped = password.expose().replace('\\', r"\\").replace(':', r"\:");
    format!("*:*:*:*:{escaped}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_and_backslashes_are_escaped() {
        let cases =
            [("plain", "*:*:*:*:plain\n"), (r"a:b\c", "*:*:*:*:a\\:b\\\\c\n"), ("ü #'\" ", "*:*:*:*:ü #'\" \n")];
        for (password, expected) in cases {
            assert_eq!(line(&Secret::new(password)), expected);
        }
    }
}
