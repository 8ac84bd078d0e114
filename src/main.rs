//! The door: hands the arguments over and ends with the status that comes back.

fn main() {}
