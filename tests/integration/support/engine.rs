//! An engine of containers: a small server of ours, with one container. What it is to run inside, a program of this machine
//! runs, which is called as the engine's own would be.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The container's id.
pub(crate) const ID: &str = "79dab3379acc";

/// What an engine knows.
struct Engine {
    /// As it lists them.
    containers: String,
    program: PathBuf,
    made: Mutex<BTreeMap<String, Made>>,
}

/// A program that was made ready to run.
struct Made {
    words: Vec<String>,
    /// Once it has ended.
    status: Option<i32>,
}

/// Lets an engine listen at a socket until the tests end. `program` is called `exec -i ID WORDS…`.
pub(crate) fn listen(socket: &Path, containers: String, program: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    let engine = Arc::new(Engine { containers, program: program.to_owned(), made: Mutex::default() });
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let engine = Arc::clone(&engine);
            thread::spawn(move || engine.answer(caller));
        }
    });
}

impl Engine {
    fn answer(&self, mut caller: UnixStream) {
        let Some((asked, given)) = question(&mut caller) else { return };
        let make = format!("POST /containers/{ID}/exec");
        let said =
            match asked.split('/').collect::<Vec<_>>()[..] {
                _ if asked == "GET /containers/json" => Some(("200 OK", self.containers.clone())),
                _ if asked == make => {
                    let words = serde_json::from_value(given["Cmd"].clone()).unwrap();
                    let mut made = self.made.lock().unwrap();
                    let id = format!("program{}", made.len());
                    made.insert(id.clone(), Made { words, status: None });
                    Some(("201 Created", json!({ "Id": id }).to_string()))
                }
                ["POST ", "exec", id, "start"] => return self.run(id, &caller),
                ["GET ", "exec", id, "json"] => self.made.lock().unwrap().get(id).map(|made| {
                    ("200 OK", json!({"Running": made.status.is_none(), "ExitCode": made.status}).to_string())
                }),
                _ => None,
            };
        let (status, said) = said.unwrap_or(("404 Not Found", "{}".to_owned()));
        // Who asked may be gone.
        let _ = write!(caller, "HTTP/1.0 {status}\r\n\r\n{said}");
    }

    /// Runs a program, fed and heard by the caller.
    fn run(&self, id: &str, mut caller: &UnixStream) {
        let words = self.made.lock().unwrap()[id].words.clone();
        let mut program = Command::new(&self.program);
        program.args(["exec", "-i", ID]).args(words);
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = caller.write_all(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
        let (mut stdin, mut fed) = (child.stdin.take().unwrap(), caller.try_clone().unwrap());
        // By hand: `std::io::copy` would hold the pipe for itself while it waits (`splice(2)`).
        let feeding = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = fed.read(&mut piece)
                && stdin.write_all(&piece[..read]).is_ok()
            {}
        });
        let (stdout, stderr, caller) = (child.stdout.take().unwrap(), child.stderr.take().unwrap(), Mutex::new(caller));
        thread::scope(|scope| {
            scope.spawn(|| pass_on(1, stdout, &caller));
            scope.spawn(|| pass_on(2, stderr, &caller));
        });
        let status = child.wait().unwrap();
        self.made.lock().unwrap().get_mut(id).unwrap().status = Some(status.code().unwrap_or(137));
        let _ = caller.into_inner().unwrap().shutdown(Shutdown::Both);
        feeding.join().unwrap();
    }
}

/// Reads what is asked, and what is given with it.
fn question(caller: &mut UnixStream) -> Option<(String, Value)> {
    let mut reader = BufReader::with_capacity(1, caller);
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.trim_end().to_owned();
        if let Some(given) = line.strip_prefix("Content-Length: ") {
            length = given.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut given = vec![0; length];
    reader.read_exact(&mut given).ok()?;
    let asked = lines.first()?.rsplit_once(' ')?.0.to_owned();
    Some((asked, serde_json::from_slice(&given).unwrap_or_default()))
}

/// Passes on what a program says at an outlet, each piece whole and behind its head.
fn pass_on(outlet: u8, mut said: impl Read, caller: &Mutex<&UnixStream>) {
    let mut piece = vec![0; 8 + 16 * 1024];
    while let Ok(read @ 1..) = said.read(&mut piece[8..]) {
        let length = u32::try_from(read).unwrap().to_be_bytes();
        piece[..8].copy_from_slice(&[outlet, 0, 0, 0, length[0], length[1], length[2], length[3]]);
        let _ = caller.lock().unwrap().write_all(&piece[..8 + read]);
    }
}
