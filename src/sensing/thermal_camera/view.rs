//! What each pixel of a camera sees: parts of surfaces and of the sky, found by rays.
//!
//! A pixel sends 16 rays; near a body that looks thinner than a few pixels 256, and around one that looks smaller than
//! two pixels 4096, so that what is smaller than a pixel counts by its area. Rays stand on a lattice that leaves no direction
//! uncovered (`x = (n + ½)/N`, `y = frac(n φ)`). It is done once and, where bodies move, again for the pixels they leave and enter.
//! Source: Niederreiter, *Random Number Generation and Quasi-Monte Carlo Methods*, SIAM 1992, ch. 3 (such lattices).

use std::collections::BTreeMap;

use glam::DVec3;

use crate::numerics::Workers;
use crate::sensing::thermal_camera::optics::{Blur, Lens, SPREAD};
use crate::world::scene::{Facet, Scene};

/// Rays in an ordinary pixel, near something thin, around something small.
const RAYS: [u32; 3] = [16, 256, 4096];
/// Thinner than so many pixels is thin; smaller than so many is small.
const THIN_PX: f64 = 4.0;
const SMALL_PX: f64 = 2.0;
/// Surfaces that emit less than this mirror the sun.
const SHINY: f64 = 0.5;
/// The golden ratio less one.
const PHI: f64 = 0.618_033_988_749_894_9;
/// No more mirrored rays than this are kept in a part.
const MIRRORED: usize = 16;

/// A part of a pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The surface; none is the sky.
    pub surface: Option<usize>,
    /// Share of the pixel.
    pub share: f64,
    /// Mean way, m.
    pub range_m: f64,
    /// Share of the mirrored rays that go up to the sky.
    pub up: f64,
    /// Mean sine of the elevation of those; for the sky itself, of the rays.
    pub sine: f64,
    /// Some mirrored rays of a shiny surface.
    pub mirrored: Vec<DVec3>,
    /// In a pixel of several parts: the shares of this one's light that it and its neighbours gather, less those of a part of its size
    /// spread all over the pixel.
    pub off_centre: Vec<f64>,
}

/// What a camera sees of a scene.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Parts of each pixel, row by row from the upper left.
    pub pixels: Vec<Vec<Part>>,
    camera: Option<(Lens, Blur)>,
    version: u64,
    facets: Vec<(Facet, usize)>,
}

impl View {
    /// Looks again where something has changed.
    pub fn refresh(&mut self, lens: &Lens, blur: Blur, scene: &Scene, workers: &Workers) {
        let same_camera = self.camera == Some((*lens, blur));
        if same_camera && self.version == scene.version() {
            return;
        }
        let [width, height] = lens.size;
        let (mut rays, mut again) = (vec![0u8; width * height], vec![!same_camera; width * height]);
        let meshes = wholes(scene.facets());
        for (facet, surface) in scene.facets() {
            mark(lens, facet, meshes.get(surface), |pixel, class| rays[pixel] = rays[pixel].max(class));
        }
        if same_camera {
            let count = scene.facets().len().max(self.facets.len());
            for n in (0..count).filter(|n| scene.facets().get(*n) != self.facets.get(*n)) {
                for (facet, _) in [scene.facets().get(n), self.facets.get(n)].into_iter().flatten() {
                    mark(lens, facet, None, |pixel, _| again[pixel] = true);
                }
            }
        }
        self.pixels.resize(width * height, Vec::new());
        let rows: Vec<&mut [Vec<Part>]> = self.pixels.chunks_mut(width).collect();
        workers.map(
            rows,
            || (),
            |(), y, row| {
                for (x, pixel) in row.iter_mut().enumerate().filter(|(x, _)| again[x + width * y]) {
                    *pixel = parts(lens, blur, scene, (x, y), RAYS[usize::from(rays[x + width * y])]);
                }
            },
        );
        (self.camera, self.version, self.facets) = (Some((*lens, blur)), scene.version(), scene.facets().to_vec());
    }

    /// How far a pixel sees, m.
    #[must_use]
    pub fn farthest_m(&self, pixel: usize) -> f64 {
        self.pixels[pixel].iter().map(|part| if part.surface.is_some() { part.range_m } else { f64::INFINITY }).fold(0.0, f64::max)
    }

    /// Every pixel that sees a body, and the body, as often as it has parts of one.
    pub fn bodies<'v>(&'v self, scene: &'v Scene) -> impl Iterator<Item = (usize, usize)> + 'v {
        let body = |part: &Part| part.surface.and_then(|surface| scene.surfaces[surface].body);
        self.pixels.iter().enumerate().flat_map(move |(pixel, parts)| parts.iter().filter_map(body).map(move |body| (pixel, body)))
    }
}

/// The boxes around all triangles of each surface that has any.
fn wholes(facets: &[(Facet, usize)]) -> BTreeMap<usize, (DVec3, DVec3)> {
    let mut list: BTreeMap<usize, (DVec3, DVec3)> = BTreeMap::new();
    for (facet, surface) in facets.iter().filter(|(facet, _)| matches!(facet, Facet::Triangle(_))) {
        let (min, max) = facet.bounds();
        let whole = list.entry(*surface).or_insert((min, max));
        *whole = (whole.0.min(min), whole.1.max(max));
    }
    list
}

/// The pixels a box may come to lie in, from and to, and how near it comes, m.
fn reach(lens: &Lens, (min, max): (DVec3, DVec3)) -> ((f64, f64), (f64, f64), f64) {
    let [width, height] = lens.size;
    let corners = (0..8u8).map(|n| DVec3::new(side(n, 0, min.x, max.x), side(n, 1, min.y, max.y), side(n, 2, min.z, max.z)));
    let nearest_m = corners.clone().map(|corner| lens.depth_m(corner)).fold(f64::MAX, f64::min);
    let places: Option<Vec<(f64, f64)>> = corners.map(|corner| lens.place(corner)).collect();
    // what reaches behind the camera may be anywhere
    let (low, high) = places.as_ref().map_or(((0.0, 0.0), (width as f64, height as f64)), |places| {
        let fold = |pick: fn(&(f64, f64)) -> f64, with: fn(f64, f64) -> f64, from: f64| places.iter().map(pick).fold(from, with);
        let (low, high) = (
            (fold(|p| p.0, f64::min, f64::MAX), fold(|p| p.1, f64::min, f64::MAX)),
            (fold(|p| p.0, f64::max, f64::MIN), fold(|p| p.1, f64::max, f64::MIN)),
        );
        // a bent edge leaves the straight one between its corners by no more than this part of its length
        let bulge = 1.0 + lens.bends() * libm::hypot(high.0 - low.0, high.1 - low.1);
        ((low.0 - bulge, low.1 - bulge), (high.0 + bulge, high.1 + bulge))
    });
    (low, high, nearest_m)
}

/// Calls `hit` with every pixel that a facet may come to lie in, and with the class of rays it needs there; a triangle of a `whole` that does not look small is not small.
fn mark(lens: &Lens, facet: &Facet, whole: Option<&(DVec3, DVec3)>, mut hit: impl FnMut(usize, u8)) {
    let [width, height] = lens.size;
    let (low, high, nearest_m) = reach(lens, facet.bounds());
    let pixels_per_m = lens.stretch() / (nearest_m.max(0.1) * lens.pixel_rad());
    let across_px = facet.thickness_m() * pixels_per_m;
    let small = |low: (f64, f64), high: (f64, f64)| (high.0 - low.0 - 2.0).max(high.1 - low.1 - 2.0) < SMALL_PX;
    let all_small = small(low, high) && whole.is_none_or(|whole| small(reach(lens, *whole).0, reach(lens, *whole).1));
    let class = if all_small { 2 } else { u8::from(across_px < THIN_PX) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the image")]
    let range = |low: f64, high: f64, size: usize| low.floor().max(0.0) as usize..(high.ceil().max(0.0) as usize).min(size);
    // only what lies along a bar, not all of the box around it
    let axis = match facet {
        Facet::Capsule { from, to, radius } | Facet::Bar { from, to, radius } => lens
            .place(*from)
            .zip(lens.place(*to))
            .map(|(a, b)| ((a, b), radius * pixels_per_m + 1.5 + lens.bends() * libm::hypot(a.0 - b.0, a.1 - b.1))),
        _ => None,
    };
    for y in range(low.1, high.1, height) {
        for x in range(low.0, high.0, width) {
            let near = axis.is_none_or(|(ends, reach)| from_line((x as f64 + 0.5, y as f64 + 0.5), ends) <= reach);
            if near {
                hit(x + width * y, class);
            }
        }
    }
}

fn side(corner: u8, axis: u8, low: f64, high: f64) -> f64 {
    if corner >> axis & 1 == 0 { low } else { high }
}

/// Distance of a point from a stretch between two.
fn from_line(p: (f64, f64), (a, b): ((f64, f64), (f64, f64))) -> f64 {
    let (way, away) = ((b.0 - a.0, b.1 - a.1), (p.0 - a.0, p.1 - a.1));
    let length2 = way.0 * way.0 + way.1 * way.1;
    let along = if length2 > 0.0 { ((way.0 * away.0 + way.1 * away.1) / length2).clamp(0.0, 1.0) } else { 0.0 };
    libm::hypot(away.0 - along * way.0, away.1 - along * way.1)
}

/// Where a ray stands in its pixel.
fn lattice(ray: u32, rays: u32) -> (f64, f64) {
    ((f64::from(ray) + 0.5) / f64::from(rays), (f64::from(ray) * PHI + 0.5).fract())
}

/// Adds the shares that light from a place in a pixel gives to it and to its neighbours.
fn blurred(shares: &mut [f64], blur: Blur, at: (f64, f64), weight: f64) {
    let (across, down) = (blur.from_place(at.0), blur.from_place(at.1));
    for (n, share) in shares.iter_mut().enumerate() {
        *share += weight * across[n % SPREAD] * down[n / SPREAD];
    }
}

/// The parts of one pixel.
fn parts(lens: &Lens, blur: Blur, scene: &Scene, (x, y): (usize, usize), rays: u32) -> Vec<Part> {
    let mut list: Vec<Part> = Vec::new();
    let weight = 1.0 / f64::from(rays);
    for n in 0..rays {
        let at = lattice(n, rays);
        let towards = lens.towards(x as f64 + at.0, y as f64 + at.1);
        let (surface, range_m, mirror) = match scene.hit(lens.at_m, towards) {
            None => (None, 0.0, towards),
            Some(hit) => (Some(hit.surface), hit.range_m, towards - 2.0 * towards.dot(hit.normal) * hit.normal),
        };
        let place = list.iter().position(|part| part.surface == surface).unwrap_or(list.len());
        if place == list.len() {
            list.push(Part { surface, share: 0.0, range_m: 0.0, up: 0.0, sine: 0.0, mirrored: Vec::new(), off_centre: Vec::new() });
            if place == 1 {
                // it is not all of the pixel: from here on it matters where a part lies
                list[0].off_centre = vec![0.0; SPREAD * SPREAD];
                for before in 0..n {
                    blurred(&mut list[0].off_centre, blur, lattice(before, rays), weight);
                }
            }
            if place > 0 {
                list[place].off_centre = vec![0.0; SPREAD * SPREAD];
            }
        }
        let several = list.len() > 1;
        let part = &mut list[place];
        if several {
            blurred(&mut part.off_centre, blur, at, weight);
        }
        part.share += weight;
        part.range_m += range_m * weight;
        if mirror.z > 0.0 {
            part.up += weight;
            part.sine += mirror.z * weight;
        }
        // a thin flame is not polished
        if surface.is_some_and(|surface| scene.surfaces[surface].emissivity < SHINY && scene.surfaces[surface].fire.is_none()) {
            part.mirrored.push(mirror);
        }
    }
    let even = blur.from_all();
    for part in &mut list {
        for (n, share) in part.off_centre.iter_mut().enumerate() {
            *share -= part.share * even[n % SPREAD] * even[n / SPREAD];
        }
        part.range_m /= part.share;
        part.sine = if part.up > 0.0 { part.sine / part.up } else { 0.0 };
        part.up /= part.share;
        let step = part.mirrored.len().div_ceil(MIRRORED).max(1);
        part.mirrored = part.mirrored.iter().skip(step / 2).step_by(step).copied().collect();
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::SimdLevel;
    use crate::world::scene::Surface;

    const BLUR: Blur = Blur { sigma_px: 0.5 };

    fn surfaces(count: usize) -> Vec<Surface> {
        (0..count).map(|n| Surface { body: n.checked_sub(1), ..Surface::plain(293.15, 0.95) }).collect()
    }

    fn lens() -> Lens {
        Lens::new(DVec3::new(0.0, 0.0, 8.0), 0.0, 0.0, [160, 120], 57.0, 0.0)
    }

    /// The pixels that see a body, and their shares of it.
    fn of_body(view: &View, body: usize) -> Vec<(usize, f64)> {
        let share = |parts: &Vec<Part>| parts.iter().filter(|part| part.surface == Some(body + 1)).map(|part| part.share).sum::<f64>();
        view.pixels.iter().map(share).enumerate().filter(|(_, share)| *share > 0.0).collect()
    }

    #[test]
    fn a_ball_and_a_wire_smaller_than_a_pixel_count_by_their_area() {
        let (workers, lens) = (Workers::new(1, SimdLevel::Auto).unwrap(), lens());
        // centred on a pixel, 10 m away: 3 cm of 6.79 cm
        let at = lens.at_m + 10.0 * lens.towards(80.5, 60.5);
        let ball = Scene::new(surfaces(2), vec![(Facet::Ball { centre: at, radius: 0.015 }, 1)], None);
        let mut view = View::default();
        view.refresh(&lens, BLUR, &ball, &workers);
        let seen: Vec<(usize, f64)> = of_body(&view, 0);
        let expected = std::f64::consts::PI * (0.015 / (10.0 * lens.pixel_rad())).powi(2);
        assert_eq!(seen.len(), 1);
        assert!((seen[0].1 / expected - 1.0).abs() < 0.005, "{} {expected}", seen[0].1);
        // a level wire of 1 cm at 10 m, at heights that no row of rays should miss
        for height in [8.0, 8.01, 8.05, 8.3] {
            let (from, to) = (DVec3::new(-9.0, 10.0, height), DVec3::new(9.0, 10.0, height));
            let wire = Scene::new(surfaces(2), vec![(Facet::Capsule { from, to, radius: 0.005 }, 1)], None);
            let mut view = View::default();
            view.refresh(&lens, BLUR, &wire, &workers);
            let area: f64 = of_body(&view, 0).iter().filter(|(pixel, _)| (40..120).contains(&(pixel % 160))).map(|(_, share)| share).sum();
            let expected = 80.0 * 0.01 / (10.0 * lens.pixel_rad());
            assert!((area / expected - 1.0).abs() < 0.02, "{height}: {area} {expected}");
        }
    }

    #[test]
    fn looking_again_where_a_body_moved_gives_what_a_new_look_gives() {
        let workers = Workers::new(2, SimdLevel::Auto).unwrap();
        let at = |n: f64| {
            vec![
                (Facet::Block { centre: DVec3::new(-3.0 + n, 15.0, 5.0), half: DVec3::new(2.0, 0.9, 0.7), along: DVec3::X }, 1),
                (Facet::Capsule { from: DVec3::new(-9.0, 12.0, 9.0), to: DVec3::new(9.0, 14.0, 9.5), radius: 0.014 }, 2),
            ]
        };
        for (hfov_deg, distortion) in [(57.0, 0.0), (57.0, -0.2124), (120.0, 0.0), (90.0, 0.1)] {
            let lens = Lens::new(DVec3::new(0.0, 0.0, 8.0), 0.0, 0.0, [160, 120], hfov_deg, distortion);
            let mut scene = Scene::new(surfaces(3), at(-6.0), None);
            let mut view = View::default();
            view.refresh(&lens, BLUR, &scene, &workers);
            for step in -5..8 {
                scene.place(at(f64::from(step)));
                view.refresh(&lens, BLUR, &scene, &workers);
            }
            let mut new = View::default();
            new.refresh(&lens, BLUR, &scene, &Workers::new(1, SimdLevel::Auto).unwrap());
            assert!(view.pixels == new.pixels, "{hfov_deg} {distortion}");
            assert!(of_body(&view, 0).len() > 100);
        }
    }
}
