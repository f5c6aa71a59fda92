//! Free bodies warm: one temperature each, as given or from the balance of its own heat, sun, sky, ground and wind.
//!
//! `C dT/dt = P + α (S_b A/4 + D A/2) − h A (T − T_air) − ε A (σ T⁴ − (L + σ T_air⁴)/2)`: a quarter of a convex body's surface
//! faces the sun or a fire in the mean over its directions (Cauchy), half of it the sky, the other half ground as warm as the air. `h` is the larger of
//! forced convection around a ball of the same surface (Whitaker, *`AIChE` J.* 18, 1972) and free convection (Churchill, in *Heat
//! Exchanger Design Handbook*, 1983). Implicit Euler; in its first tick a body has the temperature it would have in the end.
//! With `air_heat: All` what it gives to the air warms it, a tick later. Left out: gradients within a body, what stands beside it.

use bevy_ecs::prelude::*;

use super::GroundAir;
use super::fire::{FireAir, of_fires};
use super::ieee738::air_properties;
use super::lines::LineTables;
use super::transformer;
use crate::files::body::BodyEntry;
use crate::files::scenario::AirHeat;
use crate::numerics::rod::warm;
use crate::units::{GRAVITY_M_S2, NonNegative, STEFAN_BOLTZMANN_W_M2_K4, celsius, kelvin};
use crate::world::air::{GroundPressure, WindField};
use crate::world::body::{Bodies, pose};
use crate::world::heat::{Flames, HeatSources};
use crate::world::sky::Sky;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, SiteInfo};
use crate::world::sun::Sun;
use crate::world::timeline::scripted;
use crate::world::{Clock, Grid};

/// Prandtl number of air.
const PRANDTL: f64 = 0.71;

/// What heats and cools a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// Air temperature, K.
    pub air_k: f64,
    /// Wind speed, m s⁻¹.
    pub wind_m_s: f64,
    /// Above mean sea level, m.
    pub elevation_m: f64,
    /// Sunlight on a surface that faces the sun, W m⁻².
    pub beam_w_m2: f64,
    /// Sunlight from the sky on a level surface, W m⁻².
    pub diffuse_w_m2: f64,
    /// Long-wave irradiance from the sky, W m⁻².
    pub longwave_w_m2: f64,
    /// Radiation of fires on a surface that faces them, W m⁻².
    pub fire_w_m2: f64,
}

/// A body as its balance sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lump {
    /// Surface, m².
    pub area_m2: f64,
    /// Long-wave emissivity.
    pub emissivity: f64,
    /// Absorptivity for sunlight.
    pub absorptivity: f64,
    /// Heat that is set free in it, W.
    pub heat_w: f64,
}

/// Coefficient of heat transfer of a body of this surface, W m⁻² K⁻¹.
#[must_use]
pub fn transfer_w_m2_k(area_m2: f64, around: &Around, body_k: f64) -> f64 {
    let film_k = f64::midpoint(body_k, around.air_k);
    let [density, viscosity, conductivity] = air_properties(celsius(film_k), around.elevation_m);
    let diameter_m = (area_m2 / std::f64::consts::PI).sqrt();
    let kinematic = viscosity / density;
    let reynolds = around.wind_m_s * diameter_m / kinematic;
    let forced = 2.0 + (0.4 * reynolds.sqrt() + 0.06 * libm::pow(reynolds, 2.0 / 3.0)) * libm::pow(PRANDTL, 0.4);
    let rayleigh = GRAVITY_M_S2 * (body_k - around.air_k).abs() / film_k * diameter_m.powi(3) / (kinematic * kinematic) * PRANDTL;
    let free = 2.0 + 0.589 * rayleigh.sqrt().sqrt() / libm::pow(1.0 + libm::pow(0.469 / PRANDTL, 9.0 / 16.0), 4.0 / 9.0);
    forced.max(free) * conductivity / diameter_m
}

/// Heat into a body at a temperature, W.
#[must_use]
pub fn gain_w(lump: &Lump, around: &Around, body_k: f64) -> f64 {
    let black = |t: f64| STEFAN_BOLTZMANN_W_M2_K4 * t.powi(4);
    let sun = lump.absorptivity * lump.area_m2 * (0.25 * around.beam_w_m2 + 0.5 * around.diffuse_w_m2);
    let convected = transfer_w_m2_k(lump.area_m2, around, body_k) * lump.area_m2 * (body_k - around.air_k);
    let incoming = f64::midpoint(around.longwave_w_m2, black(around.air_k));
    let fire = lump.emissivity * lump.area_m2 * 0.25 * around.fire_w_m2;
    lump.heat_w + sun + fire - convected - lump.emissivity * lump.area_m2 * (black(body_k) - incoming)
}

/// Moves every free body and lets it warm or cool over this tick.
pub(super) fn warm_bodies(
    (conditions, clock, site, grid): (Res<Conditions>, Res<Clock>, Res<SiteInfo>, Res<Grid>),
    (tables, ground): (Res<LineTables>, Res<GroundAir>),
    (sky, solids, flames, pressure): (Res<Sky>, Res<Solids>, Res<Flames>, Res<GroundPressure>),
    wind: WindField,
    mut bodies: ResMut<Bodies>,
    mut heat: ResMut<HeatSources>,
) -> Result<(), BevyError> {
    let entries = &conditions.scenario.bodies;
    if entries.is_empty() {
        return Ok(());
    }
    let begun = bodies.kelvin.len() == entries.len() && clock.tick() > 1;
    bodies.resize(entries.len(), ground.temperature_k);
    let now_s = clock.now_s();
    let sun = Sun::at(clock.utc_us(clock.elapsed_us()), site.latitude_deg, site.longitude_deg);
    let light = sky.light(&sun);
    for (n, body) in entries.iter().enumerate() {
        let Some((at_m, _)) = pose(body, now_s) else { continue };
        bodies.at_m[n] = at_m;
        let (area_m2, volume_m3) = body.shape.surface_and_volume();
        let lit = !solids.block(&grid, at_m, sun.towards);
        let here = wind.at(&grid, at_m);
        let (fire_w_m2, warmer_k) = of_fires(&flames, at_m, here, FireAir::new(ground.temperature_k, pressure.pa));
        let around = Around {
            air_k: ground.temperature_k + warmer_k,
            wind_m_s: here.length(),
            elevation_m: site.elevation_m + at_m.z,
            beam_w_m2: if lit { light.beam_w_m2(&sun) } else { 0.0 },
            diffuse_w_m2: light.diffuse_w_m2,
            longwave_w_m2: sky.longwave_w_m2,
            fire_w_m2,
        };
        let mut warm_air = |body_k: f64| {
            if conditions.scenario.air_heat == AirHeat::All {
                heat.0.push((at_m, transfer_w_m2_k(area_m2, &around, body_k) * area_m2 * (body_k - around.air_k)));
            }
        };
        if let Some(given) = body.temperature_c {
            bodies.unheated_k[n] = ground.temperature_k;
            bodies.kelvin[n] = kelvin(set(&conditions, body, "temperature_c", given.get(), now_s));
            warm_air(bodies.kelvin[n]);
            continue;
        }
        if let Some(transformer) = &body.transformer {
            let load = set(&conditions, body, "load_pu", transformer.load_pu.get(), now_s);
            let dt_s = if begun { clock.tick_s() } else { f64::INFINITY };
            let [loaded, rated] = &mut bodies.oil[n];
            *loaded = transformer::after(transformer, *loaded, load, dt_s);
            *rated = transformer::after(transformer, *rated, load.min(1.0), dt_s);
            let (loaded, rated) = (*loaded, *rated);
            bodies.top_oil_k[n] = around.air_k + loaded.top_oil_k;
            bodies.hot_spot_k[n] = bodies.top_oil_k[n] + loaded.hot_spot_k;
            bodies.kelvin[n] = around.air_k + transformer::SKIN * loaded.top_oil_k;
            bodies.unheated_k[n] = around.air_k + transformer::SKIN * rated.top_oil_k;
            warm_air(bodies.kelvin[n]);
            continue;
        }
        let material = tables.materials.get(&body.material).ok_or_else(|| format!("no surface is called `{}`", body.material))?;
        let filled = material.heat_capacity_j_m3_k().map(|each| each * volume_m3);
        let capacity = body.heat_capacity_j_k.map(crate::units::Positive::get).or(filled);
        let capacity = capacity.ok_or_else(|| format!("`{}` has no heat capacity", body.id))?;
        let lump = |heat_w| Lump { area_m2, emissivity: material.emissivity.get(), absorptivity: material.absorptivity(), heat_w };
        let own_w = set(&conditions, body, "heat_w", body.heat_w.map_or(0.0, NonNegative::get), now_s);
        let heated = lump(own_w - bodies.drawn_w[n]);
        let dt_s = if begun { clock.tick_s() } else { f64::INFINITY };
        let after = |lump: &Lump, from_k: f64, dt_s: f64| {
            let mut now = [from_k];
            warm(&mut now, &[capacity], &[], dt_s, |_, t| gain_w(lump, &around, t)).then_some(now[0])
        };
        let settled = after(&heated, bodies.kelvin[n], dt_s).zip(after(&lump(0.0), bodies.unheated_k[n], dt_s));
        (bodies.kelvin[n], bodies.unheated_k[n]) = settled.ok_or_else(|| format!("body `{}` finds no temperature", body.id))?;
        warm_air(bodies.kelvin[n]);
    }
    for (n, _) in entries.iter().enumerate().filter(|(_, body)| body.transformer.is_none()) {
        (bodies.top_oil_k[n], bodies.hot_spot_k[n]) = (bodies.kelvin[n], bodies.kelvin[n]);
    }
    Ok(())
}

/// What the timeline makes of a number of a body.
fn set(conditions: &Conditions, body: &BodyEntry, name: &str, base: f64, now_s: f64) -> f64 {
    scripted(&conditions.scenario.timeline, &format!("bodies.{}.{name}", body.id), base, now_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Around =
        Around { air_k: 293.15, wind_m_s: 0.0, elevation_m: 0.0, beam_w_m2: 0.0, diffuse_w_m2: 0.0, longwave_w_m2: 418.8, fire_w_m2: 0.0 };

    #[test]
    fn a_ball_loses_heat_as_published_correlations_say() {
        // air at 20 °C, a ball of 10 cm: Nu 2 + 0.4 · 182.2 · 0.872 + … at 5 m/s
        let area = std::f64::consts::PI * 0.01;
        let windy = transfer_w_m2_k(area, &Around { wind_m_s: 5.0, ..STILL }, 293.15);
        let reynolds: f64 = 5.0 * 0.1 / 1.508e-5;
        let nusselt = 2.0 + (0.4 * reynolds.sqrt() + 0.06 * reynolds.powf(2.0 / 3.0)) * 0.71f64.powf(0.4);
        assert!((windy / (nusselt * 0.02573 / 0.1) - 1.0).abs() < 0.02, "{windy}");
        // 20 K over the air: Ra 1.8e6, Nu 18.6
        let still = transfer_w_m2_k(area, &STILL, 313.15);
        assert!((still / 4.94 - 1.0).abs() < 0.01, "{still}");
    }

    #[test]
    fn heat_sun_and_sky_each_count_by_their_share_of_the_surface() {
        let lump = Lump { area_m2: 0.2, emissivity: 0.9, absorptivity: 0.6, heat_w: 3.0 };
        let even = Around { longwave_w_m2: STEFAN_BOLTZMANN_W_M2_K4 * 293.15f64.powi(4), ..STILL };
        assert!((gain_w(&lump, &even, 293.15) - 3.0).abs() < 1e-9);
        let sunny = Around { beam_w_m2: 800.0, diffuse_w_m2: 100.0, ..even };
        assert!((gain_w(&lump, &sunny, 293.15) - 3.0 - 0.6 * 0.2 * (200.0 + 50.0)).abs() < 1e-9);
        let clear = Around { longwave_w_m2: even.longwave_w_m2 - 100.0, ..even };
        assert!((gain_w(&lump, &clear, 293.15) - 3.0 + 0.9 * 0.2 * 50.0).abs() < 1e-9);
    }
}
