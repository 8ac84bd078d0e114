//! A program of ours that works for a while, on this machine or inside a container of it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::own_tools::containers::container::Container;
use crate::own_tools::containers::process::Process;
use crate::own_tools::containers::shell::{assigned, given, quoted};
use crate::own_tools::{ToolEnvironment, command};

/// How a program inside finds the file that it is handed.
pub(crate) const HANDED_FILE: &str = "/dev/fd/3";

/// The process of such a program, before it is started. It may hold a password, and so cannot be shown.
pub(crate) enum ToolCommand {
    Here(Command),
    Inside(Inside),
}

/// A program inside a container, and what it is given.
pub(crate) struct Inside {
    container: Container,
    /// It and its arguments.
    words: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    file: String,
}

impl ToolCommand {
    /// Makes that of a program on this machine, or within a container: with these variables and no others, but inside for
    /// where programs and libraries are.
    pub(crate) fn of(program: &Path, within: Option<&Container>, variables: &[(OsString, OsString)]) -> ToolCommand {
        match within {
            Some(container) => ToolCommand::Inside(Inside {
                container: container.clone(),
                words: vec![program.into()],
                variables: variables.to_vec(),
                file: String::new(),
            }),
            None => ToolCommand::Here(command(program, variables)),
        }
    }

    /// Tells whether it runs inside a container.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self, ToolCommand::Inside(_))
    }

    /// Gives the program.
    pub(crate) fn program(&self) -> PathBuf {
        match self {
            ToolCommand::Here(command) => command.get_program().into(),
            ToolCommand::Inside(inside) => inside.words.first().map(PathBuf::from).unwrap_or_default(),
        }
    }

    /// Makes that of a program on this machine that a person chose to run in a folder, with the whole environment.
    pub(crate) fn chosen(program: &Path, folder: &Path, environment: &ToolEnvironment) -> ToolCommand {
        let mut command = command(program, environment.all());
        command.current_dir(folder);
        ToolCommand::Here(command)
    }

    /// Adds an argument.
    pub(crate) fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        match self {
            ToolCommand::Here(command) => {
                command.arg(argument);
            }
            ToolCommand::Inside(inside) => inside.words.push(argument.as_ref().to_owned()),
        }
        self
    }

    /// Adds arguments.
    pub(crate) fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        for argument in arguments {
            self.arg(argument);
        }
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        match self {
            ToolCommand::Here(command) => {
                command.env(name, value);
            }
            ToolCommand::Inside(inside) => {
                inside.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
            }
        }
        self
    }

    /// Hands a program inside a file, which it finds as [`HANDED_FILE`]. A program
    /// on this machine is given the path of one instead.
    pub(crate) fn hand_file(&mut self, text: &str) -> &mut Self {
        if let ToolCommand::Inside(inside) = self {
            inside.file.push_str(text);
        }
        self
    }

    /// Starts it, with its stdin, stdout and stderr as pipes; gives for a program inside also what it is
    /// given.
    ///
    /// # Errors
    ///
    /// It, or the engine's program, cannot be started.
    pub(crate) fn spawn(self) -> io::Result<(Process, Option<Given>)> {
        match self {
            ToolCommand::Here(mut command) => {
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                Ok((command.spawn()?.into(), None))
            }
            ToolCommand::Inside(inside) => {
                let given = inside.given();
                if given.len() > MOST_GIVEN {
                    return Err(io::ErrorKind::ArgumentListTooLong.into());
                }
                Ok((inside.container.shell()?, Some(Given { container: inside.container, first: given })))
            }
        }
    }
}

/// What a program inside is given.
pub(crate) struct Given {
    pub(crate) container: Container,
    /// What is to be written to its stdin before anything else.
    pub(crate) first: Vec<u8>,
}

/// The most bytes that a program inside is given: fewer than a pipe holds.
const MOST_GIVEN: usize = 60 * 1024;

impl Inside {
    /// Writes what its shell is to carry out.
    fn given(&self) -> Vec<u8> {
        let exported = |(name, value): &(OsString, OsString)| {
            assigned(&[b"export ", name.as_encoded_bytes()].concat(), value.as_encoded_bytes())
        };
        let mut lines: Vec<Vec<u8>> = self.variables.iter().map(exported).collect();
        lines.push(assigned(b"handed", self.file.trim_end_matches('\n').as_bytes()));
        let words = self.words.iter().map(|word| [b" ", quoted(word.as_encoded_bytes()).as_slice()].concat());
        lines.push([b"set --".to_vec(), words.collect::<Vec<_>>().concat(), b"\n".to_vec()].concat());
        given(&lines)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::own_tools::containers::shell::NUMBER;

    /// Runs a script of a shell inside, given the beginning of what it is to be given, and more; gives its status and output.
    fn run(script: &str, variables: &[(&str, &str)], file: &str, given: impl Fn(Vec<u8>) -> Vec<u8>) -> (i32, String) {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let container = Container::with_programs_of(Path::new("/usr/bin"));
        let mut command = ToolCommand::of(Path::new("/bin/sh"), Some(&container), &variables);
        command.args(["-c", script]).env("LAST", "it's").hand_file(file);
        let (mut process, inside) = command.spawn().unwrap();
        let text = inside.unwrap().first;
        process.stdin.take().unwrap().write_all(&given(text)).unwrap();
        let (mut number, mut said) = (String::new(), String::new());
        process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        process.stderr.take().unwrap().read_to_string(&mut number).unwrap();
        let status = process.wait().unwrap();
        let is_said = number.strip_prefix(NUMBER).is_some_and(|number| number.trim().parse::<u32>().is_ok());
        assert_eq!(is_said, status.success(), "{number}");
        (status.code().unwrap(), said)
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
