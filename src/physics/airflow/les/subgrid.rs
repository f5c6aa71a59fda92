//! The sub-grid model: eddy viscosity of Vreman, *Physics of Fluids* 16, 2004.
//!
//! `ν = c √(B/(αᵢⱼ αᵢⱼ))` with `αᵢⱼ = ∂uⱼ/∂xᵢ`, `βᵢⱼ = Δₘ² αₘᵢ αₘⱼ` and B the sum of the principal minors of β. It
//! vanishes in pure shear, so it needs no averaging and no damping at walls; it does not vanish in solid rotation.
//! Left out: an effect of stratification on the constant, backscatter.

use rayon::prelude::*;

use super::lattice::Lattice;
use crate::numerics::{Workers, at_simd_levels};

/// Vreman's constant, 2.5 Cs² for a Smagorinsky constant of 0.17.
pub const VREMAN: f64 = 0.07;
/// Turbulent Prandtl and Schmidt number below the filter: Moeng and Wyngaard, *J. Atmos. Sci.* 45, 1988.
pub const SUBGRID_SCHMIDT: f64 = 0.4;
/// Gradients with a smaller sum of squares, s⁻², make no eddy.
const STILL_S2: f64 = 1e-20;

/// Writes molecular plus eddy viscosity into all real cells, m² s⁻¹. Ghosts of `velocity` must be filled.
pub fn vreman(lattice: &Lattice, velocity: &[Vec<f64>; 3], molecular_m2_s: f64, viscosity: &mut [f64], workers: &Workers) {
    let job = Job { lattice: *lattice, velocity: [&velocity[0], &velocity[1], &velocity[2]], molecular: molecular_m2_s };
    let plane = lattice.strides()[2];
    let real = plane..plane * (lattice.shape[2] + 1);
    workers.run(|| {
        viscosity[real].par_chunks_mut(plane).enumerate().for_each(|(k, out)| vreman_plane(workers.simd, &job, k + 1, out));
    });
}

struct Job<'a> {
    lattice: Lattice,
    velocity: [&'a [f64]; 3],
    molecular: f64,
}

at_simd_levels!(fn vreman_plane(job: &Job<'_>, k: usize, out: &mut [f64]) = vreman_body);

/// One plane of cells.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn vreman_body(job: &Job<'_>, k: usize, out: &mut [f64]) {
    let lattice = &job.lattice;
    let n = lattice.shape[0];
    let strides = lattice.strides();
    let inverse = lattice.cell_m.map(|h| 1.0 / h);
    let square = lattice.cell_m.map(|h| h * h);
    for j in 1..=lattice.shape[1] {
        let row = lattice.row(j, k);
        let first = row.start - k * strides[2];
        let out = &mut out[first..first + n];
        // gradient[i][j] = ∂uⱼ/∂xᵢ of each cell of the row
        let u = job.velocity;
        let at = |axis: usize, plus: usize, minus: usize| &u[axis][row.start + plus - minus..row.start + plus - minus + n];
        let own: [[&[f64]; 2]; 3] = std::array::from_fn(|axis| [at(axis, 0, 0), at(axis, strides[axis], 0)]);
        // for each component and each other axis: its two faces, above and below along that axis
        let cross: [[[&[f64]; 4]; 3]; 3] = std::array::from_fn(|component| {
            std::array::from_fn(|along| {
                // along itself a component needs none of these
                let (own, other) = if component == along { (0, 0) } else { (strides[component], strides[along]) };
                [at(component, other, 0), at(component, own + other, 0), at(component, 0, other), at(component, own, other)]
            })
        });
        for i in 0..n {
            let mut alpha = [[0.0f64; 3]; 3];
            for component in 0..3 {
                for along in 0..3 {
                    alpha[along][component] = if along == component {
                        (own[component][1][i] - own[component][0][i]) * inverse[along]
                    } else {
                        let [a, b, c, d] = &cross[component][along];
                        0.25 * inverse[along] * ((a[i] + b[i]) - (c[i] + d[i]))
                    };
                }
            }
            let mut norm = 0.0;
            for row in &alpha {
                for value in row {
                    norm += value * value;
                }
            }
            let mut beta = [[0.0f64; 3]; 3];
            for a in 0..3 {
                for b in a..3 {
                    beta[a][b] = square[0] * alpha[0][a] * alpha[0][b]
                        + square[1] * alpha[1][a] * alpha[1][b]
                        + square[2] * alpha[2][a] * alpha[2][b];
                }
            }
            let minors = beta[0][0] * beta[1][1] - beta[0][1] * beta[0][1] + beta[0][0] * beta[2][2] - beta[0][2] * beta[0][2]
                + beta[1][1] * beta[2][2]
                - beta[1][2] * beta[1][2];
            let minors = if minors > 0.0 { minors } else { 0.0 };
            let norm = if norm > STILL_S2 { norm } else { f64::INFINITY };
            out[i] = job.molecular + VREMAN * (minors / norm).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::SimdLevel;

    /// Eddy viscosity in the middle of a linear flow `uⱼ = αᵢⱼ xᵢ`.
    fn of(alpha: [[f64; 3]; 3], cell_m: [f64; 3]) -> f64 {
        let lattice = Lattice { shape: [3; 3], cell_m };
        let velocity: [Vec<f64>; 3] = std::array::from_fn(|component| {
            (0..lattice.len())
                .map(|place| {
                    let at = lattice.face_m(component, place);
                    (0..3).map(|i| alpha[i][component] * at[i]).sum()
                })
                .collect()
        });
        let mut viscosity = vec![0.0; lattice.len()];
        vreman(&lattice, &velocity, 0.0, &mut viscosity, &Workers::new(1, SimdLevel::Auto).unwrap());
        viscosity[lattice.at([2, 2, 2])]
    }

    #[test]
    fn pure_shear_and_rotation_make_no_eddy_and_strain_makes_the_published_one() {
        let shear = [[0.0; 3], [0.0; 3], [2.0, 0.0, 0.0]];
        let rotation = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0; 3]];
        assert!(of(shear, [1.0; 3]) < 1e-7);
        // solid rotation: one minor (Δ² ω²)², norm 2 ω²
        assert!((of(rotation, [1.0; 3]) - VREMAN * 0.5f64.sqrt()).abs() < 1e-12);
        // axisymmetric strain (2, −1, −1): β = diag(4, 1, 1), minors 9, norm 6
        let strain = [[2.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]];
        assert!((of(strain, [1.0; 3]) - VREMAN * 1.5f64.sqrt()).abs() < 1e-12);
        assert!((of(strain, [2.0; 3]) - 4.0 * VREMAN * 1.5f64.sqrt()).abs() < 1e-12);
    }
}
