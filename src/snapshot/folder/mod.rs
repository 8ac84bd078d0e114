//! Folders of files that the policy names (`[[snapshots.folders]]`): saved as tar, compressed with zstd, and put back whole.
//!
//! What is saved is what a listing of the folder says: folders, files with their permissions, owners and times, symbolic
//! links as such. Links are never followed; what else a file system has (sockets, pipes, devices) is left out, and said.
//! A folder that holds a repository of git, the snapshots, or another file system is refused: what would be left out of
//! the archive would be gone after a restore.
//!
//! A file changes its `ctime` with each change of its content or its inode, so an equal listing proves an equal folder,
//! unless something had changed within the clock's resolution before the listing: such a listing proves nothing later.
//!
//! A restore unpacks beside the folder, compares, and exchanges the two by rename; the safety snapshot is the way back.

mod archive;
mod engine;
mod error;
mod listing;
mod restore;

pub(crate) use crate::snapshot::folder::engine::Folder;
