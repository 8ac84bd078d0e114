//! Signals as values: a number with a name, and the lists that the rest of `exec` goes by.

use std::fmt;
use std::ops::RangeInclusive;

/// A signal of this system, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Signal(i32);

/// Every number that a signal can have here. 32 and 33 belong to the C library on Linux and cannot be changed.
#[cfg(target_os = "linux")]
pub(crate) const NUMBERS: RangeInclusive<i32> = 1..=64;
/// Every number that a signal can have here.
#[cfg(not(target_os = "linux"))]
pub(crate) const NUMBERS: RangeInclusive<i32> = 1..=31;

/// Signals with a name that every system has; the others are shown by number.
const NAMES: [(i32, &str); 29] = [
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGSYS, "SIGSYS"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGURG, "SIGURG"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGWINCH, "SIGWINCH"),
    (libc::SIGXCPU, "SIGXCPU"),
    (libc::SIGXFSZ, "SIGXFSZ"),
];

/// Signals that are ours alone: faults of our own code, our own limits, our child's state, our own broken pipes,
/// and the two that nobody can catch.
const NOT_PASSED_ON: [i32; 13] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGCHLD,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGKILL,
    libc::SIGPIPE,
    libc::SIGSEGV,
    libc::SIGSTOP,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// The signals by which a process is asked to end, in the order of how often that happens.
pub(crate) const ENDING: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

impl Signal {
    /// Makes the signal with this number.
    #[must_use]
    pub(crate) fn new(number: i32) -> Signal {
        Signal(number)
    }

    /// Returns the number, as `kill -l` has it on this system.
    #[must_use]
    pub(crate) fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    /// Writes the name, such as `SIGTERM`; `signal 34` for one without a name.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => out.write_str(name),
            None => write!(out, "signal {}", self.0),
        }
    }
}

/// Lists the signals that are caught while a command runs, so that they can be handed to it.
pub(crate) fn passed_on() -> impl Iterator<Item = i32> {
    NUMBERS.filter(|number| !NOT_PASSED_ON.contains(number))
}

/// A set of signals in one word: bit n-1 stands for signal n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SignalSet(pub(super) u64);

impl SignalSet {
    pub(crate) fn with(self, number: i32) -> SignalSet {
        SignalSet(self.0 | 1 << (number - 1))
    }

    pub(crate) fn contains(self, number: i32) -> bool {
        self.0 & (1 << (number - 1)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_shown_by_name_and_real_time_ones_by_number() {
        for (number, shown) in [(15, "SIGTERM"), (9, "SIGKILL"), (2, "SIGINT"), (40, "signal 40")] {
            assert_eq!(Signal::new(number).to_string(), shown);
        }
    }

    #[test]
    fn what_asks_to_end_is_passed_on_and_our_own_faults_are_not() {
        let passed: Vec<i32> = passed_on().collect();
        for number in ENDING.into_iter().chain([libc::SIGUSR1, libc::SIGWINCH, libc::SIGCONT, libc::SIGTSTP]) {
            assert!(passed.contains(&number), "{number}");
        }
        for number in NOT_PASSED_ON {
            assert!(!passed.contains(&number), "{number}");
        }
    }

    #[test]
    fn a_set_keeps_the_first_and_the_last_signal_apart() {
        let set = SignalSet::default().with(1).with(64);
        let members: Vec<i32> = (1..=64).filter(|number| set.contains(*number)).collect();
        assert_eq!(members, [1, 64]);
    }
}
