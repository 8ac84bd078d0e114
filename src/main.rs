//! The door: hands over the arguments, and ends as the command ended.

use std::process::ExitCode;

// The unwinder of GCC is linked in instead of being loaded: one library less to find and relocate before a command
// that is over in milliseconds. It lies beside the shared one wherever the compiler is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}

fn main() -> ExitCode {
    safe_test::main(&std::env::args_os().collect::<Vec<_>>())
}
