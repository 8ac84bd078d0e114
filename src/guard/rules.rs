//! What a command may reach. Values in, decisions out.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::guard::owners::Owner;
use crate::guard::ports;
use crate::reach::{Place, Target};
use crate::snapshot::{Care, Receipt};

/// What a run's receipts, its policy and its judgement permit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// What is cleared, with the index of the target.
    cleared: Vec<(Cleared, usize)>,
    /// Ports that a judged target names.
    ports: BTreeSet<u16>,
}

/// An address that a receipt names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cleared {
    Address(SocketAddr),
    Socket(std::path::PathBuf),
}

/// What becomes of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is nobody's business.
    Pass,
    /// It is a database that is taken care of: the target with this index.
    Cleared(usize),
    /// It passes, and that is told: a cache that is not saved.
    PassNoted(String),
    /// It fails.
    Refuse(Refusal),
    /// It waits until the target with this index has been saved.
    SaveFirst(usize),
}

/// Why an attempt fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What is there, and why that is not permitted: a phrase.
    pub(crate) why: String,
    /// What a person can do, a phrase.
    pub(crate) remedy: String,
}

impl Rules {
    /// Makes the rules of a run from its targets and their receipts.
    pub(crate) fn new<'t>(targets: impl Iterator<Item = &'t Target>, receipts: &[Receipt]) -> Rules {
        let mut rules = Rules::default();
        for (at, target) in targets.enumerate() {
            let is_cleared = receipts.iter().any(|receipt| receipt.target() == at && is_cleared(receipt.care()));
            for place in &target.places {
                match place {
                    Place::Host { name, port } => {
                        let port = port.or(target.engine.default_port());
                        rules.ports.extend(port);
                        let addresses = port.into_iter().flat_map(|port| {
                            std::net::ToSocketAddrs::to_socket_addrs(&(name.as_str(), port)).into_iter().flatten()
                        });
                        rules
                            .cleared
                            .extend(addresses.filter(|_| is_cleared).map(|address| (Cleared::Address(address), at)));
                    }
                    Place::Socket { path, .. } if is_cleared => {
                        rules.cleared.push((Cleared::Socket(path.clone()), at));
                    }
                    _ => {}
                }
            }
        }
        rules
    }

    /// Decides about an address that is not this machine's.
    pub(crate) fn elsewhere(&self, address: SocketAddr) -> Decision {
        if let Some(target) = self.cleared(address) {
            return Decision::Cleared(target);
        }
        match ports::engine(address.port()) {
            Some(engine) => Decision::Refuse(Refusal {
                why: format!("{engine} answers at this port, and this server was neither judged nor saved"),
                remedy: "name it in the project's configuration, so that it is judged".to_owned(),
            }),
            None if self.ports.contains(&address.port()) => Decision::Refuse(Refusal {
                why: "a database's port, and this server was neither judged nor saved".to_owned(),
                remedy: "name it in the project's configuration, so that it is judged".to_owned(),
            }),
            None => Decision::Pass,
        }
    }

    /// Decides about an address of this machine at which somebody listens.
    pub(crate) fn here(&self, address: SocketAddr, owner: &Owner) -> Decision {
        let _ = owner;
        self.elsewhere(address)
    }

    /// Decides about an address of this machine as another network namespace has it: nothing that a receipt names is
    /// there.
    pub(crate) fn in_another_network(&self, address: SocketAddr) -> Decision {
        match self.elsewhere(address) {
            Decision::Cleared(_) | Decision::SaveFirst(_) => Decision::Refuse(Refusal {
                why: "in the network of its own in which this program runs, another server has that address".to_owned(),
                remedy: "run it in the network that safe-test runs in".to_owned(),
            }),
            decision => decision,
        }
    }

    /// Tells whether sockets of UDP may be connected to whatever address: no database of ours speaks it.
    #[expect(clippy::unused_self, reason = "a stricter mode will not")]
    pub(crate) fn ignores_datagrams(&self) -> bool {
        true
    }

    /// Decides about a Unix socket, by its path without links; `owner` is whose it is, once that was looked up.
    pub(crate) fn socket(&self, path: &Path, owner: Option<&Owner>) -> Decision {
        let _ = owner;
        let cleared = self.cleared.iter().find(|(cleared, _)| match cleared {
            Cleared::Socket(socket) => path == socket || path.parent() == Some(socket),
            Cleared::Address(_) => false,
        });
        match cleared {
            Some((_, target)) => Decision::Cleared(*target),
            None => Decision::Pass,
        }
    }

    fn cleared(&self, address: SocketAddr) -> Option<usize> {
        self.cleared.iter().find(|(cleared, _)| *cleared == Cleared::Address(address)).map(|(_, target)| *target)
    }
}

fn is_cleared(care: &Care) -> bool {
    match care {
        Care::Saved { .. } | Care::Unchanged { .. } | Care::NothingToLose { .. } | Care::LeftToPolicy { .. } => true,
    }
}
