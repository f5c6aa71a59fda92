//! Scenario to world: grid, clock, tracers, emitters, events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bevy_app::App;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::ScheduleLabel;
use glam::DVec3;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::diagnostics::{Diagnostic, Source};
use crate::files::library::{open_beside, open_bytes_beside};
use crate::files::scenario::{AirHeat, Boundary, EmitterEntry, Fidelity, InitialGas, Scenario, Yields};
use crate::files::series::Series;
use crate::files::species::SpeciesTable;
use crate::streams::Stream;
use crate::units::{NonNegative, Timestamp};
use crate::world::air::HighFaces;
use crate::world::background::BackgroundAir;
use crate::world::emitter::{EmitterKinds, EmitterNode, elements};
use crate::world::environment::vector;
use crate::world::event::{EventKinds, EventNode};
use crate::world::field::Voxel;
use crate::world::lines::phases;
use crate::world::particles::class_settles_m_s;
use crate::world::shape::{Ground, Shape};
use crate::world::solid::Solids;
use crate::world::tracers::{Contents, Release, Releases, Sources, require_tracers};
use crate::world::{Clock, Grid};

/// Runs once, after a scenario is spawned and before the first tick: modules take what is theirs.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prepare;

/// The scenario of this run with the series it names.
#[derive(Resource, Clone, Debug)]
pub struct Conditions {
    /// As written, open numbers drawn.
    pub scenario: Arc<Scenario>,
    /// Roughness length of the ground in metres, from the wind or the site's ground cover.
    pub roughness_m: Option<f64>,
    /// What stands in the wind, in file order.
    pub shapes: Vec<Shape>,
    /// The recorded wind: speed, direction, and Obukhov length where the file has one.
    pub wind: Option<Series>,
    /// The recorded weather: temperature, then humidity and pressure where the file has them.
    pub weather: Option<Series>,
    /// The recorded current of each line that has one.
    pub loads: Vec<Option<Series>>,
    /// Opens the files that the scenario names.
    pub files: FileLoader,
}

impl Conditions {
    /// The ground, where it is not flat.
    #[must_use]
    pub fn ground(&self) -> Option<&Ground> {
        self.shapes.iter().find_map(|shape| if let Shape::Ground(ground) = shape { Some(ground) } else { None })
    }
}

/// Opens files beside the scenario and remembers what was opened: the inputs of the run.
#[derive(Clone, Debug)]
pub struct FileLoader {
    beside: PathBuf,
    /// The scenario's start, against which recorded times are counted.
    pub start: Timestamp,
    /// SHA-256 of every file that was opened.
    opened: Arc<Mutex<BTreeMap<PathBuf, [u8; 32]>>>,
}

impl FileLoader {
    /// A loader for the scenario at `beside` that starts at `start`.
    #[must_use]
    pub fn new(beside: PathBuf, start: Timestamp) -> Self {
        Self { beside, start, opened: Arc::default() }
    }

    /// The text of a file the scenario names.
    #[must_use]
    pub fn open(&self, name: &str) -> Option<Arc<Source>> {
        let source = open_beside(&self.beside, name)?;
        self.remember(&source.path, source.text.as_bytes());
        Some(source)
    }

    /// The bytes of a file the scenario names.
    #[must_use]
    pub fn open_bytes(&self, name: &str) -> Option<Vec<u8>> {
        let (path, bytes) = open_bytes_beside(&self.beside, name)?;
        self.remember(&path, &bytes);
        Some(bytes)
    }

    fn remember(&self, path: &Path, bytes: &[u8]) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Sha256::digest(bytes).into());
    }

    /// SHA-256 of every file that was opened so far, by path.
    #[must_use]
    pub fn opened(&self) -> BTreeMap<PathBuf, [u8; 32]> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What to say when there is no such file.
    #[must_use]
    pub fn missing(&self, name: &str) -> Diagnostic {
        let beside = Source::new(self.beside.clone(), "");
        Diagnostic::error("missing-file", format!("no such file: `{name}`"), &beside, 0..0)
            .help("name it relative to this file, to the folder above it, or to the working folder")
    }
}

/// Facts of the site that every reader of the world needs.
#[derive(Resource, Clone, Debug, Default)]
pub struct SiteInfo {
    /// North positive.
    pub latitude_deg: f64,
    /// East positive.
    pub longitude_deg: f64,
    /// Above mean sea level.
    pub elevation_m: f64,
    /// How many species there are.
    pub species: usize,
}

/// The seed all streams of the run start from.
#[derive(Resource, Clone, Copy, Debug)]
pub struct RunSeed(pub u64);

fn or_none(number: Option<NonNegative>) -> f64 {
    number.map_or(0.0, NonNegative::get)
}

/// The tracers a scenario needs, in slot order; `Err` names how many there would be.
///
/// # Errors
/// When there are more than [`super::tracers::MAX_TRACERS`].
pub fn plan_tracers(scenario: &Scenario, kinds: &EmitterKinds, species: &SpeciesTable) -> Result<Vec<Release>, usize> {
    let mut list = Vec::new();
    for (source, emitter) in scenario.emitters.iter().enumerate() {
        let first = list.len();
        for component in kinds.components(&emitter.kind) {
            let parts = |index: &dyn Fn(&str) -> Option<usize>| -> Vec<(usize, f64)> {
                component.composition.iter().filter_map(|(id, part)| Some((index(id)?, *part))).collect()
            };
            let (composition, particles) = (parts(&|id| species.index(id)), parts(&|id| species.particle_index(id)));
            let settling_m_s = emitter.settling_m_s.map_or_else(|| settles_m_s(&composition, &particles, species), NonNegative::get);
            list.push(Release {
                path: format!("{}/{}", emitter.id, component.name),
                contents: Contents::Release { source, composition, particles },
                decay_per_s: or_none(emitter.decay_per_s),
                turns_into: None,
                deposition_m_s: or_none(emitter.deposition_m_s),
                settling_m_s,
                inflow: 0.0,
                live: false,
            });
        }
        let substances = first..list.len();
        if warms(scenario, emitter, kinds) {
            list.push(Release::lasting(format!("{}/heat", emitter.id), Contents::Heat { source: Some(source) }, false));
        }
        if let Some(product) = &emitter.decay_to {
            let slot = list.len();
            for release in &mut list[substances] {
                release.turns_into = Some((slot, product.mass_yield.get()));
            }
            list.push(Release {
                path: format!("{}/{}", emitter.id, product.species),
                contents: Contents::Release {
                    source,
                    composition: species.index(&product.species).map(|index| (index, 1.0)).into_iter().collect(),
                    particles: Vec::new(),
                },
                decay_per_s: or_none(product.decay_per_s),
                turns_into: None,
                deposition_m_s: 0.0,
                settling_m_s: 0.0,
                inflow: 0.0,
                live: false,
            });
        }
    }
    for (n, gas) in scenario.initial.iter().enumerate() {
        let (id, name) = gas.id_and_species();
        let (decay_per_s, deposition_m_s, settling_m_s, inflow) = match gas {
            InitialGas::GaussianPuff { decay_per_s, .. } => (or_none(*decay_per_s), 0.0, 0.0, 0.0),
            InitialGas::Uniform { density_kg_m3, deposition_m_s, settling_m_s, .. } => {
                (0.0, or_none(*deposition_m_s), or_none(*settling_m_s), density_kg_m3.get())
            }
        };
        list.push(Release {
            path: format!("{id}/initial"),
            contents: Contents::Release {
                source: scenario.emitters.len() + n,
                composition: species.index(name).map(|index| (index, 1.0)).into_iter().collect(),
                particles: Vec::new(),
            },
            decay_per_s,
            turns_into: None,
            deposition_m_s,
            settling_m_s,
            inflow,
            live: true,
        });
    }
    if scenario.fidelity == Fidelity::Field && BackgroundAir::new(&scenario.background, species).varies() {
        list.push(Release::lasting("air/entry_time".to_owned(), Contents::EntryTime, true));
    }
    let bodies = scenario.air_heat == AirHeat::All && {
        let walls = scenario.obstacles.iter().any(|obstacle| obstacle.material().is_some());
        walls || !(scenario.lines.is_empty() && scenario.bodies.is_empty())
    };
    if scenario.fidelity == Fidelity::Field && (bodies || scenario.domain.sides_c.any()) {
        list.push(Release::lasting("bodies/heat".to_owned(), Contents::Heat { source: None }, scenario.domain.sides_c.any()));
    }
    if list.len() > super::tracers::MAX_TRACERS { Err(list.len()) } else { Ok(list) }
}

/// Whether the heat of an emitter is carried.
fn warms(scenario: &Scenario, emitter: &EmitterEntry, kinds: &EmitterKinds) -> bool {
    let given = emitter.heat_w.map(NonNegative::get);
    scenario.air_heat != AirHeat::None && given.map_or_else(|| kinds.warms_air(&emitter.kind), |heat_w| heat_w > 0.0)
}

/// How fast what a component holds sinks, m s⁻¹: particles alone at the mean of their classes, particles among gas not at all.
fn settles_m_s(gases: &[(usize, f64)], particles: &[(usize, f64)], species: &SpeciesTable) -> f64 {
    let whole: f64 = particles.iter().map(|(_, part)| part).sum();
    if !gases.is_empty() || whole <= 0.0 {
        return 0.0;
    }
    particles.iter().map(|(class, part)| part * class_settles_m_s(&species.particles()[*class])).sum::<f64>() / whole
}

/// What was drawn for the yields of the run's emitters.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct DrawnYields(pub Vec<DrawnYield>);

/// One species of one emitter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawnYield {
    /// Id of the emitter.
    pub emitter: String,
    /// Id of the gas, or [`PARTICLES`].
    pub species: String,
    /// What all its yields of this species are multiplied by.
    pub factor: f64,
}

/// What the yields of all classes of particles of an emitter are drawn as: one number.
pub const PARTICLES: &str = "particles";

/// The name under which the yield of a constituent is drawn.
fn yield_of<'a>(id: &'a str, species: &SpeciesTable) -> &'a str {
    if species.particle_index(id).is_some() { PARTICLES } else { id }
}

/// Multiplies the yields of each emitter by what was drawn for the run, one number for each species.
fn draw_yields(list: &mut [Release], scenario: &Scenario, kinds: &EmitterKinds, species: &SpeciesTable, seed: u64) -> DrawnYields {
    let mut drawn = Vec::new();
    for (n, emitter) in scenario.emitters.iter().enumerate().filter(|(_, emitter)| emitter.yields == Yields::Drawn) {
        let mut factors: BTreeMap<&str, f64> = BTreeMap::new();
        let components = kinds.components(&emitter.kind);
        for id in components.iter().flat_map(|component| &component.composition).map(|(id, _)| yield_of(id, species)) {
            let spread = kinds.yield_spread(&emitter.kind, id);
            if spread > 1.0 {
                let stream = Stream::new(seed, &format!("emitter/{}/{id}", emitter.id), "yield");
                factors.entry(id).or_insert_with(|| stream.at(0).log_normal(libm::log(spread)));
            }
        }
        // a product of a loss is not a yield of the kind
        let own = list.iter_mut().filter(|release| release.substance_of() == Some(n));
        for release in own.take(components.len()) {
            if let Contents::Release { composition, particles, .. } = &mut release.contents {
                for (index, part) in composition {
                    *part *= factors.get(species.all()[*index].id.as_str()).copied().unwrap_or(1.0);
                }
                for (_, part) in particles {
                    *part *= factors.get(PARTICLES).copied().unwrap_or(1.0);
                }
            }
        }
        let record = |(id, factor): (&&str, &f64)| DrawnYield { emitter: emitter.id.clone(), species: (*id).to_owned(), factor: *factor };
        drawn.extend(factors.iter().map(record));
    }
    DrawnYields(drawn)
}

/// Spawns the world of a scenario that has been checked.
///
/// # Errors
/// What an emitter's own files say against it.
pub fn spawn_world(app: &mut App, conditions: &Conditions, seed: u64) -> Result<(), Vec<Diagnostic>> {
    let scenario = Arc::clone(&conditions.scenario);
    let species = app.world().resource::<SpeciesTable>().clone();
    let kinds = app.world().resource::<EmitterKinds>().clone();
    let mut releases = plan_tracers(&scenario, &kinds, &species).unwrap_or_default();
    let yields = draw_yields(&mut releases, &scenario, &kinds, &species, seed);
    require_tracers(app, if scenario.fidelity == Fidelity::Plume { 0 } else { releases.len() });
    app.init_schedule(Prepare);

    let domain = &scenario.domain;
    let grid = grid_of(&scenario);
    let world = app.world_mut();
    world.insert_resource(grid);
    world.insert_resource(Clock::new(scenario.tick_s, scenario.warm_up_s.get(), scenario.start.micros()));
    world.insert_resource(HighFaces::still(&grid));
    world.insert_resource(Solids::new(&conditions.shapes, &grid, domain.boundary == Boundary::Periodic));
    world.insert_resource(SiteInfo {
        latitude_deg: scenario.site.latitude_deg.get(),
        longitude_deg: scenario.site.longitude_deg.get(),
        elevation_m: scenario.site.elevation_m.get(),
        species: species.all().len(),
    });
    world.insert_resource(RunSeed(seed));
    world.insert_resource(yields);
    world.insert_resource(BackgroundAir::new(&scenario.background, &species));
    world.insert_resource(Sources {
        ids: scenario
            .emitters
            .iter()
            .map(|e| e.id.clone())
            .chain(scenario.initial.iter().map(|gas| gas.id_and_species().0.to_owned()))
            .collect(),
    });
    world.insert_resource(conditions.clone());
    world.spawn_batch((0..grid.len()).map(|_| Voxel));
    spawn_emitters(world, conditions, &kinds, &releases)?;
    spawn_events(world, &scenario);
    world.spawn_batch(phases(&scenario));
    world.insert_resource(Releases::new(releases, &species, scenario.chemistry));
    Ok(())
}

/// The cells of a scenario. A `Plume` without obstacles needs no more than one column: the wind is the same everywhere.
#[must_use]
pub fn grid_of(scenario: &Scenario) -> Grid {
    let size = [scenario.domain.size_m.0.get(), scenario.domain.size_m.1.get(), scenario.domain.size_m.2.get()];
    let [x, y, z] = scenario.domain.cell_m.0;
    let column = scenario.fidelity == Fidelity::Plume && scenario.obstacles.is_empty();
    Grid::fitting(size, if column { [size[0], size[1], z] } else { [x, y, z] })
}

fn spawn_emitters(world: &mut World, conditions: &Conditions, kinds: &EmitterKinds, releases: &[Release]) -> Result<(), Vec<Diagnostic>> {
    for (source, entry) in conditions.scenario.emitters.iter().enumerate() {
        let own = |release: &Release| match release.contents {
            Contents::Release { source: from, .. } | Contents::Heat { source: Some(from) } => from == source,
            Contents::Heat { source: None } | Contents::EntryTime => false,
        };
        let slots: Vec<usize> = (0..releases.len()).filter(|slot| own(&releases[*slot])).collect();
        let warms = slots.iter().any(|slot| releases[*slot].is_heat());
        let node = EmitterNode {
            id: entry.id.clone(),
            at_m: vector(entry.at_m),
            start_m: vector(entry.at_m),
            elements: elements(&entry.shape, vector(entry.at_m)),
            heat_w: or_none(entry.heat_w),
            given_heat_w: entry.heat_w.map(NonNegative::get),
            ignited_s: None,
            flame_w: 0.0,
            heated_by: kinds.heated_by(&entry.kind).and_then(|id| conditions.scenario.bodies.iter().position(|body| body.id == id)),
            source,
            rates_kg_s: vec![0.0; slots.len() - usize::from(entry.decay_to.is_some()) - usize::from(warms)],
            warms,
            slots,
            released_kg: 0.0,
        };
        kinds.insert(&entry.kind, &conditions.files, &mut world.spawn(node))?;
    }
    Ok(())
}

fn spawn_events(world: &mut World, scenario: &Scenario) {
    let kinds = world.resource::<EventKinds>().clone();
    for (index, entry) in scenario.events.iter().enumerate() {
        let members: Vec<usize> = entry.members.iter().filter_map(|id| scenario.emitters.iter().position(|e| e.id == *id)).collect();
        let bodies: Vec<usize> = entry.members.iter().filter_map(|id| scenario.bodies.iter().position(|b| b.id == *id)).collect();
        let lines: Vec<usize> = entry.members.iter().filter_map(|id| scenario.lines.iter().position(|line| line.id == *id)).collect();
        let middle = members.iter().map(|m| vector(scenario.emitters[*m].at_m)).sum::<DVec3>() / members.len().max(1) as f64;
        let node = EventNode {
            id: entry.id.clone(),
            index,
            class: entry.class.clone(),
            members,
            bodies,
            lines,
            source: entry.members.join(","),
            at_m: middle,
            ..EventNode::default()
        };
        kinds.insert(&entry.kind, &mut world.spawn(node));
    }
}
