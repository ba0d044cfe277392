//! Every case as a test.
fn main() {}
