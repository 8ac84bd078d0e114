//! A process between us and a guarded command, which stays with what the command leaves behind.
//!
//! Whoever outlives the command (the daemon of a build, a database server that a script has started) is watched until
//! the last one ends, but we are to end with the command. So we start a process that starts the command: it hands on to
//! us how the command fares, and when we leave, it watches in our place. It has the same receipts, since it is a copy of us.
//!
//! - It is the nearest parent that orphans are given to (`PR_SET_CHILD_SUBREAPER`), as `systemd --user` is on a desktop.
//!   So all that the command started stays below it, which tells the command's own servers from others, and is what Yama
//!   (`kernel.yama.ptrace_scope` = 1) asks of who wants to read where a program connects to. A daemon sees it as its
//!   parent where it would else see process 1.
//! - It is in our process group, holds back every signal, and keeps nothing of ours open: who reads our output sees its end.
//! - It is started by the filtered thread, and so filtered as well. While we are there it connects to nothing.
//! - Should we be killed, it goes on by itself; should it be killed, all that it watched connects to nothing any more.
//!
//! The command's end is kept from the system until we have heard of it: until then nobody else gets its process id.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::process::Pid;

use crate::exec::change::Change;
use crate::exec::collected::Ending;
use crate::exec::error::ExecError;
use crate::exec::inherited::Inherited;
use crate::exec::lookup::Program;
use crate::exec::{change, relay, spawn};
use crate::guard::{Handover, Successor, Watch};

/// A command that was started by a process of ours.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) command: Pid,
    holder: i32,
    control: OwnedFd,
}

/// What the two say to each other, as the first of three words.
mod said {
    /// The command was started: its process.
    pub(super) const STARTED: i32 = 1;
    /// It was not: an error number.
    pub(super) const NOT_STARTED: i32 = 2;
    /// It was not, since its folder cannot be entered: an error number.
    pub(super) const NO_FOLDER: i32 = 3;
    /// Something happened to the command: `si_code` and `si_status`.
    pub(super) const CHANGED: i32 = 4;
    /// Nothing is left of the command.
    pub(super) const GONE: i32 = 5;
    /// Something is.
    pub(super) const LEFT: i32 = 6;
    /// The command's end was heard of.
    pub(super) const END: i32 = 7;
}

const WORDS: usize = 12;

/// More than the handover of a thousand held connections takes.
const LONGEST: usize = 200 * 1024;

/// Starts the command on the calling thread's behalf, which is filtered and holds back all signals.
///
/// # Errors
///
/// As [`spawn::start`]; then nothing was left running.
pub(super) fn start(
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
    successor: Successor,
    events: RawFd,
) -> Result<Held, ExecError> {
    let failed = |source| ExecError::Start { program: program.path.clone(), source };
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let (ours, theirs) = pair.map_err(|error| failed(error.into()))?;
    // SAFETY: the new process has this thread alone. The C library keeps its allocator whole across `fork` (glibc, musl
    // since 1.2.2), and no other lock is taken there that a thread of ours could have held.
    match unsafe { libc::fork() } {
        -1 => Err(failed(io::Error::last_os_error())),
        0 => {
            drop(ours);
            let hold = || hold(program, arguments, folder, inherited, successor, &theirs, events);
            let ended = catch_unwind(AssertUnwindSafe(hold));
            // SAFETY: ends the process without what was registered for the end of the one that it is a copy of.
            unsafe { libc::_exit(ended.map_or(125, |()| 0)) }
        }
        holder => {
            drop(theirs);
            let (what, word) = match receive(&ours, RecvFlags::empty()) {
                Ok([what, word, _]) => (what, word),
                Err(error) => return Err(failed(error)),
            };
            let error = || io::Error::from_raw_os_error(word);
            let held = match (what, Pid::from_raw(word)) {
                (said::STARTED, Some(command)) => return Ok(Held { command, holder, control: ours }),
                (said::NO_FOLDER, _) => Err(ExecError::Folder { folder: folder.to_owned(), source: error() }),
                _ => Err(failed(error())),
            };
            drop(Ending::of(holder));
            held
        }
    }
}

impl Held {
    /// Returns the next thing that happened to the command, `None` when there is no more for now. Its end is answered at
    /// once: while the caller takes note, what is left of the command shows.
    ///
    /// # Errors
    ///
    /// Where the process that holds it is gone.
    pub(crate) fn change(&self) -> io::Result<Option<Change>> {
        loop {
            return match receive(&self.control, RecvFlags::DONTWAIT) {
                Ok([said::CHANGED, code, status]) => {
                    if Change::is_end(code) {
                        // Where nobody hears, that shows when it is released.
                        let _ = say(&self.control, [said::END, 0, 0]);
                    }
                    Ok(Change::read(code, status))
                }
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error),
            };
        }
    }

    /// Lets go of a command whose end was [told](Held::change). Where it left something running, `stop` is called, and
    /// whoever holds it watches in place of what that has stopped. Returns the process that held it, where that ends.
    pub(crate) fn release(self, stop: impl FnOnce() -> Handover) -> Option<Ending> {
        if let Ok([said::LEFT, ..]) = receive(&self.control, RecvFlags::empty()) {
            let text = stop().to_bytes(LONGEST);
            // Where it is gone nobody is left to connect.
            let _ = send(&self.control, text.get(..LONGEST).unwrap_or(&text), SendFlags::NOSIGNAL);
            return None;
        }
        Some(Ending::of(self.holder))
    }
}

fn say(control: &OwnedFd, words: [i32; 3]) -> io::Result<()> {
    let mut message = [0; WORDS];
    message.chunks_exact_mut(4).zip(words).for_each(|(place, word)| place.copy_from_slice(&word.to_ne_bytes()));
    send(control, &message, SendFlags::NOSIGNAL).map(|_| ()).map_err(io::Error::from)
}

fn receive(control: &OwnedFd, flags: RecvFlags) -> io::Result<[i32; 3]> {
    let mut message = [0u8; WORDS];
    loop {
        return match recv(control, &mut message, flags) {
            Ok((WORDS, _)) => Ok([0, 4, 8]
                .map(|at| i32::from_ne_bytes([message[at], message[at + 1], message[at + 2], message[at + 3]]))),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => Err(error.into()),
        };
    }
}

/// What the new process does until nothing of the command is left.
fn hold(
    program: &Program,
    arguments: &[OsString],
    folder: &Path,
    inherited: &Inherited,
    successor: Successor,
    control: &OwnedFd,
    events: RawFd,
) {
    // SAFETY: two settings of the calling process and its thread, a string of C.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_NAME, c"safe-test".as_ptr(), 0, 0, 0);
    }
    let news = match children_signals() {
        Ok(news) => news,
        Err(error) => return drop(say(control, [said::NOT_STARTED, error.raw_os_error().unwrap_or(0), 0])),
    };
    let command = match spawn::start(program, arguments, folder, inherited) {
        Ok(command) => command.as_raw_pid(),
        Err(error) => {
            let number = |source: &io::Error| source.raw_os_error().unwrap_or(libc::EIO);
            let words = match &error {
                ExecError::Folder { source, .. } => [said::NO_FOLDER, number(source), 0],
                ExecError::Start { source, .. } => [said::NOT_STARTED, number(source), 0],
                _ => [said::NOT_STARTED, libc::EIO, 0],
            };
            return drop(say(control, words));
        }
    };
    if say(control, [said::STARTED, command, 0]).is_err() {
        return;
    }
    let _ = rustix::process::chdir("/");
    close_all_but(&[control.as_raw_fd(), events, news.as_raw_fd(), successor.descriptor()]);
    let successor = Some(successor);
    let mut holding = Holding { command, is_over: false, is_released: false, successor, watch: None };
    while holding.goes_on(control, events, &news).is_ok_and(|goes_on| goes_on) {}
    // What it has refused is written down by then.
    holding.watch.map(Watch::end);
}

struct Holding {
    command: i32,
    /// The command has ended, and that was said.
    is_over: bool,
    /// That was heard.
    is_released: bool,
    /// Who will watch.
    successor: Option<Successor>,
    /// What that does.
    watch: Option<Watch>,
}

impl Holding {
    /// Looks after the children once, then waits for news of them or from us. Returns whether there is more to do.
    fn goes_on(&mut self, control: &OwnedFd, events: RawFd, news: &OwnedFd) -> io::Result<bool> {
        while !self.is_over
            && let Some((code, status)) = change::of(self.command)
        {
            self.is_over = Change::is_end(code);
            // Where nobody hears, the end of the conversation shows below.
            let _ = say(control, [said::CHANGED, code, status]);
            relay::tell_of_a_child(events);
        }
        let left = change::collect_all_but((!self.is_released).then_some(self.command));
        if self.is_released && !left {
            let _ = say(control, [said::GONE, 0, 0]);
            return Ok(false);
        }
        let mut ready = [PollFd::new(news, PollFlags::IN), PollFd::new(control, PollFlags::IN)];
        // Who has taken over hears of us no more.
        let watched = if self.successor.is_some() { 2 } else { 1 };
        match poll(&mut ready[..watched], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if ready[0].revents().contains(PollFlags::IN) {
            let mut records = [0; 1024];
            let _ = rustix::io::read(news, &mut records);
        }
        if watched == 2 && !ready[1].revents().is_empty() {
            self.hear(control)?;
        }
        Ok(true)
    }

    fn hear(&mut self, control: &OwnedFd) -> io::Result<()> {
        let mut message = Vec::with_capacity(LONGEST);
        // By any other error nothing has come: it was killed.
        if let Err(rustix::io::Errno::INTR) = recv(control, spare_capacity(&mut message), RecvFlags::empty()) {
            return Ok(());
        }
        if message.len() == WORDS && message[..4] == said::END.to_ne_bytes() {
            self.is_released = true;
            if change::collect_all_but(None) {
                say(control, [said::LEFT, 0, 0])?;
            }
            return Ok(());
        }
        self.is_over = true;
        self.is_released = true;
        let handover: Handover = serde_json::from_slice(&message).unwrap_or_default();
        // Out of the terminal's session: it ends with whoever sits there.
        let _ = rustix::process::setsid();
        self.watch = self.successor.take().map(|successor| successor.watch(handover)).transpose()?;
        Ok(())
    }
}

/// Has word of children arrive on a descriptor; the signal itself is held back.
fn children_signals() -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: the set is initialised by the first call before the others read it; the last returns a new descriptor.
    unsafe {
        let mut set = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        match libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            descriptor => Ok(OwnedFd::from_raw_fd(descriptor)),
        }
    }
}

/// Closes what this process has of the one that it is a copy of: pipes whose end somebody waits for, locks.
fn close_all_but(kept: &[RawFd]) {
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let open: Vec<RawFd> = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // SAFETY: nothing of this process uses the descriptors that are closed: their owners belong to the other one's story
    // and are never dropped here. The path is a string of C; the standard streams become `/dev/null`.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for descriptor in open {
            match descriptor {
                0..=2 => {
                    libc::dup2(null, descriptor);
                }
                _ if kept.contains(&descriptor) || descriptor == null => {}
                _ => {
                    libc::close(descriptor);
                }
            }
        }
        if null > 2 {
            libc::close(null);
        }
    }
}
