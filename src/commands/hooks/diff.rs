//! What changes in a file, as people read it: a unified diff of one piece.

/// How many lines that stay are shown around those that change.
const AROUND: usize = 3;

/// Shows the change of a file from `before` to `after`; `None` stands for a file that is not there.
pub(super) fn unified(name: &str, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let (old, new) = (lines(before), lines(after));
    let most = old.len().min(new.len());
    let same_head = (0..most).take_while(|at| old[*at] == new[*at]).count();
    let same_tail = (0..most - same_head).take_while(|at| old[old.len() - 1 - at] == new[new.len() - 1 - at]).count();
    let first = same_head.saturating_sub(AROUND);
    let (old_end, new_end) = (old.len() - same_tail, new.len() - same_tail);
    let after_end = same_tail.min(AROUND);
    let side = |name: &str, is_there: bool| if is_there { name.to_owned() } else { "/dev/null".to_owned() };
    let span = |first: usize, end: usize| match end - first {
        0 => format!("{first},0"),
        1 => format!("{}", first + 1),
        count => format!("{},{count}", first + 1),
    };
    let mut shown = vec![
        format!("--- {}", side(name, before.is_some())),
        format!("+++ {}", side(name, after.is_some())),
        format!("@@ -{} +{} @@", span(first, old_end + after_end), span(first, new_end + after_end)),
    ];
    let mut show = |sign: char, lines: &[&str]| {
        for line in lines {
            let bare = line.strip_suffix('\n');
            shown.push(format!("{sign}{}", bare.unwrap_or(line)));
            if bare.is_none() {
                shown.push("\\ No newline at end of file".to_owned());
            }
        }
    };
    show(' ', &old[first..same_head]);
    show('-', &old[same_head..old_end]);
    show('+', &new[same_head..new_end]);
    show(' ', &old[old_end..old_end + after_end]);
    shown
}

fn lines(text: Option<&str>) -> Vec<&str> {
    text.unwrap_or_default().split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_the_lines_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = "1\n2\n3\n4\n5\nnew\n6\n7\n8\n9\n";
        let expected = ["--- f", "+++ f", "@@ -3,6 +3,7 @@", " 3", " 4", " 5", "+new", " 6", " 7", " 8"];
        assert_eq!(unified("f", Some(before), Some(after)), expected);
        let expected = ["--- f", "+++ f", "@@ -3,7 +3,6 @@", " 3", " 4", " 5", "-new", " 6", " 7", " 8"];
        assert_eq!(unified("f", Some(after), Some(before)), expected);
    }

    #[test]
    fn files_that_come_and_go_and_ends_without_a_line_end_are_shown() {
        assert_eq!(unified("f", None, Some("a\n")), ["--- /dev/null", "+++ f", "@@ -0,0 +1 @@", "+a"]);
        assert_eq!(unified("f", Some("a\nb\n"), None), ["--- f", "+++ /dev/null", "@@ -1,2 +0,0 @@", "-a", "-b"]);
        let no_end = "\\ No newline at end of file";
        let expected = ["--- f", "+++ f", "@@ -1 +1,2 @@", "-a", no_end, "+a", "+b"];
        assert_eq!(unified("f", Some("a"), Some("a\nb\n")), expected);
    }

    #[test]
    fn repeated_lines_are_not_counted_twice() {
        let expected = ["--- f", "+++ f", "@@ -1,2 +1,3 @@", " a", " a", "+a"];
        assert_eq!(unified("f", Some("a\na\n"), Some("a\na\na\n")), expected);
    }
}
