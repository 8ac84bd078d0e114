//! Reads a pipe that a person has named: `--env-file <(…)`, or one that a password manager writes to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a pipe's other end is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For somebody who opens it to write.
    pub(crate) for_writer: Duration,
    /// For the next byte of a writer that is there: it may be asking a person first.
    pub(crate) for_bytes: Duration,
}

impl Patience {
    pub(crate) const USUAL: Patience =
        Patience { for_writer: Duration::from_secs(5), for_bytes: Duration::from_secs(60) };
}

/// How long is waited between two looks: a writer that opens a pipe wakes nobody.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Reads the pipe at `path` until its writers have closed it; `None` where it is no pipe. It cannot be read a second time.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`] where nobody writes within `patience`, [`io::ErrorKind::FileTooLarge`] beyond `cap` bytes,
/// else what the system says. What was read is gone.
pub(crate) fn read(path: &Path, cap: u64, patience: Patience) -> io::Result<Option<Vec<u8>>> {
    if !fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
        return Ok(None);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a pipe that is named is meant to be read; it is not waited for here"
    )]
    let pipe = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if !pipe.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other("it was a pipe a moment ago"));
    }
    read_to_end(pipe, cap, patience).map(Some)
}

fn read_to_end(mut pipe: File, cap: u64, patience: Patience) -> io::Result<Vec<u8>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 64 * 1024]);
    let (mut last, mut has_writer) = (Instant::now(), false);
    loop {
        match pipe.read(&mut piece) {
            Ok(0) if has_writer => return Ok(bytes),
            Ok(0) if last.elapsed() > patience.for_writer => return Err(timed_out("nobody writes to it")),
            Ok(0) => {}
            Ok(count) => {
                bytes.extend_from_slice(&piece[..count]);
                if bytes.len() as u64 > cap {
                    let why = format!("it is larger than {} MiB", cap >> 20);
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
                }
                (last, has_writer) = (Instant::now(), true);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if last.elapsed() > patience.for_bytes {
                    return Err(timed_out("what writes to it neither goes on nor ends"));
                }
                has_writer = true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
        match poll(&mut fds, Some(&PAUSE)) {
            // Linux says so only once a writer was there and has gone; others, also where none has come yet.
            Ok(_) if cfg!(target_os = "linux") => has_writer |= fds[0].revents().contains(PollFlags::HUP),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn timed_out(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;
    use std::process::Command;
    use std::thread;

    const SHORT: Patience = Patience { for_writer: Duration::from_millis(200), for_bytes: Duration::from_millis(400) };

    fn named() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (folder, path)
    }

    /// Writes the pieces, with pauses that are shorter than patience lasts.
    fn write(path: &Path, pieces: &'static [&'static str]) -> thread::JoinHandle<()> {
        let path = path.to_owned();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
            for piece in pieces {
                thread::sleep(Duration::from_millis(50));
                // Who reads may have had enough.
                let _ = pipe.write_all(piece.as_bytes());
            }
        })
    }

    #[test]
    fn a_pipe_is_read_until_its_writer_ends() {
        for (pieces, expected) in [(&["A=1\n", "B=2\n"][..], "A=1\nB=2\n"), (&["x"], "x"), (&[], "")] {
            // On macOS a writer that comes and goes without a word is not told from none.
            if cfg!(target_os = "linux") || !expected.is_empty() {
                let (_folder, path) = named();
                let writer = write(&path, pieces);
                assert_eq!(read(&path, 100, SHORT).unwrap().unwrap(), expected.as_bytes());
                writer.join().unwrap();
            }
        }
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"A=1\n").unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(read(Path::new(&path), 100, SHORT).unwrap().unwrap(), b"A=1\n");
    }

    #[test]
    fn nobody_is_waited_for_without_end() {
        let (_folder, path) = named();
        let error = read(&path, 100, SHORT).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "nobody writes to it"));
        let silent = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let error = read(&path, 100, SHORT).unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && error.to_string().contains("neither goes on"), "{error}");
        drop(silent);
        let writer = write(&path, &["0123456789", "0123456789"]);
        assert_eq!(read(&path, 15, SHORT).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        writer.join().unwrap();
    }

    #[test]
    fn what_is_no_pipe_is_left_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "A=1\n").unwrap();
        for path in [&file, folder.path(), Path::new("/dev/zero"), &folder.path().join("none")] {
            assert_eq!(read(path, 100, SHORT).unwrap(), None, "{}", path.display());
        }
    }
}
