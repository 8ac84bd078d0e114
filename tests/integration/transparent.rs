//! The command behaves as it would without us. The oracle is the command itself: everything here is run bare and
//! wrapped, and both have to come to what is expected. On a terminal: `terminal.rs`.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::ptr;

/// What stands before a command: nothing, or us.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Vec<OsString>);

impl Prefix {
    pub(crate) fn bare() -> Prefix {
        Prefix(Vec::new())
    }

    pub(crate) fn wrapped() -> Prefix {
        let wrapper = Path::new(env!("CARGO_BIN_EXE_safe-test")).with_file_name("examples/bare-wrapper");
        assert!(wrapper.exists(), "{} is not built", wrapper.display());
        Prefix(vec![wrapper.into(), "-q".into(), "--".into()])
    }

    pub(crate) fn both() -> [Prefix; 2] {
        [Prefix::bare(), Prefix::wrapped()]
    }

    /// The whole command line.
    pub(crate) fn words<W: AsRef<OsStr>>(&self, words: &[W]) -> Vec<OsString> {
        self.0.iter().cloned().chain(words.iter().map(|word| word.as_ref().to_owned())).collect()
    }

    /// The prefix as shell text, with a blank behind it.
    pub(crate) fn shell(&self) -> String {
        self.0.iter().map(|word| format!("'{}' ", word.display())).collect()
    }
}

/// An empty project of its own, with nothing of the caller's environment but `PATH`.
pub(crate) struct Sandbox(pub(crate) tempfile::TempDir);

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        fs::create_dir(sandbox.path("home")).unwrap();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, words: &[OsString]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.0.path()).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.path("home")).env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Whatever the tests themselves were started with: `nohup`, a background job of a script.
        let defaults = || {
            for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTERM] {
                // SAFETY: gives a signal its default action.
                unsafe { libc::signal(signal, libc::SIG_DFL) };
            }
            Ok(())
        };
        // SAFETY: makes system calls only.
        unsafe { command.pre_exec(defaults) };
        command
    }

    fn script(&self, name: &str, text: &str, mode: u32) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// How a command ended and what it said.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    status: i32,
    signal: i32,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    fn of(command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        let (status, signal) = numbers(output.status);
        Ended { status, signal, stdout: output.stdout, stderr: output.stderr }
    }

    fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr))
    }
}

/// Exit status and signal, -1 for what is not there.
pub(crate) fn numbers(status: ExitStatus) -> (i32, i32) {
    (status.code().unwrap_or(-1), status.signal().unwrap_or(-1))
}

/// Runs a command bare and wrapped, and gives back the bare end after comparing both.
fn same<W: AsRef<OsStr>>(sandbox: &Sandbox, words: &[W], prepare: impl Fn(&mut Command)) -> Ended {
    let [bare, wrapped] = Prefix::both().map(|prefix| {
        let mut command = sandbox.command(&prefix.words(words));
        prepare(&mut command);
        Ended::of(&mut command)
    });
    assert!(
        bare == wrapped,
        "bare {} / {}: {}\nwrapped {} / {}: {}",
        bare.status,
        bare.signal,
        bare.text(),
        wrapped.status,
        wrapped.signal,
        wrapped.text()
    );
    bare
}

/// Like [`same`], started by Perl code that has the command line in `@ARGV` and ends in `exec @ARGV`.
fn same_after<W: AsRef<OsStr>>(sandbox: &Sandbox, launcher: &str, words: &[W]) -> Ended {
    let [bare, wrapped] = Prefix::both().map(|prefix| {
        let mut launched = vec!["perl".into(), "-MPOSIX".into(), "-e".into(), launcher.into()];
        launched.extend(prefix.words(words));
        Ended::of(&mut sandbox.command(&launched))
    });
    assert!(
        bare == wrapped,
        "bare {} / {}: {}\nwrapped {} / {}: {}",
        bare.status,
        bare.signal,
        bare.text(),
        wrapped.status,
        wrapped.signal,
        wrapped.text()
    );
    bare
}

/// A running command that talks in lines.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Running { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn kill(&self, signal: i32) {
        // SAFETY: the process is our child and not yet collected.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    /// The rest of its output, and its end.
    fn end(mut self) -> (String, (i32, i32)) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (rest, numbers(self.child.wait().unwrap()))
    }
}

/// Starts Perl code bare and wrapped, leads each through `talk`, and expects the same of both.
fn both_come_to<T: PartialEq + std::fmt::Debug>(launcher: &str, code: &str, expected: T, talk: impl Fn(Running) -> T) {
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let mut words = vec!["perl".into(), "-MPOSIX".into(), "-e".into(), format!("{launcher} exec @ARGV").into()];
        words.extend(prefix.words(&["perl", "-MPOSIX", "-e", &format!("$| = 1; {code}")]));
        let mut command = sandbox.command(&words);
        // Its own group, so that what a command sends to its group does not meet the other tests.
        let came_to = talk(Running::start(command.process_group(0)));
        assert_eq!(came_to, expected, "{prefix:?}");
    }
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let odd: [&[u8]; 9] = [b"\xff\xfe", b"", b"a\nb", b"--", b"-q", "é".as_bytes(), b"$HOME *", b"\x01\x1b[31m", b" "];
    let mut words: Vec<OsString> =
        ["perl", "-e", "print map { unpack('H*', $_) . \"\\n\" } @ARGV", "--"].map(OsString::from).into();
    words.extend(odd.iter().map(|word| OsString::from_vec(word.to_vec())));
    let ended = same(&Sandbox::new(), &words, |_| ());
    let expected: String =
        odd.iter().map(|word| word.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n").collect();
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_sees_its_name_as_typed_and_its_environment_entry_for_entry() {
    let sandbox = Sandbox::new();
    let ended = same(&sandbox, &["cat", "/proc/self/cmdline"], |_| ());
    assert_eq!(ended.stdout, b"cat\0/proc/self/cmdline\0");
    let ended = same(&sandbox, &["cat", "/proc/self/environ"], |command| {
        command.env("ODD", OsStr::from_bytes(b"\xff\n=")).env("TERM", "xterm-256color").env("EMPTY", "");
    });
    assert!(ended.stdout.windows(7).any(|part| part == b"ODD=\xff\n="), "{}", ended.text());
}

#[cfg(target_os = "linux")]
#[test]
fn an_environment_that_is_no_map_arrives_as_it_is() {
    let text = |text: &OsStr| CString::new(text.as_bytes()).unwrap();
    let entries = [&b"PATH=/usr/bin:/bin"[..], b"TWICE=1", b"TWICE=2", b"no assignment", b"=", b"BYTES=\xff"];
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let words = prefix.words(&["/bin/cat", "/proc/self/environ"]);
        let (program, arguments) = (text(&words[0]), words.iter().map(|word| text(word)).collect::<Vec<_>>());
        let environment = entries.map(|entry| CString::new(entry).unwrap());
        let mut command = sandbox.command(&words);
        let execute = move || {
            let pointers = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
            let (argv, envp): (Vec<_>, Vec<_>) = (pointers(&arguments), pointers(&environment));
            // SAFETY: both lists end in a null pointer, and their strings live in this closure.
            unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
            Err(io::Error::last_os_error())
        };
        // SAFETY: allocates between `fork` and `exec`, which glibc and musl allow for.
        unsafe { command.pre_exec(execute) };
        assert_eq!(Ended::of(&mut command).stdout, [entries.join(&0), vec![0]].concat(), "{prefix:?}");
    }
}

#[test]
fn standard_input_is_read_from_a_pipe_and_from_a_file_at_its_offset() {
    let sandbox = Sandbox::new();
    let input = sandbox.path("input");
    fs::write(&input, "first\nsecond\n").unwrap();
    let ended = same(&sandbox, &["cat"], |command| {
        let mut file = File::open(&input).unwrap();
        file.read_exact(&mut [0; 6]).unwrap();
        command.stdin(file);
    });
    assert_eq!(ended.stdout, b"second\n");
    for prefix in Prefix::both() {
        let mut child = sandbox.command(&prefix.words(&["wc", "-c"])).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&vec![b'x'; 3 << 20]).unwrap();
        drop(stdin);
        assert_eq!(child.wait_with_output().unwrap().stdout.trim_ascii(), b"3145728", "{prefix:?}");
    }
}

#[test]
fn a_closed_standard_stream_stays_closed() {
    let report =
        "for n in 0 1 2; do if (true <&$n); then said=${said}o; else said=${said}c; fi; done; echo $said >said";
    for (redirection, expected) in
        [("", "ooo"), ("<&-", "coo"), (">&-", "oco"), ("2>&-", "ooc"), ("<&- >&-", "cco"), ("<&- >&- 2>&-", "ccc")]
    {
        for prefix in Prefix::both() {
            let sandbox = Sandbox::new();
            let mut words: Vec<OsString> =
                vec!["sh".into(), "-c".into(), format!("exec \"$@\" {redirection}").into(), "sh".into()];
            words.extend(prefix.words(&["sh", "-c", report]));
            Ended::of(&mut sandbox.command(&words));
            assert_eq!(fs::read_to_string(sandbox.path("said")).unwrap().trim(), expected, "{redirection} {prefix:?}");
        }
    }
}

#[test]
fn a_descriptor_that_the_caller_passes_on_is_there_and_none_of_ours() {
    let sandbox = Sandbox::new();
    let list = "for (0..40) { print \"$_\\n\" if defined POSIX::lseek($_, 0, 1) || $! != POSIX::EBADF }";
    let launcher = "$^F = 20; open my $kept, '<', '/dev/null'; POSIX::dup2(fileno $kept, 9); exec @ARGV";
    let ended = same_after(&sandbox, launcher, &["perl", "-MPOSIX", "-e", list]);
    assert!(ended.text().lines().any(|line| line == "9"), "{}", ended.text());
}

#[test]
fn ten_megabytes_pass_through_a_pipe() {
    let ended =
        same(&Sandbox::new(), &["perl", "-e", "print 'line of text...!' x 655360; print STDERR 'e' x 300000"], |_| ());
    assert_eq!((ended.stdout.len(), ended.stderr.len()), (16 * 655_360, 300_000));
}

#[test]
fn child_exit_status_is_kept() {
    let sandbox = Sandbox::new();
    for status in [0, 1, 2, 3, 77, 101, 119, 120, 121, 122, 124, 125, 126, 127, 128, 130, 137, 143, 254, 255] {
        let ended = same(&sandbox, &["sh", "-c", &format!("exit {status}")], |_| ());
        assert_eq!((ended.status, ended.signal), (status, -1));
    }
}

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
    for sender in ["kill 'TERM', 0", "system('perl', '-e', '$SIG{TERM} = \"IGNORE\"; kill \"TERM\", 0')"] {
        let code = format!(
            "$SIG{{TERM}} = sub {{ $seen++ }}; $SIG{{USR1}} = sub {{ print \"seen $seen\\n\"; exit }};
             {sender}; print \"sent\\n\"; select undef, undef, undef, .02 while 1"
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
    for (launcher, blocked, ignored) in [
        ("", 0, 0),
        ("$SIG{INT} = 'IGNORE';", 0, 1 << 1),
        ("$SIG{HUP} = $SIG{QUIT} = $SIG{TERM} = 'IGNORE';", 0, 1 | 1 << 2 | 1 << 14),
        ("$SIG{PIPE} = 'IGNORE';", 0, 1 << 12),
        ("$SIG{CHLD} = 'IGNORE';", 0, 1 << 16),
        ("$SIG{TSTP} = $SIG{TTIN} = $SIG{TTOU} = $SIG{CONT} = 'IGNORE';", 0, 1 << 17 | 1 << 19 | 1 << 20 | 1 << 21),
        ("sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGCHLD, SIGUSR1));", 1 << 14 | 1 << 16 | 1 << 9, 0),
        ("sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGINT)); $SIG{INT} = 'IGNORE';", 1 << 1, 1 << 1),
    ] {
        let ended = same_after(&sandbox, &format!("{launcher} exec @ARGV"), &show);
        assert_eq!(ended.text(), format!("SigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\n"), "{launcher}");
    }
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
    let code = "$SIG{USR1} = sub { my $set = POSIX::SigSet->new; sigpending($set); print $set->ismember(SIGTERM), \"\\n\"; exit };
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

#[test]
fn a_script_without_an_interpreter_line_runs_through_sh() {
    let sandbox = Sandbox::new();
    sandbox.script("bare", "echo \"$0 $1\"; exit 9\n", 0o755);
    for (words, said) in [(["./bare", "a b"], "./bare a b\n"), (["bin/bare", "x"], "bin/bare x\n")] {
        sandbox.script("bin/bare", "echo \"$0 $1\"; exit 9\n", 0o755);
        // The shell does this itself, so the oracle is `env`, which does it with `execvp`.
        for prefix in [Prefix(vec!["env".into()]), Prefix::wrapped()] {
            let ended = Ended::of(&mut sandbox.command(&prefix.words(&words)));
            assert_eq!((ended.text().as_str(), ended.status), (said, 9), "{prefix:?}");
        }
    }
}

#[test]
fn what_cannot_be_executed_is_126_and_what_is_not_found_127() {
    let sandbox = Sandbox::new();
    sandbox.script("plain", "text", 0o644);
    sandbox.script("broken", "#!/nonexistent/interpreter\n", 0o755);
    for (word, expected) in [
        ("no-such-command-anywhere", 127),
        ("./none", 127),
        ("./plain", 126),
        ("/", 126),
        ("./broken", 127),
        ("./plain/x", 126),
    ] {
        for prefix in [Prefix(vec!["env".into()]), Prefix::wrapped()] {
            let ended = Ended::of(&mut sandbox.command(&prefix.words(&[word])));
            assert_eq!((ended.status, ended.stdout.len()), (expected, 0), "{word} {prefix:?}: {}", ended.text());
        }
    }
}

#[test]
fn without_path_the_system_folders_are_searched() {
    let sandbox = Sandbox::new();
    for prefix in [Prefix(vec!["/usr/bin/env".into()]), Prefix::wrapped()] {
        let mut command = sandbox.command(&prefix.words(&["sh", "-c", "exit 8"]));
        assert_eq!(Ended::of(command.env_remove("PATH")).status, 8, "{prefix:?}");
    }
}
