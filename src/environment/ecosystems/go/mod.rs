//! Go: godotenv and settings files.

pub(crate) mod dotenv;
pub(crate) mod drivers;
