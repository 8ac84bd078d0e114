//! Whether the memory of what we start can be read: where a program connects to stands there.

use std::ffi::c_void;
use std::io;
use std::path::Path;

use crate::regular;

/// How long the process that is looked at waits for its end, in milliseconds, where nobody is left to end it.
const PATIENCE: i32 = 1000;

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Hidden {
    /// Yama lets nobody look, or only who has the privilege to.
    #[error("Yama's `kernel.yama.ptrace_scope` is {0}")]
    Yama(String),
    #[error(transparent)]
    Otherwise(#[from] io::Error),
}

/// Tries it: with our own memory, which a filter of system calls keeps from us as well; and where anything but the kernel
/// itself has a say in other processes' memory, with a process of ours, of which nothing is left afterwards. Its start costs
/// more than all the rest.
///
/// # Errors
///
/// Why it cannot be: Yama (`kernel.yama.ptrace_scope` 3, or 2 without `CAP_SYS_PTRACE`), a filter of system calls around us, a
/// security module.
pub(crate) fn try_it() -> Result<(), Hidden> {
    read(rustix::process::getpid().as_raw_pid())?;
    let yama = line("/proc/sys/kernel/yama/ptrace_scope");
    let label = line("/proc/self/attr/current");
    if is_up_to_the_kernel(yama.as_deref(), label.as_deref()) {
        return Ok(());
    }
    try_with_a_process().map_err(|error| explain(error, yama))
}

/// Says why another process's memory was not read where our own was: by Yama's setting, where that may be the reason.
fn explain(error: io::Error, yama: Option<String>) -> Hidden {
    let is_refused = error.raw_os_error() == Some(libc::EPERM);
    match yama.filter(|scope| is_refused && matches!(scope.as_str(), "2" | "3")) {
        Some(scope) => Hidden::Yama(scope),
        None => Hidden::Otherwise(error),
    }
}

/// Tells whether the kernel alone says who reads the memory of what they started: by Yama's setting, and by how a security
/// module labels us; `None` where there is none.
///
/// Source: Linux, Documentation/admin-guide/LSM/Yama.rst (up to 1, who starts a process may look into it); proc(5) on
/// `/proc/pid/attr/current`; AppArmor says `unconfined` of whom it leaves alone, SELinux has a switch for everybody.
fn is_up_to_the_kernel(yama: Option<&str>, label: Option<&str>) -> bool {
    matches!(yama, None | Some("0" | "1")) && matches!(label, None | Some("" | "unconfined"))
}

/// Reads the one line of a file of the kernel's; `None` where it has no such file, or does not fill it.
fn line(path: &str) -> Option<String> {
    match regular::read(Path::new(path), regular::SMALL) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\0']).to_owned()),
        // Without a security module that labels anybody, reading is not valid.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn try_with_a_process() -> io::Result<()> {
    let mut stack = [0u128; 256];
    // SAFETY: the new process has a copy of our memory, since what shares ours may always be read, and runs on this stack in
    // it. It makes two system calls and never returns. No signal tells of its end, so that nobody else waits for it.
    let child = unsafe { libc::clone(wait_for_the_end, stack.as_mut_ptr_range().end.cast(), 0, std::ptr::null_mut()) };
    if child == -1 {
        return Err(io::Error::last_os_error());
    }
    let seen = read(child);
    // SAFETY: ends and collects the process that was started above, whose id is nobody else's until then.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        while libc::waitpid(child, std::ptr::null_mut(), libc::__WALL) == -1
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    seen
}

extern "C" fn wait_for_the_end(_: *mut c_void) -> i32 {
    // SAFETY: both only make a system call.
    unsafe {
        libc::poll(std::ptr::null_mut(), 0, PATIENCE);
        libc::_exit(0)
    }
}

fn read(process: i32) -> io::Result<()> {
    let (there, mut here) = (1u8, 0u8);
    let local = libc::iovec { iov_base: (&raw mut here).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: (&raw const there).cast_mut().cast(), iov_len: 1 };
    // SAFETY: the call writes one byte, to `here`; the other place is read only, and of the process that is looked at.
    match unsafe { libc::process_vm_readv(process, &raw const local, 1, &raw const remote, 1, 0) } {
        1 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_start_can_be_read_and_what_is_not_there_cannot() {
        for _ in 0..100 {
            try_with_a_process().unwrap();
        }
        try_it().unwrap();
        assert!(read(i32::MAX).is_err());
    }

    #[test]
    fn a_process_is_tried_where_more_than_the_kernel_has_a_say() {
        for (yama, label, expected) in [
            (None, None, true),
            (Some("1"), Some("unconfined"), true),
            (Some("2"), None, false),
            (Some("Permission denied (os error 13)"), None, false),
            (None, Some("docker-default (enforce)"), false),
            (Some("0"), Some("unconfined_u:unconfined_r:unconfined_t:s0"), false),
        ] {
            assert_eq!(is_up_to_the_kernel(yama, label), expected, "{yama:?} {label:?}");
        }
        assert_eq!(line("/proc/no/such/file"), None);
        assert_eq!(line("/proc/sys/kernel/ostype").as_deref(), Some("Linux"));
    }

    #[test]
    fn yama_is_named_where_it_may_be_the_reason() {
        for (number, yama, expected) in [
            (libc::EPERM, Some("2"), "Yama's `kernel.yama.ptrace_scope` is 2"),
            (libc::EPERM, Some("3"), "Yama's `kernel.yama.ptrace_scope` is 3"),
            (libc::EPERM, Some("1"), "Operation not permitted (os error 1)"),
            (libc::EPERM, None, "Operation not permitted (os error 1)"),
            (libc::ENOSYS, Some("2"), "Function not implemented (os error 38)"),
        ] {
            let why = explain(io::Error::from_raw_os_error(number), yama.map(str::to_owned));
            assert_eq!(why.to_string(), expected, "{number} {yama:?}");
        }
    }
}
