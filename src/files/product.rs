//! What a unit carries: a product file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::files::kinds::{KindSpec, SensorRole};
use crate::units::{Duration, Finite, Fraction, NonNegative, Positive};

/// The only format this engine reads and writes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub struct FormatVersion;

impl TryFrom<u32> for FormatVersion {
    type Error = String;
    fn try_from(version: u32) -> Result<Self, String> {
        if version == 1 { Ok(Self) } else { Err(format!("this engine reads format 1, the file says {version}")) }
    }
}

/// A product as written in `products/*.ron`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// File format version.
    pub format: FormatVersion,
    /// The name scenarios use.
    pub name: String,
    /// How it is mounted.
    #[serde(default)]
    pub mount: Mount,
    /// Mean electrical power in watts, all of which warms the board; without it 0.35 W, an idle controller.
    #[serde(default)]
    pub power_w: Option<NonNegative>,
    /// What its housing is made of.
    #[serde(default)]
    pub enclosure: EnclosureParts,
    /// Physics modules it needs; one that is missing from the program is an error.
    pub physics: Vec<String>,
    /// What it measures.
    pub sensors: Vec<MountedSensor>,
    /// Named sets of sampling periods; the first is the default.
    pub modes: Vec<Mode>,
    /// Event classes it is meant to tell apart.
    #[serde(default)]
    pub classes: Vec<Class>,
}

/// Where on its pole the unit sits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Height of the unit's origin above the device position in metres.
    pub height_m: NonNegative,
}

impl Default for Mount {
    /// At the device position itself.
    fn default() -> Self {
        Self { height_m: NonNegative::try_from(0.0).unwrap_or_else(|_| unreachable!("0 is not negative")) }
    }
}

/// A housing with a board in it: a unit of 1.8 kg in white plastic, unless said. Design values of section 15 of the sensor reference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnclosureParts {
    /// Heat capacity of the board in J/K.
    pub board_j_k: Positive,
    /// Heat capacity of the housing in J/K.
    pub housing_j_k: Positive,
    /// Thermal resistance between the two in K/W.
    pub board_to_housing_k_w: Positive,
    /// Outer surface that air cools, m².
    pub area_m2: Positive,
    /// Its projection on the ground, which the sun warms, m².
    pub sunlit_m2: NonNegative,
    /// Surface that radiates to the sky, m².
    pub sky_m2: NonNegative,
    /// Absorptivity for sunlight: white paint 0.3, aged 0.7.
    pub absorptivity: Fraction,
    /// Long-wave emissivity.
    pub emissivity: Fraction,
}

impl Default for EnclosureParts {
    fn default() -> Self {
        let positive = |value: f64| Positive::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let area = |value: f64| NonNegative::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let share = |value: f64| Fraction::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        Self {
            board_j_k: positive(80.0),
            housing_j_k: positive(1600.0),
            board_to_housing_k_w: positive(6.0),
            area_m2: positive(0.1),
            sunlit_m2: area(0.03),
            sky_m2: area(0.05),
            absorptivity: share(0.3),
            emissivity: share(0.9),
        }
    }
}

/// One sensor of a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountedSensor {
    /// Unique in the product.
    pub id: String,
    /// Position in the unit's own frame in metres: x right, y ahead, z up.
    #[serde(default = "centre")]
    pub at_m: (Finite, Finite, Finite),
    /// What it is.
    pub kind: KindSpec<SensorRole>,
    /// Sensors whose reports its firmware may use.
    #[serde(default)]
    pub compensated_by: Vec<String>,
}

impl MountedSensor {
    /// A sensor at the unit's origin that nothing corrects.
    #[must_use]
    pub fn bare(id: &str, kind: KindSpec<SensorRole>) -> Self {
        Self { id: id.to_owned(), at_m: centre(), kind, compensated_by: Vec::new() }
    }
}

fn centre() -> (Finite, Finite, Finite) {
    let zero = || Finite::try_from(0.0).unwrap_or_else(|_| unreachable!("0 is finite"));
    (zero(), zero(), zero())
}

/// A named set of sampling periods.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Unique in the product.
    pub name: String,
    /// Seconds between two results of a sensor; a sensor that is not listed is off.
    pub periods_s: BTreeMap<String, Duration>,
}

/// One event class of a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The label that is written into samples.
    pub name: String,
    /// Whether it should raise an alarm.
    #[serde(default)]
    pub alarms: bool,
    /// Among several events the highest priority gives the label.
    #[serde(default)]
    pub priority: u32,
    /// How often it happens in the field.
    #[serde(default)]
    pub natural_rate_per_unit_year: Option<NonNegative>,
}
