//! What a survey notes besides values: what is wrong with files, and facts about how the environment comes about.

use std::path::PathBuf;

use crate::environment::Origin;
use crate::environment::not_followed::NotFollowed;

/// Something wrong with a file; its other lines were still read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileProblem {
    /// The file, relative to the root where it lies below it.
    pub(crate) file: PathBuf,
    /// The line, counted from 1, where one is to blame.
    pub(crate) line: Option<u32>,
    /// What is wrong, as a phrase.
    pub(crate) message: String,
    /// What sort of problem it is.
    pub(crate) kind: ProblemKind,
}

/// The sorts of [`FileProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// It is there, but cannot be read.
    Unreadable,
    /// It is a folder.
    Folder,
    /// It is larger than [`LARGEST_FILE`].
    TooLarge,
    /// It holds bytes that are not UTF-8; they were replaced.
    NotUtf8,
    /// A line does not follow the format; the lines after it were read all the same.
    BrokenLine,
    /// It was asked for and is not there.
    Missing,
}

/// Environment files larger than this many bytes are not read.
pub(crate) const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// A fact about how the environment would come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Containers of published servers are started, and no command of the project runs.
    OnlyServers,
    /// Laravel would read nothing but this cached configuration.
    CachedLaravelConfig {
        /// The cache, relative to the root where it lies below it.
        file: PathBuf,
    },
    /// A file for the asked mode is not there, and the framework would use another one.
    MissingEnvironmentFile {
        /// The file that the mode asks for (`.env.testing`).
        wanted: PathBuf,
        /// The file that is used instead (`.env`).
        fallback: PathBuf,
    },
    /// A wrapper adds variables that are on no disk.
    InjectedEnvironment {
        /// The wrapper (`railway run`).
        wrapper: String,
        /// What to do about it, as a phrase.
        advice: String,
    },
    /// The command runs in a container or on another machine, where the environment of this one proves nothing.
    ContainerEnvironment {
        /// What starts it (`docker compose exec`).
        program: String,
        /// The words that name another machine; empty where it is a container.
        place: Vec<String>,
        /// The project's files say all that the container was started with, as far as it runs what they say now.
        is_declared: bool,
    },
    /// The command removes volumes of containers, and with them whatever databases are in them.
    RemovesVolumes {
        /// What does so (`docker compose down --volumes`).
        command: String,
    },
    /// A file that a loader would read cannot be read here.
    UnreadableFile {
        /// The file, relative to the root where it lies below it.
        file: PathBuf,
        /// Why not, as a phrase.
        why: String,
    },
    /// Something was cut off or given up on that could name a database or run a command.
    NotFollowed(NotFollowed),
    /// Prisma refuses to start: two of its `.env` files set the same key.
    DuplicatePrismaKey {
        /// The key.
        key: String,
        /// The files that set it, relative to the root.
        files: Vec<PathBuf>,
    },
    /// Ruby on Rails' own protection of production databases is switched off by a variable.
    ProtectionDisabled {
        /// Where the variable is set.
        origin: Origin,
    },
}

impl Condition {
    /// Tells whether something is behind it that was not read.
    pub(crate) fn is_gap(&self) -> bool {
        matches!(self, Condition::NotFollowed(_) | Condition::UnreadableFile { .. })
    }
}
