//! Time series as a picture, one panel above the other.

use std::path::Path;

/// One line of a panel.
pub(crate) struct Curve {
    pub(crate) label: &'static str,
    pub(crate) colour: &'static str,
    /// Marks each point.
    pub(crate) dots: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

/// One pair of axes.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) curves: Vec<Curve>,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 24.0;

/// Writes the panels to a file in the repository.
pub(crate) fn write_svg(path: &str, x_label: &str, panels: &[Panel]) {
    let total = HEIGHT * panels.len() as f64 + 40.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {total}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (n, panel) in panels.iter().enumerate() {
        svg.push_str(&format!("<g transform=\"translate(0 {})\">\n{}</g>\n", HEIGHT * n as f64, axes(panel, n == 0)));
    }
    svg.push_str(&format!("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x_label}</text>\n</svg>\n", WIDTH / 2.0, total - 8.0));
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), svg).unwrap();
}

fn axes(panel: &Panel, legend: bool) -> String {
    let all = || panel.curves.iter().flat_map(|curve| &curve.points);
    let x_max = all().map(|p| p.0).fold(1.0, f64::max).ceil();
    let y_max = all().map(|p| p.1).fold(0.0, f64::max) * 1.05;
    let y_min = all().map(|p| p.1).fold(0.0, f64::min);
    let place =
        |(x, y): (f64, f64)| (LEFT + x / x_max * (WIDTH - LEFT - 10.0), TOP + (y_max - y) / (y_max - y_min) * (HEIGHT - TOP - 26.0));
    let mut svg = format!("<text x=\"{LEFT}\" y=\"16\">{}</text>\n", panel.title);
    for n in 0..=4 {
        let value = y_min + (y_max - y_min) * f64::from(n) / 4.0;
        let (x, y) = place((0.0, value));
        svg.push_str(&format!("<path d=\"M{x:.1} {y:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - 10.0));
        svg.push_str(&format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>\n", x - 4.0, y + 4.0));
    }
    for hour in 0..=x_max as u32 {
        let (x, y) = place((f64::from(hour), y_min));
        svg.push_str(&format!("<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{hour}</text>\n", y + 16.0));
    }
    for (n, curve) in panel.curves.iter().enumerate() {
        let at: Vec<(f64, f64)> = curve.points.iter().map(|p| place(*p)).collect();
        let line: Vec<String> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let colour = curve.colour;
        svg.push_str(&format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\"/>\n", line.join(" ")));
        if curve.dots {
            svg.extend(at.iter().map(|(x, y)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"{colour}\"/>\n")));
        }
        if legend {
            let x = WIDTH - 480.0 + 150.0 * n as f64;
            svg.push_str(&format!(
                "<path d=\"M{x} 12h20\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"16\">{}</text>\n",
                x + 26.0,
                curve.label
            ));
        }
    }
    svg
}
