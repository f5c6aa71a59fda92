//! Pyranometer: global horizontal irradiance by a silicon cell, SP-110 class.
//!
//! Figures: Apogee Instruments, SP-110 owner's manual (calibration ±5 % taken as two standard deviations, response below 1 ms). The noise of 1 W/m² and the count of 0.1 W/m², which no night makes look flat, are chosen. Left out: drift with age,
//! error at low sun, spectral error under cloud, tilt, dirt.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::sensing::noise::Noise;
use crate::sensing::response::Lag;
use crate::sensing::{AppSensorExt, Bias, Channel, Converter, NoState, Quantity, Sensor, Signal};
use crate::world::environment::Surroundings;

/// Name of the reported channel, by which partners ask for it.
pub(crate) const CHANNEL: &str = "irradiance";

/// As written: `pyranometer()`.
#[derive(Component, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pyranometer {}

impl Spec for Pyranometer {}

impl Sensor for Pyranometer {
    const KIND: &'static str = "pyranometer";
    const ABOUT: &'static str = "sunlight on a level surface, silicon cell";
    type State = NoState;

    fn quantities(&self) -> Vec<Quantity> {
        vec![Quantity {
            capability: "surface_downwelling_shortwave_flux_in_air",
            unit: "W/m2",
            // 2.5 % of 1000 W/m²
            channels: vec![Channel { name: CHANNEL.to_owned(), lag: Lag::NONE, span: (-20.0, 1750.0), systematic: 25.0 }],
            raw_unit: "W/m2",
            raw: vec![CHANNEL.to_owned()],
        }]
    }

    fn signals(&self) -> Vec<Signal> {
        vec![Signal {
            bias: Bias { gain: 0.025, offset: 0.0, drift_per_sqrt_day: 0.0 },
            noise: Noise { white: 1.0, flicker: 0.0 },
            converter: Converter { min: -20.0, max: 1750.0, step: 0.1 },
            ..Signal::ideal(CHANNEL)
        }]
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = air.sun_w_m2;
    }
}

/// Lets products mount a [`Pyranometer`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PyranometerPlugin;

impl Plugin for PyranometerPlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<Pyranometer>();
    }
}
