//! Ruby: Rails and dotenv.

pub(crate) mod drivers;
pub(crate) mod rails;
