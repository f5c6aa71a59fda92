//! A leak of one gas at a constant or recorded rate.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::diagnostics::Diagnostic;
use crate::files::kinds::{Spec, SpecFault};
use crate::files::series::{Column, Series};
use crate::files::species::SpeciesTable;
use crate::units::{Finite, NonNegative, Positive};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};
use crate::world::spawn::FileLoader;

/// As written: `gas_leak(species: "CH4", rate_g_s: 0.1)`, with `from_s` and `until_s`, or with `recorded`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasLeak {
    /// Which gas.
    pub species: String,
    /// Rate while it leaks, in g s⁻¹.
    #[serde(default)]
    pub rate_g_s: Option<NonNegative>,
    /// When it begins, seconds from the scenario's start; without it, always.
    #[serde(default)]
    pub from_s: Option<Finite>,
    /// When it ends; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
    /// A rate from a CSV file instead.
    #[serde(default)]
    pub recorded: Option<RecordedRate>,
    #[serde(skip)]
    series: Option<Series>,
}

/// A release rate in a CSV file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRate {
    /// Path from the scenario, or the name of a shipped asset.
    pub file: String,
    /// Column of times.
    pub time: String,
    /// Column of rates.
    pub column: String,
    /// Grams a second in one unit of that column; 1/60 for a column in g/min.
    pub g_s_per_unit: Positive,
}

impl Spec for GasLeak {
    fn faults(&self, species: &SpeciesTable) -> Vec<SpecFault> {
        let mut faults = Vec::new();
        if species.index(&self.species).is_none() {
            faults.push(SpecFault::unknown_species("species", &self.species, species));
        }
        if self.rate_g_s.is_some() == self.recorded.is_some() {
            faults.push(SpecFault {
                path: String::new(),
                code: "bad-rate",
                message: "a leak needs either `rate_g_s` or `recorded`".to_owned(),
                known: Vec::new(),
            });
        }
        faults
    }
}

impl Emitter for GasLeak {
    const KIND: &'static str = "gas_leak";
    const ABOUT: &'static str = "one gas at a constant or recorded rate";

    fn components(&self) -> Vec<EmissionComponent> {
        vec![EmissionComponent { name: self.species.clone(), composition: vec![(self.species.clone(), 1.0)] }]
    }

    fn load(&mut self, files: &FileLoader) -> Result<(), Vec<Diagnostic>> {
        let Some(recorded) = &self.recorded else {
            return Ok(());
        };
        let source = files.open(&recorded.file).ok_or_else(|| vec![files.missing(&recorded.file)])?;
        let column = Column { name: &recorded.column, min: 0.0, max: f64::MAX };
        self.series = Some(Series::read(&source, files.start, &recorded.time, &[column])?);
        Ok(())
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let open = over.share_within(self.from_s, self.until_s);
        let rate_g_s = match (&self.recorded, &self.series) {
            (Some(recorded), Some(series)) => series.at(0, over.to_s) * recorded.g_s_per_unit.get(),
            _ => self.rate_g_s.map_or(0.0, NonNegative::get),
        };
        rates[0] = open * rate_g_s * 1e-3;
    }
}
