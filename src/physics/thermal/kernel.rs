//! Air near the ground over a day.

/// Air temperature of a daily cosine: `mean + swing cos(2π (h − peak)/24)`.
///
/// A first harmonic fits clear-sky days within 1–2 K; Parton and Logan, *Agric. Meteorol.* 23, 1981, give
/// asymmetric forms. Hours are local solar time.
#[must_use]
pub fn diurnal(mean: f64, swing: f64, peak_h: f64, hour: f64) -> f64 {
    mean + swing * libm::cos(std::f64::consts::TAU * (hour - peak_h) / 24.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warmest_hour_is_the_peak_and_the_coldest_twelve_hours_off() {
        assert!((diurnal(20.0, 8.0, 15.0, 15.0) - 28.0).abs() < 1e-12);
        assert!((diurnal(20.0, 8.0, 15.0, 3.0) - 12.0).abs() < 1e-12);
    }
}
