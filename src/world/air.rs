//! The state of the air that physics writes and sensors read.
//!
//! Wind lives on faces: each voxel owns its low x, y and z face, the high boundary planes lie in `HighFaces`.
//! Turbulent diffusivity is one number per level and axis, and one per cell where eddies are resolved; a module that resolves more replaces it.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bytemuck::{Pod, TransparentWrapper, Zeroable};
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::world::field::{AppFieldExt, Field};
use crate::world::{AppStateExt, Grid};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Component, Clone, Copy, Debug, Default, Pod, Zeroable, TransparentWrapper)]
        #[repr(transparent)]
        pub struct $name(pub f32);
    )*};
}

columns! {
    /// Velocity through a voxel's low x face, m s⁻¹, positive to the east.
    WindX,
    /// Velocity through a voxel's low y face, m s⁻¹, positive to the north.
    WindY,
    /// Velocity through a voxel's low z face, m s⁻¹, positive up.
    WindZ,
    /// Air temperature of the weather, K; heat of sources is a tracer ([`super::tracers::Contents::Heat`]).
    AirTemperature,
    /// Specific humidity, kg water per kg moist air.
    SpecificHumidity,
}

/// Wind through the planes on the high side of the domain, m s⁻¹, and how often the wind has changed.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct HighFaces {
    /// `ny·nz` values, y fastest.
    pub x: Vec<f32>,
    /// `nx·nz` values, x fastest.
    pub y: Vec<f32>,
    /// `nx·ny` values, x fastest.
    pub z: Vec<f32>,
    /// Counted up by whoever writes the wind.
    pub version: u64,
    /// The version at which the wind was written the same everywhere on each level; whoever changes it moves on.
    pub level_version: u64,
    /// True if the wind varies along its own axes, so that a split transport must carry volumes.
    pub divergent_by_axis: bool,
}

impl HighFaces {
    /// Still air on the high planes of `grid`.
    #[must_use]
    pub fn still(grid: &Grid) -> Self {
        let [nx, ny, nz] = grid.shape;
        Self { x: vec![0.0; ny * nz], y: vec![0.0; nx * nz], z: vec![0.0; nx * ny], ..Self::default() }
    }
}

/// Turbulent diffusivity in m² s⁻¹: along x and y at cell centres of each level, along z at level faces.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diffusivity {
    /// `nz` values.
    pub x: Vec<f64>,
    /// `nz` values.
    pub y: Vec<f64>,
    /// `nz + 1` values, ground and top included.
    pub z_faces: Vec<f64>,
    /// Standard deviation of the lateral wind on each level in m s⁻¹; empty or zero where unknown.
    pub sigma_v: Vec<f64>,
    /// Lagrangian time of the vertical turbulence on each level in s; empty or zero where unknown.
    pub lagrangian_s: Vec<f64>,
    /// Square of the buoyancy frequency on each level in s⁻², 0 where the air is not stable; empty where unknown.
    pub stability_s2: Vec<f64>,
    /// Dissipation of turbulent energy on each level in m² s⁻³, where eddies larger than the cells are part of the wind and a puff
    /// grows only by those smaller than itself; else empty.
    pub dissipation_m2_s3: Vec<f64>,
    /// Diffusivity of every cell where eddies smaller than the cells are not alike within a level, m² s⁻¹: what spreads there is the larger of it and that of the
    /// level; else empty.
    pub cells: Vec<f32>,
    /// Roughness length in m, for the wind below the lowest level; 0 where unknown.
    pub roughness_m: f64,
}

/// Lateral variance of a plume of this age, m²: `(σᵥ t f)²` with `f = 1/(1 + 0.9 √(t/1000 s))`.
///
/// The eddies that move a plume sideways live for minutes, whatever its height, so its width grows with time at first. Holds
/// for means over ten minutes and more. Source: Draxler, *Atmospheric Environment* 10, 1976, for sources near the ground.
#[expect(clippy::inline_always, reason = "compiled for the SIMD level of its caller")]
#[inline(always)]
#[must_use]
pub fn lateral_variance_m2(sigma_v_m_s: f64, age_s: f64) -> f64 {
    let sigma = sigma_v_m_s * age_s / (1.0 + 0.9 * (age_s * 1e-3).sqrt());
    sigma * sigma
}

/// Air pressure at the ground, from the weather.
#[derive(Resource, Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GroundPressure {
    /// Pascal.
    pub pa: f64,
}

impl Default for GroundPressure {
    /// The standard atmosphere at sea level, ISO 2533.
    fn default() -> Self {
        Self { pa: 101_325.0 }
    }
}

/// The three wind columns together.
#[derive(bevy_ecs::system::SystemParam)]
pub struct WindField<'w, 's> {
    x: Field<'w, 's, WindX>,
    y: Field<'w, 's, WindY>,
    z: Field<'w, 's, WindZ>,
    /// Boundary planes.
    pub high: Res<'w, HighFaces>,
}

impl WindField<'_, '_> {
    /// Low faces along x, y, z.
    #[must_use]
    pub fn low(&self) -> [&[f32]; 3] {
        [self.x.as_slice(), self.y.as_slice(), self.z.as_slice()]
    }

    /// Velocity at a point in m s⁻¹, each component interpolated between its own faces.
    #[must_use]
    pub fn at(&self, grid: &Grid, point: DVec3) -> DVec3 {
        interpolated(grid, self.low(), &self.high, point)
    }

    /// The same for many points.
    #[must_use]
    pub fn sampler(&self, grid: &Grid) -> WindSampler<'_> {
        let [x, y, _] = self.low();
        let level = |k: usize| (f64::from(x[grid.index(0, 0, k)]), f64::from(y[grid.index(0, 0, k)]));
        let even = self.high.version == self.high.level_version;
        WindSampler {
            faces: Some((self.low(), &self.high)),
            grid: *grid,
            levels: if even { (0..grid.shape[2]).map(level).collect() } else { Vec::new() },
        }
    }
}

/// Velocity at a point, each component interpolated between its own faces.
fn interpolated(grid: &Grid, low: [&[f32]; 3], high: &HighFaces, point: DVec3) -> DVec3 {
    DVec3::from_array(std::array::from_fn(|axis| {
        let mut offset = [0.5; 3];
        offset[axis] = 0.0;
        let mut shape = grid.shape;
        shape[axis] += 1;
        let weights = grid.weights_on(point, offset, shape);
        weights.0.iter().map(|(index, weight)| f64::from(face(grid, low[axis], high, axis, *index)) * weight).sum()
    }))
}

/// The face at a place in a lattice that has one more point along `axis` than there are cells.
fn face(grid: &Grid, low: &[f32], high: &HighFaces, axis: usize, place: usize) -> f32 {
    let mut shape = grid.shape;
    shape[axis] += 1;
    let mut at = [place % shape[0], place / shape[0] % shape[1], place / (shape[0] * shape[1])];
    let [nx, ny, _] = grid.shape;
    if at[axis] < grid.shape[axis] {
        return low[grid.index(at[0], at[1], at[2])];
    }
    at[axis] = 0;
    match axis {
        0 => high.x[at[1] + ny * at[2]],
        1 => high.y[at[0] + nx * at[2]],
        _ => high.z[at[0] + nx * at[1]],
    }
}

/// The wind for many points of one moment.
pub struct WindSampler<'a> {
    faces: Option<([&'a [f32]; 3], &'a HighFaces)>,
    grid: Grid,
    /// East and north on each level, if the wind is the same everywhere on it.
    levels: Vec<(f64, f64)>,
}

impl WindSampler<'_> {
    /// A wind that is the same everywhere on each level: east and north, from below.
    ///
    /// # Panics
    /// If there is not one pair for each level: a bug in the caller.
    #[must_use]
    pub fn by_level(grid: Grid, levels: Vec<(f64, f64)>) -> WindSampler<'static> {
        assert_eq!(levels.len(), grid.shape[2], "one pair a level");
        WindSampler { faces: None, grid, levels }
    }

    /// The cells it is known on.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Velocity at a point in m s⁻¹, each component interpolated between its own faces.
    #[must_use]
    pub fn at(&self, point: DVec3) -> DVec3 {
        if let (true, Some((low, high))) = (self.levels.is_empty(), self.faces) {
            return interpolated(&self.grid, low, high, point);
        }
        let last = self.levels.len() - 1;
        let at = (point.z / self.grid.cell_m[2] - 0.5).clamp(0.0, last as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
        let low = at as usize;
        let ((u, v), (u_high, v_high)) = (self.levels[low], self.levels[(low + 1).min(last)]);
        let share = at - low as f64;
        DVec3::new(u + (u_high - u) * share, v + (v_high - v) * share, 0.0)
    }
}

pub(crate) struct AirPlugin;

impl Plugin for AirPlugin {
    fn build(&self, app: &mut App) {
        app.add_field::<WindX>("wind/x", "m s-1")
            .add_field::<WindY>("wind/y", "m s-1")
            .add_field::<WindZ>("wind/z", "m s-1")
            .add_field::<AirTemperature>("air/temperature", "K")
            .add_field::<SpecificHumidity>("air/specific_humidity", "kg kg-1")
            .add_state_resource::<HighFaces>()
            .add_state_resource::<Diffusivity>()
            .add_state_resource::<GroundPressure>();
    }
}

/// Specific humidity from vapour pressure and air pressure, both in the same unit.
///
/// `ε e / (p − (1 − ε) e)` with ε = 0.621 98, the ratio of molar masses: WMO-No. 8, annex 4.B.
#[must_use]
pub fn specific_humidity(vapour: f64, pressure: f64) -> f64 {
    WATER_TO_DRY_AIR * vapour / (pressure - (1.0 - WATER_TO_DRY_AIR) * vapour)
}

/// Vapour pressure from specific humidity, the inverse of [`specific_humidity`].
#[must_use]
pub fn vapour_pressure(specific: f64, pressure: f64) -> f64 {
    specific * pressure / (WATER_TO_DRY_AIR + (1.0 - WATER_TO_DRY_AIR) * specific)
}

/// Molar mass of water over that of dry air, WMO-No. 8, annex 4.B.
const WATER_TO_DRY_AIR: f64 = 0.621_98;

/// Density of dry air, kg m⁻³.
#[must_use]
pub fn air_kg_m3(pressure_pa: f64, temperature_k: f64) -> f64 {
    pressure_pa / (crate::units::DRY_AIR_GAS_CONSTANT_J_KG_K * temperature_k)
}

/// Hydrostatic pressure `height_m` above a ground of pressure `ground_pa` at mean temperature `temperature_k`.
#[must_use]
pub fn pressure_aloft(ground_pa: f64, height_m: f64, temperature_k: f64) -> f64 {
    use crate::units::{DRY_AIR_GAS_CONSTANT_J_KG_K, GRAVITY_M_S2};
    ground_pa * libm::exp(-GRAVITY_M_S2 * height_m / (DRY_AIR_GAS_CONSTANT_J_KG_K * temperature_k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specific_humidity_and_vapour_pressure_are_inverse() {
        let q = specific_humidity(15.8, 1000.0);
        assert!((vapour_pressure(q, 1000.0) - 15.8).abs() < 1e-10);
        assert!((q - 0.009_89).abs() < 1e-4, "{q}");
    }

    #[test]
    fn one_hectopascal_is_eight_metres() {
        let drop = 100.0 / (101_325.0 - pressure_aloft(101_325.0, 1.0, 288.15));
        assert!((drop - 8.3).abs() < 0.15, "{drop}");
    }
}
