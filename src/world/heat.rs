//! Heat that bodies, lines and fires give to what is around them.

use bevy_ecs::resource::Resource;
use glam::DVec3;
use serde::{Deserialize, Serialize};

/// Where heat of bodies, lines, walls and roofs goes into the air, and how much in W; what the tick before left.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatSources(pub Vec<(DVec3, f64)>);

/// The flames that burn, in the order of their sources.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flames(pub Vec<Flame>);

/// A flame as a leaning bar of one temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flame {
    /// Index in [`super::tracers::Sources`].
    pub source: usize,
    /// Middle of its base, m.
    pub base_m: DVec3,
    /// Its tip, m.
    pub tip_m: DVec3,
    /// Of the base, m.
    pub diameter_m: f64,
    /// Upwards, m.
    pub height_m: f64,
    /// All heat it sets free, W.
    pub heat_w: f64,
    /// K.
    pub temperature_k: f64,
    /// Emissivity, 8–14 µm.
    pub emissivity: f64,
}
