//! Sources: an emitter releases components of constant composition at rates that vary.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityWorldMut;
use glam::DVec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::files::kinds::{EmitterRole, KindSpec, Kinds, Spec};
use crate::files::scenario::{SourceShape, Waypoint};
use crate::units::{AIR_HEAT_J_KG_K, Finite};
use crate::world::air::AirTemperature;
use crate::world::environment::vector;
use crate::world::field::Field;
use crate::world::sky::Sky;
use crate::world::spawn::{Conditions, FileLoader, SiteInfo};
use crate::world::sun::sun_sine;
use crate::world::{AppStateExt, Clock, Grid, Tick, TickSystems};

/// One thing an emitter releases.
#[derive(Clone, Debug, PartialEq)]
pub struct EmissionComponent {
    /// Unique in the emitter, such as `pyrolysis`.
    pub name: String,
    /// (species id, mass fraction); fractions may add up to less than one, the rest is not tracked.
    pub composition: Vec<(String, f64)>,
}

/// The stretch of time one tick covers, in seconds since the scenario's start, and the air a source is in.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// When it begins.
    pub from_s: f64,
    /// When it ends.
    pub to_s: f64,
    /// Air temperature at the source, K; as the tick before left it.
    pub temperature_k: f64,
    /// Global horizontal irradiance of a clear sky, W m⁻².
    pub sunshine_w_m2: f64,
}

impl Stretch {
    /// A stretch of time in the dark at 20 °C, for kinds that neither moves.
    #[must_use]
    pub const fn new(from_s: f64, to_s: f64) -> Self {
        Self { from_s, to_s, temperature_k: 293.15, sunshine_w_m2: 0.0 }
    }

    /// Length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.to_s - self.from_s
    }

    /// The share of it that lies between two times; without the first it began long ago, without the second it never ends.
    #[must_use]
    pub fn share_within(&self, from_s: Option<Finite>, until_s: Option<Finite>) -> f64 {
        self.share_between(from_s.map_or(f64::MIN, Finite::get), until_s.map_or(f64::MAX, Finite::get))
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

    /// How far the yield of a species differs between one run and another: the geometric standard deviation of a log-normal
    /// law, 1 for a yield that is certain. Drawn once a run unless the scenario asks for medians.
    fn yield_spread(&self, _species: &str) -> f64 {
        1.0
    }

    /// Takes in the files it names.
    ///
    /// # Errors
    /// Every fault of those files, with its place.
    fn load(&mut self, _files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }

    /// Mean release rate of each component over the stretch, in kg s⁻¹.
    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]);

    /// Heat that it gives to the air at these rates, W, where the scenario does not say.
    fn heat_w(&self, _rates_kg_s: &[f64]) -> f64 {
        0.0
    }

    /// Heat that its flames set free at these rates, W.
    fn flame_w(&self, _rates_kg_s: &[f64]) -> f64 {
        0.0
    }

    /// Whether it gives heat to the air: without it [`Emitter::heat_w`] counts for nothing.
    fn warms_air(&self) -> bool {
        false
    }

    /// When it catches fire, seconds from the scenario's start, as far as that is known.
    fn ignited_s(&self) -> Option<f64> {
        None
    }

    /// The body of the scenario that heats it, if it names one.
    fn heated_by(&self) -> Option<&str> {
        None
    }
}

/// A part of a source: a small cloud that releases its share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceElement {
    /// From the source's place, in metres.
    pub offset_m: DVec3,
    /// Variance along x, along y, and their covariance, m².
    pub across_m2: [f64; 3],
    /// Standard deviation along z, m.
    pub sigma_z_m: f64,
}

/// Standard deviation of a point source: a hand's breadth, chosen; nothing releases gas from a mathematical point.
const POINT_SIGMA_M: f64 = 0.1;
/// Parts of a source are at most this long if there are no more than [`MOST_PARTS`] along an axis.
const PART_M: f64 = 2.0;
/// Most parts along an axis.
const MOST_PARTS: f64 = 16.0;
/// Standard deviation of a part over its length: parts side by side then add up to an even source within 0.2 %.
const PART_SIGMA: f64 = 0.6;

/// The parts of a source at `at_m`.
#[must_use]
pub fn elements(shape: &SourceShape, at_m: DVec3) -> Vec<SourceElement> {
    let least = POINT_SIGMA_M * POINT_SIGMA_M;
    let (first, edges): (DVec3, [DVec3; 3]) = match shape {
        SourceShape::Point => (DVec3::ZERO, [DVec3::ZERO; 3]),
        SourceShape::Line { to_m } => (DVec3::ZERO, [vector(*to_m) - at_m, DVec3::ZERO, DVec3::ZERO]),
        SourceShape::Area { size_m: (x, y) } => {
            let size = DVec3::new(x.get(), y.get(), 0.0);
            (-0.5 * size, [DVec3::X * size.x, DVec3::Y * size.y, DVec3::ZERO])
        }
        SourceShape::Volume { size_m: (x, y, z) } => {
            let size = DVec3::new(x.get(), y.get(), z.get());
            (-0.5 * size, [DVec3::X * size.x, DVec3::Y * size.y, DVec3::Z * size.z])
        }
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let counts = edges.map(|edge| (edge.length() / PART_M).ceil().clamp(1.0, MOST_PARTS) as usize);
    let parts: [DVec3; 3] = std::array::from_fn(|n| edges[n] / counts[n] as f64);
    let sigmas = parts.map(|part| PART_SIGMA * part);
    let across = |a: fn(DVec3) -> f64, b: fn(DVec3) -> f64| sigmas.iter().map(|s| a(*s) * b(*s)).sum::<f64>();
    let across_m2 = [least + across(|s| s.x, |s| s.x), least + across(|s| s.y, |s| s.y), across(|s| s.x, |s| s.y)];
    let sigma_z_m = libm::sqrt(least + across(|s| s.z, |s| s.z));
    let mut list = Vec::new();
    for k in 0..counts[2] {
        for j in 0..counts[1] {
            for i in 0..counts[0] {
                let at = [i, j, k].map(|n| n as f64 + 0.5);
                let offset_m = first + parts[0] * at[0] + parts[1] * at[1] + parts[2] * at[2];
                let offset_m = if edges == [DVec3::ZERO; 3] { DVec3::ZERO } else { offset_m };
                list.push(SourceElement { offset_m, across_m2, sigma_z_m });
            }
        }
    }
    list
}

/// Where a moving source is that leaves `start_m` at 0 s.
#[must_use]
pub fn place_on_path(path: &[Waypoint], start_m: DVec3, now_s: f64) -> DVec3 {
    let mut before = (0.0, start_m);
    for point in path {
        let next = (point.at_s.get(), vector(point.to_m));
        if now_s < next.0 {
            let share = (now_s - before.0) / (next.0 - before.0);
            return before.1.lerp(next.1, share.max(0.0));
        }
        before = next;
    }
    before.1
}

/// An emitter in the world.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct EmitterNode {
    /// Name in the scenario.
    pub id: String,
    /// Where, in metres.
    pub at_m: DVec3,
    /// Where it began, in metres.
    pub start_m: DVec3,
    /// Its parts; each releases the same share.
    pub elements: Vec<SourceElement>,
    /// Heat that lifts what it releases, W; of this tick.
    pub heat_w: f64,
    /// Whether that heat is carried in a slot of its own, after those of its components.
    pub warms: bool,
    /// The same as the scenario has it, while it releases something.
    pub given_heat_w: Option<f64>,
    /// Heat that its flames set free, W; of this tick.
    pub flame_w: f64,
    /// When it caught fire, seconds from the scenario's start.
    pub ignited_s: Option<f64>,
    /// The body that heats it, as the scenario numbers them.
    pub heated_by: Option<usize>,
    /// Index in [`super::tracers::Sources`].
    pub source: usize,
    /// Tracer slots of its components, then of its heat, then of what they turn into.
    pub slots: Vec<usize>,
    /// Rates of this tick in kg s⁻¹, one for each component in the order of the slots.
    pub rates_kg_s: Vec<f64>,
    /// All that it has released, kg.
    pub released_kg: f64,
}

impl EmitterNode {
    /// Middle of its parts, m.
    #[must_use]
    pub fn middle_m(&self) -> DVec3 {
        self.at_m + self.elements.iter().map(|element| element.offset_m).sum::<DVec3>() / self.elements.len().max(1) as f64
    }

    /// Where it is at a time in seconds since the scenario's start if it moves on this path.
    #[must_use]
    pub fn place_m(&self, path: &[Waypoint], at_s: f64) -> DVec3 {
        if path.is_empty() { self.at_m } else { place_on_path(path, self.start_m, at_s) }
    }

    /// What its slots take up in this tick: its components in kg s⁻¹, then its heat over the specific heat of air in kg K s⁻¹.
    pub fn given(&self) -> impl Iterator<Item = f64> {
        self.rates_kg_s.iter().copied().chain(self.warms.then_some(self.heat_w / AIR_HEAT_J_KG_K))
    }

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
type YieldSpread = fn(&KindSpec<EmitterRole>, &str) -> f64;
type HeatedBy = fn(&KindSpec<EmitterRole>) -> Option<&str>;
type WarmsAir = fn(&KindSpec<EmitterRole>) -> bool;

/// What the engine knows of a kind of emitter.
#[derive(Clone, Copy, Debug)]
struct KindOfEmitter {
    spawn: SpawnEmitter,
    components: ComponentsOf,
    spread: YieldSpread,
    heated_by: HeatedBy,
    warms_air: WarmsAir,
}

/// How to spawn each kind of emitter.
#[derive(Resource, Clone, Debug, Default)]
pub struct EmitterKinds {
    by_name: BTreeMap<&'static str, KindOfEmitter>,
}

impl EmitterKinds {
    /// What an emitter of a file releases; empty for a kind that is not registered.
    #[must_use]
    pub fn components(&self, spec: &KindSpec<EmitterRole>) -> Vec<EmissionComponent> {
        self.by_name.get(spec.name.as_str()).map(|kind| (kind.components)(spec)).unwrap_or_default()
    }

    /// How far the yield of a species differs between runs; 1 for a kind that is not registered.
    #[must_use]
    pub fn yield_spread(&self, spec: &KindSpec<EmitterRole>, species: &str) -> f64 {
        self.by_name.get(spec.name.as_str()).map_or(1.0, |kind| (kind.spread)(spec, species))
    }

    /// Whether an emitter of a file gives heat to the air by itself.
    #[must_use]
    pub fn warms_air(&self, spec: &KindSpec<EmitterRole>) -> bool {
        self.by_name.get(spec.name.as_str()).is_some_and(|kind| (kind.warms_air)(spec))
    }

    /// The body that heats an emitter of a file, if it names one.
    #[must_use]
    pub fn heated_by<'s>(&self, spec: &'s KindSpec<EmitterRole>) -> Option<&'s str> {
        self.by_name.get(spec.name.as_str()).and_then(|kind| (kind.heated_by)(spec))
    }

    /// Faults of the files an emitter names.
    ///
    /// # Errors
    /// Every fault, with its place in those files.
    pub fn check_files(&self, spec: &KindSpec<EmitterRole>, files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        self.by_name.get(spec.name.as_str()).map_or(Ok(()), |kind| (kind.spawn)(spec, files, None))
    }

    pub(crate) fn insert(
        &self,
        spec: &KindSpec<EmitterRole>,
        files: &FileLoader,
        entity: &mut EntityWorldMut<'_>,
    ) -> Result<(), Vec<Diagnostic>> {
        self.by_name.get(spec.name.as_str()).map_or(Ok(()), |kind| (kind.spawn)(spec, files, Some(entity)))
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
        let spread: YieldSpread = |spec, species| spec.get::<E>().map_or(1.0, |emitter| emitter.yield_spread(species));
        let warms_air: WarmsAir = |spec| spec.get::<E>().is_some_and(E::warms_air);
        let heated_by: HeatedBy = |spec| spec.get::<E>().and_then(E::heated_by);
        self.world_mut()
            .resource_mut::<EmitterKinds>()
            .by_name
            .insert(E::KIND, KindOfEmitter { spawn, components, spread, heated_by, warms_air });
        self.add_systems(Tick, set_rates::<E>.in_set(EmitterSystems).ambiguous_with(EmitterSystems))
    }
}

fn set_rates<E: Emitter>(
    (clock, sky): (Res<Clock>, Res<Sky>),
    (grid, site): (Option<Res<Grid>>, Option<Res<SiteInfo>>),
    temperature: Field<AirTemperature>,
    mut emitters: Query<(&E, &mut EmitterNode)>,
) {
    if emitters.is_empty() {
        return;
    }
    let mut over = Stretch::new(clock.began_s(), clock.now_s());
    if let Some(site) = site {
        let sine = sun_sine(clock.utc_us(clock.elapsed_us()), site.latitude_deg, site.longitude_deg);
        over.sunshine_w_m2 = sky.global_w_m2(sine);
    }
    for (emitter, mut node) in &mut emitters {
        if let Some(grid) = &grid {
            over.temperature_k = grid.weights(node.at_m).mean(temperature.as_slice());
        }
        emitter.rates_kg_s(over, &mut node.rates_kg_s);
        node.released_kg += node.total_kg_s() * over.length_s();
        node.heat_w = match node.given_heat_w {
            Some(given_w) if node.total_kg_s() > 0.0 => given_w,
            Some(_) => 0.0,
            None => emitter.heat_w(&node.rates_kg_s),
        };
        node.flame_w = emitter.flame_w(&node.rates_kg_s);
        node.ignited_s = emitter.ignited_s().filter(|at_s| *at_s < over.to_s);
    }
}

pub(crate) struct EmitterPlugin;

impl Plugin for EmitterPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EmitterKinds>()
            .add_state::<EmitterNode>()
            .configure_sets(Tick, EmitterSystems.in_set(TickSystems::Emit))
            .add_systems(Tick, move_sources.in_set(TickSystems::Script));
    }
}

/// Brings moving sources to where they are in the middle of the tick.
fn move_sources(clock: Res<Clock>, conditions: Option<Res<Conditions>>, mut emitters: Query<&mut EmitterNode>) {
    let Some(conditions) = conditions else { return };
    let middle_s = f64::midpoint(clock.began_s(), clock.now_s());
    for mut emitter in &mut emitters {
        let entry = &conditions.scenario.emitters[emitter.source];
        emitter.at_m = emitter.place_m(&entry.path, middle_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_source_cover_it_evenly() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_NEWTYPES);
        for (text, middle, variance) in [
            ("Point", DVec3::ZERO, DVec3::ZERO),
            ("Line(to_m: (10.0, 22.0, 3.0))", DVec3::new(5.0, 1.0, 0.0), DVec3::new(100.0, 4.0, 0.0) / 12.0),
            ("Area(size_m: (12.0, 5.0))", DVec3::ZERO, DVec3::new(144.0, 25.0, 0.0) / 12.0),
            ("Volume(size_m: (12.0, 40.0, 7.0))", DVec3::ZERO, DVec3::new(144.0, 1600.0, 49.0) / 12.0),
        ] {
            let shape: SourceShape = options.from_str(text).unwrap();
            let list = elements(&shape, DVec3::new(0.0, 20.0, 3.0));
            let n = list.len() as f64;
            let mean = list.iter().map(|e| e.offset_m).sum::<DVec3>() / n;
            assert!((mean - middle).length() < 1e-9, "{text}: {mean}");
            let of = |e: &SourceElement| {
                let own = DVec3::new(e.across_m2[0], e.across_m2[1], e.sigma_z_m * e.sigma_z_m);
                (e.offset_m - mean) * (e.offset_m - mean) + own
            };
            let seen = list.iter().map(of).sum::<DVec3>() / n;
            let ends = seen - variance;
            // soft ends: a quarter of the square of a part and of the point's own size
            assert!(ends.min_element() > 0.0 && ends.max_element() < 0.36 * 6.3 + 0.011, "{text}: {seen} {variance}");
        }
    }

    #[test]
    fn a_moving_source_is_on_its_way_between_its_times() {
        let options = ron::Options::default();
        let path: Vec<Waypoint> = options.from_str("[(at_s: 10.0, to_m: (5.0, 0.0, 0.0)), (at_s: 20.0, to_m: (15.0, 0.0, 0.0))]").unwrap();
        for (now, x) in [(-9.0, 1.0), (0.0, 1.0), (5.0, 3.0), (10.0, 5.0), (14.0, 9.0), (20.0, 15.0), (99.0, 15.0)] {
            assert!((place_on_path(&path, DVec3::X, now).x - x).abs() < 1e-12, "{now}");
        }
    }
}
