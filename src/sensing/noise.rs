//! Random error of a channel: white and flicker, on the sample clock, the same for any tick.
//!
//! Flicker is a sum of Gauss–Markov processes of equal variance whose correlation times are a factor of four
//! apart (ripple of f S(f): 0.03 dB), stepped exactly from a stationary start:
//! `b ← φ b + σ sqrt(1 − φ²) w`, `φ = exp(−Δt/T)`. Source: IEEE Std 952-1997 annex C; Gillespie,
//! *Phys. Rev. E* 54, 1996. Left out: random walk (drift belongs to the unit's age), signal-dependent noise.

use serde::{Deserialize, Serialize};

use crate::streams::Stream;

/// How many Gauss–Markov terms make flicker noise.
const TERMS: usize = 5;
/// Correlation time of the shortest term in seconds; the longest is 4⁴ times longer.
const SHORTEST_S: f64 = 2.0;

/// Standard deviations of a channel's random error, in the unit in which it is injected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// White, per sample.
    pub white: f64,
    /// Flicker, total over its five decades-spaced terms.
    pub flicker: f64,
}

/// The memory of one channel's noise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoiseState {
    terms: [f64; TERMS],
    begun: bool,
}

/// The streams of one channel's noise.
#[derive(Clone, Debug)]
pub struct NoiseStreams {
    white: Stream,
    flicker: Stream,
}

impl NoiseStreams {
    /// Streams of the channel at `path`.
    #[must_use]
    pub fn new(seed: u64, path: &str) -> Self {
        Self { white: Stream::new(seed, path, "white"), flicker: Stream::new(seed, path, "flicker") }
    }
}

impl NoiseState {
    /// The error of sample `index`, `dt_s` after the sample before it.
    pub fn draw(&mut self, noise: Noise, streams: &NoiseStreams, index: u64, dt_s: f64) -> f64 {
        let mut error = noise.white * streams.white.at(index).normal();
        if noise.flicker > 0.0 {
            let sigma = noise.flicker / (TERMS as f64).sqrt();
            let mut draws = streams.flicker.at(index);
            let mut time = SHORTEST_S;
            for term in &mut self.terms {
                let phi = if self.begun { libm::exp(-dt_s / time) } else { 0.0 };
                *term = phi * *term + sigma * (1.0 - phi * phi).sqrt() * draws.normal();
                error += *term;
                time *= 4.0;
            }
            self.begun = true;
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Overlapping Allan deviation of samples at averaging factor m.
    fn allan(x: &[f64], m: usize) -> f64 {
        let sums: Vec<f64> = std::iter::once(0.0)
            .chain(x.iter().scan(0.0, |s, v| {
                *s += v;
                Some(*s)
            }))
            .collect();
        let mean = |from: usize| (sums[from + m] - sums[from]) / m as f64;
        let n = x.len() - 2 * m + 1;
        ((0..n).map(|i| (mean(i + m) - mean(i)).powi(2)).sum::<f64>() / (2.0 * n as f64)).sqrt()
    }

    #[test]
    fn the_allan_deviation_code_reproduces_the_nist_set() {
        let mut n = 1_234_567_890u64;
        let x: Vec<f64> = (0..1000)
            .map(|_| {
                let value = n as f64 / 2_147_483_647.0;
                n = 16_807 * n % 2_147_483_647;
                value
            })
            .collect();
        for (m, deviation) in [(1, 0.292_231_9), (10, 0.091_599_53), (100, 0.032_413_43)] {
            assert!((allan(&x, m) - deviation).abs() < 1e-6, "{m}: {}", allan(&x, m));
        }
    }

    #[test]
    fn white_noise_averages_down_and_flicker_does_not() {
        let streams = NoiseStreams::new(3, "x");
        let series = |noise: Noise| {
            let mut state = NoiseState::default();
            (0..200_000).map(|i| state.draw(noise, &streams, i, 1.0)).collect::<Vec<_>>()
        };
        let white = series(Noise { white: 1.0, flicker: 0.0 });
        assert!((allan(&white, 1) - 1.0).abs() < 0.02 && (allan(&white, 100) - 0.1).abs() < 0.01);
        let flicker = series(Noise { white: 0.0, flicker: 1.0 });
        let (short, long) = (allan(&flicker, 4), allan(&flicker, 64));
        assert!((0.75..1.35).contains(&(short / long)), "{short} {long}");
        let variance = flicker.iter().map(|v| v * v).sum::<f64>() / flicker.len() as f64;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
    }
}
