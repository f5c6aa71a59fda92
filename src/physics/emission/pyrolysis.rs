//! Pyrolysis of the polymers of wood: each becomes active, then tar, or char and gas, all at first order.
//!
//! `v' = −k₁ v`, `a' = k₁ v − (k₂ + k₃) a`, tar `k₂ a`, char `X k₃ a`, gas `(1 − X) k₃ a`, `k = A exp(−E/RT)`. A step at
//! constant temperature is exact. Sources: Bradbury, Sakai and Shafizadeh, *J. Appl. Polym. Sci.* 23, 1979 (cellulose); Miller
//! and Bellan, *Combust. Sci. Technol.* 126, 1997 (hemicellulose, lignin). Left out: heat of reaction, cracking of tar, oxygen.

use serde::{Deserialize, Serialize};

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

/// Rate of a reaction, A in s⁻¹ and E in J mol⁻¹, at a temperature: `A exp(−E/RT)`, s⁻¹.
#[must_use]
pub fn arrhenius_per_s((a, e): (f64, f64), temperature_c: f64) -> f64 {
    a * libm::exp(-e / (GAS_CONSTANT_J_MOL_K * kelvin(temperature_c)))
}

/// What has become of a kilogram of a polymer, in kg.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

    /// All that has left the solid where it keeps `char_factor` of the char that the kinetics leaves.
    #[must_use]
    pub fn given_off(&self, char_factor: f64) -> f64 {
        self.volatiles() + (1.0 - char_factor) * self.char
    }

    /// The state after `dt_s` at a temperature in °C.
    #[must_use]
    pub fn after(&self, polymer: &Polymer, temperature_c: f64, dt_s: f64) -> Self {
        let [k1, k2, k3] = [polymer.activation, polymer.tar, polymer.char].map(|law| arrhenius_per_s(law, temperature_c));
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
