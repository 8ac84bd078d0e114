//! The decision which of the signals that reach us the command has to be given.
//!
//! A terminal sends to its whole foreground process group, so the command has those already, and giving it a second
//! one would look like a second Ctrl-C, which test runners take for "stop at once". What a process sent to us is for
//! the command, since the sender thinks that we are it.
//!
//! Not told apart: a process that signals our whole group. The kernel does not say to whom a signal was addressed, so
//! the command gets it a second time from us. GNU `timeout` does that (it signals its child, then its group): a command
//! that counts sees 2 where bare it mostly sees 1, the two being merged.
#![forbid(unsafe_code)]

/// Who sent a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The kernel: a terminal, a timer.
    Kernel,
    /// A process with this id; 0 if it is outside our process namespace.
    Process(i32),
}

/// Where we stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// We lead our session: the kernel reports a lost terminal to the leader alone (Linux `tty_signal_session_leader`).
    pub(crate) leads_session: bool,
}

/// Tells whether the command is to be given a signal that reached us.
///
/// `is_ours` says whether a process is this one, the command, or descends from the command: what the command sends
/// to its whole group, itself included, must not come back to it.
pub(crate) fn is_for_the_command(
    signal: i32,
    sender: Sender,
    standing: Standing,
    is_ours: impl FnOnce(i32) -> bool,
) -> bool {
    match sender {
        Sender::Process(id) => !is_ours(id),
        Sender::Kernel => match signal {
            libc::SIGINT | libc::SIGQUIT | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU | libc::SIGWINCH => false,
            libc::SIGHUP | libc::SIGCONT => standing.leads_session,
            // A timer, say: `alarm` survives `exec`, so `perl -e 'alarm 5; exec …'` set it for the command.
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_passed_on_exactly_when_the_command_did_not_get_it_itself() {
        use Sender::{Kernel, Process};
        let (command, stranger, outside) = (Process(50), Process(60), Process(0));
        for (signal, sender, leads_session, expected) in [
            (libc::SIGINT, Kernel, false, false),
            (libc::SIGINT, Kernel, true, false),
            (libc::SIGINT, stranger, false, true),
            (libc::SIGQUIT, Kernel, false, false),
            (libc::SIGTSTP, Kernel, false, false),
            (libc::SIGTSTP, stranger, false, true),
            (libc::SIGWINCH, Kernel, false, false),
            (libc::SIGWINCH, stranger, false, true),
            (libc::SIGHUP, Kernel, false, false),
            (libc::SIGHUP, Kernel, true, true),
            (libc::SIGTERM, stranger, false, true),
            (libc::SIGTERM, outside, false, true),
            (libc::SIGTERM, command, false, false),
            (libc::SIGALRM, Kernel, false, true),
            (libc::SIGUSR1, stranger, true, true),
        ] {
            let standing = Standing { leads_session };
            let passed = is_for_the_command(signal, sender, standing, |id| id == 50);
            assert_eq!(passed, expected, "signal {signal} from {sender:?}, leader: {leads_session}");
        }
    }
}
