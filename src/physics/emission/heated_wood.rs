//! Wood that a body or radiation heats through its face, until it catches fire.
//!
//! The heated spot is a [`HeatedLayer`](super::heated_layer::HeatedLayer). With a pilot (a spark is never far from a bad joint) it ignites once the gas that can burn leaves it faster than
//! 2.5 g m⁻² s⁻¹ or its face reaches 350 °C (Drysdale, *An Introduction to Fire Dynamics*, 2011, ch. 6); from then on the rest of the piece burns as
//! `heated_by: Ignited(…)` has it, and the gas of the spot burns in its flame. What it takes from a body is missing there in the tick after.
//! A face that touches a body is taken to get as much air as an open one. Left out: flames that heat the spot in turn, fire that dies, wood that lights other wood.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::heated_layer::{Exposure, HeatedLayer};
use super::smouldering_wood::{Heat, SmoulderingWood, on_the_way};
use super::wood::{PARTS, mass_left};
use crate::units::{Percent, kelvin};
use crate::world::air::{AirTemperature, WindField};
use crate::world::body::Bodies;
use crate::world::emitter::EmitterNode;
use crate::world::field::Field;
use crate::world::{Clock, Grid};

/// What a heated piece releases: its parts, burnt char, and the fire of its rest.
pub(super) const COMPONENTS: usize = PARTS.len() + 2;
/// Gas that can burn must leave a face this fast to ignite, kg m⁻² s⁻¹.
const IGNITES_KG_M2_S: f64 = 2.5e-3;
/// Or the face be this hot, °C.
const IGNITES_C: f64 = 350.0;
/// Nothing burns with a flame below this volume fraction of oxygen, percent: limiting oxygen index of wood in still air, Drysdale, ch. 3.
const BURNS_ABOVE_PCT: f64 = 16.0;
/// Heat transfer of a level hot face in still air, W m⁻² K⁻¹: Janssens, *SFPE Handbook*, 2016, ch. 27, gives 10 to 15 for a cone calorimeter.
const STILL_W_M2_K: f64 = 10.0;
/// And of any face in a wind, W m⁻² K⁻¹ and J m⁻³ K⁻¹: `McAdams`, *Heat Transmission*, 1954.
const WINDY: (f64, f64) = (5.7, 3.8);
/// Mass of oxygen over that of air for the same volume.
const OXYGEN_TO_AIR: f64 = 31.998 / 28.964;

/// What has become of the wood.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatedWood {
    /// The spot that is heated; empty before the first tick.
    pub layer: HeatedLayer,
    /// When it caught fire, seconds from the scenario's start.
    pub ignited_s: Option<f64>,
}

/// What it does in this tick, for the emitter to tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Now {
    pub(super) rates_kg_s: [f64; COMPONENTS],
    pub(super) heat_w: f64,
    pub(super) ignited_s: Option<f64>,
}

/// Heats every piece over this tick.
pub(super) fn heat_wood(
    (clock, grid): (Res<Clock>, Res<Grid>),
    temperature: Field<AirTemperature>,
    wind: WindField,
    mut bodies: ResMut<Bodies>,
    mut woods: Query<(&mut SmoulderingWood, &mut HeatedWood, &EmitterNode)>,
) -> Result<(), BevyError> {
    if woods.iter().all(|(wood, ..)| wood.heated_spot().is_none()) {
        return Ok(());
    }
    bodies.drawn_w.fill(0.0);
    let mut list: Vec<_> = woods.iter_mut().collect();
    list.sort_by_key(|(_, _, node)| node.source);
    let (from_s, to_s, dt_s) = (clock.began_s(), clock.now_s(), clock.tick_s());
    for (wood, state, node) in &mut list {
        let Some((stuff, area_m2)) = wood.heated_spot() else { continue };
        let air_k = grid.weights(node.at_m).mean(temperature.as_slice());
        if state.layer.kelvin.is_empty() {
            state.layer = HeatedLayer::fresh(&stuff, air_k);
        }
        let wind_m_s = wind.at(&grid, node.at_m).length();
        let still = Exposure {
            irradiance_w_m2: 0.0,
            contact: None,
            air_k,
            transfer_w_m2_k: (WINDY.0 + WINDY.1 * wind_m_s).max(STILL_W_M2_K),
            oxygen: 0.0,
            insulated: false,
        };
        let (exposure, oxygen_pct) = match &wood.heated_by {
            Heat::Body { conductance_w_m2_k, .. } => {
                let body_k = node.heated_by.and_then(|body| bodies.kelvin.get(body)).copied().unwrap_or(air_k);
                (Exposure { contact: Some((conductance_w_m2_k.get(), body_k)), ..still }, AIR_OXYGEN_PCT)
            }
            Heat::Radiant { history, oxygen_pct, insulated } => {
                let flux_kw_m2 = on_the_way(history, f64::midpoint(from_s, to_s));
                (
                    Exposure { irradiance_w_m2: 1e3 * flux_kw_m2, insulated: *insulated, ..still },
                    oxygen_pct.map_or(AIR_OXYGEN_PCT, Percent::get),
                )
            }
            Heat::Ignited { .. } | Heat::Warmed { .. } => continue,
        };
        let exposure = Exposure { oxygen: 0.01 * oxygen_pct * OXYGEN_TO_AIR, ..exposure };
        let given = state.layer.advance(&stuff, &exposure, dt_s).ok_or_else(|| format!("wood `{}` finds no temperature", node.id))?;
        if let Some(body) = node.heated_by.filter(|body| *body < bodies.drawn_w.len()) {
            bodies.drawn_w[body] += given.drawn_j_m2 * area_m2 / dt_s;
        }
        let burns = given.fuel_kg_m2() / dt_s >= IGNITES_KG_M2_S || state.layer.face_k(&stuff) >= kelvin(IGNITES_C);
        if state.ignited_s.is_none() && wood.pilot && oxygen_pct >= BURNS_ABOVE_PCT && burns {
            state.ignited_s = Some(to_s);
        }
        let mut now = Now { ignited_s: state.ignited_s, ..Now::default() };
        for (rate, part) in now.rates_kg_s.iter_mut().zip(given.parts_kg_m2.iter().chain([&given.glowed_kg_m2])) {
            *rate = part * area_m2 / dt_s;
        }
        let rest_kg = wood.mass_kg.get() - area_m2 * stuff.thickness_m * stuff.density_kg_m3;
        let left = |at_s: f64| state.ignited_s.map_or(1.0, |since_s| mass_left(wood.rate_per_s, wood.growth_s, at_s - since_s));
        now.rates_kg_s[COMPONENTS - 1] = rest_kg.max(0.0) * (left(from_s) - left(to_s)) / dt_s;
        if state.ignited_s.is_some() {
            // all that leaves the spot but its moisture
            let fuel_kg_s: f64 = now.rates_kg_s[1..PARTS.len()].iter_mut().map(std::mem::take).sum();
            now.rates_kg_s[COMPONENTS - 1] += fuel_kg_s;
        }
        // a face colder than the air cools it too little to follow
        now.heat_w = (given.convected_j_m2 * area_m2 / dt_s).max(0.0);
        wood.now = now;
    }
    Ok(())
}

/// Oxygen in air, percent by volume: ISO 2533.
const AIR_OXYGEN_PCT: f64 = 20.95;
