//! Sources: an emitter releases components of constant composition at rates that vary.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityWorldMut;
use glam::DVec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::files::kinds::{EmitterRole, KindSpec, Kinds, Spec};
use crate::world::spawn::FileLoader;
use crate::world::{AppStateExt, Clock, Tick, TickSystems};

/// One thing an emitter releases.
#[derive(Clone, Debug, PartialEq)]
pub struct EmissionComponent {
    /// Unique in the emitter, such as `pyrolysis`.
    pub name: String,
    /// (species id, mass fraction); fractions may add up to less than one, the rest is not tracked.
    pub composition: Vec<(String, f64)>,
}

/// The stretch of time one tick covers, in seconds since the scenario's start.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// When it begins.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
}

impl Stretch {
    /// Length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.to_s - self.from_s
    }

    /// The share of it that lies between two times.
    #[must_use]
    pub fn share_between(&self, from_s: f64, to_s: f64) -> f64 {
        ((self.to_s.min(to_s) - self.from_s.max(from_s)) / self.length_s()).clamp(0.0, 1.0)
    }
}

/// A kind of source.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of emitter",
    note = "derive `Component, Clone, Deserialize`, implement `Spec` and then `Emitter`; see docs/plugin-guide.md"
)]
pub trait Emitter: Component + Clone + Spec {
    /// What stands in a scenario file, `snake_case`.
    const KIND: &'static str;
    /// One sentence for `envirosense list emitters`.
    const ABOUT: &'static str;

    /// What it releases; the same for the whole run.
    fn components(&self) -> Vec<EmissionComponent>;

    /// Takes in the files it names.
    ///
    /// # Errors
    /// Every fault of those files, with its place.
    fn load(&mut self, _files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }

    /// Mean release rate of each component over the stretch, in kg s⁻¹.
    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]);
}

/// An emitter in the world.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct EmitterNode {
    /// Name in the scenario.
    pub id: String,
    /// Where, in metres.
    pub at_m: DVec3,
    /// Index in [`super::tracers::Sources`].
    pub source: usize,
    /// Tracer slots of its components.
    pub slots: Vec<usize>,
    /// Rates of this tick in kg s⁻¹, in the order of the slots.
    pub rates_kg_s: Vec<f64>,
    /// All that it has released, kg.
    pub released_kg: f64,
}

impl EmitterNode {
    /// Total rate of this tick in kg s⁻¹.
    #[must_use]
    pub fn total_kg_s(&self) -> f64 {
        self.rates_kg_s.iter().sum()
    }
}

/// Systems that set [`EmitterNode::rates_kg_s`]; each kind touches only its own entities.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EmitterSystems;

type SpawnEmitter = fn(&KindSpec<EmitterRole>, &FileLoader, Option<&mut EntityWorldMut<'_>>) -> Result<(), Vec<Diagnostic>>;
type ComponentsOf = fn(&KindSpec<EmitterRole>) -> Vec<EmissionComponent>;

/// How to spawn each kind of emitter.
#[derive(Resource, Clone, Debug, Default)]
pub struct EmitterKinds {
    by_name: BTreeMap<&'static str, (SpawnEmitter, ComponentsOf)>,
}

impl EmitterKinds {
    /// What an emitter of a file releases; empty for a kind that is not registered.
    #[must_use]
    pub fn components(&self, spec: &KindSpec<EmitterRole>) -> Vec<EmissionComponent> {
        self.by_name.get(spec.name.as_str()).map(|(_, components)| components(spec)).unwrap_or_default()
    }

    /// Faults of the files an emitter names.
    ///
    /// # Errors
    /// Every fault, with its place in those files.
    pub fn check_files(&self, spec: &KindSpec<EmitterRole>, files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        self.by_name.get(spec.name.as_str()).map_or(Ok(()), |(spawn, _)| spawn(spec, files, None))
    }

    pub(crate) fn insert(
        &self,
        spec: &KindSpec<EmitterRole>,
        files: &FileLoader,
        entity: &mut EntityWorldMut<'_>,
    ) -> Result<(), Vec<Diagnostic>> {
        self.by_name.get(spec.name.as_str()).map_or(Ok(()), |(spawn, _)| spawn(spec, files, Some(entity)))
    }
}

/// Registers kinds of emitters.
pub trait AppEmitterExt {
    /// Lets scenarios place an `E`.
    fn add_emitter<E: Emitter>(&mut self) -> &mut Self;
}

impl AppEmitterExt for App {
    fn add_emitter<E: Emitter>(&mut self) -> &mut Self {
        self.init_resource::<Kinds>().init_resource::<EmitterKinds>();
        self.world_mut().resource_mut::<Kinds>().register::<EmitterRole, E>(E::KIND, E::ABOUT);
        let spawn: SpawnEmitter = |spec, files, entity| {
            let Some(mut emitter) = spec.get::<E>().cloned() else {
                return Ok(());
            };
            emitter.load(files)?;
            if let Some(entity) = entity {
                entity.insert(emitter);
            }
            Ok(())
        };
        let components: ComponentsOf = |spec| spec.get::<E>().map(E::components).unwrap_or_default();
        self.world_mut().resource_mut::<EmitterKinds>().by_name.insert(E::KIND, (spawn, components));
        self.add_systems(Tick, set_rates::<E>.in_set(EmitterSystems).ambiguous_with(EmitterSystems))
    }
}

fn set_rates<E: Emitter>(clock: Res<Clock>, mut emitters: Query<(&E, &mut EmitterNode)>) {
    let over = Stretch { from_s: clock.began_s(), to_s: clock.now_s() };
    for (emitter, mut node) in &mut emitters {
        emitter.rates_kg_s(over, &mut node.rates_kg_s);
        node.released_kg += node.total_kg_s() * over.length_s();
    }
}

pub(crate) struct EmitterPlugin;

impl Plugin for EmitterPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EmitterKinds>().add_state::<EmitterNode>().configure_sets(Tick, EmitterSystems.in_set(TickSystems::Emit));
    }
}
