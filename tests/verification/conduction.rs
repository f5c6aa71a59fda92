//! Section 3.1: conduction through slabs, and heat that spreads in three dimensions by the kernel that spreads gases.

use envirosense::numerics::slab::{Layer, Slab};
use envirosense::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use envirosense::numerics::{Real, SimdLevel, Workers};

use crate::table::{Line, accept};

const SOURCE: &str = "Carslaw and Jaeger, closed forms of section 3.1";

fn row(case: &str, expected: f64, measured: f64, error: f64, limit: f64) -> Line {
    Line { module: "thermal", case: format!("3.1-{case}"), expected, measured, error, limit, source: SOURCE, missed: None }
}

fn near(case: &str, expected: f64, measured: f64) -> Line {
    row(case, expected, measured, (measured / expected - 1.0).abs(), 0.01)
}

/// So steep a coefficient holds a surface at a temperature.
const HELD: f64 = 1e9;

/// Temperatures of a slab after a time, from an even start.
fn after(slab: &Slab, from: f64, time_s: f64, dt_s: f64, front: impl Fn(f64) -> f64, back: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut t = vec![from; slab.nodes()];
    for _ in 0..(time_s / dt_s).round() as usize {
        assert!(slab.warm(&mut t, dt_s, &front, &back));
    }
    t
}

/// What a line of cells of equal size shows at a depth, between its middles.
fn at(t: &[f64], cell_m: f64, depth_m: f64) -> f64 {
    let place = depth_m / cell_m - 0.5;
    let low = (place.floor() as usize).min(t.len() - 4);
    let share = place - low as f64;
    t[1 + low] * (1.0 - share) + t[2 + low] * share
}

#[test]
fn slabs_warm_and_cool_as_the_closed_forms_have_it() {
    let unit = |thickness_m: f64, diffusivity: f64| Layer { thickness_m, conductivity_w_m_k: 1.0, capacity_j_m3_k: 1.0 / diffusivity };
    let mut lines = Vec::new();
    let cold = |t: f64| -HELD * t;
    let chilled = |cells: usize, time_s: f64, dt_s: f64| after(&Slab::even(unit(0.02, 1e-6), cells), 1.0, time_s, dt_s, cold, cold);
    for (time_s, depth_m, expected) in
        [(20.0, 0.01, 0.772_312), (60.0, 0.01, 0.289_709), (60.0, 0.005, 0.204_856), (120.0, 0.01, 0.065_919_8)]
    {
        let t = chilled(40, time_s, 0.02);
        lines.push(near(&format!("slab-{time_s}s-{}mm", 1e3 * depth_m), expected, at(&t, 0.02 / 40.0, depth_m)));
    }
    // an odd number of cells has one in the middle; the error in time is far below that in space
    let mode = |m: f64| {
        let k = m * std::f64::consts::PI / 0.02;
        4.0 / (m * std::f64::consts::PI) * (k * 0.01).sin() * (-1e-6 * k * k * 20.0).exp()
    };
    let exact: f64 = (0..50).map(|n| mode(2.0 * f64::from(n) + 1.0)).sum();
    let error = |cells: usize| (chilled(cells, 20.0, 2e-4)[1 + cells / 2] - exact).abs();
    let order = (error(15) / error(45)).ln() / 3f64.ln();
    lines.push(row("slab-order", 2.0, order, if order >= 1.9 { 0.0 } else { f64::INFINITY }, 0.0));

    let deep = |diffusivity: f64, cells: usize, size_m: f64| Slab::even(unit(size_m, diffusivity), cells);
    for (depth_m, time_s, expected) in [(0.01, 600.0, 40.9855), (0.05, 3600.0, 24.2794), (0.02, 3600.0, 44.3330)] {
        let t = after(&deep(5e-7, 400, 0.4), 0.0, time_s, 1.0, |t| HELD * (60.0 - t), |_| 0.0);
        lines.push(near(&format!("step-{}mm-{time_s}s", 1e3 * depth_m), expected, at(&t, 1e-3, depth_m)));
    }
    let wood = Layer { thickness_m: 0.1, conductivity_w_m_k: 0.12, capacity_j_m3_k: 0.12 / 1.2e-7 };
    for (time_s, depth_m, expected) in [(60.0, 0.0, 20.1851), (600.0, 0.0, 63.8308), (600.0, 0.005, 35.9595)] {
        let t = after(&Slab::even(wood, 400), 0.0, time_s, 0.25, |_| 800.0, |_| 0.0);
        let measured = if depth_m > 0.0 { at(&t, 0.1 / 400.0, depth_m) } else { t[0] };
        // the reference's conductivity and diffusivity give 800 W/m² 2 √(αt/π)/k
        lines.push(near(&format!("flux-{}mm-{time_s}s", 1e3 * depth_m), expected, measured));
    }
    for (depth_m, time_s, expected) in [(0.0, 300.0, 0.493_062), (0.0, 1800.0, 0.726_029), (0.01, 1800.0, 0.418_714)] {
        let t = after(&Slab::even(wood, 400), 0.0, time_s, 0.5, |t| 15.0 * (1.0 - t), |_| 0.0);
        let measured = if depth_m > 0.0 { at(&t, 0.1 / 400.0, depth_m) } else { t[0] };
        lines.push(near(&format!("wind-{}mm-{time_s}s", 1e3 * depth_m), expected, measured));
    }

    // an insulated slab keeps its heat
    let slab = Slab::even(wood, 40);
    let mut t: Vec<f64> = (0..slab.nodes()).map(|n| ((n * 7919) % 101) as f64).collect();
    let before = slab.stored_j_m2(&t);
    for _ in 0..2000 {
        assert!(slab.warm(&mut t, 5.0, |_| 0.0, |_| 0.0));
    }
    let drift = (slab.stored_j_m2(&t) / before - 1.0).abs();
    lines.push(row("insulated-energy", 0.0, drift, drift, 1e-12));
    accept(&lines);
}

/// A still box of even diffusivity, periodic along x and y, closed below and above, stepped as gases are.
struct Block<T> {
    shape: [usize; 3],
    cell_m: f64,
    zero: [Vec<T>; 6],
    level: [Vec<f64>; 2],
    cells: Vec<T>,
    workers: Workers,
}

impl<T: Real> Block<T> {
    fn new(shape: [usize; 3], cell_m: f64, diffusivity: f64) -> Self {
        let [nx, ny, nz] = shape;
        let zeros = |n: usize| vec![T::default(); n];
        Self {
            shape,
            cell_m,
            zero: [zeros(nx * ny * nz), zeros(nx * ny * nz), zeros(nx * ny * nz), zeros(ny * nz), zeros(nx * nz), zeros(nx * ny)],
            level: [vec![diffusivity; nz], vec![diffusivity; nz + 1]],
            cells: zeros(nx * ny * nz),
            workers: Workers::new(2, SimdLevel::Auto).unwrap(),
        }
    }

    fn step(&mut self, dt_s: f64) {
        let [a, b, c, d, e, f] = &self.zero;
        let faces = Faces { shape: self.shape, low: [a, b, c], high: [d, e, f] };
        let spread = Spread { x: &self.level[0], y: &self.level[0], z_faces: &self.level[1] };
        Plan::new(faces, [self.cell_m; 3], dt_s, spread, Sides::Periodic, false, Course::Straight).advance(
            &mut self.cells,
            T::default(),
            &self.workers,
        );
    }

    fn index(&self, [i, j, k]: [usize; 3]) -> usize {
        i + self.shape[0] * (j + self.shape[1] * k)
    }
}

fn in_three_dimensions<T: Real>(name: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    // 1000 J at a point in 1.2e6 J/m3/K
    let n = 80;
    let (cell_m, alpha) = (0.02, 1e-4);
    let mut block = Block::<T>::new([n; 3], cell_m, alpha);
    let middle = block.index([n / 2; 3]);
    block.cells[middle] = T::from_f64(1000.0 / 1.2e6 / (cell_m * cell_m * cell_m));
    let mut now_s: f64 = 0.0;
    for (time_s, away, expected) in [(60.0, 0, 0.040_251), (60.0, 5, 0.026_535_1), (300.0, 10, 2.579_63e-3)] {
        while now_s < time_s - 1e-9 {
            block.step(0.4);
            now_s += 0.4;
        }
        let seen = block.cells[middle + away].to_f64();
        lines.push(near(&format!("pulse-{:.1}m-{time_s}s-{name}", away as f64 * cell_m), expected, seen));
    }
    // 5 W at a point, 0.6 W/m/K
    let (cell_m, alpha, capacity) = (0.005, 2.5e-7, 0.6 / 2.5e-7);
    let mut block = Block::<T>::new([n; 3], cell_m, alpha);
    for _ in 0..360 {
        let more = 5.0 * 10.0 / capacity / (cell_m * cell_m * cell_m);
        block.cells[middle] = T::from_f64(block.cells[middle].to_f64() + 0.5 * more);
        block.step(10.0);
        block.cells[middle] = T::from_f64(block.cells[middle].to_f64() + 0.5 * more);
    }
    lines.push(near(&format!("source-0.05m-3600s-{name}"), 3.164_44, block.cells[middle + 10].to_f64()));
    // cos cos cos in an insulated unit cube, mirrored along x and y
    for (time_s, expected) in [(10.0, 0.743_722), (50.0, 0.227_537)] {
        let mut block = Block::<T>::new([40, 40, 20], 0.05, 1e-3);
        let wave = |cell: usize| (std::f64::consts::PI * (cell as f64 + 0.5) * 0.05).cos();
        for k in 0..20 {
            for j in 0..40 {
                for i in 0..40 {
                    let here = block.index([i, j, k]);
                    // values of both signs lie above zero
                    block.cells[here] = T::from_f64(2.0 + wave(i) * wave(j) * wave(k));
                }
            }
        }
        let before: f64 = block.cells.iter().map(|cell| cell.to_f64()).sum();
        for _ in 0..(time_s / 0.05) as usize {
            block.step(0.05);
        }
        let measured = (block.cells[0].to_f64() - 2.0) / wave(0).powi(3);
        lines.push(near(&format!("cube-{time_s}s-{name}"), expected, measured));
        let drift = (block.cells.iter().map(|cell| cell.to_f64()).sum::<f64>() / before - 1.0).abs();
        let limit = if name == "f64" { 1e-12 } else { 1e-6 };
        let missed = (name == "f32" && time_s > 10.0).then_some("1000 steps in single precision lose changes below half of the last digit");
        lines.push(Line { missed, ..row(&format!("cube-energy-{time_s}s-{name}"), 0.0, drift, drift, limit) });
    }
    lines
}

#[test]
fn heat_spreads_in_three_dimensions_as_the_closed_forms_have_it() {
    let mut lines = in_three_dimensions::<f64>("f64");
    lines.extend(in_three_dimensions::<f32>("f32"));
    accept(&lines);
}
