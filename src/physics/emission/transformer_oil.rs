//! Gas of mineral oil in a transformer with a fault: what the oil is broken into tells the fault.
//!
//! Mole fractions hold the ratios by which faults are told apart: partial discharge CH₄/H₂ < 0.1; below 300 °C methane and ethane;
//! 300–700 °C C₂H₄/C₂H₆ of 1 to 4, above 700 °C more; arcing C₂H₂/C₂H₄ > 0.6. Paper adds carbon oxides. Source: the ratios
//! of IEC 60599; the single fractions are design values within them. The rate is given: it depends on the energy of the fault.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::Spec;
use crate::units::{Finite, NonNegative};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// What is wrong inside.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum OilFault {
    /// Discharges in bubbles.
    PartialDischarge,
    /// Below 300 °C.
    Warm,
    /// 300 to 700 °C.
    Hot,
    /// Above 700 °C.
    VeryHot,
    /// An arc.
    Arcing,
}

/// The gases of a fault with their molar masses in g/mol.
const GASES: [(&str, f64); 7] =
    [("H2", 2.016), ("CH4", 16.043), ("C2H6", 30.070), ("C2H4", 28.054), ("C2H2", 26.038), ("CO", 28.010), ("CO2", 44.009)];

impl OilFault {
    /// Mole fractions in the order of `GASES`.
    const fn moles(self) -> [f64; 7] {
        match self {
            Self::PartialDischarge => [0.90, 0.07, 0.02, 0.005, 0.0, 0.005, 0.0],
            Self::Warm => [0.10, 0.40, 0.35, 0.05, 0.0, 0.03, 0.07],
            Self::Hot => [0.10, 0.38, 0.15, 0.32, 0.0, 0.02, 0.03],
            Self::VeryHot => [0.15, 0.24, 0.10, 0.48, 0.02, 0.01, 0.0],
            Self::Arcing => [0.60, 0.04, 0.01, 0.12, 0.22, 0.01, 0.0],
        }
    }
}

/// As written: `transformer_oil(fault: Arcing, rate_g_h: 20.0)`, with `from_s` and `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerOil {
    /// What is wrong.
    pub fault: OilFault,
    /// Gas that escapes, in g/h.
    pub rate_g_h: NonNegative,
    /// When it begins, seconds from the scenario's start; without it, always.
    #[serde(default)]
    pub from_s: Option<Finite>,
    /// When it ends; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

impl Spec for TransformerOil {}

impl Emitter for TransformerOil {
    const KIND: &'static str = "transformer_oil";
    const ABOUT: &'static str = "gas of mineral oil in a faulty transformer";

    fn components(&self) -> Vec<EmissionComponent> {
        let grams: Vec<f64> = GASES.iter().zip(self.fault.moles()).map(|((_, molar), moles)| molar * moles).collect();
        let whole: f64 = grams.iter().sum();
        let parts = GASES.iter().zip(&grams).filter(|(_, grams)| **grams > 0.0);
        let composition = parts.map(|((id, _), grams)| ((*id).to_owned(), grams / whole)).collect();
        vec![EmissionComponent { name: "fault_gas".to_owned(), composition }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        rates[0] = over.share_within(self.from_s, self.until_s) * self.rate_g_h.get() * 1e-3 / 3600.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_the_ratios_it_is_told_by() {
        let ratio = |fault: OilFault, a: &str, b: &str| {
            let at = |id: &str| fault.moles()[GASES.iter().position(|(name, _)| *name == id).unwrap()];
            at(a) / at(b)
        };
        assert!(ratio(OilFault::PartialDischarge, "CH4", "H2") < 0.1);
        assert!((1.0..4.0).contains(&ratio(OilFault::Hot, "C2H4", "C2H6")) && ratio(OilFault::VeryHot, "C2H4", "C2H6") > 4.0);
        assert!(ratio(OilFault::Arcing, "C2H2", "C2H4") > 1.0);
        for fault in [OilFault::PartialDischarge, OilFault::Warm, OilFault::Hot, OilFault::VeryHot, OilFault::Arcing] {
            assert!((fault.moles().iter().sum::<f64>() - 1.0).abs() < 1e-12, "{fault:?}");
        }
    }
}
