//! Overheated PVC insulation: hydrogen chloride long before there is smoke.
//!
//! First-order loss of the chlorine the compound holds, `k(T) = k₂₀₀ exp(−E/R (1/T − 1/T₂₀₀))`, E = 117.5 kJ/mol (Dean et al.,
//! *Polym. Degrad. Stab.* 22, 1988). A filled cable compound gives off up to 30 % of its mass as HCl (25–35 %; pure resin
//! 58.3 %). k at 200 °C of 2e-5 s⁻¹ is a design value: half of the chlorine in ten hours. The released mass of a tick is
//! the exact difference of two states. No phenol and no formaldehyde: HCl is what tells PVC from wood.
//! Left out: autocatalysis by retained HCl, plasticiser, fire; the temperature is given.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Finite, GAS_CONSTANT_J_MOL_K, Positive, kelvin};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// Activation energy of thermal dehydrochlorination, J/mol.
const ACTIVATION_J_MOL: f64 = 117.5e3;
/// Rate at `REFERENCE_C`, 1/s.
const REFERENCE_PER_S: f64 = 2e-5;
/// Where that rate holds, °C.
const REFERENCE_C: f64 = 200.0;
/// Mass of HCl that a kilogram of cable compound can give off.
const HCL_SHARE: f64 = 0.30;
/// The law is one of dehydrochlorination: below it nothing happens in a run, above it the polymer itself breaks, °C.
const RANGE_C: (f64, f64) = (60.0, 320.0);

/// As written: `overheated_pvc(mass_kg: 0.2, temperature_c: 180.0)`, with `from_s` and `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverheatedPvc {
    /// Mass of the insulation that is hot.
    pub mass_kg: Positive,
    /// Its temperature while it is hot.
    pub temperature_c: Finite,
    /// When it becomes hot, seconds from the scenario's start.
    pub from_s: Finite,
    /// When it has cooled; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

/// Rate of dehydrochlorination in s⁻¹ at a temperature in °C.
#[must_use]
pub fn dehydrochlorination_per_s(temperature_c: f64) -> f64 {
    let inverse = 1.0 / kelvin(temperature_c) - 1.0 / kelvin(REFERENCE_C);
    REFERENCE_PER_S * libm::exp(-ACTIVATION_J_MOL / GAS_CONSTANT_J_MOL_K * inverse)
}

impl Spec for OverheatedPvc {
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        let outside = !(RANGE_C.0..=RANGE_C.1).contains(&self.temperature_c.get());
        let message = || format!("overheated PVC is between {} °C and {} °C, got {}", RANGE_C.0, RANGE_C.1, self.temperature_c.get());
        outside.then(|| SpecFault::bad_value("temperature_c", message())).into_iter().collect()
    }
}

impl Emitter for OverheatedPvc {
    const KIND: &'static str = "overheated_pvc";
    const ABOUT: &'static str = "hydrogen chloride of hot cable insulation";

    fn components(&self) -> Vec<EmissionComponent> {
        vec![EmissionComponent { name: "dehydrochlorination".to_owned(), composition: vec![("HCl".to_owned(), 1.0)] }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let k = dehydrochlorination_per_s(self.temperature_c.get());
        let hot_s = |at_s: f64| (at_s.min(self.until_s.map_or(f64::MAX, Finite::get)) - self.from_s.get()).max(0.0);
        let left = |at_s: f64| libm::exp(-k * hot_s(at_s));
        rates[0] = HCL_SHARE * self.mass_kg.get() * (left(over.from_s) - left(over.to_s)) / over.length_s();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_with_temperature_as_published() {
        let ratio = |low: f64, high: f64| dehydrochlorination_per_s(high) / dehydrochlorination_per_s(low);
        assert!((ratio(180.0, 200.0) / 3.736_82 - 1.0).abs() < 1e-5, "{}", ratio(180.0, 200.0));
        assert!((ratio(140.0, 160.0) / 4.851_96 - 1.0).abs() < 1e-5, "{}", ratio(140.0, 160.0));
    }

    #[test]
    fn no_more_chlorine_leaves_than_there_is_and_any_tick_gives_the_same() {
        let pvc: OverheatedPvc = ron::from_str("(mass_kg: 2.0, temperature_c: 300.0, from_s: 10.0)").unwrap();
        let released = |ticks: u32, length: f64| -> f64 {
            let mut rates = [0.0];
            (0..ticks)
                .map(|n| {
                    let from_s = f64::from(n) * length;
                    pvc.rates_kg_s(Stretch::new(from_s, from_s + length), &mut rates);
                    rates[0] * length
                })
                .sum()
        };
        assert!((released(100, 1.0) - released(10, 10.0)).abs() < 1e-12);
        assert!((released(10, 1e6) - 0.6).abs() < 1e-9);
    }
}
