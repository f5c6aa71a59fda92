//! What wood gives off: whole-fire yields, and the yields of its parts when it is heated without a fire.

use std::collections::BTreeMap;

use super::pyrolysis::{CELLULOSE, HEMICELLULOSE, LIGNIN, Polymer, Pyrolysis, arrhenius_per_s};
use crate::units::{Duration, GAS_CONSTANT_J_MOL_K, Positive, kelvin};
use crate::world::emitter::EmissionComponent;

/// Share of the mass that is left `since_s` after ignition of a first-order loss that grows over `growth_s`.
pub(super) fn mass_left(rate_per_s: Positive, growth_s: Duration, since_s: f64) -> f64 {
    let (since, growth) = (since_s.max(0.0), growth_s.get());
    libm::exp(-rate_per_s.get() * (since + growth * libm::expm1(-since / growth)))
}

/// Composition from yields in grams a kilogram of dry fuel.
pub(super) fn composition(yields_g_kg: &BTreeMap<&str, f64>) -> Vec<(String, f64)> {
    yields_g_kg.iter().map(|(id, grams)| ((*id).to_owned(), grams * 1e-3)).collect()
}

/// How far the yield of a species of wood differs between one piece and another, as a geometric standard deviation: 2 where
/// whole-fire yields were `seen` in a table (Akagi et al., *Atmos. Chem. Phys.* 11, 2011), 3 where they rest on an order of magnitude. A choice of
/// ours. The carbon oxides hold nearly all of the carbon and are what the rest is compared with.
pub(super) fn yield_spread(species: &str, seen: bool) -> f64 {
    match species {
        "CO" | "CO2" | "H2O" => 1.0,
        "guaiacol" | "cresol" => 3.0,
        _ if seen => 2.0,
        _ => 3.0,
    }
}

/// A part of wood: its name, its share of dry mass, and what a kilogram of what it gives off holds, in grams.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) share: f64,
    kinetics: Kinetics,
    grams: &'static [(&'static str, f64)],
}

enum Kinetics {
    Pyrolysis(Polymer),
    /// Leaves at first order: (rate at the temperature in s⁻¹, that temperature in °C, activation energy in J mol⁻¹).
    Release(f64, f64, f64),
    /// The same as (A in s⁻¹, activation energy in J mol⁻¹).
    Drying(f64, f64),
}

/// The parts of dry softwood. Shares: Rowell, *Handbook of Wood Chemistry*, 2005, ch. 3 (softwood means). Phenols and guaiacols
/// come from lignin, furfural and acetic acid from hemicellulose, terpenes leave first; the figures are design values of the order
/// of pyrolysis work (Yang et al., *Fuel* 86, 2007: most carbon dioxide from hemicellulose, most methane and carbon monoxide
/// from lignin above 400 °C), so a ratio of two gases here is not a measurement.
///
/// Moisture comes first; its share is of the moisture there is. Drying after Chan, Kelbon and Krieger, *Fuel* 64, 1985.
pub(super) const PARTS: [Part; 5] = [
    Part { name: "moisture", share: 1.0, kinetics: Kinetics::Drying(5.13e10, 88e3), grams: &[("H2O", 1000.0)] },
    Part { name: "terpenes", share: 0.005, kinetics: Kinetics::Release(1e-3, 120.0, 50e3), grams: &[("alpha_pinene", 1000.0)] },
    Part {
        name: "hemicellulose",
        share: 0.28,
        kinetics: Kinetics::Pyrolysis(HEMICELLULOSE),
        grams: &[
            ("CO2", 150.0),
            ("CO", 40.0),
            ("acetic_acid", 60.0),
            ("furfural", 12.0),
            ("methanol", 15.0),
            ("formaldehyde", 6.0),
            ("acetaldehyde", 5.0),
        ],
    },
    Part {
        name: "cellulose",
        share: 0.43,
        kinetics: Kinetics::Pyrolysis(CELLULOSE),
        grams: &[("CO2", 50.0), ("CO", 45.0), ("formaldehyde", 10.0), ("acetaldehyde", 8.0), ("acrolein", 3.0), ("furfural", 3.0)],
    },
    Part {
        name: "lignin",
        share: 0.28,
        kinetics: Kinetics::Pyrolysis(LIGNIN),
        grams: &[
            ("CO2", 60.0),
            ("CO", 90.0),
            ("CH4", 40.0),
            ("methanol", 20.0),
            ("guaiacol", 15.0),
            ("phenol", 4.0),
            ("cresol", 4.0),
            ("benzene", 1.0),
            ("toluene", 1.0),
            ("formaldehyde", 3.0),
        ],
    },
];

impl Part {
    /// As a component of an emitter.
    pub(super) fn component(&self) -> EmissionComponent {
        EmissionComponent { name: self.name.to_owned(), composition: composition(&self.grams.iter().copied().collect()) }
    }

    /// What has become of a kilogram of it after `dt_s` at a temperature.
    pub(super) fn after(&self, state: &Pyrolysis, at_c: f64, dt_s: f64) -> Pyrolysis {
        match &self.kinetics {
            Kinetics::Pyrolysis(polymer) => state.after(polymer, at_c, dt_s),
            Kinetics::Release(rate, there_c, e) => {
                let inverse = 1.0 / kelvin(at_c) - 1.0 / kelvin(*there_c);
                released(state, dt_s * rate * libm::exp(-e / GAS_CONSTANT_J_MOL_K * inverse))
            }
            Kinetics::Drying(..) if at_c < DRIES_ABOVE_C => *state,
            Kinetics::Drying(a, e) => released(state, dt_s * arrhenius_per_s((*a, *e), at_c)),
        }
    }
}

/// How much of the char that the kinetics of the parts leaves is there in wood that keeps `char_pct` of its dry mass, heated by 5 K a
/// minute from 100 °C to 600 °C.
pub(super) fn char_factor(char_pct: f64) -> f64 {
    let mut states = [Pyrolysis::FRESH; PARTS.len()];
    for n in 0..500 {
        for (state, part) in states.iter_mut().zip(&PARTS) {
            *state = part.after(state, 100.5 + f64::from(n), 12.0);
        }
    }
    let left: f64 = states.iter().zip(&PARTS).skip(1).map(|(state, part)| part.share * (1.0 - state.volatiles())).sum();
    0.01 * char_pct / left
}

/// Below this temperature wood keeps its moisture, °C: chosen, in place of its balance with the air.
const DRIES_ABOVE_C: f64 = 50.0;

/// So many time constants of a loss at first order.
fn released(state: &Pyrolysis, time_constants: f64) -> Pyrolysis {
    let left = state.virgin * libm::exp(-time_constants);
    Pyrolysis { virgin: left, gas: 1.0 - left, ..*state }
}

/// Water vapour of a fire in grams a kilogram of dry wood: its moisture, and nine tenths of what its hydrogen makes, 6 % of dry mass
/// (Rowell, ch. 3).
pub(super) fn water_g_kg(moisture_pct: f64) -> f64 {
    10.0 * moisture_pct + 0.9 * 0.06 * 1000.0 * 18.015 / 2.016
}

/// Heat of a kilogram of pine that burns with a flame, J: Tewarson, *SFPE Handbook*, 2002, table 3-4.14.
pub(super) const COMBUSTION_J_KG: f64 = 12.4e6;
/// Share of it that goes into the plume: Heskestad, the same, ch. 2-1.
pub(super) const CONVECTED: f64 = 0.7;

/// Moisture of dead wood in fair weather, percent of dry mass: Simard, *The moisture content of forest fuels*, Forest Fire
/// Research Institute FF-X-14, 1968, at 30 °C and 50 %.
pub(super) const FAIR_WEATHER_MOISTURE_PCT: f64 = 9.0;

/// What each part of a kilogram of dry wood has given off by the end of each second, kg.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenOff {
    from_s: f64,
    seconds: Vec<[f64; PARTS.len()]>,
}

impl GivenOff {
    /// Follows the temperature (a function of seconds since `start`) second by second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a length of time")]
    pub(super) fn new(from_s: f64, to_s: f64, char_factor: f64, temperature_c: impl Fn(f64) -> f64) -> Self {
        let mut states = [Pyrolysis::FRESH; PARTS.len()];
        let given = |states: &[Pyrolysis; PARTS.len()]| std::array::from_fn(|n| PARTS[n].share * states[n].given_off(char_factor));
        let mut seconds = vec![given(&states)];
        for n in 0..(to_s - from_s).ceil().max(0.0) as usize {
            let at_c = temperature_c(from_s + n as f64 + 0.5);
            for (state, part) in states.iter_mut().zip(&PARTS) {
                *state = part.after(state, at_c, 1.0);
            }
            seconds.push(given(&states));
        }
        Self { from_s, seconds }
    }

    /// What each part has given off by a time, kg per kg of dry wood.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the list")]
    pub(super) fn by(&self, at_s: f64) -> [f64; PARTS.len()] {
        let at = (at_s - self.from_s).clamp(0.0, (self.seconds.len() - 1) as f64);
        let low = at as usize;
        let (a, b) = (&self.seconds[low], &self.seconds[(low + 1).min(self.seconds.len() - 1)]);
        std::array::from_fn(|n| a[n] + (b[n] - a[n]) * (at - low as f64))
    }
}
