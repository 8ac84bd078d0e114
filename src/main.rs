//! The door: hands the arguments over and ends as the command ended.

use std::process::ExitCode;

use safe_test::commands::{self, Ending};
use safe_test::exec::{self, Inherited};

fn main() -> ExitCode {
    let inherited = Inherited::record();
    let arguments: Vec<_> = std::env::args_os().collect();
    match commands::main(&arguments, &inherited) {
        Ending::Own(exit) => ExitCode::from(exit.code()),
        Ending::Command(status) => ExitCode::from(status),
        Ending::Signal(signal) => exec::die_by(signal),
    }
}
