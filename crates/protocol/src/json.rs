//! Two questions about JSON text that need no parser: how deep it is, and whether there is white
//! space to remove.

use std::borrow::Cow;

/// Whether arrays and objects are nested at most `max` deep. Only means something for valid JSON.
///
/// Counting all opening brackets is enough for nearly every body and needs no look at strings.
pub(crate) fn depth_within(text: &[u8], max: usize) -> bool {
    let opening = text.iter().filter(|&&byte| byte == b'{' || byte == b'[').count();
    opening <= max || measure_depth(text) <= max
}

fn measure_depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(text, at),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// The place of the quote that ends the string which begins at `start`, or the end of the text.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The same JSON text without white space outside of strings; borrowed when there was none.
pub(crate) fn compact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at) + 1,
            b' ' | b'\t' | b'\n' | b'\r' => {
                if out.is_empty() {
                    out.reserve(text.len());
                }
                out.push_str(&text[kept..at]);
                at += 1;
                kept = at;
            }
            _ => at += 1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
