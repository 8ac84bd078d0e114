//! Where no filter shows us a command's connections: nothing is watched, and nothing here can be made.

use std::io;
use std::sync::mpsc::Sender;

use crate::guard::account::{Account, Hold};
use crate::guard::grounds::Grounds;
use crate::guard::messages::{Message, Tell};
use crate::reach::Target;

/// The proof that a filter stands.
#[derive(Debug)]
pub(crate) enum Line {}

/// A filter that is being put in place.
#[derive(Debug)]
pub(crate) enum Installing {}

/// A watch that looks around before it watches.
#[derive(Debug)]
pub(crate) enum Beginning {}

/// A watch over a command.
#[derive(Debug)]
pub(crate) enum Watch {}

/// A safe-test around us.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outer {}

/// How far a safe-test within has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Saving,
    Saved,
}

/// Why there is no filter here.
#[derive(Debug, thiserror::Error)]
#[error("this system has no such filter")]
pub(crate) struct Unavailable;

impl From<Unavailable> for Hold {
    fn from(why: Unavailable) -> Hold {
        Hold::Unavailable(why.to_string())
    }
}

impl Unavailable {
    pub(crate) fn outer(&self) -> Option<Outer> {
        Outer::find()
    }

    pub(crate) fn explained(&self) -> Option<&'static str> {
        Some("only Linux has it")
    }
}

impl Outer {
    pub(crate) fn find() -> Option<Outer> {
        None
    }

    pub(crate) fn process(self) -> i32 {
        match self {}
    }

    pub(crate) fn tell(self, _: Stage, _: &[&Target]) -> io::Result<()> {
        match self {}
    }
}

impl Installing {
    pub(crate) fn begin() -> Result<Installing, Unavailable> {
        Err(Unavailable)
    }

    pub(crate) fn finish(self) -> Result<Line, Unavailable> {
        match self {}
    }
}

impl Line {
    pub(crate) fn keeps_privileges(&self) -> bool {
        match *self {}
    }
}

impl Beginning {
    pub(crate) fn ready(self) -> io::Result<Watch> {
        match self {}
    }
}

impl Watch {
    pub(crate) fn begin(line: &Line, _: &Grounds<'_>, _: Sender<Message>, _: Tell) -> io::Result<Beginning> {
        match *line {}
    }

    pub(crate) fn end(self) -> Account {
        match self {}
    }
}

/// Proves what can be done here: nothing.
pub(crate) fn prove() -> Result<Line, Unavailable> {
    Err(Unavailable)
}
