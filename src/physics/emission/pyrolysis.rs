//! Pyrolysis of the polymers of wood: each becomes active, then tar, or char and gas, all at first order.
//!
//! `v' = −k₁ v`, `a' = k₁ v − (k₂ + k₃) a`, tar `k₂ a`, char `X k₃ a`, gas `(1 − X) k₃ a`, `k = A exp(−E/RT)`. A step at
//! constant temperature is exact. Sources: Bradbury, Sakai and Shafizadeh, *J. Appl. Polym. Sci.* 23, 1979 (cellulose); Miller
//! and Bellan, *Combust. Sci. Technol.* 126, 1997 (hemicellulose, lignin). Left out: heat of reaction, cracking of tar, oxygen.

use crate::units::{GAS_CONSTANT_J_MOL_K, kelvin};

/// A polymer: (A in s⁻¹, E in J mol⁻¹) of activation, tar and char, and the char share of the last.
#[derive(Clone, Copy, Debug)]
pub struct Polymer {
    activation: (f64, f64),
    tar: (f64, f64),
    char: (f64, f64),
    char_share: f64,
}

/// Cellulose.
pub const CELLULOSE: Polymer = Polymer { activation: (2.8e19, 242.4e3), tar: (3.2e14, 196.5e3), char: (1.3e10, 150.5e3), char_share: 0.35 };
/// Hemicellulose.
pub const HEMICELLULOSE: Polymer =
    Polymer { activation: (2.1e16, 186.7e3), tar: (8.75e15, 202.4e3), char: (2.6e11, 145.7e3), char_share: 0.60 };
/// Lignin.
pub const LIGNIN: Polymer = Polymer { activation: (9.6e8, 107.6e3), tar: (1.5e9, 143.8e3), char: (7.7e6, 111.4e3), char_share: 0.75 };

/// What has become of a kilogram of a polymer, in kg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pyrolysis {
    /// Not touched yet.
    pub virgin: f64,
    /// Active.
    pub active: f64,
    /// Left as tar.
    pub tar: f64,
    /// Left as gas.
    pub gas: f64,
    /// Stays.
    pub char: f64,
}

impl Pyrolysis {
    /// A kilogram to begin with.
    pub const FRESH: Self = Self { virgin: 1.0, active: 0.0, tar: 0.0, gas: 0.0, char: 0.0 };

    /// All that has left the solid.
    #[must_use]
    pub fn volatiles(&self) -> f64 {
        self.tar + self.gas
    }

    /// The state after `dt_s` at a temperature in °C.
    #[must_use]
    pub fn after(&self, polymer: &Polymer, temperature_c: f64, dt_s: f64) -> Self {
        let rate = |(a, e): (f64, f64)| a * libm::exp(-e / (GAS_CONSTANT_J_MOL_K * kelvin(temperature_c)));
        let (k1, k2, k3) = (rate(polymer.activation), rate(polymer.tar), rate(polymer.char));
        let k = k2 + k3;
        let virgin = self.virgin * libm::exp(-k1 * dt_s);
        // the active part: what is left of it, and what of the newly activated has not gone on
        let (slow, fast) = (k1.min(k), k1.max(k));
        let between = if fast - slow > 1e-9 * fast {
            -libm::exp(-slow * dt_s) * libm::expm1(-(fast - slow) * dt_s) / (fast - slow)
        } else {
            dt_s * libm::exp(-slow * dt_s)
        };
        let active = self.active * libm::exp(-k * dt_s) + k1 * self.virgin * between;
        let gone = self.virgin + self.active - virgin - active;
        let (to_tar, to_char) = if k > 0.0 { (gone * k2 / k, gone * k3 / k) } else { (0.0, 0.0) };
        Self {
            virgin,
            active,
            tar: self.tar + to_tar,
            gas: self.gas + (1.0 - polymer.char_share) * to_char,
            char: self.char + polymer.char_share * to_char,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cellulose_at_300_degrees_has_its_published_states() {
        for (time, [virgin, active, tar, gas, char]) in [
            (60.0, [0.872_619, 0.124_890, 1.526_10e-3, 6.272_88e-4, 3.377_70e-4]),
            (300.0, [0.505_968, 0.444_235, 0.030_505_9, 0.012_539_1, 6.751_84e-3]),
            (900.0, [0.129_530, 0.600_444, 0.165_420, 0.067_994_1, 0.036_612_2]),
        ] {
            for steps in [1, 100] {
                let state = (0..steps).fold(Pyrolysis::FRESH, |s, _| s.after(&CELLULOSE, 300.0, time / f64::from(steps)));
                for (got, published) in
                    [state.virgin, state.active, state.tar, state.gas, state.char].iter().zip([virgin, active, tar, gas, char])
                {
                    assert!((got / published - 1.0).abs() < 5e-3, "{time}: {got} {published}");
                }
                let sum = state.virgin + state.active + state.tar + state.gas + state.char;
                assert!((sum - 1.0).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn mass_loss_peaks_where_it_should_at_four_heating_rates() {
        for (k_min, peak_c, residue) in
            [(1.0, 311.1, 0.123_511), (5.0, 333.85, 0.096_964_8), (10.0, 344.5, 0.086_675), (40.0, 367.4, 0.068_396)]
        {
            let step_k = 0.02;
            let dt_s = step_k / k_min * 60.0;
            let (mut state, mut best) = (Pyrolysis::FRESH, (0.0, 0.0));
            for n in 0..23_500 {
                let at_c = 30.0 + (f64::from(n) + 0.5) * step_k;
                let next = state.after(&CELLULOSE, at_c, dt_s);
                let loss = next.volatiles() - state.volatiles();
                best = if loss > best.0 { (loss, at_c) } else { best };
                state = next;
            }
            assert!((best.1 - peak_c).abs() < 0.5, "{k_min} K/min: {}", best.1);
            let left = 1.0 - state.volatiles();
            assert!((left / residue - 1.0).abs() < 5e-3, "{k_min} K/min: {left}");
        }
    }

    #[test]
    fn hemicellulose_goes_first_and_lignin_over_the_widest_range() {
        let half_c = |polymer: &Polymer| {
            let mut state = Pyrolysis::FRESH;
            let whole = (0..6000).fold(Pyrolysis::FRESH, |s, n| s.after(polymer, 50.0 + f64::from(n) * 0.1, 0.6)).volatiles();
            (0..6000)
                .map(|n| 50.0 + f64::from(n) * 0.1)
                .find(|at_c| {
                    state = state.after(polymer, *at_c, 0.6);
                    state.volatiles() > 0.5 * whole
                })
                .unwrap()
        };
        assert!(half_c(&HEMICELLULOSE) < half_c(&CELLULOSE) - 20.0);
        assert!((200.0..300.0).contains(&half_c(&HEMICELLULOSE)), "{}", half_c(&HEMICELLULOSE));
    }
}
