//! A wooden pole with creosote in the sun: naphthalene and phenols that are no fire.
//!
//! Evaporation from the surface, `q = q₃₀ exp(−H/R (1/T − 1/303))`, T the air's temperature raised by the sun that the surface
//! takes in over its heat transfer coefficient. q₃₀ of 30 mg m⁻² a day at 30 °C falls with the square root of age (diffusion);
//! that figure, H of 60 kJ/mol and the composition are design values of the order of emission work on railway sleepers.
//! Left out: rain, shade, the heat of the pole's inside.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::units::{GAS_CONSTANT_J_MOL_K, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// From a pole of a year at 30 °C, kg m⁻² s⁻¹.
const FLUX_KG_M2_S: f64 = 30e-6 / 86_400.0;
/// Enthalpy of evaporation, J mol⁻¹.
const EVAPORATION_J_MOL: f64 = 60e3;
/// Share of the sun's light on the sunny half that heats the surface, over the heat transfer coefficient, K m² W⁻¹: 0.8 of half
/// the light over 20 W m⁻² K⁻¹.
const SUN_K_M2_W: f64 = 0.8 * 0.5 / 20.0;

/// As written: `creosoted_pole(area_m2: 8.0, age_years: 5.0)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreosotedPole {
    /// Surface that was treated.
    pub area_m2: Positive,
    /// Years since treatment.
    pub age_years: Positive,
}

impl Spec for CreosotedPole {}

impl Emitter for CreosotedPole {
    const KIND: &'static str = "creosoted_pole";
    const ABOUT: &'static str = "naphthalene and phenols of a creosoted pole, more in the sun";

    fn components(&self) -> Vec<EmissionComponent> {
        let composition = [("naphthalene", 0.55), ("phenol", 0.03), ("cresol", 0.06), ("toluene", 0.02)];
        let composition = composition.map(|(id, part)| (id.to_owned(), part)).to_vec();
        vec![EmissionComponent { name: "creosote".to_owned(), composition }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let surface_k = over.temperature_k + SUN_K_M2_W * over.sunshine_w_m2;
        let warm = libm::exp(-EVAPORATION_J_MOL / GAS_CONSTANT_J_MOL_K * (1.0 / surface_k - 1.0 / 303.0));
        rates[0] = FLUX_KG_M2_S * self.area_m2.get() * warm / self.age_years.get().max(1.0).sqrt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pole_in_the_sun_gives_off_several_times_what_it_does_at_night() {
        let pole: CreosotedPole = ron::from_str("(area_m2: 8.0, age_years: 4.0)").unwrap();
        let rate = |temperature_k: f64, sunshine_w_m2: f64| {
            let mut rates = [0.0];
            pole.rates_kg_s(Stretch { temperature_k, sunshine_w_m2, ..Stretch::new(0.0, 1.0) }, &mut rates);
            rates[0]
        };
        assert!((rate(303.0, 0.0) * 86_400.0 / 8.0 / 15e-6 - 1.0).abs() < 1e-9);
        assert!(rate(305.0, 900.0) > 5.0 * rate(290.0, 0.0));
    }
}
