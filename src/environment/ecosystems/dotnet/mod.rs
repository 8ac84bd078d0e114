//! .NET: appsettings and user secrets.

pub(crate) mod drivers;
pub(crate) mod settings;
