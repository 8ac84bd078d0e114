//! Writers that take none of SQLite's locks: what is saved is a state that they committed, or nothing is.

use std::time::Duration;

use proptest::test_runner::Config;

use super::*;

/// Writes one generation after the other, each into every page of the table, in one of many ways; rests where told to.
const WRITES_GENERATIONS: &str = r"
import mmap, os, random, shutil, sqlite3, sys, time
path, way, rest = sys.argv[1], sys.argv[2], float(sys.argv[3])

def generation(path, g):
    connection = sqlite3.connect(path)
    connection.execute('UPDATE t SET g = ?', (g,))
    connection.commit()
    connection.close()
    return open(path, 'rb').read()

def truncate_and_write(content):
    with open(path, 'wb') as file:
        file.write(content)

def truncate_and_write_in_parts(content):
    with open(path, 'wb', buffering=0) as file:
        for at in range(0, len(content), 65536):
            file.write(content[at:at + 65536])

def write_over(content):
    with open(path, 'r+b', buffering=0) as file:
        for at in range(0, len(content), 16384):
            file.write(content[at:at + 16384])

def remove_and_write(content):
    os.remove(path)
    truncate_and_write(content)

def rename_over(content):
    with open(path + '.new', 'wb') as file:
        file.write(content)
    os.replace(path + '.new', path)

def through_map(content):
    for at in range(0, min(len(content), len(mapped)), 4096):
        mapped[at:at + 4096] = content[at:at + 4096]

ways = dict(truncate=truncate_and_write, parts=truncate_and_write_in_parts, over=write_over, remove=remove_and_write,
            rename=rename_over, map=through_map)
if way in ways:
    shutil.copy(path, path + '.other')
    states = [generation(path + '.other', g) for g in (2, 3, 4)]
    length = min(map(len, states))
    states = [state[:length] for state in states]
    file = open(path, 'r+b')
    mapped = mmap.mmap(file.fileno(), 0)
    step = lambda g: ways[way](states[g % 3])
else:
    uri, journal = way.split(' ')
    connection = sqlite3.connect('file:' + path + '?' + uri, uri=True, isolation_level=None, timeout=10)
    connection.execute('PRAGMA journal_mode=' + journal)
    connection.execute('PRAGMA synchronous=OFF')
    connection.execute('PRAGMA cache_size=20')
    step = lambda g: connection.execute('UPDATE t SET g = ?', (2 + g % 100,))
print('ready', flush=True)
g = 0
while True:
    g += 1
    step(g)
    if rest:
        time.sleep(random.random() * rest)
";

const WAYS: [&str; 12] = [
    "vfs=unix-none DELETE",
    "vfs=unix-none PERSIST",
    "vfs=unix-none MEMORY",
    "vfs=unix-none OFF",
    "nolock=1 DELETE",
    "vfs=unix-dotfile DELETE",
    "truncate",
    "parts",
    "over",
    "remove",
    "rename",
    "map",
];

/// Ends the process when dropped, also by a failed test.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Saves again and again while somebody writes; gives how often that worked.
fn save_while_written(way: &str, rest: f64, trials: u32) -> usize {
    let place = Scratch::with(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, g, padding);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<150)
         INSERT INTO t SELECT i, 100, zeroblob(6000) FROM n;",
    );
    let mut writer = Writer(
        Command::new("python3")
            .args(["-c", WRITES_GENERATIONS])
            .arg(&place.database)
            .args([way, &rest.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut ready = String::new();
    BufReader::new(writer.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let mut saved = 0;
    for trial in 0..trials {
        let partial = place.partial(&trial.to_string());
        let patience = Duration::from_millis(if rest > 0.0 { 20_000 } else { 100 });
        match take::take_within(patience, &place.database, &partial, &Ear::default()) {
            Ok(taken) => {
                assert_eq!(taken.tables, [rows("t", 150)], "{way}");
                assert_eq!(ask(&partial, "SELECT count(DISTINCT g) FROM t"), "Integer(1)", "{way}, {rest}: torn");
                saved += 1;
            }
            Err(SqliteError::KeepsChanging { .. } | SqliteError::Locked { .. }) => {}
            // Times do not tell what is written into a map, nor whether more comes to a new file whose writer a busy disk
            // keeps: half of it can only be told for damage.
            Err(SqliteError::Damaged { .. }) if ["map", "remove"].contains(&way) => {}
            // A disk that is very busy may keep the writer for seconds from filling what it has emptied.
            Err(SqliteError::NothingThere { .. }) if ["truncate", "parts", "remove"].contains(&way) => {}
            Err(SqliteError::Unreadable { .. }) if way == "remove" => {}
            Err(error) => panic!("{way}: {error:?}"),
        }
    }
    saved
}

#[test]
fn a_database_that_is_written_all_the_time_without_locks_is_never_saved_torn() {
    let trials = Config::default().cases.div_ceil(50);
    for ways in WAYS.chunks(2) {
        std::thread::scope(|scope| {
            ways.iter().for_each(|way| drop(scope.spawn(|| save_while_written(way, 0.0, trials))));
        });
    }
}

#[test]
fn a_database_that_is_written_now_and_then_without_locks_is_saved_between() {
    let trials = Config::default().cases.div_ceil(128);
    std::thread::scope(|scope| {
        for way in WAYS {
            // A busy machine may keep a save from ending between two writes many times.
            scope.spawn(move || assert!((0..5).any(|_| save_while_written(way, 3.0, trials) > 0), "{way}"));
        }
    });
}
