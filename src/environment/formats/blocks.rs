//! Files of nested blocks: HOCON (Ktor, Play, Akka) and HCL (Atlas). `name "label" {` opens a block, `key = value` and
//! `key: value` stand in it.
//!
//! Lenient, as two languages are read at once: includes, heredocs and concatenation stay as written.

use super::{FlatEntry, FormatError, MAX_DEPTH, checked, line_number};

/// The settings of a file of nested blocks, in the order of the text; a label of a block is a key of its own.
///
/// # Errors
///
/// Where the text is too long; nothing has been read then.
pub fn flatten(text: &str) -> Result<Vec<FlatEntry>, FormatError> {
    let mut reader = Reader { open: Vec::new(), entries: Vec::new() };
    for (index, line) in checked(text)?.lines().enumerate() {
        reader.line(line, line_number(index));
    }
    Ok(reader.entries)
}

struct Reader {
    /// The keys that each open block adds.
    open: Vec<Vec<String>>,
    entries: Vec<FlatEntry>,
}

impl Reader {
    fn line(&mut self, line: &str, number: u32) {
        let bytes = line.as_bytes();
        let (mut from, mut at) = (0, 0);
        let mut quoted = false;
        // `${X}` belongs to a value.
        let mut inside_reference = false;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'#' => break,
                b'/' if bytes.get(at + 1) == Some(&b'/') => break,
                b'{' if at > 0 && bytes[at - 1] == b'$' => inside_reference = true,
                b'}' if inside_reference => inside_reference = false,
                b'{' => {
                    self.open_block(&line[from..at]);
                    from = at + 1;
                }
                b'}' => {
                    self.pair(&line[from..at], number);
                    self.open.pop();
                    from = at + 1;
                }
                b',' => {
                    self.pair(&line[from..at], number);
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        self.pair(&line[from..at.min(line.len())], number);
    }

    fn open_block(&mut self, head: &str) {
        let words = head.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '['));
        let keys = words.map(|word| word.trim_matches('"').to_owned()).filter(|word| !word.is_empty());
        // Beyond the depth nothing is told apart any more.
        let keys = if self.open.len() < MAX_DEPTH { keys.take(4).collect() } else { Vec::new() };
        self.open.push(keys);
    }

    fn pair(&mut self, text: &str, line: u32) {
        let Some((key, value)) = text.split_once(['=', ':']) else { return };
        let (key, value) = (key.trim().trim_matches('"'), value.trim());
        if key.is_empty() || key.contains(char::is_whitespace) || value.is_empty() {
            return;
        }
        let whole =
            value.strip_prefix('"').and_then(|inside| inside.strip_suffix('"')).filter(|inside| !inside.contains('"'));
        let path = self.open.iter().flatten().cloned().chain([key.to_owned()]).collect();
        self.entries.push(FlatEntry { path, value: whole.unwrap_or(value).to_owned(), line, document: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_labels_and_pairs_are_read_with_their_lines() {
        let table: &[(&str, &[&str])] = &[
            (
                "ktor { deployment { port = 8080 } }\ndb {\n  url = \"jdbc:x://h/d\" // c\n  url = ${?DB_URL}\n}",
                &["1 ktor.deployment.port=8080", "3 db.url=jdbc:x://h/d", "4 db.url=${?DB_URL}"],
            ),
            (
                "env \"local\" {\n  url = \"postgres://h/d?x=y\" # c\n  dev = getenv(\"X\")\n}\na.b: c",
                &["2 env.local.url=postgres://h/d?x=y", "3 env.local.dev=getenv(\"X\")", "5 a.b=c"],
            ),
            ("}} a = { b: 1, \"c\" : \"d\" }", &["1 a.b=1", "1 a.c=d"]),
        ];
        for (text, expected) in table {
            let entries = flatten(text).unwrap();
            let shown: Vec<_> = entries
                .iter()
                .map(|entry| format!("{} {}={}", entry.line, entry.path.join("."), entry.value))
                .collect();
            assert_eq!(shown, *expected, "{text}");
        }
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["{", "a {\n", "\"", "}", "a=", "${", "é{", ","] {
            let _ = flatten(&piece.repeat(100_000)).unwrap();
        }
    }
}
