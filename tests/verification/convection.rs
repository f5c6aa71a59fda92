//! Section 3.2: what the wind carries while it diffuses, by the kernel of transport in both precisions.

use envirosense::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use envirosense::numerics::{Real, SimdLevel, Workers};

use crate::table::{Line, accept};

fn row(case: String, expected: f64, measured: f64, error: f64, limit: f64) -> Line {
    let source = "closed forms of section 3.2; Ogata and Banks, USGS Professional Paper 411-A, 1961";
    Line { module: "thermal", case, expected, measured, error, limit, source, missed: None }
}

/// Air that moves along x at a steady speed, its first and last three cells held at what a closed form has there.
struct Stream<T> {
    cell_m: f64,
    along: Vec<T>,
    still: Vec<T>,
    level: [Vec<f64>; 2],
    cells: Vec<T>,
    workers: Workers,
}

impl<T: Real> Stream<T> {
    fn new(cells: usize, cell_m: f64, speed: f64, diffusivity: f64) -> Self {
        Self {
            cell_m,
            along: vec![T::from_f64(speed); cells],
            still: vec![T::default(); cells],
            level: [vec![diffusivity], vec![0.0; 2]],
            cells: vec![T::default(); cells],
            workers: Workers::new(1, SimdLevel::Auto).unwrap(),
        }
    }

    /// Middle of a cell; the first three lie before 0.
    fn at_m(&self, cell: usize) -> f64 {
        (cell as f64 - 2.5) * self.cell_m
    }

    fn step(&mut self, dt_s: f64, exact: impl Fn(f64) -> f64) {
        let n = self.cells.len();
        for cell in (0..3).chain(n - 3..n) {
            self.cells[cell] = T::from_f64(exact(self.at_m(cell)));
        }
        let faces =
            Faces { shape: [n, 1, 1], low: [&self.along, &self.still, &self.still], high: [&self.along[..1], &self.still, &self.still] };
        let spread = Spread { x: &self.level[0], y: &self.level[0], z_faces: &self.level[1] };
        Plan::new(faces, [self.cell_m; 3], dt_s, spread, Sides::Open, false, Course::Straight).advance(
            &mut self.cells,
            T::default(),
            &self.workers,
        );
    }

    /// Between the middles of cells, by a parabola.
    fn value(&self, at_m: f64) -> f64 {
        let place = at_m / self.cell_m + 2.5;
        let middle = place.round() as usize;
        let [a, b, c] = [middle - 1, middle, middle + 1].map(|cell| self.cells[cell].to_f64());
        let off = place - middle as f64;
        b + off * (0.5 * (c - a) + 0.5 * off * (a - 2.0 * b + c))
    }
}

fn in_a_stream<T: Real>(name: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let steady = |peclet: f64, x: f64| (peclet * x).exp_m1() / peclet.exp_m1();
    for (peclet, points) in [
        (10.0, vec![(0.5, 6.692_85e-3), (0.8, 0.135_296), (0.95, 0.606_513)]),
        (25.0, vec![(0.5, 3.726_64e-6), (0.8, 6.737_95e-3), (0.95, 0.286_505)]),
    ] {
        // diffusion between cells is of second order: its error is a twelfth of the square of the cell Peclet number
        let n = 200;
        let mut stream = Stream::<T>::new(n + 6, 1.0 / f64::from(n as u32), 1.0, 1.0 / peclet);
        let dt_s = 0.09 * peclet / (n * n) as f64;
        for _ in 0..(3.0 / dt_s) as usize {
            stream.step(dt_s, |x| steady(peclet, x));
        }
        for (x, expected) in points {
            // what is smaller than a ten-thousandth is measured against that
            let measured = stream.value(x);
            let error = (measured - expected).abs() / f64::max(expected, 1e-4);
            lines.push(row(format!("3.2-Pe{peclet}-{x}-{name}"), expected, measured, error, 0.01));
        }
    }
    // five times as much comes with the wind as diffuses across a cell
    let mut coarse = Stream::<T>::new(11, 0.2, 1.0, 0.04);
    for _ in 0..2000 {
        coarse.step(0.05, |x| steady(25.0, x));
    }
    let falls = coarse.cells.windows(2).map(|pair| pair[0].to_f64() - pair[1].to_f64()).fold(0.0, f64::max);
    lines.push(row(format!("3.2-cell-peclet-5-falls-{name}"), 0.0, falls, falls, 1e-6));
    let (speed, diffusivity) = (0.5, 0.05);
    let front = |x: f64, t: f64| {
        let root = 2.0 * (diffusivity * t).sqrt();
        0.5 * (libm::erfc((x - speed * t) / root) + (speed * x / diffusivity).exp() * libm::erfc((x + speed * t) / root))
    };
    let mut stream = Stream::<T>::new(206, 0.05, speed, diffusivity);
    let (dt_s, mut now_s) = (0.004, 0.0);
    for (x, time_s, expected) in [(2.0, 4.0, 0.561_607), (2.5, 4.0, 0.254_853), (4.0, 10.0, 0.867_910), (5.0, 10.0, 0.539_507)] {
        while now_s < time_s - 1e-9 {
            stream.step(dt_s, |x| front(x, (now_s + 0.5 * dt_s).max(1e-6)));
            now_s += dt_s;
        }
        let measured = stream.value(x);
        lines.push(row(format!("3.2-ogata-banks-{x}m-{time_s}s-{name}"), expected, measured, (measured / expected - 1.0).abs(), 0.01));
    }
    lines
}

#[test]
fn what_the_wind_carries_and_diffusion_spreads_is_where_the_closed_forms_have_it() {
    let mut lines = in_a_stream::<f64>("f64");
    lines.extend(in_a_stream::<f32>("f32"));
    accept(&lines);
}
