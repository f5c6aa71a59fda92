//! Overheated cross-linked polyethylene: no chlorine, so no HCl, which tells it from PVC.
//!
//! Two first-order losses. Residues of the peroxide cure (acetophenone, methane) leave below 150 °C; the polymer itself breaks
//! from about 300 °C into light hydrocarbons and, in air, aldehydes. `k = k₀ exp(−E/R (1/T − 1/T₀))`; shares and rates are design
//! values of the order of degassing and thermogravimetry of cables (cure residues around 1 % of the mass; half of the polymer in
//! an hour at 400 °C; E of 80 and 220 kJ/mol). Left out: fire, diffusion through thick insulation; the temperature is given.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Finite, GAS_CONSTANT_J_MOL_K, Positive, kelvin};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// Where the two losses hold, °C.
const RANGE_C: (f64, f64) = (40.0, 450.0);

/// One first-order loss: its share of the mass, rate, and where the rate holds.
struct Loss {
    name: &'static str,
    share: f64,
    rate_per_s: f64,
    at_c: f64,
    activation_j_mol: f64,
    composition: &'static [(&'static str, f64)],
}

const LOSSES: [Loss; 2] = [
    Loss {
        name: "cure_residue",
        share: 0.01,
        rate_per_s: 1e-4,
        at_c: 120.0,
        activation_j_mol: 80e3,
        composition: &[("acetophenone", 0.75), ("CH4", 0.15)],
    },
    Loss {
        name: "polymer",
        share: 0.95,
        rate_per_s: 2e-4,
        at_c: 400.0,
        activation_j_mol: 220e3,
        composition: &[("C2H4", 0.05), ("C2H6", 0.03), ("CH4", 0.02), ("formaldehyde", 0.01), ("acetaldehyde", 0.02), ("CO", 0.03)],
    },
];

/// As written: `overheated_xlpe(mass_kg: 0.5, temperature_c: 140.0, from_s: 600.0)`, with `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverheatedXlpe {
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

impl Spec for OverheatedXlpe {
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        let outside = !(RANGE_C.0..=RANGE_C.1).contains(&self.temperature_c.get());
        let message = || format!("overheated XLPE is between {} °C and {} °C, got {}", RANGE_C.0, RANGE_C.1, self.temperature_c.get());
        outside.then(|| SpecFault::bad_value("temperature_c", message())).into_iter().collect()
    }
}

impl Emitter for OverheatedXlpe {
    const KIND: &'static str = "overheated_xlpe";
    const ABOUT: &'static str = "cure residues and fragments of hot cross-linked polyethylene";

    fn components(&self) -> Vec<EmissionComponent> {
        let of = |loss: &Loss| EmissionComponent {
            name: loss.name.to_owned(),
            composition: loss.composition.iter().map(|(id, part)| ((*id).to_owned(), *part)).collect(),
        };
        LOSSES.iter().map(of).collect()
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let hot_s = |at_s: f64| (at_s.min(self.until_s.map_or(f64::MAX, Finite::get)) - self.from_s.get()).max(0.0);
        for (rate, loss) in rates.iter_mut().zip(&LOSSES) {
            let inverse = 1.0 / kelvin(self.temperature_c.get()) - 1.0 / kelvin(loss.at_c);
            let k = loss.rate_per_s * libm::exp(-loss.activation_j_mol / GAS_CONSTANT_J_MOL_K * inverse);
            let left = |at_s: f64| libm::exp(-k * hot_s(at_s));
            *rate = loss.share * self.mass_kg.get() * (left(over.from_s) - left(over.to_s)) / over.length_s();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_cable_gives_off_cure_residue_and_hot_cable_the_polymer_but_never_hcl() {
        let rates = |temperature: f64| {
            let xlpe: OverheatedXlpe = ron::from_str(&format!("(mass_kg: 1.0, temperature_c: {temperature:?}, from_s: 0.0)")).unwrap();
            let mut rates = [0.0; 2];
            xlpe.rates_kg_s(Stretch::new(0.0, 1.0), &mut rates);
            rates
        };
        assert!(rates(120.0)[0] > 1e6 * rates(120.0)[1] && rates(420.0)[1] > rates(420.0)[0] * 0.01);
        assert!(LOSSES.iter().all(|loss| loss.composition.iter().all(|(id, _)| *id != "HCl")));
    }
}
