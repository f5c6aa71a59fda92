//! Obstacles and bodies with the files they name, and everything put on the ground where it is not flat.

use glam::DVec3;

use crate::diagnostics::Diagnostic;
use crate::files::body::BodyShape;
use crate::files::material::Materials;
use crate::files::mesh::Mesh;
use crate::files::obstacle::Obstacle;
use crate::files::scenario::{Extent, InitialGas, Position, Scenario, SourceShape};
use crate::files::terrain::Terrain;
use crate::simulation::Read;
use crate::units::Finite;
use crate::world::environment::vector;
use crate::world::shape::{Ground, Shape};
use crate::world::spawn::{FileLoader, grid_of};

/// The obstacles of a scenario as they stand, with the meshes of its bodies read; heights in the scenario are changed to count from z = 0 where there is a terrain.
pub(in crate::simulation) fn resolved(scenario: &mut Read<Scenario>, files: &FileLoader, found: &mut Vec<Diagnostic>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (n, obstacle) in scenario.value.obstacles.iter().enumerate() {
        let path = format!("obstacles[{n}]");
        let materials = Materials::shipped();
        if let Some(id) = obstacle.material().filter(|id| materials.get(id).is_none()) {
            let fault = scenario.fault("unknown-material", &format!("{path}.material"), format!("no surface is called `{id}`"));
            found.push(fault.did_you_mean(id, materials.all().iter().map(|material| material.id.as_str()), true));
        }
        match obstacle {
            Obstacle::Mesh { file, at_m, scale, turn_deg, .. } => match mesh(scenario, files, (&path, file)) {
                Ok(mesh) => shapes.push(Shape::Mesh(mesh.placed(scale.get(), turn_deg.get(), vector(*at_m)))),
                Err(fault) => found.push(*fault),
            },
            Obstacle::Terrain { file, corner_m } => match files.open(file).map(|source| Terrain::read(&source)) {
                None => found.push(missing(scenario, (&path, file))),
                Some(Err(faults)) => {
                    let named =
                        |fault: Diagnostic| fault.also(&scenario.source, scenario.span(&format!("{path}.file")), "this file is named here");
                    found.extend(faults.into_iter().map(named));
                }
                Some(Ok(terrain)) => {
                    let size = grid_of(&scenario.value).size_m();
                    match Ground::new(terrain, (corner_m.0.get(), corner_m.1.get()), size) {
                        Ok(ground) => shapes.push(Shape::Ground(ground)),
                        Err((x, y)) => found.push(
                            scenario
                                .fault("terrain-gap", &path, format!("this terrain has no height at ({x:.1}, {y:.1}) m of the domain"))
                                .help("use a grid that covers the whole domain without gaps, or change `corner_m`"),
                        ),
                    }
                }
            },
            simple => shapes.extend(Shape::of(simple)),
        }
    }
    for n in 0..scenario.value.bodies.len() {
        let BodyShape::Mesh { file, scale, .. } = &scenario.value.bodies[n].shape else { continue };
        match mesh(scenario, files, (&format!("bodies[{n}].shape"), file)).map(|mesh| mesh.placed(scale.get(), 0.0, DVec3::ZERO).centred())
        {
            Ok(mesh) => {
                if let BodyShape::Mesh { surface, .. } = &mut scenario.value.bodies[n].shape {
                    *surface = mesh;
                }
            }
            Err(fault) => found.push(*fault),
        }
    }
    let grounds: Vec<usize> = (0..shapes.len()).filter(|n| matches!(shapes[*n], Shape::Ground(_))).collect();
    if grounds.len() > 1 {
        found.push(scenario.fault("bad-terrain", "obstacles", "a scenario has one terrain at most"));
    }
    let Some(Shape::Ground(ground)) = grounds.first().map(|n| shapes[*n].clone()) else {
        return shapes;
    };
    if ground.top_m >= scenario.value.domain.size_m.2.get() {
        let message = format!("the ground rises {:.1} m, higher than the domain", ground.top_m);
        found.push(scenario.fault("bad-terrain", "domain.size_m", message).help("use a higher domain, or a smaller part of the terrain"));
    }
    lift(&mut scenario.value, &ground);
    shapes.into_iter().map(|shape| shape.on(&ground)).collect()
}

/// What a file that is named at a path of the scenario holds.
fn mesh(scenario: &Read<Scenario>, files: &FileLoader, (path, file): (&str, &str)) -> Result<Mesh, Box<Diagnostic>> {
    let bytes = files.open_bytes(file).ok_or_else(|| Box::new(missing(scenario, (path, file))))?;
    Mesh::read(&bytes).map_err(|fault| {
        let fault = scenario.fault("bad-mesh", &format!("{path}.file"), fault.to_string());
        Box::new(fault.help("close the surface in the program that made it: inside and outside must be told apart"))
    })
}

fn missing(scenario: &Read<Scenario>, (path, file): (&str, &str)) -> Diagnostic {
    scenario
        .fault("missing-file", &format!("{path}.file"), format!("no such file: `{file}`"))
        .help("name it relative to this file, to the folder above it, or to the working folder")
}

/// Adds the height of the ground below it to every position.
fn lift(scenario: &mut Scenario, ground: &Ground) {
    let up = |at: &mut Position| {
        let here: DVec3 = vector(*at);
        if let Ok(z) = Finite::new(here.z + ground.height_m(here.x, here.y)) {
            at.2 = z;
        }
    };
    scenario.devices.iter_mut().for_each(|device| up(&mut device.at_m));
    scenario.lines.iter_mut().flat_map(|line| &mut line.points_m).for_each(up);
    for body in &mut scenario.bodies {
        body.at_m.iter_mut().for_each(up);
        body.path.iter_mut().for_each(|point| up(&mut point.to_m));
    }
    for emitter in &mut scenario.emitters {
        up(&mut emitter.at_m);
        emitter.path.iter_mut().for_each(|point| up(&mut point.to_m));
        if let SourceShape::Line { to_m } = &mut emitter.shape {
            up(to_m);
        }
    }
    for gas in &mut scenario.initial {
        if let InitialGas::GaussianPuff { at_m, .. } = gas {
            up(at_m);
        }
    }
    for probe in &mut scenario.probes {
        match &mut probe.over {
            Extent::Point(at) => up(&mut at.0),
            Extent::Path(points) => points.iter_mut().for_each(up),
            Extent::Volume { min_m, max_m } => {
                let middle = vector(*min_m).midpoint(vector(*max_m));
                let height = ground.height_m(middle.x, middle.y);
                for corner in [min_m, max_m] {
                    if let Ok(z) = Finite::new(corner.2.get() + height) {
                        corner.2 = z;
                    }
                }
            }
        }
    }
}
