//! Emission: the kinds of sources that ship with the engine.

mod corona;
mod creosoted_pole;
mod dust;
mod flaming_wood;
mod gas_leak;
pub mod heated_layer;
mod heated_wood;
mod overheated_pvc;
mod overheated_xlpe;
pub mod pyrolysis;
mod smouldering_wood;
mod transformer_oil;
mod vegetation;
mod vehicle_exhaust;
mod wood;

use bevy_app::{App, Plugin};
use bevy_ecs::schedule::IntoScheduleConfigs;

pub use corona::Corona;
pub use creosoted_pole::CreosotedPole;
pub use dust::Dust;
pub use flaming_wood::FlamingWood;
pub use gas_leak::GasLeak;
pub use heated_wood::HeatedWood;
pub use overheated_pvc::{OverheatedPvc, dehydrochlorination_per_s};
pub use overheated_xlpe::OverheatedXlpe;
pub use smouldering_wood::{Fuel, Heat, SmoulderingWood};
pub use transformer_oil::{OilFault, TransformerOil};
pub use vegetation::{Vegetation, isoprene_activity};
pub use vehicle_exhaust::{VehicleExhaust, VehicleFuel};

use crate::physics::AppPhysicsExt;
use crate::world::emitter::{AppEmitterExt, EmitterSystems};
use crate::world::{AppStateExt, Tick, TickSystems};

/// Adds the kinds of this folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmissionPlugin;

impl Plugin for EmissionPlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("emission")
            .add_emitter::<Corona>()
            .add_emitter::<CreosotedPole>()
            .add_emitter::<Dust>()
            .add_emitter::<FlamingWood>()
            .add_emitter::<GasLeak>()
            .add_emitter::<OverheatedPvc>()
            .add_emitter::<OverheatedXlpe>()
            .add_emitter::<SmoulderingWood>()
            .add_emitter::<TransformerOil>()
            .add_emitter::<Vegetation>()
            .add_emitter::<VehicleExhaust>()
            .add_state::<HeatedWood>()
            .add_systems(Tick, heated_wood::heat_wood.in_set(TickSystems::Emit).before(EmitterSystems));
    }
}
