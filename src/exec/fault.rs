//! A fault of our own ends like every failure: with 125, and a last line that says what was not done.
//!
//! A panic is caught at the top. When memory has run out, Rust aborts, and when the stack has, the system sends SIGSEGV;
//! neither can be caught there: both signals have a handler that writes a line made beforehand and ends the process.
//! Children do not inherit it (POSIX, `exec`).

use crate::exec::disposition;
use crate::exec::disposition::Disposition;
use crate::exec::inherited::Inherited;
use crate::exit::Exit;
use std::cell::UnsafeCell;
use std::panic::{self, PanicHookInfo};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What a fault would say last.
static LAST_LINE: AtomicPtr<&str> = AtomicPtr::new(ptr::null_mut());

static IN_JSON: AtomicBool = AtomicBool::new(false);

/// Where the first panic was, and what it said as far as no data can be in it.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Has every fault from now on end as a failure does. Takes no memory.
pub(crate) fn heed(inherited: &Inherited) {
    panic::set_hook(Box::new(note));
    use_stack_for_faults();
    // Started with such a signal ignored, we leave it so for the command; the fault then ends us without a word. Setting
    // it cannot fail for signals of these numbers.
    for signal in [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS].into_iter().filter(|signal| !inherited.ignores(*signal))
    {
        let _ = disposition::set(signal, Disposition::Caught(end));
    }
}

/// Has every fault from now on end with a line of JSON, or with words.
pub(crate) fn tell_in_json(in_json: bool) {
    IN_JSON.store(in_json, Ordering::Release);
}

/// Where the handler runs, since a stack that has run out has no room for it. It costs nothing until then.
struct FaultStack(UnsafeCell<[u8; 64 * 1024]>);

// SAFETY: nothing reads or writes it by this name; the system uses it while a handler runs on the thread that has it.
unsafe impl Sync for FaultStack {}

static FAULT_STACK: FaultStack = FaultStack(UnsafeCell::new([0; 64 * 1024]));

/// Gives this thread, which runs the deep work, a stack of its own for the handler.
fn use_stack_for_faults() {
    let start = FAULT_STACK.0.get();
    let stack = libc::stack_t { ss_sp: start.cast(), ss_flags: 0, ss_size: size_of_val(&FAULT_STACK) };
    // SAFETY: the memory lives as long as the program, and no other thread is given it.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
}

/// Says what a fault is to say last from now on.
pub(crate) fn would_say(line: &'static &'static str) {
    LAST_LINE.store(ptr::from_ref(line).cast_mut(), Ordering::Release);
}

/// Gives what a fault would say last.
pub(crate) fn last_line() -> &'static str {
    let line = LAST_LINE.load(Ordering::Acquire);
    // SAFETY: it is null, or was made of a `'static` reference that nobody writes through.
    unsafe { line.as_ref() }.copied().unwrap_or("nothing was run")
}

/// Tells where the first panic was, if there was one.
pub(crate) fn panicked() -> Option<String> {
    PANIC.lock().ok()?.clone()
}

/// Keeps the place of the first panic. Only a text that stands in the code is kept with it: one that was made up may quote
/// a value.
fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
    let said = panic.payload().downcast_ref::<&'static str>().map_or_else(String::new, |said| format!(": {said}"));
    if let Ok(mut first) = PANIC.lock() {
        first.get_or_insert(format!("{place}{said}"));
    }
}

/// Writes the last line and ends the process. A SIGSEGV or SIGBUS that somebody sent is no fault: it does what it does to
/// others, as soon as this returns.
extern "C" fn end(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: SA_SIGINFO was asked for, so the system gives a pointer to what it knows.
    let is_sent = unsafe { info.as_ref() }.is_none_or(|info| info.si_code <= 0);
    if is_sent && signal != libc::SIGABRT {
        let _ = disposition::set(signal, Disposition::Default);
        // SAFETY: sends a signal to this thread, which holds it back until the handler returns.
        unsafe { libc::raise(signal) };
        return;
    }
    let line = last_line();
    let parts = if IN_JSON.load(Ordering::Acquire) {
        [
            "{\"schema\":1,\"event\":\"failed\",\"error\":\"safe-test aborted\",\"causes\":[],\"hint\":null,\
             \"exit\":125,\"message\":\"",
            line,
            "\"}\n",
        ]
    } else {
        ["safe-test: aborted: is there memory left?\n  ", line, "\n"]
    };
    for part in parts {
        // SAFETY: writes bytes of a `'static` text; `write` may be called in a handler.
        unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
    }
    // SAFETY: ends the process at once; nothing of it is used any more.
    unsafe { libc::_exit(i32::from(Exit::Failed.code())) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Read};
    use std::os::fd::AsRawFd;

    /// Runs `story` in a process of its own; gives its status and what it wrote to standard error.
    fn in_its_own_process(story: impl FnOnce()) -> (i32, String) {
        let (mut reader, writer) = io::pipe().unwrap();
        // SAFETY: the child makes system calls and ends; no lock of another thread is needed for what it does.
        let child = unsafe {
            match libc::fork() {
                0 => {
                    libc::dup2(writer.as_raw_fd(), libc::STDERR_FILENO);
                    story();
                    libc::_exit(0);
                }
                child => child,
            }
        };
        drop(writer);
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        let mut status = -1;
        // SAFETY: waits for the child that was started above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        let by_signal = libc::WIFSIGNALED(status).then(|| 128 + libc::WTERMSIG(status));
        (by_signal.unwrap_or(libc::WEXITSTATUS(status)), said)
    }

    #[test]
    fn an_abort_ends_with_the_last_line_of_the_time() {
        let aborted = in_its_own_process(|| {
            heed(&Inherited::for_tests(None));
            would_say(&"the command was not run");
            std::process::abort();
        });
        assert_eq!(aborted, (125, "safe-test: aborted: is there memory left?\n  the command was not run\n".to_owned()));
        let (status, line) = in_its_own_process(|| {
            heed(&Inherited::for_tests(None));
            tell_in_json(true);
            std::process::abort();
        });
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((status, &told["exit"], &told["message"]), (125, &125.into(), &"nothing was run".into()));
    }

    #[test]
    fn a_stack_that_runs_out_ends_with_the_last_line() {
        #[expect(unconditional_recursion, reason = "that is what is tried")]
        fn deeper(level: &mut [u64; 512]) -> u64 {
            let mut next = *level;
            next[0] += 1;
            deeper(std::hint::black_box(&mut next)) + next[1]
        }
        let ran_out = in_its_own_process(|| {
            heed(&Inherited::for_tests(None));
            would_say(&"the command was not run");
            std::hint::black_box(deeper(&mut [0; 512]));
        });
        assert_eq!(ran_out, (125, "safe-test: aborted: is there memory left?\n  the command was not run\n".to_owned()));
    }

    #[test]
    fn a_fault_that_somebody_sent_ends_us_as_it_ends_others() {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            let (status, said) = in_its_own_process(|| {
                heed(&Inherited::for_tests(None));
                // SAFETY: sends a signal to this process.
                unsafe { libc::kill(libc::getpid(), signal) };
            });
            assert_eq!((status, said.as_str()), (128 + signal, ""));
        }
    }

    #[test]
    fn a_panic_is_kept_with_its_place_and_no_value() {
        let (status, said) = in_its_own_process(|| {
            heed(&Inherited::for_tests(None));
            let secret = String::from("hunter2");
            let panics = || panic!("{secret}");
            assert!(panic::catch_unwind(panics).is_err());
            let kept = panicked().unwrap_or_default();
            let is_right = kept.starts_with("src/exec/fault.rs:") && !kept.contains("hunter2");
            // SAFETY: ends the child.
            unsafe { libc::_exit(if is_right { 7 } else { 8 }) };
        });
        assert_eq!((status, said.as_str()), (7, ""));
    }
}
