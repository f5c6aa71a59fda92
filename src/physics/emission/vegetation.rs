//! Living plants: isoprene by light and temperature, terpenes by temperature.
//!
//! Isoprene `ε C_L C_T` with `C_L = α c L/√(1 + α² L²)` and `C_T = exp(c₁ (T − T_s)/(R T_s T)) / (1 + exp(c₂ (T − T_m)/(R T_s T)))`,
//! terpenes `ε exp(β (T − T_s))`, `T_s` = 303 K, L the photosynthetic photon flux. Source: Guenther et al., *J. Geophys. Res.* 98,
//! 1993. A clear sky gives L; the leaves have the temperature of the air. Left out: cloud, shade within the crown, season, stress.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::units::{GAS_CONSTANT_J_MOL_K, NonNegative, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// Leaf temperature of the emission factors, K.
const STANDARD_K: f64 = 303.0;
/// Light response: α, and `c` that makes it 1 at 1000 µmol m⁻² s⁻¹.
const LIGHT: (f64, f64) = (0.0027, 1.066);
/// Temperature response: c₁ and c₂ in J mol⁻¹, `T_m` in K.
const WARMTH: (f64, f64, f64) = (95_000.0, 230_000.0, 314.0);
/// Terpenes, per kelvin.
const TERPENES_PER_K: f64 = 0.09;
/// Photosynthetic photons in a joule of sunlight, µmol: 45 % of the energy at 4.57 µmol/J (`McCree`, *Agric. Meteorol.* 10, 1972).
const PHOTONS_UMOL_J: f64 = 2.06;

/// As written: `vegetation(leaf_kg: 50.0, isoprene_ug_g_h: 24.0, terpenes_ug_g_h: 0.8)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vegetation {
    /// Dry mass of the leaves.
    pub leaf_kg: Positive,
    /// Isoprene at 30 °C and 1000 µmol m⁻² s⁻¹, in µg a gram of leaves an hour: oaks 70, pines 0.1.
    pub isoprene_ug_g_h: NonNegative,
    /// Terpenes at 30 °C, in µg a gram of leaves an hour: pines 3, most others 0.2 to 0.8.
    pub terpenes_ug_g_h: NonNegative,
}

/// How much isoprene leaves release at a temperature and in a light, over what they do at 303 K and 1000 µmol m⁻² s⁻¹.
#[must_use]
pub fn isoprene_activity(temperature_k: f64, photons_umol_m2_s: f64) -> f64 {
    let light = LIGHT.0 * photons_umol_m2_s;
    let by_light = LIGHT.1 * light / (1.0 + light * light).sqrt();
    let scale = GAS_CONSTANT_J_MOL_K * STANDARD_K * temperature_k;
    let rise = libm::exp(WARMTH.0 * (temperature_k - STANDARD_K) / scale);
    by_light * rise / (1.0 + libm::exp(WARMTH.1 * (temperature_k - WARMTH.2) / scale))
}

impl Spec for Vegetation {}

impl Emitter for Vegetation {
    const KIND: &'static str = "vegetation";
    const ABOUT: &'static str = "isoprene and terpenes of plants by temperature and light";

    fn components(&self) -> Vec<EmissionComponent> {
        let one = |name: &str, id: &str| EmissionComponent { name: name.to_owned(), composition: vec![(id.to_owned(), 1.0)] };
        vec![one("isoprene", "isoprene"), one("terpenes", "alpha_pinene")]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        // µg a gram an hour are kg a kg in 3.6e9 s
        let leaves = self.leaf_kg.get() / 3.6e9;
        let warm = libm::exp(TERPENES_PER_K * (over.temperature_k - STANDARD_K));
        rates[0] = leaves * self.isoprene_ug_g_h.get() * isoprene_activity(over.temperature_k, PHOTONS_UMOL_J * over.sunshine_w_m2);
        rates[1] = leaves * self.terpenes_ug_g_h.get() * warm;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isoprene_needs_light_and_is_strongest_near_forty_degrees() {
        assert!((isoprene_activity(303.0, 1000.0) - 1.0).abs() < 0.06, "{}", isoprene_activity(303.0, 1000.0));
        assert_eq!(isoprene_activity(303.0, 0.0), 0.0);
        let best = (0..300)
            .map(|n| 290.0 + f64::from(n) * 0.1)
            .max_by(|a, b| isoprene_activity(*a, 1000.0).total_cmp(&isoprene_activity(*b, 1000.0)));
        assert!((311.0..314.0).contains(&best.unwrap()), "{best:?}");
    }
}
