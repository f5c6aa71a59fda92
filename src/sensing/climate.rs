//! Climate: a capacitive humidity and band-gap temperature sensor of the SHT85 class, and the shield it stands in.
//!
//! Figures: Sensirion SHT85 datasheet (typical accuracy ±0.1 °C and ±1.5 %RH taken as two standard deviations,
//! repeatability 0.04 °C and 0.08 %RH as three, 16-bit conversion, t63 of humidity 8 s, of temperature 5 s in moving
//! air). In a naturally ventilated shield the element is warmer than the air by `radiation_error_k` and by a share of what
//! the board is; relative humidity is that at its own temperature, so the errors go together and the dew point stays.
//! Firmware takes both off as far as partners report sunlight, wind and board; it takes
//! every night to be clear. Left out: hysteresis, creep after condensation, wet shield.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

use crate::files::kinds::Spec;
use crate::sensing::noise::Noise;
use crate::sensing::response::Lag;
use crate::sensing::result::Report;
use crate::sensing::{
    AppSensorExt, Bias, Channel, Converter, Partners, Quantity, Scale, Sensor, Signal, anemometer, board_temperature, pyranometer,
};
use crate::streams::Draws;
use crate::units::{AIR_HEAT_J_KG_K, Finite, STEFAN_BOLTZMANN_W_M2_K4, celsius, kelvin, saturation_vapour_hpa};
use crate::world::environment::Surroundings;

/// Time to 63 % of a temperature step in seconds.
const TEMPERATURE_T63_S: f64 = 5.0;
/// Time to 63 % of a humidity step in seconds.
const HUMIDITY_T63_S: f64 = 8.0;
/// Names of the channels.
pub(crate) const TEMPERATURE: &str = "temperature";
pub(crate) const HUMIDITY: &str = "humidity";
/// Counts of the 16-bit conversion.
const COUNTS: f64 = 65_535.0;

/// Share of the board's warmth over the air that reaches the element: 0.2 K at 7 K, within the 0.05–0.5 K that Sensirion gives for
/// neighbours in still air.
const BOARD_SHARE: f64 = 0.03;
/// Standard deviation of a unit's shield and of its board's share, relative: section 14 of the sensor reference.
const UNIT_SPREAD: f64 = 0.2;
/// What firmware takes a clear night to lose to the sky, W m⁻².
const NIGHT_LOSS_W_M2: f64 = 90.0;
/// By no more than this is a shield colder than the air, K.
const COLDEST_K: f64 = 0.3;
/// From this sunlight on the day's law holds alone, W m⁻²: chosen.
const DAYLIGHT_W_M2: f64 = 50.0;
/// The law of the day was fitted to winds above this, m s⁻¹.
const LEAST_WIND_M_S: f64 = 0.5;
/// Heat capacity of a cubic metre of air near the ground, J m⁻³ K⁻¹.
const AIR_J_M3_K: f64 = 1.2 * AIR_HEAT_J_KG_K;

/// How much warmer than the air a naturally ventilated multi-plate shield makes its element, in kelvin.
///
/// By day `0.13 + 373.4 S/(ρ c_p T U)`: Nakamura and Mahrt, *J. Atmos. Oceanic Technol.* 22, 2005. By night 2 mK less for each W m⁻² of
/// net long-wave loss, at most 0.3 K: a clear night's −0.1 to −0.3 K. `S` is the global irradiance, `net` the loss of a black surface at air temperature.
#[must_use]
pub fn radiation_error_k(sun_w_m2: f64, wind_m_s: f64, temperature_k: f64, net_w_m2: f64) -> f64 {
    let day = (sun_w_m2 / DAYLIGHT_W_M2).clamp(0.0, 1.0);
    let warmed = 0.13 + 373.4 * sun_w_m2 / (AIR_J_M3_K * temperature_k * wind_m_s.max(LEAST_WIND_M_S));
    day * warmed - (1.0 - day) * (2e-3 * net_w_m2).min(COLDEST_K)
}

/// What stands around the element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Shield {
    /// A fan draws air past it: neither sun nor board reach it.
    #[default]
    Aspirated,
    /// Plates that the wind passes.
    Naturally,
}

/// What is this unit's own: factors of the shield's and of the board's nominal error.
#[derive(Component, Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ClimateUnit {
    shield: f64,
    board: f64,
}

impl Default for ClimateUnit {
    /// A unit as designed.
    fn default() -> Self {
        Self { shield: 1.0, board: 1.0 }
    }
}

/// As written: `climate(shield: Naturally)`; the biases are for experiments.
#[derive(Component, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Climate {
    /// What stands around it; without it an aspirated shield.
    #[serde(default)]
    pub shield: Shield,
    /// Added to the temperature signal in kelvin.
    #[serde(default)]
    pub temperature_bias_k: Option<Finite>,
    /// Added to the humidity signal in percent.
    #[serde(default)]
    pub humidity_bias_pct: Option<Finite>,
}

impl Spec for Climate {}

impl Sensor for Climate {
    const KIND: &'static str = "climate";
    const ABOUT: &'static str = "air temperature and relative humidity, SHT85 class";
    type State = ClimateUnit;

    fn quantities(&self) -> Vec<Quantity> {
        let quantity = |capability, name: &str, unit, tau_s, span, systematic| Quantity {
            capability,
            unit,
            channels: vec![Channel { name: name.to_owned(), lag: Lag::symmetric(tau_s), span, systematic }],
            raw_unit: unit,
            raw: vec![name.to_owned()],
        };
        // a natural shield errs by 0.4 K over three days of sun (`tests/verification/sky.rs`), and by 6 % of the humidity for each kelvin
        let [temperature_k, humidity_pct] = match self.shield {
            Shield::Aspirated => [0.05, 0.75],
            Shield::Naturally => [0.4, 1.2],
        };
        vec![
            quantity("air_temperature", TEMPERATURE, "Cel", TEMPERATURE_T63_S, (-40.0, 105.0), temperature_k),
            quantity("relative_humidity", HUMIDITY, "%", HUMIDITY_T63_S, (-5.0, 105.0), humidity_pct),
        ]
    }

    fn signals(&self) -> Vec<Signal> {
        let signal = |name: &str, tau_s, offset, drift_per_year: f64, repeatability: f64, min, span: f64| Signal {
            name: name.to_owned(),
            scale: Scale::Linear,
            lag: Lag::symmetric(tau_s),
            bias: Bias { gain: 0.0, offset, drift_per_sqrt_day: drift_per_year / 365.0_f64.sqrt() },
            noise: Noise { white: repeatability / 3.0, flicker: 0.0 },
            converter: Converter { min, max: min + span, step: span / COUNTS },
        };
        vec![
            signal(TEMPERATURE, TEMPERATURE_T63_S, 0.05, 0.03, 0.04, -45.0, 175.0),
            // the element answers below 0 and above 100 %RH; the datasheet's formula clips in firmware only
            signal(HUMIDITY, HUMIDITY_T63_S, 0.75, 0.25, 0.08, -6.0, 125.0),
        ]
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = celsius(air.temperature_k);
        out[1] = 100.0 * air.humidity_frac;
    }

    fn manufacture(&self, draws: &mut Draws, unit: &mut ClimateUnit) {
        unit.shield = (1.0 + UNIT_SPREAD * draws.normal()).max(0.0);
        unit.board = (1.0 + UNIT_SPREAD * draws.normal()).max(0.0);
    }

    fn transduce(&self, unit: &ClimateUnit, air: &Surroundings, out: &mut [f64]) {
        let warmer_k = match self.shield {
            Shield::Aspirated => 0.0,
            Shield::Naturally => {
                let net_w_m2 = STEFAN_BOLTZMANN_W_M2_K4 * air.temperature_k.powi(4) - air.longwave_w_m2;
                let wind_m_s = libm::hypot(air.wind_m_s.x, air.wind_m_s.y);
                unit.shield * radiation_error_k(air.sun_w_m2, wind_m_s, air.temperature_k, net_w_m2)
                    + unit.board * BOARD_SHARE * (air.board_k - air.temperature_k)
            }
        };
        let element_c = celsius(air.temperature_k) + warmer_k;
        out[0] = element_c + self.temperature_bias_k.map_or(0.0, Finite::get);
        out[1] = 100.0 * moved(air.humidity_frac, celsius(air.temperature_k), element_c) + self.humidity_bias_pct.map_or(0.0, Finite::get);
    }

    fn firmware(&self, raw: &[f64], partners: &Partners, _unit: &mut ClimateUnit, report: &mut Report) {
        let [mut air_c, mut humidity_pct] = [raw[0], raw[1]];
        if self.shield == Shield::Naturally {
            let mut used = Vec::new();
            if let Some((sun_w_m2, wind_m_s)) = partners.get(pyranometer::CHANNEL).zip(partners.get(anemometer::SPEED)) {
                air_c -= radiation_error_k(sun_w_m2.max(0.0), wind_m_s, kelvin(air_c), NIGHT_LOSS_W_M2);
                used.extend([pyranometer::CHANNEL, anemometer::SPEED]);
            }
            if let Some(board_c) = partners.get(board_temperature::CHANNEL) {
                air_c = (air_c - BOARD_SHARE * board_c) / (1.0 - BOARD_SHARE);
                used.push(board_temperature::CHANNEL);
            }
            humidity_pct = moved(humidity_pct, raw[0], air_c);
            report.compensations.extend(used.iter().filter_map(|channel| partners.sensor(channel)).map(str::to_owned));
        }
        report.values = vec![Some(air_c), Some(humidity_pct)];
    }
}

/// Relative humidity of air taken from one temperature to another at the same vapour pressure; unchanged where they are equal.
fn moved(humidity: f64, from_c: f64, to_c: f64) -> f64 {
    if from_c == to_c { humidity } else { humidity * saturation_vapour_hpa(from_c) / saturation_vapour_hpa(to_c) }
}

/// Lets products mount a [`Climate`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ClimatePlugin;

impl Plugin for ClimatePlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<Climate>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shield_errs_as_its_paper_has_it_by_day_and_by_less_than_a_third_of_a_kelvin_by_night() {
        let day = [(300.0, [0.75, 0.44, 0.23, 0.18]), (800.0, [1.79, 0.96, 0.41, 0.27])];
        for (sun, expected) in day {
            for (wind, expected) in [0.5, 1.0, 3.0, 6.0].into_iter().zip(expected) {
                let error = radiation_error_k(sun, wind, 298.15, 90.0);
                assert!((error - expected).abs() < 0.006, "{sun} W/m2, {wind} m/s: {error}");
            }
        }
        for net_w_m2 in [60.0, 90.0, 140.0, 400.0] {
            let error = radiation_error_k(0.0, 2.0, 283.15, net_w_m2);
            assert!((-0.3..-0.1).contains(&error), "{net_w_m2} W/m2: {error}");
        }
    }

    #[test]
    fn an_element_one_kelvin_too_warm_reads_dry_air_and_the_right_dew_point() {
        for (humidity, expected) in [(50.0, 47.1), (90.0, 84.8)] {
            let read = moved(humidity, 25.0, 26.0);
            assert!((read - expected).abs() < 0.05, "{read}");
            assert!((read * saturation_vapour_hpa(26.0) - humidity * saturation_vapour_hpa(25.0)).abs() < 1e-9);
        }
    }
}
