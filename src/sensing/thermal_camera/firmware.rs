//! What a camera makes of its own frame: drift taken off, window and air undone, and the numbers it reports.
//!
//! It knows the coefficients of the drift as designed, not those of its unit, the board's temperature as the sensor on it
//! reported it, and when its own shutter closed. Left out: emissivity of what it looks at, unless the product file assumes one.

use serde::{Deserialize, Serialize};

use crate::sensing::Partners;
use crate::sensing::thermal_camera::band::{radiance, tabled_radiance, temperature_k, transmission};
use crate::sensing::thermal_camera::detector::DRIFT;
use crate::sensing::{board_temperature, climate};
use crate::units::kelvin;

/// Over this time firmware takes the slope of the board's temperature, s: longer than its counts make it jump. Chosen.
const SLOPE_S: f64 = 120.0;

/// What a product file tells the firmware about what it looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Assumed {
    pub(crate) emissivity: f64,
    pub(crate) distance_m: f64,
    pub(crate) window: f64,
}

/// What firmware remembers of the board.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    shutters: u64,
    at_shutter_k: f64,
    /// When, the board then, and how far a mean over `SLOPE_S` lies behind it, K.
    board: Option<(u64, f64, f64)>,
}

/// Temperatures of a frame as firmware reports them, and the sensors it used.
pub(crate) fn correct(
    frame_k: &[f64],
    partners: &Partners,
    assumed: Assumed,
    (shutters, at_us): (u64, u64),
    memory: &mut Memory,
) -> (Vec<f64>, Vec<String>) {
    let mut used = Vec::new();
    let mut ask = |channel: &str| {
        let value = partners.get(channel)?;
        used.extend(partners.sensor(channel).map(str::to_owned));
        Some(value)
    };
    let board_k = ask(board_temperature::CHANNEL).map(kelvin);
    let air = ask(climate::TEMPERATURE).map(kelvin).zip(ask(climate::HUMIDITY).map(|percent| percent / 100.0));
    let off_k = board_k.map_or(0.0, |board_k| memory.drift_k(board_k, shutters, at_us));
    // the same slope the offset was made with
    let (_, slope) = radiance(kelvin(30.0));
    let window = board_k.map_or(1.0, |_| assumed.window);
    let behind = board_k.map_or(0.0, |board_k| radiance(board_k).0);
    let through = air.map_or(1.0, |(air_k, humidity)| transmission(assumed.distance_m, air_k, humidity));
    let around = air.map_or(0.0, |(air_k, _)| radiance(air_k).0);
    let emissivity = air.map_or(1.0, |_| assumed.emissivity);
    let undo = |t: &f64| {
        let at_lens = tabled_radiance(*t) - off_k * slope;
        let at_window = (at_lens - (1.0 - window) * behind) / window;
        let at_surface = (at_window - (1.0 - through) * around) / through;
        temperature_k((at_surface - (1.0 - emissivity) * around) / emissivity)
    };
    let frame = if board_k.is_none() && air.is_none() { frame_k.to_vec() } else { frame_k.iter().map(undo).collect() };
    used.sort();
    used.dedup();
    (frame, used)
}

impl Memory {
    /// The offset that the drift as designed makes, K.
    fn drift_k(&mut self, board_k: f64, shutters: u64, at_us: u64) -> f64 {
        if self.shutters != shutters {
            (self.shutters, self.at_shutter_k) = (shutters, board_k);
        }
        // a mean follows a ramp its slope times its time constant behind, between two frames as well as over many
        let behind_k = self.board.map_or(0.0, |(then_us, then_k, behind_k)| {
            let since_s = at_us.saturating_sub(then_us) as f64 * 1e-6;
            let left = libm::exp(-since_s / SLOPE_S);
            let slope = if since_s > 0.0 { (board_k - then_k) / since_s } else { 0.0 };
            behind_k * left + slope * SLOPE_S * (1.0 - left)
        });
        self.board = Some((at_us, board_k, behind_k));
        let per_minute = behind_k / (SLOPE_S / 60.0);
        DRIFT[0] * (board_k - self.at_shutter_k) + DRIFT[1] * per_minute + DRIFT[2] * (board_k - kelvin(25.0))
    }
}

/// The numbers of a frame, K: the largest mean of 3 x 3 pixels, which one bad pixel does not make, the mean, and how far the first
/// lies above the median.
pub(crate) fn summary(frame_k: &[f64], width: usize) -> [f64; 3] {
    let three = |line: &[f64]| line.windows(3).map(|three| three[0] + three[1] + three[2]).collect::<Vec<f64>>();
    let sums: Vec<Vec<f64>> = frame_k.chunks(width).map(three).collect();
    let mut most = f64::MIN;
    for rows in sums.windows(3) {
        for ((above, here), below) in rows[0].iter().zip(&rows[1]).zip(&rows[2]) {
            most = most.max((above + here + below) / 9.0);
        }
    }
    let median = median(frame_k);
    [most, frame_k.iter().sum::<f64>() / frame_k.len() as f64, most - median]
}

/// The middle value of a frame, the upper of two: its bin among many, then its place in that.
fn median(frame_k: &[f64]) -> f64 {
    const BIN_K: f64 = 0.125;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "temperatures of a table")]
    let bin = |t: f64| (t.max(0.0) / BIN_K) as usize;
    let mut counts: Vec<usize> = Vec::new();
    for t in frame_k {
        let n = bin(*t);
        if n >= counts.len() {
            counts.resize(n + 1, 0);
        }
        counts[n] += 1;
    }
    let (mut below, mut at) = (0, 0);
    while at + 1 < counts.len() && below + counts[at] <= frame_k.len() / 2 {
        below += counts[at];
        at += 1;
    }
    let mut there: Vec<f64> = frame_k.iter().copied().filter(|t| bin(*t) == at).collect();
    let place = (frame_k.len() / 2 - below).min(there.len().saturating_sub(1));
    *there.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::celsius;

    fn partners(list: &[(&str, f64)]) -> Partners {
        let mut partners = Partners::default();
        for (channel, value) in list {
            partners.add(channel, "partner", *value);
        }
        partners
    }

    #[test]
    fn a_known_emissivity_recovers_the_temperature_behind_it() {
        let shown = kelvin(73.0185);
        let assumed = Assumed { emissivity: 0.6, distance_m: 0.0, window: 1.0 };
        let with = partners(&[(climate::TEMPERATURE, 20.0), (climate::HUMIDITY, 50.0)]);
        let (frame, used) = correct(&[shown], &with, assumed, (1, 0), &mut Memory::default());
        assert!((celsius(frame[0]) - 100.0).abs() < 0.01 && used == ["partner"], "{}", celsius(frame[0]));
        let (frame, used) = correct(&[shown], &Partners::default(), assumed, (1, 0), &mut Memory::default());
        assert!(frame == [shown] && used.is_empty());
    }

    #[test]
    fn the_window_is_undone_when_the_board_is_known() {
        let l = |t_c: f64| radiance(kelvin(t_c)).0;
        let shown = temperature_k(0.9 * l(60.0) + 0.1 * l(25.0));
        let assumed = Assumed { emissivity: 1.0, distance_m: 0.0, window: 0.9 };
        let (frame, _) = correct(&[shown], &partners(&[(board_temperature::CHANNEL, 25.0)]), assumed, (1, 0), &mut Memory::default());
        assert!((celsius(frame[0]) - 60.0).abs() < 1e-3, "{}", celsius(frame[0]));
    }

    #[test]
    fn the_slope_of_a_ramp_is_told_at_any_period() {
        for period_s in [1.0, 60.0, 600.0] {
            let mut memory = Memory { shutters: 1, ..Memory::default() };
            let board = |n: f64| kelvin(25.0) + 0.2 / 60.0 * n * period_s;
            let count = (1800.0f64 / period_s).max(3.0);
            let mut drift = 0.0;
            for n in 0..=1800 {
                let n = f64::from(n);
                if n <= count {
                    memory.at_shutter_k = board(n);
                    drift = memory.drift_k(board(n), 1, crate::units::whole_micros(n * period_s)) - DRIFT[2] * (board(n) - kelvin(25.0));
                }
            }
            assert!((drift / (0.2 * DRIFT[1]) - 1.0).abs() < 0.01, "{period_s}: {drift}");
        }
    }

    #[test]
    fn the_median_is_that_of_the_sorted_list() {
        for n in [1, 2, 7, 1000] {
            let list: Vec<f64> = (0..n).map(|k| 280.0 + f64::from((k * 7919) % 997) * 0.01).collect();
            let mut sorted = list.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(median(&list).to_bits(), sorted[sorted.len() / 2].to_bits());
        }
    }

    #[test]
    fn one_hot_pixel_makes_a_ninth_of_itself() {
        let mut frame = vec![290.0; 30 * 20];
        frame[30 * 10 + 15] = 299.0;
        let [most, mean, above] = summary(&frame, 30);
        assert!((most - 291.0).abs() < 1e-9 && (above - 1.0).abs() < 1e-9 && (mean - 290.015).abs() < 1e-9);
    }
}
