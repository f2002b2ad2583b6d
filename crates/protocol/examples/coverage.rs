//! Prints a page of the documentation that is made from this crate's data.
//!
//! `cargo run -p throng-protocol --example coverage > docs/coverage.md`
//! `cargo run -p throng-protocol --example coverage -- error-codes > docs/error-codes.md`

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("error-codes") => print!("{}", throng_protocol::error::error_codes_markdown()),
        _ => print!("{}", throng_protocol::catalogue::coverage_markdown()),
    }
}
