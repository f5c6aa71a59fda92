//! Events: what should be noticed. Onset, end and phase follow from the world, not from the file.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityWorldMut;
use glam::DVec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::files::kinds::{EventRole, KindSpec, Kinds, Spec};
use crate::files::scenario::{Emission, Overheating};
use crate::world::body::Bodies;
use crate::world::emitter::EmitterNode;
use crate::world::lines::PhaseNode;
use crate::world::tracers::Releases;
use crate::world::{AppStateExt, Clock, Tick, TickSystems};

/// Where an event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Not begun.
    #[default]
    Pending,
    /// Going on.
    Active,
    /// Over.
    Ended,
}

impl Phase {
    /// The word in a sample.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }
}

/// How intense an event is, in a unit of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intensity {
    /// The number; zero when nothing happens.
    pub value: f64,
    /// UCUM code.
    pub unit: &'static str,
}

/// A kind of event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of event",
    note = "derive `Component, Clone, Deserialize`, implement `Spec` and then `ScenarioEvent`; see docs/plugin-guide.md"
)]
pub trait ScenarioEvent: Component + Clone + Spec {
    /// What stands in a scenario file, `snake_case`.
    const KIND: &'static str;
    /// One sentence for `envirosense list events`.
    const ABOUT: &'static str;

    /// How intense it is now, from its members. It is active while this is above zero.
    fn intensity(&self, members: &Members<'_>) -> Intensity;
}

/// The members of an event, each kind in file order.
#[derive(Clone, Debug, Default)]
pub struct Members<'m> {
    /// Those that release something.
    pub emitters: Vec<&'m EmitterNode>,
    /// How much warmer than without its own fault each body is, K.
    pub warmer_k: Vec<f64>,
    /// The hottest place of each line, °C.
    pub lines_c: Vec<f64>,
}

impl ScenarioEvent for Emission {
    const KIND: &'static str = "emission";
    const ABOUT: &'static str = "lasts while its members release more than `above_g_s`";

    fn intensity(&self, members: &Members<'_>) -> Intensity {
        let released_g_s = members.emitters.iter().map(|m| m.total_kg_s()).sum::<f64>() * 1e3;
        Intensity { value: if released_g_s > self.above_g_s.get() { released_g_s } else { 0.0 }, unit: "g/s" }
    }
}

impl ScenarioEvent for Overheating {
    const KIND: &'static str = "overheating";
    const ABOUT: &'static str = "lasts while a body is warmer by `above_k` than without its fault, or a line warmer than `limit_c`";

    fn intensity(&self, members: &Members<'_>) -> Intensity {
        let warmer = members.warmer_k.iter().copied().filter(|by| *by > self.above_k.get());
        let over = members.lines_c.iter().map(|hottest| hottest - self.limit_c.get());
        Intensity { value: warmer.chain(over).fold(0.0, f64::max), unit: "K" }
    }
}

/// An event in the world.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventNode {
    /// Name in the scenario.
    pub id: String,
    /// Its place in the file; the order of everything that lists events.
    pub index: usize,
    /// The label.
    pub class: String,
    /// Indices in [`super::tracers::Sources`].
    pub members: Vec<usize>,
    /// Members that are bodies, as the scenario numbers them.
    pub bodies: Vec<usize>,
    /// Members that are lines, as the scenario numbers them.
    pub lines: Vec<usize>,
    /// Ids of the members.
    pub source: String,
    /// Mean position of its members, now.
    pub at_m: DVec3,
    /// Where it stands.
    pub phase: Phase,
    /// UTC in microseconds of the first tick it was active.
    pub onset_us: Option<i64>,
    /// UTC in microseconds when the first of its members caught fire.
    pub ignition_us: Option<i64>,
    /// UTC in microseconds of the first tick it was no longer active.
    pub end_us: Option<i64>,
    /// In `intensity_unit`.
    pub intensity: f64,
    /// UCUM code.
    pub intensity_unit: String,
}

impl EventNode {
    /// Whether what is in a slot comes from one of its members.
    #[must_use]
    pub fn released(&self, releases: &Releases, slot: usize) -> bool {
        releases.source(slot).is_some_and(|source| self.members.contains(&source))
    }
}

type SpawnEvent = fn(&KindSpec<EventRole>, &mut EntityWorldMut<'_>);

/// How to spawn each kind of event.
#[derive(Resource, Clone, Debug, Default)]
pub struct EventKinds {
    by_name: BTreeMap<&'static str, SpawnEvent>,
}

impl EventKinds {
    pub(crate) fn insert(&self, spec: &KindSpec<EventRole>, entity: &mut EntityWorldMut<'_>) {
        if let Some(spawn) = self.by_name.get(spec.name.as_str()) {
            spawn(spec, entity);
        }
    }
}

/// Systems that advance [`EventNode`]; each kind touches only its own entities.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventSystems;

/// Registers kinds of events.
pub trait AppEventExt {
    /// Lets scenarios name an `E`.
    fn add_scenario_event<E: ScenarioEvent>(&mut self) -> &mut Self;
}

impl AppEventExt for App {
    fn add_scenario_event<E: ScenarioEvent>(&mut self) -> &mut Self {
        self.init_resource::<Kinds>().init_resource::<EventKinds>();
        self.world_mut().resource_mut::<Kinds>().register::<EventRole, E>(E::KIND, E::ABOUT);
        let spawn: SpawnEvent = |spec, entity| {
            if let Some(event) = spec.get::<E>() {
                entity.insert(event.clone());
            }
        };
        self.world_mut().resource_mut::<EventKinds>().by_name.insert(E::KIND, spawn);
        self.add_systems(Tick, follow_events::<E>.in_set(EventSystems).ambiguous_with(EventSystems))
    }
}

fn follow_events<E: ScenarioEvent>(
    clock: Res<Clock>,
    bodies: Res<Bodies>,
    mut events: Query<(&E, &mut EventNode)>,
    emitters: Query<&EmitterNode>,
    phases: Query<&PhaseNode>,
) {
    let now = clock.utc_us(clock.elapsed_us());
    for (kind, mut event) in &mut events {
        let mut members =
            Members { emitters: emitters.iter().filter(|e| event.members.contains(&e.source)).collect(), ..Members::default() };
        members.emitters.sort_by_key(|member| member.source);
        let known = event.bodies.iter().filter(|body| **body < bodies.kelvin.len());
        members.warmer_k = known.clone().map(|body| bodies.kelvin[*body] - bodies.unheated_k[*body]).collect();
        let hottest: Vec<(f64, DVec3)> =
            event.lines.iter().filter_map(|line| hottest(phases.iter().filter(|phase| phase.line == *line))).collect();
        members.lines_c = hottest.iter().map(|(c, _)| *c).collect();
        let released = members.emitters.iter().map(|member| member.middle_m());
        let warm = known.map(|body| bodies.at_m[*body]).chain(hottest.iter().map(|(_, at_m)| *at_m));
        let places: Vec<DVec3> = released.chain(warm).collect();
        if !places.is_empty() {
            event.at_m = places.iter().sum::<DVec3>() / places.len() as f64;
        }
        let first = members.emitters.iter().filter_map(|member| member.ignited_s).reduce(f64::min);
        event.ignition_us = event.ignition_us.or_else(|| first.map(|at_s| clock.utc_at_us(at_s)));
        let Intensity { value, unit } = kind.intensity(&members);
        event.intensity = value;
        unit.clone_into(&mut event.intensity_unit);
        event.phase = match (event.phase, value > 0.0) {
            (Phase::Pending, false) => Phase::Pending,
            (Phase::Pending, true) => {
                event.onset_us = Some(now);
                Phase::Active
            }
            (_, true) => {
                event.end_us = None;
                Phase::Active
            }
            (Phase::Active, false) => {
                event.end_us = Some(now);
                Phase::Ended
            }
            (Phase::Ended, false) => Phase::Ended,
        };
    }
}

/// The hottest cell of some phases: its temperature in °C and its place. Of equals the first by place.
fn hottest<'p>(phases: impl Iterator<Item = &'p PhaseNode>) -> Option<(f64, DVec3)> {
    let order = |at: DVec3| (at.x, at.y, at.z);
    let cells = phases.flat_map(|phase| phase.temperature_c.iter().copied().zip(phase.cells.iter().map(|cell| cell.at_m)));
    cells.reduce(|best, next| if next.0 > best.0 || (next.0 == best.0 && order(next.1) < order(best.1)) { next } else { best })
}

pub(crate) struct EventPlugin;

impl Plugin for EventPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EventKinds>()
            .add_state::<EventNode>()
            .configure_sets(Tick, EventSystems.in_set(TickSystems::Surroundings))
            .add_scenario_event::<Emission>()
            .add_scenario_event::<Overheating>();
    }
}
