//! Things with a shape, a surface and a temperature, as typed: joints of a line, and what stands or drives about.

use serde::Deserialize;

use crate::files::mesh::Mesh;
use crate::files::obstacle::one;
use crate::files::scenario::{Position, Waypoint};
use crate::units::{BodyTemperature, Duration, Finite, Length, NonNegative, Positive};

/// A body: on a line, where its resistance heats it, or free, as warm as given or by its own heat.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyEntry {
    /// Unique among bodies and emitters.
    pub id: String,
    /// Its shape.
    pub shape: BodyShape,
    /// A surface of `assets/materials.ron`.
    pub material: String,
    /// The phase it sits on, `LINE/PHASE`; without it the body is free.
    #[serde(default)]
    pub on: Option<String>,
    /// On a line: how far along it its middle is; without it, half way.
    #[serde(default)]
    pub along_m: Option<Length>,
    /// On a line: resistance it adds to that of the conductor, ohm.
    #[serde(default)]
    pub extra_resistance_ohm: Option<NonNegative>,
    /// Free: where its middle is.
    #[serde(default)]
    pub at_m: Option<Position>,
    /// Free: how far its own y axis is turned from north, clockwise, until it moves.
    #[serde(default)]
    pub turn_deg: Option<Finite>,
    /// Free: the places it moves through, in straight lines, looking ahead.
    #[serde(default)]
    pub path: Vec<Waypoint>,
    /// Free: its temperature; a `timeline` sets `bodies.ID.temperature_c`.
    #[serde(default)]
    pub temperature_c: Option<BodyTemperature>,
    /// Free, without a temperature: heat that is set free in it, W; a `timeline` sets `bodies.ID.heat_w`.
    #[serde(default)]
    pub heat_w: Option<NonNegative>,
    /// Free, without a temperature: heat capacity, J/K; without it that of a body filled with its material.
    #[serde(default)]
    pub heat_capacity_j_k: Option<Positive>,
    /// Free, without a temperature and heat of its own: a liquid-filled transformer.
    #[serde(default)]
    pub transformer: Option<TransformerEntry>,
}

/// A liquid-filled transformer by IEEE Std C57.91-2011; what is not stated is that of a naturally cooled unit of 65 K mean winding rise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerEntry {
    /// Load over the rating; a `timeline` sets `bodies.ID.load_pu`.
    pub load_pu: NonNegative,
    /// Rise of the top oil over the air at rated load, K.
    pub top_oil_rise_k: Positive,
    /// Rise of the hot spot over the top oil at rated load, K.
    pub hot_spot_rise_k: Positive,
    /// Loss under rated load over loss without load.
    pub loss_ratio: Positive,
    /// Time constant of the oil.
    pub oil_time_s: Duration,
    /// Time constant of the windings.
    pub winding_time_s: Duration,
    /// Exponent of losses for the oil.
    pub oil_exponent: Positive,
    /// Exponent of losses for the windings.
    pub winding_exponent: Positive,
}

impl Default for TransformerEntry {
    fn default() -> Self {
        let above = |value: f64| Positive::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let time = |value: f64| Duration::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        Self {
            load_pu: NonNegative::new(1.0).unwrap_or_else(|text| unreachable!("{text}")),
            top_oil_rise_k: above(55.0),
            hot_spot_rise_k: above(25.0),
            loss_ratio: above(5.0),
            oil_time_s: time(3.0 * 3600.0),
            winding_time_s: time(300.0),
            oil_exponent: above(0.8),
            winding_exponent: above(0.8),
        }
    }
}

/// The shape of a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BodyShape {
    /// A level round bar with round ends, along its own y axis.
    Capsule {
        /// From end to end.
        length_m: Length,
        /// Of the bar.
        radius_m: Length,
    },
    /// Along its own axes: x right, y ahead, z up.
    Box {
        /// From side to side.
        size_m: (Length, Length, Length),
    },
    /// A ball.
    Sphere {
        /// Its radius.
        radius_m: Length,
    },
    /// An upright round bar with flat ends.
    Cylinder {
        /// From end to end.
        height_m: Length,
        /// Its radius.
        radius_m: Length,
    },
    /// A watertight surface from an STL file: its y axis looks ahead, z is up; the middle of the box around it is the middle of the body.
    Mesh {
        /// Path from this file, or from the working folder.
        file: String,
        /// Metres in a unit of the file.
        #[serde(default = "one")]
        scale: Positive,
        /// What the file holds, scaled, around its middle.
        #[serde(skip)]
        surface: Mesh,
    },
}

impl BodyShape {
    /// Radius of a round bar that can sit on a line.
    #[must_use]
    pub fn bar_m(&self) -> Option<(f64, f64)> {
        if let Self::Capsule { length_m, radius_m } = self { Some((length_m.get(), radius_m.get())) } else { None }
    }

    /// Half of its size along its own axes, m.
    #[must_use]
    pub fn half_m(&self) -> [f64; 3] {
        match self {
            Self::Capsule { length_m, radius_m } => [radius_m.get(), 0.5 * length_m.get(), radius_m.get()],
            Self::Box { size_m } => [size_m.0, size_m.1, size_m.2].map(|size| 0.5 * size.get()),
            Self::Sphere { radius_m } => [radius_m.get(); 3],
            Self::Cylinder { height_m, radius_m } => [radius_m.get(), radius_m.get(), 0.5 * height_m.get()],
            Self::Mesh { surface, .. } => {
                let (min, max) = surface.bounds();
                (0.5 * (max - min)).to_array()
            }
        }
    }

    /// Surface in m² and volume in m³.
    #[must_use]
    pub fn surface_and_volume(&self) -> (f64, f64) {
        use std::f64::consts::PI;
        match self {
            Self::Capsule { length_m, radius_m } => {
                let (r, bar) = (radius_m.get(), (length_m.get() - 2.0 * radius_m.get()).max(0.0));
                (2.0 * PI * r * bar + 4.0 * PI * r * r, PI * r * r * bar + 4.0 / 3.0 * PI * r * r * r)
            }
            Self::Box { size_m } => {
                let [x, y, z] = [size_m.0, size_m.1, size_m.2].map(Length::get);
                (2.0 * (x * y + y * z + z * x), x * y * z)
            }
            Self::Sphere { radius_m } => {
                let r = radius_m.get();
                (4.0 * PI * r * r, 4.0 / 3.0 * PI * r * r * r)
            }
            Self::Cylinder { height_m, radius_m } => {
                let (h, r) = (height_m.get(), radius_m.get());
                (2.0 * PI * r * (h + r), PI * r * r * h)
            }
            Self::Mesh { surface, .. } => surface.surface_and_volume(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ball_is_a_capsule_as_long_as_it_is_thick() {
        let shape = |text: &str| -> BodyShape { ron::from_str(text).unwrap() };
        let ball = shape("Sphere(radius_m: 0.3)").surface_and_volume();
        let capsule = shape("Capsule(length_m: 0.6, radius_m: 0.3)").surface_and_volume();
        assert!((ball.0 - capsule.0).abs() < 1e-12 && (ball.1 - capsule.1).abs() < 1e-12);
        assert_eq!(shape("Box(size_m: (1.0, 2.0, 3.0))").surface_and_volume(), (22.0, 6.0));
    }
}
