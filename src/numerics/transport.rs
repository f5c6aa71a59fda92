//! Conservative transport of cell averages on a staggered grid, one axis after the other.
//!
//! Each sweep solves `∂(ρc)/∂t + ∂(uc)/∂x = ∂(K ∂c/∂x)/∂x` along one axis by the direct space-time scheme of third
//! order where the solution is smooth, limited so that no sweep makes a new extremum; explicit diffusion rides along
//! while its number is at most `EXPLICIT_DIFFUSION`, larger numbers are implicit (`tridiagonal`).
//! The local volume ρ goes through the sweeps with the tracer, in increment form
//! `c ← c − [(F⁺ − u⁺c) − (F⁻ − u⁻c)]/ρ'`, so a uniform tracer stays uniform **to the last bit** in any
//! wind that is divergence-free, and Σ c is kept up to rounding. The order of the axes alternates.
//!
//! Stable and positive while the outflow of every cell along every axis is at most `MAX_COURANT` a step.
//! In place; slabs over rayon; the same bits for any number of threads and any SIMD level.
//!
//! Sources: Hundsdorfer and Trompert, *Appl. Numer. Math.* 13, 1994 (scheme, `d0`, `d1`); Sweby, *SIAM J.
//! Numer. Anal.* 21, 1984 (limiter bounds); Lin and Rood, *Mon. Wea. Rev.* 124, 1996 (why splitting needs ρ).
//! Left out: curved grids, sources (added between steps), correlation of limiters between tracers.
//! Checked by: the tests below, `tests/verification/dispersion.rs`.

use rayon::prelude::*;

use crate::numerics::tridiagonal::Diffusion;
use crate::numerics::{Real, SimdLevel, Workers, at_simd_levels};

/// Largest share of a cell that may leave it along one axis in one step. Proposed from scans of stability.
pub const MAX_COURANT: f64 = 0.8;
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

/// Everything about one step that is the same for all tracers.
#[derive(Debug)]
pub struct Plan<'f, T> {
    faces: Faces<'f, T>,
    scale: [T; 3],
    sides: Sides,
    order: [usize; 3],
    explicit: [Vec<T>; 2],
    implicit: [Vec<Option<Diffusion<T>>>; 2],
    vertical: Diffusion<T>,
    volume: Option<[Vec<T>; 3]>,
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
    /// Prepares steps of `dt_s`. `reversed` sweeps z, y, x instead of x, y, z. `volumes` must be true unless no
    /// velocity varies along its own axis.
    ///
    /// # Panics
    /// If the lists do not fit the shape: a bug in the caller.
    #[must_use]
    pub fn new(faces: Faces<'f, T>, cell_m: [f64; 3], dt_s: f64, spread: Spread<'_>, sides: Sides, reversed: bool, volumes: bool) -> Self {
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
        let scale = std::array::from_fn(|axis| T::from_f64(dt_s / cell_m[axis]));
        let order = if reversed { [2, 1, 0] } else { [0, 1, 2] };
        let volume = volumes.then(|| volumes_after(&faces, scale, order));
        Self { faces, scale, sides, order, explicit, implicit, vertical: Diffusion::new(&vertical), volume }
    }

    /// Carries one tracer by one step. `inflow` is the value of air that comes in through open sides.
    ///
    /// # Panics
    /// If `cells` is not of the plan's shape: a bug in the caller.
    pub fn advance(&self, cells: &mut [T], inflow: T, workers: &Workers) {
        let [nx, ny, nz] = self.faces.shape;
        assert_eq!(cells.len(), nx * ny * nz, "`cells` is a column of the plan's grid");
        workers.run(|| {
            for (turn, axis) in self.order.into_iter().enumerate() {
                let volume = self.volume.as_ref().map(|after| (turn.checked_sub(1).map(|t| after[t].as_slice()), after[turn].as_slice()));
                let job = Sweep { plan: self, axis, inflow, level: workers.simd, volume };
                match axis {
                    0 => cells.par_chunks_mut(nx * ny).enumerate().for_each(|(k, plane)| job.along_x(plane, k)),
                    1 => cells.par_chunks_mut(nx * ny).enumerate().for_each(|(k, plane)| {
                        let mut rows: Vec<&mut [T]> = plane.chunks_mut(nx).collect();
                        job.across(&mut rows, k);
                        if let Some(diffusion) = &self.implicit[1][k] {
                            diffusion.apply(&mut rows, &mut Vec::new());
                        }
                    }),
                    _ => {
                        let mut pencils: Vec<Vec<&mut [T]>> = (0..ny).map(|_| Vec::with_capacity(nz)).collect();
                        for (row, cells) in cells.chunks_mut(nx).enumerate() {
                            pencils[row % ny].push(cells);
                        }
                        pencils.into_par_iter().enumerate().for_each(|(j, mut rows)| {
                            job.across(&mut rows, j);
                            if !self.vertical.is_idle() {
                                self.vertical.apply(&mut rows, &mut Vec::new());
                            }
                        });
                    }
                }
            }
        });
    }
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
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let (low, high) = faces.pair(axis, [i, j, k]);
                    let here = &mut volume[i + nx * (j + ny * k)];
                    *here = *here - scale[axis] * (high - low);
                }
            }
        }
        volume.clone()
    })
}

/// One axis of one step for one tracer.
struct Sweep<'p, 'f, T> {
    plan: &'p Plan<'f, T>,
    axis: usize,
    inflow: T,
    level: SimdLevel,
    /// Volume shares before (none: whole cells) and after this sweep.
    volume: Option<(Option<&'p [T]>, &'p [T])>,
}

impl<T: Real> Sweep<'_, '_, T> {
    fn periodic(&self) -> bool {
        self.plan.sides == Sides::Periodic && self.axis < 2
    }

    /// Every row of plane `k` along itself.
    fn along_x(&self, plane: &mut [T], k: usize) {
        let [nx, ny, _] = self.plan.faces.shape;
        let number = self.plan.explicit[0][k];
        let one = T::from_f64(1.0);
        let (mut padded, mut mu) = (vec![T::default(); nx + 4], vec![T::default(); nx + 1]);
        let (mut room, mut flux) = (vec![one; nx + 2], vec![T::default(); nx + 1]);
        let (mut ones, mut scratch) = (vec![one; nx], Vec::new());
        for (j, row) in plane.chunks_mut(nx).enumerate() {
            let at = nx * (j + ny * k);
            padded[2..nx + 2].copy_from_slice(row);
            for (mu, u) in mu.iter_mut().zip(&self.plan.faces.low[0][at..at + nx]) {
                *mu = self.plan.scale[0] * *u;
            }
            mu[nx] = self.plan.scale[0] * self.plan.faces.high[0][j + ny * k];
            let ghosts = if self.periodic() {
                [row[nx.saturating_sub(2)], row[nx - 1], row[0], row[1 % nx]]
            } else {
                let low = if mu[0] > T::default() { self.inflow } else { row[0] };
                let high = if mu[nx] < T::default() { self.inflow } else { row[nx - 1] };
                [low, low, high, high]
            };
            padded[..2].copy_from_slice(&ghosts[..2]);
            padded[nx + 2..].copy_from_slice(&ghosts[2..]);
            let before = self.volume.and_then(|(before, _)| before).map_or(ones.as_slice(), |all| &all[at..at + nx]);
            T::room_row(self.level, &mut room[1..=nx], before, &mu[..nx], &mu[1..], number);
            if self.periodic() {
                (room[0], room[nx + 1]) = (room[nx], room[1]);
            }
            T::flux_row(
                self.level,
                &mut flux,
                [&padded[..=nx], &padded[1..nx + 2], &padded[2..nx + 3], &padded[3..]],
                &mu,
                [&room[..=nx], &room[1..]],
                number,
            );
            if !self.periodic() {
                // nothing diffuses through the sides
                flux[0] += number * (padded[2] - padded[1]);
                flux[nx] += number * (padded[nx + 2] - padded[nx + 1]);
            }
            let after = self.volume.map_or(ones.as_slice(), |(_, all)| &all[at..at + nx]);
            T::update_row(self.level, row, [&flux[..nx], &flux[1..]], [&mu[..nx], &mu[1..]], after);
            if let Some(diffusion) = &self.plan.implicit[0][k] {
                diffusion.apply_line(row, &mut scratch);
            }
            ones.fill(one);
        }
    }

    /// Rows of one plane across themselves: along y in plane `other` = k, or along z in slice `other` = j.
    fn across(&self, rows: &mut [&mut [T]], other: usize) {
        let n = rows.len();
        let nx = rows[0].len();
        let [_, ny, _] = self.plan.faces.shape;
        let number = if self.axis == 1 { self.plan.explicit[1][other] } else { T::default() };
        let one = T::from_f64(1.0);
        let zero = T::default();
        let place = |at: usize| {
            if self.axis == 1 { (at, other) } else { (other, at) }
        };
        let courant = |face: usize, out: &mut Vec<T>| {
            let (j, k) = place(face);
            out.clear();
            out.extend(self.plan.faces.row(self.axis, j, k).iter().map(|u| self.plan.scale[self.axis] * *u));
        };
        let ones = vec![one; nx];
        let share = |all: Option<&[T]>, at: usize, out: &mut Vec<T>| {
            let (j, k) = place(at);
            let from = nx * (j + ny * k);
            out.clear();
            out.extend_from_slice(all.map_or(&ones, |all| &all[from..from + nx]));
        };
        let (before, after) = self.volume.map_or((None, None), |(before, after)| (before, Some(after)));
        let periodic = self.periodic();
        let first: Vec<T> = rows[0].to_vec();
        let second: Vec<T> = rows[1 % n].to_vec();
        let (mut mu, mut mu_next, mut mu_last) = (Vec::new(), Vec::new(), Vec::new());
        let (mut room_low, mut room_high) = (vec![one; nx], vec![one; nx]);
        let (mut flux, mut flux_last, flux_first) = (vec![zero; nx], vec![zero; nx], &mut Vec::new());
        let (mut saved, mut ghost_low, mut ghost_high, mut volume) = (vec![zero; nx], vec![zero; nx], vec![zero; nx], Vec::new());
        courant(0, &mut mu);
        if periodic {
            courant(n - 1, &mut mu_last);
            share(before, n - 1, &mut volume);
            T::room_row(self.level, &mut room_low, &volume, &mu_last, &mu, number);
            saved.copy_from_slice(rows[(2 * n - 2) % n]);
        } else {
            for x in 0..nx {
                ghost_low[x] = if mu[x] > zero { self.inflow } else { first[x] };
            }
            saved.copy_from_slice(&ghost_low);
        }
        for face in 0..=n {
            if face < n {
                courant(face + 1, &mut mu_next);
                share(before, face, &mut volume);
                T::room_row(self.level, &mut room_high, &volume, &mu, &mu_next, number);
            } else {
                room_high.fill(one);
            }
            if !periodic && face + 1 >= n {
                // the ghost beyond the high side, from the courant number of the last face
                let last = if face == n { &mu } else { &mu_next };
                for x in 0..nx {
                    ghost_high[x] = if last[x] < zero { self.inflow } else { rows[n - 1][x] };
                }
            }
            if periodic && face == n {
                flux.copy_from_slice(flux_first);
            } else {
                let low: &[T] = if face > 0 {
                    rows[face - 1]
                } else if periodic {
                    rows[n - 1]
                } else {
                    &ghost_low
                };
                let high: &[T] = if face < n { rows[face] } else { &ghost_high };
                let beyond: &[T] = if face + 1 < n {
                    rows[face + 1]
                } else if !periodic {
                    &ghost_high
                } else if face + 1 == n {
                    &first
                } else {
                    &second
                };
                let through_side = !periodic && (face == 0 || face == n);
                let number = if through_side { zero } else { number };
                T::flux_row(self.level, &mut flux, [&saved, low, high, beyond], &mu, [&room_low, &room_high], number);
            }
            if face == 0 {
                flux_first.clone_from(&flux);
                if periodic {
                    saved.copy_from_slice(rows[n - 1]);
                } else {
                    saved.copy_from_slice(&ghost_low);
                }
            } else {
                saved.copy_from_slice(rows[face - 1]);
                share(after, face - 1, &mut volume);
                T::update_row(self.level, rows[face - 1], [&flux_last, &flux], [&mu_last, &mu], &volume);
            }
            std::mem::swap(&mut flux_last, &mut flux);
            std::mem::swap(&mut room_low, &mut room_high);
            std::mem::swap(&mut mu_last, &mut mu);
            std::mem::swap(&mut mu, &mut mu_next);
        }
    }
}

/// Row kernels at a chosen SIMD level.
pub trait Flux: Sized {
    /// What is left of each cell after its outflow and explicit diffusion: the limiter may use no more.
    fn room_row(level: SimdLevel, room: &mut [Self], before: &[Self], mu_low: &[Self], mu_high: &[Self], number: Self);
    /// Fluxes through faces from the four cells around each (`[far low, low, high, far high]`).
    fn flux_row(level: SimdLevel, flux: &mut [Self], cells: [&[Self]; 4], mu: &[Self], room: [&[Self]; 2], number: Self);
    /// New cell values from the fluxes through the low and the high face.
    fn update_row(level: SimdLevel, cells: &mut [Self], flux: [&[Self]; 2], mu: [&[Self]; 2], after: &[Self]);
}

#[expect(clippy::inline_always, reason = "the body must be compiled once for each SIMD level")]
#[inline(always)]
fn room_body<T: Real>(room: &mut [T], before: &[T], mu_low: &[T], mu_high: &[T], number: T) {
    let zero = T::default();
    let n = room.len();
    let (before, mu_low, mu_high) = (&before[..n], &mu_low[..n], &mu_high[..n]);
    let both = number + number;
    for i in 0..n {
        let out_high = if mu_high[i] > zero { mu_high[i] } else { zero };
        let out_low = if mu_low[i] < zero { -mu_low[i] } else { zero };
        room[i] = before[i] - out_high - out_low - both;
    }
}

#[expect(clippy::inline_always, reason = "the body must be compiled once for each SIMD level")]
#[inline(always)]
fn flux_body<T: Real>(flux: &mut [T], cells: [&[T]; 4], mu: &[T], room: [&[T]; 2], number: T) {
    let n = flux.len();
    let (far_low, low, high, far_high) = (&cells[0][..n], &cells[1][..n], &cells[2][..n], &cells[3][..n]);
    let (mu, room_low, room_high) = (&mu[..n], &room[0][..n], &room[1][..n]);
    let (zero, one, two) = (T::default(), T::from_f64(1.0), T::from_f64(2.0));
    let sixth = T::from_f64(1.0 / 6.0);
    for i in 0..n {
        let east = mu[i] >= zero;
        let donor = if east { low[i] } else { high[i] };
        let behind = if east { low[i] - far_low[i] } else { high[i] - far_high[i] };
        let ahead = if east { high[i] - low[i] } else { low[i] - high[i] };
        let room = if east { room_low[i] } else { room_high[i] };
        let c = mu[i].magnitude();
        let d0 = (two - c) * (one - c) * sixth;
        let d1 = (one - c) * (one + c) * sixth;
        let wanted = (c * (d0 * ahead + d1 * behind)).magnitude();
        let allowed = wanted.smaller(c * ahead.magnitude()).smaller(room * behind.magnitude());
        let same_way = behind * ahead > zero;
        let signed = if (ahead > zero) == east { allowed } else { -allowed };
        let correction = if same_way { signed } else { zero };
        flux[i] = mu[i] * donor + correction - number * (high[i] - low[i]);
    }
}

#[expect(clippy::inline_always, reason = "the body must be compiled once for each SIMD level")]
#[inline(always)]
fn update_body<T: Real>(cells: &mut [T], flux: [&[T]; 2], mu: [&[T]; 2], after: &[T]) {
    let n = cells.len();
    let (flux_low, flux_high, mu_low, mu_high, after) = (&flux[0][..n], &flux[1][..n], &mu[0][..n], &mu[1][..n], &after[..n]);
    for i in 0..n {
        let c = cells[i];
        let gone = (flux_high[i] - mu_high[i] * c) - (flux_low[i] - mu_low[i] * c);
        cells[i] = c - gone * after[i].inverse();
    }
}

macro_rules! kernels {
    ($type:ty, $room:ident, $flux:ident, $update:ident) => {
        at_simd_levels!(
            fn $room(room: &mut [$type], before: &[$type], mu_low: &[$type], mu_high: &[$type], number: $type) = room_body
        );
        at_simd_levels!(
            fn $flux(flux: &mut [$type], cells: [&[$type]; 4], mu: &[$type], room: [&[$type]; 2], number: $type) = flux_body
        );
        at_simd_levels!(fn $update(cells: &mut [$type], flux: [&[$type]; 2], mu: [&[$type]; 2], after: &[$type]) = update_body);

        impl Flux for $type {
            fn room_row(level: SimdLevel, room: &mut [Self], before: &[Self], mu_low: &[Self], mu_high: &[Self], number: Self) {
                $room(level, room, before, mu_low, mu_high, number);
            }
            fn flux_row(level: SimdLevel, flux: &mut [Self], cells: [&[Self]; 4], mu: &[Self], room: [&[Self]; 2], number: Self) {
                $flux(level, flux, cells, mu, room, number);
            }
            fn update_row(level: SimdLevel, cells: &mut [Self], flux: [&[Self]; 2], mu: [&[Self]; 2], after: &[Self]) {
                $update(level, cells, flux, mu, after);
            }
        }
    };
}

kernels!(f32, room_f32, flux_f32, update_f32);
kernels!(f64, room_f64, flux_f64, update_f64);

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
            Plan::new(faces, [1.0; 3], 0.4, spread, Sides::Open, step % 2 == 1, true).advance(cells, T::from_f64(inflow), workers);
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
        carry(&mut cells, shape, 300, 0.0, 0.0, &workers);
        let (least, most) = cells.iter().fold((f64::MAX, f64::MIN), |(l, m), c| (l.min(*c), m.max(*c)));
        assert!((cells.iter().sum::<f64>() / mass - 1.0).abs() < 1e-12);
        assert!(least >= -1e-12 && most <= 1.0 + 1e-9, "{least} {most}");
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
            Plan::new(faces, [1.0; 3], 0.5, none, Sides::Periodic, step % 2 == 1, false).advance(&mut cells, 0.0, &workers);
        }
        let norm = |list: &[f64]| list.iter().map(|c| c * c).sum::<f64>().sqrt();
        let error = norm(&cells.iter().zip(&start).map(|(a, b)| a - b).collect::<Vec<_>>()) / norm(&start);
        assert!(error < 0.05, "{error}");
        assert!((cells.iter().sum::<f64>() / start.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
