//! The "tests" of `fixtures/demo`: they empty a table, as test suites do.
#![expect(clippy::print_stdout, reason = "it is a command, and says what it did")]
#![expect(clippy::disallowed_methods, reason = "it opens its database as any program would")]

use rusqlite::Connection;

fn main() -> rusqlite::Result<()> {
    let database = Connection::open("shop_test.db")?;
    let deleted = database.execute("DELETE FROM orders", ())?;
    println!("demo tests: deleted {deleted} orders, 1 test passed");
    Ok(())
}
