//! Implicit diffusion along a line of cells, in increment form.
//!
//! Solves `(I − Δt L) δ = Δt L c` with `L c = ∂(K ∂c/∂x)/∂x` (backward Euler, second order in space) by the
//! algorithm of Thomas, then adds δ. A uniform line gives a right-hand side of exactly zero, so it stays
//! uniform to the last bit; no flux crosses the ends, so `Σ c` is kept up to rounding; unconditionally
//! positive. Source: `LeVeque`, *Finite Difference Methods*, SIAM 2007, ch. 9. Left out: periodic lines.

use crate::numerics::Real;

/// The factors of one line, worked out once and used for every line with the same numbers.
#[derive(Clone, Debug)]
pub struct Diffusion<T> {
    /// Diffusion number `K Δt / Δx²` at face f, between cells f − 1 and f; the ends are zero.
    number: Vec<T>,
    /// Elimination factor of each cell.
    lower: Vec<T>,
    /// Inverse pivot of each cell.
    pivot: Vec<T>,
}

impl<T: Real> Diffusion<T> {
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
        let mut lower = vec![0.0; n];
        let mut above = 0.0;
        for i in 0..n {
            let diagonal = 1.0 + number[i] + number[i + 1] - number[i] * above;
            pivot[i] = 1.0 / diagonal;
            lower[i] = number[i];
            above = number[i + 1] / diagonal;
        }
        let cast = |list: Vec<f64>| list.into_iter().map(T::from_f64).collect();
        Self { number: cast(number), lower: cast(lower), pivot: cast(pivot) }
    }

    /// Whether anything diffuses at all.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.number.iter().all(|n| *n == T::default())
    }

    /// Diffuses many lines at once: `rows[i]` holds cell i of every line. `scratch` is any buffer, reused.
    pub fn apply(&self, rows: &mut [&mut [T]], scratch: &mut Vec<T>) {
        let (n, width) = (rows.len(), rows.first().map_or(0, |row| row.len()));
        scratch.clear();
        scratch.resize(n * width, T::default());
        for i in 0..n {
            let (done, rest) = scratch.split_at_mut(i * width);
            let delta = &mut rest[..width];
            let (low, high, lower, pivot) = (self.number[i], self.number[i + 1], self.lower[i], self.pivot[i]);
            for x in 0..width {
                let here = rows[i][x];
                let mut sum = T::default();
                if i + 1 < n {
                    sum += high * (rows[i + 1][x] - here);
                }
                if i > 0 {
                    sum += low * (rows[i - 1][x] - here) + lower * done[(i - 1) * width + x];
                }
                delta[x] = sum * pivot;
            }
        }
        for i in (0..n).rev() {
            let factor = self.pivot[i] * self.number[i + 1];
            let (head, tail) = scratch.split_at_mut((i + 1) * width);
            let delta = &mut head[i * width..];
            for x in 0..width {
                if i + 1 < n {
                    delta[x] += factor * tail[x];
                }
                rows[i][x] += delta[x];
            }
        }
    }

    /// Diffuses one line.
    pub fn apply_line(&self, line: &mut [T], scratch: &mut Vec<T>) {
        let n = line.len();
        scratch.clear();
        scratch.resize(n, T::default());
        let mut before = T::default();
        for i in 0..n {
            let mut sum = self.lower[i] * before;
            if i + 1 < n {
                sum += self.number[i + 1] * (line[i + 1] - line[i]);
            }
            if i > 0 {
                sum += self.number[i] * (line[i - 1] - line[i]);
            }
            before = sum * self.pivot[i];
            scratch[i] = before;
        }
        let mut after = T::default();
        for i in (0..n).rev() {
            after = scratch[i] + self.pivot[i] * self.number[i + 1] * after;
            line[i] += after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_mass_and_a_uniform_line_keeps_every_bit() {
        let diffusion = Diffusion::<f64>::new(&[9.0, 3.0, 0.5, 7.0, 9.0]);
        let mut line = [0.0, 1.0, 0.0, 0.0];
        let mut scratch = Vec::new();
        for _ in 0..50 {
            diffusion.apply_line(&mut line, &mut scratch);
        }
        assert!((line.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        assert!(line.iter().all(|c| (c - 0.25).abs() < 1e-3), "{line:?}");
        let mut even = [0.3f32; 4];
        Diffusion::<f32>::new(&[9.0, 3.0, 0.5, 7.0, 9.0]).apply_line(&mut even, &mut Vec::new());
        assert_eq!(even, [0.3f32; 4]);
    }

    #[test]
    fn many_lines_at_once_equal_one_line() {
        let diffusion = Diffusion::<f64>::new(&[0.0, 2.0, 0.25, 4.0, 0.0]);
        let mut line = [0.0, 2.0, -1.0, 0.5];
        diffusion.apply_line(&mut line, &mut Vec::new());
        let mut cells = [[0.0, 0.0], [2.0, 4.0], [-1.0, -2.0], [0.5, 1.0]];
        let mut rows: Vec<&mut [f64]> = cells.iter_mut().map(<[f64; 2]>::as_mut_slice).collect();
        diffusion.apply(&mut rows, &mut Vec::new());
        for i in 0..4 {
            assert!((cells[i][0] - line[i]).abs() < 1e-15 && (cells[i][1] - 2.0 * line[i]).abs() < 1e-15);
        }
    }

    #[test]
    fn the_variance_of_a_cloud_grows_by_twice_the_diffusion_number_a_step() {
        let mut line = vec![0.0f64; 201];
        line[100] = 1.0;
        let diffusion = Diffusion::<f64>::new(&[0.7; 202]);
        let mut scratch = Vec::new();
        for _ in 0..40 {
            diffusion.apply_line(&mut line, &mut scratch);
        }
        let variance: f64 = line.iter().enumerate().map(|(i, c)| c * (i as f64 - 100.0).powi(2)).sum();
        assert!((variance / (2.0 * 0.7 * 40.0) - 1.0).abs() < 1e-6, "{variance}");
    }
}
