//! Random bits of the system's.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::text::hex;

/// Where the system gives them.
pub(crate) const SOURCE: &str = "/dev/urandom";

/// Gives 128 random bits in hexadecimal.
///
/// # Errors
///
/// What the system says of its device.
pub(crate) fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    #[expect(clippy::disallowed_methods, reason = "the system's random bits are a device's")]
    File::open(Path::new(SOURCE)).and_then(|mut source| source.read_exact(&mut bytes))?;
    Ok(hex(bytes))
}
