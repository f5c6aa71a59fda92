//! What stands in the wind: shapes a scenario puts into the air, as typed.

use serde::Deserialize;

use crate::files::scenario::Position;
use crate::units::{Bearing, Finite, Length, Positive};

/// One obstacle; no air moves through it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Obstacle {
    /// Along the axes.
    Box {
        /// South-west lower corner.
        min_m: Position,
        /// North-east upper corner.
        max_m: Position,
        /// A surface of `assets/materials.ron`; without it concrete.
        #[serde(default)]
        material: Option<String>,
    },
    /// A round bar: a pole, a pipe, a ridge.
    Cylinder {
        /// Middle of one end.
        from_m: Position,
        /// Middle of the other end.
        to_m: Position,
        /// Radius.
        radius_m: Length,
        /// A surface of `assets/materials.ron`; without it concrete.
        #[serde(default)]
        material: Option<String>,
    },
    /// A ball.
    Sphere {
        /// Its middle.
        centre_m: Position,
        /// Radius.
        radius_m: Length,
        /// A surface of `assets/materials.ron`; without it concrete.
        #[serde(default)]
        material: Option<String>,
    },
    /// A watertight surface from an STL file.
    Mesh {
        /// Path from this file, or from the working folder.
        file: String,
        /// Where the origin of the file comes to lie.
        #[serde(default = "origin")]
        at_m: Position,
        /// Metres in a unit of the file.
        #[serde(default = "one")]
        scale: Positive,
        /// How far it is turned clockwise, seen from above.
        #[serde(default = "north")]
        turn_deg: Bearing,
        /// A surface of `assets/materials.ron`; without it concrete.
        #[serde(default)]
        material: Option<String>,
    },
    /// The ground, from an ESRI ASCII grid that covers the domain. All heights of the scenario then count from the ground there.
    Terrain {
        /// Path from this file, or from the working folder.
        file: String,
        /// Where the south-west corner of the domain lies in the grid, east and north of the grid's own.
        #[serde(default = "corner")]
        corner_m: (Finite, Finite),
    },
}

impl Obstacle {
    /// What its surface is made of; none for the ground, whose cover the site names.
    #[must_use]
    pub fn material(&self) -> Option<&str> {
        match self {
            Self::Box { material, .. } | Self::Cylinder { material, .. } | Self::Sphere { material, .. } | Self::Mesh { material, .. } => {
                Some(material.as_deref().unwrap_or("concrete"))
            }
            Self::Terrain { .. } => None,
        }
    }
}

fn zero() -> Finite {
    Finite::try_from(0.0).unwrap_or_else(|_| unreachable!("0 is finite"))
}

fn origin() -> Position {
    (zero(), zero(), zero())
}

fn corner() -> (Finite, Finite) {
    (zero(), zero())
}

pub(super) fn one() -> Positive {
    Positive::try_from(1.0).unwrap_or_else(|_| unreachable!("above 0"))
}

fn north() -> Bearing {
    Bearing::try_from(0.0).unwrap_or_else(|_| unreachable!("0° is a direction"))
}
