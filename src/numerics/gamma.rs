//! The gamma law: its distribution function and its quantiles.
//!
//! `P(a, x) = γ(a, x)/Γ(a)` by its power series below `x = a + 1` and by its continued fraction (Lentz) above; the quantile by
//! Newton's method on it. Sources: Abramowitz and Stegun, 6.5.29 and 6.5.31; Lentz, *Applied Optics* 15, 1976.

/// Terms after which a series has converged for every argument used here.
const MOST_TERMS: usize = 500;

/// `P(a, x)`: the share of a gamma law of shape `a` and scale 1 that lies below `x`.
#[must_use]
pub fn gamma_below(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..MOST_TERMS {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return front * sum;
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut fraction = d;
    for n in 1..MOST_TERMS {
        let an = -(n as f64) * (n as f64 - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        c = if c.abs() < tiny { tiny } else { c };
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    1.0 - front * fraction
}

/// The value below which the share `p` of a gamma law of shape `a` and scale 1 lies; `p` is kept inside (1e-12, 1 − 1e-12).
#[must_use]
pub fn gamma_quantile(a: f64, p: f64) -> f64 {
    let p = p.clamp(1e-12, 1.0 - 1e-12);
    // for small arguments P(a, x) ≈ x^a / Γ(a + 1); for large ones the cube-root law of Wilson and Hilferty
    let small = libm::exp((libm::log(p) + libm::lgamma(a + 1.0)) / a);
    if small < 1e-6 * (a + 1.0) {
        return small;
    }
    let mut low = 0.0;
    let mut high = small.max(a) + 1.0;
    while gamma_below(a, high) < p {
        (low, high) = (high, 2.0 * high);
    }
    let mut x = if small < a { small } else { f64::midpoint(low, high) };
    for _ in 0..100 {
        let excess = gamma_below(a, x) - p;
        (low, high) = if excess > 0.0 { (low, x) } else { (x, high) };
        let slope = libm::exp((a - 1.0) * libm::log(x) - x - libm::lgamma(a));
        let newton = x - excess / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - x).abs() <= 1e-12 * x {
            return next;
        }
        x = next;
    }
    x
}

/// The share of a standard normal law below `z`.
#[must_use]
pub fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_concentration_laws_are_as_published() {
        // shape 1/i², scale i² × mean: the share above some multiples of the mean
        for (i, above, share) in [
            (0.5, 2.0, 0.042_380_1),
            (1.0, 2.0, 0.135_335),
            (1.0, 5.0, 6.737_95e-3),
            (1.5, 5.0, 0.029_300_4),
            (2.0, 5.0, 0.047_246_7),
            (2.0, 10.0, 9.213_75e-3),
        ] {
            let k = 1.0 / (i * i);
            let tail = 1.0 - gamma_below(k, above * k);
            assert!((tail / share - 1.0).abs() < 1e-5, "i {i}: {tail}");
        }
        for (i, p99) in [(0.5, 2.511_28), (1.0, 4.605_17), (1.5, 7.077_06), (2.0, 9.735_54)] {
            let k = 1.0 / (i * i);
            assert!((gamma_quantile(k, 0.99) / k / p99 - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_quantile_leads_back_to_its_share() {
        for a in [0.06, 0.25, 1.0, 3.7, 40.0] {
            for p in [1e-9, 1e-3, 0.2, 0.5, 0.9, 0.999_9] {
                let back = gamma_below(a, gamma_quantile(a, p));
                assert!((back / p - 1.0).abs() < 1e-5, "{a} {p}: {back}");
            }
        }
    }
}
