//! What is known of an attempt, and what is still to be found out: the rules ask for nothing that they can do without.

use std::net::SocketAddr;
use std::path::Path;

use crate::guard::listeners::Listening;
use crate::guard::owners::Owner;

/// Where an attempt leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim<'a> {
    /// To an address of this machine at which somebody listens. Where nobody does there is nothing to decide.
    Here { address: SocketAddr, listening: Listening },
    /// To an address in the network of a container bridge on this machine, or to one of its own at which nobody listens and
    /// which is sent on.
    Container { address: SocketAddr },
    /// To another machine.
    Away { address: SocketAddr },
    /// To a Unix socket, its links followed.
    Socket { path: &'a Path },
}

/// What has been found out about an attempt; `None` where nobody has looked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What the socket carries.
    pub(crate) traffic: Option<Traffic>,
    /// Who listens.
    pub(crate) owner: Option<Owner>,
    /// The port inside the container that is published at this one; `Some(None)` where none is, or nobody can tell.
    pub(crate) container_port: Option<Option<u16>>,
    /// Whether the container that was dialled runs a database server that is known, or carries connections elsewhere;
    /// `Some(None)` where nobody can tell.
    pub(crate) container_serves: Option<Option<bool>>,
    /// Whether the server is new.
    pub(crate) newness: Option<Newness>,
    /// Whether the engine of containers that listens has been asked for what it has, and that was
    /// [learnt](crate::guard::containers::Engines::learn).
    pub(crate) containers_are_known: bool,
    /// Whether a git server that everybody knows is there.
    pub(crate) is_git_host: Option<bool>,
    /// Whether names have been looked up for this attempt, and [learnt](crate::guard::rules::Rules::learn).
    pub(crate) names_are_fresh: bool,
    /// Whether the owners of what is cleared have been looked up, and
    /// [learnt](crate::guard::rules::Rules::learn_owner).
    pub(crate) owners_are_known: bool,
}

/// What is to be found out before an attempt can be decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// [`Facts::traffic`]
    Traffic,
    /// [`Facts::owner`]
    Owner,
    /// [`Facts::container_port`]
    ContainerPort,
    /// [`Facts::container_serves`]
    ContainerServes,
    /// [`Facts::newness`]
    Newness,
    /// [`Facts::containers_are_known`]
    Containers,
    /// [`Facts::is_git_host`]
    GitHost,
    /// [`Facts::names_are_fresh`]
    Names,
    /// [`Facts::owners_are_known`]
    ClearedOwners,
}

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// A stream, or what cannot be told from one.
    Stream,
    /// Datagrams, to which an address is given for later: a resolver sorts addresses so, without sending anything.
    DatagramsLater,
    /// A datagram, now.
    Datagram,
}

/// Whether a server was there before the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Newness {
    /// The command has started it, with nothing in it from before.
    New,
    /// It was there before, or what it serves was; or nobody can tell. Why, a phrase.
    Old(String),
}
