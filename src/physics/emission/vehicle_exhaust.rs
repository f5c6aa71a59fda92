//! Exhaust of a vehicle: grams of each gas a kilogram of fuel burnt. A moving vehicle is an emitter with a `path`.
//!
//! Source: EMEP/EEA air pollutant emission inventory guidebook, 1.A.3.b, tier 1 (passenger cars: carbon monoxide, nitrogen oxides, particles),
//! carbon dioxide and water from the carbon and hydrogen of the fuel; the organic gases are design values of the order of its tables for warm engines.
//! Left out: cold start, tyre and brake wear.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::units::{Finite, NonNegative};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// What it burns.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum VehicleFuel {
    /// Petrol.
    #[default]
    Petrol,
    /// Diesel.
    Diesel,
}

/// Grams a kilogram of fuel: (species, petrol, diesel).
const YIELDS_G_KG: [(&str, f64, f64); 11] = [
    ("CO2", 3090.0, 3140.0),
    ("H2O", 1240.0, 1180.0),
    ("CO", 84.7, 3.33),
    ("NO", 5.4, 7.6),
    ("NO2", 0.4, 1.3),
    ("NH3", 1.1, 0.065),
    ("benzene", 0.5, 0.02),
    ("toluene", 1.1, 0.01),
    ("formaldehyde", 0.15, 0.08),
    ("acetaldehyde", 0.06, 0.04),
    ("PM1", 0.03, 1.1),
];

/// As written: `vehicle_exhaust(fuel_g_s: 0.2)`, with `fuel`, `from_s` and `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VehicleExhaust {
    /// Fuel burnt, in g/s: idling about 0.2.
    pub fuel_g_s: NonNegative,
    /// Which fuel.
    #[serde(default)]
    pub fuel: VehicleFuel,
    /// When it begins, seconds from the scenario's start; without it, always.
    #[serde(default)]
    pub from_s: Option<Finite>,
    /// When it ends; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

impl Spec for VehicleExhaust {}

impl Emitter for VehicleExhaust {
    const KIND: &'static str = "vehicle_exhaust";
    const ABOUT: &'static str = "exhaust of a warm petrol or diesel engine";

    fn components(&self) -> Vec<EmissionComponent> {
        let grams = |(id, petrol, diesel): &(&str, f64, f64)| {
            let grams = match self.fuel {
                VehicleFuel::Petrol => petrol,
                VehicleFuel::Diesel => diesel,
            };
            ((*id).to_owned(), grams * 1e-3)
        };
        vec![EmissionComponent { name: "exhaust".to_owned(), composition: YIELDS_G_KG.iter().map(grams).collect() }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        rates[0] = over.share_within(self.from_s, self.until_s) * self.fuel_g_s.get() * 1e-3;
    }
}
