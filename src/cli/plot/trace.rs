//! Channels over time, as SVG.

use std::fmt::Write as _;
use std::path::Path;

/// Size of the picture, and what its axes keep free: left, right, top, bottom.
const SIZE: (f64, f64) = (900.0, 360.0);
const FREE: (f64, f64, f64, f64) = (70.0, 20.0, 24.0, 44.0);
/// One for each channel; the ideal value has the same, dashed.
const COLOURS: [&str; 6] = ["#1f5fa8", "#c8501e", "#2e8540", "#7b3fa0", "#8a6d00", "#444444"];
/// About so many numbers along an axis.
const TICKS: f64 = 6.0;

/// One channel.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) name: String,
    pub(super) unit: String,
    reported: Vec<(f64, Option<f64>)>,
    ideal: Vec<(f64, Option<f64>)>,
}

impl Trace {
    pub(super) fn new(name: String) -> Self {
        Self { name, unit: String::new(), reported: Vec::new(), ideal: Vec::new() }
    }

    pub(super) fn add(&mut self, time_s: f64, value: Option<f64>, ideal: Option<f64>) {
        self.reported.push((time_s, value));
        if ideal.is_some() {
            self.ideal.push((time_s, ideal));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.reported.iter().any(|(_, value)| value.is_some())
    }
}

/// Lowest and highest of some numbers.
fn span(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = numbers.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if high > low { (low, high) } else { (low - 0.5, high + 0.5) }
}

/// Round numbers within a span.
fn ticks((low, high): (f64, f64)) -> (Vec<f64>, usize) {
    let rough = (high - low) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough).unwrap_or(rough);
    let first = (low / step).ceil();
    let list = (0..20).map(|n| (first + f64::from(n)) * step).filter(|value| *value <= high + 1e-9 * step).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "digits after the point")]
    let digits = (-step.log10().floor()).max(0.0) as usize;
    (list, digits)
}

/// Writes the picture.
pub(super) fn write(path: &Path, traces: &[Trace]) -> Result<(), String> {
    let all = || traces.iter().flat_map(|trace| trace.reported.iter().chain(&trace.ideal));
    let times = span(all().map(|(time, _)| *time));
    let (low, high) = span(all().filter_map(|(_, value)| *value));
    let values = (low - 0.04 * (high - low), high + 0.04 * (high - low));
    let (left, right, top, bottom) = (FREE.0, SIZE.0 - FREE.1, FREE.2, SIZE.1 - FREE.3);
    let x = |time: f64| left + (right - left) * (time - times.0) / (times.1 - times.0);
    let y = |value: f64| bottom - (bottom - top) * (value - values.0) / (values.1 - values.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        SIZE.0, SIZE.1
    );
    let mut put = |line: String| {
        let _ = writeln!(svg, "{line}");
    };
    let (list, digits) = ticks(times);
    for time in list {
        put(format!("<line x1=\"{0:.1}\" y1=\"{top}\" x2=\"{0:.1}\" y2=\"{bottom}\" stroke=\"#e4e4e4\"/>", x(time)));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{time:.digits$}</text>", x(time), bottom + 16.0));
    }
    let (list, digits) = ticks(values);
    for value in list {
        put(format!("<line x1=\"{left}\" y1=\"{0:.1}\" x2=\"{right}\" y2=\"{0:.1}\" stroke=\"#e4e4e4\"/>", y(value)));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.digits$}</text>", left - 6.0, y(value) + 4.0));
    }
    put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">time / s</text>", 0.5 * (left + right), SIZE.1 - 8.0));
    put(format!(
        "<text x=\"14\" y=\"{0:.1}\" transform=\"rotate(-90 14 {0:.1})\" text-anchor=\"middle\">{1}</text>",
        0.5 * (top + bottom),
        traces[0].unit
    ));
    for (n, trace) in traces.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        for (series, dashes) in [(&trace.reported, ""), (&trace.ideal, " stroke-dasharray=\"5 3\" opacity=\"0.7\"")] {
            // a missing value breaks the line
            for piece in series.split(|(_, value)| value.is_none()).filter(|piece| !piece.is_empty()) {
                let points: String =
                    piece.iter().map(|(time, value)| format!("{:.1},{:.1} ", x(*time), y(value.unwrap_or_default()))).collect();
                put(format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\"{dashes}/>", points.trim_end()));
            }
        }
        let note = if trace.ideal.is_empty() { "" } else { " (dashed: ideal)" };
        put(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}{note}</text>",
            left + 8.0,
            top + 14.0 + 15.0 * n as f64,
            trace.name
        ));
    }
    svg.push_str("</svg>\n");
    super::whole(path, svg.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_numbers_within_its_span() {
        assert_eq!(ticks((0.0, 900.0)), (vec![0.0, 200.0, 400.0, 600.0, 800.0], 0));
        let (list, digits) = ticks((20.03, 20.31));
        assert!(digits == 2 && (list[0] - 20.05).abs() < 1e-9 && list.len() == 6, "{list:?}");
    }
}
