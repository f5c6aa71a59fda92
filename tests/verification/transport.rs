//! Section 1.5: advection alone, in double precision, in flows that come back to where they began.

use std::f64::consts::{PI, TAU};

use bevy_app::App;
use bevy_ecs::prelude::*;
use envirosense::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use envirosense::numerics::{SimdLevel, Workers};
use envirosense::prelude::Tick;

use crate::table::{Line, accept};

/// A box of unit length, `n` cells along each axis that has more than one.
#[derive(Clone, Copy)]
struct Case {
    shape: [usize; 3],
    steps: usize,
    time: f64,
    /// Integral of the velocity over a face, from its two or four corners: divergence-free by construction.
    flow: Flow,
}

#[derive(Clone, Copy)]
enum Flow {
    /// Once round the middle.
    Rotation,
    /// `LeVeque`'s swirl that turns back at half time.
    Swirl,
    /// The same in three dimensions.
    Deformation,
}

impl Flow {
    /// Stream function of the flows in a plane at time share `g`.
    fn psi(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Rotation => PI * ((x - 0.5).powi(2) + (y - 0.5).powi(2)),
            Self::Swirl | Self::Deformation => ((PI * x).sin() * (PI * y).sin()).powi(2) / PI,
        }
    }

    fn strength(self, time: f64, whole: f64) -> f64 {
        match self {
            Self::Rotation => 1.0,
            Self::Swirl | Self::Deformation => (PI * time / whole).cos(),
        }
    }
}

#[derive(Resource)]
struct Air {
    cells: Vec<f64>,
    step: usize,
}

impl Case {
    fn plane(flow: Flow, n: usize, steps: usize, time: f64) -> Self {
        Self { shape: [n, n, 1], steps, time, flow }
    }

    /// Velocities at time `t`, times the box length over a cell: Courant numbers a unit of time.
    fn faces(&self, t: f64) -> [Vec<f64>; 3] {
        let [nx, ny, nz] = self.shape;
        let g = self.flow.strength(t, self.time);
        let h = 1.0 / nx as f64;
        let mut low = [vec![0.0; nx * ny * nz], vec![0.0; nx * ny * nz], vec![0.0; nx * ny * nz]];
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let cell = i + nx * (j + ny * k);
                    let (x, y, z) = (i as f64 * h, j as f64 * h, k as f64 * h);
                    if let Flow::Deformation = self.flow {
                        let c = |v: f64| v + 0.5 * h;
                        let s = |v: f64| (PI * v).sin().powi(2);
                        let d = |v: f64| (TAU * v).sin();
                        // means over a face of sin(2πy) are exact up to one common factor along each axis
                        low[0][cell] = g * 2.0 * s(x) * d(c(y)) * d(c(z));
                        low[1][cell] = -g * d(c(x)) * s(y) * d(c(z));
                        low[2][cell] = -g * d(c(x)) * d(c(y)) * s(z);
                    } else {
                        low[0][cell] = g * (self.flow.psi(x, y + h) - self.flow.psi(x, y)) / h;
                        low[1][cell] = -g * (self.flow.psi(x + h, y) - self.flow.psi(x, y)) / h;
                    }
                }
            }
        }
        low
    }

    /// Carries cells through the whole time in an app of its own.
    fn run(&self, cells: Vec<f64>) -> Air {
        let mut app = App::new();
        app.init_schedule(Tick).insert_resource(Air { cells, step: 0 });
        let case = *self;
        let workers = Workers::new(0, SimdLevel::Auto).unwrap();
        app.add_systems(Tick, move |mut air: ResMut<Air>| {
            let [nx, ny, nz] = case.shape;
            let dt = case.time / case.steps as f64;
            let low = case.faces((air.step as f64 + 0.5) * dt);
            // the rotation blows through the sides of the box; the others do not
            let side = |axis: usize| match (case.flow, axis) {
                (Flow::Rotation, 0) => (0..ny * nz).map(|n| TAU * ((n as f64 + 0.5) / ny as f64 - 0.5)).collect(),
                (Flow::Rotation, 1) => (0..nx * nz).map(|n| -TAU * ((n as f64 + 0.5) / nx as f64 - 0.5)).collect::<Vec<f64>>(),
                (_, 0) => vec![0.0; ny * nz],
                (_, 1) => vec![0.0; nx * nz],
                _ => vec![0.0; nx * ny],
            };
            let high = [side(0), side(1), side(2)];
            let faces = Faces { shape: case.shape, low: [&low[0], &low[1], &low[2]], high: [&high[0], &high[1], &high[2]] };
            let none = vec![0.0; nz + 1];
            let spread = Spread { x: &none[..nz], y: &none[..nz], z_faces: &none };
            let cell = [1.0 / nx as f64; 3];
            assert!(faces.outflow().iter().all(|u| u * dt * nx as f64 <= 0.8), "the case keeps to the Courant limit");
            Plan::new(faces, cell, dt, spread, Sides::Open, air.step % 2 == 1, Course::Winding).advance(&mut air.cells, 0.0, &workers);
            air.step += 1;
        });
        for _ in 0..self.steps {
            app.world_mut().run_schedule(Tick);
        }
        app.world_mut().remove_resource::<Air>().unwrap()
    }

    fn fill(&self, value: impl Fn([f64; 3]) -> f64) -> Vec<f64> {
        let [nx, ny, nz] = self.shape;
        let h = 1.0 / nx as f64;
        (0..nx * ny * nz).map(|n| value([n % nx, n / nx % ny, n / (nx * ny)].map(|at| (at as f64 + 0.5) * h))).collect()
    }
}

/// A cosine bell, in a plane or in space.
fn bell(at: [f64; 3], centre: [f64; 3], radius: f64, flat: bool) -> f64 {
    let d = (0..if flat { 2 } else { 3 }).map(|axis| (at[axis] - centre[axis]).powi(2)).sum::<f64>().sqrt();
    if d < radius { 0.5 * (1.0 + (PI * d / radius).cos()) } else { 0.0 }
}

/// Zalesak's slotted disc.
fn disc(at: [f64; 3]) -> f64 {
    let inside = (at[0] - 0.5).hypot(at[1] - 0.75) <= 0.15;
    let slot = (at[0] - 0.5).abs() < 0.025 && at[1] < 0.85;
    f64::from(u8::from(inside && !slot))
}

struct Result {
    l2: f64,
    least: f64,
    most: f64,
    mass: f64,
}

fn measure(case: &Case, start: &[f64]) -> Result {
    let end = case.run(start.to_vec()).cells;
    let norm = |list: &mut dyn Iterator<Item = f64>| list.map(|v| v * v).sum::<f64>().sqrt();
    Result {
        l2: norm(&mut end.iter().zip(start).map(|(a, b)| a - b)) / norm(&mut start.iter().copied()),
        least: end.iter().copied().fold(f64::MAX, f64::min),
        most: end.iter().copied().fold(f64::MIN, f64::max),
        mass: (end.iter().sum::<f64>() / start.iter().sum::<f64>() - 1.0).abs(),
    }
}

fn line(case: String, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "dispersion", case, expected, measured, error, limit, source, missed: None }
}

const PROTOTYPE: &str = "limit of 1.5; the MUSCL prototype has 0.0669 (bell) and 0.0787 (swirl)";

#[test]
fn a_bell_comes_back_from_a_rotation_and_from_a_swirl() {
    let mut lines = Vec::new();
    for (name, flow, time, steps, order_limit) in [("bell", Flow::Rotation, 1.0, 8, 1.4), ("swirl", Flow::Swirl, 1.5, 4, 1.8)] {
        let at = |n: usize| {
            let case = Case::plane(flow, n, n * steps, time);
            let start = case.fill(|at| bell(at, [0.5, 0.75, 0.0], 0.15, true));
            measure(&case, &start)
        };
        let (coarse, fine) = (at(100), at(200));
        let order = (coarse.l2 / fine.l2).log2();
        lines.push(line(format!("1.5-{name}-l2-n100-f64"), 0.0, coarse.l2, coarse.l2, 0.10, PROTOTYPE));
        lines.push(line(
            format!("1.5-{name}-order-f64"),
            order_limit,
            order,
            (order_limit - order).max(0.0),
            0.0,
            "between 100 and 200 cells",
        ));
        lines.push(line(format!("1.5-{name}-minimum-f64"), 0.0, fine.least, (-fine.least).max(0.0), 1e-12, "no new minimum"));
        lines.push(line(format!("1.5-{name}-maximum-f64"), 1.0, fine.most, (fine.most - 1.0).max(0.0), 1e-9, "no new maximum"));
        lines.push(line(format!("1.5-{name}-mass-f64"), 0.0, fine.mass, fine.mass, 1e-12, "mass drift"));
    }
    let case = Case::plane(Flow::Rotation, 100, 800, 1.0);
    let slotted = measure(&case, &case.fill(disc));
    lines.push(line("1.5-disc-l2-n100-f64".to_owned(), 0.407, slotted.l2, slotted.l2, 0.407, "MUSCL prototype"));
    lines.push(line("1.5-disc-minimum-f64".to_owned(), 0.0, slotted.least, (-slotted.least).max(0.0), 1e-12, "no new minimum"));
    lines.push(line("1.5-disc-maximum-f64".to_owned(), 1.0, slotted.most, (slotted.most - 1.0).max(0.0), 1e-9, "no new maximum"));
    accept(&lines);
}

#[test]
fn a_ball_comes_back_from_a_deformation_in_space_and_even_air_stays_even() {
    let mut lines = Vec::new();
    for (n, bar) in [(32, 0.770), (48, 0.682)] {
        let case = Case { shape: [n; 3], steps: 8 * n, time: 3.0, flow: Flow::Deformation };
        let found = measure(&case, &case.fill(|at| bell(at, [0.35; 3], 0.2, false)));
        lines.push(line(format!("1.5-deformation-l2-n{n}-f64"), bar, found.l2, found.l2, bar, "MUSCL prototype"));
        lines.push(line(format!("1.5-deformation-minimum-n{n}-f64"), 0.0, found.least, (-found.least).max(0.0), 1e-12, "no new minimum"));
        lines.push(line(format!("1.5-deformation-mass-n{n}-f64"), 0.0, found.mass, found.mass, 1e-12, "mass drift"));
    }
    for (name, flow, shape) in [("swirl", Flow::Swirl, [100, 100, 1]), ("deformation", Flow::Deformation, [32, 32, 32])] {
        let case = Case { shape, steps: 8 * shape[0], time: 1.5, flow };
        let end = case.run(vec![0.7; shape.iter().product()]).cells;
        let worst = end.iter().map(|c| (c / 0.7 - 1.0).abs()).fold(0.0, f64::max);
        lines.push(line(format!("1.5-{name}-uniform-f64"), 1.0, 1.0 + worst, worst, 1e-12, "uniform stays uniform"));
    }
    accept(&lines);
}
