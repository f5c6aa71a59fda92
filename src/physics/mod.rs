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

use crate::world::PhysicsModules;

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
        self.world_mut().resource_mut::<PhysicsModules>().0.insert(name);
        self
    }
}
