//! Ends a test's server when the test process ends, however that does.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

/// Starts the process that outlives ours by a moment: when our end of the pipe closes, it ends the server (by the id
/// in the server's own file `id_file`) and removes its folder.
pub(super) fn guard(folder: &Path, id_file: &str) -> ChildStdin {
    const SCRIPT: &str = r#"
        trap '' INT TERM HUP QUIT
        cat >/dev/null
        pid=$(head -n 1 "$1/$2" 2>/dev/null)
        if [ -n "$pid" ]; then
            kill -QUIT "$pid" 2>/dev/null
            tries=0
            while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
                sleep 0.05
                tries=$((tries + 1))
            done
        fi
        # An initdb that is still at work ends at the first file that it misses.
        tries=0
        until rm -rf "$1" 2>/dev/null && [ ! -e "$1" ] || [ "$tries" -ge 100 ]; do
            sleep 0.05
            tries=$((tries + 1))
        done
    "#;
    let mut guard = Command::new("/bin/sh");
    guard
        .args(["-c", SCRIPT, "guard"])
        .arg(folder)
        .arg(id_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    guard.process_group(0).spawn().unwrap().stdin.take().unwrap()
}
