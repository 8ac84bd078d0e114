//! Saving, checking and restoring, tried on a real server.

mod connecting;
mod damage;
mod restoring;
mod saving;
