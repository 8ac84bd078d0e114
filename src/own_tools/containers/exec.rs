//! Runs a program inside a container by its engine's API: what the engine's own program does, without the tenth of a second
//! that this takes to start. To who waits for it, it is a process like others.
//!
//! Source: Docker Engine API 1.41, "Exec" and "Stream format".

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::own_tools::containers::api::{Api, Begun};

/// How long the engine may take to answer, and to know how a program ended whose outlets are closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The status of a program that was not started, or of whose end nothing is known, as the engines' own programs give it
/// (`docker-run(1)`, "Exit status").
const CUT_OFF: u8 = 125;

/// A program that an engine was asked to run, with pipes to its outlets.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
    pub(super) exec: Exec,
}

/// A program that an engine runs.
#[derive(Debug)]
pub(crate) struct Exec {
    shared: Arc<Shared>,
}

/// Cuts the connection by which a program that an engine runs is heard.
#[derive(Debug, Clone)]
pub(crate) struct Cutter {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the engine was asked to begin.
    is_asked: bool,
    /// Once the engine has begun.
    stream: Option<UnixStream>,
    is_cut: bool,
    status: Option<ExitStatus>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) {
        self.state().is_asked = true;
        self.changed.notify_all();
    }

    /// Waits until the engine was asked to begin, or it has ended before.
    fn wait_until_asked(&self) {
        let waits = |state: &mut State| !state.is_asked && state.status.is_none();
        // Whoever takes longer is not waited for.
        drop(self.changed.wait_timeout_while(self.state(), PATIENCE, waits));
    }
}

impl Exec {
    /// Tells how it ended, if it has.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.shared.state().status
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> ExitStatus {
        let mut state = self.shared.state();
        loop {
            if let Some(status) = state.status {
                return status;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn cutter(&self) -> Cutter {
        Cutter { shared: Arc::clone(&self.shared) }
    }
}

impl Cutter {
    pub(crate) fn cut(&self) {
        let mut state = self.shared.state();
        state.is_cut = true;
        if let Some(stream) = &state.stream {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Starts a program in a container of the engine at a socket, without waiting until it is there. Where the engine refuses,
/// its stderr says why, and its status is 125, as where the connection breaks off.
///
/// An engine begins one after the other, each taking a tenth of a second: this one is asked for when `before` was.
///
/// # Errors
///
/// The system has no more pipes or threads.
pub(super) fn start(socket: &Path, container: &str, words: &[&str], before: Option<&Exec>) -> io::Result<Started> {
    let ((input, stdin), (stdout, output), (stderr, mut errors)) = (io::pipe()?, io::pipe()?, io::pipe()?);
    let shared = Arc::<Shared>::default();
    let told = Arc::clone(&shared);
    let (socket, container): (PathBuf, _) = (socket.to_owned(), container.to_owned());
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let before = before.map(|exec| Arc::clone(&exec.shared));
    thread::Builder::new().spawn(move || {
        if let Some(before) = before {
            before.wait_until_asked();
        }
        let ran =
            errors.try_clone().and_then(|errors| run(&socket, &container, &words, input, [output, errors], &told));
        let status = ran.unwrap_or_else(|error| {
            // Whoever listens no more needs no reason.
            let _ = writeln!(errors, "{error}");
            CUT_OFF
        });
        drop(errors);
        let mut state = told.state();
        state.stream = None;
        state.status = Some(ExitStatus::from_raw(i32::from(status) << 8));
        told.changed.notify_all();
    })?;
    let [stdin, stdout, stderr]: [OwnedFd; 3] = [stdin.into(), stdout.into(), stderr.into()];
    Ok(Started { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into(), exec: Exec { shared } })
}

/// Runs it to its end; gives its status.
fn run(
    socket: &Path,
    container: &str,
    words: &[String],
    input: PipeReader,
    outlets: [PipeWriter; 2],
    shared: &Shared,
) -> io::Result<u8> {
    let api = Api::new(socket, PATIENCE);
    let id = api.make_exec(container, words)?;
    let Begun { stream, first } = api.begin_exec(&id, || shared.asked())?;
    {
        let mut state = shared.state();
        if state.is_cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        state.stream = Some(stream.try_clone()?);
    }
    let into = stream.try_clone()?;
    thread::Builder::new().spawn(move || feed(input, into))?;
    let passed_on = pass_on(BufReader::with_capacity(64 << 10, first.chain(&stream)), outlets);
    // What is still to be fed has nobody to eat it.
    let _ = stream.shutdown(Shutdown::Both);
    passed_on?;
    if shared.state().is_cut {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    // The outlets may be closed before the engine has noticed the end.
    let (deadline, mut pause) = (Instant::now() + PATIENCE, Duration::from_millis(1));
    loop {
        if let Some(code) = Api::new(socket, PATIENCE).exec_status(&id)? {
            return Ok(u8::try_from(code).unwrap_or(CUT_OFF));
        }
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Passes on what it is given, and its end.
fn feed(mut input: PipeReader, mut into: UnixStream) {
    // By hand: where the system moves what is in a pipe, its writer waits as long as the receiver (`splice(2)`).
    let mut piece = vec![0; 64 << 10];
    while let Ok(read @ 1..) = input.read(&mut piece)
        // One that has ended takes no more; then the pipe is closed, which its writer notices.
        && into.write_all(&piece[..read]).is_ok()
    {}
    let _ = into.shutdown(Shutdown::Write);
}

/// Passes on what it says, to its end: pieces, each behind a head that tells the outlet and the length. An outlet to which
/// nobody listens any more does not stop it.
fn pass_on(mut said: impl BufRead, [output, errors]: [PipeWriter; 2]) -> io::Result<()> {
    let mut outlets = [Some(output), Some(errors)];
    loop {
        let mut head = [0; 8];
        match said.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(_) => said.read_exact(&mut head)?,
            // Of what it was given it left something unread.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        let [outlet, 0, 0, 0, length @ ..] = head else { return Err(unreadable()) };
        let outlet = match outlet {
            0 | 1 => &mut outlets[0],
            2 => &mut outlets[1],
            _ => return Err(unreadable()),
        };
        let mut left = u32::from_be_bytes(length) as usize;
        while left > 0 {
            let piece = match said.fill_buf() {
                Ok([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(piece) => &piece[..piece.len().min(left)],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if outlet.as_mut().is_some_and(|pipe| pipe.write_all(piece).is_err()) {
                *outlet = None;
            }
            let passed = piece.len();
            said.consume(passed);
            left -= passed;
        }
    }
}

fn unreadable() -> io::Error {
    io::Error::other("the engine passes on nothing that can be read")
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// What an engine answers.
    struct Answers {
        made: &'static str,
        begun: &'static str,
        said: Vec<u8>,
        ended: Vec<&'static str>,
    }

    const MADE: &str = "HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"Id\":\"e1\"}";
    const BEGUN: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    const RUNS: &str = "HTTP/1.0 200 OK\r\n\r\n{\"Running\":true,\"ExitCode\":null}";
    const ENDED_3: &str = "HTTP/1.0 200 OK\r\n\r\n{\"Running\":false,\"ExitCode\":3}";

    fn piece(outlet: u8, text: &str) -> Vec<u8> {
        [&[outlet, 0, 0, 0], u32::try_from(text.len()).unwrap().to_be_bytes().as_slice(), text.as_bytes()].concat()
    }

    /// Gives what is asked for, up to the end of what is sent with it.
    fn question(caller: &mut UnixStream) -> String {
        let (mut question, mut byte) = (Vec::new(), [0]);
        let length = |head: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            line.map_or(0, |length| length.parse::<usize>().unwrap())
        };
        loop {
            if let Some((head, body)) = String::from_utf8_lossy(&question).split_once("\r\n\r\n")
                && body.len() >= length(head)
            {
                return String::from_utf8(question).unwrap();
            }
            if caller.read(&mut byte).unwrap() == 0 {
                return String::from_utf8(question).unwrap();
            }
            question.push(byte[0]);
        }
    }

    /// Runs a program of an engine that answers so, given an input; gives its status, what it said, and what the engine got.
    fn run(answers: Answers, input: &str) -> (Option<i32>, [String; 2], String) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let engine = thread::spawn(move || {
            let mut got = String::new();
            let mut ended = answers.ended.into_iter();
            for caller in listener.incoming() {
                let mut caller = caller.unwrap();
                let asked = question(&mut caller);
                if asked.starts_with("POST /containers/saved/exec ") {
                    assert!(
                        asked.ends_with(r#""Cmd":["cat","it's"]}"#) && asked.contains(r#""AttachStdin":true"#),
                        "{asked}"
                    );
                    caller.write_all(answers.made.as_bytes()).unwrap();
                } else if asked.starts_with("POST /exec/e1/start ") {
                    caller.write_all(answers.begun.as_bytes()).unwrap();
                    caller.write_all(&answers.said).unwrap();
                    if answers.begun == BEGUN {
                        caller.read_to_string(&mut got).unwrap();
                    }
                } else if asked.starts_with("GET /exec/e1/json ") {
                    caller.write_all(ended.next().unwrap().as_bytes()).unwrap();
                } else {
                    return got;
                }
            }
            got
        });
        let Started { mut stdin, mut stdout, mut stderr, exec } =
            start(&socket, "saved", &["cat", "it's"], None).unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let mut said = [String::new(), String::new()];
        stdout.read_to_string(&mut said[0]).unwrap();
        stderr.read_to_string(&mut said[1]).unwrap();
        let status = exec.wait();
        assert_eq!(exec.status(), Some(status));
        drop(UnixStream::connect(&socket).unwrap());
        (status.code(), said, engine.join().unwrap())
    }

    #[test]
    fn a_program_of_an_engine_has_outlets_an_input_and_a_status() {
        let said = [piece(1, "on"), piece(2, "no\n"), piece(1, ""), piece(0, "e\n")].concat();
        let answers = Answers { made: MADE, begun: BEGUN, said, ended: vec![RUNS, RUNS, ENDED_3] };
        assert_eq!(run(answers, "given"), (Some(3), ["one\n".into(), "no\n".into()], "given".into()));
    }

    #[test]
    fn what_is_cut_off_or_odd_or_refused_is_no_success() {
        let whole = piece(1, "one\n");
        let ended_0 = "HTTP/1.0 200 OK\r\n\r\n{\"Running\":false,\"ExitCode\":0}";
        let gone = "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"No such exec instance\"}";
        let paused =
            "HTTP/1.1 409 Conflict\r\nContent-Length: 41\r\n\r\n{\"message\":\"Container saved is not here\"}\n";
        for (made, begun, said, ended, expected) in [
            (MADE, BEGUN, whole[..5].to_vec(), ended_0, "failed to fill whole buffer"),
            (MADE, BEGUN, whole[..9].to_vec(), ended_0, "unexpected end of file"),
            (MADE, BEGUN, piece(7, "one\n"), ended_0, "the engine passes on nothing that can be read"),
            (MADE, BEGUN, b"one\n and more".to_vec(), ended_0, "the engine passes on nothing that can be read"),
            (MADE, BEGUN, whole.clone(), gone, "it answers with status 404: No such exec instance"),
            (MADE, BEGUN, whole.clone(), "HTTP/1.0 200 OK\r\n\r\n{}", "it does not say how it ended"),
            (MADE, paused, Vec::new(), ended_0, "it answers with status 409: Container saved is not here"),
            (paused, BEGUN, Vec::new(), ended_0, "it answers with status 409: Container saved is not here"),
            ("HTTP/1.0 200 OK\r\n\r\n<html>", BEGUN, Vec::new(), ended_0, "expected value at line 1 column 1"),
        ] {
            let (status, [_, errors], _) = run(Answers { made, begun, said, ended: vec![ended] }, "");
            assert_eq!((status, errors.trim_end()), (Some(125), expected), "{made}{begun}{ended}");
        }
        // It says more than 255 where it means to say something of its own.
        let odd = "HTTP/1.0 200 OK\r\n\r\n{\"Running\":false,\"ExitCode\":-1}";
        assert_eq!(run(Answers { made: MADE, begun: BEGUN, said: whole, ended: vec![odd] }, "").0, Some(125));
    }

    #[test]
    fn one_that_is_cut_off_by_us_has_ended_and_one_whose_engine_is_not_there_has_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        assert_eq!(start(&socket, "saved", &["cat"], None).unwrap().exec.wait().code(), Some(125));
        let listener = UnixListener::bind(&socket).unwrap();
        let engine = thread::spawn(move || {
            let mut callers = listener.incoming().map(Result::unwrap);
            let mut caller = callers.next().unwrap();
            question(&mut caller);
            caller.write_all(MADE.as_bytes()).unwrap();
            drop(caller);
            let mut caller = callers.next().unwrap();
            question(&mut caller);
            caller.write_all(&[BEGUN.as_bytes(), &piece(2, "here\n")].concat()).unwrap();
            let mut rest = Vec::new();
            caller.read_to_end(&mut rest).unwrap();
        });
        let started = start(&socket, "saved", &["cat"], None).unwrap();
        let mut line = String::new();
        BufReader::new(started.stderr).read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), started.exec.status()), ("here\n", None));
        started.exec.cutter().cut();
        assert_eq!(started.exec.wait().code(), Some(125));
        engine.join().unwrap();
    }
}
