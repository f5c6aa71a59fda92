//! Size, memory, Courant number, and everything that must lie inside.

use std::collections::BTreeMap;

use glam::DVec3;

use super::lines;
use super::units::average_fits;
use crate::device::turned;
use crate::diagnostics::Diagnostic;
use crate::files::obstacle::Obstacle;
use crate::files::product::Product;
use crate::files::scenario::{AirHeat, Boundary, Extent, Fidelity, InitialGas, Scenario, Subgrid, Turbulence, Wind};
use crate::numerics::transport::MAX_COURANT;
use crate::physics::airflow::fastest;
use crate::physics::airflow::les::{BUILT_ROUGHNESS_M, MOST_STEPS as MOST_FLOW_STEPS, steps_for};
use crate::physics::airflow::surface_eddies::resolved_share;
use crate::physics::dispersion::MOST_STEPS;
use crate::sensing::SensorKinds;
use crate::simulation::{Read, Request};
use crate::units::NonNegative;
use crate::world::Grid;
use crate::world::emitter::{SourceElement, elements};
use crate::world::environment::{Footprint, vector};
use crate::world::shape::Shape;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, grid_of};

/// Bytes of a voxel without its tracers, and of one more field (measured: `bench`, row `bytes-per-voxel-fixed`).
const BYTES_PER_VOXEL: f64 = 80.0 + 5.0 * 12.0;
const BYTES_PER_FIELD: f64 = 12.0;
/// Bytes of a voxel while the wind around obstacles is solved: the network with its coarser levels, faces and vectors in
/// double precision (added up from their types).
const BYTES_AROUND: f64 = 120.0;
/// Bytes of a voxel while eddies are resolved: that network once more, three sets of velocities, pressure, its increment, viscosity,
/// buoyancy, temperature, warmth, free faces and diffusion numbers in double precision, and diffusivities (added up from their types).
const BYTES_RESOLVED: f64 = 120.0 + 21.0 * 8.0 + 4.0;
/// Bytes of a voxel while a random wind is made: its faces in double precision, twice (added up from their types).
const BYTES_RANDOM: f64 = 6.0 * 8.0;
/// A domain may use this share of the machine's memory.
const MEMORY_SHARE: f64 = 0.8;

/// The box of air, and everything in it.
pub(super) fn domain(
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    conditions: &Conditions,
    (request, kinds): (&Request, &SensorKinds),
    tracers: usize,
    found: &mut Vec<Diagnostic>,
) {
    let value = &scenario.value;
    let size = [value.domain.size_m.0.get(), value.domain.size_m.1.get(), value.domain.size_m.2.get()];
    let cell = value.domain.cell_m.0;
    let grid = grid_of(value);
    let voxels: f64 = grid.shape.iter().map(|n| *n as f64).product();
    let around = if value.obstacles.is_empty() { 0.0 } else { BYTES_AROUND };
    let resolved = match value.turbulence {
        Turbulence::Les { .. } => BYTES_RESOLVED,
        Turbulence::Resolved => BYTES_RANDOM,
        _ => 0.0,
    };
    let bytes = voxels * (BYTES_PER_VOXEL + around + resolved + BYTES_PER_FIELD * tracers as f64);
    let memory = machine_memory();
    if voxels > f64::from(u32::MAX) || bytes > MEMORY_SHARE * memory {
        let gib = 1024.0_f64.powi(3);
        found.push(
            scenario
                .fault("domain-too-large", "domain", format!("{voxels:.3e} voxels need {:.1} GiB", bytes / gib))
                .label("this many cells")
                .note_text(format!("this machine has {:.1} GiB, of which {:.0} % may be used", memory / gib, MEMORY_SHARE * 100.0))
                .help("use larger cells, or a smaller box"),
        );
        return;
    }
    if let Some(axis) = (0..3).find(|axis| cell[*axis] > size[*axis]) {
        found.push(scenario.fault(
            "cell-too-large",
            "domain.cell_m",
            format!("a cell of {} m does not fit into {} m", cell[axis], size[axis]),
        ));
        return;
    }
    let recorded_missing = matches!(value.wind, Wind::Recorded { .. }) && conditions.wind.is_none();
    let speed = if recorded_missing || conditions.roughness_m == Some(0.0) { 0.0 } else { fastest(conditions, &grid) };
    let steps = speed * value.tick_s.secs() / grid.cell_m[0].min(grid.cell_m[1]) / MAX_COURANT;
    if steps > MOST_STEPS as f64 && value.fidelity == Fidelity::Field {
        let message = format!("at {speed:.1} m/s one tick needs {:.0} transport steps; {MOST_STEPS} is the limit", steps.ceil());
        found.push(
            scenario
                .fault("courant", "tick_s", message)
                .also(&scenario.source, scenario.span("domain.cell_m"), "cells of this size")
                .help("use a shorter tick or larger cells"),
        );
    }
    if value.domain.sides_c.any() && value.domain.boundary != Boundary::Closed {
        let fault = scenario.fault("bad-value", "domain.sides_c", "only the sides of a closed box have temperatures of their own");
        found.push(fault.help("write `boundary: Closed`, or leave `sides_c` out"));
    } else if value.domain.sides_c.any() && !matches!(value.turbulence, Turbulence::Les { .. } | Turbulence::Given { .. }) {
        let fault = scenario.fault("bad-value", "domain.sides_c", "nothing carries the heat of these sides into air that stands still");
        found.push(fault.help("write `turbulence: Les(subgrid: None)` for air that moves by itself, or a `Given(…)` that spreads"));
    }
    eddies(scenario, conditions, &grid, speed, found);
    plume(scenario, found);
    slots(scenario, found);
    places(scenario, products, (request, kinds), (&grid, &conditions.shapes), found);
    probes(scenario, found);
}

/// What eddies in the wind need.
fn eddies(scenario: &Read<Scenario>, conditions: &Conditions, grid: &Grid, speed: f64, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    if !matches!(value.turbulence, Turbulence::Resolved | Turbulence::Les { .. }) {
        return;
    }
    if value.fidelity == Fidelity::Plume {
        let message = "`fidelity: Plume` moves puffs on the mean wind: it has no cells for eddies";
        found.push(scenario.fault("no-cells", "turbulence", message).help("use `fidelity: Field`, or `turbulence: Ensemble`"));
        return;
    }
    if let (Wind::Profile { mixing_height_m, .. } | Wind::Recorded { mixing_height_m, .. }, Turbulence::Resolved) =
        (&value.wind, value.turbulence)
    {
        let share = resolved_share(grid, mixing_height_m.get());
        if share < LEAST_SHARE {
            let message = format!("these cells hold {:.0} % of the eddies' variance: plumes will be too narrow", 100.0 * share);
            let fault = scenario.fault("coarse-eddies", "domain.cell_m", message);
            found.push(fault.also(&scenario.source, scenario.span("wind"), "under this mixed layer").help("use smaller cells").warning());
        }
    }
    let Turbulence::Les { subgrid, viscosity_m2_s } = value.turbulence else {
        if value.domain.boundary != Boundary::Open {
            let message = "the eddies of `turbulence: Resolved` come in through one side and leave through another";
            let fault = scenario.fault("no-way-through", "domain.boundary", message).label("these sides let nothing through");
            found.push(fault.help("use `boundary: Open`, or `turbulence: Les()`, whose eddies can go round"));
        }
        return;
    };
    // a wall's logarithm starts in the middle of the first cell
    let smallest = grid.cell_m.iter().copied().fold(f64::MAX, f64::min);
    let walls = !value.obstacles.is_empty() || value.domain.boundary == Boundary::Closed;
    let ground = conditions.roughness_m.map(|roughness| (roughness, grid.cell_m[2]));
    let built = walls.then_some((BUILT_ROUGHNESS_M, smallest));
    for (roughness, cell) in [ground, built].into_iter().flatten().filter(|_| subgrid == Subgrid::Vreman) {
        if 0.5 * cell <= LEAST_WALL_DISTANCE * roughness {
            let message = format!("a roughness of {roughness} m needs cells larger than {:.2} m", 2.0 * LEAST_WALL_DISTANCE * roughness);
            found.push(
                scenario
                    .fault("les-cells", "domain.cell_m", message)
                    .label("the middle of the first cell lies among the roughness")
                    .help("use larger cells, for the ground at least higher ones: `cell_m: (x, y, z)`"),
            );
        }
    }
    let crossed_per_s = speed / grid.cell_m[0].min(grid.cell_m[1]);
    let steps = steps_for(crossed_per_s, viscosity_m2_s.map_or(0.0, NonNegative::get), grid.cell_m, value.tick_s.secs());
    if steps > MOST_FLOW_STEPS {
        let message = format!("one tick needs at least {steps} steps of the resolved flow; {MOST_FLOW_STEPS} is the limit");
        found.push(
            scenario
                .fault("courant", "tick_s", message)
                .also(&scenario.source, scenario.span("domain.cell_m"), "cells of this size")
                .help("use a shorter tick, larger cells or a smaller viscosity"),
        );
    }
}

/// Cells that hold less than this share of the variance of random eddies are too coarse for them: σ is then a tenth too small.
const LEAST_SHARE: f64 = 0.8;

/// The middle of the lowest cell over the roughness length: the least for which the logarithm and the ghost below it make sense,
/// e, where the gradient at the ground is that of a smooth wall.
const LEAST_WALL_DISTANCE: f64 = std::f64::consts::E;

/// What `fidelity: Plume` cannot do.
fn plume(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    if value.fidelity != Fidelity::Plume {
        return;
    }
    let cells = [
        ("initial", !value.initial.is_empty(), "initial gas"),
        ("snapshots", !value.snapshots.is_empty(), "snapshots"),
        ("air_heat", value.air_heat == AirHeat::All, "heat of lines, bodies and walls"),
    ];
    let sides = ("domain.boundary", value.domain.boundary != Boundary::Open, "sides that are not open");
    let still = ("wind", matches!(value.wind, Wind::Calm), "air that stands still");
    let ground = ("obstacles", value.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::Terrain { .. })), "a terrain");
    for (place, _, what) in cells.into_iter().chain([sides, still, ground]).filter(|(_, any, _)| *any) {
        found.push(
            scenario
                .fault("no-cells", place, format!("`fidelity: Plume` has no cells for {what}"))
                .help("use `fidelity: Field`, or leave it out"),
        );
    }
    if !value.obstacles.is_empty() {
        let message = "with `fidelity: Plume` the wind goes around obstacles, but gas that spreads goes through them";
        found.push(scenario.fault("no-cells", "obstacles", message).help("use `fidelity: Field` where a wall matters").warning());
    }
}

/// More slots of puffs than this in one tick are refused.
const MOST_SLOTS: f64 = 1e5;

/// How finely releases are cut.
fn slots(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let slots = scenario.value.puffs.per_s.get() * scenario.value.tick_s.secs();
    if slots > MOST_SLOTS {
        let message = format!("one tick would release {slots:.0} puffs from each part of a source; {MOST_SLOTS:.0} is the limit");
        let fault = scenario.fault("too-many-puffs", "puffs.per_s", message);
        found.push(
            fault
                .also(&scenario.source, scenario.span("tick_s"), "in a tick of this length")
                .help("use fewer puffs a second, or a shorter tick"),
        );
    }
}

/// Everything that has a place lies inside.
fn places(
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    (request, kinds): (&Request, &SensorKinds),
    (grid, shapes): (&Grid, &[Shape]),
    found: &mut Vec<Diagnostic>,
) {
    let value = &scenario.value;
    let solids = obstacles(scenario, shapes, grid, found);
    let filled = |point: DVec3| solids.weights(grid, point).is_empty();
    let outside =
        |path: &str, what: &str, point: DVec3| {
            let end = grid.size_m();
            scenario
                .fault("outside-domain", path, format!("{what} is at ({}, {}, {}) m, outside the domain", point.x, point.y, point.z))
                .also(&scenario.source, scenario.span("domain.size_m"), format!("the domain ends at ({}, {}, {}) m", end.x, end.y, end.z))
        };
    let within = |path: &str, what: &str, point: DVec3| {
        let holder = shapes.iter().position(|shape| shape.contains(point));
        let holder = holder.map_or_else(|| "obstacles".to_owned(), |n| format!("obstacles[{n}]"));
        scenario
            .fault("inside-obstacle", path, format!("{what} is at ({}, {}, {}) m, inside an obstacle", point.x, point.y, point.z))
            .also(&scenario.source, scenario.span(&holder), "this obstacle holds it")
            .help("move one of the two")
    };
    let check = |path: &str, what: &str, point: DVec3| {
        if !grid.contains(point) {
            Some(outside(path, what, point))
        } else if filled(point) {
            Some(within(path, what, point))
        } else {
            None
        }
    };
    // true if the point lies in air
    let inside = |path: String, what: String, point: DVec3, found: &mut Vec<Diagnostic>| {
        let fault = check(&path, &what, point);
        let fine = fault.is_none();
        found.extend(fault);
        fine
    };
    for (n, device) in value.devices.iter().enumerate() {
        let path = format!("devices[{n}].at_m");
        let Some(product) = products.get(request.product.as_ref().unwrap_or(&device.product)) else {
            inside(path, format!("device `{}`", device.id), vector(device.at_m), found);
            continue;
        };
        let origin = vector(device.at_m) + DVec3::Z * product.value.mount.height_m.get();
        if !inside(path.clone(), format!("device `{}` with its mount", device.id), origin, found) {
            continue;
        }
        for sensor in &product.value.sensors {
            let what = format!("sensor `{}` of device `{}`", sensor.id, device.id);
            let extent = kinds.parts(&sensor.kind).and_then(|parts| parts.extent);
            if extent.is_some_and(|extent| Footprint::new(&extent, grid, &solids).is_empty()) {
                found.push(scenario.fault("inside-obstacle", &path, format!("{what} looks at nothing but the inside of an obstacle")));
                continue;
            }
            inside(path.clone(), what, origin + turned(vector(sensor.at_m), device.heading_deg.get()), found);
        }
    }
    sources(scenario, grid, &check, found);
    let mut refused: Vec<String> = Vec::new();
    for (n, what, place) in lines::places(value, grid) {
        // one fault a phase is enough
        if !refused.contains(&what) && !inside(format!("lines[{n}].points_m"), what.clone(), place, found) {
            refused.push(what);
        }
    }
    bodies(scenario, grid, &check, found);
    for (n, gas) in value.initial.iter().enumerate() {
        if let InitialGas::GaussianPuff { id, at_m, .. } = gas {
            inside(format!("initial[{n}].at_m"), format!("puff `{id}`"), vector(*at_m), found);
        }
    }
    for (n, probe) in value.probes.iter().enumerate() {
        let (path, what) = (format!("probes[{n}].over"), format!("probe `{}`", probe.id));
        match &probe.over {
            Extent::Point(at) => drop(inside(path, what, vector(at.0), found)),
            Extent::Path(corners) => {
                let clear = corners.iter().all(|corner| inside(path.clone(), what.clone(), vector(*corner), found));
                let legs = corners.windows(2).map(|leg| (vector(leg[0]), vector(leg[1])));
                let blocked = |(from, to): (DVec3, DVec3)| (1..64).any(|part| filled(from.lerp(to, f64::from(part) / 64.0)));
                if clear && legs.into_iter().any(blocked) {
                    found.push(scenario.fault("inside-obstacle", &path, format!("{what} looks through an obstacle")));
                }
            }
            // a volume may hold an obstacle: its air is what counts
            Extent::Volume { min_m, max_m } => {
                for corner in [min_m, max_m].map(|corner| vector(*corner)).into_iter().filter(|corner| !grid.contains(*corner)) {
                    found.push(outside(&path, &what, corner));
                }
                if Footprint::new(&probe.over, grid, &solids).is_empty() {
                    found.push(scenario.fault("inside-obstacle", &path, format!("{what} looks at nothing but the inside of an obstacle")));
                }
            }
        }
    }
}

/// Bodies lie inside with their middles, wherever they go.
fn bodies(scenario: &Read<Scenario>, grid: &Grid, check: &impl Fn(&str, &str, DVec3) -> Option<Diagnostic>, found: &mut Vec<Diagnostic>) {
    for (n, body) in scenario.value.bodies.iter().enumerate() {
        let Some(at) = body.at_m else { continue };
        let what = format!("body `{}`", body.id);
        let mut from_m = vector(at);
        if let Some(fault) = check(&format!("bodies[{n}].at_m"), &what, from_m) {
            found.push(fault);
            continue;
        }
        for (m, point) in body.path.iter().enumerate() {
            let (path, to_m) = (format!("bodies[{n}].path[{m}].to_m"), vector(point.to_m));
            found.extend(leg(grid, from_m, to_m).find_map(|place| check(&path, &format!("{what} on its path"), place)));
            from_m = to_m;
        }
    }
}

/// Sources lie inside with all their parts, wherever they go.
fn sources(scenario: &Read<Scenario>, grid: &Grid, check: &impl Fn(&str, &str, DVec3) -> Option<Diagnostic>, found: &mut Vec<Diagnostic>) {
    for (n, emitter) in scenario.value.emitters.iter().enumerate() {
        let (at_m, what) = (vector(emitter.at_m), format!("emitter `{}`", emitter.id));
        if let Some(fault) = check(&format!("emitters[{n}].at_m"), &what, at_m) {
            found.push(fault);
            continue;
        }
        let parts = elements(&emitter.shape, at_m);
        found.extend(
            parts.iter().find_map(|part| check(&format!("emitters[{n}].shape"), &format!("a part of {what}"), at_m + part.offset_m)),
        );
        let mut before_s = 0.0;
        for (m, point) in emitter.path.iter().enumerate() {
            let path = format!("emitters[{n}].path[{m}]");
            if point.at_s.get() <= before_s {
                found.push(scenario.fault("bad-value", &format!("{path}.at_s"), "the times of a path must rise, from above 0 s"));
            }
            before_s = point.at_s.get();
            let from_m = if m == 0 { at_m } else { vector(emitter.path[m - 1].to_m) };
            found.extend(leg(grid, from_m, vector(point.to_m)).find_map(|place| {
                let outside = |part: &SourceElement| check(&format!("{path}.to_m"), &format!("{what} on its path"), place + part.offset_m);
                parts.iter().find_map(outside)
            }));
        }
    }
}

/// Places on a straight way, half a cell apart or less, the first left out.
fn leg(grid: &Grid, from_m: DVec3, to_m: DVec3) -> impl Iterator<Item = DVec3> {
    let step = 0.5 * grid.cell_m.iter().copied().fold(f64::MAX, f64::min);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let count = (from_m.distance(to_m) / step).ceil().clamp(1.0, 1e5) as u32;
    (1..=count).map(move |n| from_m.lerp(to_m, f64::from(n) / f64::from(count)))
}

/// What an obstacle can get wrong; gives the cells they fill.
fn obstacles(scenario: &Read<Scenario>, shapes: &[Shape], grid: &Grid, found: &mut Vec<Diagnostic>) -> Solids {
    // where a file was refused the others have lost their places
    let whole = shapes.len() == scenario.value.obstacles.len();
    for (n, shape) in shapes.iter().enumerate().filter(|(_, shape)| whole && !matches!(shape, Shape::Ground(_))) {
        let path = format!("obstacles[{n}]");
        let (min, max) = shape.bounds();
        if !min.cmplt(max).all() {
            found.push(scenario.fault("empty-volume", &path, "`max_m` must lie above `min_m` along every axis"));
        } else if min.cmpgt(grid.size_m()).any() || max.cmplt(DVec3::ZERO).any() {
            found.push(scenario.fault("outside-domain", &path, "this obstacle lies outside the domain"));
        } else if shape.cells(grid).is_empty() {
            let [x, y, z] = grid.cell_m;
            found.push(
                scenario
                    .fault(
                        "thin-obstacle",
                        &path,
                        format!("this obstacle holds no centre of a cell of ({x}, {y}, {z}) m: the wind would not see it"),
                    )
                    .help("make it thicker, or use smaller cells"),
            );
        }
    }
    Solids::new(shapes, grid, scenario.value.domain.boundary == Boundary::Periodic)
}

/// What a probe alone can get wrong.
fn probes(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    for (n, probe) in value.probes.iter().enumerate() {
        if probe.every_s.get() < value.tick_s.secs() * (1.0 - 1e-9) {
            found.push(
                scenario
                    .fault(
                        "sensor-too-fast",
                        &format!("probes[{n}].every_s"),
                        format!("probe `{}` reports more often than the engine ticks", probe.id),
                    )
                    .also(&scenario.source, scenario.span("tick_s"), "tick set here"),
            );
        }
        average_fits(scenario, &format!("probes[{n}].average_s"), &probe.id, probe.average_s.get(), probe.every_s.get(), found);
        if matches!(&probe.over, Extent::Path(points) if points.iter().all(|point| vector(*point) == vector(points[0]))) {
            found.push(scenario.fault("short-path", &format!("probes[{n}].over"), "a path needs at least two different points"));
        }
        if let Extent::Volume { min_m, max_m } = &probe.over
            && !vector(*min_m).cmplt(vector(*max_m)).all()
        {
            found.push(scenario.fault("empty-volume", &format!("probes[{n}].over"), "`max_m` must lie above `min_m` along every axis"));
        }
    }
}

/// Total memory of this machine in bytes; 8 GiB where the system does not tell.
fn machine_memory() -> f64 {
    let told = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?.to_owned();
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    told.map_or(8.0 * 1024.0_f64.powi(3), |kib| kib * 1024.0)
}
