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
    /// Upright.
    Cylinder {
        /// Middle of its foot.
        base_m: Position,
        /// Radius.
        radius_m: Length,
        /// Height above its foot.
        height_m: Length,
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
            Self::Cylinder { base_m, radius_m, height_m } => {
                let from = point - vector(*base_m);
                from.truncate().length() <= radius_m.get() && (0.0..=height_m.get()).contains(&from.z)
            }
            Self::Sphere { centre_m, radius_m } => point.distance(vector(*centre_m)) <= radius_m.get(),
        }
    }

    /// The smallest box around it: lower and upper corner.
    #[must_use]
    pub fn bounds(&self) -> (DVec3, DVec3) {
        match self {
            Self::Box { min_m, max_m } => (vector(*min_m), vector(*max_m)),
            Self::Cylinder { base_m, radius_m, height_m } => {
                let (base, radius) = (vector(*base_m), radius_m.get());
                (base - DVec3::new(radius, radius, 0.0), base + DVec3::new(radius, radius, height_m.get()))
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
            ("Cylinder(base_m: (5.0, 5.0, 0.0), radius_m: 2.0, height_m: 3.0)", DVec3::new(6.3, 6.3, 2.0), DVec3::new(6.9, 6.9, 2.0)),
            ("Sphere(centre_m: (5.0, 5.0, 5.0), radius_m: 2.0)", DVec3::new(5.0, 5.0, 6.9), DVec3::new(6.3, 6.3, 6.3)),
        ] {
            let shape: Obstacle = options.from_str(text).unwrap();
            assert!(shape.contains(inside) && !shape.contains(outside), "{text}");
            let (min, max) = shape.bounds();
            assert!(inside.cmpge(min).all() && inside.cmple(max).all());
        }
    }
}
