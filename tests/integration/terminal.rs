//! The command on a real terminal: a pseudo-terminal whose master end this test holds, typing and reading.
//!
//! Everything is done bare and wrapped, as in `transparent.rs`, and both have to come to what is expected. What is
//! waited for is text; the deadline is only there so that a mistake ends in a failure instead of a hang.

use crate::oracle::{Prefix, Sandbox, numbers};
use crate::support::{PATIENCE, awaited};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::ptr;
use std::time::{Duration, Instant};

const SHELL: [&str; 5] = ["bash", "--norc", "--noprofile", "--noediting", "-i"];

/// A terminal with a program that leads its session.
pub(crate) struct Terminal {
    master: File,
    child: Child,
    unread: Vec<u8>,
    /// Where the program runs, kept as long as it does.
    _sandbox: Option<Sandbox>,
}

impl Terminal {
    /// Runs words in a sandbox of their own, as the first program on a new terminal.
    fn run(words: &[OsString]) -> Terminal {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(words);
        Terminal { _sandbox: Some(sandbox), ..Terminal::start(&mut command) }
    }

    /// Runs a command as the first program on a new terminal.
    pub(crate) fn start(command: &mut Command) -> Terminal {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: fills in the two descriptors; null means no name wanted, and default modes and size.
        let opened = unsafe {
            libc::openpty(&raw mut master, &raw mut slave, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
        };
        assert_eq!(opened, 0);
        for end in [master, slave] {
            // SAFETY: both descriptors were opened above; the program gets its own copies of the slave end.
            unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: the descriptors are open and belong to nobody else.
        let (master, slave_end) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        command.env("TERM", "xterm-256color").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let attach = move || {
            // SAFETY: makes the slave the terminal and the standard streams of this new process; `login_tty` only
            // makes system calls.
            if unsafe { libc::login_tty(libc::dup(slave)) } == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        };
        // SAFETY: see above; nothing is allocated.
        unsafe { command.pre_exec(attach) };
        let child = command.spawn().unwrap();
        drop(slave_end);
        Terminal { master, child, unread: Vec::new(), _sandbox: None }
    }

    fn perl(prefix: &Prefix, code: &str) -> Terminal {
        Terminal::run(&prefix.words(&["perl", "-MPOSIX", "-e", &format!("$| = 1; {code}")]))
    }

    /// An interactive shell with job control; its prompt is `READY>`.
    fn shell() -> Terminal {
        Terminal::run(&SHELL.map(OsString::from)).prompting()
    }

    /// The same in a sandbox of a test's own.
    pub(crate) fn shell_in(sandbox: &crate::support::Sandbox) -> Terminal {
        Terminal::start(sandbox.program(SHELL[0]).args(&SHELL[1..])).prompting()
    }

    fn prompting(mut self) -> Terminal {
        self.type_in("PS1=READ'Y>'\n");
        self.read_until("READY>");
        self
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// What came up to and including `text`. Panics when the terminal closes, or nothing comes for too long.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let found = self.unread.windows(text.len()).position(|part| part == text.as_bytes());
            if let Some(start) = found {
                let rest = self.unread.split_off(start + text.len());
                return String::from_utf8_lossy(&std::mem::replace(&mut self.unread, rest)).into_owned();
            }
            let so_far = String::from_utf8_lossy(&self.unread).into_owned();
            assert!(started.elapsed() < PATIENCE && self.read_some(PATIENCE), "no {text:?} in {so_far:?}");
        }
    }

    /// Reads what there is; `false` if nothing came in time or the terminal was closed.
    fn read_some(&mut self, patience: Duration) -> bool {
        let mut poll =
            libc::pollfd { fd: std::os::fd::AsRawFd::as_raw_fd(&self.master), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid record is passed, and the length says so.
        if unsafe { libc::poll(&raw mut poll, 1, i32::try_from(patience.as_millis()).unwrap()) } != 1 {
            return false;
        }
        let mut buffer = [0; 4096];
        // A terminal whose last user is gone gives an error on Linux, and the end of the file elsewhere.
        let length = self.master.read(&mut buffer).unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..length]);
        length > 0
    }

    pub(crate) fn kill(&self, signal: i32) {
        // SAFETY: the process is our child and not yet collected.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    /// The modes that the terminal is in, as far as programs change them.
    pub(crate) fn modes(&self) -> [libc::tcflag_t; 4] {
        let mut modes = std::mem::MaybeUninit::<libc::termios>::uninit();
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&self.master);
        // SAFETY: the descriptor is a terminal, and the record is read only where the call filled it.
        let modes = unsafe {
            assert_eq!(libc::tcgetattr(descriptor, modes.as_mut_ptr()), 0);
            modes.assume_init()
        };
        [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
    }

    fn resize(&self, rows: u16, columns: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is a terminal and the record is what the request takes.
        let set =
            unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&self.master), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(set, 0);
    }

    /// What else was printed, and how the first program ended.
    pub(crate) fn end(mut self) -> (String, (i32, i32)) {
        while self.read_some(PATIENCE) {}
        let ended = numbers(awaited("the program on the terminal", &mut self.child));
        (String::from_utf8_lossy(&self.unread).replace('\r', ""), ended)
    }
}

#[test]
fn all_three_standard_streams_are_still_the_terminal() {
    for prefix in Prefix::both() {
        let code = "print map { -t $_ ? 'yes ' : 'no ' } *STDIN, *STDOUT, *STDERR; print ttyname(0) eq ttyname(2), ' ', getpgrp == tcgetpgrp(0), ' ', $ENV{TERM}";
        let (said, ended) = Terminal::perl(&prefix, code).end();
        assert_eq!((said.as_str(), ended), ("yes yes yes 1 1 xterm-256color", (0, -1)), "{prefix:?}");
    }
}

#[test]
fn what_is_typed_reaches_the_command() {
    for prefix in Prefix::both() {
        let mut terminal = Terminal::perl(&prefix, "print 'name? '; my $name = <STDIN>; print \"hello $name\"; exit 5");
        terminal.read_until("name? ");
        terminal.type_in("world\n");
        let (said, ended) = terminal.end();
        assert_eq!((said.as_str(), ended), ("world\nhello world\n", (5, -1)), "{prefix:?}");
    }
}

#[test]
fn ctrl_c_reaches_the_command_once_and_its_status_counts() {
    for (key, name) in [("\x03", "INT"), ("\x1c", "QUIT")] {
        for prefix in Prefix::both() {
            let code = format!(
                "$SIG{{{name}}} = sub {{ print \"caught {name}\\n\" }}; $SIG{{USR1}} = sub {{ print \"end\\n\"; exit 3 }};
                 print \"up\\n\"; select undef, undef, undef, .02 while 1"
            );
            let mut terminal = Terminal::perl(&prefix, &code);
            terminal.read_until("up");
            terminal.type_in(key);
            terminal.read_until(&format!("caught {name}"));
            // Had we passed the key's signal on as well, it would be there before this one.
            terminal.kill(libc::SIGUSR1);
            assert_eq!(terminal.end(), ("\nend\n".to_owned(), (3, -1)), "{prefix:?} {name}");
        }
    }
}

#[test]
fn ctrl_c_ends_both_by_the_same_signal() {
    for (key, signal) in [("\x03", libc::SIGINT), ("\x1c", libc::SIGQUIT)] {
        for prefix in Prefix::both() {
            let quiet = "ulimit -c 0; exec perl -e '$| = 1; print \"up\"; sleep 1000'";
            let mut terminal = Terminal::run(&prefix.words(&["sh", "-c", quiet]));
            terminal.read_until("up");
            terminal.type_in(key);
            assert_eq!(terminal.end().1, (-1, signal), "{prefix:?}");
        }
    }
}

#[test]
fn ctrl_c_ends_a_shell_loop_around_the_command() {
    for prefix in Prefix::both() {
        let script = format!("while :; do {}perl -e '$| = 1; print \"up\"; sleep 1000'; done", prefix.shell());
        let mut terminal = Terminal::run(&["bash", "-c", &script].map(OsString::from));
        terminal.read_until("up");
        terminal.type_in("\x03");
        let (said, ended) = terminal.end();
        assert_eq!((said.contains("up"), ended), (false, (-1, libc::SIGINT)), "{prefix:?}");
    }
}

#[test]
fn a_new_window_size_is_seen_once() {
    for prefix in Prefix::both() {
        let code = "$SIG{WINCH} = sub { print 'size ', `stty size` }; $SIG{USR1} = sub { print \"end\\n\"; exit };
                    print \"up\\n\"; select undef, undef, undef, .02 while 1";
        let mut terminal = Terminal::perl(&prefix, code);
        terminal.read_until("up");
        terminal.resize(33, 101);
        terminal.read_until("size 33 101");
        terminal.kill(libc::SIGUSR1);
        assert_eq!(terminal.end().0, "\nend\n", "{prefix:?}");
    }
}

#[test]
fn a_lost_terminal_hangs_the_command_up() {
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let note = sandbox.path("note");
        let code = format!(
            "$SIG{{HUP}} = sub {{ open my $note, '>', '{}'; print $note 'hung up'; close $note; exit 7 }};
             print \"up\\n\"; select undef, undef, undef, .02 while 1",
            note.display()
        );
        let mut terminal = Terminal::perl(&prefix, &code);
        terminal.read_until("up");
        let Terminal { master, mut child, .. } = terminal;
        drop(master);
        assert_eq!(numbers(awaited("the program", &mut child)), (7, -1), "{prefix:?}");
        assert_eq!(std::fs::read_to_string(note).unwrap(), "hung up", "{prefix:?}");
    }
}

#[test]
fn ctrl_z_stops_the_job_and_fg_continues_it() {
    for prefix in Prefix::both() {
        let mut shell = Terminal::shell();
        let code = "$| = 1; $SIG{CONT} = sub { print \"continued \", ++$on, \"\\n\" };
                    $SIG{INT} = sub { print \"stopped by key\\n\"; exit 9 };
                    print \"u\", \"p\\n\"; select undef, undef, undef, .02 while 1"
            .replace('\n', " ");
        shell.type_in(&format!("{}perl -e '{code}'\n", prefix.shell()));
        shell.read_until("up\r\n");
        for round in 1..=3 {
            shell.type_in("\x1a");
            shell.read_until("Stopped");
            shell.read_until("READY>");
            shell.type_in("fg\n");
            // The shell has given the terminal back by then, and a second SIGCONT would make it one too many.
            shell.read_until(&format!("continued {round}\r\n"));
        }
        shell.type_in("\x03");
        shell.read_until("stopped by key\r\n");
        shell.read_until("READY>");
        shell.type_in("echo \"status $?\"; jobs; exit\n");
        shell.read_until("status 9\r\n");
        assert!(!shell.end().0.contains("Stopped"), "{prefix:?}");
    }
}

#[test]
fn a_command_that_stops_itself_stops_the_job() {
    for prefix in Prefix::both() {
        let mut shell = Terminal::shell();
        for signal in ["STOP", "TSTP", "TTIN"] {
            shell.type_in(&format!("{}sh -c 'kill -{signal} $$; echo o''n; exit 4'\n", prefix.shell()));
            shell.read_until("Stopped");
            shell.read_until("READY>");
            shell.type_in("echo \"stopped $?\"; fg\n");
            shell.read_until("on\r\n");
            shell.read_until("READY>");
            shell.type_in("echo \"status $?\"\n");
            shell.read_until("status 4\r\n");
            shell.read_until("READY>");
        }
        shell.type_in("exit\n");
        shell.end();
    }
}

#[test]
fn a_background_job_that_reads_the_terminal_stops_until_it_is_brought_forward() {
    for prefix in Prefix::both() {
        let mut shell = Terminal::shell();
        shell.type_in(&format!("{}sh -c 'read line; echo \"go\"t $line; exit 6' &\n", prefix.shell()));
        shell.read_until("READY>");
        // `wait` is told of the stop; a job that is stopped already is not waited for.
        shell.type_in("set -b; until jobs -s | grep -q Stopped; do sleep 0.05; done; fg\n");
        shell.read_until("fg\r\n");
        shell.type_in("words\n");
        shell.read_until("got words\r\n");
        shell.read_until("READY>");
        shell.type_in("echo \"status $?\"; exit\n");
        shell.read_until("status 6\r\n");
        shell.end();
    }
}

#[test]
fn a_command_that_treats_ctrl_z_otherwise_is_not_stopped() {
    for prefix in Prefix::both() {
        let mut shell = Terminal::shell();
        let code = "$| = 1; $SIG{TSTP} = sub { print \"not no\", \"w\\n\" }; print \"u\", \"p\\n\"; select undef, undef, undef, .02 while 1";
        shell.type_in(&format!("{}perl -e '{code}'\n", prefix.shell()));
        shell.read_until("up\r\n");
        for _ in 0..2 {
            shell.type_in("\x1a");
            shell.read_until("not now\r\n");
        }
        shell.type_in("\x03");
        shell.read_until("READY>");
        shell.type_in("echo \"status $?\"; jobs; exit\n");
        shell.read_until("status 130\r\n");
        assert!(!shell.end().0.contains("Stopped"), "{prefix:?}");
    }
}

#[test]
fn a_shell_within_has_its_own_job_control() {
    for prefix in Prefix::both() {
        let mut shell = Terminal::shell();
        shell.type_in(&format!("PS1=INNE'R>' {}bash --norc --noprofile --noediting -i\n", prefix.shell()));
        shell.read_until("INNER>");
        shell.type_in(
            "perl -e '$| = 1; $SIG{CONT} = sub { print \"o\", \"n\" }; print \"u\", \"p\"; sleep 1000 while 1'\n",
        );
        shell.read_until("up");
        shell.type_in("\x1a");
        shell.read_until("INNER>");
        shell.type_in("fg\n");
        shell.read_until("on");
        shell.type_in("\x03");
        shell.read_until("INNER>");
        shell.type_in("exit 11\n");
        shell.read_until("READY>");
        shell.type_in("echo \"status $?\"; exit\n");
        shell.read_until("status 11\r\n");
        shell.end();
    }
}
