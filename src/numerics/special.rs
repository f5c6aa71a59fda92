//! Special functions of the closed forms of dispersion.
//!
//! Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 1964: 9.8.1 and 9.8.2 (I₀, within 2e-7), 5.1.1 (E₁).

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

/// `x e^{E₁(x)}` with `E₁(x) = ∫ₓ^∞ e^{−t}/t dt` for 0 ≤ x ≤ 8, by a series of Chebyshev polynomials: exact to 3e-9. An entire function of x, as E₁ + ln x is.
#[inline(always)]
#[must_use]
pub fn x_exp_e1(x: f64) -> f64 {
    // computed from its definition at the 17 Chebyshev nodes of [0, 8], 40 digits
    const SERIES: [f64; 17] = [
        4.127_172_517_500_7,
        3.785_166_905_218_158,
        0.132_292_489_473_722_7,
        -0.060_881_675_526_562_94,
        0.020_970_401_734_999_98,
        -0.005_081_439_627_432_4,
        0.000_584_737_580_449_348_2,
        0.000_170_914_114_849_657_5,
        -0.000_130_134_263_818_042_2,
        4.562_302_427_430_234e-5,
        -1.011_987_415_397_773e-5,
        8.843_224_516_110_494e-7,
        4.224_422_869_356_654e-7,
        -2.678_610_555_494_129e-7,
        9.048_193_203_180_452e-8,
        -2.088_214_545_856_41e-8,
        2.918_745_124_201_067e-9,
    ];
    let t = 0.25 * x - 1.0;
    let (mut b1, mut b2) = (0.0, 0.0);
    for coefficient in SERIES[1..].iter().rev() {
        (b1, b2) = (coefficient + 2.0 * t * b1 - b2, b1);
    }
    SERIES[0] + t * b1 - b2
}

/// `e^x − 1` for x ≤ 0: the series of a 512th of x, doubled nine times by `e^{2y} − 1 = (e^y − 1)(e^y + 1)`. Exact to 1e-14.
#[inline(always)]
#[must_use]
pub fn expm1_below(x: f64) -> f64 {
    const FACTORS: [f64; 9] = [1.0 / 10.0, 1.0 / 9.0, 1.0 / 8.0, 1.0 / 7.0, 1.0 / 6.0, 1.0 / 5.0, 1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0];
    // beyond 64 nothing is left
    let part = if x > -64.0 { x / 512.0 } else { -0.125 };
    let mut sum = 1.0;
    for factor in FACTORS {
        sum = 1.0 + part * factor * sum;
    }
    let mut value = part * sum;
    for _ in 0..9 {
        value *= value + 2.0;
    }
    value
}

/// The value of a polynomial, lowest coefficient first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_tabled_values() {
        // Abramowitz and Stegun, table 9.8
        for (x, tabled) in [(0.0, 1.0), (1.0, 0.465_759_607_6), (3.0, 0.243_000_354_2), (5.0, 0.183_540_812_6), (10.0, 0.127_833_337_2)] {
            let (factor, exponent) = bessel_i0_scaled(x);
            assert!((factor * libm::exp(exponent) - tabled).abs() < 3e-7, "{x}: {factor} {exponent}");
        }
        for x in [-1e-9f64, -1e-3, -0.05, -0.125, -0.5, -1.0, -5.0, -40.0, -1e3] {
            assert!((expm1_below(x) / libm::expm1(x) - 1.0).abs() < 1e-14, "{x}: {}", expm1_below(x));
        }
        assert_eq!(expm1_below(0.0), 0.0);
        // from 30 digits
        for (x, exact) in [
            (0.0, 0.561_459_483_566_9),
            (0.01, 0.567_088_099_254_7),
            (1.0, 1.245_309_301_991),
            (3.7, 3.720_211_956_84),
            (8.0, 8.000_301_330_658),
        ] {
            assert!((x_exp_e1(x) / exact - 1.0).abs() < 4e-9, "{x}: {}", x_exp_e1(x));
        }
    }
}
