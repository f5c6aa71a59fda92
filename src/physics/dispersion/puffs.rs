//! Near field: what emitters release travels as puffs until it is as large as the cells.
//!
//! Puffs are released and moved on slots of their own clock, `puffs.per_s` a second, whatever the tick. A puff stands for the
//! gas of one slot: its centre is where the middle of the slot has got to, its variance along the wind that of its stretch of
//! plume. How it moves and grows is told in [`motion`](super::motion).
//!
//! In `fidelity: Field` a puff goes into the cells with all its mass once it is `RIPE_CELLS` cells wide and grows as fast as they
//! would let it, and before it can touch a wall; where nothing spreads, releases go into the cells at once. In
//! `fidelity: Plume` it stays a puff until it leaves the domain.
//!
//! Left out: walls in `Plume`, sinking of particles inside a puff (they deposit), splitting.
//! Checked by: `tests/verification/puffs.rs`.

use bevy_ecs::prelude::*;
use glam::DVec3;

use super::motion::{PuffAir, advance, buoyancy_flux_m4_s3};
use super::{TransportState, met};
use crate::files::scenario::{Boundary, Fidelity, Subgrid, Turbulence};
use crate::numerics::Workers;
use crate::world::air::{Diffusivity, GroundPressure, WindField, lateral_variance_m2};
use crate::world::emitter::EmitterNode;
use crate::world::puffs::{NewPuff, Puffs, VerticalLaw};
use crate::world::solid::Solids;
use crate::world::spawn::Conditions;
use crate::world::tracers::{Releases, TracersMut};
use crate::world::{Clock, Grid};

/// A puff goes into the cells when its standard deviations are so many cells.
const RIPE_CELLS: f64 = 2.0;
/// Standard deviation of a stretch of plume along the wind over its length: their sum is then even to 0.2 %.
const STRETCH: f64 = 0.6;
/// Nor does it wait longer than this, s: where almost nothing spreads it would for ever.
const OLDEST_S: f64 = 600.0;
/// A puff goes into the cells while a wall is still so many slots away.
pub(super) const WALL_SLOTS: f64 = 1.5;
/// Releases puffs and moves them through the slots that end in this tick; sorts them for the sensors.
#[expect(clippy::too_many_arguments, reason = "puffs need all of the air")]
pub(super) fn travel(
    (grid, clock, solids): (Res<Grid>, Res<Clock>, Res<Solids>),
    conditions: Res<Conditions>,
    wind: WindField,
    (diffusivity, pressure, workers): (Res<Diffusivity>, Res<GroundPressure>, Res<Workers>),
    mut state: ResMut<TransportState>,
    mut releases: ResMut<Releases>,
    mut emitters: Query<(&EmitterNode, &mut Puffs)>,
    mut tracers: TracersMut,
) {
    let air = PuffAir::new(wind.sampler(&grid), &diffusivity, grid.cell_m[2]);
    let slot_us = conditions.scenario.puffs.slot_us();
    let (now_us, tick_us) = (clock.elapsed_us(), clock.tick_us());
    let began_us = now_us - tick_us;
    let slots = began_us / slot_us..now_us / slot_us;
    let dt_s = slot_us as f64 * 1e-6;
    let boundary = conditions.scenario.domain.boundary;
    let mut columns = tracers.columns();
    let mut list: Vec<_> = emitters.iter_mut().collect();
    list.sort_by_key(|(emitter, _)| emitter.source);
    state.fates.resize(releases.list.len(), super::Fate::default());
    for (emitter, puffs) in &mut list {
        let puffs = &mut **puffs;
        let mut counted_us = began_us;
        let rates: Vec<f64> = emitter.given().map(|rate| if puffs.into_cells { 0.0 } else { rate }).collect();
        if puffs.is_empty() && rates.iter().all(|rate| *rate <= 0.0) && puffs.pending_kg.iter().all(|mass| *mass == 0.0) {
            continue;
        }
        for slot in slots.clone() {
            let end_us = (slot + 1) * slot_us;
            advance(puffs, &air, dt_s, workers.simd);
            for (pending, rate) in puffs.pending_kg.iter_mut().zip(&rates) {
                *pending += rate * (end_us - counted_us) as f64 * 1e-6;
            }
            counted_us = end_us;
            fade(emitter, puffs, &releases, &mut state, dt_s);
            // where a moving source is in the middle of the slot, and how fast it moves
            let place = |at_us: u64| {
                let at_s = clock.now_s() - (now_us as f64 - at_us as f64) * 1e-6;
                conditions.scenario.emitters.get(emitter.source).map_or(emitter.at_m, |entry| emitter.place_m(&entry.path, at_s))
            };
            let (from_m, to_m) = (place(end_us - slot_us), place(end_us));
            let motion = (place(end_us - slot_us / 2), (to_m - from_m) / dt_s);
            let buoyancy = buoyancy_flux_m4_s3(if emitter.warms { emitter.heat_w } else { 0.0 }, pressure.pa);
            if let Some(mut fresh) = released(emitter, puffs, &air, dt_s, motion, buoyancy) {
                // the middle of the slot is half a slot old
                advance(&mut fresh, &air, 0.5 * dt_s, workers.simd);
                fade(emitter, &mut fresh, &releases, &mut state, 0.5 * dt_s);
                puffs.append(fresh);
            }
            let gone = |puff: usize| boundary == Boundary::Open && outside(puffs, puff, &grid, &conditions);
            let lost: Vec<bool> = (0..puffs.len()).map(gone).collect();
            for (component, slot) in emitter.slots.iter().enumerate() {
                let left = (0..puffs.len()).filter(|puff| lost[*puff]).map(|puff| puffs.mass_kg[component][puff]);
                state.fates[*slot].left_kg += left.sum::<f64>();
            }
            puffs.retain(|puff| !lost[puff]);
            if conditions.scenario.fidelity == Fidelity::Field {
                let near = |puff: usize| {
                    let (low, high) = puffs.bounds_m(puff);
                    let carried_at = puffs.law.carried_at(puffs.z_m[puff], puffs.depth[puff]);
                    let way = air.wind_at(DVec3::new(puffs.x_m[puff], puffs.y_m[puff], carried_at)).abs() * dt_s * WALL_SLOTS;
                    at_a_wall(&grid, &solids, boundary, low - way, high + way)
                };
                let near: Vec<bool> = (0..puffs.len()).map(near).collect();
                hand_over(emitter, puffs, &grid, &solids, &mut releases, &mut columns, |puff| near[puff]);
            }
        }
        for (pending, rate) in puffs.pending_kg.iter_mut().zip(&rates) {
            *pending += rate * (now_us - counted_us) as f64 * 1e-6;
        }
        // the grid may be changed only while it stands at the present
        if state.waiting_s == 0.0 && conditions.scenario.fidelity == Fidelity::Field {
            let wide = RIPE_CELLS * grid.cell_m[0].max(grid.cell_m[1]);
            let ripe = |puff: usize| {
                let (across, up) = puffs.sigma_m(puff);
                let height_m = puffs.law.mean_height(puffs.z_m[puff], puffs.depth[puff]);
                let here = air.at(DVec3::new(puffs.x_m[puff], puffs.y_m[puff], height_m));
                let next = |after_s: f64| lateral_variance_m2(here.sigma_v, puffs.age_s[puff] + after_s);
                let as_fast = here.sigma_v <= 0.0 || next(1.0) - next(0.0) >= 2.0 * here.y;
                puffs.age_s[puff] > OLDEST_S || (across >= wide && up >= RIPE_CELLS * grid.cell_m[2] && as_fast)
            };
            let ripe: Vec<bool> = (0..puffs.len()).map(ripe).collect();
            hand_over(emitter, puffs, &grid, &solids, &mut releases, &mut columns, |puff| ripe[puff]);
        }
        puffs.sort_into_bins();
    }
}

/// Whether releases become puffs: something spreads them, or there are no cells to take them.
#[must_use]
pub fn in_puffs(conditions: &Conditions) -> bool {
    let spreads = match conditions.scenario.turbulence {
        Turbulence::Mean | Turbulence::Ensemble | Turbulence::Resolved | Turbulence::Les { subgrid: Subgrid::Vreman, .. } => true,
        Turbulence::Given { k_m2_s: (x, y, z) } => x.get().min(y.get()).min(z.get()) > 0.0,
        Turbulence::Laminar | Turbulence::Les { subgrid: Subgrid::None, .. } => false,
    };
    spreads || conditions.scenario.fidelity == Fidelity::Plume
}

/// The shape of puffs along the vertical in a scenario's turbulence.
#[must_use]
pub const fn vertical_law(turbulence: Turbulence) -> VerticalLaw {
    match turbulence {
        Turbulence::Mean | Turbulence::Ensemble | Turbulence::Resolved | Turbulence::Les { subgrid: Subgrid::Vreman, .. } => {
            VerticalLaw::Proportional
        }
        Turbulence::Given { .. } | Turbulence::Laminar | Turbulence::Les { subgrid: Subgrid::None, .. } => VerticalLaw::Gaussian,
    }
}

/// What is pending as puffs, one for each element of the source, which stands at `at_m` and moves with `velocity_m_s`.
fn released(
    emitter: &EmitterNode,
    puffs: &mut Puffs,
    air: &PuffAir<'_>,
    dt_s: f64,
    (at_m, velocity_m_s): (DVec3, DVec3),
    buoyancy_m4_s3: f64,
) -> Option<Puffs> {
    if puffs.pending_kg.iter().all(|mass| *mass <= 0.0) {
        return None;
    }
    let masses: Vec<f64> = puffs.pending_kg.iter_mut().map(std::mem::take).collect();
    let share = 1.0 / emitter.elements.len() as f64;
    let mut fresh = Puffs::new(puffs.law, masses.len());
    for element in &emitter.elements {
        let at_m = at_m + element.offset_m;
        let stretch = STRETCH * dt_s * (air.wind_at(at_m) - velocity_m_s);
        let puff = NewPuff {
            at_m,
            across_m2: [
                element.across_m2[0] + stretch.x * stretch.x,
                element.across_m2[1] + stretch.y * stretch.y,
                element.across_m2[2] + stretch.x * stretch.y,
            ],
            sigma_z_m: element.sigma_z_m,
            buoyancy_m4_s3,
        };
        fresh.push(&puff, masses.iter().map(|mass| mass * share));
    }
    Some(fresh)
}

/// Decay, deposition and settling onto the ground; products come before what makes them.
fn fade(emitter: &EmitterNode, puffs: &mut Puffs, releases: &Releases, state: &mut TransportState, dt_s: f64) {
    for (component, slot) in emitter.slots.iter().enumerate().rev() {
        let release = &releases.list[*slot];
        let onto_ground = release.deposition_m_s + release.settling_m_s;
        if release.decay_per_s <= 0.0 && onto_ground <= 0.0 {
            continue;
        }
        let product = release.turns_into.and_then(|(slot, share)| Some((emitter.slots.iter().position(|s| *s == slot)?, slot, share)));
        for puff in 0..puffs.len() {
            let mass = puffs.mass_kg[component][puff];
            if mass <= 0.0 {
                continue;
            }
            let at_ground = if onto_ground > 0.0 { puffs.law.density(puffs.z_m[puff], puffs.depth[puff], 0.0) } else { 0.0 };
            let (taken, lost) = (onto_ground * at_ground, release.decay_per_s);
            let rate = taken + lost;
            if rate <= 0.0 {
                continue;
            }
            let gone = -mass * libm::expm1(-rate * dt_s);
            let reacted = gone * lost / rate;
            puffs.mass_kg[component][puff] -= gone;
            state.fates[*slot].deposited_kg += gone - reacted;
            let Some((other, other_slot, mass_yield)) = product else {
                state.fates[*slot].reacted_kg += reacted;
                continue;
            };
            let gain = mass * mass_yield * lost * met(rate, releases.list[other_slot].decay_per_s, dt_s);
            puffs.mass_kg[other][puff] += gain;
            state.fates[other_slot].reacted_kg += mass_yield * reacted - gain;
            state.fates[*slot].reacted_kg += (1.0 - mass_yield) * reacted;
        }
    }
}

/// Whether a puff has left: its centre in `Field`, all of it in `Plume`.
fn outside(puffs: &Puffs, puff: usize, grid: &Grid, conditions: &Conditions) -> bool {
    let end = grid.size_m();
    let (low, high) = match conditions.scenario.fidelity {
        Fidelity::Plume => puffs.bounds_m(puff),
        Fidelity::Field => {
            let centre = DVec3::new(puffs.x_m[puff], puffs.y_m[puff], puffs.law.mean_height(puffs.z_m[puff], puffs.depth[puff]));
            (centre, centre)
        }
    };
    high.x < 0.0 || high.y < 0.0 || low.x > end.x || low.y > end.y || low.z > end.z
}

/// Whether something that a puff must not reach lies in the box between two corners: a solid cell, or a side of a domain that is
/// not open, where the cells know what to do and a puff does not.
pub(super) fn at_a_wall(grid: &Grid, solids: &Solids, boundary: Boundary, low: DVec3, high: DVec3) -> bool {
    let end = grid.size_m();
    let beyond = low.x < 0.0 || low.y < 0.0 || high.x > end.x || high.y > end.y || (boundary == Boundary::Closed && high.z > end.z);
    (boundary != Boundary::Open && beyond) || solids.any_between(grid, low - grid.cell(), high + grid.cell())
}

/// Adds to a cell and tells how much of it arrived: a small part of a full cell is rounded.
#[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
pub(super) fn add(cell: &mut f32, density: f64) -> f64 {
    let before = *cell;
    *cell = (f64::from(before) + density) as f32;
    f64::from(*cell) - f64::from(before)
}

/// Puts the puffs for which `ready` holds into the cells, with all their mass.
fn hand_over(
    emitter: &EmitterNode,
    puffs: &mut Puffs,
    grid: &Grid,
    solids: &Solids,
    releases: &mut Releases,
    columns: &mut [&mut [f32]],
    ready: impl Fn(usize) -> bool,
) {
    for puff in (0..puffs.len()).filter(|puff| ready(*puff)) {
        let shares = Shares::of(puffs, puff, grid, solids);
        for (component, slot) in emitter.slots.iter().enumerate() {
            let mass = puffs.mass_kg[component][puff];
            if mass > 0.0 {
                releases.list[*slot].live = true;
                let density = (mass + puffs.remainder_kg[component]) / grid.cell_volume_m3();
                let mut left = density;
                shares.each_row(grid, |cells, share, row| {
                    for (cell, weight) in columns[*slot][cells].iter_mut().zip(row) {
                        left -= add(cell, density * share * weight);
                    }
                });
                puffs.remainder_kg[component] = left * grid.cell_volume_m3();
            }
        }
    }
    puffs.retain(|puff| !ready(puff));
}

/// The share of a puff that each cell gets; all shares add up to one.
enum Shares {
    /// As wide as it is, times as deep as it is: cells along x, y and z, the shares of columns (x fastest) and of levels.
    Wide([std::ops::Range<usize>; 3], Vec<f64>, Vec<f64>),
    /// Cell by cell, where walls are near or the puff is thinner than the cells.
    Cells(Vec<(usize, f64)>),
}

impl Shares {
    fn of(puffs: &Puffs, puff: usize, grid: &Grid, solids: &Solids) -> Self {
        let (low, high) = puffs.bounds_m(puff);
        let (across, up) = puffs.sigma_m(puff);
        let ranges = grid.ranges_between(low, high);
        let [x, y, z] = ranges.clone();
        let level = |k: usize| puffs.law.density(puffs.z_m[puff], puffs.depth[puff], grid.centre(0, 0, k).z);
        let mut levels: Vec<f64> = z.map(level).collect();
        let column = |(i, j): (usize, usize)| {
            let centre = grid.centre(i, j, 0);
            puffs.across_per_m2(puff, centre.x, centre.y)
        };
        let columns: Vec<f64> = y.flat_map(|j| x.clone().map(move |i| (i, j))).map(column).collect();
        let whole = columns.iter().sum::<f64>() * levels.iter().sum::<f64>();
        // a puff that is thinner than the cells is where its centre is
        let height = puffs.law.mean_height(puffs.z_m[puff], puffs.depth[puff]);
        let centre = DVec3::new(puffs.x_m[puff], puffs.y_m[puff], height).clamp(DVec3::ZERO, grid.size_m());
        if whole <= 0.0 || across < grid.cell_m[0].max(grid.cell_m[1]) || up < grid.cell_m[2] {
            return Self::Cells(solids.weights_nearby(grid, centre));
        }
        for level in &mut levels {
            *level /= whole;
        }
        let wide = Self::Wide(ranges, columns, levels);
        if !solids.any() {
            return wide;
        }
        let mut cells = Vec::new();
        wide.each_row(grid, |row, share, weights| {
            cells.extend(row.zip(weights).filter(|(cell, _)| !solids.is_solid(*cell)).map(|(cell, weight)| (cell, weight * share)));
        });
        let air: f64 = cells.iter().map(|(_, share)| share).sum();
        if air <= 0.0 {
            return Self::Cells(solids.weights_nearby(grid, centre));
        }
        cells.retain(|(_, share)| *share > 0.0);
        for (_, share) in &mut cells {
            *share /= air;
        }
        Self::Cells(cells)
    }

    /// Calls `each` with the cells of every row, the share of its level, and the shares within it.
    fn each_row(&self, grid: &Grid, mut each: impl FnMut(std::ops::Range<usize>, f64, &[f64])) {
        match self {
            Self::Wide([x, y, z], columns, levels) => {
                for (k, level) in z.clone().zip(levels) {
                    for (j, row) in y.clone().zip(columns.chunks(x.len().max(1))) {
                        let from = grid.index(x.start, j, k);
                        each(from..from + x.len(), *level, row);
                    }
                }
            }
            Self::Cells(cells) => cells.iter().for_each(|(cell, share)| each(*cell..*cell + 1, 1.0, &[*share])),
        }
    }
}
