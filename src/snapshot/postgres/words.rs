//! Reads SQL as the tools and the catalogs write it, word by word: statements of a dump, names in quotes or without.

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A key word, a name that needs no quotes, a number.
    Bare(Vec<u8>),
    /// A name in double quotes, without them.
    Quoted(Vec<u8>),
    /// A sign.
    Sign(u8),
    /// A text in single quotes.
    Text,
}

impl Word {
    /// Returns the name that it is.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        match self {
            Word::Bare(name) | Word::Quoted(name) => Some(name),
            Word::Sign(_) | Word::Text => None,
        }
    }

    fn is(&self, key_word: &str) -> bool {
        matches!(self, Word::Bare(word) if word == key_word.as_bytes())
    }
}

/// Cuts a statement into its words; each with where it begins.
pub(crate) fn words(statement: &[u8]) -> Vec<(usize, Word)> {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || *byte >= 0x80;
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&first) = statement.get(at) {
        let rest = &statement[at..];
        let (length, word) = match first {
            b'"' | b'\'' => {
                let (length, text) = quoted(rest);
                (length, Some(if first == b'"' { Word::Quoted(text) } else { Word::Text }))
            }
            byte if bare(&byte) => {
                let length = rest.iter().position(|byte| !bare(byte)).unwrap_or(rest.len());
                (length, Some(Word::Bare(rest[..length].to_vec())))
            }
            byte if byte.is_ascii_whitespace() => (1, None),
            sign => (1, Some(Word::Sign(sign))),
        };
        words.extend(word.map(|word| (at, word)));
        at += length;
    }
    words
}

/// Reads a quotation at the beginning of a text, in whatever quotes: its length, and what it quotes.
pub(crate) fn quoted(text: &[u8]) -> (usize, Vec<u8>) {
    let (quote, mut held, mut at) = (text[0], Vec::new(), 1);
    while let Some(&byte) = text.get(at) {
        if byte == quote {
            if text.get(at + 1) != Some(&quote) {
                return (at + 1, held);
            }
            at += 1;
        }
        held.push(byte);
        at += 1;
    }
    (at, held)
}

/// Reads the name at the beginning of a text: up to the first blank or parenthesis outside double quotes.
pub(crate) fn name(text: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = text.iter().position(|byte| {
        quoted ^= *byte == b'"';
        !quoted && matches!(byte, b' ' | b'\n' | b'(' | b';')
    });
    &text[..end.unwrap_or(text.len())]
}

/// Finds these key words, one after the other; returns the index of the word after them.
pub(crate) fn after(words: &[(usize, Word)], key_words: &[&str]) -> Option<usize> {
    let fits = |from: &[(usize, Word)]| from.iter().zip(key_words).all(|((_, word), key_word)| word.is(key_word));
    words.windows(key_words.len()).position(fits).map(|at| at + key_words.len())
}

/// Returns the name in the last words of a statement, where these key words stand before it.
pub(crate) fn last_name<'a>(words: &'a [(usize, Word)], key_words: &[&str]) -> Option<&'a [u8]> {
    let [before @ .., (_, name), (_, Word::Sign(b';'))] = words else { return None };
    let from = before.len().checked_sub(key_words.len())?;
    after(&before[from..], key_words)?;
    name.name()
}

/// Returns the beginning of a statement: its key words and its object, and nothing of a text in it.
pub(crate) fn head(statement: &[u8]) -> &[u8] {
    const LONGEST: usize = 120;
    let end = statement.iter().position(|byte| matches!(byte, b'\n' | b'(' | b'\'' | b'$' | b';'));
    statement[..end.unwrap_or(statement.len()).min(LONGEST)].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_is_read_in_quotes_and_without() {
        let cases: [(&str, &[&str], Option<&str>); 6] = [
            ("ALTER TABLE public.t OWNER TO ann;\n", &["OWNER", "TO"], Some("ann")),
            ("ALTER TABLE \"a OWNER TO b\" OWNER TO \"O\"\"x y\";\n", &["OWNER", "TO"], Some("O\"x y")),
            ("ALTER TYPE t ADD VALUE 'x OWNER TO b';\n", &["OWNER", "TO"], None),
            ("ALTER TABLE t SET (a=b);\n", &["OWNER", "TO"], None),
            ("REVOKE ALL ON SCHEMA s FROM PUBLIC;\n", &["FROM"], Some("PUBLIC")),
            ("x;", &["OWNER", "TO"], None),
        ];
        for (statement, key_words, expected) in cases {
            let words = words(statement.as_bytes());
            assert_eq!(last_name(&words, key_words), expected.map(str::as_bytes), "{statement}");
        }
        assert_eq!(head(b"ALTER TABLE ONLY public.t\n    ADD CONSTRAINT c"), b"ALTER TABLE ONLY public.t");
        assert_eq!(head(b"COMMENT ON TABLE public.t IS 'secret';\n"), b"COMMENT ON TABLE public.t IS");
    }

    proptest::proptest! {
        #[test]
        fn no_input_makes_it_panic(text in proptest::collection::vec(0u8..128, 0..200)) {
            let words = words(&text);
            let _ = (last_name(&words, &["OWNER", "TO"]), head(&text));
        }
    }
}
