//! Finds out which commit is checked out, for the log.
//!
//! Of git's files, which may name any other, a reference is a name below `refs`, and a commit nothing but digits.

use std::path::{Component, Path};

use crate::commands::repository::{Repository, read};

/// Reads the id of the commit that is checked out in the repository around `root`; `None` where that cannot be told.
pub(crate) fn commit_of(root: &Path) -> Option<String> {
    let Repository { folder, common } = Repository::around(root)?;
    let head = read(&folder.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref: ") else { return Some(head).filter(|head| is_id(head)) };
    if !is_reference(reference) {
        return None;
    }
    let loose = read(&folder.join(reference)).or_else(|| read(&common.join(reference)));
    let named = loose.or_else(|| {
        let packed = read(&common.join("packed-refs"))?;
        packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' ').map(str::to_owned))
    });
    named.filter(|named| is_id(named))
}

/// Source: git documentation, "git-check-ref-format"; a name with `..` or a leading slash is none.
fn is_reference(name: &str) -> bool {
    let is_plain = |part| matches!(part, Component::Normal(_));
    name.starts_with("refs/") && Path::new(name).components().all(is_plain)
}

/// Tells whether this is an object's name: SHA-1 or SHA-256 in hexadecimal digits.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn commit(files: &[(&str, &str)]) -> Option<String> {
        let temporary = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = temporary.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = temporary.path().join("project/sub");
        fs::create_dir_all(&root).unwrap();
        commit_of(&root)
    }

    #[test]
    fn the_commit_is_found_where_git_keeps_it() {
        let (head, line) = ("ref: refs/heads/a/b\n", format!("{ID}\n"));
        let packed = format!("# pack-refs\n{} refs/heads/a/bb\n{ID} refs/heads/a/b\n", "f".repeat(40));
        let long = "a".repeat(64);
        for (files, expected) in [
            (&[("project/.git/HEAD", head), ("project/.git/refs/heads/a/b", &line)][..], ID),
            (&[("project/.git/HEAD", head), ("project/.git/packed-refs", &packed)], ID),
            (&[("project/.git/HEAD", &line)], ID),
            (&[("project/.git/HEAD", &long)], &long),
            (
                &[
                    ("project/.git", "gitdir: ../main/worktrees/w\n"),
                    ("main/worktrees/w/HEAD", head),
                    ("main/worktrees/w/commondir", "../..\n"),
                    ("main/refs/heads/a/b", &line),
                ],
                ID,
            ),
        ] {
            assert_eq!(commit(files).as_deref(), Some(expected), "{files:?}");
        }
    }

    #[test]
    fn nothing_but_an_id_is_taken_from_the_files() {
        let short = "0".repeat(39);
        for head in [
            "ref: ../../../../../../../../etc/passwd",
            "ref: /etc/passwd",
            "ref: refs/../../secret",
            "ref: secret",
            "ref: refs/heads/secret",
            "ref: refs/heads/none",
            "ref: ",
            "a line of somebody's",
            &short,
            &format!("{ID}\nmore"),
            &format!("{}g", &ID[1..]),
            "",
        ] {
            let secret = ("project/.git/refs/heads/secret", "hunter2");
            let files =
                [("project/.git/HEAD", head), ("project/secret", "hunter2"), ("project/.git/secret", ID), secret];
            assert_eq!(commit(&files), None, "{head}");
        }
        assert_eq!(commit(&[("project/.git", "gitdir: ../secret"), ("secret/HEAD", "hunter2")]), None);
        assert_eq!(commit(&[("project/.git", "hunter2")]), None);
    }
}
