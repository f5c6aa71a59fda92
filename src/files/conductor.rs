//! Overhead conductors: what their temperature follows from.

use std::sync::Arc;

use serde::Deserialize;

use crate::diagnostics::{Diagnostics, Source};
use crate::files::kinds::Kinds;
use crate::units::{Fraction, Positive};

/// One conductor as written in `assets/conductors.ron`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conductor {
    /// The name files use.
    pub id: String,
    /// Outer diameter in metres.
    pub diameter_m: Positive,
    /// Resistance of a metre at 25 °C in ohm; linear in temperature through the next.
    pub resistance_25c_ohm_m: Positive,
    /// The same at 75 °C.
    pub resistance_75c_ohm_m: Positive,
    /// Long-wave emissivity.
    pub emissivity: Fraction,
    /// Absorptivity for sunlight.
    pub absorptivity: Fraction,
    /// Heat capacity of a metre in J K⁻¹.
    pub heat_capacity_j_m_k: Positive,
    /// Thermal conductivity times cross-section along it in W m K⁻¹.
    pub axial_w_m_k: Positive,
    /// Where its outer strands melt, °C: a run ends there.
    pub melts_c: Positive,
    /// Where the figures come from.
    pub source: String,
}

impl Conductor {
    /// Resistance of a metre at a temperature in °C, ohm.
    #[must_use]
    pub fn resistance_ohm_m(&self, temperature_c: f64) -> f64 {
        let (low, high) = (self.resistance_25c_ohm_m.get(), self.resistance_75c_ohm_m.get());
        low + (high - low) / 50.0 * (temperature_c - 25.0)
    }
}

/// All conductors, in file order.
#[derive(Clone, Debug)]
pub struct Conductors {
    list: Arc<[Conductor]>,
}

#[derive(Deserialize)]
#[serde(rename = "Conductors", deny_unknown_fields)]
struct ConductorsFile {
    conductors: Vec<Conductor>,
}

impl Conductors {
    /// Reads a conductors file.
    ///
    /// # Errors
    /// The first fault with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let file: ConductorsFile = super::read(source, &Kinds::default()).map_err(|d| Diagnostics::from(*d))?;
        Ok(Self { list: file.conductors.into() })
    }

    /// The table that ships with the program.
    ///
    /// # Panics
    /// If the shipped file is broken: a bug that the tests of this module catch.
    #[must_use]
    pub fn shipped() -> Self {
        let source = super::library::shipped("assets/conductors.ron").expect("conductors.ron ships with the program");
        Self::read(&source).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The conductor of this name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Conductor> {
        self.list.iter().find(|conductor| conductor.id == id)
    }

    /// The conductors, in order.
    #[must_use]
    pub fn all(&self) -> &[Conductor] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_conductors_are_unique_and_each_states_its_source() {
        let conductors = Conductors::shipped();
        for conductor in conductors.all() {
            assert!(!conductor.source.is_empty(), "{}", conductor.id);
            assert_eq!(conductors.all().iter().filter(|c| c.id == conductor.id).count(), 1);
        }
        let drake = conductors.get("drake_795").unwrap();
        assert!((drake.resistance_ohm_m(100.0) / 9.3905e-5 - 1.0).abs() < 1e-5);
    }
}
