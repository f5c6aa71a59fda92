//! Internal board temperature: what the electronics feel, not what the air is.
//!
//! A thermistor on the board of the unit's housing (`world::enclosure`): ±1.5 °C taken as two standard deviations, counts of 0.1 °C
//! that hide its noise, 5 s to follow. Figures: section 15 of the sensor reference, typical of NTC thermistors and of diodes in
//! controllers. Left out: noise below a count, gradients on the board.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::sensing::response::Lag;
use crate::sensing::{AppSensorExt, Bias, Channel, Converter, NoState, Quantity, Sensor, Signal};
use crate::units::celsius;
use crate::world::environment::Surroundings;

/// Name of the reported channel, by which partners ask for it.
pub(crate) const CHANNEL: &str = "board_temperature";

/// As written: `board_temperature()`.
#[derive(Component, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardTemperature {}

impl Spec for BoardTemperature {}

impl Sensor for BoardTemperature {
    const KIND: &'static str = "board_temperature";
    const ABOUT: &'static str = "temperature of the electronics in the unit's housing";
    type State = NoState;

    fn quantities(&self) -> Vec<Quantity> {
        vec![Quantity {
            capability: "board_temperature",
            unit: "Cel",
            channels: vec![Channel { name: CHANNEL.to_owned(), lag: Lag::symmetric(5.0), span: (-40.0, 125.0), systematic: 0.75 }],
            raw_unit: "Cel",
            raw: vec![CHANNEL.to_owned()],
        }]
    }

    fn signals(&self) -> Vec<Signal> {
        vec![Signal {
            lag: Lag::symmetric(5.0),
            bias: Bias { gain: 0.0, offset: 0.75, drift_per_sqrt_day: 0.0 },
            converter: Converter { min: -40.0, max: 125.0, step: 0.1 },
            ..Signal::ideal(CHANNEL)
        }]
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = celsius(air.board_k);
    }
}

/// Lets products mount a [`BoardTemperature`].
#[derive(Clone, Copy, Debug, Default)]
pub struct BoardTemperaturePlugin;

impl Plugin for BoardTemperaturePlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<BoardTemperature>();
    }
}
