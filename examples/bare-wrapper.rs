//! Only `exec`: runs its arguments, so that the transparency tests have a wrapper.

use safe_test::error::Explain;
use safe_test::exec::{self, ExecError, Inherited, Interrupt, Outcome};
use std::path::Path;
use std::process::ExitCode;

#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "stands in for the edge")]
fn main() -> ExitCode {
    let inherited = Inherited::record();
    let interrupt = Interrupt::listen(&inherited).unwrap();
    let mut words: Vec<_> = std::env::args_os().skip(1).skip_while(|word| word == "--" || word == "-q").collect();
    let name = words.remove(0);
    let folder = Path::new(".");
    let program = match exec::find_program(&name, std::env::var_os("PATH").as_deref(), folder) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(error.exit().code());
        }
    };
    match exec::run(&program, &words, folder, &inherited, interrupt) {
        Ok(Outcome::Exited(status)) => ExitCode::from(status),
        Ok(Outcome::Signaled { signal, .. }) | Err(ExecError::Interrupted { signal }) => exec::die_by(signal),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit().code())
        }
    }
}
