//! The door: hands over the arguments, and ends as the command ended.
//!
//! The program begins here and not in Rust's runtime, which would change what the command is to inherit (see
//! `exec/inherited.rs`) and would look for its own stack in `/proc/self/maps`: a tenth of a millisecond, where all of
//! `safe-test check` is to cost little more than `env`. What a runtime has to do, `safe_test::main` does.
#![no_main]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

// The unwinder of GCC is linked in instead of being loaded: one library less to find and relocate before a command
// that is over in milliseconds. It lies beside the shared one wherever the compiler is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}

// SAFETY: this is the function of this name that the C runtime calls, with these arguments.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or_default();
    let argument = |at: usize| -> OsString {
        // SAFETY: C gives `count` pointers to strings that nobody changes and that stay (C11, 5.1.2.2.1).
        let text = unsafe { CStr::from_ptr(*arguments.add(at)) };
        OsStr::from_bytes(text.to_bytes()).to_owned()
    };
    safe_test::main(|| (0..count).map(argument).collect()).into()
}

/// The two functions of the C library's `libm` that are linked into the program: SQLite ranks with one, progress bars
/// guess with the other. Ones of our own spare it the loading of a library: another tenth of a millisecond.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod mathematics {
    // SAFETY: they have the types and the meaning that C gives to these names (C11, 7.12.6.7 and 7.12.7.4).
    #[unsafe(no_mangle)]
    extern "C" fn log(x: f64) -> f64 {
        libm::log(x)
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    extern "C" fn pow(x: f64, y: f64) -> f64 {
        libm::pow(x, y)
    }
}
