//! Nitric oxide, ozone and nitrogen dioxide in sunlight: `NO + O₃ → NO₂ + O₂` and `NO₂ + hν → NO + O₃`. No world in it.
//!
//! `NOx = NO + NO₂` and `Ox = O₃ + NO₂` are what transport keeps; how they are shared between the three follows at read-out from
//! how long they have been mixed: `dx/dt = k (NOx − x)(Ox − x) − J x` for `x = NO₂` has a closed form. Background air is taken to
//! be steady as it is stated; only what a release changes reacts.
//!
//! Sources: k of the IUPAC Task Group on Atmospheric Chemical Kinetic Data Evaluation; J of a clear sky after Jenkin, Saunders and
//! Pilling, *Atmos. Environ.* 31, 1997, with the coefficients of the Master Chemical Mechanism; the read-out by travel time is that of ADMS
//! and its kin. Left out: cloud, organic peroxides, nitrogen dioxide from the reaction of NO with oxygen (below a ppm it is slow), air that is
//! not mixed below the cells: concentrations at the sensor are taken for the whole way.

use crate::units::GAS_CONSTANT_J_MOL_K;

/// Rate of NO with ozone: (A in cm³ s⁻¹, E/R in K).
const NO_O3: (f64, f64) = (2.07e-12, 1400.0);
/// Photolysis of NO₂: `l cos(χ)^m exp(−n/cos χ)` s⁻¹.
const NO2_LIGHT: (f64, f64, f64) = (1.165e-2, 0.244, 0.267);
/// Avogadro's constant, mol⁻¹: SI.
const AVOGADRO_MOL: f64 = 6.022_140_76e23;

/// Photolysis rate of nitrogen dioxide under a clear sky, s⁻¹, at this sine of the sun's elevation; 0 below the horizon.
#[must_use]
pub fn photolysis_per_s(sun_sine: f64) -> f64 {
    if sun_sine <= 0.0 {
        return 0.0;
    }
    NO2_LIGHT.0 * libm::pow(sun_sine, NO2_LIGHT.1) * libm::exp(-NO2_LIGHT.2 / sun_sine)
}

/// Rate of nitric oxide with ozone per unit mole fraction, s⁻¹.
#[must_use]
pub fn oxidation_per_s(temperature_k: f64, pressure_pa: f64) -> f64 {
    let molecules_cm3 = pressure_pa / (GAS_CONSTANT_J_MOL_K * temperature_k) * AVOGADRO_MOL * 1e-6;
    NO_O3.0 * libm::exp(-NO_O3.1 / temperature_k) * molecules_cm3
}

/// Mole fractions of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Oxides {
    /// Nitric oxide.
    pub no: f64,
    /// Nitrogen dioxide.
    pub no2: f64,
    /// Ozone.
    pub o3: f64,
}

impl Oxides {
    /// What is left of them after `dt_s` at the rates k (per unit mole fraction) and J, both in s⁻¹.
    #[must_use]
    pub fn after(self, k_per_s: f64, j_per_s: f64, dt_s: f64) -> Self {
        let (nox, ox) = (self.no + self.no2, self.o3 + self.no2);
        // x' = k (x − low)(x − high)
        let half = 0.5 * (nox + ox + j_per_s / k_per_s);
        let high = half + (half * half - nox * ox).max(0.0).sqrt();
        if high <= 0.0 {
            return self;
        }
        let low = nox * ox / high;
        let (from, decline) = (self.no2 - low, -k_per_s * (high - low) * dt_s);
        let met = if decline.abs() > 1e-12 { -libm::expm1(decline) / (high - low) } else { k_per_s * dt_s };
        let no2 = low + from * libm::exp(decline) / (1.0 - from * met);
        // rounding of cells may leave a trace below zero: no panic for that
        let no2 = no2.min(nox.min(ox)).max(0.0);
        Self { no: nox - no2, no2, o3: ox - no2 }
    }

    /// The same as part of this air, whose background is steady as it is: only the difference to what the background alone would do
    /// takes place.
    #[must_use]
    pub fn after_in(self, background: Self, k_per_s: f64, j_per_s: f64, dt_s: f64) -> Self {
        let of = |oxides: Self| oxides.after(k_per_s, j_per_s, dt_s).no2 - oxides.no2;
        let made = (of(self) - of(background)).min(self.no.min(self.o3)).max(-self.no2);
        Self { no: self.no - made, no2: self.no2 + made, o3: self.o3 - made }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_evaluations() {
        // 1.89e-14 cm³/s at 298 K in air of 2.46e19 molecules a cm³
        assert!((oxidation_per_s(298.15, 101_325.0) / (1.89e-14 * 2.461e19) - 1.0).abs() < 5e-3);
        assert!((photolysis_per_s(1.0) - 1.165e-2 * (-0.267f64).exp()).abs() < 1e-9 && photolysis_per_s(-0.1) == 0.0);
    }

    #[test]
    fn the_closed_form_is_the_solution_and_ends_in_the_photostationary_state() {
        let (k, j) = (4.6e5, 8e-3);
        for start in [
            Oxides { no: 80e-9, no2: 5e-9, o3: 40e-9 },
            Oxides { no: 0.0, no2: 60e-9, o3: 20e-9 },
            Oxides { no: 40e-9, no2: 0.0, o3: 40e-9 },
        ] {
            for j in [j, 0.0] {
                let mut stepped = start;
                for _ in 0..200_000 {
                    let made = (k * stepped.no * stepped.o3 - j * stepped.no2) * 1e-3;
                    stepped = Oxides { no: stepped.no - made, no2: stepped.no2 + made, o3: stepped.o3 - made };
                }
                let exact = start.after(k, j, 200.0);
                assert!((exact.no2 - stepped.no2).abs() < 1e-4 * 60e-9, "{start:?} {j}: {exact:?} {stepped:?}");
                // in two steps as in one
                let twice = start.after(k, j, 70.0).after(k, j, 130.0);
                assert!((exact.no2 - twice.no2).abs() < 1e-18);
            }
            let end = start.after(k, j, 1e6);
            assert!((k * end.no * end.o3 / (j * end.no2) - 1.0).abs() < 1e-9, "Leighton's relation");
            assert!((end.no + end.no2 - start.no - start.no2).abs() < 1e-20 && (end.o3 + end.no2 - start.o3 - start.no2).abs() < 1e-20);
        }
    }

    #[test]
    fn a_background_alone_stays_as_it_is_stated() {
        let background = Oxides { no: 1e-9, no2: 10e-9, o3: 35e-9 };
        assert_eq!(background.after_in(background, 4.6e5, 8e-3, 300.0), background);
        // and a little more changes it by little
        let more = Oxides { no: 1.1e-9, ..background };
        assert!((more.after_in(background, 4.6e5, 8e-3, 300.0).no2 - background.no2).abs() < 0.1e-9);
    }
}
