//! Clean residual noise: how much of a reported channel is noise while nothing happens.
//!
//! It is the standard deviation of what firmware makes of noise alone, in the air the sensor is in without anything
//! the events released, with what its partners have just reported. It is worked out at the first result and again
//! every `LIFE_S` seconds, when a partner is lost or found, when the clean signals have moved by `MOVED` times their noise, and
//! while noise alone often leaves a channel without a value: noise follows the weather and the compensation.

use serde::{Deserialize, Serialize};

use crate::sensing::pipeline::Instrument;
use crate::sensing::result::Report;
use crate::sensing::{Partners, Sensor, noise::NoiseState};

/// Noise-only results it is worked out from: a standard error of 4.4 % of the standard deviation.
const RESULTS: u64 = 256;
/// The weather that changes noise changes over hours.
const LIFE_S: f64 = 3600.0;
/// Signals that moved by so many times their noise make it anew.
const MOVED: f64 = 10.0;

/// The clean residual noise of a sensor's reported channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// Standard deviations, in the unit of each channel.
    pub sigma: Vec<f64>,
    /// Where it was worked out.
    at: Option<Basis>,
}

/// What a clean residual noise was worked out from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Basis {
    taken: u64,
    partners: Vec<String>,
    element: Vec<f64>,
    /// Whether some channel had a value in less than half of the trials.
    sparse: bool,
}

impl Floor {
    /// Brings it up to date at result `taken`; `element` holds the raw signals in clean air, in the domain of their scales.
    pub fn refresh<S: Sensor>(
        &mut self,
        sensor: &S,
        state: &S::State,
        instrument: &Instrument,
        element: &[f64],
        partners: &Partners,
        taken: u64,
    ) {
        let period_s = instrument.period_us.unwrap_or(u64::MAX) as f64 * 1e-6;
        let near = |then: &[f64]| {
            let signals = instrument.parts.signals.iter().zip(element).zip(then);
            signals.into_iter().all(|((signal, now), then)| {
                let noise = signal.noise.white + signal.noise.flicker;
                // a signal without noise adds none, wherever it stands
                noise == 0.0 || (now - then).abs() <= MOVED * noise
            })
        };
        let fresh = self.at.as_ref().is_some_and(|at| {
            !at.sparse && (taken - at.taken) as f64 * period_s < LIFE_S && partners.names().eq(at.partners.iter()) && near(&at.element)
        });
        if !fresh {
            let spread = clean_residual_noise(sensor, state, instrument, element, partners, period_s);
            self.sigma = spread.iter().map(Spread::deviation).collect();
            let sparse = spread.iter().any(|spread| spread.count < 0.5 * RESULTS as f64);
            self.at = Some(Basis { taken, partners: partners.names().cloned().collect(), element: element.to_vec(), sparse });
        }
    }
}

fn clean_residual_noise<S: Sensor>(
    sensor: &S,
    state: &S::State,
    instrument: &Instrument,
    element: &[f64],
    partners: &Partners,
    period_s: f64,
) -> Vec<Spread> {
    let quantities = &instrument.parts.quantities;
    let turns: Vec<bool> = quantities.iter().flat_map(|q| q.channels.iter().map(|_| q.unit == "deg")).collect();
    let mut spread = vec![Spread::default(); turns.len()];
    for index in 0..RESULTS {
        let signals = instrument.parts.signals.iter().zip(element).zip(&instrument.floor_noise);
        let raw: Vec<f64> = signals
            .map(|((signal, value), streams)| {
                // every result starts afresh: the stationary law, not one stretch of it
                let error = NoiseState::default().draw(signal.noise, streams, index, period_s);
                signal.scale.undo(signal.converter.convert(value + error).0)
            })
            .collect();
        let mut report = Report::empty(quantities);
        sensor.firmware(&raw, partners, &mut state.clone(), &mut report);
        for ((spread, value), turn) in spread.iter_mut().zip(&report.values).zip(&turns) {
            if let Some(value) = value {
                spread.add(*value, *turn);
            }
        }
    }
    spread
}

/// A running standard deviation.
#[derive(Clone, Debug, Default)]
struct Spread {
    first: Option<f64>,
    count: f64,
    sum: f64,
    square: f64,
}

impl Spread {
    fn add(&mut self, value: f64, turn: bool) {
        let from_first = value - *self.first.get_or_insert(value);
        // directions are compared the short way round with the first one
        let value = if turn { (from_first + 540.0).rem_euclid(360.0) - 180.0 } else { from_first };
        self.count += 1.0;
        self.sum += value;
        self.square += value * value;
    }

    fn deviation(&self) -> f64 {
        if self.count < 2.0 { 0.0 } else { ((self.square - self.sum * self.sum / self.count) / (self.count - 1.0)).max(0.0).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_around_north_do_not_spread_over_the_compass() {
        let mut spread = Spread::default();
        for value in [359.0, 1.0, 359.0, 1.0] {
            spread.add(value, true);
        }
        assert!((spread.deviation() - (4.0f64 / 3.0).sqrt()).abs() < 1e-12);
    }
}
