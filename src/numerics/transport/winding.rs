//! Sweeps in any wind, around obstacles too: volumes go through them, and what lies behind a closed face is not known.

use crate::numerics::Real;
use crate::numerics::transport::sweep::{Buffers, Sweep, total};

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
    let correction = if behind.with_sign_of(across) == behind { allowed.with_sign_of(across) } else { zero };
    mu[1] * donor + correction - numbers[1] * open[1] * across
}

/// A cell after what passed its low and its high face; `left` is the share of its volume after the sweep.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn after<T: Real>(old: T, [flux_low, flux_high]: [T; 2], [mu_low, mu_high]: [T; 2], left: T) -> T {
    old - ((flux_high - mu_high * old) - (flux_low - mu_low * old)) * left.inverse()
}

/// What stands around one face: three rows of velocities and of open faces, the volume shares of the two cells beside it.
struct Around<'r, T> {
    scale: T,
    speeds: [&'r [T]; 3],
    shares: [&'r [T]; 2],
    open: [&'r [T]; 3],
    numbers: [T; 3],
}

impl<'r, T: Real> Around<'r, T> {
    /// Of the face at `faces[1]`, between the cells `cells`.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn new(job: &'r Sweep<'_, '_, T>, faces: [usize; 3], cells: [usize; 2], other: usize, ones: &'r [T]) -> Self {
        let share = |at: usize| match job.volume {
            Some((Some(all), _)) => &all[job.start(at, other)..][..ones.len()],
            _ => ones,
        };
        Self {
            scale: job.scale(),
            speeds: faces.map(|at| &job.face_row(at, other)[..ones.len()]),
            shares: cells.map(share),
            open: faces.map(|at| job.open_row(at, other, ones)),
            numbers: faces.map(|at| job.diffusion_number(at, other)),
        }
    }

    /// Courant numbers and flux at `x` of the row.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn flux(&self, x: usize, values: [T; 4]) -> ([T; 3], T) {
        let [below, here, above] = self.speeds;
        let mu = [self.scale * below[x], self.scale * here[x], self.scale * above[x]];
        let open = [self.open[0][x], self.open[1][x], self.open[2][x]];
        (mu, face_flux(values, mu, [self.shares[0][x], self.shares[1][x]], self.numbers, open))
    }
}

/// Rows of one plane across themselves: along y in plane `other` = k, or along z in slice `other` = j.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn across<T: Real>(job: &Sweep<'_, '_, T>, after_all: &[T], rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    let (n, nx) = (rows.len(), rows[0].len());
    let periodic = job.periodic();
    buffers.look_beyond(job, rows, other);
    buffers.ones.resize(nx, T::from_f64(1.0));
    buffers.flux.resize(nx, T::default());
    let Buffers { flux, saved, ghosts: [ghost_low, ghost_high], second, ones, left, .. } = buffers;
    // the first face has no row below it to bring up to date
    {
        let lowest = if periodic { n - 1 } else { 0 };
        let around = Around::new(job, [lowest, 0, 1], [lowest, 0], other, ones);
        let up: &[T] = if n > 1 { rows[1] } else { ghost_high };
        let (saved, low, here, up) = (&saved[..nx], &ghost_low[..nx], &rows[0][..nx], &up[..nx]);
        for (x, flux) in flux[..nx].iter_mut().enumerate() {
            *flux = around.flux(x, [saved[x], low[x], here[x], up[x]]).1;
        }
    }
    *left = if periodic { 0.0 } else { -total(flux) };
    saved.copy_from_slice(ghost_low);
    for face in 1..=n {
        let (done, ahead) = rows.split_at_mut(face);
        let [next, beyond]: [&[T]; 2] = match &*ahead {
            [next, beyond, ..] => [next, beyond],
            [next] => [next, ghost_high],
            [] => [ghost_high, second],
        };
        // the cell and the face above this face: round the corner, or what stands in for them at a side
        let (next_cell, next_face) = match (face < n, periodic) {
            (true, _) => (face, face + 1),
            (false, true) => (0, 1 % n),
            (false, false) => (n - 1, n),
        };
        let around = Around::new(job, [face - 1, face, next_face], [face - 1, next_cell], other, ones);
        let volume = &after_all[job.start(face - 1, other)..][..nx];
        let (cell, next, beyond) = (&mut done[face - 1][..nx], &next[..nx], &beyond[..nx]);
        let (saved, flux) = (&mut saved[..nx], &mut flux[..nx]);
        for x in 0..nx {
            let old = cell[x];
            let (mu, through) = around.flux(x, [saved[x], old, next[x], beyond[x]]);
            cell[x] = after(old, [flux[x], through], [mu[0], mu[1]], volume[x]);
            (saved[x], flux[x]) = (old, through);
        }
    }
    *left += if periodic { 0.0 } else { total(flux) };
}

/// Every row of plane `k` along itself.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn along<T: Real>(job: &Sweep<'_, '_, T>, after_all: &[T], plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    let [nx, ny, _] = job.plan.faces.shape;
    let (number, scale, periodic) = (job.plan.explicit[0][k], job.scale(), job.periodic());
    let (zero, one) = (T::default(), T::from_f64(1.0));
    let Buffers { padded, speed, flux, shares, turned_open: open, left, .. } = buffers;
    let sizes = [nx + 4, nx + 3, nx + 1, nx + 2, nx + 3];
    for ((list, length), value) in [&mut *padded, speed, flux, shares, open].into_iter().zip(sizes).zip([zero, zero, zero, one, one]) {
        list.clear();
        list.resize(length, value);
    }
    *left = 0.0;
    for (j, row) in plane.chunks_mut(nx).enumerate() {
        let at = nx * (j + ny * k);
        // Courant numbers of the faces −1 to nx + 1
        for (mu, u) in speed[1..=nx].iter_mut().zip(&job.plan.faces.low[0][at..at + nx]) {
            *mu = scale * *u;
        }
        speed[nx + 1] = scale * job.plan.faces.high[0][j + ny * k];
        let (first, last) = (speed[1], speed[nx + 1]);
        (speed[0], speed[nx + 2]) = if periodic { (speed[nx], speed[2]) } else { (first, last) };
        job.pad(row, first, last, padded);
        // the shares of the cells −1 to nx, and the faces −1 to nx + 1
        if let Some((Some(all), _)) = job.volume {
            shares[1..=nx].copy_from_slice(&all[at..at + nx]);
            (shares[0], shares[nx + 1]) = if periodic { (shares[nx], shares[1]) } else { (one, one) };
        }
        if let Some(all) = job.plan.open {
            open[1..=nx].copy_from_slice(&all[0][at..at + nx]);
            let corners = [open[nx], open[1], open[2]];
            (open[0], open[nx + 1], open[nx + 2]) = if periodic { corners.into() } else { (one, one, one) };
        }
        let faces = nx + 1;
        let around = |list: &[T], x: usize| [list[x], list[x + 1], list[x + 2]];
        let (padded, speed, shares, open) = (&padded[..faces + 3], &speed[..faces + 2], &shares[..=faces], &open[..faces + 2]);
        for (x, flux) in flux[..faces].iter_mut().enumerate() {
            let values = [padded[x], padded[x + 1], padded[x + 2], padded[x + 3]];
            *flux = face_flux(values, around(speed, x), [shares[x], shares[x + 1]], [number; 3], around(open, x));
        }
        if !periodic {
            // beyond a side nothing varies and nothing diffuses: air takes along what it has
            let side = |at: usize| speed[at] * if speed[at] >= zero { padded[at] } else { padded[at + 1] };
            (flux[0], flux[nx]) = (side(1), side(nx + 1));
            *left += flux[nx].to_f64() - flux[0].to_f64();
        }
        let (flux, speed, volume) = (&flux[..faces], &speed[1..=faces], &after_all[at..at + nx]);
        for (x, cell) in row[..nx].iter_mut().enumerate() {
            *cell = after(*cell, [flux[x], flux[x + 1]], [speed[x], speed[x + 1]], volume[x]);
        }
    }
}
