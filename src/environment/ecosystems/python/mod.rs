//! Python: Django, python-dotenv and its kin, pytest, and configuration in code.

pub(crate) mod code;
pub(crate) mod django;
pub(crate) mod dotenv;
pub(crate) mod drivers;
pub(crate) mod pytest;
