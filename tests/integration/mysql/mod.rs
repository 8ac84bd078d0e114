//! MySQL and MariaDB from the outside: the built program against a real server.

mod at_once;
mod ended;
mod own_server;
mod random;
mod undoing;
