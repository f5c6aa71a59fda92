//! Surfaces: what the wind feels and what a camera will see.

use std::sync::Arc;

use serde::Deserialize;

use crate::diagnostics::{Diagnostics, Source};
use crate::files::kinds::Kinds;
use crate::units::{Fraction, Positive, Roughness};

/// One surface as written in `assets/materials.ron`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// The name files use.
    pub id: String,
    /// Aerodynamic roughness length of an extended surface in metres, for ground covers.
    #[serde(default)]
    pub roughness_m: Option<Roughness>,
    /// Thermal emissivity, 8–14 µm.
    pub emissivity: Fraction,
    /// Absorptivity for sunlight; without it as large as the emissivity, as of weathered and painted surfaces.
    #[serde(default)]
    pub absorptivity: Option<Fraction>,
    /// How freely it gives off water: 0 for a dry surface, 1 for open water (Deardorff, *J. Geophys. Res.* 83, 1978).
    #[serde(default)]
    pub moisture: Option<Fraction>,
    /// Density in kg m⁻³.
    #[serde(default)]
    pub density_kg_m3: Option<Positive>,
    /// Specific heat capacity in J kg⁻¹ K⁻¹.
    #[serde(default)]
    pub heat_capacity_j_kg_k: Option<Positive>,
    /// Thermal conductivity in W m⁻¹ K⁻¹.
    #[serde(default)]
    pub conductivity_w_m_k: Option<Positive>,
    /// Where the figures come from.
    pub source: String,
}

impl Material {
    /// Absorptivity for sunlight.
    #[must_use]
    pub fn absorptivity(&self) -> f64 {
        self.absorptivity.unwrap_or(self.emissivity).get()
    }

    /// Heat capacity of a cubic metre in J m⁻³ K⁻¹, where the table has it.
    #[must_use]
    pub fn heat_capacity_j_m3_k(&self) -> Option<f64> {
        Some(self.density_kg_m3?.get() * self.heat_capacity_j_kg_k?.get())
    }
}

/// All surfaces, in file order.
#[derive(Clone, Debug)]
pub struct Materials {
    list: Arc<[Material]>,
}

#[derive(Deserialize)]
#[serde(rename = "Materials", deny_unknown_fields)]
struct MaterialsFile {
    materials: Vec<Material>,
}

impl Materials {
    /// Reads a materials file.
    ///
    /// # Errors
    /// The first fault with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let file: MaterialsFile = super::read(source, &Kinds::default()).map_err(|d| Diagnostics::from(*d))?;
        Ok(Self { list: file.materials.into() })
    }

    /// The table that ships with the program.
    ///
    /// # Panics
    /// If the shipped file is broken: a bug that the tests of this module catch.
    #[must_use]
    pub fn shipped() -> Self {
        let source = super::library::shipped("assets/materials.ron").expect("materials.ron ships with the program");
        Self::read(&source).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The material of this name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Material> {
        self.list.iter().find(|material| material.id == id)
    }

    /// The materials, in order.
    #[must_use]
    pub fn all(&self) -> &[Material] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_materials_are_unique_and_each_states_its_source() {
        let materials = Materials::shipped();
        for material in materials.all() {
            assert!(!material.source.is_empty(), "{}", material.id);
            assert_eq!(materials.all().iter().filter(|m| m.id == material.id).count(), 1);
        }
    }
}
