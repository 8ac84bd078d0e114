//! A process of ours that ends meanwhile, and is collected later.

/// A process that held a command and has said that it ends: it takes its copy of us apart meanwhile. It is collected when this
/// is dropped, which is best done last.
#[derive(Debug)]
pub(crate) struct Ending(i32);

impl Ending {
    /// Of a child of ours that nobody else waits for.
    #[cfg(target_os = "linux")]
    pub(super) fn of(process: i32) -> Ending {
        Ending(process)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // SAFETY: waits for a child of ours, whose id is its own until then, and writes nothing.
        unsafe { libc::waitpid(self.0, std::ptr::null_mut(), 0) };
    }
}
