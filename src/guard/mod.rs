//! Holds the line while a command runs: it reaches only what was judged and saved.
//!
//! Reading files ends somewhere; the kernel shows every connection. A seccomp filter ([`filter`]) stops the system
//! calls that could begin one, in the command and in all that it starts, and hands them to a thread of ours
//! ([`supervise`]), which looks where they lead and lets them through or has them fail, by [`rules`] that follow from
//! the receipts.
//!
//! It guards against accidents. A program that changes an address while we read it, or that is handed a socket by
//! somebody outside, is not held; see the README for what else is not seen.
#![allow(dead_code, unused_imports, reason = "its parts are being built")]

#[cfg(target_os = "linux")]
mod account;
#[cfg(target_os = "linux")]
mod blind;
#[cfg(target_os = "linux")]
mod decide;
#[cfg(all(test, target_os = "linux"))]
mod decide_tests;
#[cfg(target_os = "linux")]
mod facts;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod install;
#[cfg(target_os = "linux")]
mod listeners;
#[cfg(target_os = "linux")]
mod looks;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod nested;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod notification;
#[cfg(target_os = "linux")]
mod owners;
#[cfg(target_os = "linux")]
mod ports;
#[cfg(target_os = "linux")]
mod privileges;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod proof;
#[cfg(all(test, target_os = "linux"))]
mod property_tests;
#[cfg(target_os = "linux")]
mod refusal;
#[cfg(target_os = "linux")]
mod rules;
#[cfg(any(target_os = "macos", test))]
mod seatbelt;
#[cfg(target_os = "linux")]
mod sockaddr;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(all(test, target_os = "linux"))]
mod testing;

use std::sync::mpsc::{Receiver, Sender, channel};

pub(crate) use crate::guard::account::{Account, Hold, Reached, Refused};
pub(crate) use crate::guard::blind::Blind;
pub(crate) use crate::guard::install::{Line, Unavailable};
pub(crate) use crate::guard::names::{AT_THE_START, Names};
pub(crate) use crate::guard::owners::Owner;
pub(crate) use crate::guard::privileges::gain;
pub(crate) use crate::guard::process::descends;
pub(crate) use crate::guard::proof::{Proof, Unproven, prove};
pub(crate) use crate::guard::refusal::Refusal;
pub(crate) use crate::guard::rules::{Grounds, Rules};
pub(crate) use crate::guard::supervise::{Handover, Successor, Tell, Watch};

/// What reaches the thread that waits for the command.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something is to be done before a connection goes on.
    Question(Question),
    /// A connection was refused, and is to be written down.
    Refused(Refused),
    /// The command has ended.
    CommandEnded,
}

/// Asks for a target, by its index, to be saved before a connection to it goes on.
#[derive(Debug)]
pub(crate) struct Question {
    /// The target.
    pub(crate) target: usize,
    /// Where the answer goes: why it could not be saved, a phrase.
    pub(crate) reply: Sender<Result<(), String>>,
}

/// Where messages arrive.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        let (sender, receiver) = channel();
        Inbox { sender, receiver }
    }

    /// A sender into it.
    pub(crate) fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    /// Gives the messages that have arrived and were not looked at. What they ask for is done by nobody else.
    pub(crate) fn left(&self) -> impl Iterator<Item = Message> {
        self.receiver.try_iter()
    }

    /// Waits for the next message.
    pub(crate) fn next(&self) -> Option<Message> {
        self.receiver.recv().ok()
    }
}
