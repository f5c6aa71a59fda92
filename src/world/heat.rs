//! Heat that bodies and lines give to the air.

use bevy_ecs::resource::Resource;
use glam::DVec3;
use serde::{Deserialize, Serialize};

/// Where heat goes into the air, and how much in W; what the tick before left.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatSources(pub Vec<(DVec3, f64)>);
