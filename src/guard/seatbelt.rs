//! The fence of macOS: `sandbox-exec(1)` keeps a command and all that it starts from databases' ports of other machines.
//!
//! It knows ports, and of hosts only "this one": what the command reaches on this machine is not seen, what is refused is
//! not told (the program gets `EPERM`), and a server elsewhere that may be reached leaves no room for it. It was never run
//! on a Mac: so it is claimed only where a process of ours has just found it to hold.

use std::collections::BTreeSet;

use crate::policy::GuardMode;

/// The port of name servers.
const NAME_SERVERS: u16 = 53;

/// Writes the profile, in the language of Apple's sandbox: of the rules that match, the last one counts.
///
/// Source: `sandbox-exec(1)`, and the profiles in `/System/Library/Sandbox/Profiles`. A host can only be `*` or `localhost`.
pub(crate) fn profile(mode: GuardMode, ports: &BTreeSet<u16>) -> String {
    let mut text = "(version 1)\n(allow default)\n".to_owned();
    match mode {
        GuardMode::Off => return text,
        GuardMode::Databases => {
            text.extend(ports.iter().map(|port| format!("(deny network-outbound (remote ip \"*:{port}\"))\n")));
        }
        GuardMode::Strict => {
            text.push_str("(deny network-outbound (remote ip \"*:*\"))\n");
            text.push_str(&format!("(allow network-outbound (remote ip \"*:{NAME_SERVERS}\"))\n"));
        }
    }
    text.push_str("(allow network-outbound (remote ip \"localhost:*\"))\n");
    text
}

/// What proves a profile: `/bin/bash` of macOS opens connections itself. The address outside belongs to nobody (RFC 5737).
pub(crate) fn attempt(open: u16, denied: u16) -> String {
    format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{open}) 2>/dev/null && echo let through\n\
         (exec 3<>/dev/tcp/192.0.2.1/{denied}) 2>&1"
    )
}

/// Tells whether what [`attempt`] said proves that the fence stands: one was let through, the other not permitted (`EPERM`).
/// An address that was only not reached, or not in time, proves nothing.
pub(crate) fn is_proof(said: &str) -> bool {
    let mut lines = said.lines();
    lines.next() == Some("let through") && lines.any(|line| line.ends_with(": Operation not permitted"))
}

/// Tells why no fence can be put around a run, a phrase: a server elsewhere that it may reach, or variables that the
/// sandbox's own program would lose.
pub(crate) fn obstacle<'n>(hosts_elsewhere: &[String], mut variables: impl Iterator<Item = &'n str>) -> Option<String> {
    if let [host, ..] = hosts_elsewhere {
        return Some(format!("the command may reach {host}, and `sandbox-exec` cannot tell one host from another"));
    }
    // "System Integrity Protection": protected programs are started without them.
    let lost = variables.find(|name| name.starts_with("DYLD_"))?;
    Some(format!("`sandbox-exec` would take {lost} from the command"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_ports_elsewhere_are_denied_and_this_machine_is_not() {
        let ports = BTreeSet::from([3306, 5432]);
        let expected = "(version 1)\n(allow default)\n\
            (deny network-outbound (remote ip \"*:3306\"))\n\
            (deny network-outbound (remote ip \"*:5432\"))\n\
            (allow network-outbound (remote ip \"localhost:*\"))\n";
        assert_eq!(profile(GuardMode::Databases, &ports), expected);
    }

    #[test]
    fn strict_denies_all_that_is_elsewhere_but_name_servers() {
        let expected = "(version 1)\n(allow default)\n\
            (deny network-outbound (remote ip \"*:*\"))\n\
            (allow network-outbound (remote ip \"*:53\"))\n\
            (allow network-outbound (remote ip \"localhost:*\"))\n";
        assert_eq!(profile(GuardMode::Strict, &BTreeSet::from([5432])), expected);
        assert_eq!(profile(GuardMode::Off, &BTreeSet::from([5432])), "(version 1)\n(allow default)\n");
    }

    #[test]
    fn a_proof_is_a_connection_let_through_and_one_not_permitted() {
        let denied = "/bin/bash: connect: Operation not permitted\n/bin/bash: /dev/tcp/192.0.2.1/5432: Operation not permitted\n";
        assert!(is_proof(&format!("let through\n{denied}")));
        for nothing in [
            String::new(),
            denied.to_owned(),
            "let through\n".to_owned(),
            "let through\n/bin/bash: /dev/tcp/192.0.2.1/5432: Network is unreachable\n".to_owned(),
            "let through\n/bin/bash: connect: Connection refused\n".to_owned(),
        ] {
            assert!(!is_proof(&nothing), "{nothing}");
        }
        assert!(
            attempt(1, 5432).contains("/dev/tcp/127.0.0.1/1)") && attempt(1, 5432).contains("/dev/tcp/192.0.2.1/5432)")
        );
    }

    #[test]
    fn without_a_fence_the_proof_fails() {
        // Where nothing is between, an address of this machine at which nobody listens is refused, which is no proof.
        let open = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let script = attempt(open.local_addr().unwrap().port(), 5432).replace("192.0.2.1", "127.0.0.254");
        let told = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8(told.stdout).unwrap();
        assert!(said.starts_with("let through\n") && !is_proof(&said), "{said}");
    }

    #[test]
    fn a_server_elsewhere_or_a_loaders_variable_leaves_no_room_for_a_fence() {
        assert_eq!(obstacle(&[], ["PATH", "HOME"].into_iter()), None);
        assert!(obstacle(&["ci-db.internal".to_owned()], [].into_iter()).unwrap().contains("ci-db.internal"));
        assert!(obstacle(&[], ["DYLD_LIBRARY_PATH"].into_iter()).unwrap().contains("DYLD_LIBRARY_PATH"));
    }
}
