//! Emission: the kinds of sources that ship with the engine.

mod corona;
mod gas_leak;
mod overheated_pvc;
mod smouldering_wood;

use bevy_app::{App, Plugin};

pub use corona::Corona;
pub use gas_leak::GasLeak;
pub use overheated_pvc::{OverheatedPvc, dehydrochlorination_per_s};
pub use smouldering_wood::{Fuel, Heat, SmoulderingWood};

use crate::physics::AppPhysicsExt;
use crate::world::emitter::AppEmitterExt;

/// Adds the kinds of this folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmissionPlugin;

impl Plugin for EmissionPlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("emission")
            .add_emitter::<Corona>()
            .add_emitter::<GasLeak>()
            .add_emitter::<OverheatedPvc>()
            .add_emitter::<SmoulderingWood>();
    }
}
