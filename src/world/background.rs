//! Gases that come in with the wind: one process for each species, on its own clock.
//!
//! `x(t) = max(0, mean + swing cos(2π (h − peak)/24) + g(t))`, h the local solar hour, g an Ornstein–Uhlenbeck
//! process of standard deviation σ and correlation time τ, stepped exactly on slots of τ/20 and linear between.
//! Air keeps the background of the moment it came in through an open side (`tracers::Contents::EntryTime`).
//! Left out: loss and chemistry of background gas inside the domain.
//! Source: Gillespie, *Phys. Rev. E* 54, 1996 (exact update).

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use crate::files::scenario::Background;
use crate::files::species::SpeciesTable;
use crate::streams::Stream;
use crate::world::Clock;
use crate::world::spawn::RunSeed;

/// Slots in one correlation time; the linear interpolation then loses under 2 % of the variance.
const SLOTS_PER_TAU: f64 = 20.0;

/// All background processes of the run.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct BackgroundAir {
    processes: Vec<Process>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Process {
    species: usize,
    path: String,
    mean: f64,
    swing: f64,
    peak_h: f64,
    sigma: f64,
    slot_s: f64,
    phi: f64,
    random: Vec<f64>,
}

impl BackgroundAir {
    /// The processes of a scenario; unknown species have been refused before.
    #[must_use]
    pub fn new(entries: &[Background], species: &SpeciesTable) -> Self {
        let processes = entries
            .iter()
            .filter_map(|entry| {
                let slot_s = entry.tau_s.get() / SLOTS_PER_TAU;
                Some(Process {
                    species: species.index(&entry.species)?,
                    path: format!("background/{}", entry.species),
                    mean: entry.mean_ppb.get() * 1e-9,
                    swing: entry.swing_ppb.map_or(0.0, |v| v.get() * 1e-9),
                    peak_h: entry.peak_h.get(),
                    sigma: entry.sigma_ppb.map_or(0.0, |v| v.get() * 1e-9),
                    slot_s,
                    phi: libm::exp(-1.0 / SLOTS_PER_TAU),
                    random: Vec::new(),
                })
            })
            .collect();
        Self { processes }
    }

    /// Whether any gas changes with time, so that air must remember when it came in.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.processes.iter().any(|p| p.swing > 0.0 || p.sigma > 0.0)
    }

    /// Draws what is missing up to `elapsed_s` seconds since the start of the warm-up.
    pub fn extend_to(&mut self, elapsed_s: f64, seed: u64) {
        for process in &mut self.processes {
            if process.sigma <= 0.0 {
                continue;
            }
            let stream = Stream::new(seed, &process.path, "ornstein-uhlenbeck");
            while (process.random.len() as f64) < elapsed_s / process.slot_s + 2.0 {
                let kick = stream.at(process.random.len() as u64).normal();
                let next = match process.random.last() {
                    None => process.sigma * kick,
                    Some(last) => process.phi * last + process.sigma * (1.0 - process.phi * process.phi).sqrt() * kick,
                };
                process.random.push(next);
            }
        }
    }

    /// Adds the mole fractions of air that came in at `entered_s` (since the start of the warm-up) to `gas`.
    pub fn add_to(&self, gas: &mut [f64], entered_s: f64, clock: &Clock, longitude_deg: f64) {
        for process in &self.processes {
            let hour = clock.solar_hour(entered_s - clock.warm_up_ticks() as f64 * clock.tick_s(), longitude_deg);
            let daily = process.swing * libm::cos(std::f64::consts::TAU * (hour - process.peak_h) / 24.0);
            gas[process.species] += (process.mean + daily + process.random_at(entered_s)).max(0.0);
        }
    }
}

/// Keeps the random parts drawn up to the present.
pub(crate) fn draw_background(clock: Res<Clock>, seed: Res<RunSeed>, mut background: ResMut<BackgroundAir>) {
    background.extend_to(clock.elapsed_us() as f64 * 1e-6, seed.0);
}

impl Process {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative and within the list")]
    fn random_at(&self, entered_s: f64) -> f64 {
        if self.random.len() < 2 {
            return 0.0;
        }
        let at = (entered_s.max(0.0) / self.slot_s).min((self.random.len() - 2) as f64);
        let low = at as usize;
        self.random[low] + (self.random[low + 1] - self.random[low]) * (at - low as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_random_part_has_its_standard_deviation_and_correlation_time() {
        let species = SpeciesTable::shipped();
        let entry: Background = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
            .from_str("(species: \"O3\", mean_ppb: 35.0, sigma_ppb: 3.0, tau_s: 100.0)")
            .unwrap();
        let mut air = BackgroundAir::new(&[entry], &species);
        air.extend_to(2_000_000.0, 5);
        let g = &air.processes[0].random;
        let n = g.len() as f64;
        let variance = g.iter().map(|x| x * x).sum::<f64>() / n;
        assert!((variance.sqrt() / 3e-9 - 1.0).abs() < 0.05, "{}", variance.sqrt());
        let lag = 20;
        let covariance = g.windows(lag + 1).map(|w| w[0] * w[lag]).sum::<f64>() / n;
        assert!((covariance / variance - (-1.0f64).exp()).abs() < 0.05);
    }
}
