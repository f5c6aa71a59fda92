//! Dust that is stirred up: mineral particles up to 10 µm in three classes, each a component that sinks by itself.
//!
//! The rate of PM10 is given; its finer parts are shares of it. Source: US EPA, *AP-42*, 13.2.2 (unpaved roads): PM2.5 is a tenth of
//! PM10; that a fifth of PM2.5 is below 1 µm is a design value. Left out: what stirs it up (wind, wheels), particles above 10 µm.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::kinds::{Spec, SpecFault};
use crate::files::species::SpeciesTable;
use crate::units::{Finite, NonNegative};
use crate::world::emitter::{EmissionComponent, Emitter, Stretch};

/// PM2.5 over PM10.
const PM2_5_SHARE: f64 = 0.1;
/// PM1 over PM2.5.
const PM1_OF_PM2_5: f64 = 0.2;
/// The classes, from the finest.
const CLASSES: [&str; 3] = ["PM1", "PM1-2.5", "PM2.5-10"];

/// As written: `dust(pm10_g_s: 2.0)`, with `pm2_5_share`, `pm1_share`, `from_s` and `until_s`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dust {
    /// All particles up to 10 µm.
    pub pm10_g_s: NonNegative,
    /// Share of them up to 2.5 µm.
    #[serde(default)]
    pub pm2_5_share: Option<NonNegative>,
    /// Share of them up to 1 µm.
    #[serde(default)]
    pub pm1_share: Option<NonNegative>,
    /// When it begins, seconds from the scenario's start; without it, always.
    #[serde(default)]
    pub from_s: Option<Finite>,
    /// When it ends; without it, never.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

impl Dust {
    /// Shares of PM10 up to 1 µm and up to 2.5 µm.
    fn shares(&self) -> (f64, f64) {
        let pm2_5 = self.pm2_5_share.map_or(PM2_5_SHARE, NonNegative::get);
        (self.pm1_share.map_or(PM1_OF_PM2_5 * pm2_5, NonNegative::get), pm2_5)
    }
}

impl Spec for Dust {
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        let (pm1, pm2_5) = self.shares();
        let message = || format!("PM1 is part of PM2.5 and that of PM10: their shares must rise up to 1, got {pm1} and {pm2_5}");
        let wrong = pm1 > pm2_5 || pm2_5 > 1.0;
        wrong.then(|| SpecFault::bad_value(if pm2_5 > 1.0 { "pm2_5_share" } else { "pm1_share" }, message())).into_iter().collect()
    }
}

impl Emitter for Dust {
    const KIND: &'static str = "dust";
    const ABOUT: &'static str = "mineral dust up to 10 µm in three classes that sink";

    fn components(&self) -> Vec<EmissionComponent> {
        let component = |class: &str| EmissionComponent { name: class.to_owned(), composition: vec![(class.to_owned(), 1.0)] };
        CLASSES.iter().map(|class| component(class)).collect()
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let (pm1, pm2_5) = self.shares();
        let kg_s = over.share_within(self.from_s, self.until_s) * self.pm10_g_s.get() * 1e-3;
        for (rate, share) in rates.iter_mut().zip([pm1, pm2_5 - pm1, 1.0 - pm2_5]) {
            *rate = kg_s * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_classes_add_up_to_what_is_stirred_up() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let dust: Dust = options.from_str("(pm10_g_s: 3.0, pm2_5_share: 0.2, from_s: 0.0, until_s: 100.0)").unwrap();
        let mut rates = [0.0; 3];
        dust.rates_kg_s(Stretch::new(50.0, 150.0), &mut rates);
        assert!((rates.iter().sum::<f64>() - 1.5e-3).abs() < 1e-12);
        assert!((rates[0] - 0.06e-3).abs() < 1e-12 && (rates[0] + rates[1] - 0.3e-3).abs() < 1e-12);
        assert!(
            options.from_str::<Dust>("(pm10_g_s: 3.0, pm2_5_share: 0.2, pm1_share: 0.5)").unwrap().faults(&SpeciesTable::shipped()).len()
                == 1
        );
    }
}
