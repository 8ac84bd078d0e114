//! Addresses of this machine at which nobody listens, and which are answered all the same: the kernel sends packets to them on
//! (`iptables(8)`, DNAT), as it does for the ports of containers where no proxy publishes them.
//!
//! Only root may read where to. That they are sent on shows by trying: where nobody listens the kernel refuses at once.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::guard::listeners::Listeners;

/// How long an address may take to answer. A refusal takes microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// What answers at an address at which nobody listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    Nobody,
    /// Somebody whom the kernel sends packets on to.
    Elsewhere,
    /// Somebody who has come to listen since.
    Here,
}

/// Finds out what answers, by a connection that is closed at once.
pub(super) fn answers(address: SocketAddr) -> Answers {
    match TcpStream::connect_timeout(&address, PATIENCE) {
        // Refused, as a rule; whatever else is in the way is in the command's way as well.
        Err(error) if error.kind() != io::ErrorKind::TimedOut => Answers::Nobody,
        // One that does not answer yet may answer later.
        _ => match Listeners::new().and_then(|listeners| listeners.tcp(address)) {
            Ok(None) | Err(_) => Answers::Elsewhere,
            Ok(Some(_)) => Answers::Here,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn whoever_listens_answers_here_and_a_closed_port_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(answers(address), Answers::Here);
        drop(listener);
        assert_eq!(answers(address), Answers::Nobody);
    }
}
