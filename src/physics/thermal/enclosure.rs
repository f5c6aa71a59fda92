//! Temperatures of a unit's housing and of the board in it: two heat capacities.
//!
//! `C_b dT_b/dt = P − (T_b − T_e)/R` and
//! `C_e dT_e/dt = (T_b − T_e)/R − h(U) A (T_e − T_air) + α A_p S − ε A_sky (σ T_e⁴ − L)`
//! with S the global irradiance and L what the sky radiates. Stepped by the implicit midpoint rule, second order in constant
//! surroundings (those of the end of a tick hold for all of it) and stable for any tick, so that what comes in less what goes out is what is stored; in its first tick a unit has the temperature it would reach in
//! the end. Obstacles shade the sun, not the sky. Source: reference of the sensors, section 15; h after `McAdams`, *Heat Transmission*, 1954, ch. 10. Left out:
//! light from the ground, rain, power that follows the duty cycle. Checked by: the tests below, `tests/verification/sky.rs`.

use bevy_ecs::prelude::*;

use super::GroundAir;
use crate::files::product::EnclosureParts;
use crate::units::STEFAN_BOLTZMANN_W_M2_K4;
use crate::world::air::WindField;
use crate::world::enclosure::{Enclosure, EnclosureState, EnclosureTemperatures};
use crate::world::sky::Sky;
use crate::world::solid::Solids;
use crate::world::spawn::SiteInfo;
use crate::world::sun::Sun;
use crate::world::{Clock, Grid};

/// Changes of temperature below this end the search for it, K.
const CLOSE_K: f64 = 1e-10;
/// A tick is cut into no more parts than this.
const MOST_PARTS: f64 = 1000.0;
/// Newton's method needs three or four steps, more where radiation is most of what a housing loses.
const MOST_STEPS: usize = 100;

/// What heats and cools a housing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// Air temperature, K.
    pub air_k: f64,
    /// Wind speed, m s⁻¹.
    pub wind_m_s: f64,
    /// Global horizontal irradiance, W m⁻².
    pub sun_w_m2: f64,
    /// Long-wave irradiance from the sky, W m⁻².
    pub longwave_w_m2: f64,
    /// Electrical power, W.
    pub power_w: f64,
}

/// Coefficient of heat transfer of a flat plate in a wind, W m⁻² K⁻¹: `5.7 + 3.8 U` up to 5 m/s, then `6.47 U^0.78` where that is more.
#[must_use]
pub fn transfer_w_m2_k(wind_m_s: f64) -> f64 {
    if wind_m_s <= 5.0 { 5.7 + 3.8 * wind_m_s } else { (6.47 * libm::pow(wind_m_s, 0.78)).max(5.7 + 3.8 * 5.0) }
}

/// Heat into the housing from outside at a housing temperature, W.
#[must_use]
pub fn gain_w(parts: &EnclosureParts, around: &Exposure, housing_k: f64) -> f64 {
    let convected = transfer_w_m2_k(around.wind_m_s) * parts.area_m2.get() * (housing_k - around.air_k);
    let sun = parts.absorptivity.get() * parts.sunlit_m2.get() * around.sun_w_m2;
    let sky = parts.emissivity.get() * parts.sky_m2.get() * (STEFAN_BOLTZMANN_W_M2_K4 * housing_k.powi(4) - around.longwave_w_m2);
    sun - convected - sky
}

/// The temperatures `dt_s` later, or with an infinite `dt_s` in the end; in steps no longer than the shorter of the two times in which
/// board and housing settle, so that neither swings past where it settles.
#[must_use]
pub fn after(parts: &EnclosureParts, around: &Exposure, from: EnclosureTemperatures, dt_s: f64) -> EnclosureTemperatures {
    if dt_s.is_infinite() {
        return one_step(parts, around, from, dt_s);
    }
    let resistance_k_w = parts.board_to_housing_k_w.get();
    let warmest_k = from.housing_k.max(around.air_k);
    let radiated_w_k = 4.0 * parts.emissivity.get() * parts.sky_m2.get() * STEFAN_BOLTZMANN_W_M2_K4 * warmest_k.powi(3);
    let out_w_k = 1.0 / resistance_k_w + transfer_w_m2_k(around.wind_m_s) * parts.area_m2.get() + radiated_w_k;
    let settles_s = (parts.board_j_k.get() * resistance_k_w).min(parts.housing_j_k.get() / out_w_k);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let steps = (dt_s / settles_s).ceil().clamp(1.0, MOST_PARTS) as u32;
    (0..steps).fold(from, |now, _| one_step(parts, around, now, dt_s / f64::from(steps)))
}

/// The same in one step.
fn one_step(parts: &EnclosureParts, around: &Exposure, from: EnclosureTemperatures, dt_s: f64) -> EnclosureTemperatures {
    // storage over a step to its middle, W/K; 0 in the steady state
    let [board_w_k, housing_w_k] = [parts.board_j_k, parts.housing_j_k].map(|capacity| 2.0 * capacity.get() / dt_s);
    let between_w_k = 1.0 / parts.board_to_housing_k_w.get();
    // the board follows from the housing
    let board_of = |housing_k: f64| (around.power_w + board_w_k * from.board_k + between_w_k * housing_k) / (board_w_k + between_w_k);
    let board_slope = between_w_k / (board_w_k + between_w_k);
    let out_w_k = transfer_w_m2_k(around.wind_m_s) * parts.area_m2.get();
    let radiates = 4.0 * parts.emissivity.get() * parts.sky_m2.get() * STEFAN_BOLTZMANN_W_M2_K4;
    let mut housing_k = from.housing_k;
    for _ in 0..MOST_STEPS {
        let short_w =
            between_w_k * (board_of(housing_k) - housing_k) + gain_w(parts, around, housing_k) - housing_w_k * (housing_k - from.housing_k);
        let slope_w_k = between_w_k * (1.0 - board_slope) + out_w_k + radiates * housing_k.powi(3) + housing_w_k;
        let more_k = short_w / slope_w_k;
        housing_k += more_k;
        if more_k.abs() < CLOSE_K {
            break;
        }
    }
    let middle = EnclosureTemperatures { board_k: board_of(housing_k), housing_k };
    if dt_s.is_infinite() {
        return middle;
    }
    EnclosureTemperatures { board_k: 2.0 * middle.board_k - from.board_k, housing_k: 2.0 * middle.housing_k - from.housing_k }
}

/// Lets every housing warm or cool over this tick.
pub(super) fn warm_enclosures(
    (clock, site, grid): (Res<Clock>, Res<SiteInfo>, Res<Grid>),
    (sky, solids, ground): (Res<Sky>, Res<Solids>, Res<GroundAir>),
    wind: WindField,
    mut units: Query<(&Enclosure, &mut EnclosureState)>,
) {
    let sun = Sun::at(clock.utc_us(clock.elapsed_us()), site.latitude_deg, site.longitude_deg);
    let light = sky.light(&sun);
    for (enclosure, mut state) in &mut units {
        let around = Exposure {
            air_k: ground.temperature_k,
            wind_m_s: wind.at(&grid, enclosure.at_m).length(),
            sun_w_m2: light.at_w_m2(&grid, &solids, enclosure.at_m, &sun),
            longwave_w_m2: sky.longwave_w_m2,
            power_w: enclosure.power_w,
        };
        let (from, dt_s) = match state.0 {
            Some(from) => (from, clock.tick_s()),
            None => (EnclosureTemperatures { board_k: around.air_k, housing_k: around.air_k }, f64::INFINITY),
        };
        state.0 = Some(after(&enclosure.parts, &around, from, dt_s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> EnclosureParts {
        ron::from_str(text).unwrap()
    }

    const NIGHT: Exposure = Exposure { air_k: 290.0, wind_m_s: 0.0, sun_w_m2: 0.0, longwave_w_m2: 300.0, power_w: 1.2 };

    #[test]
    fn a_white_housing_in_full_sun_is_16_k_warmer_in_still_air_and_4_k_at_5_m_s() {
        let parts = parts("(sky_m2: 0.0)");
        for (wind_m_s, expected) in [(0.0, 15.8), (5.0, 3.64)] {
            let shade = Exposure { wind_m_s, ..NIGHT };
            let start = EnclosureTemperatures { board_k: 290.0, housing_k: 290.0 };
            let rise = after(&parts, &Exposure { sun_w_m2: 1000.0, ..shade }, start, f64::INFINITY).housing_k
                - after(&parts, &shade, start, f64::INFINITY).housing_k;
            assert!((rise - expected).abs() < 0.02, "{rise}");
        }
    }

    #[test]
    fn a_housing_without_power_gets_from_the_air_what_it_loses_to_the_sky() {
        let start = EnclosureTemperatures { board_k: 290.0, housing_k: 290.0 };
        let night = Exposure { power_w: 0.0, wind_m_s: 10.0, ..NIGHT };
        let housing_k = after(&parts("()"), &night, start, f64::INFINITY).housing_k;
        // 6.47 · 10^0.78 = 38.99 W/m²K over 0.1 m²; 0.9 of 0.05 m² radiates
        let (from_air_w, to_sky_w) = (3.899 * (290.0 - housing_k), 0.045 * (5.670_374e-8 * housing_k.powi(4) - 300.0));
        assert!(housing_k < 289.0 && (from_air_w / to_sky_w - 1.0).abs() < 1e-3, "{housing_k}: {from_air_w} and {to_sky_w}");
    }

    #[test]
    fn half_the_step_makes_a_quarter_of_the_error() {
        let parts = parts("()");
        let start = EnclosureTemperatures { board_k: 310.0, housing_k: 300.0 };
        let at_ten_minutes = |steps: u32| {
            let mut now = start;
            for _ in 0..steps {
                now = after(&parts, &NIGHT, now, 600.0 / f64::from(steps));
            }
            now.board_k
        };
        let exact = at_ten_minutes(1024);
        let order = ((at_ten_minutes(4) - exact) / (at_ten_minutes(8) - exact)).log2();
        assert!((order - 2.0).abs() < 0.1, "{order}");
    }

    #[test]
    fn an_hour_in_one_tick_is_an_hour_of_seconds() {
        let parts = parts("(board_j_k: 5.0)");
        let start = EnclosureTemperatures { board_k: 310.0, housing_k: 280.0 };
        let seconds = (0..3600).fold(start, |now, _| after(&parts, &NIGHT, now, 1.0));
        let tick = after(&parts, &NIGHT, start, 3600.0);
        assert!(
            (tick.board_k - seconds.board_k).abs() < 1e-3 && (tick.housing_k - seconds.housing_k).abs() < 1e-3,
            "{tick:?}, {seconds:?}"
        );
    }

    #[test]
    fn electronics_settle_in_480_s_where_the_housing_stays() {
        let parts = parts("(housing_j_k: 1e12)");
        let rest = after(&parts, &NIGHT, EnclosureTemperatures { board_k: 290.0, housing_k: 290.0 }, f64::INFINITY);
        let mut now = EnclosureTemperatures { board_k: rest.board_k + 10.0, housing_k: rest.housing_k };
        for _ in 0..480 {
            now = after(&parts, &NIGHT, now, 1.0);
        }
        assert!(((now.board_k - rest.board_k) / 10.0 - (-1.0f64).exp()).abs() < 1e-4);
    }
}
