//! Lets a person type a line that does not show.

use std::io;
use std::io::stdin;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest line that is taken; a terminal itself gives no longer ones.
const LONGEST: usize = 4096;

/// Standard input as a terminal that does not echo, until this is dropped.
pub(crate) struct Silent {
    before: Termios,
}

impl Silent {
    /// Turns the echo off; what was typed before the question is thrown away.
    pub(crate) fn begin() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Silent { before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.before);
    }
}

/// Reads a line from standard input, without its end; `None` at the end of the input.
///
/// # Errors
///
/// [`io::ErrorKind::Interrupted`] where a signal came: waiting is not taken up again, as the standard library would.
pub(crate) fn read_line() -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut piece = [0; 256];
    while !line.ends_with(b"\n") && line.len() < LONGEST {
        poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None)?;
        match rustix::io::read(stdin(), &mut piece)? {
            0 if line.is_empty() => return Ok(None),
            0 => break,
            read => line.extend_from_slice(&piece[..read]),
        }
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
    String::from_utf8(line).map(Some).map_err(io::Error::other)
}
