//! Writes the password file that libpq reads.

use std::io;

use crate::own_tools::ToolEnvironment;
use crate::secret::Secret;
use crate::snapshot::secret_file::SecretFile;
use crate::state_directory::state_directory;

/// Writes a file for `PGPASSFILE`.
pub(crate) fn write(password: &Secret, environment: &ToolEnvironment) -> io::Result<SecretFile> {
    SecretFile::new(line(password).as_bytes(), &state_directory(|name| environment.get(name)))
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
