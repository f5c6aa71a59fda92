//! What exists, where and when: the tick, voxels and their columns, emitters, events, and what a sensor may ask.

/// The tick, its sets and the clock.
pub mod clock;

/// Cells and positions.
pub mod grid;

/// Obstacles in space.
pub mod shape;

/// Obstacles on the grid.
pub mod solid;

/// Voxel columns as slices.
pub mod field;

/// The state of the air: wind, temperature, humidity, pressure, turbulent diffusivity.
pub mod air;

/// Release components and what they are made of.
pub mod tracers;

/// Nitric oxide and ozone.
pub mod nitrogen_oxides;

/// Particles in air.
pub mod particles;

/// Gases that come in with the wind.
pub mod background;

/// The sun and a clear sky.
pub mod sun;

/// Cloud, light and long-wave radiation from the sky.
pub mod sky;

/// Gas that is still smaller than the cells.
pub mod puffs;

/// Sources.
pub mod emitter;

/// What should be noticed.
pub mod event;

/// What a sensor may ask.
pub mod environment;

/// What follows from the events for each unit.
pub mod truth;

/// Changes while a scenario runs.
pub mod timeline;

/// Overhead lines.
pub mod lines;

/// The housings of units.
pub mod enclosure;

/// Heat that things give to the air.
pub mod heat;

/// What a camera can see.
pub mod scene;

/// Things with a shape and a temperature.
pub mod body;

/// Scenario to entities.
pub mod spawn;

use bevy_app::{App, FixedMain, FixedUpdate, Plugin, RunFixedMainLoop, RunFixedMainLoopSystems};
use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, SingleThreadedExecutor};
use serde::{Serialize, de::DeserializeOwned};

pub use clock::{Clock, Tick, TickSystems};
pub use field::AppFieldExt;
pub use grid::Grid;

/// The schedule, the clock and the columns of the air.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorldPlugin;

impl Plugin for WorldPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<crate::files::kinds::Kinds>()
            .init_resource::<StateNames>()
            .init_resource::<PhysicsModules>()
            .init_schedule(Tick)
            .edit_schedule(Tick, |schedule| {
                schedule.set_executor(SingleThreadedExecutor::new());
                schedule.set_build_settings(ScheduleBuildSettings {
                    ambiguity_detection: LogLevel::Error,
                    hierarchy_detection: LogLevel::Error,
                    ..ScheduleBuildSettings::default()
                });
                TickSystems::configure(schedule);
            })
            .add_systems(FixedUpdate, run_tick)
            .add_systems(RunFixedMainLoop, run_fixed_main.in_set(RunFixedMainLoopSystems::FixedMainLoop))
            .set_error_handler(remember_fault);
        app.add_plugins((clock::ClockPlugin, air::AirPlugin, tracers::TracersPlugin, emitter::EmitterPlugin, event::EventPlugin))
            .add_state_resource::<body::Bodies>()
            .add_state_resource::<heat::HeatSources>()
            .add_state_resource::<heat::Flames>()
            .add_state_resource::<sky::Sky>();
    }
}

fn run_tick(world: &mut World) {
    world.run_schedule(Tick);
}

fn run_fixed_main(world: &mut World) {
    world.run_schedule(FixedMain);
}

/// Physics modules this program has, by the name product files use.
#[derive(Resource, Debug, Default)]
pub struct PhysicsModules(pub std::collections::BTreeSet<&'static str>);

/// Names of everything registered as simulation state, so that a checkpoint can be complete.
#[derive(Resource, Debug, Default)]
pub struct StateNames(pub std::collections::BTreeSet<&'static str>);

/// Registers simulation state.
pub trait AppStateExt {
    /// Declares that `T` is part of the state of a run.
    fn add_state<T: Serialize + DeserializeOwned + 'static>(&mut self) -> &mut Self;

    /// Declares a resource as state and adds its default.
    fn add_state_resource<T: Resource + Component<Mutability = Mutable> + Serialize + DeserializeOwned + Default>(&mut self) -> &mut Self;
}

impl AppStateExt for App {
    fn add_state<T: Serialize + DeserializeOwned + 'static>(&mut self) -> &mut Self {
        self.init_resource::<StateNames>();
        self.world_mut().resource_mut::<StateNames>().0.insert(std::any::type_name::<T>());
        self
    }

    fn add_state_resource<T: Resource + Component<Mutability = Mutable> + Serialize + DeserializeOwned + Default>(&mut self) -> &mut Self {
        self.init_resource::<T>().add_state::<T>()
    }
}

/// The first thing that went wrong while running; the run ends at the next tick boundary.
#[derive(Clone, Copy, Debug)]
pub struct RunFault;

thread_local! {
    static FAULT: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

impl RunFault {
    /// Takes the fault of the systems that ran on this thread, if there was one.
    #[must_use]
    pub fn take() -> Option<String> {
        FAULT.take()
    }
}

/// The error handler of the app: keeps the first failure and lets panics through.
fn remember_fault(mut error: BevyError, context: bevy_ecs::error::ErrorContext) {
    if let Some(panic) = error.take_payload() {
        std::panic::resume_unwind(panic);
    }
    FAULT.with_borrow_mut(|fault| {
        fault.get_or_insert_with(|| format!("{}: {}", context.name(), error.to_string().trim_end()));
    });
}
