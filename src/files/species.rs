//! Gases the engine knows: molar mass, diffusivity, where the figures come from.

use std::sync::Arc;

use bevy_ecs::resource::Resource;
use serde::Deserialize;

use crate::diagnostics::{Diagnostics, Source};
use crate::files::kinds::Kinds;
use crate::units::Positive;

/// One gas as written in `assets/species.ron`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Species {
    /// The name files use: a formula (`CO`) or a common name (`formaldehyde`).
    pub id: String,
    /// CF standard name of its mole fraction, where one exists or follows the pattern.
    pub standard_name: String,
    /// Molar mass in g mol⁻¹.
    pub molar_mass_g_mol: Positive,
    /// Molecular diffusivity in air at 25 °C in m² s⁻¹; for read-out only, turbulence is 10⁴ times stronger.
    pub diffusivity_m2_s: Positive,
    /// Where the figures come from.
    pub source: String,
}

/// All gases, in file order; a species is its place in this list everywhere inside the engine.
#[derive(Resource, Clone, Debug)]
pub struct SpeciesTable {
    list: Arc<[Species]>,
}

#[derive(Deserialize)]
#[serde(rename = "SpeciesTable", deny_unknown_fields)]
struct SpeciesFile {
    species: Vec<Species>,
}

impl SpeciesTable {
    /// Reads a species file.
    ///
    /// # Errors
    /// The first fault with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let file: SpeciesFile = super::read(source, &Kinds::default()).map_err(|d| Diagnostics::from(*d))?;
        Ok(Self { list: file.species.into() })
    }

    /// The table that ships with the program.
    ///
    /// # Panics
    /// If the shipped file is broken: a bug that the tests of this module catch.
    #[must_use]
    pub fn shipped() -> Self {
        let source = super::library::shipped("assets/species.ron").expect("species.ron ships with the program");
        Self::read(&source).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The place of a species in the table.
    #[must_use]
    pub fn index(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|species| species.id == id)
    }

    /// The species of the table, in order.
    #[must_use]
    pub fn all(&self) -> &[Species] {
        &self.list
    }

    /// Molar mass in kg mol⁻¹.
    ///
    /// # Panics
    /// If `index` did not come from this table.
    #[must_use]
    pub fn molar_kg_mol(&self, index: usize) -> f64 {
        self.list[index].molar_mass_g_mol.get() * 1e-3
    }

    /// All names, for "did you mean".
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.list.iter().map(|species| species.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_species_are_unique_and_each_states_its_source() {
        let table = SpeciesTable::shipped();
        for (index, species) in table.all().iter().enumerate() {
            assert_eq!(table.index(&species.id), Some(index), "{} twice", species.id);
            assert!(!species.source.is_empty(), "{}", species.id);
        }
        assert!((table.molar_kg_mol(table.index("CH4").unwrap()) - 0.016_043).abs() < 1e-9);
    }
}
