//! Overhead lines warm: the balance of `ieee738` on every cell of a phase, joined along it by `rod`.
//!
//! A joint is a cell with its own diameter and surface, and the heat of its extra resistance. The air about a cell is that of the
//! weather and the mean or resolved wind at its place; cloud dims the sun, obstacles shade it. In its first tick a line takes
//! the temperature it would have in the end. Sources: IEEE Std 738-2012; amendment of the joint: two infinite fins.
//! With `air_heat: All` what it gives to the air warms it, a tick later. Left out: the neighbours' radiation, skin effect of the sleeve.

use bevy_ecs::prelude::*;

use super::GroundAir;
use super::fire::{FireAir, of_fires};
use super::ieee738::{AirAround, Skin, convected_w_m, loss_w_m, sun_w_m};
use crate::files::conductor::{Conductor, Conductors};
use crate::files::material::Materials;
use crate::files::scenario::{AirHeat, Scenario};
use crate::numerics::rod::{conductances_w_k, warm};
use crate::units::{NonNegative, celsius, kelvin};
use crate::world::air::{GroundPressure, WindField};
use crate::world::body::Bodies;
use crate::world::heat::{Flames, HeatSources};
use crate::world::lines::{HeatRates, LineCell, PhaseNode};
use crate::world::sky::Sky;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, SiteInfo};
use crate::world::sun::{Sun, clear_sky_w_m2};
use crate::world::timeline::scripted;
use crate::world::{Clock, Grid};

/// The tables that lines and their joints are made from.
#[derive(Resource, Clone, Debug)]
pub(super) struct LineTables {
    pub(super) conductors: Conductors,
    pub(super) materials: Materials,
}

impl Default for LineTables {
    fn default() -> Self {
        Self { conductors: Conductors::shipped(), materials: Materials::shipped() }
    }
}

/// A cell of a phase as the balance sees it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    skin: Skin,
    air: AirAround,
    /// Light of the sun and of fires on it, W.
    sun_w: f64,
    /// What touches it takes, W.
    drawn_w: f64,
    length_m: f64,
    extra_ohm: f64,
    /// Heat capacity, J/K.
    capacity_j_k: f64,
}

impl Piece {
    fn joule_w(&self, conductor: &Conductor, current_a: f64, temperature_c: f64) -> f64 {
        current_a * current_a * (conductor.resistance_ohm_m(temperature_c) * self.length_m + self.extra_ohm)
    }

    fn lost_w(&self, temperature_c: f64) -> f64 {
        loss_w_m(self.skin, self.air, temperature_c) * self.length_m
    }
}

/// Current in a line at a moment, ampere.
#[must_use]
pub fn load_a(conditions: &Conditions, line: usize, now_s: f64) -> f64 {
    let entry = &conditions.scenario.lines[line];
    let recorded = conditions.loads.get(line).and_then(Option::as_ref).map(|series| series.at(0, now_s));
    let base = recorded.unwrap_or_else(|| entry.load_a.map_or(0.0, NonNegative::get));
    scripted(&conditions.scenario.timeline, &format!("lines.{}.load_a", entry.id), base, now_s)
}

/// Lets every phase warm or cool over this tick.
pub(super) fn warm_lines(
    (conditions, clock, site, grid): (Res<Conditions>, Res<Clock>, Res<SiteInfo>, Res<Grid>),
    (tables, ground): (Res<LineTables>, Res<GroundAir>),
    (sky, solids, flames, pressure): (Res<Sky>, Res<Solids>, Res<Flames>, Res<GroundPressure>),
    wind: WindField,
    mut phases: Query<&mut PhaseNode>,
    mut bodies: ResMut<Bodies>,
    mut heat: ResMut<HeatSources>,
) -> Result<(), BevyError> {
    heat.0.clear();
    if phases.is_empty() {
        return Ok(());
    }
    let now_s = clock.now_s();
    let now = Sun::at(clock.utc_us(clock.elapsed_us()), site.latitude_deg, site.longitude_deg);
    let (sun, light, clear_w_m2) = (now.place_deg(), sky.light(&now), clear_sky_w_m2(now.sine));
    let lit = |at_m| if clear_w_m2 > 0.0 { light.at_w_m2(&grid, &solids, at_m, &now) / clear_w_m2 } else { 0.0 };
    bodies.resize(conditions.scenario.bodies.len(), ground.temperature_k);
    let fire_air = FireAir::new(ground.temperature_k, pressure.pa);
    let mut phases: Vec<_> = phases.iter_mut().collect();
    phases.sort_by(|a, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
    for phase in &mut phases {
        let entry = &conditions.scenario.lines[phase.line];
        let conductor = tables.conductors.get(&entry.conductor).ok_or_else(|| format!("no conductor is called `{}`", entry.conductor))?;
        let current_a = load_a(&conditions, phase.line, now_s);
        let drawn = |body: Option<usize>| body.map_or(0.0, |body| bodies.drawn_w[body]);
        let pieces = pieces((phase, &conditions.scenario), conductor, &tables.materials, drawn, |at_m, along| {
            let wind = wind.at(&grid, at_m);
            let speed = wind.length();
            let cosine = if speed > 0.0 { wind.dot(along) / speed } else { 0.0 };
            let (fire_w_m2, warmer_k) = of_fires(&flames, at_m, wind, fire_air);
            let temperature_c = celsius(ground.temperature_k + warmer_k);
            let air = AirAround { temperature_c, wind_m_s: speed, along: cosine, elevation_m: site.elevation_m + at_m.z };
            About { air, sun, light: lit(at_m), fire_w_m2 }
        })?;
        let dt_s = if phase.temperature_c.is_empty() { f64::INFINITY } else { clock.tick_s() };
        let phase = &mut **phase;
        phase.temperature_c.resize(pieces.len(), celsius(ground.temperature_k));
        let capacity: Vec<f64> = pieces.iter().map(|piece| piece.capacity_j_k).collect();
        let lengths: Vec<f64> = pieces.iter().map(|piece| piece.length_m).collect();
        let conductance = conductances_w_k(&lengths, |cell| phase.cells[cell].body.is_some(), conductor.axial_w_m_k.get());
        let gain =
            |i: usize, t: f64| pieces[i].joule_w(conductor, current_a, t) + pieces[i].sun_w - pieces[i].lost_w(t) - pieces[i].drawn_w;
        let before = phase.temperature_c.clone();
        if !warm(&mut phase.temperature_c, &capacity, &conductance, dt_s, gain) {
            return Err(format!("line `{}` finds no temperature for its current of {current_a} A", phase.id).into());
        }
        // what it would be without its faults, and without its current; what touches it takes heat of the fault
        let air_c = celsius(ground.temperature_k);
        let beside = |list: &mut Vec<f64>, wanted: bool, gain: &dyn Fn(usize, f64) -> f64| {
            list.resize(if wanted { pieces.len() } else { 0 }, air_c);
            if !wanted || warm(list, &capacity, &conductance, dt_s, gain) {
                Ok(())
            } else {
                Err(format!("line `{}` finds no temperature", phase.id))
            }
        };
        let sound = |i: usize, t: f64| {
            pieces[i].joule_w(conductor, current_a, t) - current_a * current_a * pieces[i].extra_ohm + pieces[i].sun_w - pieces[i].lost_w(t)
        };
        let idle = |i: usize, t: f64| pieces[i].sun_w - pieces[i].lost_w(t);
        beside(&mut phase.unheated_c, phase.cells.iter().any(|cell| cell.body.is_some()), &sound)?;
        beside(&mut phase.idle_c, conditions.scenario.events.iter().any(|event| event.members.contains(&entry.id)), &idle)?;
        let hottest_c = phase.temperature_c.iter().copied().fold(f64::MIN, f64::max);
        if hottest_c > conductor.melts_c.get() {
            return Err(format!("line `{}` melts: {hottest_c:.0} °C at {current_a} A", phase.id).into());
        }
        phase.heat = HeatRates::default();
        for (i, piece) in pieces.iter().enumerate() {
            let now = phase.temperature_c[i];
            phase.heat.joule_w += piece.joule_w(conductor, current_a, now);
            phase.heat.sun_w += piece.sun_w;
            phase.heat.lost_w += piece.lost_w(now) + piece.drawn_w;
            phase.heat.stored_w += capacity[i] * (now - before[i]) / dt_s;
            if conditions.scenario.air_heat == AirHeat::All {
                heat.0.push((phase.cells[i].at_m, convected_w_m(piece.skin, piece.air, now) * piece.length_m));
            }
            if let Some(body) = phase.cells[i].body {
                bodies.kelvin[body] = kelvin(now);
                bodies.at_m[body] = phase.cells[i].at_m;
                bodies.unheated_k[body] = kelvin(phase.unheated_c[i]);
            }
        }
    }
    Ok(())
}

/// What is about a cell.
struct About {
    air: AirAround,
    /// Altitude and azimuth of the sun, °.
    sun: (f64, f64),
    /// The share of a clear sky's light that meets it.
    light: f64,
    /// Radiation of fires on a surface that faces them.
    fire_w_m2: f64,
}

/// The cells of a phase with what is about them.
fn pieces(
    (phase, scenario): (&PhaseNode, &Scenario),
    conductor: &Conductor,
    materials: &Materials,
    drawn_w: impl Fn(Option<usize>) -> f64,
    about: impl Fn(glam::DVec3, glam::DVec3) -> About,
) -> Result<Vec<Piece>, String> {
    let bare =
        Skin { diameter_m: conductor.diameter_m.get(), emissivity: conductor.emissivity.get(), absorptivity: conductor.absorptivity.get() };
    let piece = |cell: &LineCell| -> Result<Piece, String> {
        let About { air, sun, light, fire_w_m2 } = about(cell.at_m, cell.along);
        let (mut skin, mut extra_ohm) = (bare, 0.0);
        if let Some(body) = cell.body.map(|body| &scenario.bodies[body]) {
            let material = materials.get(&body.material).ok_or_else(|| format!("no surface is called `{}`", body.material))?;
            let diameter_m = 2.0 * body.shape.half_m()[0];
            skin = Skin { diameter_m, emissivity: material.emissivity.get(), absorptivity: material.absorptivity() };
            extra_ohm = body.extra_resistance_ohm.map_or(0.0, NonNegative::get);
        }
        let azimuth_deg = libm::atan2(cell.along.x, cell.along.y).to_degrees();
        // a joint is as much metal as its cross-section
        let metal = skin.diameter_m * skin.diameter_m / (bare.diameter_m * bare.diameter_m);
        Ok(Piece {
            skin,
            air,
            drawn_w: drawn_w(cell.body),
            sun_w: (light * sun_w_m(skin, sun, azimuth_deg, air.elevation_m) + fire_w_m2 * skin.emissivity * skin.diameter_m)
                * cell.length_m,
            length_m: cell.length_m,
            extra_ohm,
            capacity_j_k: conductor.heat_capacity_j_m_k.get() * metal * cell.length_m,
        })
    };
    phase.cells.iter().map(piece).collect()
}
