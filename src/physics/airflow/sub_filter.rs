//! What resolved eddies leave to a diffusivity. Pure.
//!
//! Up, a diffusivity is a standard deviation times a length, and what moves air up and down at a height is about as large as
//! that height: eddies that hold the share s of the vertical variance carry √s of the flux, the rest stays `K (1 − √s)`, and
//! forgets itself the faster, `T/(1 + √s)`, so that young plumes keep the variance `σw² t²`. Along the ground it is the
//! diffusivity of an inertial range above the highest wave number. Puffs that are moved by larger eddies grow by smaller ones: they are
//! told the dissipation.
//!
//! Sources: Taylor, *Proc. London Math. Soc.* 20, 1921; Deardorff, *Boundary-Layer Meteorol.* 18, 1980. The rule of the root is
//! ours; the one-hour means of `tests/verification/means.rs` are what it is held to.

use super::kernel::SurfaceLayer;
use crate::world::Grid;
use crate::world::air::Diffusivity;

/// Kolmogorov's constant of the three-dimensional spectrum: Sreenivasan, *Physics of Fluids* 7, 1995.
const KOLMOGOROV: f64 = 1.5;
/// Deardorff's eddy viscosity over `Δ √e`, and diffusivity over viscosity in air that is not stable.
const DEARDORFF: (f64, f64) = (0.1, 3.0);

/// The diffusivity that is left of the `whole` one of a surface layer above a ground at `ground_m`; `vertical_m2_s2` is the resolved
/// variance of the vertical wind at the lower face of a level, the last that of the top.
#[must_use]
pub fn left_over(
    whole: &Diffusivity,
    layer: &SurfaceLayer,
    (grid, ground_m): (&Grid, f64),
    highest_rad_m: f64,
    vertical_m2_s2: impl Fn(usize) -> f64,
) -> Diffusivity {
    let nz = grid.shape[2];
    let least = 0.5 * grid.cell_m[2];
    let height = |k: usize| (grid.centre(0, 0, k).z - ground_m).max(least);
    let root = |face: usize| {
        let sigma = layer.vertical_sigma_m_s((face as f64 * grid.cell_m[2] - ground_m).max(0.0));
        if sigma > 0.0 { (vertical_m2_s2(face).sqrt() / sigma).min(1.0) } else { 0.0 }
    };
    let roots: Vec<f64> = (0..=nz).map(root).collect();
    let dissipation_m2_s3: Vec<f64> = (0..nz).map(|k| layer.dissipation_m2_s3(height(k))).collect();
    let along = |k: usize| {
        let energy = 1.5 * KOLMOGOROV * libm::pow(dissipation_m2_s3[k] / highest_rad_m, 2.0 / 3.0);
        let filter_m = std::f64::consts::PI / highest_rad_m;
        (DEARDORFF.0 * DEARDORFF.1 * filter_m * energy.sqrt()).min(layer.diffusivity(height(k)))
    };
    let along: Vec<f64> = (0..nz).map(along).collect();
    let forgets = |(k, lagrangian_s): (usize, &f64)| lagrangian_s / (1.0 + f64::midpoint(roots[k], roots[k + 1]));
    Diffusivity {
        x: along.clone(),
        y: along,
        z_faces: whole.z_faces.iter().zip(&roots).map(|(k, root)| k * (1.0 - root)).collect(),
        sigma_v: Vec::new(),
        lagrangian_s: whole.lagrangian_s.iter().enumerate().map(forgets).collect(),
        dissipation_m2_s3,
        ..whole.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_plume_keeps_its_vertical_variance_and_an_old_one_its_flux() {
        let layer = SurfaceLayer { friction_m_s: 0.4, roughness_m: 0.1, inverse_obukhov: 0.0, mixing_height_m: 1000.0 };
        let grid = Grid { shape: [1, 1, 8], cell_m: [1.0, 1.0, 2.0] };
        let faces = |of: &dyn Fn(f64) -> f64| (0..9).map(|face| of(f64::from(face) * 2.0)).collect::<Vec<f64>>();
        let lagrangian_s = (0..8).map(|k| layer.vertical_lagrangian_s(f64::from(k) * 2.0 + 1.0)).collect();
        let whole =
            Diffusivity { z_faces: faces(&|z| layer.diffusivity(z)), lagrangian_s, sigma_v: vec![0.8; 8], ..Diffusivity::default() };
        let share = 0.25;
        let left = left_over(&whole, &layer, (&grid, 0.0), 1.5, |_| share * layer.vertical_sigma_m_s(1.0).powi(2));
        for k in 0..8 {
            assert!((left.z_faces[k] - 0.5 * whole.z_faces[k]).abs() < 1e-12);
            // K/T is the variance of what is left
            let variance = layer.diffusivity(grid.centre(0, 0, k).z) * 0.5 / left.lagrangian_s[k];
            assert!((variance / ((1.0 - share) * layer.vertical_sigma_m_s(1.0).powi(2)) - 1.0).abs() < 1e-9);
            assert!(left.x[k] > 0.0 && left.x[k] <= layer.diffusivity(grid.centre(0, 0, k).z));
        }
        assert!(left.sigma_v.is_empty() && left.dissipation_m2_s3[0] > left.dissipation_m2_s3[7]);
        // without resolved eddies all is left
        assert_eq!(left_over(&whole, &layer, (&grid, 0.0), 1.5, |_| 0.0).z_faces, whole.z_faces);
    }
}
