//! What a unit carries: a product file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::files::kinds::{KindSpec, SensorRole};
use crate::units::{Duration, Finite, NonNegative};

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
    /// Mean electrical power in watts.
    #[serde(default)]
    pub power_w: Option<NonNegative>,
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
