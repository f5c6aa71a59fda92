//! Anemometer: two axes of sound time-of-flight in the unit's own frame, speed and direction by firmware.
//!
//! Figures: Gill WindSonic manual 1405-PS-0019 (±2 % at 12 m/s, ±2°, 0.01 m/s) and FT Technologies FT205 manual
//! (0.1 m/s, 1°, direction 4° RMS); noise 0.1 m/s per axis is typical of the class at 1 Hz. Direction is where the wind
//! comes from; below 0.2 m/s it is missing. Averages are vector means. Left out: pole wake, tilt, rain, icing.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

use crate::files::kinds::Spec;
use crate::sensing::noise::Noise;
use crate::sensing::quality::Quality;
use crate::sensing::response::Lag;
use crate::sensing::result::Report;
use crate::sensing::{AppSensorExt, Bias, Channel, Converter, Partners, Quantity, Scale, Sensor, Signal};
use crate::streams::Draws;
use crate::units::{Span, wind_from_deg};
use crate::world::environment::Surroundings;

/// Name of the channel of the speed, by which partners ask for it.
pub(crate) const SPEED: &str = "speed";

/// Below this speed in m s⁻¹ the direction of a mean is noise.
const CALM_M_S: f64 = 0.2;

/// As written: `anemometer(model: Ultrasonic)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anemometer {
    /// Which class of instrument.
    #[serde(default)]
    pub model: Model,
    /// Averaging time before each result; without it 0.1 s.
    #[serde(default)]
    pub average_s: Option<Span>,
}

/// Classes of instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Model {
    /// Time of flight, `WindSonic` class.
    #[default]
    Ultrasonic,
    /// Acoustic resonance, FT205 class.
    Resonance,
}

/// What is this unit's own, and how it is mounted.
#[derive(Component, Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Mounting {
    /// Error of alignment in degrees.
    misalignment_deg: f64,
    /// What the firmware was told: the unit's heading.
    heading_deg: f64,
}

impl Spec for Anemometer {}

impl Anemometer {
    fn direction_sigma_deg(&self) -> f64 {
        match self.model {
            Model::Ultrasonic => 1.0,
            Model::Resonance => 2.0,
        }
    }

    fn resolution(&self) -> (f64, f64) {
        match self.model {
            Model::Ultrasonic => (0.01, 1.0),
            Model::Resonance => (0.1, 1.0),
        }
    }
}

impl Sensor for Anemometer {
    const KIND: &'static str = "anemometer";
    const ABOUT: &'static str = "wind speed and direction, two ultrasonic axes";
    type State = Mounting;

    fn quantities(&self) -> Vec<Quantity> {
        let raw = || vec!["ahead".to_owned(), "right".to_owned()];
        let channel = |name: &str, span, systematic| vec![Channel { name: name.to_owned(), lag: Lag::NONE, span, systematic }];
        vec![
            Quantity { capability: "wind_speed", unit: "m/s", channels: channel(SPEED, (0.0, 75.0), 0.1), raw_unit: "m/s", raw: raw() },
            Quantity {
                capability: "wind_from_direction",
                unit: "deg",
                channels: channel("from_direction", (0.0, 360.0), self.direction_sigma_deg()),
                raw_unit: "m/s",
                raw: raw(),
            },
        ]
    }

    fn signals(&self) -> Vec<Signal> {
        ["ahead", "right"]
            .map(|name| Signal {
                name: name.to_owned(),
                scale: Scale::Linear,
                lag: Lag::NONE,
                bias: Bias { gain: 0.01, offset: 0.05, drift_per_sqrt_day: 0.0 },
                noise: Noise { white: 0.1, flicker: 0.0 },
                converter: Converter { min: -75.0, max: 75.0, step: 0.01 },
            })
            .to_vec()
    }

    fn average_s(&self) -> f64 {
        self.average_s.map_or(0.1, Span::get)
    }

    fn manufacture(&self, draws: &mut Draws, state: &mut Mounting) {
        state.misalignment_deg = self.direction_sigma_deg() * draws.normal();
    }

    fn install(&self, heading_deg: f64, state: &mut Mounting) {
        state.heading_deg = heading_deg;
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = libm::hypot(air.wind_m_s.x, air.wind_m_s.y);
        out[1] = wind_from_deg(air.wind_m_s.x, air.wind_m_s.y);
    }

    fn transduce(&self, state: &Mounting, air: &Surroundings, out: &mut [f64]) {
        let (sin, cos) = libm::sincos((air.heading_deg + state.misalignment_deg).to_radians());
        out[0] = air.wind_m_s.x * sin + air.wind_m_s.y * cos;
        out[1] = air.wind_m_s.x * cos - air.wind_m_s.y * sin;
    }

    fn firmware(&self, raw: &[f64], _partners: &Partners, state: &mut Mounting, report: &mut Report) {
        let (sin, cos) = libm::sincos(state.heading_deg.to_radians());
        let (east, north) = (raw[0] * sin + raw[1] * cos, raw[0] * cos - raw[1] * sin);
        let round = |value: f64, step: f64| (value / step).round() * step;
        let (speed_step, direction_step) = self.resolution();
        let speed = libm::hypot(east, north);
        report.values[0] = Some(round(speed, speed_step));
        if speed >= CALM_M_S {
            report.values[1] = Some(round(wind_from_deg(east, north), direction_step).rem_euclid(360.0));
        } else {
            report.flag_channel(1, Quality::Missing, "calm");
        }
    }
}

/// Lets products mount an [`Anemometer`].
#[derive(Clone, Copy, Debug, Default)]
pub struct AnemometerPlugin;

impl Plugin for AnemometerPlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<Anemometer>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;

    #[test]
    fn a_turned_unit_reports_the_same_direction() {
        let sensor: Anemometer = ron::from_str("()").unwrap();
        for heading in [0.0, 37.0, 200.0] {
            let air = Surroundings { wind_m_s: DVec3::new(3.0, -1.0, 0.0), heading_deg: heading, ..Surroundings::default() };
            let mut state = Mounting { misalignment_deg: 0.0, heading_deg: heading };
            let (mut raw, mut ideal) = ([0.0; 2], [0.0; 2]);
            sensor.transduce(&state, &air, &mut raw);
            sensor.measurand(&air, &mut ideal);
            let mut report = Report::empty(&sensor.quantities());
            sensor.firmware(&raw, &Partners::default(), &mut state, &mut report);
            assert!((report.values[0].unwrap() - ideal[0]).abs() < 0.01);
            assert!((report.values[1].unwrap() - ideal[1]).abs() <= 0.5, "{heading}");
        }
    }

    #[test]
    fn a_calm_has_no_direction() {
        let sensor: Anemometer = ron::from_str("()").unwrap();
        let mut report = Report::empty(&sensor.quantities());
        sensor.firmware(&[0.05, -0.05], &Partners::default(), &mut Mounting::default(), &mut report);
        assert_eq!(report.values[1], None);
        assert!(report.values[0].unwrap() > 0.0);
    }
}
