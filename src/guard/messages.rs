//! What the threads of a watch say to the one that waits for the command.

use std::sync::mpsc::{Receiver, Sender, channel};

use crate::guard::account::Refused;

/// What is told at once: it is called on a thread of the watch.
pub(crate) type Tell = Box<dyn Fn(&Refused) + Send + Sync>;

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
