//! Smouldering wood: burning slowly from end to end, or heated through.
//!
//! `heated_by: Ignited(…)`: a first-order loss of mass that grows over minutes, with whole-fire yields,
//! `dm/dt = −k (1 − exp(−(t − t0)/τ)) m` after ignition at t0. Yields are grams of a gas a kilogram of dry fuel burnt.
//! `heated_by: Warmed(…)`: the whole piece follows a given temperature and its moisture, terpenes, hemicellulose, cellulose and lignin
//! give off what is theirs, each by its own kinetics (`pyrolysis`, `wood`). The released mass of a tick is the exact difference
//! of two states, so any tick will do.
//! `heated_by: Body(…)` and `heated_by: Radiant(…)`: heat comes through a face of `area_m2` into a layer of `thickness_m`, which dries, turns to char and
//! glows (`heated_layer`); once it catches fire, the rest of the piece burns with a flame, at the rate that `Ignited` has (`heated_wood`).
//!
//! Sources: Andreae, *Atmos. Chem. Phys.* 19, 2019, on Akagi et al. 2011 (yields); k of 1e-4 s⁻¹ and τ of 180 s are
//! design values for litter and thin branches: emission sets in over minutes in cone calorimeter tests of pine.
//! Smoke is organic carbon, 1.6 times its carbon (Turpin and Lim, *Aerosol Sci. Technol.* 35, 2001), and black carbon of the same table; nine
//! tenths of it below 1 µm (Reid et al., *Atmos. Chem. Phys.* 5, 2005). Cresol and guaiacol have no measured whole-fire yield: 0.2 and 0.5 g/kg are design values of the right order.
//! Heat to the air is 6 MJ/kg burnt without a flame (Rein, *SFPE Handbook*, 2016, ch. 19: 6 to 12), two fifths of it by convection (chosen).
//! Left out: smoke of wood that is heated but does not burn; with `Warmed`, temperature differences within the piece.

use std::collections::BTreeMap;

use bevy_ecs::component::Component;
use serde::Deserialize;

use super::heated_layer::{GLOW_CO, Stuff};
use super::heated_wood::{COMPONENTS, HeatedWood, Now};
use super::wood::{
    COMBUSTION_J_KG, CONVECTED, FAIR_WEATHER_MOISTURE_PCT, GivenOff, PARTS, Part, char_factor, composition, mass_left, water_g_kg,
    yield_spread,
};
use crate::diagnostics::Diagnostic;
use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Duration, Finite, Length, NonNegative, Percent, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};
use crate::world::spawn::{FileLoader, PARTICLES};

/// As written: `smouldering_wood(mass_kg: 0.4, heated_by: Ignited(at_s: 600.0))`.
#[derive(Component, Clone, Debug, Deserialize)]
#[require(HeatedWood)]
#[serde(deny_unknown_fields)]
pub struct SmoulderingWood {
    /// Dry mass.
    pub mass_kg: Positive,
    /// Water in it, percent of dry mass; without it that of dead wood in fair weather.
    #[serde(default)]
    pub moisture_pct: Option<NonNegative>,
    /// What heats it.
    pub heated_by: Heat,
    /// Face that is heated, for `Body` and `Radiant`.
    #[serde(default)]
    pub area_m2: Option<Positive>,
    /// How deep the wood is behind that face.
    #[serde(default = "design_thickness")]
    pub thickness_m: Length,
    /// Dry density; a loose bed of litter has 20 to 100.
    #[serde(default = "design_density")]
    pub density_kg_m3: Positive,
    /// Char that is left of dry wood heated slowly, percent: 15 to 25 for softwood.
    #[serde(default = "design_char")]
    pub char_pct: Percent,
    /// Whether there is a spark that lights the gas as soon as it can burn.
    #[serde(default = "yes")]
    pub pilot: bool,
    /// Which yields.
    #[serde(default)]
    pub fuel: Fuel,
    /// Share of the mass lost in a second once it smoulders fully.
    #[serde(default = "design_rate")]
    pub rate_per_s: Positive,
    /// Time over which it catches.
    #[serde(default = "design_growth")]
    pub growth_s: Duration,
    /// Yields in g/kg that replace those of the fuel.
    #[serde(default)]
    pub yields_g_kg: BTreeMap<String, Positive>,
    #[serde(skip)]
    given_off: GivenOff,
    #[serde(skip)]
    char_factor: f64,
    #[serde(skip)]
    pub(super) now: Now,
}

/// A design value: a branch.
fn design_thickness() -> Length {
    Length::try_from(0.02).unwrap_or_else(|_| unreachable!("above 0"))
}

/// Dry softwood: *Wood Handbook*, USDA FPL-GTR-190, 2010, ch. 5.
fn design_density() -> Positive {
    Positive::try_from(480.0).unwrap_or_else(|_| unreachable!("above 0"))
}

/// Softwood at slow heating: Di Blasi, *Prog. Energy Combust. Sci.* 34, 2008.
fn design_char() -> Percent {
    Percent::try_from(20.0).unwrap_or_else(|_| unreachable!("a percentage"))
}

/// Wood pressed against strand, a gap of about 0.15 mm of air: chosen.
fn design_contact() -> Positive {
    Positive::try_from(200.0).unwrap_or_else(|_| unreachable!("above 0"))
}

const fn yes() -> bool {
    true
}

fn design_rate() -> Positive {
    Positive::try_from(1e-4).unwrap_or_else(|_| unreachable!("above 0"))
}

fn design_growth() -> Duration {
    Duration::try_from(180.0).unwrap_or_else(|_| unreachable!("above 0"))
}

/// What heats the wood.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Heat {
    /// It starts by itself at a time.
    Ignited {
        /// Seconds from the scenario's start.
        at_s: Finite,
    },
    /// It has these temperatures at these times, straight lines between.
    Warmed {
        /// (seconds from the scenario's start, °C), in the order of time.
        history: Vec<(Finite, Finite)>,
    },
    /// It touches a body of the scenario.
    Body {
        /// Id of the body.
        id: String,
        /// Of the contact.
        #[serde(default = "design_contact")]
        conductance_w_m2_k: Positive,
    },
    /// Radiation falls on it.
    Radiant {
        /// (seconds from the scenario's start, kW/m²), in the order of time, straight lines between.
        history: Vec<(Finite, Finite)>,
        /// Oxygen in the air about it, percent by volume; without it that of air.
        #[serde(default)]
        oxygen_pct: Option<Percent>,
        /// Whether no heat leaves through its back, as in a cone calorimeter.
        #[serde(default)]
        insulated: bool,
    },
}

/// Which whole-fire yields.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub enum Fuel {
    /// Temperate forest.
    #[default]
    Temperate,
    /// Boreal forest.
    Boreal,
    /// Peat, which only smoulders.
    Peat,
}

impl Fuel {
    /// Grams a kilogram of dry fuel: (species, temperate, boreal, peat).
    const YIELDS: [(&'static str, [f64; 3]); 19] = [
        ("CO2", [1570.0, 1453.0, 1590.0]),
        ("CO", [113.0, 121.0, 260.0]),
        ("CH4", [5.20, 5.50, 9.10]),
        ("formaldehyde", [2.04, 1.75, 1.07]),
        ("acetaldehyde", [1.21, 0.81, 1.16]),
        ("acrolein", [0.34, 0.33, 0.27]),
        ("phenol", [0.25, 0.75, 0.47]),
        ("cresol", [0.2, 0.2, 0.2]),
        ("guaiacol", [0.5, 0.5, 0.5]),
        ("methanol", [2.20, 2.33, 2.50]),
        ("acetic_acid", [2.74, 3.80, 4.90]),
        ("furfural", [0.52, 0.61, 1.10]),
        ("benzene", [0.42, 0.57, 0.87]),
        ("toluene", [0.27, 0.35, 0.45]),
        ("HCl", [0.039, 0.13, 0.008]),
        ("NO", [1.92, 0.90, 1.00]),
        ("NH3", [0.84, 2.72, 1.33]),
        ("PM1", [14.3, 14.3, 8.7]),
        ("PM1-2.5", [1.6, 1.6, 1.0]),
    ];

    fn column(self) -> usize {
        match self {
            Self::Temperate => 0,
            Self::Boreal => 1,
            Self::Peat => 2,
        }
    }
}

impl Spec for SmoulderingWood {
    fn faults(&self, species: &SpeciesTable) -> Vec<SpecFault> {
        let unknown = self.yields_g_kg.keys().filter(|id| species.index(id).is_none() && species.particle_index(id).is_none());
        let mut faults: Vec<SpecFault> = unknown.map(|id| SpecFault::unknown_species("yields_g_kg", id, species)).collect();
        if self.char_pct.get() > MOST_CHAR_PCT {
            let message = format!("wood leaves at most {MOST_CHAR_PCT} % of char: more would need what its lignin has not");
            faults.push(SpecFault::bad_value("char_pct", message));
        }
        let path = "heated_by.history";
        if let Heat::Warmed { history } | Heat::Radiant { history, .. } = &self.heated_by
            && (history.is_empty() || history.windows(2).any(|pair| pair[0].0 >= pair[1].0))
        {
            faults.push(SpecFault::bad_value(path, "the times of a history must rise, and there must be one".to_owned()));
        }
        match (&self.heated_by, self.heated_spot()) {
            (Heat::Radiant { history, .. }, _) if history.iter().any(|(_, flux)| flux.get() < 0.0) => {
                faults.push(SpecFault::bad_value(path, "an irradiance is 0 kW/m² or more".to_owned()));
            }
            (Heat::Body { .. } | Heat::Radiant { .. }, None) => {
                let message = "wood that is heated through a face needs its `area_m2`";
                faults.push(SpecFault::bad_value("heated_by", message.to_owned()));
            }
            (_, Some((stuff, area_m2))) => {
                let spot_kg = stuff.density_kg_m3 * stuff.thickness_m * area_m2;
                if spot_kg > self.mass_kg.get() * (1.0 + 1e-9) {
                    let message =
                        format!("the heated part alone has {spot_kg:.3} kg: `area_m2`, `thickness_m` or `density_kg_m3` is too large");
                    faults.push(SpecFault::bad_value("mass_kg", message));
                }
            }
            _ => {}
        }
        if let Heat::Warmed { history } = &self.heated_by {
            if let Some((_, at_c)) = history.iter().find(|(_, at_c)| !WOOD_C.contains(&at_c.get())) {
                let message =
                    format!("wood that is heated through is between {} °C and {} °C, got {}", WOOD_C.start(), WOOD_C.end(), at_c.get());
                faults.push(SpecFault::bad_value(path, message));
            }
            if !self.yields_g_kg.is_empty() {
                let message = "yields of a whole fire are for `heated_by: Ignited(…)`; wood that is warmed has those of its parts";
                faults.push(SpecFault::bad_value("yields_g_kg", message.to_owned()));
            }
        }
        faults
    }
}

/// Beyond this share of char, percent, lignin would have to keep more than all of itself: its kinetics leaves 0.75 of it where that of all parts leaves 35 %.
const MOST_CHAR_PCT: f64 = 46.0;
/// Where the kinetics of the parts holds, °C: above it char burns.
const WOOD_C: std::ops::RangeInclusive<f64> = -50.0..=600.0;
/// How long a history is followed after its last time, at that temperature, s.
const AFTER_S: f64 = 86_400.0;

/// What a history has at a time.
pub(super) fn on_the_way(history: &[(Finite, Finite)], at_s: f64) -> f64 {
    let after = history.partition_point(|(time, _)| time.get() <= at_s);
    let (low, high) = (&history[after.saturating_sub(1)], &history[after.min(history.len() - 1)]);
    let length = high.0.get() - low.0.get();
    let share = if length > 0.0 { (at_s - low.0.get()) / length } else { 0.0 };
    low.1.get() + (high.1.get() - low.1.get()) * share
}

/// Heat to the air of a kilogram that smoulders, J.
const SMOULDER_J_KG: f64 = 0.4 * 6e6;

/// What a kilogram of glowing char, nine tenths of it carbon, makes, in grams.
fn glowing_g_kg() -> [(&'static str, f64); 2] {
    let (carbon, c, co, co2) = (900.0, 12.011, 28.010, 44.009);
    [("CO", carbon * GLOW_CO * co / c), ("CO2", carbon * (1.0 - GLOW_CO) * co2 / c)]
}

impl SmoulderingWood {
    fn moisture_pct(&self) -> f64 {
        self.moisture_pct.map_or(FAIR_WEATHER_MOISTURE_PCT, NonNegative::get)
    }

    /// What is heated through a face, if anything is, and the face in m².
    pub(super) fn heated_spot(&self) -> Option<(Stuff, f64)> {
        let (Heat::Body { .. } | Heat::Radiant { .. }) = self.heated_by else { return None };
        let stuff = Stuff {
            density_kg_m3: self.density_kg_m3.get(),
            moisture: 0.01 * self.moisture_pct(),
            thickness_m: self.thickness_m.get(),
            char_factor: self.char_factor,
        };
        self.area_m2.map(|area| (stuff, area.get()))
    }

    /// Whether the file states this yield.
    fn states(&self, species: &str) -> bool {
        self.yields_g_kg.keys().any(|id| id == species || (species == PARTICLES && id.starts_with("PM")))
    }
}

impl Emitter for SmoulderingWood {
    const KIND: &'static str = "smouldering_wood";
    const ABOUT: &'static str = "wood that loses mass without flame, with whole-fire yields";

    fn components(&self) -> Vec<EmissionComponent> {
        let parts = || PARTS.iter().map(Part::component);
        if let Heat::Warmed { .. } = self.heated_by {
            return parts().collect();
        }
        let mut yields: BTreeMap<&str, f64> = Fuel::YIELDS.iter().map(|(id, grams)| (*id, grams[self.fuel.column()])).collect();
        yields.insert("H2O", water_g_kg(self.moisture_pct()));
        yields.extend(self.yields_g_kg.iter().map(|(id, grams)| (id.as_str(), grams.get())));
        let whole = EmissionComponent { name: "pyrolysis".to_owned(), composition: composition(&yields) };
        match self.heated_by {
            Heat::Body { .. } | Heat::Radiant { .. } => {
                let char = EmissionComponent { name: "char".to_owned(), composition: composition(&BTreeMap::from(glowing_g_kg())) };
                parts().chain([char, whole]).collect()
            }
            Heat::Ignited { .. } | Heat::Warmed { .. } => vec![whole],
        }
    }

    fn yield_spread(&self, species: &str) -> f64 {
        // what the file states is certain
        match self.heated_by {
            _ if self.states(species) => 1.0,
            Heat::Ignited { .. } => yield_spread(species, true),
            Heat::Warmed { .. } | Heat::Body { .. } | Heat::Radiant { .. } => yield_spread(species, false),
        }
    }

    fn load(&mut self, _files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        self.char_factor = char_factor(self.char_pct.get());
        if let Heat::Warmed { history } = &self.heated_by
            && let (Some(first), Some(last)) = (history.first(), history.last())
        {
            self.given_off = GivenOff::new(first.0.get(), last.0.get() + AFTER_S, self.char_factor, |at_s| on_the_way(history, at_s));
        }
        Ok(())
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let mass_kg_s = self.mass_kg.get() / over.length_s();
        match &self.heated_by {
            Heat::Ignited { at_s } => {
                let left = |now_s: f64| mass_left(self.rate_per_s, self.growth_s, now_s - at_s.get());
                rates[0] = mass_kg_s * (left(over.from_s) - left(over.to_s));
            }
            Heat::Warmed { .. } => {
                let (before, after) = (self.given_off.by(over.from_s), self.given_off.by(over.to_s));
                for ((rate, before), after) in rates.iter_mut().zip(before).zip(after) {
                    *rate = mass_kg_s * (after - before);
                }
                // the first part is moisture, whose share the file states
                rates[0] *= 0.01 * self.moisture_pct();
            }
            Heat::Body { .. } | Heat::Radiant { .. } => rates[..COMPONENTS].copy_from_slice(&self.now.rates_kg_s),
        }
    }

    fn heat_w(&self, rates_kg_s: &[f64]) -> f64 {
        match self.heated_by {
            Heat::Ignited { .. } => SMOULDER_J_KG * rates_kg_s[0],
            Heat::Warmed { .. } => 0.0,
            Heat::Body { .. } | Heat::Radiant { .. } => self.now.heat_w + CONVECTED * COMBUSTION_J_KG * rates_kg_s[COMPONENTS - 1],
        }
    }

    fn flame_w(&self, rates_kg_s: &[f64]) -> f64 {
        rates_kg_s.get(COMPONENTS - 1).map_or(0.0, |rate| COMBUSTION_J_KG * rate)
    }

    fn warms_air(&self) -> bool {
        !matches!(self.heated_by, Heat::Warmed { .. })
    }

    fn ignited_s(&self) -> Option<f64> {
        if let Heat::Ignited { at_s } = self.heated_by { Some(at_s.get()) } else { self.now.ignited_s }
    }

    fn heated_by(&self) -> Option<&str> {
        if let Heat::Body { id, .. } = &self.heated_by { Some(id) } else { None }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of ticks")]
mod tests {
    use super::*;

    fn branch() -> SmoulderingWood {
        ron::from_str("(mass_kg: 0.4, heated_by: Ignited(at_s: 100.0))").unwrap()
    }

    #[test]
    fn nothing_is_released_before_ignition_and_all_mass_in_the_end() {
        let (branch, mut rates) = (branch(), [0.0]);
        branch.rates_kg_s(Stretch::new(0.0, 100.0), &mut rates);
        assert!(rates[0].abs() < 1e-300);
        let mut released = 0.0;
        for n in 0..20_000 {
            branch.rates_kg_s(Stretch::new(f64::from(n) * 10.0, f64::from(n + 1) * 10.0), &mut rates);
            released += rates[0] * 10.0;
        }
        assert!((released / 0.4 - 1.0).abs() < 1e-6, "{released}");
    }

    #[test]
    fn emission_grows_over_minutes_to_its_plateau() {
        let (branch, mut rates) = (branch(), [0.0]);
        let mut rate = |at: f64| {
            branch.rates_kg_s(Stretch::new(at, at + 1.0), &mut rates);
            rates[0]
        };
        assert!(rate(110.0) < 0.1 * rate(1000.0) && rate(1000.0) < 0.4 * 1e-4);
    }

    #[test]
    fn warmed_wood_gives_off_moisture_first_then_terpenes_hemicellulose_cellulose_and_lignin() {
        let mut wood: SmoulderingWood =
            ron::from_str("(mass_kg: 1.0, moisture_pct: Some(20.0), heated_by: Warmed(history: [(0.0, 20.0), (4800.0, 500.0)]))").unwrap();
        let files = FileLoader::new("x.ron".into(), crate::units::Timestamp::try_from("2026-01-01T00:00:00Z".to_owned()).unwrap());
        wood.load(&files).unwrap();
        let whole = wood.given_off.by(4800.0);
        let half_at =
            |part: usize| (0..480).map(|n| f64::from(n) * 10.0).find(|at| wood.given_off.by(*at)[part] > 0.5 * whole[part]).unwrap();
        let times: Vec<f64> = (0..5).map(half_at).collect();
        assert!(times[0] < times[1] && times[1] < times[2] && times[2] < times[3], "{times:?}");
        // the mass of a tick does not depend on the tick
        let released = |length: f64| -> f64 {
            let mut rates = [0.0; 5];
            (0..(4800.0 / length) as usize)
                .map(|n| {
                    wood.rates_kg_s(Stretch::new(n as f64 * length, (n as f64 + 1.0) * length), &mut rates);
                    rates.iter().sum::<f64>() * length
                })
                .sum()
        };
        assert!((released(0.5) / released(60.0) - 1.0).abs() < 1e-9 && released(10.0) < 1.1 && released(10.0) > 0.7);
    }

    #[test]
    fn formaldehyde_over_carbon_monoxide_is_0_0168_by_mole() {
        let components = branch().components();
        let grams = |id: &str| components[0].composition.iter().find(|(name, _)| name == id).unwrap().1;
        let ratio = grams("formaldehyde") / 30.026 / (grams("CO") / 28.010);
        assert!((ratio - 0.0168).abs() < 1e-4, "{ratio}");
    }
}
