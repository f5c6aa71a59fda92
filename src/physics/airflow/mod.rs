//! Airflow: the mean wind of the scenario on voxel faces, and the diffusivity that goes with it.
//!
//! The wind is horizontally uniform and goes around obstacles where there are any (`around`). It changes with the
//! timeline or a recording; faces are rewritten only when it does. `turbulence: Resolved` adds random eddies to it (`synthetic`),
//! `turbulence: Les(…)` goes on from there (`les`).
//! Left out of the mean wind: wakes, stability over terrain.

pub mod around;
pub mod eddies;
mod kernel;
pub mod les;
pub mod sub_filter;
pub mod surface_eddies;
pub mod synthetic;
pub mod wave_sum;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

pub use kernel::{SurfaceLayer, phi_h, psi_m};

use crate::files::scenario::{Boundary, Subgrid, Turbulence, Wind};
use crate::numerics::Workers;
use crate::physics::airflow::around::{Around, DIVERGENCE, FaceWind};
use crate::physics::airflow::surface_eddies::Carried;
use crate::physics::airflow::synthetic::Synthetic;
use crate::physics::{AppPhysicsExt, FlowSystems};
use crate::units::wind_vector;
use crate::world::air::{Diffusivity, HighFaces, WindX, WindY, WindZ, lateral_variance_m2};
use crate::world::field::FieldMut;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, Prepare, RunSeed};
use crate::world::timeline::{blend_bearing, scripted, scripted_bearing};
use crate::world::{AppStateExt, Clock, Grid, Tick};

/// Writes wind and diffusivity.
#[derive(Clone, Copy, Debug, Default)]
pub struct AirflowPlugin;

impl Plugin for AirflowPlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("airflow")
            .add_state_resource::<BlownWind>()
            .init_resource::<Obstructed>()
            .init_resource::<RandomWind>()
            .add_state_resource::<les::LargeEddies>()
            .init_resource::<les::LesDomain>()
            .add_systems(Prepare, (prepare_obstacles, prepare_eddies))
            .add_systems(Tick, (blow, les::advance).chain().in_set(FlowSystems::Wind));
    }
}

/// The wind that stands on the faces now.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlownWind {
    drivers: Option<Drivers>,
    /// The last potential around obstacles, one number a cell: where the next solution starts.
    potential: Vec<f64>,
    /// Slots of the random eddies' own clock that have begun, and what the wind has done to them in that time.
    slots: u64,
    carried: Carried,
}

/// The solver around the obstacles, if there are any; follows from the scenario.
#[derive(Resource, Debug, Default)]
struct Obstructed(Option<Around>);

/// The random wind of `turbulence: Resolved`; follows from scenario and seed.
#[derive(Resource, Debug, Default)]
struct RandomWind(Option<synthetic::Synthetic>);

/// The numbers a horizontally uniform wind follows from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Drivers {
    speed_m_s: f64,
    from_deg: f64,
    layer: Option<LayerDrivers>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct LayerDrivers {
    at_m: f64,
    roughness_m: f64,
    inverse_obukhov: f64,
    mixing_height_m: f64,
}

/// The largest mean speed on any level that a scenario's wind can reach, for the check at load.
#[must_use]
pub fn fastest(conditions: &Conditions, grid: &Grid) -> f64 {
    let top = grid.centre(0, 0, grid.shape[2] - 1).z;
    let mut times = vec![0.0];
    times.extend(conditions.wind.iter().flat_map(|series| series.time_s.iter().copied()));
    for entry in &conditions.scenario.timeline {
        times.extend([entry.at_s.get(), entry.at_s.get() + entry.over_s.get()]);
    }
    times.into_iter().map(|time| drivers(conditions, time).speed_at(top)).fold(0.0, f64::max)
}

fn drivers(conditions: &Conditions, now_s: f64) -> Drivers {
    let timeline = &conditions.scenario.timeline;
    let roughness_m = conditions.roughness_m.unwrap_or_default();
    let (speed, from, layer) = match (&conditions.scenario.wind, &conditions.wind) {
        (Wind::Uniform { speed_m_s, from_deg }, _) => (speed_m_s.get(), from_deg.get(), None),
        (Wind::Profile { speed_m_s, at_m, from_deg, obukhov_m, mixing_height_m, .. }, _) => {
            let inverse_obukhov = obukhov_m.map_or(0.0, |l| 1.0 / l.get());
            let layer = LayerDrivers { at_m: at_m.get(), roughness_m, inverse_obukhov, mixing_height_m: mixing_height_m.get() };
            (speed_m_s.get(), from_deg.get(), Some(layer))
        }
        (Wind::Recorded { at_m, mixing_height_m, turn_deg, .. }, Some(series)) => {
            let (low, high, share) = series.bracket(now_s);
            let between = |list: &[f64]| list[low] + (list[high] - list[low]) * share;
            let from = blend_bearing(series.columns[1][low], series.columns[1][high], share);
            let inverse: Vec<f64> = series.columns.get(2).map_or_else(Vec::new, |l| l.iter().map(|l| 1.0 / l).collect());
            let inverse_obukhov = if inverse.is_empty() { 0.0 } else { between(&inverse) };
            let layer = LayerDrivers { at_m: at_m.get(), roughness_m, inverse_obukhov, mixing_height_m: mixing_height_m.get() };
            (between(&series.columns[0]), (from + turn_deg.map_or(0.0, super::super::units::Finite::get)).rem_euclid(360.0), Some(layer))
        }
        (Wind::Calm | Wind::Recorded { .. }, _) => (0.0, 0.0, None),
    };
    Drivers {
        speed_m_s: scripted(timeline, "wind.speed_m_s", speed, now_s),
        from_deg: scripted_bearing(timeline, "wind.from_deg", from, now_s),
        layer,
    }
}

impl Drivers {
    fn surface_layer(&self) -> Option<SurfaceLayer> {
        let layer = self.layer?;
        Some(SurfaceLayer::with_speed(self.speed_m_s, layer.at_m, layer.roughness_m, layer.inverse_obukhov, layer.mixing_height_m))
    }

    fn speed_at(&self, z_m: f64) -> f64 {
        self.surface_layer().map_or(self.speed_m_s, |layer| layer.speed(z_m))
    }
}

fn prepare_obstacles(
    grid: Res<Grid>,
    conditions: Res<Conditions>,
    solids: Res<Solids>,
    mut obstructed: ResMut<Obstructed>,
    mut blown: ResMut<BlownWind>,
) {
    if solids.any() {
        let periodic = conditions.scenario.domain.boundary == Boundary::Periodic;
        obstructed.0 = Some(Around::new(*grid, &solids, periodic));
        blown.potential = vec![0.0; grid.len()];
    }
}

fn prepare_eddies(grid: Res<Grid>, conditions: Res<Conditions>, seed: Res<RunSeed>, mut random: ResMut<RandomWind>) {
    if let (Turbulence::Resolved, Some(layer)) = (conditions.scenario.turbulence, drivers(&conditions, 0.0).layer) {
        random.0 = Some(Synthetic::new(*grid, layer.mixing_height_m, fastest(&conditions, &grid), seed.0));
    }
}

#[expect(clippy::too_many_arguments, reason = "wind needs the scenario, the clock and all faces")]
fn blow(
    grid: Res<Grid>,
    clock: Res<Clock>,
    conditions: Res<Conditions>,
    (obstructed, random, workers): (Res<Obstructed>, Res<RandomWind>, Res<Workers>),
    mut blown: ResMut<BlownWind>,
    mut high: ResMut<HighFaces>,
    mut diffusivity: ResMut<Diffusivity>,
    (mut x, mut y, mut z): (FieldMut<WindX>, FieldMut<WindY>, FieldMut<WindZ>),
) {
    let solved = matches!(conditions.scenario.turbulence, Turbulence::Les { .. });
    let slot_us = random.0.as_ref().map(|random| random.slot_us);
    let began_us = clock.elapsed_us() - clock.tick_us();
    // random eddies change on their own clock, and so does all that they are part of
    let slots = slot_us.map_or(0, |slot_us| 1 + began_us / slot_us);
    let at_s = |slot: u64| clock.micros_from_start((slot - 1) * slot_us.unwrap_or_default()) as f64 * 1e-6;
    let now = drivers(&conditions, if slots > 0 { at_s(slots) } else { clock.now_s() });
    if (blown.drivers == Some(now) && blown.slots == slots) || (solved && blown.drivers.is_some()) {
        return;
    }
    let ground_m = conditions.ground().map_or(0.0, |ground| ground.mean_m);
    *diffusivity = spread(&conditions, &now, &grid, ground_m);
    high.version += 1;
    high.divergent_by_axis = obstructed.0.is_some() || slots > 0;
    high.level_version = if high.divergent_by_axis { 0 } else { high.version };
    let faces = [x.as_mut_slice(), y.as_mut_slice(), z.as_mut_slice()];
    if high.divergent_by_axis {
        let mut wind = given(&conditions, &now, &grid);
        if let (Some(random), Some(layer)) = (&random.0, now.surface_layer()) {
            for slot in blown.slots + 1..=slots {
                let then = drivers(&conditions, at_s(slot)).surface_layer().unwrap_or(layer);
                blown.carried = random.ground.after(blown.carried, &then, random.slot_us as f64 * 1e-6);
            }
            let moment = random.ground.moment(blown.carried, &layer, wind_vector(1.0, now.from_deg));
            random.add(&mut wind, &moment, &workers);
            *diffusivity = random.unresolved(&diffusivity, &layer, ground_m);
        }
        if let Some(around) = &obstructed.0 {
            around.adjust(&mut wind, &mut blown.potential, DIVERGENCE, &workers);
        }
        write(&wind, faces, &mut high);
    } else {
        write_levels(&now, &grid, faces, &mut high);
    }
    (blown.drivers, blown.slots) = (Some(now), slots);
}

/// The wind before anything stands in it, in double precision; over a terrain it counts from the ground below each face.
fn given(conditions: &Conditions, now: &Drivers, grid: &Grid) -> FaceWind {
    let [nx, ny, nz] = grid.shape;
    let [hx, hy, _] = grid.cell_m;
    let (east, north) = wind_vector(1.0, now.from_deg);
    let ground = conditions.ground();
    let by_level: Vec<f64> = (0..nz).map(|k| now.speed_at(grid.centre(0, 0, k).z)).collect();
    let speed = |x_m: f64, y_m: f64, k: usize| {
        ground.map_or(by_level[k], |ground| now.speed_at((grid.centre(0, 0, k).z - ground.height_m(x_m, y_m)).max(0.0)))
    };
    let mut wind = FaceWind::still(grid);
    for k in 0..nz {
        for j in 0..ny {
            let middle = (j as f64 + 0.5) * hy;
            for i in 0..nx {
                let cell = grid.index(i, j, k);
                wind.low[0][cell] = east * speed(i as f64 * hx, middle, k);
                wind.low[1][cell] = north * speed((i as f64 + 0.5) * hx, j as f64 * hy, k);
            }
            wind.high[0][j + ny * k] = east * speed(nx as f64 * hx, middle, k);
        }
        for i in 0..nx {
            wind.high[1][i + nx * k] = north * speed((i as f64 + 0.5) * hx, ny as f64 * hy, k);
        }
    }
    wind
}

/// Rounds a wind onto the faces that others read.
fn write(wind: &FaceWind, [x, y, z]: [&mut [f32]; 3], high: &mut HighFaces) {
    let [low_x, low_y, low_z] = &wind.low;
    let [high_x, high_y, high_z] = &wind.high;
    let pairs: [(&mut [f32], &[f64]); 6] =
        [(x, low_x), (y, low_y), (z, low_z), (&mut high.x, high_x), (&mut high.y, high_y), (&mut high.z, high_z)];
    for (single, double) in pairs.into_iter().flat_map(|(single, double)| single.iter_mut().zip(double)) {
        #[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
        let value = *double as f32;
        *single = value;
    }
}

/// The same for a wind that is even on each level.
fn write_levels(now: &Drivers, grid: &Grid, [x, y, z]: [&mut [f32]; 3], high: &mut HighFaces) {
    let [nx, ny, nz] = grid.shape;
    let (east, north) = wind_vector(1.0, now.from_deg);
    z.fill(0.0);
    high.z.fill(0.0);
    for k in 0..nz {
        let speed = now.speed_at(grid.centre(0, 0, k).z);
        #[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
        let (u, v) = ((speed * east) as f32, (speed * north) as f32);
        let level = nx * ny * k..nx * ny * (k + 1);
        x[level.clone()].fill(u);
        y[level].fill(v);
        high.x[ny * k..ny * (k + 1)].fill(u);
        high.y[nx * k..nx * (k + 1)].fill(v);
    }
}

/// Half the way through a domain takes no longer than this for its diffusivity: chosen, so that a calm is not infinitely wide.
const LONGEST_WAY_S: f64 = 300.0;
/// Nor is its wind slower, m/s.
const SLOWEST_M_S: f64 = 0.1;

/// Diffusivity of each level. Over a terrain it counts from the mean height of the ground: one number a level knows no hill.
fn spread(conditions: &Conditions, now: &Drivers, grid: &Grid, ground_m: f64) -> Diffusivity {
    let nz = grid.shape[2];
    let constant =
        |kx: f64, ky: f64, kz: f64| Diffusivity { x: vec![kx; nz], y: vec![ky; nz], z_faces: vec![kz; nz + 1], ..Diffusivity::default() };
    match (conditions.scenario.turbulence, now.surface_layer()) {
        (Turbulence::Given { k_m2_s: (x, y, z) }, _) => constant(x.get(), y.get(), z.get()),
        (
            Turbulence::Mean | Turbulence::Ensemble | Turbulence::Resolved | Turbulence::Les { subgrid: Subgrid::Vreman, .. },
            Some(layer),
        ) => {
            let least = 0.5 * grid.cell_m[2];
            let level = |k: usize| (grid.centre(0, 0, k).z - ground_m).max(least);
            let sigma_v = layer.lateral_sigma_m_s();
            let size = grid.size_m();
            let half_way_s = |k: usize| (0.5 * size.x.max(size.y) / layer.speed(level(k)).max(SLOWEST_M_S)).min(LONGEST_WAY_S);
            let growth = |age_s: f64| 0.5 * (lateral_variance_m2(sigma_v, age_s + 1.0) - lateral_variance_m2(sigma_v, age_s));
            let lateral: Vec<f64> = (0..nz).map(|k| growth(half_way_s(k))).collect();
            let z_faces =
                (0..=nz).map(|k| layer.diffusivity(if k == 0 { 0.0 } else { (k as f64 * grid.cell_m[2] - ground_m).max(least) })).collect();
            let lagrangian_s = (0..nz).map(|k| layer.vertical_lagrangian_s(level(k))).collect();
            let stability_s2 = (0..nz).map(|k| layer.stability_s2(level(k))).collect();
            Diffusivity {
                x: lateral.clone(),
                y: lateral,
                z_faces,
                sigma_v: vec![sigma_v; nz],
                lagrangian_s,
                stability_s2,
                roughness_m: layer.roughness_m,
                ..Diffusivity::default()
            }
        }
        (_, _) => constant(0.0, 0.0, 0.0),
    }
}
