//! What the threads of a watch say to others: to the one that waits for the command, and to whoever is told of refusals.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use crate::guard::account::Refused;

/// What is told at once, on a thread of its own.
pub(crate) type Tell = Arc<dyn Fn(&Refused) + Send + Sync>;

/// Tells of refusals on a thread of its own, one after the other: whoever decides waits for no reader and no lock. Most runs
/// have nothing to tell, so the thread comes with the first.
pub(super) struct Teller {
    tell: Tell,
    telling: Option<Telling>,
}

/// The thread that tells.
struct Telling {
    sender: Sender<Option<Refused>>,
    /// Nothing is sent on it: it closes when the thread has ended.
    over: Receiver<()>,
}

impl Teller {
    pub(super) fn new(tell: Tell) -> Teller {
        Teller { tell, telling: None }
    }

    /// Has something told. Where the system starts no thread, it has been told when this returns.
    pub(super) fn tell(&mut self, refused: Refused) {
        if self.telling.is_none() {
            self.telling = Telling::begin(&self.tell).ok();
        }
        match &self.telling {
            // After the end nobody is told any more.
            Some(telling) => drop(telling.sender.send(Some(refused))),
            None => (self.tell)(&refused),
        }
    }

    /// Waits until all has been told, for as long as `patience`; what cannot be told by then is left to its thread.
    pub(super) fn end(&self, patience: Duration) {
        if let Some(telling) = &self.telling {
            let _ = telling.sender.send(None);
            let _ = telling.over.recv_timeout(patience);
        }
    }
}

impl Telling {
    fn begin(tell: &Tell) -> io::Result<Telling> {
        let (sender, to_tell) = channel();
        let (running, over) = channel();
        let tell = Arc::clone(tell);
        let run = move || {
            let _running: Sender<()> = running;
            to_tell.into_iter().map_while(|refused| refused).for_each(|refused| tell(&refused));
        };
        Builder::new().name("teller".to_owned()).spawn(run)?;
        Ok(Telling { sender, over })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::refusal::Refusal;
    use std::sync::Mutex;

    fn refused(address: &str) -> Refused {
        let refusal = Refusal::plain("a database", "stop");
        Refused { address: address.to_owned(), program: "psql".to_owned(), process: 1, refusal, times: 1 }
    }

    #[test]
    fn all_is_told_in_its_order_and_one_that_cannot_be_told_holds_nobody() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (open, opened) = channel::<()>();
        let (list, opened) = (Arc::clone(&told), Mutex::new(opened));
        let tell: Tell = Arc::new(move |refused| {
            let _ = opened.lock().unwrap().recv();
            list.lock().unwrap().push(refused.address.clone());
        });
        let mut teller = Teller::new(tell);
        ["a", "b"].into_iter().for_each(|address| teller.tell(refused(address)));
        teller.end(Duration::ZERO);
        assert!(told.lock().unwrap().is_empty(), "whoever reads has not read yet");
        drop(open);
        teller.end(Duration::from_secs(60));
        assert_eq!(*told.lock().unwrap(), ["a", "b"]);
    }
}
