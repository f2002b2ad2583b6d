//! Lines over time as SVG, drawn here: a report must open without a network.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 24.0;

/// A line of a chart: its name, its colour's class, its points.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart of some lines over seconds; nothing if no line has two points.
pub(super) fn chart(title: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    if lines.iter().all(|line| line.points.len() < 2) {
        return String::new();
    }
    let first = points().map(|(x, _)| x).fold(f64::INFINITY, f64::min);
    let last = points().map(|(x, _)| x).fold(f64::NEG_INFINITY, f64::max);
    let top = round_up(points().map(|(_, y)| y).fold(0.0, f64::max));
    let x = |second: f64| LEFT + (second - first) / (last - first).max(1.0) * (WIDTH - LEFT - 8.0);
    let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!("<figure><figcaption>{title}");
    for (number, line) in lines.iter().enumerate() {
        let _ = write!(svg, " <span class=\"l{number}\">● {}</span>", line.name);
    }
    let _ = write!(svg, "</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for part in [0.0, 0.5, 1.0] {
        let (height, value) = (y(top * part), number(top * part));
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {height:.1}H{}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            WIDTH - 8.0,
            LEFT - 6.0,
            height + 4.0
        );
    }
    let middle = f64::midpoint(first, last).round();
    for (second, anchor) in [(first, "start"), (middle, "middle"), (last, "end")] {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{second} s</text>",
            x(second),
            HEIGHT - 6.0
        );
    }
    for (number, line) in lines.iter().enumerate() {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(second, value)| format!("{:.1},{:.1}", x(*second), y(*value)))
            .collect();
        let _ = write!(svg, "<polyline class=\"l{number}\" points=\"{}\"/>", points.join(" "));
    }
    svg.push_str("</svg></figure>\n");
    svg
}

/// The next of 1, 2, 5, 10, 20, … that is not below.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}

fn number(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{:.1}M", value / 1e6),
        _ if value >= 1e4 => format!("{:.0}k", value / 1e3),
        _ if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [(0.0, 1.0), (0.3, 0.5), (7.0, 10.0), (101.0, 200.0)] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
        assert!((round_up(10.0) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn too_little_is_no_chart() {
        assert!(chart("t", &[Line { name: "a", points: vec![(0.0, 1.0)] }]).is_empty());
        let svg = chart("t", &[Line { name: "a", points: vec![(0.0, 1.0), (1.0, 0.0)] }]);
        assert!(svg.contains("<polyline"), "{svg}");
    }
}
