//! `turbulence: Resolved`: a random wind with the spectrum of von Kármán on the faces of the whole domain, no flow is solved.
//!
//! The waves are those of `surface_eddies`, each with its image at the ground (`wave_sum`). Around obstacles the whole wind is then made mass-consistent (`around`).
//! What the cells cannot hold stays a diffusivity (`sub_filter`). A function of place and of slots of its own clock.
//!
//! Source: Fung, Hunt, Malik and Perkins, *J. Fluid Mech.* 236, 1992 (a random field in place of a flow). Left out: shear stress,
//! wakes, images in a terrain (they lie at its lowest place), eddies that feel an obstacle other than by going around it.
//! Checked by: the tests below, `tests/verification/means.rs`.

use rayon::prelude::*;

use super::around::FaceWind;
use super::eddies::Moment;
use super::kernel::SurfaceLayer;
use super::sub_filter::left_over;
use super::surface_eddies::{SurfaceEddies, highest_rad_m};
use super::wave_sum::WaveSum;
use crate::numerics::Workers;
use crate::world::Grid;
use crate::world::air::Diffusivity;

/// One slot of the process's clock, µs, and how many of them the wind may stand at most.
const SLOT_US: u64 = 100_000;
const MOST_SLOTS: f64 = 10.0;
/// Between two changes of the wind eddies move so many cells at most: a quarter of the shortest.
const MOVED_CELLS: f64 = 1.0;

/// The random wind of a run on its grid.
#[derive(Clone, Debug)]
pub struct Synthetic {
    grid: Grid,
    /// The waves.
    pub ground: SurfaceEddies,
    /// Microseconds for which the wind stands.
    pub slot_us: u64,
}

/// How long the wind stands, µs: a whole number of slots, no tick in it.
#[must_use]
fn slot_us(grid: &Grid, fastest_m_s: f64) -> u64 {
    let crossed_s = MOVED_CELLS * grid.cell_m[0].min(grid.cell_m[1]) / fastest_m_s.max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a few slots")]
    let slots = (crossed_s * 1e6 / SLOT_US as f64).floor().clamp(1.0, MOST_SLOTS) as u64;
    slots * SLOT_US
}

impl Synthetic {
    /// Draws the wind of a run under a mixed layer of this depth that is never faster than `fastest_m_s` in the mean.
    #[must_use]
    pub fn new(grid: Grid, mixing_height_m: f64, fastest_m_s: f64, seed: u64) -> Self {
        Self { grid, ground: SurfaceEddies::drawn(grid, mixing_height_m, seed), slot_us: slot_us(&grid, fastest_m_s) }
    }

    /// Adds the eddies of a moment to a wind.
    pub fn add(&self, wind: &mut FaceWind, now: &Moment, workers: &Workers) {
        let grid = &self.grid;
        let sum = WaveSum::new(grid, &self.ground.eddies, now);
        let row = sum.row(0, grid.shape[0] + 1);
        for component in 0..3 {
            let mut shape = grid.shape;
            shape[component] += 1;
            let [nx, ny, nz] = shape;
            let first: [f64; 3] = std::array::from_fn(|axis| if axis == component { 0.0 } else { 0.5 * grid.cell_m[axis] });
            let levels = sum.levels(component, first[2], nz);
            let plane = |j: usize| sum.plane(component, &row, &levels, (first[0], first[1] + j as f64 * grid.cell_m[1]), workers.simd);
            let planes: Vec<Vec<f64>> = workers.run(|| (0..ny).into_par_iter().map(plane).collect());
            for (j, plane) in planes.iter().enumerate() {
                for (k, row) in plane.chunks_exact(grid.shape[0] + 1).enumerate() {
                    add_row(grid, wind, component, (j, k), &row[..nx]);
                }
            }
        }
    }

    /// What the eddies leave to a diffusivity in a surface layer above a ground at `ground_m` whose full one is `whole`.
    #[must_use]
    pub fn unresolved(&self, whole: &Diffusivity, layer: &SurfaceLayer, ground_m: f64) -> Diffusivity {
        let vertical = |face: usize| self.ground.variance_m2_s2(2, (face as f64 * self.grid.cell_m[2] - ground_m).max(0.0), layer);
        left_over(whole, layer, (&self.grid, ground_m), highest_rad_m(&self.grid), vertical)
    }
}

/// Adds a row along x of one component to the faces; (j, k) count faces along their own axis.
fn add_row(grid: &Grid, wind: &mut FaceWind, component: usize, (j, k): (usize, usize), row: &[f64]) {
    let [nx, ny, nz] = grid.shape;
    let add = |faces: &mut [f64], row: &[f64]| faces.iter_mut().zip(row).for_each(|(face, more)| *face += more);
    match component {
        1 if j == ny => add(&mut wind.high[1][nx * k..nx * (k + 1)], row),
        2 if k == nz => add(&mut wind.high[2][nx * j..nx * (j + 1)], row),
        _ => {
            let first = grid.index(0, j, k);
            add(&mut wind.low[component][first..first + nx], row);
            if component == 0 {
                wind.high[0][j + ny * k] += row[nx];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::numerics::SimdLevel;
    use crate::physics::airflow::around::Around;
    use crate::physics::airflow::surface_eddies::Carried;
    use crate::world::solid::Solids;

    const GRID: Grid = Grid { shape: [24, 20, 12], cell_m: [1.0, 1.5, 0.5] };

    fn now() -> Moment {
        Moment { scale_m_s: 0.4, towards: (0.8, 0.6), middle_m: DVec3::new(12.0, 15.0, 0.0), carried_m: 321.0, turned_m: 11.0 }
    }

    #[test]
    fn the_random_wind_has_no_divergence_in_any_cell_and_none_through_the_ground() {
        let synthetic = Synthetic::new(GRID, 1000.0, 5.0, 3);
        let around = Around::new(GRID, &Solids::default(), false);
        let winds = [(1, SimdLevel::Auto), (2, SimdLevel::Sse2), (1, SimdLevel::Avx2)].map(|(threads, simd)| {
            let mut wind = FaceWind::still(&GRID);
            synthetic.add(&mut wind, &now(), &Workers::new(threads, simd).unwrap());
            wind
        });
        assert!(around.divergence(&winds[0]) < 1e-11, "{}", around.divergence(&winds[0]));
        assert!(winds[0].low[2][..24 * 20].iter().all(|w| *w == 0.0) && winds[0].low[2].iter().any(|w| w.abs() > 0.01));
        assert!(winds[0] == winds[1] && winds[0] == winds[2], "the same bits for any threads and vector instructions");
    }

    #[test]
    fn the_wind_of_many_draws_has_the_variances_it_says() {
        const DRAWS: u32 = 600;
        let small = Grid { shape: [12, 10, 12], ..GRID };
        let layer = SurfaceLayer { friction_m_s: 0.5, roughness_m: 0.1, inverse_obukhov: 0.0, mixing_height_m: 200.0 };
        let (at, workers) = (small.index(5, 4, 5), Workers::new(1, SimdLevel::Auto).unwrap());
        let mut sums = [0.0; 3];
        let drawn = |seed| Synthetic::new(small, 200.0, 5.0, seed);
        for seed in 0..u64::from(DRAWS) {
            let (synthetic, mut wind) = (drawn(seed), FaceWind::still(&small));
            synthetic.add(&mut wind, &synthetic.ground.moment(Carried::default(), &layer, (1.0, 0.0)), &workers);
            for (axis, sum) in sums.iter_mut().enumerate() {
                *sum += wind.low[axis][at].powi(2);
            }
        }
        for (axis, sum) in sums.iter().enumerate() {
            // the vertical faces lie half a cell lower than the others
            let said = drawn(0).ground.variance_m2_s2(axis, if axis == 2 { 2.5 } else { 2.75 }, &layer);
            let ratio = sum / f64::from(DRAWS) / said;
            assert!((ratio - 1.0).abs() < 0.15, "{axis}: {ratio}");
        }
    }
}
