//! Starting a program without a copy of ourselves: the new process borrows our memory until `exec`.
//!
//! `fork` copies what says where each page of ours is, and every page that is written to meanwhile, for a process that
//! throws all of it away. Here the calling thread stands still instead until the new program is there (`CLONE_VFORK`), as
//! in the C library's `posix_spawn`, which itself cannot leave a signal ignored that we catch.

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use crate::exec::inherited::Inherited;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// More than a few system calls take, in pieces of 16 bytes, to which a stack is aligned.
const STACK: usize = (64 << 10) / size_of::<u128>();

/// What the new process needs, made before it: it allocates nothing.
struct Start<'a> {
    file: *const c_char,
    words: *const *const c_char,
    folder: *const c_char,
    inherited: &'a Inherited,
    /// Why there is no program: an error number. Written by the new process, 0 until then.
    error: c_int,
}

/// Starts the program that is `file`, which is no name to be looked up, with these words, the first of which is its own
/// name, in `folder` if there is one. Returns its process, a child.
///
/// # Errors
///
/// The system's own; no process is left then.
pub(super) fn launch<'a>(
    file: &OsStr,
    words: impl Iterator<Item = &'a OsStr>,
    folder: Option<&Path>,
    inherited: &Inherited,
) -> io::Result<i32> {
    let file = text(file)?;
    let words = words.map(text).collect::<io::Result<Vec<_>>>()?;
    let folder = folder.map(|folder| text(folder.as_os_str())).transpose()?;
    let words: Vec<_> = words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect();
    let mut start = Start {
        file: file.as_ptr(),
        words: words.as_ptr(),
        folder: folder.as_ref().map_or(ptr::null(), |folder| folder.as_ptr()),
        inherited,
        error: 0,
    };
    // Not written to beforehand: of its pages only those come to be that are used.
    let mut stack = Box::<[u128]>::new_uninit_slice(STACK);
    // SAFETY: the new process has a stack of its own, which grows downwards from the end, and this thread waits until it
    // needs neither that nor `start` any more. It ends or becomes another program before it returns anywhere.
    let process = unsafe {
        let top = stack.as_mut_ptr_range().end.cast();
        libc::clone(become_program, top, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, (&raw mut start).cast())
    };
    if process == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the other process has written it, or never will.
    match unsafe { ptr::read_volatile(&raw const start.error) } {
        0 => Ok(process),
        error => {
            // SAFETY: a child of ours that has ended and that nobody else knows.
            unsafe { libc::waitpid(process, ptr::null_mut(), 0) };
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

/// What the new process does.
extern "C" fn become_program(start: *mut c_void) -> c_int {
    // SAFETY: `launch` waits, and what it passed lives until then; the texts are strings of C, and the lists end in null.
    // Only system calls are made that are allowed between `fork` and `exec`: nothing is allocated, no lock is taken. The
    // process ends here without what was registered for the end of the one whose memory this is.
    unsafe {
        let start = start.cast::<Start<'_>>();
        let failed = try_to_become(&*start);
        ptr::write_volatile(&raw mut (*start).error, failed.raw_os_error().unwrap_or(libc::EIO));
        libc::_exit(127)
    }
}

/// Becomes the program; returns only why that could not be.
///
/// # Safety
///
/// The pointers are to strings of C, and to a list of them that ends in null.
unsafe fn try_to_become(start: &Start<'_>) -> io::Error {
    // SAFETY: as above. Nobody changes our environment.
    unsafe {
        if !start.folder.is_null() && libc::chdir(start.folder) == -1 {
            return io::Error::last_os_error();
        }
        if let Err(error) = start.inherited.put_all_back() {
            return error;
        }
        libc::execve(start.file, start.words, environ);
    }
    io::Error::last_os_error()
}

fn text(of: &OsStr) -> io::Result<CString> {
    CString::new(of.as_bytes()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::disposition;
    use crate::exec::disposition::Disposition;

    fn start(file: &str, words: &[&str], folder: Option<&Path>) -> io::Result<i32> {
        let inherited = Inherited::for_tests(Some(libc::SIGWINCH));
        launch(OsStr::new(file), words.iter().map(OsStr::new), folder, &inherited)
    }

    fn end(process: i32) -> i32 {
        let mut status = 0;
        // SAFETY: waits for a child of this test's, and writes to this stack.
        assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
        status
    }

    #[test]
    fn what_cannot_be_started_is_an_error_and_leaves_no_process() {
        let nowhere = Path::new("/no/such/folder");
        for (file, folder, error) in [
            ("/no/such/program", None, libc::ENOENT),
            ("/bin/sh", Some(nowhere), libc::ENOENT),
            ("/dev/null", None, libc::EACCES),
        ] {
            assert_eq!(start(file, &[file], folder).unwrap_err().raw_os_error(), Some(error), "{file} {folder:?}");
        }
        assert!(start("/bin/sh", &["sh", "a\0b"], None).is_err());
    }

    #[test]
    fn a_program_has_its_words_its_folder_and_the_signals_that_it_is_to_have_and_ours_stay() {
        disposition::set(libc::SIGUSR2, Disposition::Ignored).unwrap();
        let script = "test \"$0 $1\" = 'own name' && test \"$(pwd)\" = / && kill -WINCH $$ && kill -USR2 $$; exit 3";
        let status = end(start("/bin/sh", &["sh", "-c", script, "own", "name"], Some(Path::new("/"))).unwrap());
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGUSR2, "{status:#x}");
        assert!(disposition::is_ignored(libc::SIGUSR2) && !disposition::is_ignored(libc::SIGWINCH));
        disposition::set(libc::SIGUSR2, Disposition::Default).unwrap();
    }
}
