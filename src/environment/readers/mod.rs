//! Reads texts: dotenv dialects, file formats, literal settings in code. One grammar a file.

pub(crate) mod code;
pub(crate) mod dotenv;
pub(crate) mod formats;
pub(crate) mod placeholders;
