//! Special functions of the closed forms of dispersion.
//!
//! Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 1964: 9.8.1 and 9.8.2 (I₀, within 2e-7), 5.1.53 and
//! 5.1.56 (E₁, within 2e-7).

/// `e^{−x} I₀(x)`, the scaled modified Bessel function of order zero, as a factor and the exponent of another; x ≥ 0.
#[must_use]
pub fn bessel_i0_scaled(x: f64) -> (f64, f64) {
    const SMALL: [f64; 7] = [1.0, 3.515_622_9, 3.089_942_4, 1.206_749_2, 0.265_973_2, 0.036_076_8, 0.004_581_3];
    const LARGE: [f64; 9] =
        [0.398_942_28, 0.013_285_92, 0.002_253_19, -0.001_575_65, 0.009_162_81, -0.020_577_06, 0.026_355_37, -0.016_476_33, 0.003_923_77];
    if x < 3.75 {
        let t = x / 3.75;
        return (polynomial(&SMALL, t * t), -x);
    }
    (polynomial(&LARGE, 3.75 / x) / x.sqrt(), 0.0)
}

/// `E₁(x) = ∫ₓ^∞ e^{−t}/t dt`; x > 0.
#[must_use]
pub fn exponential_integral(x: f64) -> f64 {
    const SMALL: [f64; 6] = [-0.577_215_66, 0.999_991_93, -0.249_910_55, 0.055_199_68, -0.009_760_04, 0.001_078_57];
    const ABOVE: [f64; 5] = [0.267_773_734_3, 8.634_760_892_5, 18.059_016_973, 8.573_328_740_1, 1.0];
    const BELOW: [f64; 5] = [3.958_496_922_8, 21.099_653_082_7, 25.632_956_148_6, 9.573_322_345_4, 1.0];
    if x < 1.0 {
        return polynomial(&SMALL, x) - libm::log(x);
    }
    polynomial(&ABOVE, x) * libm::exp(-x) / (polynomial(&BELOW, x) * x)
}

/// `e^x − 1` for |x| ≤ 1/8 by its series: exact to 1e-15 there, and much faster than for any x.
#[must_use]
pub fn expm1_small(x: f64) -> f64 {
    const FACTORS: [f64; 9] = [1.0 / 10.0, 1.0 / 9.0, 1.0 / 8.0, 1.0 / 7.0, 1.0 / 6.0, 1.0 / 5.0, 1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0];
    x * FACTORS.iter().fold(1.0, |sum, factor| 1.0 + x * factor * sum)
}

/// The value of a polynomial, lowest coefficient first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_functions_have_their_tabled_values() {
        // Abramowitz and Stegun, tables 9.8 and 5.1
        for (x, tabled) in [(0.0, 1.0), (1.0, 0.465_759_607_6), (3.0, 0.243_000_354_2), (5.0, 0.183_540_812_6), (10.0, 0.127_833_337_2)] {
            let (factor, exponent) = bessel_i0_scaled(x);
            assert!((factor * libm::exp(exponent) - tabled).abs() < 3e-7, "{x}: {factor} {exponent}");
        }
        for x in [-0.125, -0.05, -1e-6, 1e-9, 0.1, 0.125f64] {
            assert!((expm1_small(x) / x.exp_m1() - 1.0).abs() < 1e-14, "{x}");
        }
        for (x, tabled) in [(0.01, 4.037_929_577), (0.5, 0.559_773_595), (1.0, 0.219_383_934), (2.0, 0.048_900_511), (5.0, 0.001_148_296)] {
            assert!((exponential_integral(x) - tabled).abs() < 3e-7, "{x}: {}", exponential_integral(x));
        }
    }
}
