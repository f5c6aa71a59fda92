//! The scene that cameras look at: lines, joints, bodies, obstacles and ground with the temperatures they have, and flames.
//!
//! A flame is an opaque bar that emits little: what it lets through is taken for the mean of what is around it.
//!
//! Left out: poles that no obstacle stands for, leaves.

use bevy_ecs::prelude::*;

use super::GroundAir;
use super::lines::LineTables;
use super::surfaces::{SurfaceTemperatures, faces};
use crate::files::body::BodyEntry;
use crate::files::material::Material;
use crate::files::scenario::Scenario;
use crate::units::kelvin;
use crate::world::Clock;
use crate::world::body::{self, Bodies, pose};
use crate::world::heat::{Flame, Flames};
use crate::world::lines::{LineCell, PhaseNode};
use crate::world::scene::{Facet, GROUND, Scene, Surface};
use crate::world::shape::Shape;
use crate::world::spawn::Conditions;

/// Emissivity of what stands in the wind, 8–14 µm: concrete and brick, section 3.7 of the physics reference.
const MASONRY: f64 = 0.93;
/// Emissivity of a ground that the site does not name: grass, Oke, *Boundary Layer Climates*, 1987, table 1.1.
const GRASS: f64 = 0.97;

/// Shows every surface as warm as it is and every body where it is; builds the scene in the first tick.
pub(super) fn show_surfaces(
    (conditions, clock): (Res<Conditions>, Res<Clock>),
    (tables, bodies, surfaces): (Res<LineTables>, Res<Bodies>, Res<SurfaceTemperatures>),
    (flames, ground): (Res<Flames>, Res<GroundAir>),
    phases: Query<&PhaseNode>,
    mut scene: ResMut<Scene>,
) {
    let mut phases: Vec<&PhaseNode> = phases.iter().collect();
    phases.sort_by(|a, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
    let now_s = clock.now_s();
    if scene.surfaces.is_empty() {
        *scene = build(&conditions, &tables, &phases, now_s);
    }
    let burns = !flames.0.is_empty() || scene.surfaces.iter().any(|surface| surface.fire.is_some());
    if burns || conditions.scenario.bodies.iter().any(|body| !body.path.is_empty()) {
        let mut facets = facets(&conditions, &tables, &phases, now_s);
        let first = scene.surfaces.len() - conditions.scenario.emitters.len();
        facets.extend(flames.0.iter().map(|flame| (flame_facet(flame), first + flame.source)));
        scene.place(facets);
    }
    let still = surfaces.kelvin().map(|t| (t, None, None));
    let unheated = |body: usize| (body, bodies.unheated_k[body]);
    let cells = phases.iter().flat_map(|phase| {
        phase.temperature_c.iter().zip(&phase.cells).enumerate().map(|(n, (t, cell))| {
            let sound = cell.near.zip(phase.unheated_c.get(n)).map(|(body, t)| (body, kelvin(*t)));
            let idle = phase.idle_c.get(n).map(|t| (phase.line, kelvin(*t)));
            (kelvin(*t), sound, idle)
        })
    });
    let own = free(&conditions.scenario).map(|(n, _)| (bodies.kelvin[n], Some(unheated(n)), None));
    for (surface, now) in scene.surfaces.iter_mut().zip(still.chain(cells).chain(own)) {
        (surface.temperature_k, surface.warmed_by, surface.line) = now;
    }
    let first = scene.surfaces.len() - conditions.scenario.emitters.len();
    for (source, surface) in scene.surfaces[first..].iter_mut().enumerate() {
        *surface = flames.0.iter().find(|flame| flame.source == source).map_or(Surface::plain(ground.temperature_k, 0.0), |flame| {
            Surface { fire: Some((source, ground.temperature_k)), ..Surface::plain(flame.temperature_k, flame.emissivity) }
        });
    }
}

/// A flame as a ray meets it; places to 5 cm, so that it need not be looked for anew all the time.
fn flame_facet(flame: &Flame) -> Facet {
    let snap = |at: glam::DVec3| (at * 20.0).round() / 20.0;
    let (from, to) = (snap(flame.base_m), snap(flame.tip_m));
    let to = if to == from { from + glam::DVec3::Z * 0.05 } else { to };
    Facet::Bar { from, to, radius: ((flame.diameter_m * 10.0).round() / 20.0).max(0.02) }
}

/// Bodies that sit on no line, with their place among all.
fn free(scenario: &Scenario) -> impl Iterator<Item = (usize, &BodyEntry)> {
    scenario.bodies.iter().enumerate().filter(|(_, body)| body.at_m.is_some())
}

/// Ground, the faces of obstacles in file order, the cells of every phase, free bodies, a flame for every emitter.
fn build(conditions: &Conditions, tables: &LineTables, phases: &[&PhaseNode], now_s: f64) -> Scene {
    let scenario = &conditions.scenario;
    let emissivity = |material: Option<&Material>, other: f64| material.map_or(other, |material| material.emissivity.get());
    let of_body = |body: &BodyEntry| emissivity(tables.materials.get(&body.material), MASONRY);
    let surface = |emissivity, body| Surface { body, ..Surface::plain(kelvin(15.0), emissivity) };
    let cover = scenario.site.ground.as_ref().and_then(|id| tables.materials.get(id));
    let mut surfaces = vec![surface(emissivity(cover, GRASS), None)];
    debug_assert_eq!(surfaces.len(), GROUND + 1);
    for (shape, obstacle) in conditions.shapes.iter().zip(&scenario.obstacles).filter(|(shape, _)| !matches!(shape, Shape::Ground(_))) {
        let skin = emissivity(obstacle.material().and_then(|id| tables.materials.get(id)), MASONRY);
        surfaces.extend(faces(shape).iter().map(|_| surface(skin, None)));
    }
    for phase in phases {
        let bare = tables.conductors.get(&scenario.lines[phase.line].conductor).map_or(1.0, |conductor| conductor.emissivity.get());
        surfaces.extend(phase.cells.iter().map(|cell| surface(cell.body.map_or(bare, |body| of_body(&scenario.bodies[body])), cell.body)));
    }
    surfaces.extend(free(scenario).map(|(n, body)| surface(of_body(body), Some(n))));
    // flames that may come
    surfaces.extend(scenario.emitters.iter().map(|_| surface(0.0, None)));
    Scene::new(surfaces, facets(conditions, tables, phases, now_s), conditions.ground().cloned())
}

/// The shapes of all that, where they are at a time, each with its surface.
fn facets(conditions: &Conditions, tables: &LineTables, phases: &[&PhaseNode], now_s: f64) -> Vec<(Facet, usize)> {
    let scenario = &conditions.scenario;
    let (mut facets, mut surface) = (Vec::new(), GROUND + 1);
    for face in conditions.shapes.iter().filter(|shape| !matches!(shape, Shape::Ground(_))).flat_map(faces) {
        facets.extend(face.facets.into_iter().map(|facet| (facet, surface)));
        surface += 1;
    }
    for phase in phases {
        let bare = tables.conductors.get(&scenario.lines[phase.line].conductor).map_or(0.0, |conductor| 0.5 * conductor.diameter_m.get());
        for LineCell { ends_m: [from, to], body, .. } in &phase.cells {
            let radius = body.map_or(bare, |body| scenario.bodies[body].shape.half_m()[0]);
            // a body ends where its cell ends; cells of the line join round
            let bar = |from, to| if body.is_some() { Facet::Bar { from, to, radius } } else { Facet::Capsule { from, to, radius } };
            facets.push((bar(*from, *to), surface));
            surface += 1;
        }
    }
    for (_, body) in free(scenario) {
        facets.extend(pose(body, now_s).into_iter().flat_map(|pose| body::facets(&body.shape, pose)).map(|facet| (facet, surface)));
        surface += 1;
    }
    facets
}
