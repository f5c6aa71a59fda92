//! Smouldering wood: a first-order loss of mass that grows over minutes, with whole-fire yields.
//!
//! `dm/dt = −k (1 − exp(−(t − t0)/τ)) m` after ignition at t0; the released mass of a tick is the exact difference of
//! two states, so any tick will do. Yields are grams of a gas a kilogram of dry fuel burnt.
//!
//! Sources: Andreae, *Atmos. Chem. Phys.* 19, 2019, on Akagi et al. 2011 (yields); k of 1e-4 s⁻¹ and τ of 180 s are
//! design values for litter and thin branches: emission sets in over minutes in cone calorimeter tests of pine.
//! Cresol and guaiacol have no measured whole-fire yield: 0.2 and 0.5 g/kg are design values of the right order.
//! Left out: moisture, separate wood components, temperature, flames; heat comes only from the file.

use std::collections::BTreeMap;

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Duration, Finite, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// As written: `smouldering_wood(mass_kg: 0.4, heated_by: Ignited(at_s: 600.0))`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmoulderingWood {
    /// Dry mass.
    pub mass_kg: Positive,
    /// What heats it.
    pub heated_by: Heat,
    /// Which yields.
    #[serde(default)]
    pub fuel: Fuel,
    /// Share of the mass lost in a second once it smoulders fully.
    #[serde(default = "design_rate")]
    pub rate_per_s: Positive,
    /// Time over which it catches.
    #[serde(default = "design_growth")]
    pub growth_s: Duration,
    /// Yields in g/kg that replace those of the fuel.
    #[serde(default)]
    pub yields_g_kg: BTreeMap<String, Positive>,
}

fn design_rate() -> Positive {
    Positive::try_from(1e-4).unwrap_or_else(|_| unreachable!("above 0"))
}

fn design_growth() -> Duration {
    Duration::try_from(180.0).unwrap_or_else(|_| unreachable!("above 0"))
}

/// What heats the wood.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Heat {
    /// It starts by itself at a time.
    Ignited {
        /// Seconds from the scenario's start.
        at_s: Finite,
    },
}

/// Which whole-fire yields.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum Fuel {
    /// Temperate forest.
    #[default]
    Temperate,
    /// Boreal forest.
    Boreal,
    /// Peat, which only smoulders.
    Peat,
}

impl Fuel {
    /// Grams a kilogram of dry fuel: (species, temperate, boreal, peat).
    const YIELDS: [(&'static str, [f64; 3]); 17] = [
        ("CO2", [1570.0, 1453.0, 1590.0]),
        ("CO", [113.0, 121.0, 260.0]),
        ("CH4", [5.20, 5.50, 9.10]),
        ("formaldehyde", [2.04, 1.75, 1.07]),
        ("acetaldehyde", [1.21, 0.81, 1.16]),
        ("acrolein", [0.34, 0.33, 0.27]),
        ("phenol", [0.25, 0.75, 0.47]),
        ("cresol", [0.2, 0.2, 0.2]),
        ("guaiacol", [0.5, 0.5, 0.5]),
        ("methanol", [2.20, 2.33, 2.50]),
        ("acetic_acid", [2.74, 3.80, 4.90]),
        ("furfural", [0.52, 0.61, 1.10]),
        ("benzene", [0.42, 0.57, 0.87]),
        ("toluene", [0.27, 0.35, 0.45]),
        ("HCl", [0.039, 0.13, 0.008]),
        ("NO", [1.92, 0.90, 1.00]),
        ("NH3", [0.84, 2.72, 1.33]),
    ];

    fn column(self) -> usize {
        match self {
            Self::Temperate => 0,
            Self::Boreal => 1,
            Self::Peat => 2,
        }
    }
}

impl Spec for SmoulderingWood {
    fn faults(&self, species: &SpeciesTable) -> Vec<SpecFault> {
        self.yields_g_kg
            .keys()
            .filter(|id| species.index(id).is_none())
            .map(|id| SpecFault {
                path: "yields_g_kg".to_owned(),
                code: "unknown-species",
                message: format!("no species is called `{id}`"),
                known: species.names(),
            })
            .collect()
    }
}

impl SmoulderingWood {
    /// Share of the mass that is left `since_s` after ignition.
    fn left(&self, since_s: f64) -> f64 {
        let (since, growth) = (since_s.max(0.0), self.growth_s.get());
        libm::exp(-self.rate_per_s.get() * (since + growth * libm::expm1(-since / growth)))
    }
}

impl Emitter for SmoulderingWood {
    const KIND: &'static str = "smouldering_wood";
    const ABOUT: &'static str = "wood that loses mass without flame, with whole-fire yields";

    fn components(&self) -> Vec<EmissionComponent> {
        let mut yields: BTreeMap<&str, f64> = Fuel::YIELDS.iter().map(|(id, grams)| (*id, grams[self.fuel.column()])).collect();
        yields.extend(self.yields_g_kg.iter().map(|(id, grams)| (id.as_str(), grams.get())));
        let composition = yields.into_iter().map(|(id, grams)| (id.to_owned(), grams * 1e-3)).collect();
        vec![EmissionComponent { name: "pyrolysis".to_owned(), composition }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let Heat::Ignited { at_s } = self.heated_by;
        let lost = self.left(over.from_s - at_s.get()) - self.left(over.to_s - at_s.get());
        rates[0] = self.mass_kg.get() * lost / over.length_s();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch() -> SmoulderingWood {
        ron::from_str("(mass_kg: 0.4, heated_by: Ignited(at_s: 100.0))").unwrap()
    }

    #[test]
    fn nothing_is_released_before_ignition_and_all_mass_in_the_end() {
        let (branch, mut rates) = (branch(), [0.0]);
        branch.rates_kg_s(Stretch { from_s: 0.0, to_s: 100.0 }, &mut rates);
        assert!(rates[0].abs() < 1e-300);
        let mut released = 0.0;
        for n in 0..20_000 {
            branch.rates_kg_s(Stretch { from_s: f64::from(n) * 10.0, to_s: f64::from(n + 1) * 10.0 }, &mut rates);
            released += rates[0] * 10.0;
        }
        assert!((released / 0.4 - 1.0).abs() < 1e-6, "{released}");
    }

    #[test]
    fn emission_grows_over_minutes_to_its_plateau() {
        let (branch, mut rates) = (branch(), [0.0]);
        let mut rate = |at: f64| {
            branch.rates_kg_s(Stretch { from_s: at, to_s: at + 1.0 }, &mut rates);
            rates[0]
        };
        assert!(rate(110.0) < 0.1 * rate(1000.0) && rate(1000.0) < 0.4 * 1e-4);
    }

    #[test]
    fn formaldehyde_over_carbon_monoxide_is_0_0168_by_mole() {
        let components = branch().components();
        let grams = |id: &str| components[0].composition.iter().find(|(name, _)| name == id).unwrap().1;
        let ratio = grams("formaldehyde") / 30.026 / (grams("CO") / 28.010);
        assert!((ratio - 0.0168).abs() < 1e-4, "{ratio}");
    }
}
