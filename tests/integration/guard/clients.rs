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

/// The same for programs that only the long form of the tests needs; `FILES` is where `tests/clients` puts what they are.
const MORE_CLIENTS: [(&str, &str); 18] = [
    (
        "node",
        "node -e 'require(\"net\").connect(PORT, \"HOST\", () => { console.log(\"connected\"); process.exit(0) })'",
    ),
    // Where the listener hangs up on it at once, it ends without a word.
    (
        "fetch",
        "node -e 'let failed = false; fetch(\"http://HOST:PORT/\").catch(error => failed = error.cause.syscall === \"connect\"); process.on(\"exit\", () => failed || console.log(\"connected\"))'",
    ),
    ("curl", "curl -s http://HOST:PORT/; status=$?; test $status = 52 -o $status = 56 && echo connected"),
    ("pg", "node FILES/connect.js pg HOST PORT"),
    ("mysql2", "node FILES/connect.js mysql2 HOST PORT"),
    ("prisma", "node FILES/connect.js prisma HOST PORT"),
    ("elasticsearch-js", "node FILES/connect.js elasticsearch HOST PORT"),
    ("psycopg", "PYTHONPATH=FILES/python python3 FILES/connect.py psycopg HOST PORT"),
    ("psycopg-async", "PYTHONPATH=FILES/python python3 FILES/connect.py async HOST PORT"),
    ("pymysql", "PYTHONPATH=FILES/python python3 FILES/connect.py pymysql HOST PORT"),
    ("redis", "PYTHONPATH=FILES/python python3 FILES/connect.py redis HOST PORT"),
    ("elasticsearch", "PYTHONPATH=FILES/python python3 FILES/connect.py elasticsearch HOST PORT"),
    ("mariadb", "mariadb -h HOST -P PORT -u app 2>&1 | grep -q 'Lost connection' && echo connected"),
    ("go", "FILES/connect dial HOST PORT"),
    ("go-sql", "FILES/connect sql HOST PORT"),
    ("java", "java -cp FILES Connect socket HOST PORT"),
    ("java-nio", "java -cp FILES Connect nio HOST PORT"),
    ("docker", "docker -H tcp://HOST:PORT version 2>&1 | grep -Eq 'EOF|reset by peer' && echo connected"),
];

/// How the line of a refusal calls those programs.
const REFUSED: [&str; 4] = ["python3", "perl", "bash", "psql"];
const MORE_REFUSED: [&str; 6] = ["node", "curl", "mariadb", "connect", "java", "docker"];

fn in_long_form<T: Copy>(short: &[T], more: &[T]) -> Vec<T> {
    let more = std::env::var_os("SAFE_TEST_LONG").map_or(&[][..], |_| more);
    [short, more].concat()
}

fn clients() -> Vec<(&'static str, &'static str)> {
    in_long_form(&CLIENTS, &MORE_CLIENTS)
}

fn script(host: &str) -> String {
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/target/clients");
    let one = |(name, words): (&str, &str)| {
        let words = words.replace("HOST", host).replace("PORT", "5432").replace("FILES", files);
        format!("echo {name}: $({words} 2>/dev/null)\n")
    };
    clients().into_iter().map(one).collect()
}

#[test]
fn no_program_reaches_a_database_that_nobody_judged() {
    let world = World::new();
    let outcome = world.guarded_unread(&script("10.0.0.1")).expect_code(120);
    let expected: String = clients().iter().map(|(name, _)| format!("{name}:\n")).collect();
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    assert!(world.reached_outside().is_empty(), "{:?}", world.reached_outside());
    for program in in_long_form(&REFUSED, &MORE_REFUSED) {
        let line = outcome.stderr.lines().find(|line| line.contains(&format!("refused: {program}")));
        assert!(line.is_some_and(|line| line.contains("10.0.0.1:5432")), "{program}: {}", outcome.stderr);
    }
}

#[test]
fn every_program_reaches_what_is_cleared() {
    let world = World::new();
    let outcome = world.guarded_unread(&script("127.0.0.1")).expect_code(0);
    let expected: String = clients().iter().map(|(name, _)| format!("{name}: connected\n")).collect();
    assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
}
