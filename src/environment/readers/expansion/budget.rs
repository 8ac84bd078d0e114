//! How much expanding one file may cost: `A=$B$B`, `B=$C$C`, … would fill any memory.

use crate::environment::readers::expansion::Obstacle;

/// Bytes that expansions may add to one file. A project may have dozens of files, each of which is read in a dozen dialects;
/// what real files refer to adds kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// Bytes that expansions may look at, for the algorithms that start again after each replacement.
const MOST_WORK: usize = 16 << 20;

/// How deep one expansion may stand inside another.
pub(crate) const DEEPEST: usize = 50;

/// What is left of it for this file, or for the assignments before a command.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    bytes: usize,
    work: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new()
    }
}

impl Budget {
    pub(crate) fn new() -> Self {
        Budget { bytes: MOST_BYTES, work: MOST_WORK }
    }

    /// Takes `count` bytes that an expansion adds to a value.
    pub(crate) fn add(&mut self, count: usize) -> Result<(), Obstacle> {
        self.bytes = self.bytes.checked_sub(count).ok_or(Obstacle::TooLarge)?;
        Ok(())
    }

    /// Takes `count` bytes that are looked at once more.
    pub(crate) fn look(&mut self, count: usize) -> Result<(), Obstacle> {
        self.work = self.work.checked_sub(count).ok_or(Obstacle::TooLarge)?;
        Ok(())
    }
}
