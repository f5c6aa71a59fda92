//! Implicit diffusion along a line of cells, in increment form.
//!
//! Solves `(I − Δt L) δ = Δt L c` with `L c = ∂(K ∂c/∂x)/∂x` (backward Euler, second order in space) by the
//! algorithm of Thomas, then adds δ. A uniform line gives a right-hand side of exactly zero, so it stays
//! uniform to the last bit; no flux crosses the ends, so `Σ c` is kept up to rounding; unconditionally
//! positive. δ is worked out in double precision also for lines in single: a rounded pivot would lose the same part of the mass in
//! every step. Source: `LeVeque`, *Finite Difference Methods*, SIAM 2007, ch. 9. Left out: periodic lines.

use crate::numerics::Real;

/// The factors of one line, worked out once and used for every line with the same numbers.
#[derive(Clone, Debug)]
pub struct Diffusion {
    /// Diffusion number `K Δt / Δx²` at face f, between cells f − 1 and f; the ends are zero.
    number: Vec<f64>,
    /// Inverse pivot of each cell.
    pivot: Vec<f64>,
}

impl Diffusion {
    /// Factors for `n` cells from the `n + 1` face numbers; those of the two ends are taken as zero.
    ///
    /// # Panics
    /// If `face_numbers` holds fewer than two numbers: a bug in the caller.
    #[must_use]
    pub fn new(face_numbers: &[f64]) -> Self {
        let n = face_numbers.len() - 1;
        let mut number: Vec<f64> = face_numbers.to_vec();
        number[0] = 0.0;
        number[n] = 0.0;
        let mut pivot = vec![0.0; n];
        let mut above = 0.0;
        for i in 0..n {
            let diagonal = 1.0 + number[i] + number[i + 1] - number[i] * above;
            pivot[i] = 1.0 / diagonal;
            above = number[i + 1] / diagonal;
        }
        Self { number, pivot }
    }

    /// How many cells a line has.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.pivot.len()
    }

    /// Diffuses many lines at once: `rows[i]` holds cell i of every line. `delta` is any buffer, reused.
    ///
    /// # Panics
    /// If there are not as many rows as cells in a line: a bug in the caller.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level of its callers")]
    #[inline(always)]
    pub fn apply<T: Real>(&self, rows: &mut [&mut [T]], delta: &mut Vec<f64>) {
        let (n, width) = (rows.len(), rows.first().map_or(0, |row| row.len()));
        assert_eq!(n, self.cells(), "one row for each cell of a line");
        delta.clear();
        delta.resize(n * width, 0.0);
        let zeros = vec![0.0; width];
        for i in 0..n {
            let (done, rest) = delta.split_at_mut(i * width);
            // the ends have no neighbour: their numbers are zero and the row itself stands in
            let (below, above) = (&rows[i.saturating_sub(1)][..width], &rows[(i + 1).min(n - 1)][..width]);
            let zeros = &zeros[..width];
            let before = if i > 0 { &done[(i - 1) * width..] } else { zeros };
            let (here, delta, before) = (&rows[i][..width], &mut rest[..width], &before[..width]);
            let (low, high, pivot) = (self.number[i], self.number[i + 1], self.pivot[i]);
            for x in 0..width {
                let value = here[x].to_f64();
                let change = high * (above[x].to_f64() - value) + low * (below[x].to_f64() - value);
                delta[x] = (change + low * before[x]) * pivot;
            }
        }
        let mut rounded = zeros;
        for i in (0..n).rev() {
            let factor = self.pivot[i] * self.number[i + 1];
            let (head, tail) = delta.split_at_mut((i + 1) * width);
            let delta = &mut head[i * width..];
            let row = &mut rows[i][..width];
            let rounded = &mut rounded[..width];
            if i + 1 < n {
                let after = &tail[..width];
                for x in 0..width {
                    delta[x] += factor * after[x];
                    (row[x], rounded[x]) = rounded_sum(row[x], delta[x], rounded[x]);
                }
            } else {
                for x in 0..width {
                    (row[x], rounded[x]) = rounded_sum(row[x], delta[x], 0.0);
                }
            }
        }
    }

    /// The same where some faces are closed: `open` gives, for the face below row i, 1 or 0 for every line. `delta` and
    /// `factor` are any buffers, reused.
    ///
    /// # Panics
    /// If there are not as many rows as cells in a line: a bug in the caller.
    #[expect(clippy::inline_always, reason = "compiled once for each SIMD level of its callers")]
    #[inline(always)]
    pub fn apply_around<'o, T: Real>(
        &self,
        rows: &mut [&mut [T]],
        open: impl Fn(usize) -> &'o [T],
        delta: &mut Vec<f64>,
        factor: &mut Vec<f64>,
    ) {
        let (n, width) = (rows.len(), rows.first().map_or(0, |row| row.len()));
        assert_eq!(n, self.cells(), "one row for each cell of a line");
        for list in [&mut *delta, &mut *factor] {
            list.clear();
            list.resize((n + 1) * width, 0.0);
        }
        for i in 0..n {
            // row i of `delta` and `factor` belongs to the cell below, row i + 1 to this one
            let (done, rest) = delta.split_at_mut((i + 1) * width);
            let (factors, next_factors) = factor.split_at_mut((i + 1) * width);
            let (before, factor_before) = (&done[i * width..], &factors[i * width..]);
            let (delta, factor) = (&mut rest[..width], &mut next_factors[..width]);
            let above_at = (i + 1).min(n - 1);
            let (below, here, above) = (&rows[i.saturating_sub(1)][..width], &rows[i][..width], &rows[above_at][..width]);
            // the number of the last face is zero, whatever stands for its openness
            let (open_low, open_high) = (&open(i)[..width], &open(above_at)[..width]);
            let (low, high) = (self.number[i], self.number[i + 1]);
            for x in 0..width {
                let (low, high) = (low * open_low[x].to_f64(), high * open_high[x].to_f64());
                let pivot = 1.0 / (1.0 + low + high - low * factor_before[x]);
                let value = here[x].to_f64();
                let change = high * (above[x].to_f64() - value) + low * (below[x].to_f64() - value);
                delta[x] = (change + low * before[x]) * pivot;
                factor[x] = high * pivot;
            }
        }
        let mut rounded = vec![0.0; width];
        for i in (0..n).rev() {
            let open_high = &open((i + 1).min(n - 1))[..width];
            let (head, tail) = delta.split_at_mut((i + 2) * width);
            let (delta, factor) = (&mut head[(i + 1) * width..], &factor[(i + 1) * width..(i + 2) * width]);
            let row = &mut rows[i][..width];
            for x in 0..width {
                if i + 1 < n {
                    delta[x] += factor[x] * tail[x];
                }
                (row[x], rounded[x]) = rounded_sum(row[x], delta[x], rounded[x] * open_high[x].to_f64());
            }
        }
    }
}

/// A cell with its change and with what rounding has kept from the cell beside it, and what rounding keeps now.
///
/// So a line keeps its mass to one rounding, where cells in single precision would drop changes below half their step. An
/// almost empty cell takes nothing from a full one.
#[inline(always)]
fn rounded_sum<T: Real>(cell: T, change: f64, kept: f64) -> (T, f64) {
    /// Nothing is passed on to a cell that holds less than so many times as much.
    const EMPTY: f64 = 1000.0;
    let value = cell.to_f64();
    let kept = if value > EMPTY * kept.abs() { kept } else { 0.0 };
    let wanted = value + change + kept;
    let sum = T::from_f64(wanted);
    (sum, wanted - sum.to_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line as rows of one cell.
    fn diffuse_line<T: Real>(diffusion: &Diffusion, line: &mut [T]) {
        let mut rows: Vec<&mut [T]> = line.chunks_mut(1).collect();
        diffusion.apply(&mut rows, &mut Vec::new());
    }

    #[test]
    fn a_line_keeps_its_mass_and_a_uniform_line_keeps_every_bit() {
        let diffusion = Diffusion::new(&[9.0, 3.0, 0.5, 7.0, 9.0]);
        let mut line = [0.0, 1.0, 0.0, 0.0];
        for _ in 0..50 {
            diffuse_line(&diffusion, &mut line);
        }
        assert!((line.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        assert!(line.iter().all(|c| (c - 0.25).abs() < 1e-3), "{line:?}");
        let mut even = [0.3f32; 4];
        diffuse_line(&Diffusion::new(&[9.0, 3.0, 0.5, 7.0, 9.0]), &mut even);
        assert_eq!(even, [0.3f32; 4]);
    }

    #[test]
    fn many_lines_at_once_equal_one_line() {
        let diffusion = Diffusion::new(&[0.0, 2.0, 0.25, 4.0, 0.0]);
        let mut line = [0.0, 2.0, -1.0, 0.5];
        diffuse_line(&diffusion, &mut line);
        let mut cells = [[0.0, 0.0], [2.0, 4.0], [-1.0, -2.0], [0.5, 1.0]];
        let mut rows: Vec<&mut [f64]> = cells.iter_mut().map(<[f64; 2]>::as_mut_slice).collect();
        diffusion.apply(&mut rows, &mut Vec::new());
        for i in 0..4 {
            assert!((cells[i][0] - line[i]).abs() < 1e-15 && (cells[i][1] - 2.0 * line[i]).abs() < 1e-15);
        }
    }

    #[test]
    fn nothing_passes_a_closed_face_and_open_ones_change_nothing() {
        let diffusion = Diffusion::new(&[0.0, 2.0, 0.25, 4.0, 0.0]);
        let start = [0.0, 2.0, -1.0, 0.5];
        let (mut line, mut same) = (start, start);
        diffuse_line(&diffusion, &mut line);
        let around = |cells: &mut [f64; 4], open: [f64; 4]| {
            let mut rows: Vec<&mut [f64]> = cells.chunks_mut(1).collect();
            diffusion.apply_around(&mut rows, |face| Box::leak(Box::new([open[face]])), &mut Vec::new(), &mut Vec::new());
        };
        around(&mut same, [1.0; 4]);
        assert!(line.iter().zip(&same).all(|(a, b)| (a - b).abs() < 1e-15));
        let mut parted = start;
        around(&mut parted, [1.0, 1.0, 0.0, 1.0]);
        assert!((parted[0] + parted[1] - 2.0).abs() < 1e-14 && (parted[2] + parted[3] + 0.5).abs() < 1e-14);
        assert!(parted[1] < 2.0 && parted[2] > -1.0);
    }

    #[test]
    fn the_variance_of_a_cloud_grows_by_twice_the_diffusion_number_a_step() {
        let mut line = vec![0.0f64; 201];
        line[100] = 1.0;
        let diffusion = Diffusion::new(&[0.7; 202]);
        for _ in 0..40 {
            diffuse_line(&diffusion, &mut line);
        }
        let variance: f64 = line.iter().enumerate().map(|(i, c)| c * (i as f64 - 100.0).powi(2)).sum();
        assert!((variance / (2.0 * 0.7 * 40.0) - 1.0).abs() < 1e-6, "{variance}");
    }
}
