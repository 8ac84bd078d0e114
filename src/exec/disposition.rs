//! What this process does with a signal, and which signals it holds back: the system calls, nothing else.
//!
//! All functions here are safe to call between `fork` and `exec` and inside a signal handler: they allocate nothing
//! and take no lock (POSIX, "Signal Concepts", lists `sigaction` and `pthread_sigmask`).

use crate::exec::signal::{NUMBERS, SignalSet};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// A signal handler that is told who sent the signal.
pub(crate) type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// What is done with a signal when it arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disposition {
    Default,
    Ignored,
    Caught(Handler),
}

/// Changes what is done with a signal.
///
/// # Errors
///
/// The system's own, for a number that is no signal or one that cannot be changed. Nothing has changed then.
pub(crate) fn set(signal: i32, disposition: Disposition) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `sigaction`: no flags, an empty mask, and SIG_DFL, which is 0.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignored => libc::SIG_IGN,
        Disposition::Caught(handler) => handler as *const () as usize,
    };
    if matches!(disposition, Disposition::Caught(_)) {
        // Interrupted reads and writes elsewhere in the program go on as if nothing had happened.
        // Where the thread has a stack for that, the handler runs on it.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    }
    // SAFETY: `action` is initialised, and a handler, if there is one, has the signature that SA_SIGINFO asks for.
    let result = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Tells whether a signal is ignored at this moment.
pub(crate) fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null new action only asks; the old one is written to memory of the right type, which is zeroed, so
    // that it is initialised even where the call fails.
    let action = unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Lets through the signals of `set` on this thread and leaves the others as they are.
pub(crate) fn unblock(set: SignalSet) {
    change_mask(libc::SIG_UNBLOCK, set);
}

/// Makes `set` the signals that this thread holds back, and no others.
pub(crate) fn block_exactly(set: SignalSet) {
    change_mask(libc::SIG_SETMASK, set);
}

/// Holds back every signal on this thread until the guard is dropped, which puts back the mask of before.
pub(crate) fn hold_back_all() -> HeldBack {
    let before = blocked();
    block_exactly(SignalSet(u64::MAX));
    HeldBack { before }
}

/// See [`hold_back_all`].
#[must_use]
pub(crate) struct HeldBack {
    before: SignalSet,
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        block_exactly(self.before);
    }
}

fn change_mask(how: i32, set: SignalSet) {
    let mut native = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set before anything reads it. None of the calls can fail: `how` is one
    // of the three known values, and a number that is no signal is refused by `sigaddset` without effect.
    unsafe {
        libc::sigemptyset(native.as_mut_ptr());
        for signal in NUMBERS {
            if set.contains(signal) {
                libc::sigaddset(native.as_mut_ptr(), signal);
            }
        }
        libc::pthread_sigmask(how, native.as_ptr(), ptr::null_mut());
    }
}

/// Returns the signals that this thread holds back.
pub(crate) fn blocked() -> SignalSet {
    let mut native = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set; a null new mask only asks for the present one.
    let native = unsafe {
        libc::sigemptyset(native.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), native.as_mut_ptr());
        native.assume_init()
    };
    members(&native)
}

/// Returns the signals that have arrived and are held back.
pub(crate) fn pending() -> SignalSet {
    let mut native = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set, so it is initialised even if `sigpending` failed.
    let native = unsafe {
        libc::sigemptyset(native.as_mut_ptr());
        libc::sigpending(native.as_mut_ptr());
        native.assume_init()
    };
    members(&native)
}

fn members(native: &libc::sigset_t) -> SignalSet {
    // SAFETY: `native` is an initialised set; a number that is no signal gives an error, which is not 1.
    let is_member = |signal: i32| unsafe { libc::sigismember(native, signal) } == 1;
    NUMBERS.filter(|signal| is_member(*signal)).fold(SignalSet::default(), SignalSet::with)
}
