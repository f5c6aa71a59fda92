//! The random eddies of a surface layer: plane waves and their mirror images at the ground, carried by the wind of the layer.
//!
//! With its image a wave moves nothing through the ground; along it the wind is twice as lively, and at a height only eddies of about that
//! height move air up and down, as in Hunt and Graham's blocked turbulence. The sum is scaled so that the lateral wind has the
//! standard deviation of the surface layer in the mean over the levels of a domain.
//!
//! Source: Hunt and Graham, *J. Fluid Mech.* 84, 1978. Left out: shear stress, eddies that turn with height.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::eddies::{Eddies, Moment, SURFACE_LAYER_SIGMA, Spectrum};
use super::kernel::SurfaceLayer;
use crate::streams::Stream;
use crate::world::Grid;

/// Integral length along the wind over the depth of the mixed layer, chosen: a particle then forgets its lateral wind within the
/// half minute that Draxler's law of σy has near a source.
const LENGTH_OVER_DEPTH: f64 = 0.05;
/// The shortest eddies that are drawn are so many cells long along the wind; on fewer a staggered field loses them. Across and up they are
/// shorter, as eddies are: down to two cells.
const CELLS_OF_SHORTEST: f64 = 4.0;
/// The height of the wind that carries the eddies, m: that of a standard anemometer (WMO-No. 8).
const CARRIED_AT_M: f64 = 10.0;

/// Waves for a unit of the speed that σ is measured in; their images are not among them.
#[derive(Clone, Debug)]
pub struct SurfaceEddies {
    grid: Grid,
    /// Every wave stands for itself and its image.
    pub eddies: Eddies,
}

/// What the wind has done to random eddies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// How far they have been carried, m.
    carried_m: f64,
    /// What the speed that σ is measured in adds up to, m.
    turned_m: f64,
}

/// The highest wave number that the cells of a grid hold, rad m⁻¹.
#[must_use]
pub fn highest_rad_m(grid: &Grid) -> f64 {
    std::f64::consts::TAU / (CELLS_OF_SHORTEST * grid.cell().max_element())
}

/// The spectrum of the eddies under a mixed layer of this depth, as far as the cells hold it.
fn spectrum(grid: &Grid, mixing_height_m: f64) -> Spectrum {
    Spectrum { sigma: SURFACE_LAYER_SIGMA, length_m: LENGTH_OVER_DEPTH * mixing_height_m, highest_rad_m: highest_rad_m(grid) }
}

/// The share of the variance of the eddies that the cells of a grid hold.
#[must_use]
pub fn resolved_share(grid: &Grid, mixing_height_m: f64) -> f64 {
    spectrum(grid, mixing_height_m).resolved()
}

impl SurfaceEddies {
    /// The speed in units of which the wind has the σ of [`SURFACE_LAYER_SIGMA`], m s⁻¹: about the friction velocity in neutral air,
    /// more where convection adds to it.
    ///
    /// Slow air stays longer at a place: to second order in the intensity i along the wind, the mean plume of a random wind is wider
    /// than `σv t` by `1 + 5 i²` (the mean of `v²/u³` over that of `1/u`). The σv of a surface layer is that of mean plumes as they are
    /// measured, so the eddies are weaker by as much.
    fn unit_m_s(&self, layer: &SurfaceLayer) -> f64 {
        let plain = layer.lateral_sigma_m_s() / SURFACE_LAYER_SIGMA[1];
        let wind = self.carrying_m_s(layer);
        if wind <= 0.0 {
            return plain;
        }
        let intensity = plain * SURFACE_LAYER_SIGMA[0] / wind;
        let squared = 5.0 * intensity * intensity;
        // s² (1 + 5 s² i²) = 1
        plain * (2.0 / (1.0 + (1.0 + 4.0 * squared).sqrt())).sqrt()
    }

    /// The wind that carries the eddies, m s⁻¹.
    fn carrying_m_s(&self, layer: &SurfaceLayer) -> f64 {
        layer.speed(CARRIED_AT_M.min(0.5 * self.grid.size_m().z))
    }

    /// Draws the waves of a run under a mixed layer of this depth.
    #[must_use]
    pub fn drawn(grid: Grid, mixing_height_m: f64, seed: u64) -> Self {
        let spectrum = spectrum(&grid, mixing_height_m);
        let eddies = Eddies::drawn(spectrum, &Stream::new(seed, "airflow", "eddies"));
        let drawn = Self { grid, eddies };
        let levels = grid.shape[2];
        let lateral = (0..levels).map(|k| drawn.variance(1, grid.centre(0, 0, k).z)).sum::<f64>() / levels as f64;
        let wanted = spectrum.resolved() * spectrum.sigma[1] * spectrum.sigma[1];
        let factor = if lateral > 0.0 { (wanted / lateral).sqrt() } else { 1.0 };
        Self { grid, eddies: drawn.eddies.scaled(factor) }
    }

    /// Variance of the wind along, across or up at a height, in units of the square of σ's speed.
    fn variance(&self, component: usize, z_m: f64) -> f64 {
        let of = |(vector, amplitude): (DVec3, DVec3)| {
            let up = vector.z * z_m;
            let shape = amplitude[component] * if component == 2 { libm::sin(up) } else { libm::cos(up) };
            2.0 * shape * shape
        };
        self.eddies.waves().map(of).sum()
    }

    /// Variance of the wind along, across or up at a height of a layer, m² s⁻².
    #[must_use]
    pub fn variance_m2_s2(&self, component: usize, z_m: f64, layer: &SurfaceLayer) -> f64 {
        let unit = self.unit_m_s(layer);
        unit * unit * self.variance(component, z_m)
    }

    /// What `dt_s` more in the wind of a layer does.
    #[must_use]
    pub fn after(&self, before: Carried, layer: &SurfaceLayer, dt_s: f64) -> Carried {
        Carried { carried_m: before.carried_m + self.carrying_m_s(layer) * dt_s, turned_m: before.turned_m + self.unit_m_s(layer) * dt_s }
    }

    /// The moment of eddies that were carried so far, in a wind that blows towards (east, north).
    #[must_use]
    pub fn moment(&self, carried: Carried, layer: &SurfaceLayer, towards: (f64, f64)) -> Moment {
        let middle_m = 0.5 * self.grid.size_m() * DVec3::new(1.0, 1.0, 0.0);
        let Carried { carried_m, turned_m } = carried;
        Moment { scale_m_s: self.unit_m_s(layer), towards, middle_m, carried_m, turned_m }
    }
}
