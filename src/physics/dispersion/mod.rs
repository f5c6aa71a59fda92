//! Dispersion: tracers released into voxels and carried by the wind.
//!
//! A release is carried by puffs while it is smaller than the cells (`puffs`, `motion`), then by the cells. Transport is `numerics::transport`; it runs every
//! k-th tick, as many as fit into the Courant limit and `LONGEST_STEP_S`, and sub-cycles when one tick does not.
//! What a sensor meets of it fluctuates with `turbulence: Ensemble` (`fluctuations`).
//! Heat travels as a substance does. It lifts a release while that is a puff; in the cells it lifts the air with `turbulence: Les(…)` alone. There, what a hot source releases goes
//! into the cells at its place at once, however tall its flame. Sides of a box with a temperature of their own conduct through half a cell. Left out: chemistry between gases.

pub mod fluctuations;
mod kernel;
mod ledger;
pub mod motion;
pub mod puffs;
mod warm_sides;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

pub use kernel::{Fall, deposition_of_cell_m_s, fall, gaussian_cloud};
pub use ledger::{Balance, ledger};

use crate::files::scenario::{Boundary, Fidelity, InitialGas, Turbulence};
use crate::numerics::Workers;
use crate::numerics::transport::{
    Course, Faces, LocalSpread, MAX_COURANT, MAX_TOTAL_OUTFLOW, Plan, Sides, Spread, scale_and_trim, steps_needed,
};
use crate::physics::AppPhysicsExt;
use crate::physics::dispersion::fluctuations::{Fluctuations, fluctuate};
use crate::physics::dispersion::warm_sides::{MOST_CONDUCTED, WarmSides};
use crate::units::AIR_HEAT_J_KG_K;
use crate::world::air::{AirTemperature, Diffusivity, GroundPressure, WindField, air_kg_m3};
use crate::world::emitter::EmitterNode;
use crate::world::environment::vector;
use crate::world::field::Field;
use crate::world::heat::HeatSources;
use crate::world::puffs::{Puffs, REACH};
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, Prepare};
use crate::world::tracers::{Contents, Release, Releases, TracersMut};
use crate::world::{AppStateExt, Clock, Grid, Tick, TickSystems};

/// The longest transport step in seconds, however slow the wind: emissions and sensors live on this scale.
pub const LONGEST_STEP_S: f64 = 1.0;
/// More sub-steps than this in one tick are refused when a scenario is loaded.
pub const MOST_STEPS: usize = 1000;

/// Releases and carries tracers.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispersionPlugin;

impl Plugin for DispersionPlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("dispersion")
            .add_state_resource::<TransportState>()
            .add_systems(Prepare, fill_initial)
            .add_state_resource::<Fluctuations>()
            .add_state::<Puffs>()
            .add_systems(Prepare, prepare_puffs)
            .add_systems(Tick, (release, carry, puffs::travel).chain().in_set(TickSystems::Transport))
            .add_systems(Tick, fluctuate.in_set(TickSystems::Surroundings));
    }
}

/// Where transport stands.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct TransportState {
    /// Seconds that have passed and are not carried yet.
    waiting_s: f64,
    /// Steps so far; the sweeps turn round with every step.
    steps: u64,
    /// Largest outflow along each axis in m s⁻¹, of the wind with this version.
    outflow: ([f64; 3], u64),
    /// Largest total outflow of a cell in s⁻¹ where the wind varies along its own axes; 0 where it does not.
    total_outflow_per_s: f64,
    /// What became of each tracer, by slot.
    pub fates: Vec<Fate>,
    /// What was in the air at the start, by slot, kg.
    pub initial_kg: Vec<f64>,
}

/// Where the mass of a tracer went, in kg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fate {
    /// Lies on the ground and on obstacles.
    pub deposited_kg: f64,
    /// Was lost at first order.
    pub reacted_kg: f64,
    /// Left through the sides, less what came in through them.
    pub left_kg: f64,
}

fn prepare_puffs(conditions: Res<Conditions>, emitters: Query<(Entity, &EmitterNode)>, mut commands: Commands) {
    let law = puffs::vertical_law(conditions.scenario.turbulence);
    for (entity, emitter) in &emitters {
        let mut puffs = Puffs::new(law, emitter.slots.len());
        puffs.into_cells = !puffs::in_puffs(&conditions);
        commands.entity(entity).insert(puffs);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
fn fill_initial(
    (grid, conditions, solids): (Res<Grid>, Res<Conditions>, Res<Solids>),
    releases: Res<Releases>,
    mut state: ResMut<TransportState>,
    mut tracers: TracersMut,
) {
    let mut columns = tracers.columns();
    state.initial_kg = vec![0.0; releases.list.len()];
    for (n, gas) in conditions.scenario.initial.iter().enumerate() {
        let source = conditions.scenario.emitters.len() + n;
        let Some(slot) = (0..columns.len()).find(|slot| releases.source(*slot) == Some(source)) else {
            continue;
        };
        match gas {
            InitialGas::Uniform { density_kg_m3, .. } => {
                columns[slot].fill(density_kg_m3.get() as f32);
            }
            InitialGas::GaussianPuff { mass_kg, at_m, sigma_m, ground_image, .. } => {
                let sigma = DVec3::new(sigma_m.0.get(), sigma_m.1.get(), sigma_m.2.get());
                let [nx, ny, _] = grid.shape;
                for (index, cell) in columns[slot].iter_mut().enumerate() {
                    let centre = grid.centre(index % nx, index / nx % ny, index / (nx * ny));
                    *cell = gaussian_cloud(mass_kg.get(), vector(*at_m), sigma, *ground_image, centre) as f32;
                }
            }
        }
        for index in (0..grid.len()).filter(|index| solids.is_solid(*index)) {
            columns[slot][index] = 0.0;
        }
        state.initial_kg[slot] = columns[slot].iter().copied().map(f64::from).sum::<f64>() * grid.cell_volume_m3();
    }
}

/// Puts what emitters release in this tick into the cells around them, where it does not become puffs.
fn release(
    (grid, clock, solids): (Res<Grid>, Res<Clock>, Res<Solids>),
    conditions: Res<Conditions>,
    wind: WindField,
    heat: Res<HeatSources>,
    mut emitters: Query<(&EmitterNode, &mut Puffs)>,
    mut releases: ResMut<Releases>,
    mut tracers: TracersMut,
) {
    let mut columns = tracers.columns();
    let bodies = (0..columns.len()).find(|slot| releases.list[*slot].contents == Contents::Heat { source: None });
    if let Some(slot) = bodies.filter(|_| !heat.0.is_empty()) {
        releases.list[slot].live = true;
        for (at_m, watts) in &heat.0 {
            let density = watts / AIR_HEAT_J_KG_K * clock.tick_s() / grid.cell_volume_m3();
            for (index, weight) in solids.weights_nearby(&grid, *at_m) {
                puffs::add(&mut columns[slot][index], density * weight);
            }
        }
    }
    let mut emitters: Vec<_> = emitters.iter_mut().collect();
    emitters.sort_by_key(|(emitter, _)| emitter.source);
    let slot_s = conditions.scenario.puffs.slot_us() as f64 * 1e-6;
    for (emitter, puffs) in &mut emitters {
        if puffs::in_puffs(&conditions) && conditions.scenario.fidelity == Fidelity::Field {
            puffs.into_cells = emitter.elements.iter().any(|element| {
                let at_m = emitter.at_m + element.offset_m;
                let size = REACH * DVec3::new(element.across_m2[0].sqrt(), element.across_m2[1].sqrt(), element.sigma_z_m);
                let way = puffs::WALL_SLOTS * slot_s * wind.at(&grid, at_m).abs() + size;
                puffs::at_a_wall(&grid, &solids, conditions.scenario.domain.boundary, at_m - way, at_m + way)
            });
            // resolved air is lifted by the heat itself
            puffs.into_cells |= emitter.warms && matches!(conditions.scenario.turbulence, Turbulence::Les { .. });
        }
        if !puffs.into_cells {
            continue;
        }
        for (component, (slot, rate)) in emitter.slots.iter().zip(emitter.given()).enumerate() {
            if rate <= 0.0 {
                continue;
            }
            releases.list[*slot].live = true;
            let density = (rate * clock.tick_s() + puffs.remainder_kg[component]) / grid.cell_volume_m3();
            let mut left = density;
            for element in &emitter.elements {
                for (index, weight) in solids.weights_nearby(&grid, emitter.at_m + element.offset_m) {
                    left -= puffs::add(&mut columns[*slot][index], density * weight / emitter.elements.len() as f64);
                }
            }
            puffs.remainder_kg[component] = left * grid.cell_volume_m3();
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "transport needs all of the air")]
fn carry(
    grid: Res<Grid>,
    clock: Res<Clock>,
    conditions: Res<Conditions>,
    workers: Res<Workers>,
    wind: WindField,
    (diffusivity, solids, temperature, pressure): (Res<Diffusivity>, Res<Solids>, Field<AirTemperature>, Res<GroundPressure>),
    mut releases: ResMut<Releases>,
    mut state: ResMut<TransportState>,
    mut tracers: TracersMut,
) {
    if conditions.scenario.fidelity == Fidelity::Plume {
        return;
    }
    let low = wind.low();
    let faces = Faces { shape: grid.shape, low, high: [&wind.high.x, &wind.high.y, &wind.high.z] };
    if state.outflow.1 != wind.high.version {
        state.outflow = (faces.outflow(), wind.high.version);
        state.total_outflow_per_s = if wind.high.divergent_by_axis { faces.total_outflow_per_s(grid.cell_m) } else { 0.0 };
    }
    state.waiting_s += clock.tick_s();
    let courant = |dt: f64| (0..3).map(|axis| state.outflow.0[axis] * dt / grid.cell_m[axis]).fold(0.0, f64::max);
    let next = state.waiting_s + clock.tick_s();
    let weather_k = f64::from(temperature.as_slice()[0]);
    let warm_sides =
        WarmSides::new(&conditions.scenario.domain.sides_c, (&grid, &solids, &diffusivity), weather_k, air_kg_m3(pressure.pa, weather_k));
    let conducted_per_s = warm_sides.conducted_per_s();
    let short = courant(next) <= MAX_COURANT && conducted_per_s * next <= MOST_CONDUCTED;
    if next <= LONGEST_STEP_S && short && state.total_outflow_per_s * next <= MAX_TOTAL_OUTFLOW {
        return;
    }
    let open_top = conditions.scenario.domain.boundary == Boundary::Open;
    let sides = sides(conditions.scenario.domain.boundary);
    let spread = Spread { x: &diffusivity.x, y: &diffusivity.y, z_faces: &diffusivity.z_faces };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a number that is not negative")]
    let [by_total, by_sides] = [(state.total_outflow_per_s, MAX_TOTAL_OUTFLOW), (conducted_per_s, MOST_CONDUCTED)]
        .map(|(per_s, most)| (per_s * state.waiting_s / most).ceil() as usize);
    let steps = steps_needed(state.outflow.0, grid.cell_m, state.waiting_s, spread, sides).max(by_total).max(by_sides);
    let dt_s = state.waiting_s / steps as f64;
    let course = match solids.open_faces() {
        Some(open) => Course::Around(open),
        None if wind.high.divergent_by_axis => Course::Winding,
        None => Course::Straight,
    };
    let open = solids.open_faces();
    let local =
        (!diffusivity.cells.is_empty()).then(|| LocalSpread::new(&diffusivity.cells, spread, (grid.shape, grid.cell_m), dt_s, sides, open));
    let mut columns = tracers.columns();
    state.fates.resize(columns.len(), Fate::default());
    let (workers, grid, solids, diffusivity) = (&*workers, &*grid, &*solids, &*diffusivity);
    let (releases, state) = (&mut *releases, &mut *state);
    workers.together(|| {
        for step in 0..steps {
            let plan = Plan::new(faces, grid.cell_m, dt_s, spread, sides, state.steps % 2 == 1, course);
            let entered_s = clock.elapsed_us() as f64 * 1e-6 - state.waiting_s + dt_s * (step as f64 + 0.5);
            let losses = Losses { grid, solids, diffusivity, open_top, dt_s: 0.5 * dt_s };
            // half of the losses before and half after: what is read lies between
            losses.apply(&mut releases.list, &mut columns, &mut state.fates);
            for (slot, (release, column)) in releases.list.iter().zip(&mut columns).enumerate().filter(|(_, (release, _))| release.live) {
                if let Some(local) = &local {
                    local.apply(column, workers);
                }
                if release.contents == Contents::EntryTime {
                    plan.advance(column, narrow(entered_s), workers);
                    continue;
                }
                let gains = match release.contents {
                    Contents::Heat { source } => warm_sides.gains(source.is_none(), column, dt_s),
                    _ => Vec::new(),
                };
                state.fates[slot].left_kg += plan.advance(column, narrow(release.inflow), workers) * grid.cell_volume_m3();
                for (cell, gain) in gains {
                    column[cell] = narrow(f64::from(column[cell]) + gain);
                }
            }
            losses.apply(&mut releases.list, &mut columns, &mut state.fates);
            for (release, column) in releases.list.iter().zip(&mut columns) {
                if release.live && release.contents != Contents::EntryTime {
                    scale_and_trim(column, 1.0);
                }
            }
            state.steps += 1;
        }
    });
    state.waiting_s = 0.0;
}

/// What tracers lose in a part of a step.
struct Losses<'a> {
    grid: &'a Grid,
    solids: &'a Solids,
    diffusivity: &'a Diffusivity,
    open_top: bool,
    dt_s: f64,
}

impl Losses<'_> {
    /// Products come before what makes them: what they gain now they do not lose now.
    fn apply(&self, list: &mut [Release], columns: &mut [&mut [f32]], fates: &mut [Fate]) {
        for slot in (0..columns.len()).rev() {
            if list[slot].live && list[slot].contents != Contents::EntryTime {
                self.settle(&list[slot], columns[slot], &mut fates[slot]);
                self.react(slot, list, columns, fates);
            }
        }
    }

    /// Settling and deposition.
    fn settle(&self, release: &Release, column: &mut [f32], fate: &mut Fate) {
        let (grid, dt_s) = (self.grid, self.dt_s);
        let volume = grid.cell_volume_m3();
        let height = grid.cell_m[2];
        let deposition = deposition_of_cell_m_s(release.deposition_m_s, self.diffusivity.z_faces[0], height);
        if deposition <= 0.0 && release.settling_m_s <= 0.0 {
            return;
        }
        // in so many parts that nothing sinks more than a cell
        let parts = (release.settling_m_s * dt_s / height).ceil().max(1.0);
        let plane = grid.shape[0] * grid.shape[1];
        let open = self.solids.open_faces();
        let closed = |cell: usize| cell < plane || open.is_some_and(|open| open[2][cell] == 0.0);
        let step = Fall {
            taken: 1.0 - libm::exp(-deposition * dt_s / parts / height),
            sunk: release.settling_m_s * dt_s / parts / height,
            from_above: if self.open_top { release.inflow } else { 0.0 },
        };
        // without sinking and without obstacles only the lowest cells have a surface below them
        let [nx, ny, nz] = grid.shape;
        let levels = if step.sunk > 0.0 || self.solids.any() { nz } else { 1 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of at least one")]
        for _ in 0..parts as usize {
            let cells = &mut column[..plane * levels];
            let (taken, entered) = fall(cells, [nx, ny, levels], step, closed, |cell| self.solids.is_solid(cell));
            fate.deposited_kg += volume * taken;
            fate.left_kg -= volume * entered;
        }
    }

    /// First-order loss, and what it makes.
    fn react(&self, slot: usize, list: &mut [Release], columns: &mut [&mut [f32]], fates: &mut [Fate]) {
        let rate = list[slot].decay_per_s;
        let factor = libm::exp(-rate * self.dt_s);
        if factor >= 1.0 {
            return;
        }
        let mass = columns[slot].iter().copied().map(f64::from).sum::<f64>() * self.grid.cell_volume_m3();
        if let Some((product, mass_yield)) = list[slot].turns_into {
            let gain = mass_yield * rate * met(rate, list[product].decay_per_s, self.dt_s);
            let (before, after) = columns.split_at_mut(product);
            for (cell, from) in after[0].iter_mut().zip(before[slot].iter()) {
                *cell += narrow(gain * f64::from(*from));
            }
            list[product].live = true;
            fates[product].reacted_kg += mass * (mass_yield * (1.0 - factor) - gain);
            fates[slot].reacted_kg += mass * (1.0 - mass_yield) * (1.0 - factor);
        } else {
            fates[slot].reacted_kg += mass * (1.0 - factor);
        }
        scale_and_trim(columns[slot], factor);
    }
}

/// How long what is made at the first rate and lost at the second is there, for a unit that is lost at the first: `∫ e^{−k₁ t}
/// e^{−k₂ (T − t)} dt` over `dt_s`, in s.
#[must_use]
pub fn met(first_per_s: f64, second_per_s: f64, dt_s: f64) -> f64 {
    let (slow, fast) = (first_per_s.min(second_per_s), first_per_s.max(second_per_s));
    let apart = (fast - slow) * dt_s;
    let share = if apart > 1e-9 { -libm::expm1(-apart) / apart } else { 1.0 };
    dt_s * libm::exp(-slow * dt_s) * share
}

#[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

/// What the transport does at the sides of a domain. A closed box has no wind through its sides.
#[must_use]
pub const fn sides(boundary: Boundary) -> Sides {
    match boundary {
        Boundary::Open | Boundary::Closed => Sides::Open,
        Boundary::Periodic => Sides::Periodic,
    }
}
