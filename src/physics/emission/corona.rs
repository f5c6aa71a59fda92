//! Corona on a line or its hardware: ozone and a little nitric oxide in proportion to the power that it dissipates.
//!
//! `dm/dt = Y P`, Y 0.5–5 g of ozone a kWh depending on humidity and air flow, and nitrogen oxides an order of
//! magnitude less. Source: Whitmore and Durfee, EPA-650/4-73-003, 1973, for the dependence; the range is of the
//! order quoted in the literature, the default of 2 g/kWh lies in its middle. Left out: ultrasound and radio noise (other
//! modules), the loss of ozone to nitric oxide, the power itself (it is given).

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Finite, NonNegative};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// Nitric oxide for each gram of ozone.
const NO_PER_O3: f64 = 0.1;
/// Joules in a kilowatt hour.
const J_PER_KWH: f64 = 3.6e6;

/// As written: `corona(power_w: 30.0)`, with `from_s` and `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corona {
    /// Power that the discharge dissipates.
    pub power_w: NonNegative,
    /// Ozone yield.
    #[serde(default)]
    pub ozone_g_kwh: Option<NonNegative>,
    /// When it begins, seconds from the scenario's start; without it, always.
    #[serde(default)]
    pub from_s: Option<Finite>,
    /// When it ends; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

impl Spec for Corona {
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        let outside = self.ozone_g_kwh.is_some_and(|yields| !(0.05..=50.0).contains(&yields.get()));
        let message = || "an ozone yield of corona lies between 0.05 g/kWh and 50 g/kWh".to_owned();
        outside.then(|| SpecFault::bad_value("ozone_g_kwh", message())).into_iter().collect()
    }
}

impl Emitter for Corona {
    const KIND: &'static str = "corona";
    const ABOUT: &'static str = "ozone and nitric oxide of an electric discharge";

    fn components(&self) -> Vec<EmissionComponent> {
        let whole = 1.0 + NO_PER_O3;
        let composition = vec![("O3".to_owned(), 1.0 / whole), ("NO".to_owned(), NO_PER_O3 / whole)];
        vec![EmissionComponent { name: "discharge".to_owned(), composition }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let open = over.share_within(self.from_s, self.until_s);
        let ozone_kg_j = self.ozone_g_kwh.map_or(2.0, NonNegative::get) * 1e-3 / J_PER_KWH;
        rates[0] = open * self.power_w.get() * ozone_kg_j * (1.0 + NO_PER_O3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_hour_makes_its_grams_of_ozone() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let corona: Corona = options.from_str("(power_w: 100.0, ozone_g_kwh: 3.0, from_s: 0.0, until_s: 36000.0)").unwrap();
        let mut rates = [0.0];
        corona.rates_kg_s(Stretch::new(-4000.0, 40_000.0), &mut rates);
        let ozone = rates[0] * 44_000.0 * corona.components()[0].composition[0].1;
        assert!((ozone - 3e-3).abs() < 1e-12, "{ozone}");
    }
}
