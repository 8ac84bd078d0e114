//! Which ports are databases'.

use crate::reach::Engine;

/// Finds the engine whose server usually has this port.
pub(crate) fn engine(port: u16) -> Option<Engine> {
    Engine::of_port(port)
}
