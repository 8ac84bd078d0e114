//! Signals reach the command as they would without us, and its death by one is ours. Run bare and wrapped, as in
//! `transparent.rs`; on a terminal: `terminal.rs`.

use crate::oracle::{Ended, Prefix, Running, Sandbox, both_come_to, same, same_after};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;

#[test]
fn death_by_signal_is_passed_on_as_the_same_signal() {
    let sandbox = Sandbox::new();
    let common = [
        libc::SIGTERM,
        libc::SIGKILL,
        libc::SIGSEGV,
        libc::SIGABRT,
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGPIPE,
        libc::SIGUSR1,
        libc::SIGALRM,
        libc::SIGXCPU,
    ];
    let last = if cfg!(target_os = "linux") { 64 } else { libc::SIGUSR2 };
    for signal in common.into_iter().chain([last]) {
        let ended = same(&sandbox, &["sh", "-c", &format!("ulimit -c 0; kill -{signal} $$")], |_| ());
        assert_eq!((ended.status, ended.signal), (-1, signal));
    }
}

#[test]
fn we_write_no_core_file_of_our_own() {
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let shell = format!("ulimit -c unlimited; {}sh -c 'ulimit -c 0; kill -SEGV $$'", prefix.shell());
        Ended::of(&mut sandbox.command(&["sh".into(), "-c".into(), shell.into()]));
        let files: Vec<_> = fs::read_dir(sandbox.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!files.iter().any(|name| name.as_bytes().starts_with(b"core")), "{prefix:?} left {files:?}");
    }
}

#[test]
fn a_command_whose_reader_went_away_dies_by_sigpipe() {
    for prefix in Prefix::both() {
        let script = format!("{}yes | head -n 1; echo ${{PIPESTATUS[@]}}", prefix.shell());
        let ended = Ended::of(&mut Sandbox::new().command(&["bash".into(), "-c".into(), script.into()]));
        assert_eq!(ended.text(), "y\n141 0\n", "{prefix:?}");
    }
}

#[test]
fn a_signal_that_is_sent_to_us_reaches_the_command_once() {
    let signals = [
        (libc::SIGTERM, "TERM"),
        (libc::SIGHUP, "HUP"),
        (libc::SIGINT, "INT"),
        (libc::SIGQUIT, "QUIT"),
        (libc::SIGUSR1, "USR1"),
        (libc::SIGALRM, "ALRM"),
        (libc::SIGWINCH, "WINCH"),
        (libc::SIGCONT, "CONT"),
        (libc::SIGTSTP, "TSTP"),
        (libc::SIGURG, "URG"),
    ];
    for (signal, name) in signals {
        let code = format!(
            "$SIG{{{name}}} = sub {{ print \"{name}\\n\" }}; $SIG{{USR2}} = sub {{ print \"end\\n\"; exit 3 }};
             print \"up\\n\"; select undef, undef, undef, .02 while 1"
        );
        let expected = ("up".to_owned(), name.to_owned(), ("end\n".to_owned(), (3, -1)));
        both_come_to("", &code, expected, |mut running| {
            let up = running.line();
            running.kill(signal);
            let first = running.line();
            // Signals are passed on in their order, so that a second one would have come before this.
            running.kill(libc::SIGUSR2);
            (up, first, running.end())
        });
    }
}

#[test]
fn a_signal_that_is_sent_to_us_and_not_caught_ends_both() {
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGUSR1, libc::SIGQUIT] {
        // The mask is cleared by no one: a core file is not what this is about.
        both_come_to("", "print \"$$\\n\"; sleep 1000", (false, (-1, signal)), |mut running| {
            let command: i32 = running.line().parse().unwrap();
            running.kill(signal);
            let (_, end) = running.end();
            (is_there(command), end)
        });
    }
}

#[test]
fn what_the_command_sends_to_its_group_does_not_come_back_to_it() {
    // A process that is gone by the time we look can be anybody's, so the second one stays until its parent ends.
    let from_below = "open my $below, '|-', 'perl', '-e', '$SIG{TERM} = \"IGNORE\"; kill \"TERM\", 0; <STDIN>'";
    for sender in ["kill 'TERM', 0", from_below] {
        let code = format!(
            "$SIG{{TERM}} = sub {{ $seen++ }}; $SIG{{USR1}} = sub {{ print \"seen $seen\\n\"; exit }};
             {sender}; select undef, undef, undef, .02 until $seen; print \"sent\\n\"; select undef, undef, undef, .02 while 1"
        );
        both_come_to("setpgrp;", &code, ("sent".to_owned(), "seen 1".to_owned()), |mut running| {
            let sent = running.line();
            running.kill(libc::SIGUSR1);
            (sent, running.line())
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ignored_and_blocked_signals_are_inherited_as_they_were() {
    let sandbox = Sandbox::new();
    let show = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];
    // The C library lets nobody set its own two signals back, whatever the tests were started with.
    let kept = ignored_here() & (1 << 31 | 1 << 32);
    for (launcher, blocked, ignored) in [
        ("", 0_u64, 0_u64),
        ("$SIG{INT} = 'IGNORE';", 0, 1 << 1),
        ("$SIG{HUP} = $SIG{QUIT} = $SIG{TERM} = 'IGNORE';", 0, 1 | 1 << 2 | 1 << 14),
        ("$SIG{PIPE} = 'IGNORE';", 0, 1 << 12),
        ("$SIG{CHLD} = 'IGNORE';", 0, 1 << 16),
        ("$SIG{TSTP} = $SIG{TTIN} = $SIG{TTOU} = $SIG{CONT} = 'IGNORE';", 0, 1 << 17 | 1 << 19 | 1 << 20 | 1 << 21),
        ("sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGCHLD, SIGUSR1));", 1 << 14 | 1 << 16 | 1 << 9, 0),
        ("sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGINT)); $SIG{INT} = 'IGNORE';", 1 << 1, 1 << 1),
    ] {
        let ended = same_after(&sandbox, &format!("{launcher} exec @ARGV"), &show);
        assert_eq!(ended.text(), format!("SigBlk:\t{blocked:016x}\nSigIgn:\t{:016x}\n", ignored | kept), "{launcher}");
    }
}

/// The signals that this process ignores, as a mask.
#[cfg(target_os = "linux")]
fn ignored_here() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

#[test]
fn the_status_is_not_lost_when_sigchld_is_ignored_or_blocked() {
    for launcher in ["$SIG{CHLD} = 'IGNORE';", "sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD));"] {
        let ended = same_after(&Sandbox::new(), &format!("{launcher} exec @ARGV"), &["sh", "-c", "echo out; exit 5"]);
        assert_eq!((ended.status, ended.text().as_str()), (5, "out\n"), "{launcher}");
    }
}

#[test]
fn a_signal_that_the_command_inherits_blocked_waits_there() {
    // Which of two that wait for us at once is passed on first is left open, so the second one's handler waits for the first.
    let code = "$SIG{USR1} = sub {
                    my $set = POSIX::SigSet->new;
                    for (1 .. 1000) { sigpending($set); last if $set->ismember(SIGTERM); select undef, undef, undef, .01 }
                    print $set->ismember(SIGTERM), \"\\n\"; exit
                };
                print \"up\\n\"; select undef, undef, undef, .02 while 1";
    both_come_to("sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM));", code, "1".to_owned(), |mut running| {
        running.line();
        running.kill(libc::SIGTERM);
        running.kill(libc::SIGUSR1);
        running.line()
    });
}

#[test]
fn under_nohup_a_hangup_does_nothing() {
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let mut words: Vec<OsString> = vec!["nohup".into()];
        words.extend(prefix.words(&[
            "perl",
            "-e",
            "$| = 1; $SIG{USR1} = sub { print \"alive\\n\"; exit 4 }; print \"up\\n\"; select undef, undef, undef, .02 while 1",
        ]));
        let mut running = Running::start(&mut sandbox.command(&words));
        assert_eq!(running.line(), "up");
        running.kill(libc::SIGHUP);
        running.kill(libc::SIGUSR1);
        assert_eq!(running.end(), ("alive\n".to_owned(), (4, -1)), "{prefix:?}");
    }
}

#[test]
fn an_alarm_that_the_caller_set_reaches_the_command() {
    let ended = same_after(&Sandbox::new(), "alarm 1; exec @ARGV", &["sleep", "1000"]);
    assert_eq!(ended.signal, libc::SIGALRM);
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_process_namespace_whose_session_was_begun_outside() {
    let enter = "exec 'unshare', '--user', '--map-root-user', '--pid', '--fork', @ARGV";
    let ended = same_after(&Sandbox::new(), enter, &["sh", "-c", "echo out; exit 5"]);
    assert_eq!((ended.status, ended.text().as_str()), (5, "out\n"));
}

#[test]
fn a_process_that_the_command_leaves_behind_keeps_running_and_we_return() {
    for prefix in Prefix::both() {
        let script = "sleep 1000 </dev/null >/dev/null 2>&1 & echo $!";
        let ended = Ended::of(&mut Sandbox::new().command(&prefix.words(&["sh", "-c", script])));
        assert_eq!(ended.status, 0);
        let left: i32 = ended.text().trim().parse().unwrap();
        assert!(is_there(left), "{prefix:?}");
        // SAFETY: the process is the `sleep` that this test started a moment ago.
        unsafe { libc::kill(left, libc::SIGKILL) };
    }
}

/// Whether a process is there and has not ended.
fn is_there(process: i32) -> bool {
    // SAFETY: signal 0 only asks.
    unsafe { libc::kill(process, 0) == 0 }
}

#[test]
fn a_stopped_command_stops_us_and_sigcont_to_us_continues_it() {
    for stop in [libc::SIGSTOP, libc::SIGTSTP] {
        let code =
            format!("$SIG{{CONT}} = sub {{ $seen++ }}; print \"up\\n\"; kill {stop}, $$; print \"on\\n\"; exit 6");
        for prefix in Prefix::both() {
            let sandbox = Sandbox::new();
            let mut command = sandbox.command(&prefix.words(&["perl", "-e", &format!("$| = 1; {code}")]));
            // Its group has a parent in another one: an orphaned group cannot be stopped from a terminal.
            let mut running = Running::start(&mut command);
            assert_eq!(running.line(), "up");
            let mut status = 0;
            // SAFETY: waits for our own child, without collecting it.
            unsafe { libc::waitpid(running.child.id().cast_signed(), &raw mut status, libc::WUNTRACED) };
            assert!(libc::WIFSTOPPED(status), "{prefix:?} {status:x}");
            assert_eq!(libc::WSTOPSIG(status), stop, "{prefix:?}");
            running.kill(libc::SIGCONT);
            assert_eq!(running.end(), ("on\n".to_owned(), (6, -1)), "{prefix:?}");
        }
    }
}
