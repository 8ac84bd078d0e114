//! When what a folder holds was made.

use std::io;
use std::path::Path;
use std::time::SystemTime;

/// The most files of a folder that are looked at.
const MOST_FILES: usize = 20_000;

/// Tells whether a folder holds anything that was made before a moment; the folder itself may be older. What was moved or
/// linked there keeps its birth.
///
/// # Errors
///
/// Where it cannot be read, holds more than can be looked at, or its file system keeps no births.
pub(super) fn is_older(folder: &Path, moment: SystemTime) -> io::Result<bool> {
    let found = std::fs::metadata(folder)?;
    if !found.is_dir() {
        // A single file holds settings, a script or a socket, but no server's data; one of SQLite's is no server's.
        return Ok(false);
    }
    let mut folders = vec![folder.to_owned()];
    let mut left = MOST_FILES;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            left = left.checked_sub(1).ok_or_else(|| io::Error::other("it holds too many files"))?;
            // The entry itself, not where it leads: that is outside the container.
            let found = match entry.metadata() {
                // A server removes files while it starts.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found?,
            };
            if found.created()? < moment {
                return Ok(true);
            }
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(false)
}
