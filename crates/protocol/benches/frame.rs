//! What one group message costs at the edges: parsing the frame, checking the body, encoding.

fn main() {}
