//! Flaming wood: the same loss of mass as smouldering, faster, and burnt almost completely.
//!
//! Yields of flaming combustion: modified combustion efficiency `CO₂/(CO₂ + CO)` of 0.955 by mole, organic gases and smoke a third of those
//! of a whole fire. Source: Akagi et al., *Atmos. Chem. Phys.* 11, 2011, for the efficiency above 0.95 of flames; the single
//! yields are design values. Heat: 12.4 MJ/kg of pine in the open (Tewarson, *SFPE Handbook*, 2002, table 3-4.14), seven tenths of it in the plume (Heskestad, the same, ch. 2-1),
//! the rest radiation.

use std::collections::BTreeMap;

use bevy_ecs::component::Component;
use serde::Deserialize;

use super::wood::{COMBUSTION_J_KG, CONVECTED, FAIR_WEATHER_MOISTURE_PCT, composition, mass_left, water_g_kg, yield_spread};
use crate::files::kinds::Spec;
use crate::units::{Duration, Finite, NonNegative, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// Grams a kilogram of dry fuel.
const YIELDS_G_KG: [(&str, f64); 13] = [
    ("CO2", 1690.0),
    ("CO", 50.0),
    ("CH4", 1.7),
    ("formaldehyde", 0.7),
    ("acetaldehyde", 0.4),
    ("acrolein", 0.1),
    ("methanol", 0.6),
    ("acetic_acid", 0.8),
    ("benzene", 0.2),
    ("NO", 2.5),
    ("HCl", 0.04),
    ("PM1", 4.8),
    ("PM1-2.5", 0.5),
];

/// As written: `flaming_wood(mass_kg: 5.0, at_s: 600.0)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlamingWood {
    /// Dry mass.
    pub mass_kg: Positive,
    /// Water in it, percent of dry mass; without it that of dead wood in fair weather.
    #[serde(default)]
    pub moisture_pct: Option<NonNegative>,
    /// When it catches fire, seconds from the scenario's start.
    pub at_s: Finite,
    /// Share of the mass lost in a second once it burns fully.
    #[serde(default = "design_rate")]
    pub rate_per_s: Positive,
    /// Time over which the fire grows.
    #[serde(default = "design_growth")]
    pub growth_s: Duration,
}

/// A design value: a log of a kilogram burns in about a quarter of an hour.
fn design_rate() -> Positive {
    Positive::try_from(1e-3).unwrap_or_else(|_| unreachable!("above 0"))
}

/// A design value.
fn design_growth() -> Duration {
    Duration::try_from(60.0).unwrap_or_else(|_| unreachable!("above 0"))
}

impl Spec for FlamingWood {}

impl Emitter for FlamingWood {
    const KIND: &'static str = "flaming_wood";
    const ABOUT: &'static str = "wood that burns with a flame";

    fn components(&self) -> Vec<EmissionComponent> {
        let mut yields: BTreeMap<&str, f64> = YIELDS_G_KG.into_iter().collect();
        yields.insert("H2O", water_g_kg(self.moisture_pct.map_or(FAIR_WEATHER_MOISTURE_PCT, NonNegative::get)));
        vec![EmissionComponent { name: "flame".to_owned(), composition: composition(&yields) }]
    }

    fn yield_spread(&self, species: &str) -> f64 {
        yield_spread(species, true)
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let left = |now_s: f64| mass_left(self.rate_per_s, self.growth_s, now_s - self.at_s.get());
        rates[0] = self.mass_kg.get() * (left(over.from_s) - left(over.to_s)) / over.length_s();
    }

    fn heat_w(&self, rates_kg_s: &[f64]) -> f64 {
        CONVECTED * COMBUSTION_J_KG * rates_kg_s[0]
    }

    fn flame_w(&self, rates_kg_s: &[f64]) -> f64 {
        COMBUSTION_J_KG * rates_kg_s[0]
    }

    fn warms_air(&self) -> bool {
        true
    }

    fn ignited_s(&self) -> Option<f64> {
        Some(self.at_s.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flames_burn_more_completely_than_95_percent() {
        let moles = |id: &str, molar: f64| YIELDS_G_KG.iter().find(|(name, _)| *name == id).unwrap().1 / molar;
        let (co2, co) = (moles("CO2", 44.009), moles("CO", 28.01));
        assert!((co2 / (co2 + co) - 0.955).abs() < 2e-3, "{}", co2 / (co2 + co));
    }
}
