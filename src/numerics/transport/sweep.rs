//! What the kernels of one plane share: the job, the rows a thread works in, and what lies beyond the sides.

use crate::numerics::Real;
use crate::numerics::transport::straight::LANES;
use crate::numerics::transport::{Plan, Sides};

/// One axis of one step for one tracer.
pub struct Sweep<'p, 'f, T> {
    pub(super) plan: &'p Plan<'f, T>,
    pub(super) axis: usize,
    pub(super) inflow: T,
    /// Volume shares before (none: whole cells) and after this sweep; none where no velocity varies along its own axis.
    pub(super) volume: Option<(Option<&'p [T]>, &'p [T])>,
}

impl<T: Real> Sweep<'_, '_, T> {
    pub(super) fn periodic(&self) -> bool {
        self.plan.sides == Sides::Periodic && self.axis < 2
    }

    /// Seconds a metre of cell.
    pub(super) fn scale(&self) -> T {
        self.plan.scale[self.axis]
    }

    /// Where the row of cells `at` along the axis begins, in plane (or slice) `other`.
    pub(super) fn start(&self, at: usize, other: usize) -> usize {
        let [nx, ny, _] = self.plan.faces.shape;
        let (j, k) = if self.axis == 1 { (at, other) } else { (other, at) };
        nx * (j + ny * k)
    }

    /// Explicit diffusion number of the face below row `at` of plane (or slice) `other`; nothing diffuses through sides.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    pub(super) fn diffusion_number(&self, at: usize, other: usize) -> T {
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
    pub(super) fn open_row<'r>(&'r self, at: usize, other: usize, ones: &'r [T]) -> &'r [T] {
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
    pub(super) fn face_row(&self, at: usize, other: usize) -> &[T] {
        let (j, k) = if self.axis == 1 { (at, other) } else { (other, at) };
        self.plan.faces.row(self.axis, j, k)
    }

    /// Copies `row` into `padded` with two cells beyond each of its sides; `first` and `last` are the speeds through them.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    pub(super) fn pad(&self, row: &[T], first: T, last: T, padded: &mut [T]) {
        let nx = row.len();
        let zero = T::default();
        padded[2..nx + 2].copy_from_slice(row);
        let ghosts = if self.periodic() {
            [row[(2 * nx - 2) % nx], row[nx - 1], row[0], row[1 % nx]]
        } else {
            let (low, high) = (beyond_side(first > zero, self.inflow, row[0]), beyond_side(last < zero, self.inflow, row[nx - 1]));
            [low, low, high, high]
        };
        padded[..2].copy_from_slice(&ghosts[..2]);
        padded[nx + 2..].copy_from_slice(&ghosts[2..]);
    }
}

/// Rows a thread works in, reused from plane to plane.
#[derive(Debug, Default)]
pub struct Buffers<T> {
    /// A row with two cells beyond each of its sides.
    pub(super) padded: Vec<T>,
    pub(super) speed: Vec<T>,
    pub(super) flux: Vec<T>,
    /// Old values of the row below.
    pub(super) saved: Vec<T>,
    /// The rows beyond the first and the last.
    pub(super) ghosts: [Vec<T>; 2],
    /// The second row beyond the last.
    pub(super) second: Vec<T>,
    /// As many ones as a row has cells.
    pub(super) ones: Vec<T>,
    /// Volume shares of the cells of a row, and of one beyond each of its sides.
    pub(super) shares: Vec<T>,
    /// Diffusion numbers of all faces, and of those beyond the first and the last.
    pub(super) numbers: Vec<T>,
    /// Strips of all rows, one strip after the other.
    pub(super) columns: Vec<[T; LANES]>,
    pub(super) delta: Vec<f64>,
    pub(super) factor: Vec<f64>,
    pub(super) turned: Vec<T>,
    pub(super) turned_open: Vec<T>,
    /// What left through the sides of the last plane.
    pub(super) left: f64,
}

impl<T: Real> Buffers<T> {
    /// Sets the rows beyond the first (two: `ghosts[0]`, and `saved` beyond it) and the last (`ghosts[1]` and `second`):
    /// what is on the other side, or what the sides let in.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    pub(super) fn look_beyond(&mut self, job: &Sweep<'_, '_, T>, rows: &[&mut [T]], other: usize) {
        let (n, nx) = (rows.len(), rows[0].len());
        let Self { saved, ghosts: [low, high], second, .. } = self;
        for list in [&mut *saved, &mut *low, &mut *high, &mut *second] {
            list.resize(nx, T::default());
        }
        if job.periodic() {
            low.copy_from_slice(rows[n - 1]);
            high.copy_from_slice(rows[0]);
            saved.copy_from_slice(rows[(2 * n - 2) % n]);
            second.copy_from_slice(rows[1 % n]);
            return;
        }
        let zero = T::default();
        let (first, last) = (&job.face_row(0, other)[..nx], &job.face_row(n, other)[..nx]);
        let (lowest, highest) = (&rows[0][..nx], &rows[n - 1][..nx]);
        let (low, high) = (&mut low[..nx], &mut high[..nx]);
        for x in 0..nx {
            low[x] = beyond_side(first[x] > zero, job.inflow, lowest[x]);
            high[x] = beyond_side(last[x] < zero, job.inflow, highest[x]);
        }
        saved.copy_from_slice(low);
        second.copy_from_slice(high);
    }
}

/// The value beyond a side: what comes in, or what is inside.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn beyond_side<T: Real>(comes_in: bool, inflow: T, inside: T) -> T {
    if comes_in { inflow } else { inside }
}

/// The sum of a row in double precision.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn total<T: Real>(row: &[T]) -> f64 {
    row.iter().map(|value| value.to_f64()).sum()
}
