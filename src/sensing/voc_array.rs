//! VOC array: eight metal-oxide elements that all answer to every gas, and a firmware that tells six gases apart.
//!
//! `R = R0 exp(−kT (T − 20)) (1 + Σ K C + Kw e)^−β (1 + Σ Kox Cox)^γ`, e the vapour pressure in hPa, C in ppb.
//! The firmware inverts it with the reported temperature and humidity of another sensor:
//! `y = (R/(R0 gT))^(−1/β) − 1 − Kw e`, `C = (KᵀW²K)⁻¹ KᵀW² y` (signed least squares, weights β).
//! Without a usable climate report it assumes 20 °C and 50 %RH.
//!
//! Sources: Clifford and Tuma, *Sensors and Actuators* 3, 1982/83 (law); Figaro TGS2600 in wind-tunnel plumes
//! (rise 4.8 s, decay 18.75 s, as used by the GADEN simulator); coefficients: `assets/arrays.ron`. Spread of units
//! (design values): R0 30 %, β 10 %, K 20 %, Kw and kT 10 %. The factory calibrates each element in
//! clean air at 20 °C and 50 %RH to 0.3 % (the element's own flicker) and knows β to 2 %.
//! Left out: poisoning, burn-in, baseline tracking, warm-up, wind cooling of the heater.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

use crate::files::kinds::{Kinds, Spec};
use crate::files::library::shipped;
use crate::files::species::SpeciesTable;
use crate::sensing::noise::Noise;
use crate::sensing::response::Lag;
use crate::sensing::result::Report;
use crate::sensing::{AppSensorExt, Bias, Channel, Converter, Partners, Quantity, Scale, Sensor, Signal};
use crate::streams::Draws;
use crate::units::{NonNegative, Positive, celsius, saturation_vapour_hpa};
use crate::world::environment::Surroundings;

/// Response of an element to a puff.
const LAG: Lag = Lag { rise_s: 4.8, decay_s: 18.75, falling: true };
/// Air the firmware assumes without a climate report: temperature in °C, relative humidity in percent.
const ASSUMED: (f64, f64) = (20.0, 50.0);
/// Smallest and largest resistance the front end can read, in ohm.
const RANGE_OHM: (f64, f64) = (100.0, 1e8);

/// One array as written in `assets/arrays.ron`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Array {
    /// The name product files use.
    pub id: String,
    /// Where the figures come from.
    pub source: String,
    /// Gases the firmware tells apart.
    pub targets: Vec<String>,
    /// Gases that raise the resistance.
    pub oxidising: Vec<Oxidiser>,
    /// Exponent of the oxidising factor.
    pub gamma: NonNegative,
    /// The elements.
    pub elements: Vec<Element>,
}

/// An oxidising gas.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oxidiser {
    /// Which gas.
    pub species: String,
    /// Coefficient per ppb.
    pub k_per_ppb: NonNegative,
}

/// One element.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Its name.
    pub id: String,
    /// Nominal resistance in dry clean air at 20 °C.
    pub r0_ohm: Positive,
    /// Exponent.
    pub beta: Positive,
    /// Water coefficient per hPa.
    pub k_water_per_hpa: NonNegative,
    /// Temperature coefficient per kelvin.
    pub k_temperature_per_k: NonNegative,
    /// Gas coefficients per ppb.
    pub k_per_ppb: BTreeMap<String, NonNegative>,
}

#[derive(Deserialize)]
#[serde(rename = "Arrays", deny_unknown_fields)]
struct ArraysFile {
    arrays: Vec<Array>,
}

/// The arrays that ship with the program.
///
/// # Panics
/// If the shipped file is broken: a bug that the tests of this module catch.
pub fn shipped_arrays() -> &'static [Arc<Array>] {
    static ARRAYS: OnceLock<Vec<Arc<Array>>> = OnceLock::new();
    ARRAYS.get_or_init(|| {
        let source = shipped("assets/arrays.ron").expect("arrays.ron ships with the program");
        // a registry of its own: this may run while another file is being read
        let file: ArraysFile = crate::files::read(&source, &Kinds::default()).unwrap_or_else(|fault| panic!("{}", fault.render(false)));
        file.arrays.into_iter().map(Arc::new).collect()
    })
}

/// As written: `voc_array(array: "tfsgs_multi2")`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(try_from = "VocArrayFile")]
pub struct VocArray {
    array: Arc<Array>,
    targets: Vec<usize>,
    /// (species, coefficient) of each element.
    gases: Vec<Vec<(usize, f64)>>,
    oxidisers: Vec<(usize, f64)>,
    /// Least-squares inverse, target by element.
    inverse: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VocArrayFile {
    array: String,
}

impl TryFrom<VocArrayFile> for VocArray {
    type Error = String;
    fn try_from(file: VocArrayFile) -> Result<Self, String> {
        let known = shipped_arrays();
        let array = known.iter().find(|array| array.id == file.array).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|array| array.id.as_str()).collect();
            format!("no array is called `{}`; known here: {}", file.array, names.join(", "))
        })?;
        let inverse = weighted_inverse(array);
        Ok(Self { array: Arc::clone(array), targets: Vec::new(), gases: Vec::new(), oxidisers: Vec::new(), inverse })
    }
}

impl Spec for VocArray {}

/// What was drawn for one element of one unit, and what its factory calibration knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct UnitElement {
    r0_ohm: f64,
    beta: f64,
    k_water_per_hpa: f64,
    k_temperature_per_k: f64,
    known_r0_ohm: f64,
    known_beta: f64,
}

/// One unit's elements.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitArray {
    elements: Vec<UnitElement>,
    /// Factor on each gas coefficient, element by element, in the order of the array's gas names.
    sensitivity: Vec<Vec<f64>>,
}

/// Resistance of one element; gases in ppb, vapour pressure in hPa, temperature in °C.
///
/// `reducing` is Σ K C, `oxidising` Σ Kox Cox.
#[must_use]
#[expect(clippy::too_many_arguments, reason = "the symbols of the law, in its order")]
pub fn resistance(
    r0_ohm: f64,
    k_temperature_per_k: f64,
    temperature_c: f64,
    reducing: f64,
    k_water_per_hpa: f64,
    vapour_hpa: f64,
    beta: f64,
    oxidising: f64,
    gamma: f64,
) -> f64 {
    let g_t = libm::exp(-k_temperature_per_k * (temperature_c - 20.0));
    r0_ohm * g_t * libm::pow(1.0 + reducing + k_water_per_hpa * vapour_hpa, -beta) * libm::pow(1.0 + oxidising, gamma)
}

impl VocArray {
    /// What the firmware makes of resistances: target mole fractions in ppb.
    fn invert(&self, unit: &UnitArray, raw_ohm: &[f64], temperature_c: f64, vapour_hpa: f64) -> Vec<f64> {
        let y: Vec<f64> = raw_ohm
            .iter()
            .zip(&self.array.elements)
            .zip(&unit.elements)
            .map(|((ohm, nominal), own)| {
                let g_t = libm::exp(-nominal.k_temperature_per_k.get() * (temperature_c - 20.0));
                libm::pow(ohm / (own.known_r0_ohm * g_t), -1.0 / own.known_beta) - 1.0 - nominal.k_water_per_hpa.get() * vapour_hpa
            })
            .collect();
        self.inverse.iter().map(|row| row.iter().zip(&y).map(|(p, y)| p * y).sum()).collect()
    }

    /// By how much a report shifts when the vapour pressure the firmware believes is off by `delta_hpa`, in ppb.
    ///
    /// The firmware subtracts `Kw e` before a linear inversion, so the shift is `−P Kw Δe` whatever the air holds.
    #[must_use]
    pub fn shift_by_vapour(&self, delta_hpa: f64) -> Vec<f64> {
        let k_water: Vec<f64> = self.array.elements.iter().map(|e| e.k_water_per_hpa.get()).collect();
        self.inverse.iter().map(|row| -delta_hpa * row.iter().zip(&k_water).map(|(p, k)| p * k).sum::<f64>()).collect()
    }
}

/// `(KᵀW²K)⁻¹ KᵀW²` for the targets of an array, weights β.
fn weighted_inverse(array: &Array) -> Vec<Vec<f64>> {
    let coefficient = |element: &Element, gas: &str| element.k_per_ppb.get(gas).map_or(0.0, |k| k.get());
    let n = array.targets.len();
    let mut normal = vec![vec![0.0; n]; n];
    let mut right = vec![vec![0.0; array.elements.len()]; n];
    for (column, element) in array.elements.iter().enumerate() {
        let weight = element.beta.get() * element.beta.get();
        for row in 0..n {
            let k = coefficient(element, &array.targets[row]) * weight;
            right[row][column] = k;
            for (other, cell) in normal[row].iter_mut().enumerate() {
                *cell += k * coefficient(element, &array.targets[other]);
            }
        }
    }
    solve(normal, right)
}

/// Solves a small dense system with several right-hand sides by elimination with partial pivoting.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|x, y| a[*x][column].abs().total_cmp(&a[*y][column].abs())).unwrap_or(column);
        a.swap(column, pivot);
        b.swap(column, pivot);
        let (pivot_a, pivot_b) = (a[column].clone(), b[column].clone());
        for row in (0..n).filter(|row| *row != column) {
            let factor = a[row][column] / pivot_a[column];
            for (cell, p) in a[row].iter_mut().zip(&pivot_a) {
                *cell -= factor * p;
            }
            for (cell, p) in b[row].iter_mut().zip(&pivot_b) {
                *cell -= factor * p;
            }
        }
    }
    for (row, list) in b.iter_mut().enumerate() {
        for cell in list {
            *cell /= a[row][row];
        }
    }
    b
}

impl Sensor for VocArray {
    const KIND: &'static str = "voc_array";
    const ABOUT: &'static str = "eight metal-oxide elements, six gases by firmware";
    type State = UnitArray;

    fn quantities(&self) -> Vec<Quantity> {
        let channel =
            |name: &String| Channel { name: name.clone(), lag: Lag { falling: false, ..LAG }, span: (-2_000.0, 20_000.0), systematic: 5.0 };
        vec![Quantity {
            capability: "mole_fraction_of_gases_in_air",
            unit: "[ppb]",
            channels: self.array.targets.iter().map(channel).collect(),
            raw_unit: "Ohm",
            raw: self.array.elements.iter().map(|e| e.id.clone()).collect(),
        }]
    }

    fn signals(&self) -> Vec<Signal> {
        let (min, max) = (libm::log(RANGE_OHM.0), libm::log(RANGE_OHM.1));
        let signal = |element: &Element| Signal {
            name: element.id.clone(),
            scale: Scale::Logarithmic,
            lag: LAG,
            // baseline walk of 2 % in the square root of a day: typical of the class
            bias: Bias { gain: 0.0, offset: 0.0, drift_per_sqrt_day: 0.02 },
            noise: Noise { white: 0.003, flicker: 0.003 },
            converter: Converter { min, max, step: (max - min) / 65_535.0 },
        };
        self.array.elements.iter().map(signal).collect()
    }

    fn resolve(&mut self, species: &SpeciesTable) {
        self.targets = self.array.targets.iter().filter_map(|id| species.index(id)).collect();
        let of = |element: &Element| element.k_per_ppb.iter().filter_map(|(id, k)| Some((species.index(id)?, k.get()))).collect::<Vec<_>>();
        self.gases = self.array.elements.iter().map(of).collect();
        self.oxidisers = self.array.oxidising.iter().filter_map(|o| Some((species.index(&o.species)?, o.k_per_ppb.get()))).collect();
    }

    fn lacks(&self, species: &str) -> bool {
        let reducing = self.array.elements.iter().all(|element| element.k_per_ppb.contains_key(species));
        // to water vapour it answers by its humidity coefficients
        species != "H2O" && !reducing && !self.array.oxidising.iter().any(|oxidiser| oxidiser.species == species)
    }

    fn manufacture(&self, draws: &mut Draws, state: &mut UnitArray) {
        for element in &self.array.elements {
            let r0_ohm = element.r0_ohm.get() * draws.log_normal(0.3);
            let beta = element.beta.get() * (1.0 + 0.1 * draws.normal());
            let k_water_per_hpa = element.k_water_per_hpa.get() * (1.0 + 0.1 * draws.normal());
            let k_temperature_per_k = element.k_temperature_per_k.get() * (1.0 + 0.1 * draws.normal());
            let known_beta = beta * (1.0 + 0.02 * draws.normal());
            // the factory measures the element in clean air of the assumed climate, and works R0 out with nominal Kw
            let vapour_hpa = 0.01 * ASSUMED.1 * saturation_vapour_hpa(ASSUMED.0);
            let measured = resistance(r0_ohm, k_temperature_per_k, ASSUMED.0, 0.0, k_water_per_hpa, vapour_hpa, beta, 0.0, 0.0);
            let dry = libm::pow(1.0 + element.k_water_per_hpa.get() * vapour_hpa, known_beta);
            let known_r0_ohm = measured * dry * draws.log_normal(0.003);
            state.elements.push(UnitElement { r0_ohm, beta, k_water_per_hpa, k_temperature_per_k, known_r0_ohm, known_beta });
            state.sensitivity.push(element.k_per_ppb.keys().map(|_| draws.log_normal(0.2)).collect());
        }
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        for (value, species) in out.iter_mut().zip(&self.targets) {
            *value = air.gas[*species] * 1e9;
        }
    }

    fn transduce(&self, state: &UnitArray, air: &Surroundings, out: &mut [f64]) {
        let (temperature_c, vapour_hpa) = (celsius(air.temperature_k), air.vapour_hpa());
        let oxidising = self.oxidisers.iter().map(|(species, k)| k * air.gas[*species] * 1e9).sum();
        for (index, (value, own)) in out.iter_mut().zip(&state.elements).enumerate() {
            let reducing =
                self.gases[index].iter().zip(&state.sensitivity[index]).map(|((species, k), f)| f * k * air.gas[*species] * 1e9).sum();
            *value = resistance(
                own.r0_ohm,
                own.k_temperature_per_k,
                temperature_c,
                reducing,
                own.k_water_per_hpa,
                vapour_hpa,
                own.beta,
                oxidising,
                self.array.gamma.get(),
            );
        }
    }

    fn firmware(&self, raw: &[f64], partners: &Partners, state: &mut UnitArray, report: &mut Report) {
        let climate = partners.get("temperature").zip(partners.get("humidity"));
        let (temperature_c, humidity_pct) = climate.unwrap_or(ASSUMED);
        if climate.is_some() {
            report.compensations.extend(partners.sensor("humidity").map(str::to_owned));
        }
        let vapour_hpa = 0.01 * humidity_pct * saturation_vapour_hpa(temperature_c);
        for (value, ppb) in report.values.iter_mut().zip(self.invert(state, raw, temperature_c, vapour_hpa)) {
            *value = Some(ppb);
        }
    }
}

/// Lets products mount a [`VocArray`].
#[derive(Clone, Copy, Debug, Default)]
pub struct VocArrayPlugin;

impl Plugin for VocArrayPlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<VocArray>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::kelvin;

    fn array() -> (VocArray, SpeciesTable) {
        let species = SpeciesTable::shipped();
        let mut array: VocArray = ron::from_str("(array: \"tfsgs_multi2\")").unwrap();
        array.resolve(&species);
        (array, species)
    }

    /// A unit whose every parameter is nominal and known.
    fn nominal(array: &VocArray) -> UnitArray {
        let element = |e: &Element| UnitElement {
            r0_ohm: e.r0_ohm.get(),
            beta: e.beta.get(),
            k_water_per_hpa: e.k_water_per_hpa.get(),
            k_temperature_per_k: e.k_temperature_per_k.get(),
            known_r0_ohm: e.r0_ohm.get(),
            known_beta: e.beta.get(),
        };
        UnitArray {
            elements: array.array.elements.iter().map(element).collect(),
            sensitivity: array.array.elements.iter().map(|e| vec![1.0; e.k_per_ppb.len()]).collect(),
        }
    }

    #[test]
    fn a_mixture_is_sub_additive_as_published() {
        let of = |reducing| resistance(1.0, 0.0, 20.0, reducing, 0.0, 0.0, 0.48, 0.0, 0.4);
        assert!((of(0.9) - 0.7348).abs() < 1e-4 && (of(0.6) - 0.7980).abs() < 1e-4 && (of(1.5) - 0.6442).abs() < 1e-4);
    }

    #[test]
    fn the_slope_is_zero_at_low_and_minus_beta_at_high_concentration() {
        let slope = |c: f64| {
            let ln = |c: f64| resistance(1.0, 0.0, 20.0, 0.01 * c, 0.0, 0.0, 0.42, 0.0, 0.4).ln();
            (ln(c * 1.001) - ln(c)) / 1.001f64.ln()
        };
        assert!(slope(1e-3).abs() < 1e-4 && (slope(1e8) + 0.42).abs() < 1e-3);
    }

    #[test]
    fn inversion_with_true_parameters_returns_the_gases() {
        let (array, species) = array();
        let unit = nominal(&array);
        let mut air = Surroundings {
            temperature_k: kelvin(31.0),
            humidity_frac: 0.4,
            gas: vec![0.0; species.all().len()],
            ..Surroundings::default()
        };
        for (n, target) in array.targets.iter().enumerate() {
            air.gas[*target] = (7.0 + 13.0 * n as f64) * 1e-9;
        }
        let mut raw = vec![0.0; 8];
        array.transduce(&unit, &air, &mut raw);
        let found = array.invert(&unit, &raw, 31.0, air.vapour_hpa());
        for (n, ppb) in found.iter().enumerate() {
            assert!((ppb / (7.0 + 13.0 * n as f64) - 1.0).abs() < 1e-6, "{n}: {ppb}");
        }
        // an error of the vapour pressure shifts the report by exactly the analytic amount
        let shifted = array.invert(&unit, &raw, 31.0, air.vapour_hpa() + 0.9);
        for ((a, b), shift) in shifted.iter().zip(&found).zip(array.shift_by_vapour(0.9)) {
            assert!((a - b - shift).abs() < 1e-9);
        }
    }

    #[test]
    fn fifty_ppb_of_ethanol_shows_up_in_acetaldehyde_most() {
        let (array, species) = array();
        let unit = nominal(&array);
        let mut air = Surroundings {
            temperature_k: kelvin(20.0),
            humidity_frac: 0.5,
            gas: vec![0.0; species.all().len()],
            ..Surroundings::default()
        };
        air.gas[species.index("ethanol").unwrap()] = 50e-9;
        let mut raw = vec![0.0; 8];
        array.transduce(&unit, &air, &mut raw);
        let found = array.invert(&unit, &raw, 20.0, air.vapour_hpa());
        let most = found.iter().copied().fold(0.0, f64::max);
        assert!((found[1] - most).abs() < 1e-12 && (10.0..25.0).contains(&most), "{found:?}");
    }

    #[test]
    fn every_shipped_array_covers_its_own_targets_and_states_its_source() {
        for array in shipped_arrays() {
            assert!(!array.source.is_empty());
            assert!(array.elements.iter().all(|e| array.targets.iter().all(|t| e.k_per_ppb.contains_key(t))));
        }
    }
}
