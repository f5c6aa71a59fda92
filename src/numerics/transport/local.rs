//! Diffusion by a diffusivity of each cell, beyond that of its level: what eddies smaller than the cells do where they are not alike.
//!
//! Explicit, all faces at once, in as many parts as keep it positive. A face spreads by the mean of its two cells, less what its level spreads anyway; nothing goes
//! through closed faces and through sides that are not periodic. A uniform tracer stays uniform to the bit. Each cell is worked out in double precision and rounded once.

use super::{Sides, Spread};
use crate::numerics::{Real, Workers};

/// Largest sum of the diffusion numbers of a cell's faces in one part: half of what keeps it positive.
const MOST_SPREAD: f64 = 0.5;

/// One step of it, the same for all tracers.
#[derive(Debug)]
pub struct LocalSpread {
    shape: [usize; 3],
    periodic: bool,
    /// Diffusion numbers of the low faces along x, y, z in one part.
    numbers: [Vec<f64>; 3],
    parts: usize,
}

impl LocalSpread {
    /// Prepares a step of `dt_s`. `cells` are diffusivities in m² s⁻¹, `levels` what a [`Plan`](super::Plan) spreads by; `open` tells for the low faces along x, y, z
    /// whether something can pass, where not all are open.
    ///
    /// # Panics
    /// If `cells` is not of this shape: a bug in the caller.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a number that is not negative; saturates")]
    pub fn new<T: Real>(
        cells: &[T],
        levels: Spread<'_>,
        (shape, cell_m): ([usize; 3], [f64; 3]),
        dt_s: f64,
        sides: Sides,
        open: Option<[&[T]; 3]>,
    ) -> Self {
        let [nx, ny, nz] = shape;
        assert_eq!(cells.len(), nx * ny * nz, "one diffusivity a cell");
        let periodic = sides == Sides::Periodic;
        let mut numbers: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; cells.len()]);
        for (axis, numbers) in numbers.iter_mut().enumerate() {
            let by_level = [levels.x, levels.y, levels.z_faces][axis];
            for (cell, number) in numbers.iter_mut().enumerate() {
                let at = [cell % nx, cell / nx % ny, cell / (nx * ny)];
                let Some(below) = lower(cell, axis, at, shape, periodic) else { continue };
                let beyond = f64::midpoint(cells[below].to_f64(), cells[cell].to_f64()) - by_level[at[2]];
                let passes = open.map_or(1.0, |open| open[axis][cell].to_f64());
                *number = beyond.max(0.0) * passes * dt_s / (cell_m[axis] * cell_m[axis]);
            }
        }
        let most = |axis: usize| numbers[axis].iter().copied().fold(0.0, f64::max);
        let parts = (2.0 * (most(0) + most(1) + most(2)) / MOST_SPREAD).ceil().max(1.0);
        numbers.iter_mut().flatten().for_each(|number| *number /= parts);
        Self { shape, periodic, numbers, parts: parts as usize }
    }

    /// Spreads one tracer.
    ///
    /// # Panics
    /// If `cells` is not of this shape: a bug in the caller.
    pub fn apply<T: Real>(&self, cells: &mut [T], workers: &Workers) {
        let [nx, ny, nz] = self.shape;
        assert_eq!(cells.len(), nx * ny * nz, "`cells` is a column of the grid");
        let mut before = cells.to_vec();
        for part in 0..self.parts {
            if part > 0 {
                before.copy_from_slice(cells);
            }
            let before = &before;
            workers.map(
                cells.chunks_mut(nx * ny).collect(),
                || vec![0.0; nx],
                |gains, k, plane: &mut [T]| {
                    for (j, row) in plane.chunks_mut(nx).enumerate() {
                        gains.fill(0.0);
                        for axis in 0..3 {
                            self.gain(axis, nx * (j + ny * k), before, gains);
                        }
                        for (cell, gain) in row.iter_mut().zip(&*gains) {
                            *cell = T::from_f64(cell.to_f64() + gain);
                        }
                    }
                },
            );
        }
    }

    /// Adds to `gains` what comes through the faces along an axis into the row of cells that begins at `from`.
    fn gain<T: Real>(&self, axis: usize, from: usize, before: &[T], gains: &mut [f64]) {
        let [nx, ny, _] = self.shape;
        let (n, step) = (self.shape[axis], [1, nx, nx * ny][axis]);
        let numbers = &self.numbers[axis];
        let mut add = |i: usize, face: usize, beside: usize| {
            let here = before[from + i].to_f64();
            gains[i] += numbers[face] * (before[beside].to_f64() - here);
        };
        if axis == 0 {
            for i in 1..nx {
                add(i, from + i, from + i - 1);
                add(i - 1, from + i, from + i);
            }
            if self.periodic {
                add(0, from, from + nx - 1);
                add(nx - 1, from, from);
            }
            return;
        }
        let at = if axis == 1 { from / nx % ny } else { from / (nx * ny) };
        let wraps = self.periodic && axis == 1;
        if at > 0 || wraps {
            let below = if at > 0 { from - step } else { from + (n - 1) * step };
            (0..nx).for_each(|i| add(i, from + i, below + i));
        }
        if at + 1 < n || wraps {
            let above = if at + 1 < n { from + step } else { from - (n - 1) * step };
            (0..nx).for_each(|i| add(i, above + i, above + i));
        }
    }
}

/// The cell on the other side of a low face, where there is one.
fn lower(cell: usize, axis: usize, at: [usize; 3], shape: [usize; 3], periodic: bool) -> Option<usize> {
    let step = [1, shape[0], shape[0] * shape[1]][axis];
    match at[axis] {
        0 if periodic && axis < 2 => Some(cell + (shape[axis] - 1) * step),
        0 => None,
        _ => Some(cell - step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::SimdLevel;

    const SHAPE: [usize; 3] = [24, 6, 9];
    const NONE: Spread<'_> = Spread { x: &[0.0; 9], y: &[0.0; 9], z_faces: &[0.0; 10] };

    fn workers(threads: usize) -> Workers {
        Workers::new(threads, SimdLevel::Auto).unwrap()
    }

    fn spots() -> Vec<f64> {
        (0..24 * 6 * 9).map(|n| f64::from(u8::from(n % 7 == 0)) * 2.0).collect()
    }

    #[test]
    fn what_spreads_is_kept_stays_positive_and_a_uniform_tracer_stays_so_to_the_bit() {
        let wall: Vec<f64> = (0..24 * 6 * 9).map(|n| f64::from(u8::from(n % 24 != 12))).collect();
        let all = vec![1.0; wall.len()];
        for (sides, open) in [(Sides::Open, None), (Sides::Periodic, None), (Sides::Open, Some([&wall[..], &all, &all]))] {
            let spread = LocalSpread::new(&spots(), NONE, (SHAPE, [1.0, 2.0, 0.5]), 3.0, sides, open);
            let mut cells: Vec<f64> = (0..24 * 6 * 9).map(|n| if n % 24 < 12 { 1.0 } else { 0.0 }).collect();
            let whole: f64 = cells.iter().sum();
            let mut uniform = vec![0.7f32; cells.len()];
            for _ in 0..20 {
                spread.apply(&mut cells, &workers(1));
                spread.apply(&mut uniform, &workers(2));
            }
            assert!((cells.iter().sum::<f64>() / whole - 1.0).abs() < 1e-12 && cells.iter().all(|c| *c >= 0.0));
            assert!(uniform.iter().all(|c| *c == 0.7));
            // nothing passes a wall
            let beyond: f64 = cells.iter().enumerate().filter(|(n, _)| n % 24 >= 12).map(|(_, c)| c).sum();
            assert_eq!(beyond > 0.0, open.is_none(), "{beyond}");
        }
    }

    #[test]
    fn between_two_kept_ends_the_flux_is_the_same_through_every_face() {
        // K of 1 on the left and 3 on the right: a kinked profile, the steeper where K is small
        let k: Vec<f64> = (0..24 * 6 * 9).map(|n| if n % 24 < 12 { 1.0 } else { 3.0 }).collect();
        let spread = LocalSpread::new(&k, NONE, (SHAPE, [1.0, 99.0, 99.0]), 0.08, Sides::Open, None);
        assert_eq!(spread.parts, 1);
        let mut cells = vec![0.5; k.len()];
        for _ in 0..6000 {
            spread.apply(&mut cells, &workers(1));
            for row in cells.chunks_mut(24) {
                (row[0], row[23]) = (1.0, 0.0);
            }
        }
        let step = |i: usize| -> f64 { cells[i] - cells[i + 1] };
        assert!((step(2) / step(20) - 3.0).abs() < 1e-6 && (step(11) / step(20) - 1.5).abs() < 1e-6, "{} {}", step(2), step(20));
    }

    #[test]
    fn what_a_level_spreads_by_is_not_done_twice() {
        let levels = Spread { x: &[2.0; 9], y: &[2.0; 9], z_faces: &[2.0; 10] };
        let spread = LocalSpread::new(&spots(), levels, (SHAPE, [1.0; 3]), 1.0, Sides::Open, None);
        assert!(spread.numbers.iter().flatten().all(|number| *number == 0.0));
    }
}
