//! Bodies: where they are, how they look to a ray, how warm they are.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::files::body::{BodyEntry, BodyShape};
use crate::world::emitter::place_on_path;
use crate::world::environment::vector;
use crate::world::scene::Facet;

/// How far the liquid of a transformer is warmer than the air, and its hot spot than the liquid, K.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OilRise {
    /// Of the top oil over the air.
    pub top_oil_k: f64,
    /// Of the hot spot over the top oil.
    pub hot_spot_k: f64,
}

/// The scenario's bodies, in its order.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bodies {
    /// Kelvin.
    pub kelvin: Vec<f64>,
    /// What each would be without the heat of its own fault, K.
    pub unheated_k: Vec<f64>,
    /// Where its middle is, m.
    pub at_m: Vec<DVec3>,
    /// Temperature of the top oil of transformers, K; of anything else as `kelvin`.
    pub top_oil_k: Vec<f64>,
    /// The same of the hot spot.
    pub hot_spot_k: Vec<f64>,
    /// Rises of transformers under their load, and under no more than their rating.
    pub oil: Vec<[OilRise; 2]>,
    /// Heat that what touches it takes from it, W; as the tick before left it.
    pub drawn_w: Vec<f64>,
}

impl Bodies {
    /// Makes room for so many, as warm as `kelvin`.
    pub fn resize(&mut self, count: usize, kelvin: f64) {
        self.kelvin.resize(count, kelvin);
        self.unheated_k.resize(count, kelvin);
        self.at_m.resize(count, DVec3::ZERO);
        self.drawn_w.resize(count, 0.0);
        self.top_oil_k.resize(count, kelvin);
        self.hot_spot_k.resize(count, kelvin);
        self.oil.resize(count, [OilRise::default(); 2]);
    }
}

/// Where a free body is at a time, seconds from `start`, and the unit vector it looks along.
#[must_use]
pub fn pose(body: &BodyEntry, at_s: f64) -> Option<(DVec3, DVec3)> {
    let start = vector(body.at_m?);
    let (sin, cos) = libm::sincos(body.turn_deg.map_or(0.0, crate::units::Finite::get).to_radians());
    let mut ahead = DVec3::new(sin, cos, 0.0);
    let mut before = start;
    for point in &body.path {
        let to = vector(point.to_m);
        let way = DVec3::new(to.x - before.x, to.y - before.y, 0.0);
        ahead = way.try_normalize().unwrap_or(ahead);
        before = to;
        if at_s < point.at_s.get() {
            break;
        }
    }
    Some((place_on_path(&body.path, start, at_s), ahead))
}

/// How a free body looks to a ray.
#[must_use]
pub fn facets(shape: &BodyShape, (at_m, ahead): (DVec3, DVec3)) -> Vec<Facet> {
    let half = DVec3::from_array(shape.half_m());
    let right = ahead.cross(DVec3::Z);
    let whole = match shape {
        BodyShape::Capsule { radius_m, .. } => {
            let axis = ahead * (half.y - radius_m.get()).max(0.0);
            Facet::Capsule { from: at_m - axis, to: at_m + axis, radius: radius_m.get() }
        }
        BodyShape::Box { .. } => Facet::Block { centre: at_m, half, along: right },
        BodyShape::Sphere { radius_m } => Facet::Ball { centre: at_m, radius: radius_m.get() },
        BodyShape::Cylinder { radius_m, .. } => {
            Facet::Bar { from: at_m - DVec3::Z * half.z, to: at_m + DVec3::Z * half.z, radius: radius_m.get() }
        }
        BodyShape::Mesh { surface, .. } => {
            let place = |p: DVec3| at_m + right * p.x + ahead * p.y + DVec3::Z * p.z;
            return surface.triangles_m.iter().map(|corners| Facet::Triangle(corners.map(place))).collect();
        }
    };
    vec![whole]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_on_a_path_looks_where_it_drives() {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        let body: BodyEntry = options
            .from_str(
                "(id: \"car\", shape: Box(size_m: (1.8, 4.4, 1.5)), material: \"x\", at_m: (0.0, 0.0, 0.8), temperature_c: 30.0,
                path: [(at_s: 10.0, to_m: (20.0, 0.0, 0.8)), (at_s: 20.0, to_m: (20.0, 10.0, 0.8))])",
            )
            .unwrap();
        for (at_s, place, ahead) in [
            (0.0, DVec3::new(0.0, 0.0, 0.8), DVec3::X),
            (5.0, DVec3::new(10.0, 0.0, 0.8), DVec3::X),
            (15.0, DVec3::new(20.0, 5.0, 0.8), DVec3::Y),
        ] {
            assert_eq!(pose(&body, at_s), Some((place, ahead)), "{at_s}");
        }
        let [Facet::Block { half, along, .. }] = facets(&body.shape, pose(&body, 5.0).unwrap())[..] else { panic!("a box is a block") };
        // across the way it drives
        assert!(along == DVec3::NEG_Y && half.x == 0.9);
    }
}
