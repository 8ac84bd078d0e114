//! The seccomp filter: which system calls are shown to us before they happen.
//!
//! Shown are those that can begin a conversation: `connect`; `sendto` with an address; `sendmsg` and `sendmmsg` that
//! open a connection on the way (`MSG_FASTOPEN`). `io_uring` is said not to exist, since it connects without a system
//! call that a filter could see (`io_uring(7)`; seccomp sees only `io_uring_enter`), and so is every foreign
//! architecture but the 32-bit one of x86, which is filtered as well. All else goes on untouched: a filter costs it
//! about a tenth of a microsecond.
//!
//! Numbers: the kernel's `syscall_64.tbl`, `syscall_32.tbl` and `asm-generic/unistd.h`; `AUDIT_ARCH_*`: `linux/audit.h`.

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
    SECCOMP_RET_USER_NOTIF, sock_filter,
};
use serde::{Deserialize, Serialize};

/// What opens a TCP connection while it sends (`linux/socket.h`).
const MSG_FASTOPEN: u32 = 0x2000_0000;

/// The system calls of one architecture, by number.
struct Calls {
    /// As the kernel names the architecture (`linux/audit.h`).
    architecture: u32,
    connect: u32,
    sendto: u32,
    sendmsg: u32,
    sendmmsg: u32,
    /// The one call that is all of these on 32-bit x86, by its first argument (`net.h`: `SYS_CONNECT` and so on).
    socketcall: Option<u32>,
    /// From this number on other calling conventions begin: x32.
    foreign_from: Option<u32>,
}

const IO_URING: std::ops::RangeInclusive<u32> = 425..=427;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURES: &[Calls] = &[
    Calls {
        architecture: 0xc000_003e,
        connect: 42,
        sendto: 44,
        sendmsg: 46,
        sendmmsg: 307,
        socketcall: None,
        foreign_from: Some(0x4000_0000),
    },
    Calls {
        architecture: 0x4000_0003,
        connect: 362,
        sendto: 369,
        sendmsg: 370,
        sendmmsg: 345,
        socketcall: Some(102),
        foreign_from: None,
    },
];

#[cfg(target_arch = "aarch64")]
const ARCHITECTURES: &[Calls] = &[
    Calls {
        architecture: 0xc000_00b7,
        connect: 203,
        sendto: 206,
        sendmsg: 211,
        sendmmsg: 269,
        socketcall: None,
        foreign_from: None,
    },
    Calls {
        architecture: 0x4000_0028,
        connect: 283,
        sendto: 290,
        sendmsg: 296,
        sendmmsg: 374,
        socketcall: None,
        foreign_from: None,
    },
];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURES: &[Calls] = &[];

/// `socketcall`'s sub-calls that are `connect`, `sendto`, `sendmsg`, `sendmmsg` (`linux/net.h`). What their arguments
/// are stands in memory, which a filter cannot see: all are shown.
pub(crate) const SOCKETCALL_CONNECT: u32 = 3;
pub(crate) const SOCKETCALL_SENDTO: u32 = 11;
pub(crate) const SOCKETCALL_SENDMSG: u32 = 16;
pub(crate) const SOCKETCALL_SENDMMSG: u32 = 20;

/// Which of the calls a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    Connect,
    SendTo,
    SendMessage,
    SendMessages,
    /// Its arguments stand in memory at the second one.
    Socketcall,
}

/// Tells which call this is; `None` for one that the filter does not show.
pub(crate) fn call(architecture: u32, number: u32) -> Option<Call> {
    let calls = ARCHITECTURES.iter().find(|calls| calls.architecture == architecture)?;
    [
        (Some(calls.connect), Call::Connect),
        (Some(calls.sendto), Call::SendTo),
        (Some(calls.sendmsg), Call::SendMessage),
        (Some(calls.sendmmsg), Call::SendMessages),
        (calls.socketcall, Call::Socketcall),
    ]
    .into_iter()
    .find_map(|(of, call)| (of == Some(number)).then_some(call))
}

/// Tells whether pointers of this architecture have four bytes.
pub(crate) fn is_narrow(architecture: u32) -> bool {
    // `__AUDIT_ARCH_64BIT` (`linux/audit.h`).
    architecture & 0x8000_0000 == 0
}

/// Tells whether there is a filter for this machine's architecture.
pub(crate) fn is_known_here() -> bool {
    !ARCHITECTURES.is_empty()
}

/// Where the parts of `struct seccomp_data` begin (`linux/seccomp.h`).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const fn argument_low(at: u32) -> u32 {
    16 + 8 * at
}
const fn argument_high(at: u32) -> u32 {
    argument_low(at) + 4
}

const ALLOW: u32 = SECCOMP_RET_ALLOW;
const SHOW: u32 = SECCOMP_RET_USER_NOTIF;
const NO_SUCH_CALL: u32 = SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Writes the filter's program.
pub(crate) fn program() -> Vec<sock_filter> {
    let mut text = vec![load(ARCHITECTURE)];
    for calls in ARCHITECTURES {
        let part = part(calls);
        // Over this architecture's part, to the next; jumps are counted in one byte, which `part` stays within.
        text.push(jump(BPF_JEQ, calls.architecture, 0, u8::try_from(part.len()).unwrap_or(u8::MAX)));
        text.extend(part);
    }
    text.push(answer(NO_SUCH_CALL));
    text
}

/// The part of the program for one architecture; it ends in an answer whatever comes.
fn part(calls: &Calls) -> Vec<sock_filter> {
    let mut text = vec![load(NUMBER)];
    if let Some(from) = calls.foreign_from {
        text.extend([jump(BPF_JGE, from, 0, 1), answer(NO_SUCH_CALL)]);
    }
    text.extend([
        jump(BPF_JGE, *IO_URING.start(), 0, 2),
        jump(BPF_JGE, *IO_URING.end() + 1, 1, 0),
        answer(NO_SUCH_CALL),
        jump(BPF_JEQ, calls.connect, 0, 1),
        answer(SHOW),
    ]);
    // With an address only: both halves of the pointer are looked at.
    text.extend([
        jump(BPF_JEQ, calls.sendto, 0, 6),
        load(argument_low(4)),
        jump(BPF_JEQ, 0, 0, 2),
        load(argument_high(4)),
        jump(BPF_JEQ, 0, 1, 0),
        answer(SHOW),
        answer(ALLOW),
    ]);
    for (number, flags) in [(calls.sendmsg, 2), (calls.sendmmsg, 3)] {
        text.extend([
            jump(BPF_JEQ, number, 0, 4),
            load(argument_low(flags)),
            jump(BPF_JSET, MSG_FASTOPEN, 0, 1),
            answer(SHOW),
            answer(ALLOW),
        ]);
    }
    if let Some(number) = calls.socketcall {
        text.extend([jump(BPF_JEQ, number, 0, 6), load(argument_low(0))]);
        text.extend([
            jump(BPF_JEQ, SOCKETCALL_CONNECT, 3, 0),
            jump(BPF_JEQ, SOCKETCALL_SENDTO, 2, 0),
            jump(BPF_JEQ, SOCKETCALL_SENDMSG, 1, 0),
            jump(BPF_JEQ, SOCKETCALL_SENDMMSG, 0, 1),
            answer(SHOW),
        ]);
    }
    text.push(answer(ALLOW));
    text
}

fn load(at: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, at)
}

fn answer(with: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, with)
}

fn jump(on: u32, value: u32, where_true: u8, where_false: u8) -> sock_filter {
    sock_filter { jt: where_true, jf: where_false, ..statement(BPF_JMP | on | BPF_K, value) }
}

fn statement(code: u32, value: u32) -> sock_filter {
    // The codes are all below 256 (`linux/bpf_common.h`).
    sock_filter { code: u16::try_from(code).unwrap_or_default(), jt: 0, jf: 0, k: value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_processors_calls_have_the_numbers_of_its_headers() {
        let native = ARCHITECTURES.iter().find(|calls| !is_narrow(calls.architecture)).unwrap();
        let numbers = [native.connect, native.sendto, native.sendmsg, native.sendmmsg];
        let expected = [libc::SYS_connect, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg];
        assert_eq!(numbers, expected.map(|number| u32::try_from(number).unwrap()));
        let io_uring = [libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];
        assert!(IO_URING.eq(io_uring.map(|number| u32::try_from(number).unwrap())));
    }
}
