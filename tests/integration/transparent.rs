//! The command behaves as it would without us: name, arguments, environment, streams, exit status. The oracle is the
//! command itself: everything here is run bare and wrapped, and both have to come to what is expected.
//! Signals: `signals.rs`; on a terminal: `terminal.rs`.

use crate::oracle::{Ended, Prefix, Sandbox, same, same_after};
use crate::support::execute_with;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::Stdio;

/// Each library costs every start about a tenth of a millisecond (`main.rs` says how they are spared).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn no_library_is_loaded_besides_the_c_library() {
    let program = fs::read(env!("CARGO_BIN_EXE_safe-test")).unwrap();
    for library in ["libc.so", "libm.so", "libgcc_s.so"] {
        let is_named = program.windows(library.len()).any(|part| part == library.as_bytes());
        assert_eq!(is_named, library == "libc.so", "{library}");
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
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

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
    for prefix in Prefix::both() {
        let sandbox = Sandbox::new();
        let home = format!("HOME={}", sandbox.path("home").display());
        let entries =
            [b"PATH=/usr/bin:/bin", home.as_bytes(), b"TWICE=1", b"TWICE=2", b"no assignment", b"=", b"BYTES=\xff"];
        let words = prefix.words(&["/bin/cat", "/proc/self/environ"]);
        let mut command = sandbox.command(&words);
        execute_with(&mut command, &words, &entries);
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
        assert_eq!(crate::support::ended("wc", child).stdout.trim_ascii(), b"3145728", "{prefix:?}");
    }
}

#[test]
fn a_closed_standard_stream_stays_closed() {
    let report =
        "for n in 0 1 2; do if (true 9<&$n); then said=${said}o; else said=${said}c; fi; done; echo $said >said";
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

#[cfg(target_os = "linux")]
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
