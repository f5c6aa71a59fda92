//! Sweeps where no velocity varies along its own axis: what only the air decides is worked out once for each line.
//!
//! The same flux as in [`winding`](super::winding), to the same bits: nothing leaves a donor on its other side, volumes
//! stay whole, and no face is closed. Fast because rows across themselves go up in strips of `LANES` that lie
//! side by side and stay in registers, and rows along themselves go through each stage `TOGETHER`.

use crate::numerics::Real;
use crate::numerics::transport::sweep::{Buffers, Sweep, total};

/// Lines side by side that go up together.
pub(super) const LANES: usize = 16;
/// Rows that go through each stage together along themselves: what one stage writes has left the store buffer when the
/// next reads it at another offset.
const TOGETHER: usize = 8;

/// Ways of the air of a strip, up its axis or down. A way that is known saves a choice at every face.
const EAST: i8 = 1;
const WEST: i8 = -1;
const EITHER: i8 = 0;

/// What the air of one line decides for all of its faces.
#[derive(Clone, Copy, Debug)]
struct Air<T> {
    /// Courant number.
    mu: T,
    /// Its magnitude.
    c: T,
    /// Weights of the differences across a face and behind it.
    d0: T,
    d1: T,
}

impl<T: Real> Air<T> {
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn new(mu: T) -> Self {
        let (one, two, sixth) = (T::from_f64(1.0), T::from_f64(2.0), T::from_f64(1.0 / 6.0));
        let c = mu.magnitude();
        Self { mu, c, d0: (two - c) * (one - c) * sixth, d1: (one - c) * (one + c) * sixth }
    }

    /// The flux through one face, in air that goes `WAY`. `numbers` are the diffusion numbers of the face below, of this one and of the one above.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn flux<const WAY: i8>(self, [far_low, low, high, far_high]: [T; 4], numbers: [T; 3]) -> T {
        let (zero, one) = (T::default(), T::from_f64(1.0));
        let Self { mu, c, d0, d1 } = self;
        let east = WAY == EAST || (WAY == EITHER && mu >= zero);
        let across = high - low;
        let (donor, behind) = if east { (low, low - far_low) } else { (high, far_high - high) };
        let room = (if east { one - numbers[0] } else { one - numbers[2] }) - c - numbers[1];
        let room = if room > zero { room } else { zero };
        let (ahead, back) = (across.magnitude(), behind.magnitude());
        let allowed = (c * (d0 * ahead + d1 * back)).smaller(c * ahead).smaller(room * back);
        let correction = if behind.with_sign_of(across) == behind { allowed.with_sign_of(across) } else { zero };
        mu * donor + correction - numbers[1] * across
    }

    /// Fluxes through the low faces of the `n` cells of one line, in whole strips; what lies beyond the last means nothing.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn line_fluxes<const WAY: i8>(self, padded: &[T], n: usize, number: T, flux: &mut [T]) {
        for (at, fluxes) in flux[..n.next_multiple_of(LANES)].chunks_exact_mut(LANES).enumerate() {
            let at = LANES * at;
            let [far_low, low, high, far_high] = [lanes(padded, at), lanes(padded, at + 1), lanes(padded, at + 2), lanes(padded, at + 3)];
            let mut through = low;
            for lane in 0..LANES {
                through[lane] = self.flux::<WAY>([far_low[lane], low[lane], high[lane], far_high[lane]], [number; 3]);
            }
            fluxes.copy_from_slice(&through);
        }
    }

    /// A cell after what passed its low and its high face.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn after(self, old: T, [flux_low, flux_high]: [T; 2]) -> T {
        let carried = self.mu * old;
        old - ((flux_high - carried) - (flux_low - carried))
    }

    /// A strip of cells after what passed their low and their high faces.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
    #[inline(always)]
    fn strip_after(self, mut cells: [T; LANES], low: [T; LANES], high: [T; LANES]) -> [T; LANES] {
        for lane in 0..LANES {
            cells[lane] = self.after(cells[lane], [low[lane], high[lane]]);
        }
        cells
    }
}

/// Rows of one plane across themselves: along y in plane `other` = k, or along z in slice `other` = j.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn across<T: Real>(job: &Sweep<'_, '_, T>, rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    let (n, nx) = (rows.len(), rows[0].len());
    let periodic = job.periodic();
    buffers.look_beyond(job, rows, other);
    let number = |face: usize| job.diffusion_number(face, other);
    buffers.numbers.clear();
    buffers.numbers.push(number(if periodic { n - 1 } else { 0 }));
    buffers.numbers.extend((0..=n).map(number));
    buffers.numbers.push(number(if periodic { 1 % n } else { n }));
    let Buffers { saved, ghosts: [low, high], second, numbers, columns, left, .. } = buffers;
    *left = 0.0;
    let strips = nx.div_ceil(LANES);
    let speeds = &job.face_row(0, other)[..nx];
    columns.resize(strips * (n + 4), [T::default(); LANES]);
    let beyond: [(usize, &[T]); 4] = [(0, saved), (1, low), (n + 2, high), (n + 3, second)];
    for (at, row) in beyond.into_iter().chain(rows.iter().map(|row| &**row).enumerate().map(|(at, row)| (at + 2, row))) {
        let (whole, rest) = row.as_chunks();
        for (strip, column) in whole.iter().zip(columns.chunks_exact_mut(n + 4)) {
            column[at] = *strip;
        }
        if !rest.is_empty() {
            columns[whole.len() * (n + 4) + at][..rest.len()].copy_from_slice(rest);
        }
    }
    for (strip, column) in columns.chunks_mut(n + 4).enumerate() {
        let here = LANES * strip..nx.min(LANES * (strip + 1));
        let mut lanes = [T::default(); LANES];
        put(&speeds[here.clone()], &mut lanes);
        let [first, last] = rise(job.scale(), lanes, numbers, column);
        if !periodic {
            *left += total(&last[..here.len()]) - total(&first[..here.len()]);
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        let (whole, rest) = row.as_chunks_mut();
        for (strip, column) in whole.iter_mut().zip(columns.chunks_exact(n + 4)) {
            *strip = column[at + 1];
        }
        if !rest.is_empty() {
            rest.copy_from_slice(&columns[whole.len() * (n + 4) + at + 1][..rest.len()]);
        }
    }
}

/// Writes a strip; zeros where `lanes` ends.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn put<T: Real>(lanes: &[T], strip: &mut [T; LANES]) {
    if let Some(whole) = lanes.first_chunk() {
        *strip = *whole;
    } else {
        *strip = [T::default(); LANES];
        strip[..lanes.len()].copy_from_slice(lanes);
    }
}

/// Brings a column of cells with two more beyond each of its ends up to date, from the lowest up, and leaves it one place
/// lower. Gives what passed the first faces and the last.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn rise<T: Real>(scale: T, speeds: [T; LANES], numbers: &[T], column: &mut [[T; LANES]]) -> [[T; LANES]; 2] {
    let (mut mu, mut c, mut d0, mut d1) = (speeds, speeds, speeds, speeds);
    for lane in 0..LANES {
        Air { mu: mu[lane], c: c[lane], d0: d0[lane], d1: d1[lane] } = Air::new(scale * speeds[lane]);
    }
    let zero = T::default();
    if speeds.iter().all(|u| *u >= zero) {
        rise_along::<EAST, T>([mu, c, d0, d1], numbers, column)
    } else if speeds.iter().all(|u| *u <= zero) {
        rise_along::<WEST, T>([mu, c, d0, d1], numbers, column)
    } else {
        rise_along::<EITHER, T>([mu, c, d0, d1], numbers, column)
    }
}

/// The same in air that goes `WAY`.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn rise_along<const WAY: i8, T: Real>([mu, c, d0, d1]: [[T; LANES]; 4], numbers: &[T], column: &mut [[T; LANES]]) -> [[T; LANES]; 2] {
    let mut first = mu;
    let mut before = mu;
    let [mut far, mut below, mut here] = [column[0], column[1], column[2]];
    for (face, numbers) in numbers.array_windows().enumerate() {
        let beyond = column[face + 3];
        let (mut through, mut new) = (below, below);
        for lane in 0..LANES {
            let air = Air { mu: mu[lane], c: c[lane], d0: d0[lane], d1: d1[lane] };
            through[lane] = air.flux::<WAY>([far[lane], below[lane], here[lane], beyond[lane]], *numbers);
            new[lane] = air.after(below[lane], [before[lane], through[lane]]);
        }
        // below the first face there is no cell: its place is free
        column[face] = new;
        if face == 0 {
            first = through;
        }
        (far, below, here, before) = (below, here, beyond, through);
    }
    [first, before]
}

/// The strip of a list that begins at `at`.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn lanes<T: Real>(list: &[T], at: usize) -> [T; LANES] {
    let mut strip = [T::default(); LANES];
    strip.copy_from_slice(&list[at..at + LANES]);
    strip
}

/// Every row of plane `k` along itself.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn along<T: Real>(job: &Sweep<'_, '_, T>, plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    let [nx, ny, _] = job.plan.faces.shape;
    let number = job.plan.explicit[0][k];
    let zero = T::default();
    // room for whole strips of a line and the cells or the face beyond its end
    let room = nx.next_multiple_of(LANES) + LANES;
    let Buffers { padded, flux, left, .. } = buffers;
    padded.resize(TOGETHER * room, zero);
    flux.resize(TOGETHER * room, zero);
    *left = 0.0;
    for (block, rows) in plane.chunks_mut(nx * TOGETHER).enumerate() {
        let speeds = &job.plan.faces.low[0][nx * (block * TOGETHER + ny * k)..];
        let mut airs = [Air::new(zero); TOGETHER];
        for (line, air) in airs.iter_mut().enumerate().take(rows.len() / nx) {
            *air = Air::new(job.scale() * speeds[nx * line]);
        }
        for ((row, padded), air) in rows.chunks(nx).zip(padded.chunks_mut(room)).zip(airs) {
            job.pad(row, air.mu, air.mu, &mut padded[..nx + 4]);
        }
        for ((padded, flux), air) in padded.chunks(room).zip(flux.chunks_mut(room)).zip(airs).take(rows.len() / nx) {
            if air.mu >= zero {
                air.line_fluxes::<EAST>(padded, nx, number, flux);
            } else {
                air.line_fluxes::<WEST>(padded, nx, number, flux);
            }
            if job.periodic() {
                flux[nx] = flux[0];
            } else {
                // beyond a side nothing varies and nothing diffuses: air takes along what it has
                let [first, last] = if air.mu >= zero { [padded[1], padded[nx + 1]] } else { [padded[2], padded[nx + 2]] };
                (flux[0], flux[nx]) = (air.mu * first, air.mu * last);
                *left += flux[nx].to_f64() - flux[0].to_f64();
            }
        }
        for ((row, flux), air) in rows.chunks_mut(nx).zip(flux.chunks(room)).zip(airs) {
            let (whole, rest) = row.as_chunks_mut();
            for (at, cells) in whole.iter_mut().enumerate() {
                *cells = air.strip_after(*cells, lanes(flux, LANES * at), lanes(flux, LANES * at + 1));
            }
            let done = nx - rest.len();
            for (x, cell) in rest.iter_mut().enumerate() {
                *cell = air.after(*cell, [flux[done + x], flux[done + x + 1]]);
            }
        }
    }
}
