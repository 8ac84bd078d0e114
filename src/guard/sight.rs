//! Whether the memory of what we start can be read: where a program connects to stands there.

use std::ffi::c_void;
use std::io;

/// How long the process that is looked at waits for its end, in milliseconds, where nobody is left to end it.
const PATIENCE: i32 = 1000;

/// Tries it with a process of ours, of which nothing is left afterwards.
///
/// # Errors
///
/// Why it cannot be: Yama (`kernel.yama.ptrace_scope` from 2 on), a filter of system calls around us, a security module.
pub(crate) fn try_it() -> io::Result<()> {
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
            try_it().unwrap();
        }
        assert!(read(i32::MAX).is_err());
    }
}
