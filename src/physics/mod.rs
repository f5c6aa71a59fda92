//! Fields advance. One plugin a module; siblings never import each other, they meet in world components.

/// Mean wind and turbulent diffusivity.
pub mod airflow;

/// Temperature, humidity and pressure of the air.
pub mod thermal;

/// What sources release.
pub mod emission;

/// Gases carried by the air.
pub mod dispersion;

use bevy_app::{App, PluginGroup, PluginGroupBuilder};
use bevy_ecs::schedule::{IntoScheduleConfigs, SystemSet};

use crate::world::{PhysicsModules, Tick, TickSystems};

/// The order within `TickSystems::Flow`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowSystems {
    /// Temperature and humidity.
    Heat,
    /// The wind, which warm air lifts.
    Wind,
}

/// The physics modules that ship with the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhysicsPlugins;

impl PluginGroup for PhysicsPlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(airflow::AirflowPlugin)
            .add(thermal::ThermalPlugin)
            .add(emission::EmissionPlugin)
            .add(dispersion::DispersionPlugin)
    }
}

/// Names physics modules, so that products can ask for them.
pub trait AppPhysicsExt {
    /// Declares that this program has the module `name`.
    fn add_physics_module(&mut self, name: &'static str) -> &mut Self;
}

impl AppPhysicsExt for App {
    fn add_physics_module(&mut self, name: &'static str) -> &mut Self {
        self.init_resource::<PhysicsModules>();
        self.configure_sets(Tick, (FlowSystems::Heat, FlowSystems::Wind).chain().in_set(TickSystems::Flow));
        self.world_mut().resource_mut::<PhysicsModules>().0.insert(name);
        self
    }
}
