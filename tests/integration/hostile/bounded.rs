//! One call of the program, held to bounds of time and memory, and what has to hold of every call.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, setrlimit};
use serde_json::Value;

use super::escapes::drives_a_terminal;
use crate::support::PATIENCE;

/// How long a call may compute: a debug build, of which the slowest takes a few seconds.
const MOST_SECONDS: u64 = 30;
/// How much memory a call may ask for.
const MOST_MEMORY: u64 = 1 << 30;
/// The statuses that the README lists.
const DOCUMENTED: [i32; 7] = [0, 120, 121, 122, 125, 126, 127];

/// A call that is over.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    is_killed: bool,
}

/// Runs a command to its end, or to the end of our patience; `folder` is for what it says.
pub(crate) fn run(command: &mut Command, folder: &Path) -> Ended {
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    let limited = || {
        let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(Resource::As, limit(MOST_MEMORY)).map_err(io::Error::from)?;
        setrlimit(Resource::Cpu, limit(MOST_SECONDS)).map_err(io::Error::from)
    };
    // SAFETY: makes two system calls.
    unsafe { command.pre_exec(limited) };
    command.process_group(0).stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let (started, mut pause, mut is_killed) = (Instant::now(), Duration::from_micros(200), false);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE && !is_killed {
            is_killed = true;
            let group = Pid::from_raw(child.id().cast_signed()).unwrap();
            let _ = kill_process_group(group, Signal::KILL);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    };
    Ended { status, stdout: fs::read(stdout).unwrap(), stderr: fs::read(stderr).unwrap(), is_killed }
}

impl Ended {
    /// Lists what is wrong with how it ended and what it said. `not_done` is what the last line has to say where nothing
    /// was done: of a guarded command wherever its status is not its own, 0; of others where safe-test itself failed.
    pub(crate) fn faults(&self, not_done: &str, is_guarded: bool, is_json: bool) -> Vec<String> {
        let mut faults = Vec::new();
        if self.is_killed {
            return vec![format!("not over after {PATIENCE:?}")];
        }
        let Some(code) = self.status.code().filter(|code| DOCUMENTED.contains(code)) else {
            let signal = self.status.signal().map(|signal| format!(" (signal {signal})")).unwrap_or_default();
            return vec![format!("{}{signal}: {}", self.status, text(&self.stderr))];
        };
        for (name, said) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if let Some(what) = drives_a_terminal(said) {
                faults.push(format!("{what} on {name}: {:?}", text(said)));
            }
        }
        let has_failed = if is_guarded { code != 0 } else { code == 125 };
        let last = self.stderr.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        if is_json {
            let lines = |said| serde_json::Deserializer::from_slice(said).into_iter::<Value>();
            if lines(&self.stdout).any(|value| value.is_err()) {
                faults.push(format!("no JSON: {:?}", text(&self.stdout)));
            }
            let told: Value = serde_json::from_slice(last).unwrap_or_default();
            if has_failed
                && self.stdout.is_empty()
                && told["message"].as_str().is_none_or(|told| !told.contains(not_done))
            {
                faults.push(format!("status {code}, and the last line is {:?}", text(last)));
            }
        } else if has_failed && last != format!("  {not_done}").as_bytes() && !not_done.is_empty() {
            faults.push(format!("status {code}, and the last line is {:?}", text(last)));
        }
        faults
    }

    /// What it answered in JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.char_indices().nth(300).map_or(text.to_string(), |(at, _)| format!("{}…", &text[..at]))
}

/// What is told of a file: its kind and permissions, its bytes, when it was changed.
type Seen = (u32, u64, i64, i64);

/// Looks at everything below `folder`, but not below `left_out`.
pub(crate) fn look(folder: &Path, left_out: &[PathBuf]) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(found) = path.symlink_metadata() else { continue };
            if left_out.contains(&path) {
                continue;
            }
            if found.is_dir() {
                folders.push(path.clone());
                seen.insert(path, (found.mode(), 0, 0, 0));
            } else {
                seen.insert(path, (found.mode(), found.len(), found.mtime(), found.mtime_nsec()));
            }
        }
    }
    seen
}

/// Tells what has changed between two looks.
pub(crate) fn changes(before: &BTreeMap<PathBuf, Seen>, after: &BTreeMap<PathBuf, Seen>) -> Vec<String> {
    let is_same = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let paths: std::collections::BTreeSet<&PathBuf> = before.keys().chain(after.keys()).filter(is_same).collect();
    paths.into_iter().map(|path| format!("{path:?} was made, changed or removed")).collect()
}
