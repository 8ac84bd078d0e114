//! The hosts that a project's own remotes are fetched from by ssh: git reaches them whatever is run.
//!
//! Only what stands in the repository's own configuration counts, which no clone brings along.

use std::path::Path;

use crate::commands::repository::{Repository, read};

/// Lists the hosts, in lower case, each once. `root` is the project's.
pub(crate) fn ssh_hosts(root: &Path) -> Vec<String> {
    let config = Repository::around(root).and_then(|repository| read(&repository.common.join("config")));
    let mut hosts: Vec<String> = urls(&config.unwrap_or_default()).iter().filter_map(|url| ssh_host(url)).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Reads the addresses of remotes, and those that stand for others (`url.<base>.insteadOf`).
///
/// Source: git documentation, "git-config", "Configuration File".
fn urls(config: &str) -> Vec<String> {
    let (mut found, mut is_remote) = (Vec::new(), false);
    for line in config.lines().map(str::trim) {
        let mut setting = line;
        if let Some((header, rest)) = line.strip_prefix('[').and_then(|header| header.rsplit_once(']')) {
            let (section, name) = header.split_once([' ', '\t']).unwrap_or((header, ""));
            is_remote = section.eq_ignore_ascii_case("remote");
            if section.eq_ignore_ascii_case("url") {
                found.push(unquoted(name));
            }
            setting = rest;
        }
        if let Some((key, value)) = setting.split_once('=').filter(|_| is_remote)
            && ["url", "pushurl"].iter().any(|known| key.trim().eq_ignore_ascii_case(known))
        {
            found.push(unquoted(value));
        }
    }
    found
}

fn unquoted(value: &str) -> String {
    value.trim().trim_matches('"').to_owned()
}

/// Reads the host of an address that git dials by ssh: `ssh://git@host:22/path`, or `git@host:path`.
///
/// Source: git documentation, "git-fetch", "Git URLs".
fn ssh_host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let is_ssh = |scheme: &str| ["ssh", "git+ssh", "ssh+git"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if scheme.is_some_and(|scheme| !is_ssh(scheme)) {
        return None;
    }
    // Behind the first slash is a path, of this machine where nothing stands before it.
    let authority = rest.split('/').next().unwrap_or_default();
    let dialled = authority.rsplit_once('@').map_or(authority, |(_, dialled)| dialled);
    let host = match dialled.strip_prefix('[').and_then(|bracketed| bracketed.split_once(']')) {
        // Of IPv6, or with a port of its own.
        Some((inside, _)) if inside.matches(':').count() > 1 => inside,
        Some((inside, _)) => inside.split(':').next().unwrap_or_default(),
        None => match dialled.split_once(':') {
            // Another program's: `ext::…`.
            Some((_, path)) if scheme.is_none() && path.starts_with(':') => return None,
            Some((host, _)) => host,
            None if scheme.is_none() => return None,
            None => dialled,
        },
    };
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | '_' | ':');
    let is_host = !host.is_empty() && !host.starts_with('-') && host.chars().all(is_plain);
    is_host.then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn hosts_are_read_from_the_repository_s_own_configuration() {
        let temporary = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = temporary.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "main/.git/config",
            "[core]\n\turl = git@no.northwind-shop.net:x\n[remote \"origin\"]\n\turl = git@Git.northwind-shop.net:shop/app.git\n\
             \tpushurl = \"ssh://git@push.northwind-shop.net:2222/shop\" ; for writers\n[Remote \"b]\"] url=work:app\n\
             [remote \"web\"]\n\turl = https://web.northwind-shop.net/app\n[url \"git@[2001:db8::7]:\"]\n\tinsteadOf = https://other.test/\n\
             [branch \"main\"]\n\tremote = origin\n\turl = git@branch.northwind-shop.net:x\n",
        );
        let expected = ["2001:db8::7", "git.northwind-shop.net", "push.northwind-shop.net", "work"];
        // What a clone brings along names no host.
        write("main/.gitmodules", "[submodule \"x\"]\n\turl = git@sub.northwind-shop.net:x\n");
        write("main/sub/file", "");
        assert_eq!(ssh_hosts(&temporary.path().join("main/sub")), expected);
        write("main/.git/worktrees/w/commondir", "../..\n");
        write("w/.git", &format!("gitdir: {}\n", temporary.path().join("main/.git/worktrees/w").display()));
        assert_eq!(ssh_hosts(&temporary.path().join("w")), expected);
        assert_eq!(ssh_hosts(&temporary.path().join("elsewhere")), [""; 0]);
    }

    #[test]
    fn only_what_git_dials_by_ssh_has_a_host() {
        for (url, expected) in [
            ("git@host:path", Some("host")),
            ("host:path/to/x.git", Some("host")),
            ("SSH://user:secret@host:22/~/x", Some("host")),
            ("git+ssh://host/x", Some("host")),
            ("[::1]:x", Some("::1")),
            ("git@[host:22]:x", Some("host")),
            ("https://host/x", None),
            ("git://host/x", None),
            ("/srv/git:x", None),
            ("../a:b", None),
            ("ext::ssh -o x %S", None),
            ("app.git", None),
            ("ssh://-oProxyCommand=x/y", None),
            ("ssh:///x", None),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(ssh_host(url).as_deref(), expected, "{url}");
        }
    }
}
