//! What a camera can see: solid surfaces with their temperatures, and rays against them.
//!
//! A surface has one temperature and one emissivity; facets of simple shape show where it is. The ground is surface 0 and
//! reaches everywhere, on flat land at z = 0; where a ray meets nothing there is sky. The nearest facet is found in a hierarchy
//! of boxes (crate `obvhs`, single precision, boxes a hair too large) and then met in double precision.
//! Sources: Ericson, *Real-Time Collision Detection*, 2005, ch. 5 (capsules, boxes, balls); Möller and Trumbore, *J. Graphics
//! Tools* 2, 1997 (triangles). Left out: what stands outside the domain, glass, leaves.

use bevy_ecs::prelude::*;
use glam::DVec3;
use obvhs::aabb::Aabb;
use obvhs::bvh2::Bvh2;
use obvhs::ploc::{PlocBuilder, PlocSearchDistance, SortPrecision};
use obvhs::ray::{Ray, RayHit};

use crate::world::event::EventNode;
use crate::world::shape::{Ground, Shape};

/// The surface of the ground.
pub const GROUND: usize = 0;
/// The ground is looked for no farther than this, m; beyond it a ray meets the sky. Chosen: heat does not come through so much air.
const FARTHEST_M: f64 = 5_000.0;
/// A ray over uneven ground takes steps of this part of its height above it, m, and no shorter ones than the least.
const GROUND_STEP: (f64, f64) = (0.3, 0.1);

/// A surface of one temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surface {
    /// Temperature in kelvin.
    pub temperature_k: f64,
    /// Emissivity, 8–14 µm.
    pub emissivity: f64,
    /// The body of the scenario it belongs to.
    pub body: Option<usize>,
    /// The body whose fault warms it, itself or what it sits on, and how warm it would be without, K.
    pub warmed_by: Option<(usize, f64)>,
    /// The line of the scenario it belongs to, and how warm that would be without current, K.
    pub line: Option<(usize, f64)>,
    /// The source it is a flame of, and how warm the air would be in its place, K.
    pub fire: Option<(usize, f64)>,
}

impl Surface {
    /// A surface that belongs to nothing.
    #[must_use]
    pub const fn plain(temperature_k: f64, emissivity: f64) -> Self {
        Self { temperature_k, emissivity, body: None, warmed_by: None, line: None, fire: None }
    }
}

/// Things whose heat an image may be without; of a fire the flame alone, not what it warms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heaters {
    /// Bodies with their faults, as the scenario numbers them.
    pub bodies: Vec<usize>,
    /// Lines with their currents, as the scenario numbers them.
    pub lines: Vec<usize>,
    /// Sources with their flames, indices in [`super::tracers::Sources`].
    pub fires: Vec<usize>,
}

impl Heaters {
    /// How warm a surface would be without them, K; none if they do not warm it.
    #[must_use]
    pub fn without_k(&self, surface: &Surface) -> Option<f64> {
        let of = |cause: Option<(usize, f64)>, list: &[usize]| cause.filter(|(which, _)| list.contains(which));
        let cause = of(surface.line, &self.lines).or_else(|| of(surface.warmed_by, &self.bodies)).or_else(|| of(surface.fire, &self.fires));
        cause.map(|(_, kelvin)| kelvin)
    }

    /// What the members of some events warm.
    #[must_use]
    pub fn of<'e>(events: impl Iterator<Item = &'e EventNode>) -> Self {
        events.fold(Self::default(), |mut all, event| {
            all.bodies.extend(&event.bodies);
            all.lines.extend(&event.lines);
            all.fires.extend(&event.members);
            all
        })
    }
}

/// A simple shape in the domain, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Facet {
    /// A round bar with round ends.
    Capsule {
        /// Where its axis begins.
        from: DVec3,
        /// Where its axis ends.
        to: DVec3,
        /// Radius.
        radius: f64,
    },
    /// A round bar with flat ends.
    Bar {
        /// Middle of one end.
        from: DVec3,
        /// Middle of the other end.
        to: DVec3,
        /// Radius.
        radius: f64,
    },
    /// A ball.
    Ball {
        /// Its middle.
        centre: DVec3,
        /// Radius.
        radius: f64,
    },
    /// A box, turned about the vertical.
    Block {
        /// Its middle.
        centre: DVec3,
        /// Half of its size.
        half: DVec3,
        /// Unit vector of its own x axis, level.
        along: DVec3,
    },
    /// A triangle, seen from both sides.
    Triangle([DVec3; 3]),
}

/// Where a ray meets a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Index of the surface.
    pub surface: usize,
    /// Way of the ray, m.
    pub range_m: f64,
    /// Unit vector out of the surface, towards the ray's side.
    pub normal: DVec3,
}

/// Everything solid.
#[derive(Resource, Clone, Default)]
pub struct Scene {
    /// Surfaces; the first is the ground.
    pub surfaces: Vec<Surface>,
    /// Shapes and the surface each shows; change them with [`Self::place`].
    facets: Vec<(Facet, usize)>,
    /// Uneven ground.
    ground: Option<Ground>,
    /// Grows when a facet moves.
    version: u64,
    /// Boxes around the facets; none without any.
    tree: Option<Bvh2>,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scene({} surfaces, {} facets)", self.surfaces.len(), self.facets.len())
    }
}

impl Scene {
    /// A scene of these facets over the ground.
    #[must_use]
    pub fn new(surfaces: Vec<Surface>, facets: Vec<(Facet, usize)>, ground: Option<Ground>) -> Self {
        let mut scene = Self { surfaces, ground, ..Self::default() };
        scene.place(facets);
        scene
    }

    /// The facets and their surfaces.
    #[must_use]
    pub fn facets(&self) -> &[(Facet, usize)] {
        &self.facets
    }

    /// Changes whenever a facet moves.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Puts the facets where they are now.
    pub fn place(&mut self, facets: Vec<(Facet, usize)>) {
        if self.version > 0 && facets == self.facets {
            return;
        }
        let boxes: Vec<Aabb> = facets.iter().map(|(facet, _)| facet.around()).collect();
        let order = (0..u32::try_from(boxes.len()).unwrap_or(u32::MAX)).collect();
        let build = || PlocBuilder::with_capacity(boxes.len()).build(PlocSearchDistance::Medium, &boxes, order, SortPrecision::U64, 2);
        self.tree = (!boxes.is_empty()).then(build);
        self.facets = facets;
        self.version += 1;
    }

    /// The nearest surface along a ray; `towards` is a unit vector. None is the sky.
    #[must_use]
    pub fn hit(&self, from_m: DVec3, towards: DVec3) -> Option<Hit> {
        let ground_m = self.ground_m(from_m, towards);
        let mut nearest = RayHit::none();
        if let Some(tree) = &self.tree {
            let ray = Ray::new(from_m.as_vec3a(), towards.as_vec3a(), 0.0, single(ground_m.unwrap_or(FARTHEST_M)));
            tree.ray_traverse(ray, &mut nearest, |_, place| {
                let (facet, _) = &self.facets[tree.primitive_indices[place] as usize];
                facet.met(from_m, towards).map_or(f32::INFINITY, |(range, _)| single(range))
            });
            if let Some(index) = tree.primitive_indices.get(nearest.primitive_id as usize) {
                let (facet, surface) = self.facets[*index as usize];
                return facet.met(from_m, towards).map(|(range_m, normal)| Hit { surface, range_m, normal });
            }
        }
        ground_m.map(|range_m| Hit { surface: GROUND, range_m, normal: DVec3::Z })
    }

    /// Way of a ray to the ground.
    fn ground_m(&self, from: DVec3, towards: DVec3) -> Option<f64> {
        let Some(ground) = &self.ground else {
            let way = -from.z / towards.z;
            return (towards.z < 0.0 && way <= FARTHEST_M).then_some(way.max(0.0));
        };
        let above = |way: f64| {
            let at = from + towards * way;
            at.z - ground.height_m(at.x, at.y)
        };
        let (mut way, mut gap) = (0.0, above(0.0));
        while way < FARTHEST_M {
            if gap > ground.top_m && towards.z >= 0.0 {
                return None;
            }
            let next = way + (GROUND_STEP.0 * gap).max(GROUND_STEP.1 * (1.0 + 0.01 * way));
            let then = above(next);
            if then <= 0.0 {
                let (mut low, mut high) = (way, next);
                for _ in 0..30 {
                    let middle = f64::midpoint(low, high);
                    if above(middle) > 0.0 { low = middle } else { high = middle }
                }
                return Some(high);
            }
            (way, gap) = (next, then);
        }
        None
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a way in metres, to find the nearest")]
fn single(way: f64) -> f32 {
    way as f32
}

impl Facet {
    /// The facets of an obstacle; none for the ground.
    #[must_use]
    pub fn of(shape: &Shape) -> Vec<Self> {
        match shape {
            Shape::Box { min, max } => vec![Self::Block { centre: min.midpoint(*max), half: 0.5 * (*max - *min), along: DVec3::X }],
            Shape::Cylinder { from, to, radius } => vec![Self::Bar { from: *from, to: *to, radius: *radius }],
            Shape::Sphere { centre, radius } => vec![Self::Ball { centre: *centre, radius: *radius }],
            Shape::Mesh(mesh) => mesh.triangles_m.iter().map(|corners| Self::Triangle(*corners)).collect(),
            Shape::Ground(_) => Vec::new(),
        }
    }

    /// Lower and upper corner of a box around it.
    #[must_use]
    pub fn bounds(&self) -> (DVec3, DVec3) {
        match self {
            Self::Capsule { from, to, radius } | Self::Bar { from, to, radius } => {
                (from.min(*to) - DVec3::splat(*radius), from.max(*to) + DVec3::splat(*radius))
            }
            Self::Ball { centre, radius } => (*centre - DVec3::splat(*radius), *centre + DVec3::splat(*radius)),
            Self::Block { centre, half, along } => {
                let across = DVec3::Z.cross(*along);
                let reach = along.abs() * half.x + across.abs() * half.y + DVec3::Z * half.z;
                (*centre - reach, *centre + reach)
            }
            Self::Triangle([a, b, c]) => (a.min(*b).min(*c), a.max(*b).max(*c)),
        }
    }

    /// Its surface, m².
    #[must_use]
    pub fn area_m2(&self) -> f64 {
        use std::f64::consts::PI;
        match self {
            Self::Capsule { from, to, radius } => 2.0 * PI * radius * (from.distance(*to) + 2.0 * radius),
            Self::Bar { from, to, radius } => 2.0 * PI * radius * (from.distance(*to) + radius),
            Self::Ball { radius, .. } => 4.0 * PI * radius * radius,
            Self::Block { half, .. } => 8.0 * (half.x * half.y + half.y * half.z + half.z * half.x),
            Self::Triangle([a, b, c]) => 0.5 * (*b - *a).cross(*c - *a).length(),
        }
    }

    /// Its least extent, m: how thin it may look.
    #[must_use]
    pub fn thickness_m(&self) -> f64 {
        match self {
            Self::Capsule { radius, .. } | Self::Bar { radius, .. } | Self::Ball { radius, .. } => 2.0 * radius,
            Self::Block { half, .. } => 2.0 * half.min_element(),
            Self::Triangle([a, b, c]) => [a.distance(*b), b.distance(*c), c.distance(*a)].into_iter().fold(f64::MAX, f64::min),
        }
    }

    /// A box in single precision that surely holds it.
    fn around(&self) -> Aabb {
        let (min, max) = self.bounds();
        let hair = DVec3::splat(1e-3) + 1e-6 * min.abs().max(max.abs());
        Aabb::new((min - hair).as_vec3a(), (max + hair).as_vec3a())
    }

    /// Way of a ray to it and its normal there; `d` is a unit vector. A ray that begins inside meets nothing.
    #[must_use]
    pub fn met(&self, o: DVec3, d: DVec3) -> Option<(f64, DVec3)> {
        match self {
            Self::Capsule { from, to, radius } => round_side(o, d, *from, *to, *radius).or_else(|| {
                let ends = [ball(o, d, *from, *radius), ball(o, d, *to, *radius)];
                ends.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0))
            }),
            Self::Bar { from, to, radius } => round_side(o, d, *from, *to, *radius).or_else(|| {
                let axis = (*to - *from).normalize_or_zero();
                let end = |middle: DVec3, out: DVec3| {
                    let way = (middle - o).dot(out) / d.dot(out);
                    (d.dot(out) < 0.0 && way > 0.0 && (o + d * way).distance(middle) <= *radius).then_some((way, out))
                };
                end(*from, -axis).or_else(|| end(*to, axis))
            }),
            Self::Ball { centre, radius } => ball(o, d, *centre, *radius),
            Self::Block { centre, half, along } => block(o, d, *centre, *half, *along),
            Self::Triangle(corners) => triangle(o, d, corners),
        }
    }
}

/// The side of a round bar.
fn round_side(o: DVec3, d: DVec3, from: DVec3, to: DVec3, radius: f64) -> Option<(f64, DVec3)> {
    let (axis, away) = (to - from, o - from);
    let (length2, along_d, along_o) = (axis.length_squared(), axis.dot(d), axis.dot(away));
    let a = length2 - along_d * along_d;
    let b = length2 * away.dot(d) - along_o * along_d;
    let c = length2 * (away.length_squared() - radius * radius) - along_o * along_o;
    let h = b * b - a * c;
    if h < 0.0 || a <= 0.0 {
        return None;
    }
    let way = (-b - h.sqrt()) / a;
    let along = along_o + way * along_d;
    if way <= 0.0 || along <= 0.0 || along >= length2 {
        return None;
    }
    Some((way, (away + d * way - axis * (along / length2)) / radius))
}

fn ball(o: DVec3, d: DVec3, centre: DVec3, radius: f64) -> Option<(f64, DVec3)> {
    let away = o - centre;
    let b = away.dot(d);
    let h = b * b - away.length_squared() + radius * radius;
    let way = -b - h.max(0.0).sqrt();
    (h >= 0.0 && way > 0.0).then(|| (way, (away + d * way) / radius))
}

fn block(o: DVec3, d: DVec3, centre: DVec3, half: DVec3, along: DVec3) -> Option<(f64, DVec3)> {
    let own = [along, DVec3::Z.cross(along), DVec3::Z];
    let (mut enters, mut leaves, mut normal) = (0.0f64, f64::INFINITY, None);
    for (n, axis) in own.into_iter().enumerate() {
        let (place, way) = ((o - centre).dot(axis), d.dot(axis));
        if way == 0.0 {
            if place.abs() > half[n] {
                return None;
            }
            continue;
        }
        let (near, far) = ((-half[n] * way.signum() - place) / way, (half[n] * way.signum() - place) / way);
        if near > enters {
            (enters, normal) = (near, Some(-axis * way.signum()));
        }
        leaves = leaves.min(far);
    }
    normal.filter(|_| enters <= leaves).map(|normal| (enters, normal))
}

fn triangle(o: DVec3, d: DVec3, [a, b, c]: &[DVec3; 3]) -> Option<(f64, DVec3)> {
    let (ab, ac) = (*b - *a, *c - *a);
    let p = d.cross(ac);
    let whole = ab.dot(p);
    if whole == 0.0 {
        return None;
    }
    let away = o - *a;
    let u = away.dot(p) / whole;
    let q = away.cross(ab);
    let v = d.dot(q) / whole;
    let way = ac.dot(q) / whole;
    if !(0.0..=1.0).contains(&u) || v < 0.0 || u + v > 1.0 || way <= 0.0 {
        return None;
    }
    let normal = ab.cross(ac).normalize_or_zero();
    Some((way, if normal.dot(d) > 0.0 { -normal } else { normal }))
}

impl obvhs::Boundable for Facet {
    fn aabb(&self) -> Aabb {
        self.around()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::Stream;

    fn surfaces(count: usize) -> Vec<Surface> {
        vec![Surface::plain(293.15, 0.95); count]
    }

    #[test]
    fn each_shape_is_met_where_it_stands_and_faces_the_ray() {
        let o = DVec3::new(0.0, 0.0, 2.0);
        for (facet, range) in [
            (Facet::Capsule { from: DVec3::new(5.0, -1.0, 2.0), to: DVec3::new(5.0, 1.0, 2.0), radius: 0.5 }, 4.5),
            (Facet::Capsule { from: DVec3::new(5.0, 0.0, 2.0), to: DVec3::new(9.0, 0.0, 2.0), radius: 0.5 }, 4.5),
            (Facet::Bar { from: DVec3::new(5.0, 0.0, 2.0), to: DVec3::new(9.0, 0.0, 2.0), radius: 0.5 }, 5.0),
            (Facet::Bar { from: DVec3::new(5.0, 0.0, 0.0), to: DVec3::new(5.0, 0.0, 4.0), radius: 0.5 }, 4.5),
            (Facet::Ball { centre: DVec3::new(5.0, 0.0, 2.0), radius: 1.0 }, 4.0),
            (Facet::Block { centre: DVec3::new(5.0, 0.0, 2.0), half: DVec3::new(2.0, 1.0, 1.0), along: DVec3::Y }, 4.0),
            (Facet::Triangle([DVec3::new(6.0, -1.0, 1.0), DVec3::new(6.0, 1.0, 1.0), DVec3::new(6.0, 0.0, 4.0)]), 6.0),
        ] {
            let (way, normal) = facet.met(o, DVec3::X).unwrap();
            assert!((way - range).abs() < 1e-12 && (normal - DVec3::NEG_X).length() < 1e-12, "{facet:?}: {way} {normal}");
            assert_eq!(facet.met(o, DVec3::NEG_X), None, "{facet:?}");
            let (min, max) = facet.bounds();
            assert!(min.x <= o.x + way + 1e-9 && max.x >= o.x + way - 1e-9);
        }
    }

    #[test]
    fn the_tree_finds_what_a_look_at_every_facet_finds() {
        let mut draws = Stream::new(1, "scene", "test").at(0);
        let mut place = |size: f64| DVec3::new(draws.between(0.0, size), draws.between(0.0, size), draws.between(0.5, 20.0));
        let facets: Vec<(Facet, usize)> = (1..200)
            .map(|n| {
                let (from, half) = (place(60.0), place(1.0).min(DVec3::ONE) + 0.01);
                let facet = match n % 4 {
                    0 => Facet::Capsule { from, to: from + DVec3::new(3.0, 1.0, 0.2), radius: 0.01 },
                    1 => Facet::Ball { centre: from, radius: 0.3 },
                    2 => Facet::Block { centre: from, half, along: DVec3::new(0.6, 0.8, 0.0) },
                    _ => Facet::Triangle([from, from + DVec3::X, from + half]),
                };
                (facet, n)
            })
            .collect();
        let scene = Scene::new(surfaces(200), facets.clone(), None);
        let mut met = 0;
        for _ in 0..5000 {
            let (from, to) = (place(60.0), place(60.0));
            let towards = (to - from).normalize_or_zero();
            let nearest = facets.iter().filter_map(|(facet, n)| Some((facet.met(from, towards)?.0, *n))).min_by(|a, b| a.0.total_cmp(&b.0));
            let ground = (towards.z < 0.0).then(|| (-from.z / towards.z, GROUND)).filter(|(way, _)| *way <= FARTHEST_M);
            let expected = [nearest, ground].into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0));
            let hit = scene.hit(from, towards).map(|hit| (hit.range_m, hit.surface));
            assert_eq!(hit, expected, "from {from} towards {towards}");
            met += usize::from(hit.is_some_and(|(_, surface)| surface != GROUND));
        }
        assert!(met > 300, "{met}");
    }

    #[test]
    fn a_ray_meets_uneven_ground_on_its_surface() {
        let text = "ncols 2\nnrows 2\ncellsize 20\n100 140\n100 140\n";
        let terrain = crate::files::terrain::Terrain::read(&crate::diagnostics::Source::new("t.asc", text)).unwrap();
        let ground = Ground::new(terrain, (10.0, 10.0), DVec3::new(20.0, 20.0, 60.0)).unwrap();
        let scene = Scene::new(surfaces(1), Vec::new(), Some(ground));
        // the slope is 2 in 1 along x
        let hit = scene.hit(DVec3::new(1.0, 10.0, 20.0), DVec3::X).unwrap();
        assert!((hit.range_m - 9.0).abs() < 1e-3, "{hit:?}");
        assert_eq!(scene.hit(DVec3::new(1.0, 10.0, 50.0), DVec3::Z), None);
    }
}
