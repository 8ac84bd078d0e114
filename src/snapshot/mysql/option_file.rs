//! Writes the option file that the client programs read instead of the user's own.

use std::io;

use crate::own_tools::ToolEnvironment;
use crate::snapshot::secret_file::SecretFile;
use crate::state_directory::state_directory;

/// The longest line that the programs read whole, in bytes.
///
/// Source: `search_default_file_with_ext` in the client library reads lines of 4096 bytes.
const LONGEST_LINE: usize = 4000;

/// Writes the options into a private file, for `--defaults-file=`.
///
/// # Errors
///
/// The file cannot be written, and those of [`text`].
pub(crate) fn write(options: &[(&str, String)], environment: &ToolEnvironment) -> io::Result<SecretFile> {
    SecretFile::new(text(options)?.as_bytes(), &state_directory(|name| environment.get(name)))
}

/// Writes the options as such a file has them.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] where a value is too long for a line, or holds a NUL byte.
pub(crate) fn text(options: &[(&str, String)]) -> io::Result<String> {
    let mut text = String::from("[client]\n");
    for (name, value) in options {
        let line = line(name, value);
        if line.len() > LONGEST_LINE || line.contains('\0') {
            let why = format!("the value of `{name}` is too long for an option file, or holds a NUL byte");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        text.push_str(&line);
    }
    Ok(text)
}

/// Writes an option. Within double quotes `#` begins no comment and blanks at the ends stay.
///
/// Source: MariaDB documentation, "Configuring MariaDB with Option Files"; MySQL Reference Manual, "Using Option Files".
fn line(name: &str, value: &str) -> String {
    let mut line = format!("{name}=\"");
    for character in value.chars() {
        match character {
            '\\' | '"' => line.extend(['\\', character]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '\u{8}' => line.push_str("\\b"),
            other => line.push(other),
        }
    }
    line.push_str("\"\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_option_file_is_escaped() {
        for (value, expected) in [
            ("plain", "password=\"plain\"\n"),
            (" a#b ;c ", "password=\" a#b ;c \"\n"),
            (r#"q"u\o'te"#, "password=\"q\\\"u\\\\o'te\"\n"),
            ("a\nb\tc", "password=\"a\\nb\\tc\"\n"),
            (r"ends with \", "password=\"ends with \\\\\"\n"),
        ] {
            assert_eq!(line("password", value), expected);
        }
        for bad in ["x".repeat(5000), "a\0b".to_owned()] {
            let error = write(&[("password", bad)], &ToolEnvironment::default()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
