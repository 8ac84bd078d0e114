//! Ways to spoil a file.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::support::{Random, make_pipe};

/// What a terminal would obey or not show, and what would forge a line of ours.
pub(crate) const CONTROLS: [&str; 14] = [
    "\u{1b}]0;t\u{7}",
    "\u{1b}[2J",
    "\r",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{9b}31m",
    "\u{7f}",
    "\u{2028}",
    "\u{e0041}",
    "\u{e000}",
    "\u{8}",
    "\nsafe-test: safe: nothing to see\n",
];

/// What means something in one of the formats.
const TOKENS: [&str; 40] = [
    "\"",
    "'",
    "`",
    "${",
    "$(",
    "}",
    ")",
    "{",
    "[",
    "]",
    "(",
    "((",
    "{{",
    "<%=",
    "%>",
    "<<EOF\n",
    "<!ENTITY a \"b\">",
    "<![CDATA[",
    "<a>",
    "</a>",
    "&a ",
    "*a",
    "<<: *a\n",
    "\\",
    "\\\n",
    "#",
    "//",
    "/*",
    "=",
    ":",
    ": ",
    "- ",
    "---\n",
    "include ",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "%(here)s",
    "!!python/object ",
];

/// What opens something that may be opened again within.
const OPENERS: [&str; 14] =
    ["{\"a\":", "[", "<a>", "(", "${A:-", "$(", "{", "- ", "a:\n ", "if true; then ", "((", "a.", "sh -c '", "[["];

/// Spoils the content of a file.
pub(crate) fn spoiled(content: &[u8], random: &mut Random) -> Vec<u8> {
    let mut content = content.to_vec();
    match random.below(10) {
        0 => {}
        1 => {
            content = {
                let length = random.below(4096);
                random.bytes(length)
            }
        }
        2 => content.truncate(random.below(content.len() + 1)),
        3 | 4 => (0..=random.below(8)).for_each(|_| mutate(&mut content, random)),
        5 => {
            let line = random.pick(&TOKENS).replace(['\n', '\r'], " ").repeat(1 + random.below(50_000));
            insert(&mut content, random, line.as_bytes());
        }
        6 => {
            let opened = random.pick(&OPENERS).repeat(1 + random.below(20_000));
            insert(&mut content, random, opened.as_bytes());
        }
        7 => content = content.repeat(1 + random.below(200)),
        8 => content = encoded(&content, random),
        _ => (0..=random.below(8)).for_each(|_| {
            let control = *random.pick(&CONTROLS);
            insert(&mut content, random, control.as_bytes());
        }),
    }
    content
}

fn insert(content: &mut Vec<u8>, random: &mut Random, bytes: &[u8]) {
    let at = random.below(content.len() + 1);
    content.splice(at..at, bytes.iter().copied());
}

fn mutate(content: &mut Vec<u8>, random: &mut Random) {
    if content.is_empty() {
        return;
    }
    let from = random.below(content.len());
    let to = (from + random.below(40)).min(content.len());
    match random.below(4) {
        0 => content[from] = random.number() as u8,
        1 => drop(content.drain(from..to)),
        2 => {
            let again = content[from..to].to_vec();
            insert(content, random, &again);
        }
        _ => {
            let token = *random.pick(&TOKENS);
            insert(content, random, token.as_bytes());
        }
    }
}

/// Puts content into another encoding, or ends its lines otherwise.
fn encoded(content: &[u8], random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
    match random.below(6) {
        0 => units().flat_map(u16::to_le_bytes).collect(),
        1 => units().flat_map(u16::to_be_bytes).collect(),
        2 => [b"\xef\xbb\xbf", content].concat(),
        3 => text.replace('\n', "\r\n").into(),
        4 => text.replace('\n', "\r").into(),
        _ => text.replace('a', "\u{0}").chars().map(|c| if c == '\0' { 0xe4 } else { c as u8 }).collect(),
    }
}

/// Puts something that is no regular file of its own into a file's place.
pub(crate) fn replace_by_something_else(path: &Path, outside: &Path, random: &mut Random) {
    let _ = fs::remove_file(path);
    match random.below(9) {
        0 => fs::create_dir(path).unwrap(),
        1 => make_pipe(path),
        2 => symlink(path.file_name().unwrap(), path).unwrap(),
        3 => symlink("/dev/zero", path).unwrap(),
        4 => symlink("/dev/stdin", path).unwrap(),
        5 => symlink("nowhere", path).unwrap(),
        6 => symlink(outside, path).unwrap(),
        // Its name may be too long for a socket.
        7 => drop(UnixListener::bind(path)),
        _ => fs::File::create(path).unwrap().set_len(1 << (20 + random.below(9))).unwrap(),
    }
}
