//! Times as logs write them: RFC 3339, or numbers since 1970.

/// Microseconds since 1970 of an RFC 3339 time. A space may stand for the `T`; without an offset it is UTC.
pub(super) fn rfc3339(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Option<i64> {
        let digits = bytes.get(from..from + len)?;
        let good = digits.iter().all(u8::is_ascii_digit);
        good.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &bytes[19..];
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            return None;
        }
        for place in 0..6 {
            micros = micros * 10 + i64::from(fraction[..len].get(place).map_or(0, |it| it - b'0'));
        }
        rest = &fraction[len..];
    }
    let offset = match rest {
        b"" | b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = bytes.len() - 5;
            let (hours, minutes) = (number(at, 2)?, number(at + 3, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    u64::try_from(seconds * 1_000_000 + micros).ok()
}

/// Microseconds of a number of units since 1970, which may have a fraction.
pub(super) fn number(text: &str, micros_of_unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (mut micros, mut unit) =
        (whole.parse::<u64>().ok()?.checked_mul(micros_of_unit)?, micros_of_unit);
    for digit in fraction.bytes() {
        unit /= 10;
        micros = micros.checked_add(u64::from(digit - b'0') * unit)?;
    }
    Some(micros)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400;
    let to_year = before * 365 + leaps;
    let to_month: i64 = (1..month).map(|month| days_of(year, month)).sum();
    // 719,162 is the same of 1970-01-01.
    to_year + to_month + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339() {
        let good = [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T19:25:53Z", 1_795_289_153_000_000),
            ("2026-11-21 19:25:53", 1_795_289_153_000_000),
            ("2026-11-21T20:25:53.25+01:00", 1_795_289_153_250_000),
            ("2026-11-21T13:55:53.1234567-05:30", 1_795_289_153_123_456),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ];
        for (text, micros) in good {
            assert_eq!(rfc3339(text), Some(micros), "{text}");
        }
        let bad = "2026-13-01T00:00:00Z 2026-02-29T00:00:00Z 2026-01-01T24:00:00Z 2026-01-01T00:00:00. \
            2026-01-01 2026-01-01T00:00:00+1:00 2026-01-01T00:00:00x 1969-12-31T23:59:59Z 2026\u{e9}-01";
        for text in bad.split(' ') {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(number("1700000000.5", 1_000_000), Some(1_700_000_000_500_000));
        assert_eq!(number("1700000000123", 1_000), Some(1_700_000_000_123_000));
        for bad in ["", "-1", "1e9", ".5", "x", "99999999999999999999", "18446744073709551615"] {
            assert_eq!(number(bad, 1_000_000), None, "{bad}");
        }
    }
}
