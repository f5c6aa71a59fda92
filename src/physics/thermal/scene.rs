//! The scene that cameras look at: lines, joints, obstacles and ground with the temperatures they have.
//!
//! Obstacles and ground are as warm as the air. Left out: poles, leaves, walls that the sun warms.

use bevy_ecs::prelude::*;

use super::GroundAir;
use super::lines::LineTables;
use crate::files::line::BodyShape;
use crate::units::kelvin;
use crate::world::lines::{LineCell, PhaseNode};
use crate::world::scene::{Facet, GROUND, Scene, Surface};
use crate::world::spawn::Conditions;

/// Emissivity of what stands in the wind, 8–14 µm: concrete and brick, section 3.7 of the physics reference.
const MASONRY: f64 = 0.93;
/// Emissivity of a ground that the site does not name: grass, Oke, *Boundary Layer Climates*, 1987, table 1.1.
const GRASS: f64 = 0.97;

/// Shows every surface as warm as it is; builds the scene in the first tick.
pub(super) fn show_surfaces(
    (conditions, tables, ground): (Res<Conditions>, Res<LineTables>, Res<GroundAir>),
    phases: Query<&PhaseNode>,
    mut scene: ResMut<Scene>,
) {
    let mut phases: Vec<&PhaseNode> = phases.iter().collect();
    phases.sort_by(|a, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
    if scene.surfaces.is_empty() {
        *scene = build(&conditions, &tables, &phases);
    }
    let warm = phases.iter().flat_map(|phase| &phase.temperature_c);
    let still = scene.surfaces.len() - phases.iter().map(|phase| phase.cells.len()).sum::<usize>();
    let (air, lines) = scene.surfaces.split_at_mut(still);
    for surface in air {
        surface.temperature_k = ground.temperature_k;
    }
    for (surface, temperature_c) in lines.iter_mut().zip(warm) {
        surface.temperature_k = kelvin(*temperature_c);
    }
}

/// Ground, obstacles in file order, then the cells of every phase.
fn build(conditions: &Conditions, tables: &LineTables, phases: &[&PhaseNode]) -> Scene {
    let scenario = &conditions.scenario;
    let air = |emissivity| Surface { temperature_k: kelvin(15.0), emissivity, body: None };
    let cover = scenario.site.ground.as_ref().and_then(|id| tables.materials.get(id));
    let mut surfaces = vec![air(cover.map_or(GRASS, |material| material.emissivity.get()))];
    debug_assert_eq!(surfaces.len(), GROUND + 1);
    let mut facets = Vec::new();
    for shape in &conditions.shapes {
        facets.extend(Facet::of(shape).into_iter().map(|facet| (facet, surfaces.len())));
        surfaces.push(air(MASONRY));
    }
    for phase in phases {
        let conductor = tables.conductors.get(&scenario.lines[phase.line].conductor);
        for LineCell { ends_m: [from, to], body, .. } in &phase.cells {
            let (mut radius, mut emissivity) = conductor.map_or((0.01, 0.8), |c| (0.5 * c.diameter_m.get(), c.emissivity.get()));
            if let Some(body) = body.map(|body| &scenario.bodies[body]) {
                let BodyShape::Capsule { radius_m, .. } = body.shape;
                radius = radius_m.get();
                emissivity = tables.materials.get(&body.material).map_or(emissivity, |material| material.emissivity.get());
            }
            facets.push((Facet::Capsule { from: *from, to: *to, radius }, surfaces.len()));
            surfaces.push(Surface { body: *body, ..air(emissivity) });
        }
    }
    Scene::new(surfaces, facets, conditions.ground().cloned())
}
