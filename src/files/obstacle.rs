//! What stands in the wind: shapes a scenario puts into the air.

use glam::DVec3;
use serde::Deserialize;

use crate::files::scenario::Position;
use crate::units::Length;

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
    },
    /// A round bar: a pole, a pipe, a ridge.
    Cylinder {
        /// Middle of one end.
        from_m: Position,
        /// Middle of the other end.
        to_m: Position,
        /// Radius.
        radius_m: Length,
    },
    /// A ball.
    Sphere {
        /// Its middle.
        centre_m: Position,
        /// Radius.
        radius_m: Length,
    },
}

fn vector(at: Position) -> DVec3 {
    DVec3::new(at.0.get(), at.1.get(), at.2.get())
}

impl Obstacle {
    /// Whether a point lies inside, surface included.
    #[must_use]
    pub fn contains(&self, point: DVec3) -> bool {
        match self {
            Self::Box { min_m, max_m } => point.cmpge(vector(*min_m)).all() && point.cmple(vector(*max_m)).all(),
            Self::Cylinder { from_m, to_m, radius_m } => {
                let (axis, from) = (vector(*to_m) - vector(*from_m), point - vector(*from_m));
                let along = from.dot(axis) / axis.length_squared();
                (0.0..=1.0).contains(&along) && (from - axis * along).length() <= radius_m.get()
            }
            Self::Sphere { centre_m, radius_m } => point.distance(vector(*centre_m)) <= radius_m.get(),
        }
    }

    /// The smallest box around it: lower and upper corner.
    #[must_use]
    pub fn bounds(&self) -> (DVec3, DVec3) {
        match self {
            Self::Box { min_m, max_m } => (vector(*min_m), vector(*max_m)),
            Self::Cylinder { from_m, to_m, radius_m } => {
                let (from, to) = (vector(*from_m), vector(*to_m));
                let axis = (to - from).normalize_or_zero();
                // a disc reaches as far along a direction as the part of that direction across its axis
                let reach = radius_m.get() * (DVec3::ONE - axis * axis).max(DVec3::ZERO).map(f64::sqrt);
                (from.min(to) - reach, from.max(to) + reach)
            }
            Self::Sphere { centre_m, radius_m } => {
                (vector(*centre_m) - DVec3::splat(radius_m.get()), vector(*centre_m) + DVec3::splat(radius_m.get()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_the_points_inside_their_bounds_and_no_others() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_NEWTYPES);
        for (text, inside, outside) in [
            ("Box(min_m: (0.0, 0.0, 0.0), max_m: (4.0, 2.0, 3.0))", DVec3::new(3.9, 1.0, 2.9), DVec3::new(3.9, 2.1, 2.9)),
            (
                "Cylinder(from_m: (5.0, 5.0, 0.0), to_m: (5.0, 5.0, 3.0), radius_m: 2.0)",
                DVec3::new(6.3, 6.3, 2.0),
                DVec3::new(6.9, 6.9, 2.0),
            ),
            (
                "Cylinder(from_m: (0.0, 0.0, 0.0), to_m: (4.0, 4.0, 0.0), radius_m: 1.0)",
                DVec3::new(2.6, 1.4, 0.0),
                DVec3::new(3.0, 1.0, 0.0),
            ),
            ("Sphere(centre_m: (5.0, 5.0, 5.0), radius_m: 2.0)", DVec3::new(5.0, 5.0, 6.9), DVec3::new(6.3, 6.3, 6.3)),
        ] {
            let shape: Obstacle = options.from_str(text).unwrap();
            assert!(shape.contains(inside) && !shape.contains(outside), "{text}");
            let (min, max) = shape.bounds();
            assert!(inside.cmpge(min).all() && inside.cmple(max).all());
        }
    }
}
