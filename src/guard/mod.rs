//! Holds the line while a command runs: it reaches only what was judged and saved.
//!
//! Reading files ends somewhere; the kernel shows every connection. A seccomp filter ([`filter`]) stops the system
//! calls that could begin one, in the command and in all that it starts, and hands them to a thread of ours
//! ([`watch`]), which looks where they lead and lets them through or has them fail, by [`rules`] that follow from
//! the receipts.
//!
//! It guards against accidents. A program that changes an address while we read it, or that is handed a socket by
//! somebody outside, is not held; see the README for what else is not seen.
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "what would be told of a watch is told by none"))]

mod account;
#[cfg(target_os = "linux")]
mod births;
#[cfg(target_os = "linux")]
mod blind;
#[cfg(target_os = "linux")]
mod containers;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod containers_tests;
#[cfg(target_os = "linux")]
mod decide;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod decide_tests;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
mod facts;
pub(crate) mod fence;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod finding;
#[cfg(target_os = "linux")]
mod forwarded;
mod grounds;
#[cfg(target_os = "linux")]
mod handover;
#[cfg(target_os = "linux")]
mod install;
#[cfg(target_os = "linux")]
mod kept;
#[cfg(target_os = "linux")]
mod listeners;
#[cfg(target_os = "linux")]
mod looks;
mod messages;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod nested;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod newness;
#[cfg(target_os = "linux")]
mod notification;
#[cfg(target_os = "linux")]
mod owners;
mod ports;
mod privileges;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod proof;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod property_tests;
mod refusal;
#[cfg(target_os = "linux")]
mod routes;
#[cfg(target_os = "linux")]
mod rules;
#[cfg(target_os = "linux")]
mod shared;
#[cfg(target_os = "linux")]
mod sight;
#[cfg(target_os = "linux")]
mod sockaddr;
#[cfg(target_os = "linux")]
mod sought;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod testing;
#[cfg(target_os = "linux")]
mod user_namespace;
#[cfg(target_os = "linux")]
mod waiting;
#[cfg(target_os = "linux")]
mod watch;
#[cfg(target_os = "linux")]
mod watcher;
#[cfg(target_os = "linux")]
mod within;

pub(crate) use crate::guard::account::{Account, Hold, Reached, Refused};
#[cfg(not(target_os = "linux"))]
pub(crate) use crate::guard::elsewhere::{Beginning, Installing, Line, Outer, Stage, Unavailable, Watch, prove};
pub(crate) use crate::guard::grounds::Grounds;
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::handover::Handover;
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::install::{Installing, Line, Unavailable};
pub(crate) use crate::guard::messages::{Answer, Inbox, Message, Question, Tell};
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::nested::{Outer, Stage};
pub(crate) use crate::guard::privileges::gain;
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::process::{descends, is_stopped};
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::proof::prove;
#[cfg(test)]
pub(crate) use crate::guard::refusal::Refusal;
#[cfg(target_os = "linux")]
pub(crate) use crate::guard::watch::{Beginning, Successor, Watch};
