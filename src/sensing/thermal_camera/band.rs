//! Radiance between 8 and 14 µm, temperature from it, and what air lets through.
//!
//! `L = 15 σ/π⁵ T⁴ [F(c₂/14 µm T) − F(c₂/8 µm T)]`, `F(x) = Σ e^{−nx} (x³/n + 3x²/n² + 6x/n³ + 6/n⁴)`: Planck's law over the band, not
//! a power of T. Source: Chang and Rhee, *Int. Comm. Heat Mass Transfer* 11, 1984 (the series). Air: the law that radiometric
//! cameras use, section 11 of the sensor reference. Left out: the spectral response of a detector within the band.

use std::sync::OnceLock;

use crate::units::{STEFAN_BOLTZMANN_W_M2_K4, celsius};

/// Second radiation constant in µm K (CODATA 2018).
const C2_UM_K: f64 = 14_387.768_775;
/// Edges of the band, µm.
const BAND_UM: (f64, f64) = (8.0, 14.0);
/// Terms of the series; enough for 2000 K.
const TERMS: u32 = 60;
/// Temperatures that can be told from radiance, K.
const RANGE_K: (f64, f64) = (100.0, 2000.0);
/// Steps of the tables.
const STEPS: usize = 4096;
/// Newton steps from one temperature of the table to the next.
const NEWTON: usize = 20;

/// `F` and its derivative times −1, which is x³/(eˣ − 1).
fn tail(x: f64) -> (f64, f64) {
    let ratio = libm::exp(-x);
    let (mut sum, mut power) = (0.0, 1.0);
    for n in 1..=TERMS {
        power *= ratio;
        let n = f64::from(n);
        let term = power * (x * x * x / n + 3.0 * x * x / (n * n) + 6.0 * x / (n * n * n) + 6.0 / (n * n * n * n));
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    (sum, x * x * x / libm::expm1(x))
}

/// Radiance of a black body, W m⁻² sr⁻¹, and its derivative by temperature.
#[must_use]
pub fn radiance(temperature_k: f64) -> (f64, f64) {
    let scale = 15.0 * STEFAN_BOLTZMANN_W_M2_K4 / std::f64::consts::PI.powi(5) * temperature_k.powi(3);
    let (long, short) = (C2_UM_K / (BAND_UM.1 * temperature_k), C2_UM_K / (BAND_UM.0 * temperature_k));
    let ((upper, upper_slope), (lower, lower_slope)) = (tail(long), tail(short));
    let whole = upper - lower;
    (scale * temperature_k * whole, scale * (4.0 * whole + long * upper_slope - short * lower_slope))
}

/// Values on an even grid, a cubic between four neighbours.
struct Table {
    first: f64,
    step: f64,
    values: Vec<f64>,
}

impl Table {
    fn new(first: f64, last: f64, value: impl FnMut(f64) -> f64) -> Self {
        let step = (last - first) / STEPS as f64;
        Self { first, step, values: (0..=STEPS).map(|n| first + step * n as f64).map(value).collect() }
    }

    /// Lagrange's cubic; beyond its ends a table goes on as at its ends.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a table, clamped")]
    fn at(&self, x: f64) -> f64 {
        let place = ((x - self.first) / self.step).clamp(0.0, STEPS as f64);
        let low = (place as usize).clamp(1, STEPS - 2) - 1;
        let x = place - (low + 1) as f64;
        let [a, b, c, d] = [self.values[low], self.values[low + 1], self.values[low + 2], self.values[low + 3]];
        let (before, after, beyond) = (x + 1.0, x - 1.0, x - 2.0);
        -a * x * after * beyond / 6.0 + b * before * after * beyond / 2.0 - c * before * x * beyond / 2.0 + d * before * x * after / 6.0
    }
}

/// Radiance of a black body of 100 to 2000 K from a table, W m⁻² sr⁻¹: for what is asked of every pixel.
#[must_use]
pub fn tabled_radiance(temperature_k: f64) -> f64 {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::new(RANGE_K.0, RANGE_K.1, |t| radiance(t).0)).at(temperature_k)
}

/// Temperature of a black body of this radiance, K; at the ends of 100 to 2000 K it stops.
#[must_use]
pub fn temperature_k(radiance: f64) -> f64 {
    static TABLE: OnceLock<Table> = OnceLock::new();
    // over the fourth root temperature is almost straight
    let root = |l: f64| l.max(0.0).sqrt().sqrt();
    let of_root = || {
        let mut t = RANGE_K.0;
        Table::new(root(self::radiance(RANGE_K.0).0), root(self::radiance(RANGE_K.1).0), |root| {
            for _ in 0..NEWTON {
                let (now, slope) = self::radiance(t);
                t += (root.powi(4) - now) / slope;
            }
            t
        })
    };
    TABLE.get_or_init(of_root).at(root(radiance))
}

/// Share of radiance that `range_m` of air of this temperature (K) and relative humidity (0 to 1) lets through.
#[must_use]
pub fn transmission(range_m: f64, air_k: f64, humidity_frac: f64) -> f64 {
    const SHARE: f64 = 1.9;
    const ALPHA: [f64; 2] = [0.006_569, 0.012_62];
    const BETA: [f64; 2] = [-0.002_276, -0.006_67];
    let t = celsius(air_k);
    let water = libm::exp(1.5587 + 0.069_39 * t - 0.000_278_16 * t * t + 0.000_000_684_55 * t * t * t) * humidity_frac;
    let path = |n: usize| libm::exp(-range_m.max(0.0).sqrt() * (ALPHA[n] + BETA[n] * water.max(0.0).sqrt()));
    (SHARE * path(0) + (1.0 - SHARE) * path(1)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::kelvin;

    #[test]
    fn the_band_radiance_is_that_of_the_reference() {
        let list = [
            (-20.0, 23.825),
            (0.0, 35.152),
            (20.0, 49.373),
            (26.85, 54.933),
            (40.0, 66.613),
            (80.0, 110.334),
            (100.0, 136.778),
            (200.0, 311.43),
            (400.0, 824.44),
        ];
        for (t_c, expected) in list {
            let (measured, slope) = radiance(kelvin(t_c));
            assert!((measured / expected - 1.0).abs() < 2e-5, "{t_c}: {measured}");
            let finite = (radiance(kelvin(t_c) + 1e-3).0 - radiance(kelvin(t_c) - 1e-3).0) / 2e-3;
            assert!((slope / finite - 1.0).abs() < 1e-6, "{t_c}: {slope} {finite}");
        }
        for (t_k, exitance) in [(273.15, 110.433), (300.0, 172.579), (473.15, 978.384)] {
            assert!((std::f64::consts::PI * radiance(t_k).0 / exitance - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn temperature_undoes_radiance() {
        for n in 0..1800 {
            let t = 130.0 + f64::from(n);
            assert!((temperature_k(radiance(t).0) - t).abs() < 1e-5, "{t}: {}", temperature_k(radiance(t).0));
            assert!((tabled_radiance(t + 0.21) / radiance(t + 0.21).0 - 1.0).abs() < 1e-7, "{t}");
        }
        assert!((temperature_k(0.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn air_lets_through_what_the_reference_says() {
        for (range, t_c, humidity, expected) in
            [(10.0, 20.0, 0.5, 0.9807), (50.0, 20.0, 0.5, 0.9562), (50.0, 30.0, 0.8, 0.9251), (500.0, 20.0, 0.5, 0.8538)]
        {
            assert!((transmission(range, kelvin(t_c), humidity) - expected).abs() < 1e-4);
        }
        assert!((transmission(0.0, 293.15, 0.5) - 1.0).abs() < 1e-12);
    }
}
