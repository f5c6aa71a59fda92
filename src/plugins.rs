//! All plugins of the engine as one group.

use bevy_app::{PluginGroup, PluginGroupBuilder};

use crate::compensation::CompensationPlugin;
use crate::device::DevicePlugin;
use crate::physics::PhysicsPlugins;
use crate::recording::RecordingPlugin;
use crate::sensing::SensingPlugins;
use crate::world::WorldPlugin;

/// The whole engine. Add what is yours: `EnviroSensePlugins.build().add(OzonePlugin)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnviroSensePlugins;

impl PluginGroup for EnviroSensePlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(WorldPlugin)
            .add_group(PhysicsPlugins)
            .add_group(SensingPlugins)
            .add(CompensationPlugin)
            .add(DevicePlugin)
            .add(RecordingPlugin)
    }
}
