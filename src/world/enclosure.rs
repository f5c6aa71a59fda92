//! The housing of a unit and the board in it: what they are made of, and how warm they are.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::files::product::EnclosureParts;

/// The housing of a unit, a component of its entity.
#[derive(Component, Clone, Debug)]
pub struct Enclosure {
    /// What it is made of.
    pub parts: EnclosureParts,
    /// Where it hangs, m.
    pub at_m: DVec3,
    /// Electrical power that becomes heat in it, W.
    pub power_w: f64,
}

/// How warm a housing and its board are; none before the first tick.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnclosureState(pub Option<EnclosureTemperatures>);

/// Temperatures of a housing, K.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnclosureTemperatures {
    /// The board with its electronics.
    pub board_k: f64,
    /// The housing itself.
    pub housing_k: f64,
}
