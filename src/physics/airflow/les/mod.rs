//! `turbulence: Les(…)`: eddies larger than the cells are resolved in time, smaller ones are a viscosity.
//!
//! Starts from the mean wind around the obstacles plus random eddies (`eddies`), which also come in through the windward
//! sides. Rough walls take the stress of the surface layer. Steps run every k-th tick, as many as fit into the Courant
//! limit, or several in one tick. Tracers get the eddy viscosity of their cell over the sub-grid Schmidt number, and
//! at least what is left of the surface layer's diffusivity.
//!
//! In a periodic box a force keeps the mean wind of the scenario.
//!
//! Without a sub-grid model it is a direct solution with smooth walls, for laminar flow.
//! Left out: Coriolis force, stratified inflow, a top that rises with a plume in wind (it is a lid), damping before the lee sides;
//! where the mean wind climbs over an obstacle, that counts as resolved turbulence of the level.

mod flow;
mod lattice;
mod subgrid;
mod walls;

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

pub use flow::{DIVERGENCE, Flow, FlowState, Forces, steps_for};
pub use lattice::Lattice;
pub use subgrid::{SUBGRID_SCHMIDT, VREMAN, vreman};
pub use walls::{Side, Sides, Wall, drag};

use super::sub_filter::left_over;
use super::surface_eddies::{Carried, SurfaceEddies, highest_rad_m};
use super::wave_sum::WaveSum;
use super::{Drivers, drivers};
use crate::files::scenario::{Boundary, Subgrid, Turbulence};
use crate::numerics::{SimdLevel, Workers};
use crate::streams::Stream;
use crate::units::{GRAVITY_M_S2, wind_vector};
use crate::world::air::{AirTemperature, Diffusivity, GroundPressure, HighFaces, WindX, WindY, WindZ, air_kg_m3};
use crate::world::field::{Field, FieldMut};
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, RunSeed};
use crate::world::tracers::{Releases, Tracers};
use crate::world::{Clock, Grid};

/// Kinematic viscosity of air at 15 °C, m² s⁻¹: ISO 2533.
pub const AIR_VISCOSITY_M2_S: f64 = 1.460_7e-5;
/// Prandtl number of air, and nearly the Schmidt number of light gases in it (0.7 to 1.1): Incropera and `DeWitt`, *Fundamentals of Heat and Mass Transfer*,
/// appendix A.
pub const MOLECULAR_SCHMIDT: f64 = 0.71;
/// Roughness of what is built, m; a plastered wall: Wieringa, *J. Wind Eng. Ind. Aerodyn.* 41, 1992, gives 0.2 to 2 mm.
pub const BUILT_ROUGHNESS_M: f64 = 1e-3;
/// Air that nothing stirs is not quite still, m s⁻¹: what a plume over a perfect source needs to become turbulent. The size of it is that of FDS (`McGrattan` et al., *Fire
/// Dynamics Simulator User's Guide*, NIST SP 1019, noise of the velocity).
const RESTLESS_M_S: f64 = 0.005;
/// The longest time between two steps in seconds, however slow the wind.
const LONGEST_STEP_S: f64 = 1.0;
/// More steps than this in one tick are a fault.
pub const MOST_STEPS: usize = 1000;
/// A step may leave this many times the divergence that is asked for, no more.
const MOST_LEFT: f64 = 1.01;
/// A side is open if the wind leaves through it at more than this part of its speed, and windward if it comes in so.
const ASLANT: f64 = 0.1;

/// The resolved flow.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct LargeEddies {
    /// Velocity and pressure.
    pub state: FlowState,
    /// Whether it has begun.
    started: bool,
    /// Seconds that have passed and are not stepped yet.
    waiting_s: f64,
    /// Seconds of flow so far.
    age_s: f64,
    /// What the wind has done to the random eddies.
    carried: Carried,
}

impl LargeEddies {
    /// Seconds of flow so far; the ticks since then wait for the next step.
    #[must_use]
    pub const fn age_s(&self) -> f64 {
        self.age_s
    }
}

/// The domain of the flow; follows from scenario and wind.
#[derive(Resource, Debug, Default)]
pub struct LesDomain {
    flow: Option<Flow>,
    sides: Option<Sides>,
    viscosity: Vec<f64>,
    eddies: Option<SurfaceEddies>,
    /// Sides that stand whatever the wind, for tests.
    pinned: Option<Sides>,
}

impl LesDomain {
    /// Keeps these sides whatever the wind does, as a closed form asks for.
    #[must_use]
    pub const fn pinned(sides: Sides) -> Self {
        Self { flow: None, sides: None, viscosity: Vec::new(), eddies: None, pinned: Some(sides) }
    }

    /// The solver, once it has begun.
    #[must_use]
    pub const fn flow(&self) -> Option<&Flow> {
        self.flow.as_ref()
    }
}

/// The sides of a domain in a wind.
fn sides(conditions: &Conditions, now: &Drivers, subgrid: Subgrid, viscosity_m2_s: f64) -> Sides {
    let wall = |roughness: Option<f64>| match (subgrid, roughness) {
        (Subgrid::None, _) => Wall::Smooth { velocity_m_s: [0.0; 3], viscosity_m2_s },
        (Subgrid::Vreman, Some(roughness_m)) => {
            Wall::Rough { roughness_m, inverse_obukhov: now.layer.map_or(0.0, |layer| layer.inverse_obukhov) }
        }
        (Subgrid::Vreman, None) => Wall::Slip,
    };
    let roughness = now.layer.map(|layer| layer.roughness_m).or(conditions.roughness_m);
    let built = match (subgrid, conditions.ground()) {
        (Subgrid::None, _) => wall(None),
        // cells that a terrain fills are ground
        (Subgrid::Vreman, Some(_)) => wall(roughness),
        (Subgrid::Vreman, None) => Wall::Rough { roughness_m: BUILT_ROUGHNESS_M, inverse_obukhov: 0.0 },
    };
    let (east, north) = wind_vector(1.0, now.from_deg);
    let by_wind = |outward: f64| {
        if now.speed_m_s <= 0.0 {
            Side::Still
        } else if outward > ASLANT {
            Side::Open
        } else {
            Side::Given
        }
    };
    let (horizontal, ground, top) = match conditions.scenario.domain.boundary {
        Boundary::Closed => ([[Side::Wall(built); 2]; 2], built, Side::Wall(built)),
        Boundary::Periodic => ([[Side::Periodic; 2]; 2], wall(roughness), Side::Wall(Wall::Slip)),
        Boundary::Open => {
            let top = if now.speed_m_s > 0.0 { Side::Wall(Wall::Slip) } else { Side::Still };
            ([[by_wind(-east), by_wind(east)], [by_wind(-north), by_wind(north)]], wall(roughness), top)
        }
    };
    Sides { sides: [horizontal[0], horizontal[1], [Side::Wall(ground), top]], obstacles: built }
}

/// The wind on the faces of a domain, in the columns other systems read.
pub(super) type Columns<'w, 's> = (FieldMut<'w, 's, WindX>, FieldMut<'w, 's, WindY>, FieldMut<'w, 's, WindZ>);

#[expect(clippy::too_many_arguments, reason = "a flow needs all of the air")]
pub(super) fn advance(
    (grid, clock, seed): (Res<Grid>, Res<Clock>, Res<RunSeed>),
    conditions: Res<Conditions>,
    (solids, workers): (Res<Solids>, Res<Workers>),
    (temperature, tracers, releases, pressure): (Field<AirTemperature>, Tracers, Res<Releases>, Res<GroundPressure>),
    mut eddies: ResMut<LargeEddies>,
    mut domain: ResMut<LesDomain>,
    mut high: ResMut<HighFaces>,
    mut diffusivity: ResMut<Diffusivity>,
    mut columns: Columns,
) -> Result<(), BevyError> {
    let Turbulence::Les { subgrid, viscosity_m2_s } = conditions.scenario.turbulence else { return Ok(()) };
    let molecular = viscosity_m2_s.map_or(AIR_VISCOSITY_M2_S, crate::units::NonNegative::get);
    let now = drivers(&conditions, clock.now_s());
    let (domain, eddies) = (&mut *domain, &mut *eddies);
    let wanted = domain.pinned.unwrap_or_else(|| sides(&conditions, &now, subgrid, molecular));
    let rebuilt = domain.sides.is_none_or(|sides| !sides.pass_as(&wanted));
    if rebuilt {
        domain.flow = Some(Flow::new(&grid, &solids, wanted));
        domain.viscosity.resize(Lattice::new(&grid).len(), molecular);
    }
    domain.sides = Some(wanted);
    let LesDomain { flow: Some(flow), viscosity, eddies: waves, .. } = domain else { return Ok(()) };
    flow.set_walls(wanted);
    let lattice = *flow.lattice();
    let layer = now.surface_layer().filter(|_| subgrid == Subgrid::Vreman);
    let waves = layer.map(|layer| (layer, &*waves.get_or_insert_with(|| SurfaceEddies::drawn(*grid, layer.mixing_height_m, seed.0))));
    let towards = wind_vector(1.0, now.from_deg);
    let moment = |eddies: &LargeEddies| {
        waves.map(|(layer, ground)| WaveSum::new(&grid, &ground.eddies, &ground.moment(eddies.carried, &layer, towards)))
    };
    if !eddies.started && eddies.state.pressure.is_empty() {
        eddies.state = FlowState::still(&lattice);
        from_columns(&lattice, &mut columns, &high, &mut eddies.state.velocity);
        if let Some(random) = moment(eddies) {
            stir(&lattice, &random, &mut eddies.state.velocity, workers.simd);
        } else if subgrid == Subgrid::Vreman {
            shake(&mut eddies.state.velocity, seed.0);
        }
    }
    if rebuilt || !eddies.started {
        // nothing moves any more through what is closed now
        let random = moment(eddies);
        give(flow, &wanted, &conditions, &now, random.map(|random| (random, workers.simd)), &mut eddies.state.velocity);
        flow.close(&mut eddies.state.velocity);
        flow.fill_ghosts(&mut eddies.state.velocity);
        flow.project(&mut eddies.state.velocity, &mut eddies.state.increment, DIVERGENCE, &workers);
        flow.fill_ghosts(&mut eddies.state.velocity);
        eddies.state.increment.fill(0.0);
        eddies.started = true;
        below_filter(flow, subgrid, &eddies.state, molecular, viscosity, &workers);
    }
    eddies.waiting_s += clock.tick_s();
    let next_s = eddies.waiting_s + clock.tick_s();
    let warm = releases.heat_slots().any(|slot| releases.list[slot].live);
    if eddies.age_s > 0.0 && !warm && next_s <= LONGEST_STEP_S && flow.steps_needed(&eddies.state, viscosity, next_s) == 1 {
        return Ok(());
    }
    let warm_air = warm_air(temperature.as_slice(), &tracers.columns(), &releases, pressure.pa);
    let buoyancy = buoyancy(&grid, flow, &solids, (&warm_air, f64::from(temperature.as_slice()[0])), &wanted);
    // warm air from rest must not cross a cell in a step either
    let strongest = buoyancy.iter().flatten().fold(0.0f64, |most, b| most.max(b.abs()));
    let lifted_per_s = (strongest / grid.cell_m[2]).sqrt();
    while eddies.waiting_s > 0.0 {
        let random = moment(eddies);
        give(flow, &wanted, &conditions, &now, random.map(|random| (random, workers.simd)), &mut eddies.state.velocity);
        flow.fill_ghosts(&mut eddies.state.velocity);
        below_filter(flow, subgrid, &eddies.state, molecular, viscosity, &workers);
        // what comes in now may be faster than what was there
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a ceiling of a number that is not negative; saturates"
        )]
        let by_heat = (eddies.waiting_s * lifted_per_s - 1e-9).ceil().max(1.0) as usize;
        let steps = flow.steps_needed(&eddies.state, viscosity, eddies.waiting_s).max(by_heat);
        if steps > MOST_STEPS {
            let message =
                "the resolved flow broke down: it is not finite or needs more than 1000 steps a tick; use smaller cells or a shorter tick";
            return Err(message.into());
        }
        let dt_s = eddies.waiting_s / steps as f64;
        let drive = drive(&conditions, &now, &grid, flow, &eddies.state, dt_s);
        let left = flow.advance(&mut eddies.state, Forces { viscosity, buoyancy: buoyancy.as_deref(), drive }, dt_s, &workers);
        if left.is_nan() || left > MOST_LEFT * DIVERGENCE || flow.steps_needed(&eddies.state, viscosity, dt_s) > MOST_STEPS {
            return Err(format!(
                "the resolved flow broke down: a divergence of {left:.1e} U/h is left; use smaller cells or a shorter tick"
            )
            .into());
        }
        eddies.age_s += dt_s;
        if let Some((layer, ground)) = &waves {
            eddies.carried = ground.after(eddies.carried, layer, dt_s);
        }
        eddies.waiting_s = if steps == 1 { 0.0 } else { eddies.waiting_s - dt_s };
    }
    to_columns(&lattice, &eddies.state.velocity, &mut columns, &mut high);
    *diffusivity = spread(&lattice, (viscosity, molecular), subgrid, now.layer.map_or(0.0, |layer| layer.roughness_m), &solids);
    if let Some((layer, _)) = waves {
        // near the ground the cells hold little of what carries tracers up
        let ground_m = conditions.ground().map_or(0.0, |ground| ground.mean_m);
        let whole = super::spread(&conditions, &now, &grid, ground_m);
        let vertical = vertical_variance_m2_s2(&lattice, &eddies.state.velocity[2], &solids);
        let left = left_over(&whole, &layer, (&grid, ground_m), highest_rad_m(&grid), |face| vertical[face]);
        let larger = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a.max(*b)).collect();
        *diffusivity = Diffusivity {
            x: larger(&diffusivity.x, &left.x),
            y: larger(&diffusivity.y, &left.y),
            z_faces: larger(&diffusivity.z_faces, &left.z_faces),
            cells: std::mem::take(&mut diffusivity.cells),
            ..left
        };
    }
    Ok(())
}

/// Adds a little at random to every face.
fn shake(velocity: &mut [Vec<f64>; 3], seed: u64) {
    let mut draws = Stream::new(seed, "airflow/les", "restless").at(0);
    for face in velocity.iter_mut().flatten() {
        *face += draws.between(-RESTLESS_M_S, RESTLESS_M_S);
    }
}

/// Variance of the vertical wind over the air of each level's lower face, the last that of the top.
fn vertical_variance_m2_s2(lattice: &Lattice, w: &[f64], solids: &Solids) -> Vec<f64> {
    let [nx, ny, nz] = lattice.shape;
    let of = |face: usize| {
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0f64);
        for j in 0..ny {
            let row = lattice.at([1, j + 1, face + 1]);
            for (i, w) in w[row..row + nx].iter().enumerate() {
                let level = face.min(nz - 1);
                if !solids.is_solid(i + nx * (j + ny * level)) {
                    (sum, square, count) = (sum + w, square + w * w, count + 1.0);
                }
            }
        }
        let mean = sum / count.max(1.0);
        (square / count.max(1.0) - mean * mean).max(0.0)
    };
    (0..=nz).map(of).collect()
}

/// Writes the viscosity of what is smaller than the cells.
fn below_filter(flow: &Flow, subgrid: Subgrid, state: &FlowState, molecular: f64, viscosity: &mut [f64], workers: &Workers) {
    match subgrid {
        Subgrid::None => viscosity.fill(molecular),
        Subgrid::Vreman => {
            vreman(flow.lattice(), &state.velocity, molecular, viscosity, workers);
            flow.wrap(viscosity);
        }
    }
}

/// Acceleration that gives a periodic wind the mean that the scenario states, over the faces where air moves.
fn drive(conditions: &Conditions, now: &Drivers, grid: &Grid, flow: &Flow, state: &FlowState, dt_s: f64) -> [f64; 3] {
    if conditions.scenario.domain.boundary != Boundary::Periodic || now.speed_m_s <= 0.0 {
        return [0.0; 3];
    }
    let (east, north) = wind_vector(1.0, now.from_deg);
    let lacking = |component: usize, part: f64| {
        let (mean, wanted) = flow.mean(state, component, |k| part * now.speed_at(grid.centre(0, 0, k - 1).z));
        (wanted - mean) / dt_s
    };
    [lacking(0, east), lacking(1, north), 0.0]
}

/// Temperature of the air with the heat in it, K.
fn warm_air(weather_k: &[f32], tracers: &[&[f32]], releases: &Releases, pressure_pa: f64) -> Vec<f64> {
    let weather = weather_k.iter().copied().map(f64::from);
    match releases.warmth_k(tracers, air_kg_m3(pressure_pa, f64::from(weather_k[0]))) {
        Some(warmer) => weather.zip(warmer).map(|(t, warmer)| t + warmer).collect(),
        None => weather.collect(),
    }
}

/// Upward acceleration of cells warmer than the air that comes in, or around the domain where no side is windward, or the weather around one in still air, or their level
/// where nothing comes in.
fn buoyancy(grid: &Grid, flow: &Flow, solids: &Solids, (temperature, weather_k): (&[f64], f64), sides: &Sides) -> Option<Vec<f64>> {
    let first = temperature[0];
    if temperature.iter().all(|t| (t - first).abs() <= 0.0) {
        return None;
    }
    let lattice = flow.lattice();
    let [nx, ny, nz] = grid.shape;
    let any = |wanted: Side| sides.sides[..2].iter().flatten().any(|side| *side == wanted);
    let outside = [Side::Given, Side::Open].into_iter().find(|side| any(*side));
    let counts = |i: usize, j: usize| {
        let at = [(i == 0, 0, false), (i + 1 == nx, 0, true), (j == 0, 1, false), (j + 1 == ny, 1, true)];
        outside.is_none_or(|outside| at.into_iter().any(|(here, axis, high)| here && sides.of(axis, high) == outside))
    };
    let mut buoyancy = vec![0.0; lattice.len()];
    for k in 0..nz {
        let (mut sum, mut count) = (0.0, 0.0);
        for j in 0..ny {
            for i in 0..nx {
                let cell = grid.index(i, j, k);
                if counts(i, j) && !solids.is_solid(cell) {
                    sum += temperature[cell];
                    count += 1.0;
                }
            }
        }
        if count == 0.0 {
            continue;
        }
        let outside = if any(Side::Still) { weather_k } else { sum / count };
        for j in 0..ny {
            for i in 0..nx {
                let warmer = temperature[grid.index(i, j, k)] - outside;
                buoyancy[lattice.at([i + 1, j + 1, k + 1])] = GRAVITY_M_S2 * warmer / outside;
            }
        }
    }
    Some(buoyancy)
}

/// Writes the wind that comes in, and what passes along given sides.
fn give(
    flow: &Flow,
    sides: &Sides,
    conditions: &Conditions,
    now: &Drivers,
    random: Option<(WaveSum, SimdLevel)>,
    velocity: &mut [Vec<f64>; 3],
) {
    let lattice = flow.lattice();
    let strides = lattice.strides();
    let (east, north) = wind_vector(1.0, now.from_deg);
    let part = [east, north, 0.0];
    let ground = conditions.ground();
    for axis in 0..2 {
        for high in [false, true] {
            if sides.of(axis, high) != Side::Given {
                continue;
            }
            // eddies come in; sides along the wind stand still: told what leaves through them, the flow broke down within the hour
            let outward = if high { part[axis] } else { -part[axis] };
            let random = random.as_ref().filter(|_| outward < -ASLANT);
            // along the other horizontal axis, level by level
            let other = 1 - axis;
            let count = lattice.shape[other] + 2;
            let row = random.as_ref().map(|(random, _)| random.row(other, count));
            for (component, velocity) in velocity.iter_mut().enumerate() {
                let n = lattice.shape[axis];
                let layer = match (component == axis, high) {
                    (true, false) => 1,
                    (false, false) => 0,
                    (_, true) => n + 1,
                };
                let corner = lattice.face_m(component, layer * strides[axis] + strides[2]);
                let plane = random.as_ref().zip(row.as_ref()).map(|((random, simd), row)| {
                    random.plane(component, row, &random.levels(component, corner[2], lattice.shape[2]), (corner[0], corner[1]), *simd)
                });
                for k in 1..=lattice.shape[2] {
                    let first = layer * strides[axis] + k * strides[2];
                    let from = DVec3::from_array(lattice.face_m(component, first));
                    let mut step = DVec3::ZERO;
                    step[other] = lattice.cell_m[other];
                    for l in 0..count {
                        let more = plane.as_ref().and_then(|plane| plane.get((k - 1) * count + l)).copied().unwrap_or_default();
                        let place = first + l * strides[other];
                        let at = from + l as f64 * step;
                        let above_m = at.z - ground.map_or(0.0, |ground| ground.height_m(at.x, at.y));
                        let inside = 0 < l && l + 1 < count;
                        let moves = component != axis || !inside || flow.passes(axis, high, l, k);
                        velocity[place] = if moves { now.speed_at(above_m.max(0.0)) * part[component] + more } else { 0.0 };
                    }
                }
            }
        }
    }
}

/// Adds the eddies of the start to all faces.
fn stir(lattice: &Lattice, random: &WaveSum, velocity: &mut [Vec<f64>; 3], simd: SimdLevel) {
    let [nx, ny, nz] = lattice.shape;
    let row = random.row(0, nx);
    for (component, velocity) in velocity.iter_mut().enumerate() {
        let levels = random.levels(component, lattice.face_m(component, lattice.at([1, 1, 1]))[2], nz);
        for j in 1..=ny {
            let corner = lattice.face_m(component, lattice.at([1, j, 1]));
            let plane = random.plane(component, &row, &levels, (corner[0], corner[1]), simd);
            for (k, more) in plane.chunks_exact(nx).enumerate() {
                velocity[lattice.row(j, k + 1)].iter_mut().zip(more).for_each(|(velocity, more)| *velocity += more);
            }
        }
    }
}

fn from_columns(lattice: &Lattice, columns: &mut Columns, high: &HighFaces, velocity: &mut [Vec<f64>; 3]) {
    let [nx, ny, nz] = lattice.shape;
    let low = [columns.0.as_mut_slice(), columns.1.as_mut_slice(), columns.2.as_mut_slice()];
    for (velocity, low) in velocity.iter_mut().zip(low) {
        for k in 0..nz {
            for j in 0..ny {
                for (place, value) in lattice.row(j + 1, k + 1).zip(&low[nx * (j + ny * k)..]) {
                    velocity[place] = f64::from(*value);
                }
            }
        }
    }
    each_high_face(lattice, |axis, place, n| velocity[axis][place] = f64::from([&high.x, &high.y, &high.z][axis][n]));
}

#[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
fn to_columns(lattice: &Lattice, velocity: &[Vec<f64>; 3], columns: &mut Columns, high: &mut HighFaces) {
    let [nx, ny, nz] = lattice.shape;
    let low = [columns.0.as_mut_slice(), columns.1.as_mut_slice(), columns.2.as_mut_slice()];
    for (velocity, low) in velocity.iter().zip(low) {
        for k in 0..nz {
            for j in 0..ny {
                for (place, value) in lattice.row(j + 1, k + 1).zip(&mut low[nx * (j + ny * k)..]) {
                    *value = velocity[place] as f32;
                }
            }
        }
    }
    let HighFaces { x, y, z, .. } = high;
    each_high_face(lattice, |axis, place, n| [&mut *x, &mut *y, &mut *z][axis][n] = velocity[axis][place] as f32);
    high.version += 1;
    high.level_version = 0;
    high.divergent_by_axis = true;
}

/// Calls with the axis, the place and the number in its plane of every face on the high sides.
fn each_high_face(lattice: &Lattice, mut call: impl FnMut(usize, usize, usize)) {
    let [nx, ny, nz] = lattice.shape;
    for k in 1..=nz {
        for j in 1..=ny {
            call(0, lattice.at([nx + 1, j, k]), (j - 1) + ny * (k - 1));
        }
        for i in 1..=nx {
            call(1, lattice.at([i, ny + 1, k]), (i - 1) + nx * (k - 1));
        }
    }
    for j in 1..=ny {
        for i in 1..=nx {
            call(2, lattice.at([i, j, nz + 1]), (i - 1) + nx * (j - 1));
        }
    }
}

/// What spreads tracers below the filter: molecules on every level, eddies in every cell where there is a model of them.
fn spread(lattice: &Lattice, (viscosity, molecular): (&[f64], f64), subgrid: Subgrid, roughness_m: f64, solids: &Solids) -> Diffusivity {
    let [nx, ny, nz] = lattice.shape;
    let still = molecular / MOLECULAR_SCHMIDT;
    let mut cells = Vec::new();
    if subgrid == Subgrid::Vreman {
        cells.reserve(nx * ny * nz);
        for (j, k) in (0..nz).flat_map(|k| (0..ny).map(move |j| (j, k))) {
            for (i, place) in lattice.row(j + 1, k + 1).enumerate() {
                let solid = solids.is_solid(i + nx * (j + ny * k));
                let spreads = if solid { 0.0 } else { still + (viscosity[place] - molecular) / SUBGRID_SCHMIDT };
                #[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
                cells.push(spreads as f32);
            }
        }
    }
    let z_faces = (0..=nz).map(|face| if face == 0 || face == nz { 0.0 } else { still }).collect();
    Diffusivity { x: vec![still; nz], y: vec![still; nz], z_faces, cells, roughness_m, ..Diffusivity::default() }
}
