//! What the threads of a watch say to the one that waits for the command.

use std::net::SocketAddr;
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

/// Asks for targets, by their indices, to be saved before a connection to them goes on.
#[derive(Debug)]
pub(crate) struct Question {
    /// The targets: any of them may be meant.
    pub(crate) targets: Vec<usize>,
    /// The address at which they were met; `None` for a Unix socket.
    pub(crate) at: Option<SocketAddr>,
    /// Where the answer goes.
    pub(crate) reply: Sender<Answer>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All are saved, or have nothing to lose.
    Saved,
    /// Nobody listens there any more.
    NobodyThere,
    /// Why not all are saved, a phrase.
    NotSaved(String),
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
