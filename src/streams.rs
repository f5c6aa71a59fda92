//! Randomness that depends on nothing but (run seed, path, purpose) and the process's own clock.
//!
//! Each random process owns one `Stream`. A draw is made *at* an index that the process
//! counts itself (its sample number, a fixed time slot), never at an engine tick, so that
//! halving the tick keeps every realisation and adding a sensor moves no other one.
//!
//! Generator: `ChaCha8` (Bernstein 2008; `rand_chacha`). The key is the SHA-256 of seed, path
//! and purpose, the stream number is the index. No global generator exists in this crate.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A named source of random numbers that can be asked at any index, in any order.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The stream of one process: `path` is stable (`"gg-01/voc"`), `purpose` tells its processes apart.
    #[must_use]
    pub fn new(run_seed: u64, path: &str, purpose: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(run_seed.to_le_bytes());
        for part in [path, purpose] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self { key: hash.finalize().into() }
    }

    /// The draws that belong to `index` of the process's own clock.
    #[must_use]
    pub fn at(&self, index: u64) -> Draws {
        let mut generator = ChaCha8Rng::from_seed(self.key);
        generator.set_stream(index);
        Draws { generator }
    }
}

/// Independent random numbers, in order.
#[derive(Clone, Debug)]
pub struct Draws {
    generator: ChaCha8Rng,
}

impl Draws {
    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal, by Box and Muller (*Ann. Math. Statist.* 29, 1958), the cosine half.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Fills `out` with standard normals, both halves of each pair.
    pub fn normals(&mut self, out: &mut [f64]) {
        for pair in out.chunks_mut(2) {
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.uniform());
            for (value, part) in pair.iter_mut().zip([cos, sin]) {
                *value = radius * part;
            }
        }
    }

    /// Log-normal with median 1 and the given standard deviation of the logarithm.
    pub fn log_normal(&mut self, sigma_ln: f64) -> f64 {
        libm::exp(sigma_ln * self.normal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_index_gives_the_same_draw_in_any_order() {
        let stream = Stream::new(7, "gg-01/voc", "white");
        let (late, early) = (stream.at(9).normal(), stream.at(3).normal());
        assert_eq!(stream.at(3).normal().to_bits(), early.to_bits());
        assert_eq!(stream.at(9).normal().to_bits(), late.to_bits());
    }

    #[test]
    fn seed_path_and_purpose_each_change_the_stream() {
        let base = Stream::new(7, "a", "b").at(0).uniform();
        for other in [Stream::new(8, "a", "b"), Stream::new(7, "ab", ""), Stream::new(7, "a", "c")] {
            assert!((other.at(0).uniform() - base).abs() > 1e-12);
        }
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut draws = Stream::new(1, "moments", "test").at(0);
        let n = 100_000;
        let (sum, square) = (0..n).fold((0.0, 0.0), |(s, q), _| {
            let x = draws.normal();
            (s + x, q + x * x)
        });
        let mean = sum / f64::from(n);
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((square / f64::from(n) - mean * mean - 1.0).abs() < 0.015);
    }
}
