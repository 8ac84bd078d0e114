//! Asks the engines of containers on this machine, and runs programs of ours inside a container.
//!
//! An engine is asked over its Unix socket ([`api`], [`sockets`]); one that has none, as Podman and nerdctl mostly, by its
//! program ([`asked`], [`running`]). A program inside ([`container`]) is what a shell there becomes ([`shell`]), which the engine
//! ([`exec`]) or its program starts. What is reached by ssh or by TCP acts elsewhere and is left out.

mod answer;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the guard asks more, which only Linux has"))]
pub(crate) mod api;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the guard asks more, which only Linux has"))]
pub(crate) mod asked;
pub(crate) mod container;
pub(crate) mod exec;
pub(crate) mod process;
pub(crate) mod running;
pub(crate) mod shell;
pub(crate) mod sockets;
