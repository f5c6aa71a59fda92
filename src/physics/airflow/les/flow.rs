//! One step of an incompressible flow in which warm air is light (Boussinesq), on staggered faces.
//!
//! `∂u/∂t = −∇·(u u) + ∇·(ν (∇u + ∇uᵀ)) − ∇p + b`, `∇·u = 0`, p over density, b an acceleration. Central second-order
//! differences that neither make nor lose kinetic energy (Harlow and Welch, *Physics of Fluids* 8, 1965), three
//! Runge–Kutta stages of Δt/3, Δt/2, Δt (Wicker and Skamarock, *Mon. Wea. Rev.* 130, 2002). The stages before the last use
//! the pressure of the step before and only the last is made free of divergence: second order, one pressure a step
//! (Capuano et al., *Int. J. Numer. Meth. Fluids* 82, 2016). Double precision; the same bits for any number of threads.
//!
//! Stable while [`Flow::steps_needed`] is kept. Left out: Coriolis force, compressibility, order above two at walls.
//! Checked by: `tests/verification/les.rs`.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lattice::Lattice;
use super::walls::{Side, Sides, WallEdges};
use crate::numerics::elliptic::Multigrid;
use crate::numerics::{Workers, at_simd_levels};
use crate::physics::airflow::around::{network, reached};
use crate::world::Grid;
use crate::world::solid::Solids;

/// Largest divergence a step leaves, times the cell size over the largest speed: half of what single-precision faces hold.
pub const DIVERGENCE: f64 = 5e-8;
/// Most of `Δt Σ |u|/Δx`: the stages are stable up to √3 for a constant wind.
const MOST_COURANT: f64 = 1.2;
/// Most of `4 ν Δt Σ 1/Δx²`: the stages are stable up to 2.51.
const MOST_DIFFUSION: f64 = 2.0;
/// The stages, as parts of a step.
const STAGES: [f64; 3] = [1.0 / 3.0, 0.5, 1.0];

/// Velocity and pressure on a lattice with ghosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowState {
    /// Low faces along x, y, z, m s⁻¹.
    pub velocity: [Vec<f64>; 3],
    /// Pressure over density, m² s⁻².
    pub pressure: Vec<f64>,
    /// What the last step added to the pressure, times its length, m² s⁻¹, real cells only: where the next solver starts.
    pub increment: Vec<f64>,
}

impl FlowState {
    /// Air at rest.
    #[must_use]
    pub fn still(lattice: &Lattice) -> Self {
        let zeros = || vec![0.0; lattice.len()];
        Self { velocity: [zeros(), zeros(), zeros()], pressure: zeros(), increment: vec![0.0; lattice.shape.iter().product()] }
    }
}

/// What a step needs beside the state.
#[derive(Clone, Copy, Debug)]
pub struct Forces<'a> {
    /// Molecular plus eddy viscosity on the lattice, m² s⁻¹; ghosts are filled by the step.
    pub viscosity: &'a [f64],
    /// Upward acceleration of each cell of the lattice, m s⁻²; none where no air is warmer than other air.
    pub buoyancy: Option<&'a [f64]>,
    /// The same acceleration everywhere, m s⁻².
    pub drive: [f64; 3],
}

/// A domain as the solver sees it: sides, obstacles and the pressure solver.
#[derive(Clone, Debug)]
pub struct Flow {
    lattice: Lattice,
    sides: Sides,
    /// Cells with a way to an open side, or to each other where none is.
    reached: Vec<bool>,
    /// 1 for faces that move freely, 0 for closed and given ones.
    free: [Vec<f64>; 3],
    walls: WallEdges,
    solver: Multigrid,
    /// Spare velocities for the stages.
    spare: [[Vec<f64>; 3]; 2],
}

impl Flow {
    /// Prepares a domain.
    #[must_use]
    pub fn new(grid: &Grid, solids: &Solids, sides: Sides) -> Self {
        let lattice = Lattice::new(grid);
        let open = |axis: usize, high: bool| sides.of(axis, high).is_open();
        let periodic: [bool; 3] = std::array::from_fn(|axis| sides.of(axis, false) == Side::Periodic);
        let reached = reached(grid, solids, open, periodic);
        let solver = Multigrid::new(network(grid, &reached, open, periodic));
        let free = std::array::from_fn(|axis| free_faces(&lattice, &reached, axis, periodic[axis]));
        let walls = WallEdges::new(&lattice, &reached, &free, &sides);
        let zeros = || vec![0.0; lattice.len()];
        let spare = [[zeros(), zeros(), zeros()], [zeros(), zeros(), zeros()]];
        Self { lattice, sides, reached, free, walls, solver, spare }
    }

    /// Other walls on sides that pass the air as they did.
    pub const fn set_walls(&mut self, sides: Sides) {
        self.sides = sides;
    }

    /// Mean of a horizontal component over the faces that move freely, and of what `wanted` gives for them by level.
    #[must_use]
    pub fn mean(&self, state: &FlowState, component: usize, wanted: impl Fn(usize) -> f64) -> (f64, f64) {
        let (mut sum, mut target, mut count) = (0.0, 0.0, 0.0f64);
        let [_, ny, nz] = self.lattice.shape;
        for k in 1..=nz {
            let level = wanted(k);
            for place in (1..=ny).flat_map(|j| self.lattice.row(j, k)) {
                sum += self.free[component][place] * state.velocity[component][place];
                target += self.free[component][place] * level;
                count += self.free[component][place];
            }
        }
        (sum / count.max(1.0), target / count.max(1.0))
    }

    /// Where its numbers lie.
    #[must_use]
    pub const fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// How many equal steps `dt_s` must be cut into; the largest number there is for a flow that is no longer finite.
    #[must_use]
    pub fn steps_needed(&self, state: &FlowState, viscosity: &[f64], dt_s: f64) -> usize {
        let Lattice { shape: [_, ny, nz], cell_m, .. } = self.lattice;
        let strides = self.lattice.strides();
        let (mut courant, mut most_viscous) = (0.0f64, 0.0f64);
        for k in 1..=nz {
            for j in 1..=ny {
                for place in self.lattice.row(j, k) {
                    let pair = |axis: usize| (state.velocity[axis][place].abs(), state.velocity[axis][place + strides[axis]].abs());
                    let rate = |axis: usize| pair(axis).0.max(pair(axis).1) / cell_m[axis];
                    let all = rate(0) + rate(1) + rate(2);
                    // the larger of two forgets what is not a number, their sum does not
                    if !((0..3).map(|axis| pair(axis).0 + pair(axis).1).sum::<f64>() + viscosity[place]).is_finite() {
                        return usize::MAX;
                    }
                    courant = courant.max(all);
                    most_viscous = most_viscous.max(viscosity[place]);
                }
            }
        }
        steps_for(courant, most_viscous, cell_m, dt_s)
    }

    /// Advances by one step and gives the divergence that is left. Faces and ghosts of given sides keep what the caller put there.
    pub fn advance(&mut self, state: &mut FlowState, forces: Forces<'_>, dt_s: f64, workers: &Workers) -> f64 {
        let [mut from, mut into] = std::mem::take(&mut self.spare);
        self.fill_ghosts(&mut state.velocity);
        for axis in 0..3 {
            from[axis].copy_from_slice(&state.velocity[axis]);
            into[axis].copy_from_slice(&state.velocity[axis]);
        }
        for part in STAGES {
            let stage_s = part * dt_s;
            for (component, into) in into.iter_mut().enumerate() {
                let job = Momentum {
                    lattice: &self.lattice,
                    component,
                    velocity: [&from[0], &from[1], &from[2]],
                    before: &state.velocity[component],
                    viscosity: forces.viscosity,
                    pressure: &state.pressure,
                    free: &self.free[component],
                    drive: forces.drive[component],
                    dt_s: stage_s,
                };
                let plane = self.lattice.strides()[2];
                let real = plane..plane * (self.lattice.shape[2] + 1);
                workers.run(|| {
                    into[real].par_chunks_mut(plane).enumerate().for_each(|(k, out)| momentum_plane(workers.simd, &job, k + 1, out));
                });
            }
            if let Some(buoyancy) = forces.buoyancy {
                self.lift(buoyancy, stage_s, &mut into[2]);
            }
            self.walls.correct(&self.lattice, &self.sides, &from, forces.viscosity, stage_s, &mut into);
            self.run_out(&mut into);
            self.draw_in((&from, state), forces.buoyancy, stage_s, &mut into);
            self.fill_ghosts(&mut into);
            std::mem::swap(&mut from, &mut into);
        }
        std::mem::swap(&mut state.velocity, &mut from);
        self.spare = [from, into];
        let left = self.project(&mut state.velocity, &mut state.increment, DIVERGENCE, workers);
        self.each_cell(|place, cell| state.pressure[place] += state.increment[cell] / dt_s);
        self.wrap(&mut state.pressure);
        self.fill_ghosts(&mut state.velocity);
        left
    }

    /// Takes the divergence out of a velocity and gives what is left of it, times the cell size over the largest speed. `potential` is
    /// where the solver starts and ends.
    pub fn project(&self, velocity: &mut [Vec<f64>; 3], potential: &mut [f64], divergence: f64, workers: &Workers) -> f64 {
        let cell_m = self.lattice.cell_m;
        let volume: f64 = cell_m.iter().product();
        let area = cell_m.map(|h| volume / h);
        let strides = self.lattice.strides();
        let mut sources = vec![0.0; potential.len()];
        let mut speed = 0.0f64;
        self.each_cell(|place, cell| {
            if self.reached[cell] {
                let net = |axis: usize| area[axis] * (velocity[axis][place] - velocity[axis][place + strides[axis]]);
                sources[cell] = net(0) + net(1) + net(2);
                speed = (0..3).fold(speed, |most, axis| most.max(velocity[axis][place].abs()));
            }
        });
        let largest = sources.iter().fold(0.0f64, |most, source| most.max(source.abs()));
        let smallest = area.iter().copied().fold(f64::MAX, f64::min);
        if largest <= f64::EPSILON * smallest * speed {
            potential.fill(0.0);
            return 0.0;
        }
        let solved = self.solver.solve(&sources, potential, (divergence * smallest * speed / largest).min(1.0), workers);
        let conductance = cell_m.map(|h| 1.0 / h);
        let shape = self.lattice.shape;
        let steps = [1, shape[0], shape[0] * shape[1]];
        let periodic: [bool; 3] = std::array::from_fn(|axis| self.sides.of(axis, false) == Side::Periodic);
        for (axis, velocity) in velocity.iter_mut().enumerate() {
            let step = steps[axis];
            self.each_cell(|place, cell| {
                let at = cell / step % shape[axis];
                if self.free[axis][place] > 0.0 {
                    let below = if at > 0 { cell - step } else { cell + (shape[axis] - 1) * step };
                    velocity[place] += conductance[axis] * (potential[below] - potential[cell]);
                }
                if self.reached[cell] {
                    if at == 0 && self.sides.of(axis, false).is_open() {
                        velocity[place] -= 2.0 * conductance[axis] * potential[cell];
                    }
                    if at + 1 == shape[axis] && self.sides.of(axis, true).is_open() {
                        velocity[place + strides[axis]] += 2.0 * conductance[axis] * potential[cell];
                    }
                }
            });
            if periodic[axis] {
                for (high, low) in self.lattice.layer(axis, shape[axis] + 1).zip(self.lattice.layer(axis, 1)) {
                    velocity[high] = velocity[low];
                }
            }
        }
        solved.residual * largest / (smallest * speed)
    }

    /// Largest divergence of any cell, times the cell size over the largest speed.
    #[must_use]
    pub fn divergence(&self, state: &FlowState) -> f64 {
        let (cell_m, strides) = (self.lattice.cell_m, self.lattice.strides());
        let (mut most, mut speed) = (0.0f64, 0.0f64);
        self.each_cell(|place, cell| {
            if self.reached[cell] {
                let along = |axis: usize| (state.velocity[axis][place + strides[axis]] - state.velocity[axis][place]) / cell_m[axis];
                most = most.max((along(0) + along(1) + along(2)).abs());
                speed = (0..3).fold(speed, |most, axis| most.max(state.velocity[axis][place].abs()));
            }
        });
        most * cell_m.into_iter().fold(f64::MAX, f64::min) / speed.max(f64::MIN_POSITIVE)
    }

    /// Stops the air at closed faces and in air that has no way out.
    pub fn close(&self, velocity: &mut [Vec<f64>; 3]) {
        let strides = self.lattice.strides();
        let shape = self.lattice.shape;
        for (axis, velocity) in velocity.iter_mut().enumerate() {
            let step = [1, shape[0], shape[0] * shape[1]][axis];
            self.each_cell(|place, cell| {
                let at = cell / step % shape[axis];
                let closed_low = if at > 0 { self.free[axis][place] == 0.0 } else { self.closed(cell, axis, false) };
                if closed_low {
                    velocity[place] = 0.0;
                }
                if at + 1 == shape[axis] && self.closed(cell, axis, true) {
                    velocity[place + strides[axis]] = 0.0;
                }
            });
        }
    }

    /// Whether air passes the side at a real place (l along the other horizontal axis, k up).
    #[must_use]
    pub fn passes(&self, axis: usize, high: bool, l: usize, k: usize) -> bool {
        let [nx, ny, _] = self.lattice.shape;
        let at = if high { self.lattice.shape[axis] - 1 } else { 0 };
        let (i, j) = if axis == 0 { (at, l - 1) } else { (l - 1, at) };
        self.reached[i + nx * (j + ny * (k - 1))]
    }

    /// Whether nothing passes the side of a cell that lies at it.
    fn closed(&self, cell: usize, axis: usize, high: bool) -> bool {
        match self.sides.of(axis, high) {
            Side::Wall(_) => true,
            Side::Given | Side::Open | Side::Still => !self.reached[cell],
            Side::Periodic => {
                let place = self.place_of(cell);
                self.free[axis][if high { self.wrapped(axis, place) } else { place }] == 0.0
            }
        }
    }

    fn place_of(&self, cell: usize) -> usize {
        let [nx, ny, _] = self.lattice.shape;
        self.lattice.at([cell % nx + 1, cell / nx % ny + 1, cell / (nx * ny) + 1])
    }

    /// The first place of the line along `axis` that ends at `place`.
    fn wrapped(&self, axis: usize, place: usize) -> usize {
        place - (self.lattice.shape[axis] - 1) * self.lattice.strides()[axis]
    }

    /// Calls with the place and the number of every real cell.
    fn each_cell(&self, mut call: impl FnMut(usize, usize)) {
        let [_, ny, nz] = self.lattice.shape;
        let mut cell = 0;
        for k in 1..=nz {
            for j in 1..=ny {
                for place in self.lattice.row(j, k) {
                    call(place, cell);
                    cell += 1;
                }
            }
        }
    }

    /// Buoyancy moves low z faces by the mean of the cells they part.
    fn lift(&self, buoyancy: &[f64], dt_s: f64, up: &mut [f64]) {
        let stride = self.lattice.strides()[2];
        let free = &self.free[2];
        self.each_cell(|place, _| up[place] += dt_s * free[place] * 0.5 * (buoyancy[place] + buoyancy[place - stride]));
    }

    /// What leaves through open sides is what comes to them.
    fn run_out(&self, velocity: &mut [Vec<f64>; 3]) {
        for (axis, velocity) in velocity.iter_mut().enumerate() {
            let (n, stride) = (self.lattice.shape[axis], self.lattice.strides()[axis]);
            if n < 2 {
                continue;
            }
            if self.sides.of(axis, false) == Side::Open {
                for place in self.lattice.layer(axis, 1) {
                    velocity[place] = velocity[place + stride];
                }
            }
            if self.sides.of(axis, true) == Side::Open {
                for place in self.lattice.layer(axis, n + 1) {
                    velocity[place] = velocity[place - stride];
                }
            }
        }
    }

    /// The faces of sides before air at rest, by their own momentum: what leaves brings what comes to them, `∂u/∂t = −u ∂u/∂n − ∂p/∂n`, to a pressure of 0 outside. What comes in
    /// has given up pressure for its speed, `p + u²/2 = 0`: a jet from outside that cost nothing could blow through the domain for ever.
    fn draw_in(&self, (from, before): (&[Vec<f64>; 3], &FlowState), buoyancy: Option<&[f64]>, dt_s: f64, into: &mut [Vec<f64>; 3]) {
        let strides = self.lattice.strides();
        let [nx, ny, _] = self.lattice.shape;
        for (axis, high) in
            (0..3).flat_map(|axis| [(axis, false), (axis, true)]).filter(|(axis, high)| self.sides.of(*axis, *high) == Side::Still)
        {
            let (n, h) = (self.lattice.shape[axis], self.lattice.cell_m[axis]);
            let last = if high { n - 1 } else { 0 };
            // out of the domain is ahead on the high side
            let out = if high { 1.0 } else { -1.0 };
            self.each_cell(|place, cell| {
                if [cell % nx, cell / nx % ny, cell / (nx * ny)][axis] != last || !self.reached[cell] {
                    return;
                }
                let (face, inner) = if high { (place + strides[axis], place) } else { (place, place + strides[axis]) };
                let (speed, inside) = (out * from[axis][face], out * from[axis][inner]);
                let (carried, outside) = if speed > 0.0 { (speed * (speed - inside) / h, 0.0) } else { (0.0, -0.5 * speed * speed) };
                let lifted = if axis == 2 { out * 0.5 * buoyancy.map_or(0.0, |buoyancy| buoyancy[place]) } else { 0.0 };
                let gains = lifted - carried - (outside - before.pressure[place]) / (0.5 * h);
                into[axis][face] = before.velocity[axis][face] + dt_s * out * gains;
            });
        }
    }

    /// Where air that was at rest comes in through a side, ghost by ghost; empty where it was not at rest.
    fn comes_in(&self, side: usize, high: bool, velocity: &[f64]) -> Vec<bool> {
        if self.sides.of(side, high) != Side::Still {
            return Vec::new();
        }
        let (face, inward) = if high { (self.lattice.shape[side] + 1, -1.0) } else { (1, 1.0) };
        self.lattice.layer(side, face).map(|place| inward * velocity[place] > 0.0).collect()
    }

    /// Writes the ghosts of all sides but the given ones.
    pub fn fill_ghosts(&self, velocity: &mut [Vec<f64>; 3]) {
        for side in 0..3 {
            let (n, stride) = (self.lattice.shape[side], self.lattice.strides()[side]);
            let comes_in = [false, true].map(|high| self.comes_in(side, high, &velocity[side]));
            for (component, velocity) in velocity.iter_mut().enumerate() {
                if self.sides.of(side, false) == Side::Periodic {
                    for place in self.lattice.layer(side, 0) {
                        velocity[place] = velocity[place + n * stride];
                        velocity[place + (n + 1) * stride] = velocity[place + stride];
                    }
                    continue;
                }
                if component == side {
                    continue;
                }
                for high in [false, true] {
                    let (ghost, inward) = if high { (n + 1, -1) } else { (0, 1) };
                    let Some([first, second, plus]) = self.sides.mirror(&self.lattice, side, high, component) else { continue };
                    let inside = inward * stride.cast_signed();
                    let mut comes_in = comes_in[usize::from(high)].iter();
                    for place in self.lattice.layer(side, ghost) {
                        let (near, far) = (place.wrapping_add_signed(inside), place.wrapping_add_signed(2 * inside));
                        // a wall without a second value inside has no factor for it
                        let far = if second > 0.0 { second * velocity[far] } else { 0.0 };
                        // the mean of ghost and cell is what comes in: nothing where it was at rest
                        let first = if comes_in.next() == Some(&true) { -first } else { first };
                        velocity[place] = first * velocity[near] + far + plus;
                    }
                }
            }
        }
    }

    /// Writes the ghosts of cell values: what is inside, or what is on the other side.
    pub fn wrap(&self, cells: &mut [f64]) {
        for axis in 0..3 {
            let (n, stride) = (self.lattice.shape[axis], self.lattice.strides()[axis]);
            let periodic = self.sides.of(axis, false) == Side::Periodic;
            for ghost in self.lattice.layer(axis, 0) {
                let high = ghost + (n + 1) * stride;
                cells[ghost] = cells[if periodic { ghost + n * stride } else { ghost + stride }];
                cells[high] = cells[if periodic { ghost + stride } else { ghost + n * stride }];
            }
        }
    }
}

/// How many equal steps `dt_s` must be cut into where the wind crosses so many cells a second, all axes together, and the viscosity
/// is `viscosity_m2_s`.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a number that is not negative; saturates")]
pub fn steps_for(crossed_per_s: f64, viscosity_m2_s: f64, cell_m: [f64; 3], dt_s: f64) -> usize {
    let spread = 4.0 * viscosity_m2_s * cell_m.iter().map(|h| 1.0 / (h * h)).sum::<f64>();
    (dt_s * (crossed_per_s / MOST_COURANT).max(spread / MOST_DIFFUSION) - 1e-9).ceil().max(1.0) as usize
}

/// 1 for the low faces along an axis between two cells of moving air, 0 for others and for all on sides but periodic ones.
fn free_faces(lattice: &Lattice, reached: &[bool], axis: usize, periodic: bool) -> Vec<f64> {
    let [nx, ny, nz] = lattice.shape;
    let n = lattice.shape[axis];
    let step = [1, nx, nx * ny][axis];
    let mut free = vec![0.0; lattice.len()];
    for cell in 0..nx * ny * nz {
        let (i, j, k) = (cell % nx, cell / nx % ny, cell / (nx * ny));
        let at = [i, j, k][axis];
        let below = match (at, periodic) {
            (0, true) => cell + (n - 1) * step,
            (0, false) => continue,
            _ => cell - step,
        };
        if reached[cell] && reached[below] {
            free[lattice.at([i + 1, j + 1, k + 1])] = 1.0;
        }
    }
    free
}

/// One component of one stage.
struct Momentum<'a> {
    lattice: &'a Lattice,
    component: usize,
    velocity: [&'a [f64]; 3],
    before: &'a [f64],
    viscosity: &'a [f64],
    pressure: &'a [f64],
    free: &'a [f64],
    drive: f64,
    dt_s: f64,
}

at_simd_levels!(fn momentum_plane(job: &Momentum<'_>, k: usize, out: &mut [f64]) = momentum_body);

/// One plane of low faces: `out = before + Δt (advection + stress − ∇p + drive)` where faces are free.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn momentum_body(job: &Momentum<'_>, k: usize, out: &mut [f64]) {
    let lattice = job.lattice;
    let n = lattice.shape[0];
    let strides = lattice.strides();
    let (a, b, c) = (job.component, (job.component + 1) % 3, (job.component + 2) % 3);
    let (sa, sb, sc) = (strides[a], strides[b], strides[c]);
    let [ra, rb, rc] = [a, b, c].map(|axis| 1.0 / lattice.cell_m[axis]);
    let (u, v, w, nu) = (job.velocity[a], job.velocity[b], job.velocity[c], job.viscosity);
    for j in 1..=lattice.shape[1] {
        let from = lattice.row(j, k).start;
        let row = |list: &'_ [f64], plus: usize, minus: usize| -> std::ops::Range<usize> {
            debug_assert!(from + plus + n - minus <= list.len());
            from + plus - minus..from + plus - minus + n
        };
        let (u0, u_am, u_ap) = (&u[row(u, 0, 0)], &u[row(u, 0, sa)], &u[row(u, sa, 0)]);
        let (u_bm, u_bp, u_cm, u_cp) = (&u[row(u, 0, sb)], &u[row(u, sb, 0)], &u[row(u, 0, sc)], &u[row(u, sc, 0)]);
        let (v0, v_am, v_bp, v_bpam) = (&v[row(v, 0, 0)], &v[row(v, 0, sa)], &v[row(v, sb, 0)], &v[row(v, sb, sa)]);
        let (w0, w_am, w_cp, w_cpam) = (&w[row(w, 0, 0)], &w[row(w, 0, sa)], &w[row(w, sc, 0)], &w[row(w, sc, sa)]);
        let (nu0, nu_am) = (&nu[row(nu, 0, 0)], &nu[row(nu, 0, sa)]);
        let (nu_bm, nu_bmam, nu_bp, nu_bpam) = (&nu[row(nu, 0, sb)], &nu[row(nu, 0, sb + sa)], &nu[row(nu, sb, 0)], &nu[row(nu, sb, sa)]);
        let (nu_cm, nu_cmam, nu_cp, nu_cpam) = (&nu[row(nu, 0, sc)], &nu[row(nu, 0, sc + sa)], &nu[row(nu, sc, 0)], &nu[row(nu, sc, sa)]);
        let (p0, p_am) = (&job.pressure[row(job.pressure, 0, 0)], &job.pressure[row(job.pressure, 0, sa)]);
        let (free, before) = (&job.free[row(job.free, 0, 0)], &job.before[row(job.before, 0, 0)]);
        let first = from - k * strides[2];
        let out = &mut out[first..first + n];
        for i in 0..n {
            let here = u0[i];
            let (low, high) = (0.5 * (u_am[i] + here), 0.5 * (here + u_ap[i]));
            let mut rate = (low * low - high * high) * ra + 2.0 * ra * ra * (nu0[i] * (u_ap[i] - here) - nu_am[i] * (here - u_am[i]));
            let low = 0.25 * (v0[i] + v_am[i]) * (u_bm[i] + here);
            let high = 0.25 * (v_bp[i] + v_bpam[i]) * (here + u_bp[i]);
            let stress_low = 0.25 * (nu0[i] + nu_am[i] + nu_bm[i] + nu_bmam[i]) * ((here - u_bm[i]) * rb + (v0[i] - v_am[i]) * ra);
            let stress_high = 0.25 * (nu0[i] + nu_am[i] + nu_bp[i] + nu_bpam[i]) * ((u_bp[i] - here) * rb + (v_bp[i] - v_bpam[i]) * ra);
            rate += (low - high + stress_high - stress_low) * rb;
            let low = 0.25 * (w0[i] + w_am[i]) * (u_cm[i] + here);
            let high = 0.25 * (w_cp[i] + w_cpam[i]) * (here + u_cp[i]);
            let stress_low = 0.25 * (nu0[i] + nu_am[i] + nu_cm[i] + nu_cmam[i]) * ((here - u_cm[i]) * rc + (w0[i] - w_am[i]) * ra);
            let stress_high = 0.25 * (nu0[i] + nu_am[i] + nu_cp[i] + nu_cpam[i]) * ((u_cp[i] - here) * rc + (w_cp[i] - w_cpam[i]) * ra);
            rate += (low - high + stress_high - stress_low) * rc;
            out[i] = before[i] + job.dt_s * free[i] * (rate - (p0[i] - p_am[i]) * ra + job.drive);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::SimdLevel;
    use crate::physics::airflow::les::walls::Wall;
    use crate::world::shape::tests::shapes;

    #[test]
    fn a_block_at_the_seam_of_a_periodic_box_is_a_block_like_any_other() {
        let grid = Grid { shape: [16, 12, 8], cell_m: [1.0; 3] };
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let rough = Wall::Rough { roughness_m: 0.01, inverse_obukhov: 0.0 };
        let sides =
            Sides { sides: [[Side::Periodic; 2], [Side::Periodic; 2], [Side::Wall(rough), Side::Wall(Wall::Slip)]], obstacles: rough };
        // flush with the seam, and eight cells away from it
        let run = |blocks: &[&str]| {
            let mut flow = Flow::new(&grid, &Solids::new(&shapes(blocks), &grid, true), sides);
            let mut state = FlowState::still(flow.lattice());
            state.velocity[0].fill(2.0);
            state.velocity[1].fill(0.5);
            flow.close(&mut state.velocity);
            flow.fill_ghosts(&mut state.velocity);
            flow.project(&mut state.velocity, &mut state.increment, DIVERGENCE, &workers);
            let viscosity = vec![0.1; flow.lattice().len()];
            for _ in 0..20 {
                let left =
                    flow.advance(&mut state, Forces { viscosity: &viscosity, buoyancy: None, drive: [0.1, 0.0, 0.0] }, 0.1, &workers);
                assert!(left <= 1.01 * DIVERGENCE, "{left}");
            }
            (*flow.lattice(), state)
        };
        let (lattice, seam) = run(&["Box(min_m: (13.0, 4.0, 0.0), max_m: (16.0, 8.0, 4.0))"]);
        let (_, middle) = run(&["Box(min_m: (5.0, 4.0, 0.0), max_m: (8.0, 8.0, 4.0))"]);
        let mut apart = 0.0f64;
        for component in 0..3 {
            for (i, (j, k)) in (1..=16).flat_map(|i| (1..=12).flat_map(move |j| (1..=8).map(move |k| (i, (j, k))))) {
                let (here, there) = (lattice.at([i, j, k]), lattice.at([(i + 7) % 16 + 1, j, k]));
                apart = apart.max((middle.velocity[component][here] - seam.velocity[component][there]).abs());
            }
        }
        assert!(apart < 1e-5, "{apart}");
    }
}
