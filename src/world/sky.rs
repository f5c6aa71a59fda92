//! What comes down from the sky: sunlight under cloud, and long-wave radiation.
//!
//! Sunlight: Haurwitz' clear sky times `1 − 0.75 n^3.4` for a share `n` of cloud (Kasten and Czeplak, *Solar Energy* 24, 1980).
//! Long-wave: clear-sky emissivity `1.24 (e/T)^(1/7)`, e in hPa (Brutsaert, *Water Resources Research* 11, 1975); cloud radiates
//! as a black body at the temperature of the air at the ground, `ε = n + (1 − n) ε₀` (Crawford and Duchon, *J. Appl. Meteorol.* 38,
//! 1999). Between 8 and 14 µm a clear sky at the zenith has the emissivity `0.24 + 2.98e-8 e² exp(3000/T)` (Idso, *Water Resources
//! Research* 17, 1981; recalled, not read again), lower down by the longer way through it. The diffuse share of sunlight follows from its clearness (Erbs, Klein and Duffie, *Solar Energy* 28, 1982). Left out: height
//! and kind of cloud, sky that obstacles hide, long-wave radiation of obstacles. Checked by: the tests below,
//! `tests/verification/sky.rs`.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::units::STEFAN_BOLTZMANN_W_M2_K4;
use crate::world::Grid;
use crate::world::solid::Solids;
use crate::world::sun::{Sun, clear_sky_w_m2};

/// The sky of the present, from the weather.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sky {
    /// Share of the sky that cloud covers, 0 to 1.
    pub cloud: f64,
    /// Long-wave irradiance of a level surface that looks up, W m⁻².
    pub longwave_w_m2: f64,
    /// Temperature of the air at the ground, K.
    pub air_k: f64,
    /// Emissivity of the clear sky at the zenith, 8–14 µm.
    pub window: f64,
}

impl Default for Sky {
    /// Clear, over air of 15 °C and 10 hPa of vapour.
    fn default() -> Self {
        Self::new(0.0, 288.15, 10.0)
    }
}

impl Sky {
    /// The sky over air of this temperature (K) and vapour pressure (hPa) at the ground.
    #[must_use]
    pub fn new(cloud: f64, temperature_k: f64, vapour_hpa: f64) -> Self {
        let emissivity = cloud + (1.0 - cloud) * clear_emissivity(temperature_k, vapour_hpa);
        Self {
            cloud,
            longwave_w_m2: emissivity * STEFAN_BOLTZMANN_W_M2_K4 * temperature_k.powi(4),
            air_k: temperature_k,
            window: (0.24 + 2.98e-8 * vapour_hpa * vapour_hpa * libm::exp(3000.0 / temperature_k)).min(1.0),
        }
    }

    /// Emissivity between 8 and 14 µm in a direction of this sine of elevation: that of a black body at [`Self::air_k`] is 1.
    #[must_use]
    pub fn window_emissivity(&self, sine: f64) -> f64 {
        let clear = 1.0 - libm::pow(1.0 - self.window, 1.0 / sine.max(LOWEST_SINE));
        self.cloud + (1.0 - self.cloud) * clear
    }

    /// Share of a clear sky's light that comes through.
    #[must_use]
    pub fn transmission(&self) -> f64 {
        1.0 - 0.75 * libm::pow(self.cloud, 3.4)
    }

    /// Sunlight on a level surface.
    #[must_use]
    pub fn light(&self, sun: &Sun) -> Light {
        let global_w_m2 = self.global_w_m2(sun.sine);
        if global_w_m2 <= 0.0 {
            return Light::default();
        }
        let diffuse_w_m2 = global_w_m2 * diffuse_share(global_w_m2 / (sun.above_w_m2 * sun.sine));
        Light { global_w_m2, diffuse_w_m2 }
    }

    /// Global horizontal irradiance in W m⁻² at this sine of the sun's elevation.
    #[must_use]
    pub fn global_w_m2(&self, sun_sine: f64) -> f64 {
        self.transmission() * clear_sky_w_m2(sun_sine)
    }
}

/// Nearer to the horizon the way through the air grows no longer: its sine at 1.5°, where a spherical Earth ends the growth.
const LOWEST_SINE: f64 = 0.026;

/// The sun is taken to stand no lower than this sine, 3°, when its beam is told from the light on a level surface: chosen.
const LOWEST_BEAM_SINE: f64 = 0.05;

/// Sunlight on a level surface, W m⁻².
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Light {
    /// From the whole sky.
    pub global_w_m2: f64,
    /// From the sky without the sun.
    pub diffuse_w_m2: f64,
}

impl Light {
    /// On a surface that faces the sun, without the sky, W m⁻²: no more than there is above the air.
    #[must_use]
    pub fn beam_w_m2(&self, sun: &Sun) -> f64 {
        // near the horizon the light of a level surface tells nothing of the beam
        ((self.global_w_m2 - self.diffuse_w_m2) / sun.sine.max(LOWEST_BEAM_SINE)).clamp(0.0, sun.above_w_m2)
    }

    /// What meets a place, in the sun or in the shade of something solid.
    #[must_use]
    pub fn at_w_m2(&self, grid: &Grid, solids: &Solids, place_m: DVec3, sun: &Sun) -> f64 {
        let shaded = self.global_w_m2 > 0.0 && solids.block(grid, place_m, sun.towards);
        if shaded { self.diffuse_w_m2 } else { self.global_w_m2 }
    }
}

/// Share of diffuse light at a clearness, the global irradiance over that above the air: Erbs and others.
#[must_use]
pub fn diffuse_share(clearness: f64) -> f64 {
    let k = clearness;
    if k <= 0.22 {
        1.0 - 0.09 * k
    } else if k <= 0.8 {
        0.9511 - 0.1604 * k + 4.388 * k * k - 16.638 * k.powi(3) + 12.336 * k.powi(4)
    } else {
        0.165
    }
}

/// Emissivity of a clear sky over air of this temperature (K) and vapour pressure (hPa); at most 1.
#[must_use]
pub fn clear_emissivity(temperature_k: f64, vapour_hpa: f64) -> f64 {
    (1.24 * libm::pow(vapour_hpa / temperature_k, 1.0 / 7.0)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_sky_is_a_black_body_and_lets_a_quarter_of_the_light_through() {
        let closed = Sky::new(1.0, 288.15, 10.0);
        assert!((closed.longwave_w_m2 - 390.9).abs() < 0.1, "{}", closed.longwave_w_m2);
        assert!((closed.transmission() - 0.25).abs() < 1e-15);
        assert!(Sky::new(0.5, 288.15, 10.0).longwave_w_m2 > Sky::default().longwave_w_m2);
    }

    #[test]
    fn the_diffuse_share_joins_at_its_seams_and_falls_with_clearness() {
        for (seam, hair) in [(0.22, 3e-3), (0.8, 1e-3)] {
            assert!((diffuse_share(seam) - diffuse_share(seam + 1e-9)).abs() < hair, "{}", diffuse_share(seam + 1e-9));
        }
        assert!((diffuse_share(0.5) - 0.6592).abs() < 1e-4, "{}", diffuse_share(0.5));
    }

    #[test]
    fn a_clear_sky_changes_nothing_to_the_last_bit() {
        assert_eq!(Sky::default().global_w_m2(0.5), clear_sky_w_m2(0.5));
    }
}
