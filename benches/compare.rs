//! Two processes, run in turn and timed from outside.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Something that can be run many times.
pub(crate) struct Runner {
    /// What happens before each run, untimed.
    pub(crate) prepare: Box<dyn FnMut()>,
    pub(crate) command: Box<dyn Fn() -> Command>,
    /// The file that standard input is read from; nothing where there is none.
    pub(crate) input: Option<PathBuf>,
    /// The exit status of a run that did what it should.
    pub(crate) status: i32,
}

/// Ours against the other.
pub(crate) struct Contest {
    pub(crate) other: Runner,
    pub(crate) ours: Runner,
    /// Whether both run on a single core, where the system can be asked for that.
    pub(crate) on_one_core: bool,
}

impl Contest {
    pub(crate) fn new(other: Runner, ours: Runner) -> Self {
        Contest { other, ours, on_one_core: false }
    }
}

impl Runner {
    /// A command that ends with 0 and needs nothing prepared.
    pub(crate) fn new(command: impl Fn() -> Command + 'static) -> Self {
        Runner { prepare: Box::new(|| {}), command: Box::new(command), input: None, status: 0 }
    }

    pub(crate) fn after(self, prepare: impl FnMut() + 'static) -> Self {
        Runner { prepare: Box::new(prepare), ..self }
    }

    fn run(&mut self) -> Run {
        (self.prepare)();
        let mut command = (self.command)();
        let input = self.input.as_ref().map(|path| File::open(path).unwrap());
        command.stdin(input.map_or_else(Stdio::null, Stdio::from)).stdout(Stdio::null()).stderr(Stdio::null());
        let run = run(&mut command);
        assert_eq!(run.status.code(), Some(self.status), "{command:?}");
        run
    }
}

/// Median, least and most.
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Spread { median, least: values[0], most: values[values.len() - 1] }
    }
}

/// Times in milliseconds; ours divided by the other's of the same round, and what ours took more.
pub(crate) struct Measured {
    pub(crate) other: Spread,
    pub(crate) ours: Spread,
    pub(crate) ratio: Spread,
    pub(crate) more: Spread,
}

/// Runs both in turn, once to warm up and then `rounds` times.
pub(crate) fn compare(mut contest: Contest, rounds: usize) -> Measured {
    let _pinned = contest.on_one_core.then(Pinned::to_one_core);
    let (mut other, mut ours, mut ratio, mut more) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.max(1) {
        let times = [contest.other.run(), contest.ours.run()].map(|run| run.wall.as_secs_f64() * 1e3);
        if round > 0 {
            other.push(times[0]);
            ours.push(times[1]);
            ratio.push(times[1] / times[0]);
            more.push(times[1] - times[0]);
        }
    }
    Measured { other: Spread::of(other), ours: Spread::of(ours), ratio: Spread::of(ratio), more: Spread::of(more) }
}

/// Keeps this thread, and what it starts, on one core until it is dropped. Elsewhere than on Linux it does nothing.
struct Pinned {
    #[cfg(target_os = "linux")]
    before: rustix::thread::CpuSet,
}

impl Pinned {
    #[cfg(target_os = "linux")]
    fn to_one_core() -> Self {
        let before = rustix::thread::sched_getaffinity(None).unwrap();
        let mut one = rustix::thread::CpuSet::new();
        one.set((0..rustix::thread::CpuSet::MAX_CPU).find(|core| before.is_set(*core)).unwrap());
        rustix::thread::sched_setaffinity(None, &one).unwrap();
        Pinned { before }
    }

    #[cfg(not(target_os = "linux"))]
    fn to_one_core() -> Self {
        Pinned {}
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        rustix::thread::sched_setaffinity(None, &self.before).unwrap();
    }
}

/// The most memory that was resident at once in one run, in KiB: of the process or of any one that it waited for,
/// whichever had more. What this program holds itself is the least that can come out.
pub(crate) fn peak_memory(mut runner: Runner) -> u64 {
    runner.run().peak_memory
}

struct Run {
    status: ExitStatus,
    wall: Duration,
    peak_memory: u64,
}

fn run(command: &mut Command) -> Run {
    let started = Instant::now();
    #[expect(clippy::zombie_processes, reason = "wait4 waits for it, and says what it used")]
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is ours and nobody else waits for it; both pointers are to places of the right type.
    let waited = unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, usage.as_mut_ptr()) };
    let wall = started.elapsed();
    assert_eq!(waited, child.id().cast_signed());
    // SAFETY: every bit pattern is a `rusage`, zeroes too; wait4 filled it.
    let resident = unsafe { usage.assume_init() }.ru_maxrss.cast_unsigned();
    // macOS counts bytes where Linux counts KiB.
    let peak_memory = if cfg!(target_os = "macos") { resident / 1024 } else { resident };
    Run { status: ExitStatus::from_raw(status), wall, peak_memory }
}
