//! Reads texts: dotenv dialects, file formats, literal settings in code, and what they refer to. One grammar a file.

pub(crate) mod code;
pub(crate) mod dotenv;
pub(crate) mod encoding;
mod escapes;
pub(crate) mod expansion;
pub(crate) mod formats;
