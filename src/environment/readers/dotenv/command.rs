//! Finds command substitutions, so that they can be left alone.

/// Says whether Ruby's dotenv and Symfony would execute a part of `text`: an unescaped `$(…)` with balanced, nowhere empty
/// parentheses. Both use the same pattern.
pub(crate) fn has_balanced_command(text: &str) -> bool {
    balanced_commands(text).iter().any(|command| !command.escaped)
}

/// Takes the backslash from each escaped command.
pub(crate) fn unescape_commands(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for command in balanced_commands(text) {
        if command.escaped {
            result.push_str(&text[from..command.dollar - 1]);
            from = command.dollar;
        }
    }
    result.push_str(&text[from..]);
    result
}

struct Command {
    dollar: usize,
    escaped: bool,
}

/// Finds the outermost matches from left to right.
fn balanced_commands(text: &str) -> Vec<Command> {
    struct Open {
        at: usize,
        filled: bool,
        sound: bool,
    }
    let bytes = text.as_bytes();
    if !text.contains("$(") {
        return Vec::new();
    }
    // One pass with a stack, since trying each `$(` on its own would take the square of the length.
    let mut ends = vec![0_usize; bytes.len()];
    let mut open: Vec<Open> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => open.push(Open { at, filled: false, sound: true }),
            b')' => {
                if let Some(closed) = open.pop() {
                    let sound = closed.filled && closed.sound;
                    if sound {
                        ends[closed.at] = at + 1;
                    }
                    if let Some(outer) = open.last_mut() {
                        outer.filled = true;
                        outer.sound &= sound;
                    }
                }
            }
            _ => {
                if let Some(inner) = open.last_mut() {
                    inner.filled = true;
                }
            }
        }
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'$' && bytes[at + 1] == b'(' && ends[at + 1] > 0 {
            found.push(Command { dollar: at, escaped: at > 0 && bytes[at - 1] == b'\\' });
            at = ends[at + 1];
        } else {
            at += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_commands_are_found_and_escaped_ones_are_not_executed() {
        for (text, expected) in [
            ("$(a)", true),
            ("x$(a (b) c)y", true),
            ("$()", false),
            ("$(a ())", false),
            ("$(a", false),
            ("$($(a)", true),
            (r"\$(a)", false),
            (r"\$(a)$(b)", true),
            ("$a", false),
        ] {
            assert_eq!(has_balanced_command(text), expected, "{text}");
        }
        assert_eq!(unescape_commands(r"a\$(b)c\$("), r"a$(b)c\$(");
    }
}
