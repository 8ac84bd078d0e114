//! The "tests" of `fixtures/demo`: they empty a table, as test suites do.

use rusqlite::Connection;

fn main() -> rusqlite::Result<()> {
    let database = Connection::open("shop_test.db")?;
    let deleted = database.execute("DELETE FROM orders", ())?;
    println!("demo tests: deleted {deleted} orders, 1 test passed");
    Ok(())
}
