//! Elixir: `config/*.exs`.

pub(crate) mod configuration;
pub(crate) mod drivers;
