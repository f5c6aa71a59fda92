//! How well a model agrees with measurements: the statistics that dispersion modellers quote.
//!
//! With observations `o` and predictions `p`, paired in time and space:
//! `FB = 2 (⟨o⟩ − ⟨p⟩) / (⟨o⟩ + ⟨p⟩)`, `NMSE = ⟨(o − p)²⟩ / (⟨o⟩⟨p⟩)`, `R` the linear correlation, and over the pairs in
//! which both lie above a floor `MG = exp⟨ln o/p⟩`, `VG = exp⟨(ln o/p)²⟩`, `FAC2` the share with `0.5 ≤ p/o ≤ 2`.
//! A perfect model has FB = NMSE = 0 and the others 1. FB > 0 and MG > 1 say that it predicts too little.
//! Source: Chang & Hanna, *Air quality model performance evaluation*, Meteorol. Atmos. Phys. 87, 2004.

/// Statistics of one comparison; the unit of the quantity does not matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Pairs in all.
    pub pairs: usize,
    /// Pairs in which both values lie above the floor: those of FAC2, MG and VG.
    pub pairs_above: usize,
    /// Fractional bias.
    pub fb: f64,
    /// Normalised mean square error.
    pub nmse: f64,
    /// Share of predictions within a factor of two.
    pub fac2: f64,
    /// Geometric mean bias.
    pub mg: f64,
    /// Geometric variance.
    pub vg: f64,
    /// Linear correlation.
    pub r: f64,
}

impl Agreement {
    /// Compares predictions with observations. A statistic that is not defined (no pair above the floor, a constant
    /// series) is NaN.
    ///
    /// # Panics
    /// If the two slices differ in length: a bug in the caller.
    ///
    /// ```
    /// use envirosense::numerics::agreement::Agreement;
    /// let half = Agreement::of(&[1.0, 2.0, 4.0], &[0.5, 1.0, 2.0], 0.1);
    /// assert_eq!((half.mg, half.fac2, half.r), (2.0, 1.0, 1.0));
    /// assert!((half.fb - 2.0 / 3.0).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn of(observed: &[f64], predicted: &[f64], floor: f64) -> Self {
        assert_eq!(observed.len(), predicted.len(), "observations and predictions are paired");
        let pairs = || observed.iter().copied().zip(predicted.iter().copied());
        let mean = |of: &dyn Fn(f64, f64) -> f64| pairs().map(|(o, p)| of(o, p)).sum::<f64>() / observed.len() as f64;
        let (mean_o, mean_p) = (mean(&|o, _| o), mean(&|_, p| p));
        let covariance = mean(&|o, p| (o - mean_o) * (p - mean_p));
        let (variance_o, variance_p) = (mean(&|o, _| (o - mean_o).powi(2)), mean(&|_, p| (p - mean_p).powi(2)));
        let ratios: Vec<f64> = pairs().filter(|(o, p)| *o > floor && *p > floor).map(|(o, p)| o / p).collect();
        let mean_ratio = |of: &dyn Fn(f64) -> f64| ratios.iter().map(|ratio| of(*ratio)).sum::<f64>() / ratios.len() as f64;
        Self {
            pairs: observed.len(),
            pairs_above: ratios.len(),
            fb: 2.0 * (mean_o - mean_p) / (mean_o + mean_p),
            nmse: mean(&|o, p| (o - p).powi(2)) / (mean_o * mean_p),
            fac2: mean_ratio(&|ratio| f64::from(u8::from((0.5..=2.0).contains(&ratio)))),
            mg: mean_ratio(&f64::ln).exp(),
            vg: mean_ratio(&|ratio| ratio.ln().powi(2)).exp(),
            r: covariance / (variance_o * variance_p).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_model_has_perfect_statistics() {
        let values = [0.3, 2.0, 0.01, 5.0];
        let same = Agreement::of(&values, &values, 0.02);
        assert_eq!((same.pairs, same.pairs_above), (4, 3));
        assert_eq!((same.fb, same.nmse, same.fac2, same.mg, same.vg), (0.0, 0.0, 1.0, 1.0, 1.0));
        assert!((same.r - 1.0).abs() < 1e-12);
    }

    #[test]
    fn geometric_variance_of_a_factor_three_is_exp_of_its_squared_logarithm() {
        let three = Agreement::of(&[3.0, 1.0], &[1.0, 3.0], 0.0);
        assert!((three.vg - 3.0f64.ln().powi(2).exp()).abs() < 1e-12);
        assert!((three.mg - 1.0).abs() < 1e-12 && three.fac2 == 0.0 && (three.r + 1.0).abs() < 1e-12);
    }
}
