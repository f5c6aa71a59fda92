//! Gases and size classes of particles the engine knows: molar mass, diffusivity, diameter, where the figures come from.

use std::sync::Arc;

use bevy_ecs::resource::Resource;
use serde::Deserialize;

use crate::diagnostics::{Diagnostics, Source};
use crate::files::kinds::Kinds;
use crate::units::{NonNegative, Positive};

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

/// Particles of a range of sizes as written in `assets/species.ron`; classes follow each other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticleClass {
    /// The name files use, such as `PM1-2.5`.
    pub id: String,
    /// The name of all particles up to the end of this class, such as `PM2.5`.
    pub below: String,
    /// Least and largest aerodynamic diameter in µm: that of a sphere of water that sinks as fast.
    pub aerodynamic_um: (Positive, Positive),
    /// What a gram of it absorbs between 8 and 14 µm, m² g⁻¹.
    pub long_wave_m2_g: NonNegative,
    /// Where the figures come from.
    pub source: String,
}

/// All gases, in file order; a species is its place in this list everywhere inside the engine.
#[derive(Resource, Clone, Debug)]
pub struct SpeciesTable {
    list: Arc<[Species]>,
    particles: Arc<[ParticleClass]>,
}

#[derive(Deserialize)]
#[serde(rename = "SpeciesTable", deny_unknown_fields)]
struct SpeciesFile {
    species: Vec<Species>,
    #[serde(default)]
    particles: Vec<ParticleClass>,
}

impl SpeciesTable {
    /// Reads a species file.
    ///
    /// # Errors
    /// The first fault with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let file: SpeciesFile = super::read(source, &Kinds::default()).map_err(|d| Diagnostics::from(*d))?;
        Ok(Self { list: file.species.into(), particles: file.particles.into() })
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

    /// The place of a class of particles among them.
    #[must_use]
    pub fn particle_index(&self, id: &str) -> Option<usize> {
        self.particles.iter().position(|class| class.id == id)
    }

    /// The place of the class that ends where `name` (`PM2.5`) does.
    #[must_use]
    pub fn class_up_to(&self, name: &str) -> Option<usize> {
        self.particles.iter().position(|class| class.below == name)
    }

    /// Classes of particles, from the smallest.
    #[must_use]
    pub fn particles(&self) -> &[ParticleClass] {
        &self.particles
    }

    /// The place of a gas in the table.
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
    fn classes_of_particles_follow_each_other() {
        let table = SpeciesTable::shipped();
        assert!(table.particles().len() == 3);
        assert!(table.particles().windows(2).all(|pair| (pair[0].aerodynamic_um.1.get() - pair[1].aerodynamic_um.0.get()).abs() < 1e-12));
    }

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
