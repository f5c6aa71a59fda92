//! Climate: a capacitive humidity and band-gap temperature sensor of the SHT85 class.
//!
//! Figures: Sensirion SHT85 datasheet (typical accuracy ±0.1 °C and ±1.5 %RH taken as two standard deviations,
//! repeatability 0.04 °C and 0.08 %RH as three, 16-bit conversion, t63 of humidity 8 s, of temperature 5 s in moving
//! air). Left out: radiation shield, self-heating, hysteresis, creep after condensation.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::sensing::noise::Noise;
use crate::sensing::response::Lag;
use crate::sensing::{AppSensorExt, Bias, Channel, Converter, NoState, Quantity, Scale, Sensor, Signal};
use crate::units::{Finite, celsius};
use crate::world::environment::Surroundings;

/// Time to 63 % of a temperature step in seconds.
const TEMPERATURE_T63_S: f64 = 5.0;
/// Time to 63 % of a humidity step in seconds.
const HUMIDITY_T63_S: f64 = 8.0;
/// Counts of the 16-bit conversion.
const COUNTS: f64 = 65_535.0;

/// As written: `climate()`; the biases are for experiments.
#[derive(Component, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Climate {
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
    type State = NoState;

    fn quantities(&self) -> Vec<Quantity> {
        let quantity = |capability, name: &str, unit, tau_s, span, systematic| Quantity {
            capability,
            unit,
            channels: vec![Channel { name: name.to_owned(), lag: Lag::symmetric(tau_s), span, systematic }],
            raw_unit: unit,
            raw: vec![name.to_owned()],
        };
        vec![
            quantity("air_temperature", "temperature", "Cel", TEMPERATURE_T63_S, (-40.0, 105.0), 0.05),
            quantity("relative_humidity", "humidity", "%", HUMIDITY_T63_S, (-5.0, 105.0), 0.75),
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
            signal("temperature", TEMPERATURE_T63_S, 0.05, 0.03, 0.04, -45.0, 175.0),
            // the element answers below 0 and above 100 %RH; the datasheet's formula clips in firmware only
            signal("humidity", HUMIDITY_T63_S, 0.75, 0.25, 0.08, -6.0, 125.0),
        ]
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = celsius(air.temperature_k);
        out[1] = 100.0 * air.humidity_frac;
    }

    fn transduce(&self, _state: &NoState, air: &Surroundings, out: &mut [f64]) {
        self.measurand(air, out);
        out[0] += self.temperature_bias_k.map_or(0.0, Finite::get);
        out[1] += self.humidity_bias_pct.map_or(0.0, Finite::get);
    }
}

/// Lets products mount a [`Climate`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ClimatePlugin;

impl Plugin for ClimatePlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<Climate>();
    }
}
