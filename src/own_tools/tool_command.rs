//! A program of ours that works for a while, on this machine or inside a container of it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::own_tools::command;
use crate::own_tools::containers::container::Container;

/// How a program inside finds the file that it is handed.
pub(crate) const HANDED_FILE: &str = "/dev/fd/3";

/// The process of such a program, before it is started. It may hold a password, and so cannot be shown.
pub(crate) struct ToolCommand {
    command: Command,
    inside: Option<Inside>,
}

/// What a program inside a container is given besides its arguments.
struct Inside {
    container: Container,
    variables: Vec<(OsString, OsString)>,
    file: String,
}

impl ToolCommand {
    /// Makes that of a program on this machine, or within a container: with these variables and no others, but inside for
    /// where programs and libraries are.
    pub(crate) fn of(program: &Path, within: Option<&Container>, variables: &[(OsString, OsString)]) -> ToolCommand {
        match within {
            Some(container) => container.command(program, variables),
            None => ToolCommand { command: command(program, variables), inside: None },
        }
    }

    /// Tells whether it runs inside a container.
    pub(crate) fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// Makes that of a program inside: `command` runs it by the engine's program.
    pub(super) fn inside(container: Container, command: Command, variables: &[(OsString, OsString)]) -> ToolCommand {
        let inside = Inside { container, variables: variables.to_vec(), file: String::new() };
        ToolCommand { command, inside: Some(inside) }
    }

    /// Adds an argument.
    pub(crate) fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub(crate) fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        match &mut self.inside {
            Some(inside) => inside.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned())),
            None => {
                self.command.env(name, value);
            }
        }
        self
    }

    /// Hands a program inside a file, which it finds as [`HANDED_FILE`]. A program
    /// on this machine is given the path of one instead.
    pub(crate) fn hand_file(&mut self, text: &str) -> &mut Self {
        if let Some(inside) = &mut self.inside {
            inside.file.push_str(text);
        }
        self
    }

    /// Takes it apart: the process to start, and for a program inside its container and what it is to be given first on its
    /// standard input.
    pub(crate) fn into_parts(self) -> (Command, Option<(Container, Vec<u8>)>) {
        let inside = self.inside.map(|inside| {
            let given = inside.given();
            (inside.container, given)
        });
        (self.command, inside)
    }
}

impl Inside {
    /// Writes what its shell is to carry out, as [`Container::command`] says.
    fn given(&self) -> Vec<u8> {
        let mut script = Vec::new();
        let mut assign = |name: &[u8], value: &[u8]| {
            script.extend_from_slice(name);
            script.extend_from_slice(b"='");
            for byte in value {
                script.extend_from_slice(if *byte == b'\'' { b"'\\''" } else { std::slice::from_ref(byte) });
            }
            script.extend_from_slice(b"'\n");
        };
        for (name, value) in &self.variables {
            assign(&[b"export ", name.as_encoded_bytes()].concat(), value.as_encoded_bytes());
        }
        assign(b"handed", self.file.trim_end_matches('\n').as_bytes());
        let mut given = Vec::new();
        for line in script.split_inclusive(|byte| *byte == b'\n') {
            given.push(b' ');
            given.extend_from_slice(line);
        }
        given.extend_from_slice(b".\n");
        given
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Stdio;

    use super::*;
    use crate::own_tools::containers::container::NUMBER;

    /// Runs a script of a shell inside, given the beginning of what it is to be given, and more; gives its status and output.
    fn run(script: &str, variables: &[(&str, &str)], file: &str, given: impl Fn(Vec<u8>) -> Vec<u8>) -> (i32, String) {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut command = Container::with_programs_of(Path::new("/usr/bin")).command(Path::new("/bin/sh"), &variables);
        command.args(["-c", script]).env("LAST", "it's").hand_file(file);
        let (mut command, inside) = command.into_parts();
        let text = inside.unwrap().1;
        assert!(!format!("{command:?}").contains("it's"), "{command:?}");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&given(text)).unwrap();
        let output = child.wait_with_output().unwrap();
        let number = String::from_utf8(output.stderr).unwrap();
        let is_said = number.strip_prefix(NUMBER).is_some_and(|number| number.trim().parse::<u32>().is_ok());
        assert_eq!(is_said, output.status.success(), "{number}");
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_program_inside_gets_what_it_is_given_and_nothing_of_the_container() {
        let odd = " a'b\"c\\d$e`f\n.\n;#é ";
        let script = "printf '%s|%s|%s|' \"$ONE\" \"$TWO\" \"$LAST\"; cat /dev/fd/3; cat; env | sort | cut -d= -f1 | tr '\\n' ' '";
        let behind = |mut text: Vec<u8>| {
            text.extend_from_slice(b"the rest\n");
            text
        };
        let (status, said) = run(script, &[("TWO", odd)], "[client]\npassword=\"x\\\\y'z\"\n", behind);
        let expected = format!("|{odd}|it's|[client]\npassword=\"x\\\\y'z\"\nthe rest\n");
        assert!(status == 0 && said.starts_with(&expected), "{said}");
        assert!(!said.contains("ONE") && !said.contains("line") && !said.contains("given"), "{said}");
    }

    #[test]
    fn a_program_inside_does_not_begin_with_half_of_what_it_is_to_be_given() {
        for kept in [0, 1, 10, 30] {
            let (status, said) = run("echo ran", &[("TWO", "2")], "[client]\n", |text| text[..kept].to_vec());
            assert_eq!((status, &*said), (1, ""), "{kept}");
        }
    }
}
