//! Programs as they are: none reaches a database that nobody judged, all reach what is cleared.

use super::world::World;

/// How each program connects to `HOST` and `PORT`; it prints `connected`, or fails.
const CLIENTS: [(&str, &str); 5] = [
    ("python3", "python3 -c 'import socket; socket.create_connection((\"HOST\", PORT)); print(\"connected\")'"),
    (
        "asyncio",
        "python3 -c 'import asyncio; asyncio.run(asyncio.wait_for(asyncio.open_connection(\"HOST\", PORT), 60)); print(\"connected\")'",
    ),
    (
        "perl",
        "perl -MIO::Socket::IP -e 'IO::Socket::IP->new(PeerHost => \"HOST\", PeerPort => PORT) or die \"$!\\n\"; print \"connected\\n\"'",
    ),
    ("bash", "bash -c 'exec 3<>/dev/tcp/HOST/PORT && echo connected'"),
    // It connects, and then the listener hangs up on it.
    ("psql", "psql -w -h HOST -p PORT -U app app 2>&1 | grep -q 'closed the connection' && echo connected"),
];

/// The same for programs that only the long form of the tests needs.
const MORE_CLIENTS: [(&str, &str); 4] = [
    (
        "node",
        "node -e 'require(\"net\").connect(PORT, \"HOST\", () => { console.log(\"connected\"); process.exit(0) })'",
    ),
    (
        "fetch",
        "node -e 'fetch(\"http://HOST:PORT/\").catch(error => console.log(String(error.cause.code).replace(\"UND_ERR_SOCKET\", \"connected\")))' | grep connected",
    ),
    ("curl", "curl -s http://HOST:PORT/; test $? = 52 && echo connected"),
    (
        "java",
        "printf 'class P { public static void main(String[] a) throws Exception { new java.net.Socket(\"HOST\", PORT); System.out.println(\"connected\"); } }' >P.java && java P.java",
    ),
];

fn clients() -> impl Iterator<Item = (&'static str, &'static str)> {
    let more = std::env::var_os("SAFE_TEST_LONG").map(|_| MORE_CLIENTS).into_iter().flatten();
    CLIENTS.into_iter().chain(more)
}

fn script(host: &str) -> String {
    let one = |(name, words): (&str, &str)| {
        let words = words.replace("HOST", host).replace("PORT", "5432");
        format!("echo {name}: $({words} 2>/dev/null)\n")
    };
    clients().map(one).collect()
}

#[test]
fn no_program_reaches_a_database_that_nobody_judged() {
    let world = World::new();
    let outcome = world.guarded_unread(&script("10.0.0.1")).expect_code(120);
    let expected: String = clients().map(|(name, _)| format!("{name}:\n")).collect();
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty(), "{:?}", world.reached_outside());
    for program in ["python3", "perl", "bash", "psql"] {
        let line = outcome.stderr.lines().find(|line| line.contains("refused: ") && line.contains(program));
        assert!(line.is_some_and(|line| line.contains("10.0.0.1:5432")), "{program}: {}", outcome.stderr);
    }
}

#[test]
fn every_program_reaches_what_is_cleared() {
    let world = World::new();
    let outcome = world.guarded_unread(&script("127.0.0.1")).expect_code(0);
    let expected: String = clients().map(|(name, _)| format!("{name}: connected\n")).collect();
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
}
