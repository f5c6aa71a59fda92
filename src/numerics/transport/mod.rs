//! Conservative transport of cell averages on a staggered grid, one axis after the other.
//!
//! Each sweep solves `∂(ρc)/∂t + ∂(uc)/∂x = ∂(K ∂c/∂x)/∂x` along one axis by the direct space-time scheme of third
//! order where the solution is smooth, limited so that no sweep makes a new extremum; explicit diffusion rides along
//! while its number is at most `EXPLICIT_DIFFUSION`, larger numbers are implicit (`tridiagonal`).
//! The local volume ρ goes through the sweeps with the tracer, in increment form
//! `c ← c − [(F⁺ − u⁺c) − (F⁻ − u⁻c)]/ρ'`, so a uniform tracer stays uniform **to the last bit** in any
//! wind that is divergence-free, and Σ c is kept up to rounding. The order of the axes alternates.
//!
//! Stable and positive while the outflow of every cell along every axis is at most `MAX_COURANT` a step, and, where
//! velocities vary along their own axes, that through all faces together at most `MAX_TOTAL_OUTFLOW`.
//! In place; slabs over rayon; the same bits for any number of threads and any SIMD level.
//!
//! Sources: Hundsdorfer and Trompert, *Appl. Numer. Math.* 13, 1994 (scheme, `d0`, `d1`); Sweby, *SIAM J.
//! Numer. Anal.* 21, 1984 (limiter bounds); Lin and Rood, *Mon. Wea. Rev.* 124, 1996 (why splitting needs ρ).
//! Left out: curved grids, sources (added between steps), correlation of limiters between tracers.
//! Checked by: the tests below, `tests/verification/dispersion.rs`.

mod implicit;
mod local;
mod planes;
mod straight;
mod sweep;
mod winding;

pub use local::LocalSpread;
pub use planes::PlaneKernels;
pub use sweep::{Buffers, Sweep};

use crate::numerics::tridiagonal::Diffusion;
use crate::numerics::{Real, SimdLevel, Workers};

/// Largest share of a cell that may leave it along one axis in one step. Proposed from scans of stability.
pub const MAX_COURANT: f64 = 0.8;
/// Largest share that may leave a cell through all faces together where velocities vary along their own axes: what is left
/// after the sweeps before must hold the outflow of the next.
pub const MAX_TOTAL_OUTFLOW: f64 = 0.95;
/// Largest diffusion number `K Δt / Δx²` that rides along explicitly; twice it and [`MAX_COURANT`] make one.
pub const EXPLICIT_DIFFUSION: f64 = 0.1;
/// Values below this are set to zero: numbers close to the smallest the type can hold cost a hundred times more.
/// In kg m⁻³ it is one molecule in 30 km³, far below the rounding of any mass balance here.
const NEGLIGIBLE: f64 = 1e-30;

/// Velocities on the faces of a grid: low faces of every cell, and the planes on the high side.
#[derive(Clone, Copy, Debug)]
pub struct Faces<'f, T> {
    /// Cells along x, y, z.
    pub shape: [usize; 3],
    /// Low faces along x, y, z: one number for each cell, m s⁻¹.
    pub low: [&'f [T]; 3],
    /// High planes: `ny·nz`, `nx·nz`, `nx·ny` numbers.
    pub high: [&'f [T]; 3],
}

impl<T: Real> Faces<'_, T> {
    /// Largest velocity out of any cell along each axis, both sides together, in m s⁻¹.
    #[must_use]
    pub fn outflow(&self) -> [f64; 3] {
        let [nx, ny, nz] = self.shape;
        let mut most = [0.0f64; 3];
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    for (axis, most) in most.iter_mut().enumerate() {
                        let (low, high) = self.pair(axis, [i, j, k]);
                        *most = most.max(high.to_f64().max(0.0) - low.to_f64().min(0.0));
                    }
                }
            }
        }
        most
    }

    /// Largest share of a cell that leaves it in a second through all of its faces together, in s⁻¹.
    #[must_use]
    pub fn total_outflow_per_s(&self, cell_m: [f64; 3]) -> f64 {
        let [nx, ny, nz] = self.shape;
        let mut most = 0.0f64;
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let out = (0..3).map(|axis| {
                        let (low, high) = self.pair(axis, [i, j, k]);
                        (high.to_f64().max(0.0) - low.to_f64().min(0.0)) / cell_m[axis]
                    });
                    most = most.max(out.sum());
                }
            }
        }
        most
    }

    /// Low and high face of a cell along an axis.
    fn pair(&self, axis: usize, [i, j, k]: [usize; 3]) -> (T, T) {
        let [nx, ny, nz] = self.shape;
        let here = i + nx * (j + ny * k);
        let at = [i, j, k][axis];
        let high = if at + 1 < [nx, ny, nz][axis] {
            self.low[axis][here + [1, nx, nx * ny][axis]]
        } else {
            self.high[axis][[j + ny * k, i + nx * k, i + nx * j][axis]]
        };
        (self.low[axis][here], high)
    }

    /// The row of faces along x on the low (`high` = false) or high side of row (j, k), normal to `axis` y or z.
    fn row(&self, axis: usize, j: usize, k: usize) -> &[T] {
        let [nx, ny, nz] = self.shape;
        let at = nx * (j + ny * k);
        if axis == 1 && j == ny {
            &self.high[1][nx * k..nx * (k + 1)]
        } else if axis == 2 && k == nz {
            &self.high[2][nx * j..nx * (j + 1)]
        } else {
            &self.low[axis][at..at + nx]
        }
    }
}

/// What crosses the sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Inflow brings a given value, outflow takes what is there.
    Open,
    /// What leaves on one side comes in on the other, along x and y.
    Periodic,
}

/// How the air finds its way.
#[derive(Clone, Copy, Debug)]
pub enum Course<'f, T> {
    /// No velocity varies along its own axis.
    Straight,
    /// Velocities vary in all ways.
    Winding,
    /// The same around obstacles: low faces along x, y, z, 1 where something can pass and 0 where not. No air may move
    /// through a closed face.
    Around([&'f [T]; 3]),
}

/// Everything about one step that is the same for all tracers.
#[derive(Debug)]
pub struct Plan<'f, T> {
    faces: Faces<'f, T>,
    scale: [T; 3],
    sides: Sides,
    order: [usize; 3],
    explicit: [Vec<T>; 2],
    implicit: [Vec<Option<Diffusion>>; 2],
    /// Explicit diffusion numbers of the level faces, ground and top included; zero where it is implicit.
    vertical_explicit: Vec<T>,
    vertical_implicit: Option<Diffusion>,
    volume: Option<[Vec<T>; 3]>,
    open: Option<[&'f [T]; 3]>,
}

/// Diffusivity for a plan, m² s⁻¹.
#[derive(Clone, Copy, Debug)]
pub struct Spread<'s> {
    /// Along x on each level.
    pub x: &'s [f64],
    /// Along y on each level.
    pub y: &'s [f64],
    /// Along z on each level face, ground and top included.
    pub z_faces: &'s [f64],
}

/// How many equal steps `dt_s` must be cut into so that advection stays within [`MAX_COURANT`].
///
/// With periodic sides horizontal diffusion cannot be implicit and counts too.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a positive number; saturates")]
pub fn steps_needed(outflow_m_s: [f64; 3], cell_m: [f64; 3], dt_s: f64, spread: Spread<'_>, sides: Sides) -> usize {
    let mut steps: f64 = 1.0;
    for axis in 0..3 {
        steps = steps.max((outflow_m_s[axis] * dt_s / cell_m[axis] / MAX_COURANT - 1e-9).ceil());
    }
    if sides == Sides::Periodic {
        for (axis, list) in [spread.x, spread.y].into_iter().enumerate() {
            let most = list.iter().copied().fold(0.0, f64::max);
            steps = steps.max((most * dt_s / (cell_m[axis] * cell_m[axis]) / EXPLICIT_DIFFUSION - 1e-9).ceil());
        }
    }
    steps as usize
}

impl<'f, T: Real> Plan<'f, T> {
    /// Prepares steps of `dt_s`. `reversed` sweeps z, y, x instead of x, y, z.
    ///
    /// # Panics
    /// If the lists do not fit the shape: a bug in the caller.
    #[must_use]
    pub fn new(
        faces: Faces<'f, T>,
        cell_m: [f64; 3],
        dt_s: f64,
        spread: Spread<'_>,
        sides: Sides,
        reversed: bool,
        course: Course<'f, T>,
    ) -> Self {
        let nz = faces.shape[2];
        assert!(spread.x.len() == nz && spread.y.len() == nz && spread.z_faces.len() == nz + 1, "one diffusivity a level");
        let mut explicit = [Vec::with_capacity(nz), Vec::with_capacity(nz)];
        let mut implicit = [Vec::with_capacity(nz), Vec::with_capacity(nz)];
        for (axis, list) in [spread.x, spread.y].into_iter().enumerate() {
            for k in list {
                let number = k * dt_s / (cell_m[axis] * cell_m[axis]);
                let rides = sides == Sides::Periodic || number <= EXPLICIT_DIFFUSION;
                explicit[axis].push(T::from_f64(if rides { number } else { 0.0 }));
                implicit[axis].push((!rides).then(|| Diffusion::new(&vec![number; faces.shape[axis] + 1])));
            }
        }
        let vertical: Vec<f64> = spread.z_faces.iter().map(|k| k * dt_s / (cell_m[2] * cell_m[2])).collect();
        let inner = 1..nz.max(1);
        let rides = vertical[inner.clone()].iter().all(|number| *number <= EXPLICIT_DIFFUSION);
        let vertical_explicit =
            (0..=nz).map(|face| T::from_f64(if rides && inner.contains(&face) { vertical[face] } else { 0.0 })).collect();
        let vertical_implicit = (!rides).then(|| Diffusion::new(&vertical));
        let scale = std::array::from_fn(|axis| T::from_f64(dt_s / cell_m[axis]));
        let order = if reversed { [2, 1, 0] } else { [0, 1, 2] };
        let volume = (!matches!(course, Course::Straight)).then(|| volumes_after(&faces, scale, order));
        let open = if let Course::Around(open) = course { Some(open) } else { None };
        Self { faces, scale, sides, order, explicit, implicit, vertical_explicit, vertical_implicit, volume, open }
    }

    /// Carries one tracer by one step. `inflow` is the value of air that comes in through open sides. Gives what left
    /// through them less what came in, in cells full of the tracer's unit.
    ///
    /// # Panics
    /// If `cells` is not of the plan's shape: a bug in the caller.
    pub fn advance(&self, cells: &mut [T], inflow: T, workers: &Workers) -> f64 {
        let [nx, ny, nz] = self.faces.shape;
        assert_eq!(cells.len(), nx * ny * nz, "`cells` is a column of the plan's grid");
        workers.together(|| self.sweeps(cells, inflow, workers))
    }

    /// All passes of a step.
    fn sweeps(&self, cells: &mut [T], inflow: T, workers: &Workers) -> f64 {
        let passes = self.passes();
        // what goes on within the levels is done level by level, while its cells are in the first cache
        let both_within_levels = |a: &Pass, b: &Pass| (self.order[a.turn] == 2) == (self.order[b.turn] == 2);
        let mut left = 0.0;
        for group in passes.chunk_by(both_within_levels) {
            let shares = if self.order[group[0].turn] == 2 {
                self.slices(group, cells, inflow, workers)
            } else {
                self.levels(group, cells, inflow, workers)
            };
            left += shares.iter().sum::<f64>();
        }
        left
    }

    /// Passes along z, slice by slice. Gives what left through the sides of each.
    fn slices(&self, passes: &[Pass], cells: &mut [T], inflow: T, workers: &Workers) -> Vec<f64> {
        let [nx, ny, nz] = self.faces.shape;
        let mut slices: Vec<Vec<&mut [T]>> = (0..ny).map(|_| Vec::with_capacity(nz)).collect();
        for (row, cells) in cells.chunks_mut(nx).enumerate() {
            slices[row % ny].push(cells);
        }
        let implicit = self.vertical_implicit.as_ref();
        workers.map(slices, Buffers::default, |buffers, j, mut rows| {
            passes.iter().map(|pass| self.pass(*pass, implicit, Rows::Across(&mut rows), j, (inflow, workers.simd), buffers)).sum()
        })
    }

    /// Passes along x and y, level by level. Gives what left through the sides of each.
    fn levels(&self, passes: &[Pass], cells: &mut [T], inflow: T, workers: &Workers) -> Vec<f64> {
        let [nx, ny, _] = self.faces.shape;
        workers.map(cells.chunks_mut(nx * ny).collect(), Buffers::default, |buffers, k, plane| {
            let mut left = 0.0;
            for pass in passes {
                let implicit = self.implicit[self.order[pass.turn]][k].as_ref();
                if self.order[pass.turn] == 0 {
                    left += self.pass(*pass, implicit, Rows::Along(plane), k, (inflow, workers.simd), buffers);
                } else {
                    let mut rows: Vec<&mut [T]> = plane.chunks_mut(nx).collect();
                    left += self.pass(*pass, implicit, Rows::Across(&mut rows), k, (inflow, workers.simd), buffers);
                }
            }
            left
        })
    }

    /// One pass over the rows of plane (or slice) `other`. Gives what left through the sides.
    fn pass(
        &self,
        pass: Pass,
        implicit: Option<&Diffusion>,
        rows: Rows<'_, '_, T>,
        other: usize,
        (inflow, level): (T, SimdLevel),
        buffers: &mut Buffers<T>,
    ) -> f64 {
        let job = self.job(pass, inflow);
        let implicit = implicit.filter(|_| pass.spreads);
        buffers.left = 0.0;
        match rows {
            Rows::Along(plane) => {
                if pass.moves {
                    T::along(level, &job, plane, other, buffers);
                }
                if let Some(diffusion) = implicit {
                    T::diffuse_lines(level, &job, diffusion, plane, other, buffers);
                }
            }
            Rows::Across(rows) => {
                if pass.moves {
                    T::across(level, &job, rows, other, buffers);
                }
                if let Some(diffusion) = implicit {
                    T::diffuse(level, &job, diffusion, rows, other, buffers);
                }
            }
        }
        buffers.left
    }

    /// What the kernels of a pass need to know.
    fn job(&self, pass: Pass, inflow: T) -> Sweep<'_, 'f, T> {
        let volume = self.volume.as_ref().map(|after| (pass.turn.checked_sub(1).map(|t| after[t].as_slice()), after[pass.turn].as_slice()));
        Sweep { plan: self, axis: self.order[pass.turn], inflow, volume }
    }

    /// The passes of a step. Implicit diffusion keeps Σ c and so may only run where every cell is whole: in the same pass
    /// where no velocity varies along its own axis, after all sweeps where volumes go through them.
    fn passes(&self) -> Vec<Pass> {
        let turns = 0..self.order.len();
        if self.volume.is_none() {
            return turns.map(|turn| Pass { turn, moves: true, spreads: true }).collect();
        }
        let implicit = |turn: &usize| match self.order[*turn] {
            2 => self.vertical_implicit.is_some(),
            axis => self.implicit[axis].iter().any(Option::is_some),
        };
        let sweeps = turns.clone().map(|turn| Pass { turn, moves: true, spreads: false });
        sweeps.chain(turns.filter(implicit).map(|turn| Pass { turn, moves: false, spreads: true })).collect()
    }
}

/// The rows of a plane, and which way a pass goes through them.
enum Rows<'c, 'r, T> {
    /// Along themselves.
    Along(&'c mut [T]),
    /// Across themselves.
    Across(&'c mut [&'r mut [T]]),
}

/// One pass over the cells along the axis of a turn.
#[derive(Clone, Copy, Debug)]
struct Pass {
    turn: usize,
    moves: bool,
    spreads: bool,
}

/// Multiplies a tracer by `factor` and sets negligible values to zero.
///
/// The product is formed in double precision: a factor rounded to single would be wrong by the same part every step.
pub fn scale_and_trim<T: Real>(cells: &mut [T], factor: f64) {
    let least = T::from_f64(NEGLIGIBLE);
    if factor < 1.0 {
        for cell in &mut *cells {
            *cell = T::from_f64(cell.to_f64() * factor);
        }
    }
    for cell in cells {
        *cell = if cell.magnitude() < least { T::default() } else { *cell };
    }
}

/// The share of each cell's volume that is left after each sweep in `order`.
fn volumes_after<T: Real>(faces: &Faces<'_, T>, scale: [T; 3], order: [usize; 3]) -> [Vec<T>; 3] {
    let [nx, ny, nz] = faces.shape;
    let mut volume = vec![T::from_f64(1.0); nx * ny * nz];
    order.map(|axis| {
        for (row, cells) in volume.chunks_mut(nx).enumerate() {
            let (j, k) = (row % ny, row / ny);
            let scale = scale[axis];
            if axis == 0 {
                let low = &faces.low[0][nx * row..nx * (row + 1)];
                for (i, cell) in cells[..nx - 1].iter_mut().enumerate() {
                    *cell = *cell - scale * (low[i + 1] - low[i]);
                }
                cells[nx - 1] = cells[nx - 1] - scale * (faces.high[0][row] - low[nx - 1]);
                continue;
            }
            let (low, high) = (faces.row(axis, j, k), if axis == 1 { faces.row(1, j + 1, k) } else { faces.row(2, j, k + 1) });
            for ((cell, low), high) in cells.iter_mut().zip(low).zip(high) {
                *cell = *cell - scale * (*high - *low);
            }
        }
        volume.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Face velocities of a swirl from a stream function in every x–y plane, divergence-free by construction.
    fn swirl<T: Real>(shape: [usize; 3], strength: f64) -> ([Vec<T>; 3], [Vec<T>; 3]) {
        let [nx, ny, nz] = shape;
        let psi = |i: usize, j: usize| {
            let (x, y) = (i as f64 / nx as f64, j as f64 / ny as f64);
            strength * (std::f64::consts::PI * x).sin().powi(2) * (std::f64::consts::PI * y).sin().powi(2)
        };
        let mut low = [vec![T::default(); nx * ny * nz], vec![T::default(); nx * ny * nz], vec![T::default(); nx * ny * nz]];
        let high = [vec![T::default(); ny * nz], vec![T::default(); nx * nz], vec![T::default(); nx * ny]];
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let here = i + nx * (j + ny * k);
                    low[0][here] = T::from_f64(psi(i, j + 1) - psi(i, j));
                    low[1][here] = T::from_f64(psi(i, j) - psi(i + 1, j));
                }
            }
        }
        (low, high)
    }

    fn carry<T: Real>(cells: &mut [T], shape: [usize; 3], steps: usize, spread: f64, inflow: f64, workers: &Workers) {
        let (low, high) = swirl::<T>(shape, 6.0);
        let faces = Faces { shape, low: [&low[0], &low[1], &low[2]], high: [&high[0], &high[1], &high[2]] };
        let [x, z] = [vec![spread; shape[2]], vec![spread; shape[2] + 1]];
        let spread = Spread { x: &x, y: &x, z_faces: &z };
        for step in 0..steps {
            Plan::new(faces, [1.0; 3], 0.4, spread, Sides::Open, step % 2 == 1, Course::Winding).advance(
                cells,
                T::from_f64(inflow),
                workers,
            );
        }
    }

    #[test]
    fn a_uniform_tracer_stays_uniform_to_the_bit_in_a_swirl() {
        let shape = [24, 20, 4];
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let mut cells = vec![0.7f32; 24 * 20 * 4];
        carry(&mut cells, shape, 200, 0.15, 0.7, &workers);
        assert!(cells.iter().all(|c| *c == 0.7f32), "{:?}", cells.iter().copied().fold(0.0, f32::max));
    }

    #[test]
    fn mass_is_kept_and_no_new_extremum_appears_in_a_swirl() {
        let shape = [32, 32, 3];
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let mut cells = vec![0.0f64; 32 * 32 * 3];
        for (n, cell) in cells.iter_mut().enumerate() {
            *cell = if (8..16).contains(&(n % 32)) && (20..26).contains(&(n / 32 % 32)) { 1.0 } else { 0.0 };
        }
        let mass: f64 = cells.iter().sum();
        // without diffusion, with explicit and with implicit diffusion
        for spread in [0.0, 0.15, 2.0] {
            let mut cells = cells.clone();
            carry(&mut cells, shape, 300, spread, 0.0, &workers);
            let (least, most) = cells.iter().fold((f64::MAX, f64::MIN), |(l, m), c| (l.min(*c), m.max(*c)));
            let drift = cells.iter().sum::<f64>() / mass - 1.0;
            assert!(drift.abs() < 1e-12, "{spread}: {drift}");
            assert!(least >= -1e-12 && most <= 1.0 + 1e-9, "{spread}: {least} {most}");
        }
    }

    #[test]
    fn threads_and_simd_levels_change_no_bit() {
        let shape = [37, 21, 9];
        let start: Vec<f32> = (0..37 * 21 * 9).map(|n| ((n * 7919) % 101) as f32 * 0.01).collect();
        let mut results = Vec::new();
        for (threads, simd) in [(1, SimdLevel::Auto), (2, SimdLevel::Auto), (3, SimdLevel::Avx2), (1, SimdLevel::Sse2)] {
            let mut cells = start.clone();
            carry(&mut cells, shape, 12, 0.3, 0.25, &Workers::new(threads, simd).unwrap());
            results.push(cells.iter().map(|c| c.to_bits()).collect::<Vec<_>>());
        }
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_periodic_box_brings_a_bell_back() {
        let (nx, ny) = (64, 48);
        let shape = [nx, ny, 1];
        let (u, v) = (vec![1.0f64; nx * ny], vec![0.75f64; nx * ny]);
        let still = vec![0.0f64; nx * ny];
        let faces = Faces { shape, low: [&u, &v, &still], high: [&u[..ny], &v[..nx], &still] };
        let none = Spread { x: &[0.0], y: &[0.0], z_faces: &[0.0, 0.0] };
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let bell = |i: usize, j: usize| (-((i as f64 - 20.0).powi(2) + (j as f64 - 30.0).powi(2)) / 32.0).exp();
        let start: Vec<f64> = (0..nx * ny).map(|n| bell(n % nx, n / nx)).collect();
        let mut cells = start.clone();
        for step in 0..128 {
            Plan::new(faces, [1.0; 3], 0.5, none, Sides::Periodic, step % 2 == 1, Course::Straight).advance(&mut cells, 0.0, &workers);
        }
        let norm = |list: &[f64]| list.iter().map(|c| c * c).sum::<f64>().sqrt();
        let error = norm(&cells.iter().zip(&start).map(|(a, b)| a - b).collect::<Vec<_>>()) / norm(&start);
        assert!(error < 0.05, "{error}");
        assert!((cells.iter().sum::<f64>() / start.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn straight_air_is_carried_to_the_same_bits_as_any_air() {
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        // one strip, strips and a rest, less than a strip; winds of both signs side by side
        for shape @ [nx, ny, nz] in [[16, 5, 4], [37, 9, 3], [7, 1, 6]] {
            let n = nx * ny * nz;
            let at = |n: usize| (n % nx, n / nx % ny, n / (nx * ny));
            let wave = |a: usize, b: usize| ((3 * a + 7 * b) as f32).sin();
            let u: Vec<f32> = (0..n).map(|n| wave(at(n).1, at(n).2)).collect();
            let v: Vec<f32> = (0..n).map(|n| wave(at(n).0, at(n).2)).collect();
            let w: Vec<f32> = (0..n).map(|n| wave(at(n).0, at(n).1)).collect();
            let high_u: Vec<f32> = (0..ny * nz).map(|n| wave(n % ny, n / ny)).collect();
            let high_v: Vec<f32> = (0..nx * nz).map(|n| wave(n % nx, n / nx)).collect();
            let faces = Faces { shape, low: [&u, &v, &w], high: [&high_u, &high_v, &w[..nx * ny]] };
            let (level, level_faces) = (vec![0.08; nz], (0..=nz).map(|k| 0.01 * k as f64).collect::<Vec<_>>());
            let spread = Spread { x: &level, y: &level, z_faces: &level_faces };
            for sides in [Sides::Open, Sides::Periodic] {
                let [straight, winding] = [Course::Straight, Course::Winding].map(|course| {
                    let mut cells: Vec<f32> = (0..n).map(|n| ((n * 7919) % 101) as f32 * 0.01).collect();
                    let left: f64 = (0..6)
                        .map(|step| {
                            Plan::new(faces, [1.0; 3], 0.5, spread, sides, step % 2 == 1, course).advance(&mut cells, 0.25, &workers)
                        })
                        .sum();
                    (cells.iter().map(|c| c.to_bits()).collect::<Vec<_>>(), left)
                });
                assert_eq!(straight.0, winding.0, "{shape:?} {sides:?}");
                assert!((straight.1 - winding.1).abs() < 1e-9, "{shape:?} {sides:?}: {} and {}", straight.1, winding.1);
            }
        }
    }
}
