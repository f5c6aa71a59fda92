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

use rayon::prelude::*;

use crate::numerics::tridiagonal::Diffusion;
use crate::numerics::{Real, SimdLevel, Workers, at_simd_levels};

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
        workers.run(|| {
            let mut left = 0.0;
            for pass in self.passes() {
                let Pass { turn, moves, spreads } = pass;
                let axis = self.order[turn];
                let volume = self.volume.as_ref().map(|after| (turn.checked_sub(1).map(|t| after[t].as_slice()), after[turn].as_slice()));
                let job = Sweep { plan: self, axis, inflow, volume };
                let level = workers.simd;
                if axis == 2 {
                    let mut pencils: Vec<Vec<&mut [T]>> = (0..ny).map(|_| Vec::with_capacity(nz)).collect();
                    for (row, cells) in cells.chunks_mut(nx).enumerate() {
                        pencils[row % ny].push(cells);
                    }
                    let all = pencils.into_par_iter().enumerate();
                    let slices = all.map_init(Buffers::default, |buffers, (j, mut rows)| {
                        buffers.left = 0.0;
                        if moves {
                            T::across(level, &job, &mut rows, j, buffers);
                        }
                        if let Some(diffusion) = self.vertical_implicit.as_ref().filter(|_| spreads) {
                            T::diffuse(level, &job, diffusion, &mut rows, j, buffers);
                        }
                        buffers.left
                    });
                    left += in_order(slices);
                    continue;
                }
                let all = cells.par_chunks_mut(nx * ny).enumerate();
                let planes = all.map_init(Buffers::default, |buffers, (k, plane)| {
                    let implicit = self.implicit[axis][k].as_ref().filter(|_| spreads);
                    buffers.left = 0.0;
                    if axis == 0 {
                        if moves {
                            T::along(level, &job, plane, k, buffers);
                        }
                        if let Some(diffusion) = implicit {
                            T::diffuse_lines(level, &job, diffusion, plane, k, buffers);
                        }
                    } else {
                        let mut rows: Vec<&mut [T]> = plane.chunks_mut(nx).collect();
                        if moves {
                            T::across(level, &job, &mut rows, k, buffers);
                        }
                        if let Some(diffusion) = implicit {
                            T::diffuse(level, &job, diffusion, &mut rows, k, buffers);
                        }
                    }
                    buffers.left
                });
                left += in_order(planes);
            }
            left
        })
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

/// One pass over the cells along the axis of a turn.
#[derive(Clone, Copy, Debug)]
struct Pass {
    turn: usize,
    moves: bool,
    spreads: bool,
}

/// The sum of a list that threads fill, in its own order.
fn in_order(list: impl IndexedParallelIterator<Item = f64>) -> f64 {
    list.collect::<Vec<f64>>().iter().sum()
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

/// One axis of one step for one tracer.
pub struct Sweep<'p, 'f, T> {
    plan: &'p Plan<'f, T>,
    axis: usize,
    inflow: T,
    /// Volume shares before (none: whole cells) and after this sweep.
    volume: Option<(Option<&'p [T]>, &'p [T])>,
}

/// Rows a thread works in, reused from plane to plane.
#[derive(Debug, Default)]
pub struct Buffers<T> {
    padded: Vec<T>,
    speed: Vec<T>,
    flux: Vec<T>,
    saved: Vec<T>,
    ghosts: [Vec<T>; 2],
    ones: Vec<T>,
    delta: Vec<f64>,
    factor: Vec<f64>,
    turned: Vec<T>,
    turned_open: Vec<T>,
    /// What left through the sides of the last plane.
    left: f64,
}

impl<T: Real> Sweep<'_, '_, T> {
    fn periodic(&self) -> bool {
        self.plan.sides == Sides::Periodic && self.axis < 2
    }

    /// Where the row of cells `at` along the axis begins, in plane (or slice) `other`.
    fn start(&self, at: usize, other: usize) -> usize {
        let [nx, ny, _] = self.plan.faces.shape;
        let (j, k) = if self.axis == 1 { (at, other) } else { (other, at) };
        nx * (j + ny * k)
    }

    /// Explicit diffusion number of the face below row `at` of plane (or slice) `other`; nothing diffuses through sides.
    fn diffusion_number(&self, at: usize, other: usize) -> T {
        let [_, ny, _] = self.plan.faces.shape;
        if self.axis == 2 {
            self.plan.vertical_explicit[at]
        } else if self.periodic() || (0 < at && at < ny) {
            self.plan.explicit[1][other]
        } else {
            T::default()
        }
    }

    /// Where something can pass the faces below row `at` of plane (or slice) `other`; `ones` everywhere without obstacles.
    fn open_row<'r>(&'r self, at: usize, other: usize, ones: &'r [T]) -> &'r [T] {
        let [nx, ny, nz] = self.plan.faces.shape;
        let n = [nx, ny, nz][self.axis];
        match self.plan.open {
            Some(open) if at < n || self.periodic() => {
                let from = self.start(at % n, other);
                &open[self.axis][from..from + nx]
            }
            _ => &ones[..nx],
        }
    }

    /// Velocities on the faces below row `at` of plane (or slice) `other`.
    fn face_row(&self, at: usize, other: usize) -> &[T] {
        let (j, k) = if self.axis == 1 { (at, other) } else { (other, at) };
        self.plan.faces.row(self.axis, j, k)
    }
}

/// The value beyond a side: what comes in, or what is inside.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn beyond_side<T: Real>(comes_in: bool, inflow: T, inside: T) -> T {
    if comes_in { inflow } else { inside }
}

/// The flux through one face between `low` and `high` in shares of a cell: third order, limited, with explicit diffusion.
///
/// `mu` are the Courant numbers of the face below, of this one and of the one above; `before` the volume shares of the
/// two cells, `numbers` the diffusion numbers of the three faces. The limiter takes no more from the donor than what
/// its outflow and its diffusion leave, and knows nothing of what lies behind a closed face; `open` are the three faces.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn face_flux<T: Real>([far_low, low, high, far_high]: [T; 4], mu: [T; 3], before: [T; 2], numbers: [T; 3], open: [T; 3]) -> T {
    let (zero, one, two) = (T::default(), T::from_f64(1.0), T::from_f64(2.0));
    let sixth = T::from_f64(1.0 / 6.0);
    let east = mu[1] >= zero;
    let c = mu[1].magnitude();
    let across = high - low;
    let (donor, behind) = if east { (low, (low - far_low) * open[0]) } else { (high, (far_high - high) * open[2]) };
    let other = if east { -mu[0] } else { mu[2] };
    let whole = if east { before[0] - numbers[0] } else { before[1] - numbers[2] };
    let room = whole - c - (if other > zero { other } else { zero }) - numbers[1];
    let room = if room > zero { room } else { zero };
    let (ahead, back) = (across.magnitude(), behind.magnitude());
    let d0 = (two - c) * (one - c) * sixth;
    let d1 = (one - c) * (one + c) * sixth;
    let allowed = (c * (d0 * ahead + d1 * back)).smaller(c * ahead).smaller(room * back);
    let correction = if behind * across > zero { allowed.with_sign_of(across) } else { zero };
    mu[1] * donor + correction - numbers[1] * open[1] * across
}

/// Rows of one plane across themselves: along y in plane `other` = k, or along z in slice `other` = j.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn across_body<T: Real>(job: &Sweep<'_, '_, T>, rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    let n = rows.len();
    let nx = rows[0].len();
    let scale = job.plan.scale[job.axis];
    let (zero, one) = (T::default(), T::from_f64(1.0));
    let periodic = job.periodic();
    let Buffers { flux, saved, ghosts: [ghost_low, ghost_high], ones, left: left_sides, .. } = buffers;
    for (list, value) in [(&mut *flux, zero), (&mut *saved, zero), (&mut *ghost_low, zero), (&mut *ghost_high, zero), (&mut *ones, one)] {
        list.clear();
        list.resize(nx, value);
    }
    let ones = &ones[..nx];
    let (before, after) = job.volume.map_or((None, None), |(before, after)| (before, Some(after)));
    let share = |all: Option<&'_ [T]>, at: usize| -> std::ops::Range<usize> {
        let from = if all.is_some() { job.start(at, other) } else { 0 };
        from..from + nx
    };
    let before_all = before.unwrap_or(ones);
    let after_all = after.unwrap_or(ones);
    // the rows beyond the first and the last: what is on the other side, or what the sides let in
    let (first, last) = (&job.face_row(0, other)[..nx], &job.face_row(n, other)[..nx]);
    let mut second = Vec::new();
    if periodic {
        ghost_low.copy_from_slice(rows[n - 1]);
        ghost_high.copy_from_slice(rows[0]);
        saved.copy_from_slice(rows[(2 * n - 2) % n]);
        second.extend_from_slice(rows[1 % n]);
    } else {
        let (lowest, highest) = (&rows[0][..nx], &rows[n - 1][..nx]);
        let (ghost_low, ghost_high) = (&mut ghost_low[..nx], &mut ghost_high[..nx]);
        for x in 0..nx {
            ghost_low[x] = beyond_side(first[x] > zero, job.inflow, lowest[x]);
            ghost_high[x] = beyond_side(last[x] < zero, job.inflow, highest[x]);
        }
        saved.copy_from_slice(ghost_low);
        second.extend_from_slice(ghost_high);
    }
    // the first face has no row below it to bring up to date
    {
        let up: &[T] = if n > 1 { rows[1] } else { ghost_high };
        let lowest = if periodic { n - 1 } else { 0 };
        let numbers = [lowest, 0, 1].map(|at| job.diffusion_number(at, other));
        let (low_share, high_share) = (&before_all[share(before, lowest)], &before_all[share(before, 0)]);
        let (below, above) = (&job.face_row(lowest, other)[..nx], &job.face_row(1, other)[..nx]);
        let (low, here, up) = (&ghost_low[..nx], &rows[0][..nx], &up[..nx]);
        let [open_below, open_here, open_above] = [lowest, 0, 1].map(|at| job.open_row(at, other, ones));
        let (saved, flux) = (&saved[..nx], &mut flux[..nx]);
        for x in 0..nx {
            let mu = [scale * below[x], scale * first[x], scale * above[x]];
            let open = [open_below[x], open_here[x], open_above[x]];
            flux[x] = face_flux([saved[x], low[x], here[x], up[x]], mu, [low_share[x], high_share[x]], numbers, open);
        }
    }
    *left_sides = if periodic { 0.0 } else { -total(flux) };
    saved.copy_from_slice(ghost_low);
    for face in 1..=n {
        let (done, ahead) = rows.split_at_mut(face);
        let cell = &mut *done[face - 1];
        let next: &[T] = if face < n { ahead[0] } else { ghost_high };
        let beyond: &[T] = match (n - face).min(2) {
            2 => ahead[1],
            1 => ghost_high,
            _ => &second,
        };
        // the cell and the face above this face: round the corner, or what stands in for them at a side
        let (next_cell, next_face) = match (face < n, periodic) {
            (true, _) => (face, face + 1),
            (false, true) => (0, 1 % n),
            (false, false) => (n - 1, n),
        };
        let numbers = [face - 1, face, next_face].map(|at| job.diffusion_number(at, other));
        let (below, here, above) = (job.face_row(face - 1, other), job.face_row(face, other), job.face_row(next_face, other));
        let (low_share, high_share) = (&before_all[share(before, face - 1)], &before_all[share(before, next_cell)]);
        let left = &after_all[share(after, face - 1)];
        let (cell, next, beyond) = (&mut cell[..nx], &next[..nx], &beyond[..nx]);
        let (below, here, above) = (&below[..nx], &here[..nx], &above[..nx]);
        let (saved, flux) = (&mut saved[..nx], &mut flux[..nx]);
        let [open_below, open_here, open_above] = [face - 1, face, next_face].map(|at| job.open_row(at, other, ones));
        if after.is_none() {
            for x in 0..nx {
                let mu = [scale * below[x], scale * here[x], scale * above[x]];
                let old = cell[x];
                let through = face_flux([saved[x], old, next[x], beyond[x]], mu, [one, one], numbers, [one; 3]);
                cell[x] = old - ((through - mu[1] * old) - (flux[x] - mu[0] * old));
                (saved[x], flux[x]) = (old, through);
            }
        } else {
            for x in 0..nx {
                let mu = [scale * below[x], scale * here[x], scale * above[x]];
                let old = cell[x];
                let open = [open_below[x], open_here[x], open_above[x]];
                let through = face_flux([saved[x], old, next[x], beyond[x]], mu, [low_share[x], high_share[x]], numbers, open);
                cell[x] = old - ((through - mu[1] * old) - (flux[x] - mu[0] * old)) * left[x].inverse();
                (saved[x], flux[x]) = (old, through);
            }
        }
    }
    *left_sides += if periodic { 0.0 } else { total(flux) };
}

/// The sum of a row in double precision.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn total<T: Real>(row: &[T]) -> f64 {
    row.iter().map(|value| value.to_f64()).sum()
}

/// Every row of plane `k` along itself.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn along_body<T: Real>(job: &Sweep<'_, '_, T>, plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    let [nx, ny, _] = job.plan.faces.shape;
    let scale = job.plan.scale[0];
    let number = job.plan.explicit[0][k];
    let (zero, one, numbers) = (T::default(), T::from_f64(1.0), [number; 3]);
    let periodic = job.periodic();
    let Buffers { padded, speed, flux, ones: shares, turned_open: open, left, .. } = buffers;
    for (list, length, value) in [
        (&mut *padded, nx + 4, zero),
        (&mut *speed, nx + 3, zero),
        (&mut *flux, nx + 1, zero),
        (&mut *shares, nx + 2, one),
        (&mut *open, nx + 3, one),
    ] {
        list.clear();
        list.resize(length, value);
    }
    for (j, row) in plane.chunks_mut(nx).enumerate() {
        let at = nx * (j + ny * k);
        // Courant numbers of the faces −1 to nx + 1
        for (mu, u) in speed[1..=nx].iter_mut().zip(&job.plan.faces.low[0][at..at + nx]) {
            *mu = scale * *u;
        }
        speed[nx + 1] = scale * job.plan.faces.high[0][j + ny * k];
        let (first, last) = (speed[1], speed[nx + 1]);
        (speed[0], speed[nx + 2]) = if periodic { (speed[nx], speed[2]) } else { (first, last) };
        padded[2..nx + 2].copy_from_slice(row);
        let ghosts = if periodic {
            [row[(2 * nx - 2) % nx], row[nx - 1], row[0], row[1 % nx]]
        } else {
            let (low, high) = (beyond_side(first > zero, job.inflow, row[0]), beyond_side(last < zero, job.inflow, row[nx - 1]));
            [low, low, high, high]
        };
        padded[..2].copy_from_slice(&ghosts[..2]);
        padded[nx + 2..].copy_from_slice(&ghosts[2..]);
        let faces = nx + 1;
        let (far_low, low, high, far_high) = (&padded[..faces], &padded[1..=faces], &padded[2..faces + 2], &padded[3..faces + 3]);
        let (below, here, above) = (&speed[..faces], &speed[1..=faces], &speed[2..faces + 2]);
        let flux = &mut flux[..faces];
        match job.volume {
            None => {
                for i in 0..faces {
                    let mu = [below[i], here[i], above[i]];
                    flux[i] = face_flux([far_low[i], low[i], high[i], far_high[i]], mu, [one, one], numbers, [one; 3]);
                }
            }
            Some((before, _)) => {
                // the shares of the cells −1 to nx, and the faces −1 to nx + 1
                if let Some(all) = before {
                    shares[1..=nx].copy_from_slice(&all[at..at + nx]);
                    (shares[0], shares[nx + 1]) = if periodic { (shares[nx], shares[1]) } else { (one, one) };
                }
                if let Some(all) = job.plan.open {
                    open[1..=nx].copy_from_slice(&all[0][at..at + nx]);
                    let corners = [open[nx], open[1], open[2]];
                    (open[0], open[nx + 1], open[nx + 2]) = if periodic { corners.into() } else { (one, one, one) };
                }
                let (open_below, open_here, open_above) = (&open[..faces], &open[1..=faces], &open[2..faces + 2]);
                for i in 0..faces {
                    let mu = [below[i], here[i], above[i]];
                    let open = [open_below[i], open_here[i], open_above[i]];
                    flux[i] = face_flux([far_low[i], low[i], high[i], far_high[i]], mu, [shares[i], shares[i + 1]], numbers, open);
                }
            }
        }
        if !periodic {
            // nothing diffuses through the sides
            flux[0] += number * open[1] * (high[0] - low[0]);
            flux[nx] += number * open[nx + 1] * (high[nx] - low[nx]);
            *left += flux[nx].to_f64() - flux[0].to_f64();
        }
        let (flux_low, flux_high, mu_low, mu_high) = (&flux[..nx], &flux[1..=nx], &here[..nx], &here[1..=nx]);
        match job.volume {
            None => {
                for i in 0..nx {
                    let old = row[i];
                    row[i] = old - ((flux_high[i] - mu_high[i] * old) - (flux_low[i] - mu_low[i] * old));
                }
            }
            Some((_, all)) => {
                let after = &all[at..at + nx];
                for i in 0..nx {
                    let old = row[i];
                    row[i] = old - ((flux_high[i] - mu_high[i] * old) - (flux_low[i] - mu_low[i] * old)) * after[i].inverse();
                }
            }
        }
    }
}

/// Lines that are turned together, so that implicit diffusion along x runs across them.
const TURNED: usize = 16;

/// Implicit diffusion of every row of plane `k` along itself.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn diffuse_lines_body<T: Real>(job: &Sweep<'_, '_, T>, diffusion: &Diffusion, plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    let nx = diffusion.cells();
    let [_, ny, _] = job.plan.faces.shape;
    let Buffers { turned, turned_open, delta, factor, .. } = buffers;
    for (block_index, block) in plane.chunks_mut(nx * TURNED).enumerate() {
        let lines = block.len() / nx;
        turn(block, nx, turned);
        let mut rows: Vec<&mut [T]> = turned.chunks_mut(lines).collect();
        if let Some(open) = job.plan.open {
            let from = nx * (block_index * TURNED + ny * k);
            turn(&open[0][from..from + block.len()], nx, turned_open);
            diffusion.apply_around(&mut rows, |face| &turned_open[face * lines..(face + 1) * lines], delta, factor);
        } else {
            diffusion.apply(&mut rows, delta);
        }
        for (line, row) in block.chunks_mut(nx).enumerate() {
            for (i, value) in row.iter_mut().enumerate() {
                *value = turned[i * lines + line];
            }
        }
    }
}

/// Writes lines of `nx` cells so that equal cells of all lines lie side by side.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn turn<T: Real>(block: &[T], nx: usize, turned: &mut Vec<T>) {
    let lines = block.len() / nx;
    turned.clear();
    turned.resize(nx * lines, T::default());
    for (line, row) in block.chunks(nx).enumerate() {
        for (i, value) in row.iter().enumerate() {
            turned[i * lines + line] = *value;
        }
    }
}

/// Implicit diffusion of rows across themselves.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn diffuse_body<T: Real>(job: &Sweep<'_, '_, T>, diffusion: &Diffusion, rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    let Buffers { delta, factor, ones, .. } = buffers;
    if job.plan.open.is_some() {
        diffusion.apply_around(rows, |face| job.open_row(face, other, ones), delta, factor);
    } else {
        diffusion.apply(rows, delta);
    }
}

/// The kernels of one plane at a chosen SIMD level.
pub trait PlaneKernels: Sized {
    /// Carries rows across themselves.
    fn across(level: SimdLevel, job: &Sweep<'_, '_, Self>, rows: &mut [&mut [Self]], other: usize, buffers: &mut Buffers<Self>);
    /// Carries rows along themselves.
    fn along(level: SimdLevel, job: &Sweep<'_, '_, Self>, plane: &mut [Self], k: usize, buffers: &mut Buffers<Self>);
    /// Diffuses rows across themselves, implicitly.
    fn diffuse(
        level: SimdLevel,
        job: &Sweep<'_, '_, Self>,
        diffusion: &Diffusion,
        rows: &mut [&mut [Self]],
        other: usize,
        buffers: &mut Buffers<Self>,
    );
    /// Diffuses rows along themselves, implicitly.
    fn diffuse_lines(
        level: SimdLevel,
        job: &Sweep<'_, '_, Self>,
        diffusion: &Diffusion,
        plane: &mut [Self],
        k: usize,
        buffers: &mut Buffers<Self>,
    );
}

macro_rules! plane_kernels {
    ($type:ty, $across:ident, $along:ident, $diffuse:ident, $lines:ident) => {
        at_simd_levels!(
            fn $across(job: &Sweep<'_, '_, $type>, rows: &mut [&mut [$type]], other: usize, buffers: &mut Buffers<$type>) = across_body
        );
        at_simd_levels!(fn $along(job: &Sweep<'_, '_, $type>, plane: &mut [$type], k: usize, buffers: &mut Buffers<$type>) = along_body);
        at_simd_levels!(
            fn $diffuse(
                job: &Sweep<'_, '_, $type>,
                diffusion: &Diffusion,
                rows: &mut [&mut [$type]],
                other: usize,
                buffers: &mut Buffers<$type>,
            ) = diffuse_body
        );
        at_simd_levels!(
            fn $lines(
                job: &Sweep<'_, '_, $type>,
                diffusion: &Diffusion,
                plane: &mut [$type],
                k: usize,
                buffers: &mut Buffers<$type>,
            ) = diffuse_lines_body
        );

        impl PlaneKernels for $type {
            fn across(level: SimdLevel, job: &Sweep<'_, '_, Self>, rows: &mut [&mut [Self]], other: usize, buffers: &mut Buffers<Self>) {
                $across(level, job, rows, other, buffers);
            }
            fn along(level: SimdLevel, job: &Sweep<'_, '_, Self>, plane: &mut [Self], k: usize, buffers: &mut Buffers<Self>) {
                $along(level, job, plane, k, buffers);
            }
            fn diffuse(
                level: SimdLevel,
                job: &Sweep<'_, '_, Self>,
                diffusion: &Diffusion,
                rows: &mut [&mut [Self]],
                other: usize,
                buffers: &mut Buffers<Self>,
            ) {
                $diffuse(level, job, diffusion, rows, other, buffers);
            }
            fn diffuse_lines(
                level: SimdLevel,
                job: &Sweep<'_, '_, Self>,
                diffusion: &Diffusion,
                plane: &mut [Self],
                k: usize,
                buffers: &mut Buffers<Self>,
            ) {
                $lines(level, job, diffusion, plane, k, buffers);
            }
        }
    };
}

plane_kernels!(f32, across_f32, along_f32, diffuse_f32, diffuse_lines_f32);
plane_kernels!(f64, across_f64, along_f64, diffuse_f64, diffuse_lines_f64);

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
}
