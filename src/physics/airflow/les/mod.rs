//! `turbulence: Les(…)`: eddies larger than the cells are resolved in time, smaller ones are a viscosity.
//!
//! Starts from the mean wind around the obstacles plus random eddies (`eddies`), which also come in through the windward
//! sides. Rough walls take the stress of the surface layer. Steps run every k-th tick, as many as fit into the Courant
//! limit, or several in one tick. Tracers get the eddy viscosity over the sub-grid Schmidt number, one mean a level.
//!
//! Without a sub-grid model it is a direct solution with smooth walls, for laminar flow.
//! Left out: Coriolis force, stratified inflow, a top that rises with a plume in wind (it is a lid), damping before the lee sides.

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

use super::eddies::{Eddies, Spectrum};
use super::{Drivers, drivers};
use crate::files::scenario::{Boundary, Subgrid, Turbulence};
use crate::numerics::Workers;
use crate::streams::Stream;
use crate::units::{GRAVITY_M_S2, wind_vector};
use crate::world::air::{AirTemperature, Diffusivity, HighFaces, WindX, WindY, WindZ};
use crate::world::field::{Field, FieldMut};
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, RunSeed};
use crate::world::{Clock, Grid};

/// Kinematic viscosity of air at 15 °C, m² s⁻¹: ISO 2533.
pub const AIR_VISCOSITY_M2_S: f64 = 1.460_7e-5;
/// Roughness of what is built, m; a plastered wall: Wieringa, *J. Wind Eng. Ind. Aerodyn.* 41, 1992, gives 0.2 to 2 mm.
const BUILT_ROUGHNESS_M: f64 = 1e-3;
/// The longest time between two steps in seconds, however slow the wind.
const LONGEST_STEP_S: f64 = 1.0;
/// More steps than this in one tick are a fault.
pub const MOST_STEPS: usize = 1000;
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
    eddies: Option<Eddies>,
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
    let built = match subgrid {
        Subgrid::None => wall(None),
        Subgrid::Vreman => Wall::Rough { roughness_m: BUILT_ROUGHNESS_M, inverse_obukhov: 0.0 },
    };
    let (east, north) = wind_vector(1.0, now.from_deg);
    let by_wind = |outward: f64| {
        if now.speed_m_s <= 0.0 || outward > ASLANT { Side::Open } else { Side::Given }
    };
    let (horizontal, ground, top) = match conditions.scenario.domain.boundary {
        Boundary::Closed => ([[Side::Wall(built); 2]; 2], built, Side::Wall(built)),
        Boundary::Periodic => ([[Side::Periodic; 2]; 2], wall(conditions.roughness_m), Side::Wall(Wall::Slip)),
        Boundary::Open => {
            let top = if now.speed_m_s > 0.0 { Side::Wall(Wall::Slip) } else { Side::Open };
            let ground = wall(now.layer.map(|layer| layer.roughness_m).or(conditions.roughness_m));
            ([[by_wind(-east), by_wind(east)], [by_wind(-north), by_wind(north)]], ground, top)
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
    temperature: Field<AirTemperature>,
    mut eddies: ResMut<LargeEddies>,
    mut domain: ResMut<LesDomain>,
    mut high: ResMut<HighFaces>,
    mut diffusivity: ResMut<Diffusivity>,
    mut columns: Columns,
) -> Result<(), BevyError> {
    let Turbulence::Les { subgrid, viscosity_m2_s } = conditions.scenario.turbulence else { return Ok(()) };
    let molecular = viscosity_m2_s.map_or(AIR_VISCOSITY_M2_S, crate::units::NonNegative::get);
    let now = drivers(&conditions, clock.now_s());
    let domain = &mut *domain;
    let eddies = &mut *eddies;
    let wanted = domain.pinned.unwrap_or_else(|| sides(&conditions, &now, subgrid, molecular));
    if domain.sides != Some(wanted) {
        domain.flow = Some(Flow::new(&grid, &solids, wanted));
        domain.sides = Some(wanted);
        domain.viscosity.resize(Lattice::new(&grid).len(), molecular);
    }
    let Some(flow) = &mut domain.flow else { return Ok(()) };
    let lattice = *flow.lattice();
    let random = match (subgrid, now.surface_layer()) {
        (Subgrid::Vreman, Some(layer)) => Some(domain.eddies.get_or_insert_with(|| {
            let nyquist = std::f64::consts::PI / grid.cell().max_element();
            let at_m = now.layer.map_or(1.0, |layer| layer.at_m);
            let spectrum = Spectrum::surface_layer(layer.friction_m_s, at_m, nyquist);
            let (east, north) = wind_vector(now.speed_m_s, now.from_deg);
            Eddies::drawn(spectrum, DVec3::new(east, north, 0.0), &Stream::new(seed.0, "airflow", "eddies"))
        })),
        _ => None,
    };
    let random = random.as_deref();
    if !eddies.started {
        eddies.started = true;
        if eddies.state.pressure.is_empty() {
            eddies.state = FlowState::still(&lattice);
            from_columns(&lattice, &mut columns, &high, &mut eddies.state.velocity);
            if let Some(random) = random {
                stir(&lattice, random, &mut eddies.state.velocity);
            }
        }
        flow.close(&mut eddies.state.velocity);
        flow.project(&mut eddies.state.velocity, &mut eddies.state.increment, DIVERGENCE, &workers);
        eddies.state.increment.fill(0.0);
    }
    eddies.waiting_s += clock.tick_s();
    let next_s = eddies.waiting_s + clock.tick_s();
    if eddies.age_s > 0.0 && next_s <= LONGEST_STEP_S && flow.steps_needed(&eddies.state, &domain.viscosity, next_s) == 1 {
        return Ok(());
    }
    let steps = flow.steps_needed(&eddies.state, &domain.viscosity, eddies.waiting_s);
    if steps > MOST_STEPS {
        let message =
            "the resolved flow broke down: it is not finite or needs more than 1000 steps a tick; use smaller cells or a shorter tick";
        return Err(message.into());
    }
    let dt_s = eddies.waiting_s / steps as f64;
    let buoyancy = buoyancy(&grid, flow, &solids, temperature.as_slice(), wanted);
    let drive = drive(&conditions, &now, &grid);
    for _ in 0..steps {
        eddies.age_s += dt_s;
        give(flow, wanted, &conditions, &now, random.map(|random| (random, eddies.age_s)), &mut eddies.state.velocity);
        flow.fill_ghosts(&mut eddies.state.velocity);
        match subgrid {
            Subgrid::None => domain.viscosity.fill(molecular),
            Subgrid::Vreman => {
                vreman(&lattice, &eddies.state.velocity, molecular, &mut domain.viscosity, &workers);
                flow.wrap(&mut domain.viscosity);
            }
        }
        let forces = Forces { viscosity: &domain.viscosity, buoyancy: buoyancy.as_deref(), drive };
        flow.advance(&mut eddies.state, forces, dt_s, &workers);
    }
    eddies.waiting_s = 0.0;
    to_columns(&lattice, &eddies.state.velocity, &mut columns, &mut high);
    *diffusivity = spread(&lattice, &domain.viscosity, molecular, subgrid, now.layer.map_or(0.0, |layer| layer.roughness_m), &solids);
    Ok(())
}

/// Acceleration that keeps a periodic wind going: the stress of the ground over the depth.
fn drive(conditions: &Conditions, now: &Drivers, grid: &Grid) -> [f64; 3] {
    match (conditions.scenario.domain.boundary, now.surface_layer()) {
        (Boundary::Periodic, Some(layer)) => {
            let (east, north) = wind_vector(layer.friction_m_s * layer.friction_m_s / grid.size_m().z, now.from_deg);
            [east, north, 0.0]
        }
        _ => [0.0; 3],
    }
}

/// Upward acceleration of cells warmer than the air around the domain, or than their level where there is none around.
fn buoyancy(grid: &Grid, flow: &Flow, solids: &Solids, temperature: &[f32], sides: Sides) -> Option<Vec<f64>> {
    let first = temperature[0];
    if temperature.iter().all(|t| (t - first).abs() <= 0.0) {
        return None;
    }
    let lattice = flow.lattice();
    let [nx, ny, nz] = grid.shape;
    let open = (0..2).any(|axis| sides.sides[axis].iter().any(|side| matches!(side, Side::Open | Side::Given)));
    let mut buoyancy = vec![0.0; lattice.len()];
    for k in 0..nz {
        let (mut sum, mut count) = (0.0, 0.0);
        for j in 0..ny {
            for i in 0..nx {
                let rim = i == 0 || j == 0 || i + 1 == nx || j + 1 == ny;
                let cell = grid.index(i, j, k);
                if (rim || !open) && !solids.is_solid(cell) {
                    sum += f64::from(temperature[cell]);
                    count += 1.0;
                }
            }
        }
        if count == 0.0 {
            continue;
        }
        let outside = sum / count;
        for j in 0..ny {
            for i in 0..nx {
                let warmer = f64::from(temperature[grid.index(i, j, k)]) - outside;
                buoyancy[lattice.at([i + 1, j + 1, k + 1])] = GRAVITY_M_S2 * warmer / outside;
            }
        }
    }
    Some(buoyancy)
}

/// Writes the wind that comes in, and what passes along given sides.
fn give(flow: &Flow, sides: Sides, conditions: &Conditions, now: &Drivers, random: Option<(&Eddies, f64)>, velocity: &mut [Vec<f64>; 3]) {
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
            let outward = if high { part[axis] } else { -part[axis] };
            let random = random.filter(|_| outward < -ASLANT);
            // along the other horizontal axis, level by level
            let other = 1 - axis;
            let count = lattice.shape[other] + 2;
            let mut line = vec![0.0; count];
            for (component, velocity) in velocity.iter_mut().enumerate() {
                let n = lattice.shape[axis];
                let layer = match (component == axis, high) {
                    (true, false) => 1,
                    (false, false) => 0,
                    (_, true) => n + 1,
                };
                for k in 1..=lattice.shape[2] {
                    let first = layer * strides[axis] + k * strides[2];
                    let from = DVec3::from_array(lattice.face_m(component, first));
                    let mut step = DVec3::ZERO;
                    step[other] = lattice.cell_m[other];
                    line.fill(0.0);
                    // no eddy passes through the ground
                    if let Some((eddies, time_s)) = random.filter(|_| component < 2 || k > 1) {
                        eddies.add_line(component, from, step, time_s, &mut line);
                    }
                    for (l, more) in line.iter().enumerate() {
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
fn stir(lattice: &Lattice, eddies: &Eddies, velocity: &mut [Vec<f64>; 3]) {
    for (component, velocity) in velocity.iter_mut().enumerate() {
        for k in 1..=lattice.shape[2] {
            if component == 2 && k == 1 {
                continue;
            }
            for j in 1..=lattice.shape[1] {
                let row = lattice.row(j, k);
                let from = DVec3::from_array(lattice.face_m(component, row.start));
                eddies.add_line(component, from, DVec3::X * lattice.cell_m[0], 0.0, &mut velocity[row]);
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

/// What spreads tracers below the filter: one number a level, the mean over its air.
fn spread(lattice: &Lattice, viscosity: &[f64], molecular: f64, subgrid: Subgrid, roughness_m: f64, solids: &Solids) -> Diffusivity {
    let [nx, ny, nz] = lattice.shape;
    let schmidt = if subgrid == Subgrid::None { 1.0 } else { SUBGRID_SCHMIDT };
    let level = |k: usize| {
        let (mut sum, mut count) = (0.0, 0.0f64);
        for j in 0..ny {
            for (i, place) in lattice.row(j + 1, k + 1).enumerate() {
                if !solids.is_solid(i + nx * (j + ny * k)) {
                    sum += viscosity[place] - molecular;
                    count += 1.0;
                }
            }
        }
        molecular + sum / count.max(1.0) / schmidt
    };
    let levels: Vec<f64> = (0..nz).map(level).collect();
    let between = |face: usize| if face == 0 || face == nz { 0.0 } else { f64::midpoint(levels[face - 1], levels[face]) };
    let z_faces = (0..=nz).map(between).collect();
    Diffusivity { x: levels.clone(), y: levels, z_faces, roughness_m, ..Diffusivity::default() }
}
