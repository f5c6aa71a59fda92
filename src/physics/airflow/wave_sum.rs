//! Sums of plane waves and their images at the ground on vertical planes of faces. Pure.
//!
//! A wave and its image add up to a pattern across times a shape up: `2 a cos(κ₃ z) cos(θ)` along the ground, `−2 a₃ sin(κ₃ z) sin(θ)` up,
//! θ the phase on the ground. So a plane is a product of two tables. Amplitudes are made orthogonal to the *discrete* wave vector
//! `2/h sin(κ h/2)`, so that the sum has no divergence in any cell. The waves are added in order: the same bits for any plane and any
//! vector instructions.

use glam::DVec3;

use super::eddies::{Eddies, Moment};
use crate::numerics::{SimdLevel, at_simd_levels};
use crate::world::Grid;

/// Waves are summed in groups of so many.
const GROUP: usize = 4;

/// The waves of a moment on a grid.
#[derive(Clone, Debug)]
pub struct WaveSum {
    grid: Grid,
    /// As many as whole groups hold; the last ones may be still.
    waves: Vec<GridWave>,
}

/// Cosines and sines of every wave on its way along a row of places, wave after wave.
#[derive(Clone, Debug)]
pub struct Row {
    cos: Vec<f64>,
    sin: Vec<f64>,
}

/// Shapes of every wave at levels, level after level.
#[derive(Clone, Debug)]
pub struct Levels(Vec<f64>);

impl WaveSum {
    /// The waves of a moment.
    #[must_use]
    pub fn new(grid: &Grid, eddies: &Eddies, now: &Moment) -> Self {
        let mut waves: Vec<GridWave> = eddies.waves_at(now).map(|(k, a, phase)| GridWave::new(grid, k, a, phase)).collect();
        waves.resize(waves.len().next_multiple_of(GROUP), GridWave::default());
        Self { grid: *grid, waves }
    }

    /// A row of so many places along an axis, a cell apart.
    #[must_use]
    pub fn row(&self, axis: usize, count: usize) -> Row {
        let at = |wave: &GridWave, n: usize| libm::sincos(wave.vector[axis] * n as f64 * self.grid.cell_m[axis]);
        let (sin, cos) = self.waves.iter().flat_map(|wave| (0..count).map(move |n| at(wave, n))).unzip();
        Row { cos, sin }
    }

    /// So many levels of the part along `component` (east, north, up), a cell apart.
    #[must_use]
    pub fn levels(&self, component: usize, from_m: f64, count: usize) -> Levels {
        let shape = |wave: &GridWave, k: usize| {
            let height = wave.vector.z * (from_m + k as f64 * self.grid.cell_m[2]);
            2.0 * wave.amplitude[component] * if component == 2 { -libm::sin(height) } else { libm::cos(height) }
        };
        Levels((0..count).flat_map(|k| self.waves.iter().map(move |wave| shape(wave, k))).collect())
    }

    /// The part along `component` on a plane, level after level of rows; the row begins at (east, north).
    #[must_use]
    pub fn plane(&self, component: usize, row: &Row, levels: &Levels, from_m: (f64, f64), simd: SimdLevel) -> Vec<f64> {
        let count = self.waves.len();
        if count == 0 {
            return Vec::new();
        }
        let turn = |wave: &GridWave| {
            let (sin, cos) = libm::sincos(wave.phase + wave.vector.x * from_m.0 + wave.vector.y * from_m.1);
            // the sine of a sum for the vertical part, else its cosine
            if component == 2 { [sin, -cos] } else { [cos, sin] }
        };
        let turns: Vec<[f64; 2]> = self.waves.iter().map(turn).collect();
        let (mut pattern, mut sum) = (vec![0.0; row.cos.len()], vec![0.0; levels.0.len() / count * (row.cos.len() / count)]);
        superpose(simd, row, &turns, &levels.0, &mut pattern, &mut sum);
        sum
    }
}

/// A wave in the frame of the grid, made free of divergence on its faces.
#[derive(Clone, Copy, Debug, Default)]
struct GridWave {
    vector: DVec3,
    amplitude: DVec3,
    phase: f64,
}

impl GridWave {
    fn new(grid: &Grid, vector: DVec3, amplitude: DVec3, phase: f64) -> Self {
        let seen = DVec3::from_array(std::array::from_fn(|axis| {
            let h = grid.cell_m[axis];
            2.0 / h * libm::sin(0.5 * vector[axis] * h)
        }));
        let along = amplitude.dot(seen) / seen.length_squared().max(f64::MIN_POSITIVE);
        Self { vector, amplitude: amplitude - along * seen, phase }
    }
}

at_simd_levels! {
    fn superpose(places: &Row, turns: &[[f64; 2]], up: &[f64], pattern: &mut [f64], sum: &mut [f64]) = superpose_body
}

/// `sum[k][i] = Σ up[k][n] (turn₀ cos − turn₁ sin)[n][i]`, waves in order.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn superpose_body(places: &Row, turns: &[[f64; 2]], up: &[f64], pattern: &mut [f64], sum: &mut [f64]) {
    let count = turns.len();
    let nx = pattern.len() / count.max(1);
    if nx == 0 {
        return;
    }
    for (((row, cos), sin), turn) in
        pattern.chunks_exact_mut(nx).zip(places.cos.chunks_exact(nx)).zip(places.sin.chunks_exact(nx)).zip(turns)
    {
        for ((value, cos), sin) in row.iter_mut().zip(cos).zip(sin) {
            *value = turn[0] * cos - turn[1] * sin;
        }
    }
    for (row, up) in sum.chunks_exact_mut(nx).zip(up.chunks_exact(count)) {
        for (group, up) in pattern.chunks_exact(GROUP * nx).zip(up.chunks_exact(GROUP)) {
            let (a, rest) = group.split_at(nx);
            let (b, rest) = rest.split_at(nx);
            let (c, d) = rest.split_at(nx);
            for ((((value, a), b), c), d) in row.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *value += (up[0] * a + up[1] * b) + (up[2] * c + up[3] * d);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::airflow::eddies::Spectrum;
    use crate::streams::Stream;

    #[test]
    fn a_plane_holds_the_waves_and_their_images() {
        let spectrum = Spectrum { sigma: [2.4, 1.8, 1.2], length_m: 20.0, highest_rad_m: 3.0 };
        let eddies = Eddies::drawn(spectrum, &Stream::new(4, "airflow", "eddies"));
        let now = Moment { scale_m_s: 0.5, towards: (0.6, 0.8), middle_m: DVec3::new(3.0, 2.0, 0.0), carried_m: 62.5, turned_m: 6.0 };
        // cells so small that the discrete wave vector is the wave vector
        let grid = Grid { shape: [20, 20, 20], cell_m: [0.01, 0.02, 0.01] };
        let sum = WaveSum::new(&grid, &eddies, &now);
        for axis in 0..2 {
            for component in 0..3 {
                let (row, levels) = (sum.row(axis, 7), sum.levels(component, 1.3, 5));
                let plane = sum.plane(component, &row, &levels, (12.0, 3.0), SimdLevel::Auto);
                assert!(plane == sum.plane(component, &row, &levels, (12.0, 3.0), SimdLevel::Sse2));
                for (n, seen) in plane.iter().enumerate() {
                    let mut point = DVec3::new(12.0, 3.0, 1.3 + (n / 7) as f64 * 0.01);
                    point[axis] += (n % 7) as f64 * grid.cell_m[axis];
                    let below = point * DVec3::new(1.0, 1.0, -1.0);
                    let image = eddies.at(below, &now)[component] * if component == 2 { -1.0 } else { 1.0 };
                    assert!((seen - eddies.at(point, &now)[component] - image).abs() < 2e-3, "{axis} {component} {n}");
                }
            }
        }
    }
}
