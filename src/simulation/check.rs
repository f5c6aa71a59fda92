//! Faults between files, all at once, each with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bevy_app::App;
use glam::DVec3;

use super::{Read, Recorded, Request, weather_columns, wind_columns};
use crate::compensation::order;
use crate::diagnostics::{Diagnostic, Source};
use crate::files::kinds::{KindSpec, Kinds, Role};
use crate::files::material::Materials;
use crate::files::product::Product;
use crate::files::scenario::{Boundary, Extent, FaultKind, InitialGas, SETTABLE, Scenario, Turbulence, Weather, Wind};
use crate::files::series::Series;
use crate::files::species::SpeciesTable;
use crate::numerics::transport::MAX_COURANT;
use crate::physics::airflow::fastest;
use crate::physics::dispersion::MOST_STEPS;
use crate::sensing::SensorKinds;
use crate::sensing::probe::ProbeQuantity;
use crate::units::{AirTemperature, Bearing, Pressure, RelativeHumidity, WindSpeed};
use crate::world::emitter::EmitterKinds;
use crate::world::environment::vector;
use crate::world::spawn::{Conditions, FileLoader, plan_tracers};
use crate::world::tracers::MAX_TRACERS;
use crate::world::{Grid, PhysicsModules};

/// Bytes of a voxel without its tracers, and of one more field (measured: `bench`, row `bytes-per-voxel-fixed`).
const BYTES_PER_VOXEL: f64 = 80.0 + 5.0 * 12.0;
const BYTES_PER_FIELD: f64 = 12.0;
/// The shortest Obukhov length a scenario may state, in metres; recorded ones are brought to it.
const LEAST_OBUKHOV_M: f64 = 0.1;
/// A domain may use this share of the machine's memory.
const MEMORY_SHARE: f64 = 0.8;

/// Reads the series a scenario names.
pub(super) fn recorded(
    scenario: &Read<Scenario>,
    files: &FileLoader,
    inputs: &mut BTreeMap<PathBuf, Arc<Source>>,
    found: &mut Vec<Diagnostic>,
) -> Recorded {
    let mut series = |path: &str, wanted: Option<(&str, &str, Vec<crate::files::series::Column<'_>>)>| {
        let (file, time, columns) = wanted?;
        let Some(source) = files.open(file) else {
            found.push(
                scenario
                    .fault("missing-file", path, format!("no such file: `{file}`"))
                    .help("name it relative to this file, to the folder above it, or to the working folder"),
            );
            return None;
        };
        inputs.insert(source.path.clone(), Arc::clone(&source));
        Series::read(&source, files.start, time, &columns).map_err(|faults| found.extend(faults)).ok()
    };
    let wind = series("wind.file", wind_columns(&scenario.value.wind)).map(|mut wind| {
        // 0 stands for the strongest stability an instrument resolves; dividing by it has no meaning
        for length in wind.columns.get_mut(2).into_iter().flatten() {
            *length = if length.abs() < LEAST_OBUKHOV_M { LEAST_OBUKHOV_M.copysign(*length) } else { *length };
        }
        wind
    });
    let weather = series("weather.file", weather_columns(&scenario.value.weather));
    (wind, weather)
}

/// The roughness length of the ground, from the wind or the site's ground cover.
pub(super) fn roughness(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) -> Option<f64> {
    let materials = Materials::shipped();
    let ground = scenario.value.site.ground.as_ref();
    let cover = ground.and_then(|id| materials.get(id));
    if let (Some(id), None) = (ground, cover) {
        let known = materials.all().iter().filter(|m| m.roughness_m.is_some()).map(|m| m.id.as_str());
        found.push(
            scenario.fault("unknown-material", "site.ground", format!("no ground cover is called `{id}`")).did_you_mean(id, known, true),
        );
    }
    let (Wind::Profile { roughness_m, .. } | Wind::Recorded { roughness_m, .. }) = &scenario.value.wind else {
        return None;
    };
    let roughness =
        roughness_m.map(super::super::units::Roughness::get).or(cover.and_then(|m| m.roughness_m).map(super::super::units::Roughness::get));
    if roughness.is_none() && (ground.is_none() || cover.is_some()) {
        found.push(
            scenario
                .fault("no-roughness", "wind", "this wind needs the roughness of the ground")
                .help("add `roughness_m: …` here, or a `ground: \"…\"` with a roughness to `site`"),
        );
    }
    let (Wind::Profile { at_m, .. } | Wind::Recorded { at_m, .. }) = &scenario.value.wind else { return roughness };
    if roughness.is_some_and(|z0| at_m.get() <= z0) {
        found.push(scenario.fault("bad-value", "wind.at_m", "a wind speed must be given above the roughness length of the ground"));
    }
    roughness
}

/// Faults that can be seen in a product alone.
pub(super) fn product(app: &App, product: &Read<Product>, found: &mut Vec<Diagnostic>) {
    let world = app.world();
    let modules = &world.resource::<PhysicsModules>().0;
    for (n, name) in product.value.physics.iter().enumerate() {
        if !modules.contains(name.as_str()) {
            found.push(
                product
                    .fault("missing-physics", &format!("physics[{n}]"), format!("this program has no physics module `{name}`"))
                    .did_you_mean(name, modules.iter().copied(), true),
            );
        }
    }
    let ids: Vec<&str> = product.value.sensors.iter().map(|s| s.id.as_str()).collect();
    unique(product, "sensors", "id", &ids, found);
    unique(product, "modes", "name", &product.value.modes.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), found);
    if product.value.modes.is_empty() {
        found.push(product.fault("no-mode", "modes", "a product needs at least one mode"));
    }
    for (n, sensor) in product.value.sensors.iter().enumerate() {
        kind_faults(app, product, &format!("sensors[{n}].kind"), &sensor.kind, found);
        for (m, partner) in sensor.compensated_by.iter().enumerate() {
            if !ids.contains(&partner.as_str()) {
                let path = format!("sensors[{n}].compensated_by[{m}]");
                found.push(
                    product
                        .fault(
                            "unknown-partner",
                            &path,
                            format!("`{}` is corrected by `{partner}`, which this product does not carry", sensor.id),
                        )
                        .did_you_mean(partner, ids.iter().copied(), true),
                );
            }
        }
    }
    if let Err(cycle) = order(&product.value) {
        found.push(
            product
                .fault("compensation-cycle", "sensors", format!("these sensors wait for each other: {}", cycle.join(", ")))
                .label("a circle in `compensated_by`")
                .help("one of them must report without the others"),
        );
    }
    for (n, mode) in product.value.modes.iter().enumerate() {
        for id in mode.periods_s.keys().filter(|id| !ids.contains(&id.as_str())) {
            found.push(
                product
                    .fault(
                        "unknown-sensor",
                        &format!("modes[{n}].periods_s"),
                        format!("mode `{}` names `{id}`, which this product does not carry", mode.name),
                    )
                    .did_you_mean(id, ids.iter().copied(), true),
            );
        }
    }
}

/// Every fault between the files of a run.
pub(super) fn everything(
    app: &App,
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    conditions: &Conditions,
    request: &Request,
    found: &mut Vec<Diagnostic>,
) {
    for read in products.values() {
        product(app, read, found);
    }
    let world = app.world();
    let species = world.resource::<SpeciesTable>();
    let value = &scenario.value;
    air(scenario, found);
    let sources: Vec<&str> =
        value.emitters.iter().map(|e| e.id.as_str()).chain(value.initial.iter().map(|gas| gas.id_and_species().0)).collect();
    unique(scenario, "emitters", "id", &sources, found);
    for (n, emitter) in value.emitters.iter().enumerate() {
        kind_faults(app, scenario, &format!("emitters[{n}].kind"), &emitter.kind, found);
        if let Err(faults) = world.resource::<EmitterKinds>().check_files(&emitter.kind, &conditions.files) {
            // a file that is not there has no place of its own: it is the place that names it
            let place = |fault: Diagnostic| {
                if fault.code == "missing-file" {
                    scenario.fault(fault.code, &format!("emitters[{n}].kind.recorded.file"), fault.message)
                } else {
                    fault
                }
            };
            found.extend(faults.into_iter().map(place));
        }
    }
    gases(scenario, species, found);
    events(app, scenario, products, found);
    units(world.resource::<SensorKinds>(), scenario, products, request, found);
    lacking(app, scenario, products, species, found);
    let tracers = match plan_tracers(value, world.resource::<EmitterKinds>(), species) {
        Ok(list) => list.len(),
        Err(many) => {
            found.push(
                scenario
                    .fault("too-many-tracers", "emitters", format!("{many} release components; a run can have {MAX_TRACERS}"))
                    .help("merge emitters, or split the scenario"),
            );
            MAX_TRACERS
        }
    };
    domain(scenario, products, conditions, tracers, found);
}

/// Weather, wind and timeline.
fn air(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    if let Weather::Recorded { columns, humidity_pct, pressure_hpa, .. } = &value.weather {
        for (name, column, number) in [
            ("humidity_pct", columns.humidity_pct.is_some(), humidity_pct.is_some()),
            ("pressure_hpa", columns.pressure_hpa.is_some(), pressure_hpa.is_some()),
        ] {
            if column == number {
                found.push(
                    scenario
                        .fault("weather-gap", "weather", format!("`{name}` must come from a column or be given, and from one place only"))
                        .help(format!("add `{name}: …` to `columns`, or to `Recorded(…)` itself")),
                );
            }
        }
    }
    if matches!(value.turbulence, Turbulence::Mean) && matches!(value.wind, Wind::Uniform { .. } | Wind::Calm) {
        found.push(
            scenario
                .fault("no-surface-layer", "wind", "`turbulence: Mean` needs a wind with a surface layer: Profile or Recorded")
                .help("use such a wind, or `turbulence: Given(k_m2_s: (…))`, or `turbulence: Laminar`"),
        );
    }
    if value.domain.boundary == Boundary::Closed && !matches!(value.wind, Wind::Calm) {
        found.push(
            scenario
                .fault("closed-wind", "wind", "a closed box has no mean wind")
                .label("blows through closed sides")
                .help("use `wind: Calm`, or `boundary: Open`"),
        );
    }
    for (n, entry) in value.timeline.iter().enumerate() {
        if !SETTABLE.contains(&entry.set.as_str()) {
            found.push(
                scenario
                    .fault("unknown-setting", &format!("timeline[{n}].set"), format!("a timeline cannot change `{}`", entry.set))
                    .did_you_mean(&entry.set, SETTABLE.iter().copied(), true),
            );
        }
        let to = entry.to.get();
        let refused = match entry.set.as_str() {
            "weather.humidity_pct" => RelativeHumidity::new(to).err(),
            "weather.pressure_hpa" => Pressure::new(to).err(),
            "weather.temperature_c" => AirTemperature::new(to).err(),
            "wind.from_deg" => Bearing::new(to).err(),
            "wind.speed_m_s" => WindSpeed::new(to).err(),
            _ => None,
        };
        found.extend(refused.map(|message| scenario.fault("bad-value", &format!("timeline[{n}].to"), message)));
    }
}

fn gases(scenario: &Read<Scenario>, species: &SpeciesTable, found: &mut Vec<Diagnostic>) {
    let names = species.names();
    let mut check = |path: String, id: &str| {
        if species.index(id).is_none() {
            let known = names.iter().map(String::as_str);
            found.push(scenario.fault("unknown-species", &path, format!("no species is called `{id}`")).did_you_mean(id, known, true));
        }
    };
    for (n, background) in scenario.value.background.iter().enumerate() {
        check(format!("background[{n}].species"), &background.species);
    }
    let background: Vec<&str> = scenario.value.background.iter().map(|b| b.species.as_str()).collect();
    for (n, gas) in scenario.value.initial.iter().enumerate() {
        check(format!("initial[{n}].species"), gas.id_and_species().1);
    }
    unique(scenario, "background", "species", &background, found);
    let mut known: Vec<String> = ProbeQuantity::NAMES.iter().map(|&n| n.to_owned()).collect();
    known.extend(names.iter().map(|name| format!("gas/{name}")));
    let mut found_pictures = Vec::new();
    let mut quantity = |path: String, name: &str, also: &[&str]| {
        if !known.iter().any(|k| k == name) && !also.contains(&name) {
            let known = known.iter().map(String::as_str);
            found
                .push(scenario.fault("unknown-quantity", &path, format!("no quantity is called `{name}`")).did_you_mean(name, known, true));
        }
    };
    for (n, probe) in scenario.value.probes.iter().enumerate() {
        quantity(format!("probes[{n}].quantity"), &probe.quantity, &[]);
    }
    for (n, snapshot) in scenario.value.snapshots.iter().enumerate() {
        for (m, name) in snapshot.quantities.iter().enumerate() {
            let path = format!("snapshots[{n}].quantities[{m}]");
            if matches!(name.as_str(), "air/pressure" | "wind/speed" | "wind/from_direction") {
                let fault = scenario.fault("unknown-quantity", &path, format!("a snapshot cannot show `{name}`"));
                found_pictures.push(fault.help("a snapshot shows gas/SPECIES, air/temperature, air/humidity or wind"));
            } else {
                quantity(path, name, &["wind"]);
            }
        }
        if snapshot.at_s.get() > scenario.value.duration_s.get() {
            found_pictures.push(scenario.fault(
                "outside-run",
                &format!("snapshots[{n}].at_s"),
                "this snapshot lies after the end of the run",
            ));
        }
    }
    found.extend(found_pictures);
}

/// An average must fit between two results.
fn average_fits<T>(read: &Read<T>, path: &str, id: &str, average_s: f64, period_s: f64, found: &mut Vec<Diagnostic>) {
    if average_s > period_s * (1.0 + 1e-9) {
        let message = format!("`{id}` averages over {average_s} s and reports every {period_s} s");
        found.push(read.fault("average-too-long", path, message).help("average over one period at most"));
    }
}

fn events(app: &App, scenario: &Read<Scenario>, products: &BTreeMap<String, Read<Product>>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    let emitters: Vec<&str> = value.emitters.iter().map(|e| e.id.as_str()).collect();
    unique(scenario, "events", "id", &value.events.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), found);
    let classes: BTreeSet<&str> = products.values().flat_map(|p| &p.value.classes).map(|class| class.name.as_str()).collect();
    for (n, event) in value.events.iter().enumerate() {
        kind_faults(app, scenario, &format!("events[{n}].kind"), &event.kind, found);
        if event.members.is_empty() {
            found.push(scenario.fault("empty-event", &format!("events[{n}].members"), format!("event `{}` has no members", event.id)));
        }
        for (m, member) in event.members.iter().enumerate() {
            if !emitters.contains(&member.as_str()) {
                found.push(
                    scenario
                        .fault("unknown-member", &format!("events[{n}].members[{m}]"), format!("no emitter is called `{member}`"))
                        .did_you_mean(member, emitters.iter().copied(), true),
                );
            }
        }
        if !classes.is_empty() && !classes.contains(event.class.as_str()) {
            found.push(
                scenario
                    .fault("unknown-class", &format!("events[{n}].class"), format!("no product here has a class `{}`", event.class))
                    .did_you_mean(&event.class, classes.iter().copied(), true),
            );
        }
    }
    for (n, emitter) in value.emitters.iter().enumerate() {
        if value.events.iter().flat_map(|event| &event.members).any(|member| !emitters.contains(&member.as_str())) {
            break; // a misspelt member leaves its emitter stray: one fault, said once
        }
        let member = value.events.iter().any(|event| event.members.contains(&emitter.id));
        if member == emitter.background {
            let (message, help) = if member {
                ("is in an event and `background: true`", "it can be one of the two")
            } else {
                ("is in no event", "add it to the `members` of an event, or say `background: true`")
            };
            found.push(
                scenario.fault("stray-emitter", &format!("emitters[{n}].id"), format!("emitter `{}` {message}", emitter.id)).help(help),
            );
        }
    }
}
fn units(
    kinds: &SensorKinds,
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    request: &Request,
    found: &mut Vec<Diagnostic>,
) {
    let value = &scenario.value;
    let devices: Vec<&str> = value.devices.iter().map(|d| d.id.as_str()).collect();
    unique(scenario, "devices", "id", &devices, found);
    let probes: Vec<&str> = value.probes.iter().map(|p| p.id.as_str()).collect();
    unique(scenario, "probes", "id", &probes, found);
    for (n, id) in probes.iter().enumerate().filter(|(_, id)| devices.contains(id)) {
        found.push(scenario.fault(
            "duplicate-id",
            &format!("probes[{n}].id"),
            format!("`{id}` is a device and a probe: samples could not tell them apart"),
        ));
    }
    for (n, device) in value.devices.iter().enumerate() {
        let Some(product) = products.get(request.product.as_ref().unwrap_or(&device.product)) else {
            continue;
        };
        let modes: Vec<&str> = product.value.modes.iter().map(|m| m.name.as_str()).collect();
        if let Some(mode) = device.mode.as_ref().filter(|mode| !modes.contains(&mode.as_str())) {
            found.push(
                scenario
                    .fault("unknown-mode", &format!("devices[{n}].mode"), format!("`{}` has no mode `{mode}`", product.value.name))
                    .did_you_mean(mode, modes.iter().copied(), true),
            );
        }
        too_fast(scenario, product, device.mode.as_deref(), found);
        for (m, mode) in product.value.modes.iter().enumerate() {
            for sensor in &product.value.sensors {
                let average_s = kinds.parts(&sensor.kind).map_or(0.0, |parts| parts.average_s);
                if let Some(period) = mode.periods_s.get(&sensor.id).filter(|_| device.mode.as_ref().is_none_or(|name| *name == mode.name))
                {
                    average_fits(product, &format!("modes[{m}].periods_s"), &sensor.id, average_s, period.get(), found);
                }
            }
        }
    }
    for (n, fault) in value.faults.iter().enumerate() {
        let device = value.devices.iter().find(|d| d.id == fault.device);
        let Some(device) = device else {
            found.push(
                scenario
                    .fault("unknown-device", &format!("faults[{n}].device"), format!("no device is called `{}`", fault.device))
                    .did_you_mean(&fault.device, devices.iter().copied(), true),
            );
            continue;
        };
        let Some(product) = products.get(request.product.as_ref().unwrap_or(&device.product)) else {
            continue;
        };
        let sensors: Vec<&str> = product.value.sensors.iter().map(|s| s.id.as_str()).collect();
        if !sensors.contains(&fault.sensor.as_str()) {
            found.push(
                scenario
                    .fault(
                        "unknown-sensor",
                        &format!("faults[{n}].sensor"),
                        format!("`{}` has no sensor `{}`", device.product, fault.sensor),
                    )
                    .did_you_mean(&fault.sensor, sensors.iter().copied(), true),
            );
        }
        if fault.until_s.is_some_and(|until| until.get() <= fault.from_s.get()) {
            found.push(scenario.fault("empty-range", &format!("faults[{n}].until_s"), "this fault ends before it begins"));
        }
        let parts = product.value.sensors.iter().find(|s| s.id == fault.sensor).and_then(|s| kinds.parts(&s.kind));
        if let (FaultKind::StuckAt { signal, .. } | FaultKind::Offset { signal, .. }, Some(parts)) = (&fault.kind, parts) {
            let signals: Vec<&str> = parts.signals.iter().map(|s| s.name.as_str()).collect();
            if !signals.contains(&signal.as_str()) {
                found.push(
                    scenario
                        .fault(
                            "unknown-signal",
                            &format!("faults[{n}].kind.signal"),
                            format!("`{}` has no raw channel `{signal}`", fault.sensor),
                        )
                        .did_you_mean(signal, signals.iter().copied(), true),
                );
            }
        }
    }
}

/// A sensor cannot report more often than the engine ticks.
fn too_fast(scenario: &Read<Scenario>, product: &Read<Product>, mode: Option<&str>, found: &mut Vec<Diagnostic>) {
    let modes = &product.value.modes;
    let Some(n) = modes.iter().position(|m| mode.is_none_or(|name| m.name == name)) else {
        return;
    };
    let tick_s = scenario.value.tick_s.secs();
    for (sensor, period) in modes[n].periods_s.iter().filter(|(_, period)| period.get() < tick_s * (1.0 - 1e-9)) {
        let fault = product
            .fault(
                "sensor-too-fast",
                &format!("modes[{n}].periods_s"),
                format!("`{sensor}` reports every {} s but the tick is {tick_s} s", period.get()),
            )
            .label(format!("`{sensor}` must be {tick_s} or more"))
            .also(&scenario.source, scenario.span("tick_s"), "tick set here")
            .help(format!("use a longer period, or a tick of {} s", period.get()));
        if !found.contains(&fault) {
            found.push(fault);
        }
    }
}

/// Gases that a sensor would answer to and has no coefficient for.
fn lacking(
    app: &App,
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    species: &SpeciesTable,
    found: &mut Vec<Diagnostic>,
) {
    let kinds = app.world().resource::<SensorKinds>();
    let emitters = app.world().resource::<EmitterKinds>();
    let mut present: BTreeSet<String> = scenario.value.background.iter().map(|b| b.species.clone()).collect();
    present.extend(scenario.value.emitters.iter().flat_map(|e| emitters.components(&e.kind)).flat_map(|c| c.composition).map(|(id, _)| id));
    present.retain(|id| species.index(id).is_some());
    for product in products.values() {
        for (n, sensor) in product.value.sensors.iter().enumerate() {
            let lacking: Vec<&str> = present.iter().map(String::as_str).filter(|id| kinds.lacks(&sensor.kind, id)).collect();
            if !lacking.is_empty() {
                let message = format!("`{}` has no coefficient for {}: it will not answer to them", sensor.id, lacking.join(", "));
                found.push(product.fault("no-coefficient", &format!("sensors[{n}].kind"), message).warning());
            }
        }
    }
}

/// Size, memory, Courant number, and everything that must lie inside.
fn domain(
    scenario: &Read<Scenario>,
    products: &BTreeMap<String, Read<Product>>,
    conditions: &Conditions,
    tracers: usize,
    found: &mut Vec<Diagnostic>,
) {
    let value = &scenario.value;
    let size = [value.domain.size_m.0.get(), value.domain.size_m.1.get(), value.domain.size_m.2.get()];
    let cell = value.domain.cell_m.0;
    let voxels: f64 = (0..3).map(|axis| (size[axis] / cell[axis]).round().max(1.0)).product();
    let bytes = voxels * (BYTES_PER_VOXEL + BYTES_PER_FIELD * tracers as f64);
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
    let grid = Grid::fitting(size, cell);
    let recorded_missing = matches!(value.wind, Wind::Recorded { .. }) && conditions.wind.is_none();
    let speed = if recorded_missing || conditions.roughness_m == Some(0.0) { 0.0 } else { fastest(conditions, &grid) };
    let steps = speed * value.tick_s.secs() / grid.cell_m[0].min(grid.cell_m[1]) / MAX_COURANT;
    if steps > MOST_STEPS as f64 {
        let message = format!("at {speed:.1} m/s one tick needs {:.0} transport steps; {MOST_STEPS} is the limit", steps.ceil());
        found.push(
            scenario
                .fault("courant", "tick_s", message)
                .also(&scenario.source, scenario.span("domain.cell_m"), "cells of this size")
                .help("use a shorter tick or larger cells"),
        );
    }
    let mut inside = |path: String, what: String, point: DVec3| {
        if !grid.contains(point) {
            let box_ = grid.size_m();
            found.push(
                scenario
                    .fault("outside-domain", &path, format!("{what} is at ({}, {}, {}) m, outside the domain", point.x, point.y, point.z))
                    .also(
                        &scenario.source,
                        scenario.span("domain.size_m"),
                        format!("the domain ends at ({}, {}, {}) m", box_.x, box_.y, box_.z),
                    ),
            );
        }
    };
    for (n, device) in value.devices.iter().enumerate() {
        let mount = products.get(&device.product).map_or(0.0, |p| p.value.mount.height_m.get());
        inside(format!("devices[{n}].at_m"), format!("device `{}` with its mount", device.id), vector(device.at_m) + DVec3::Z * mount);
    }
    for (n, emitter) in value.emitters.iter().enumerate() {
        inside(format!("emitters[{n}].at_m"), format!("emitter `{}`", emitter.id), vector(emitter.at_m));
    }
    for (n, gas) in value.initial.iter().enumerate() {
        if let InitialGas::GaussianPuff { id, at_m, .. } = gas {
            inside(format!("initial[{n}].at_m"), format!("puff `{id}`"), vector(*at_m));
        }
    }
    for (n, probe) in value.probes.iter().enumerate() {
        let points = match &probe.over {
            Extent::Point(at) => vec![at.0],
            Extent::Path(points) => points.clone(),
            Extent::Volume { min_m, max_m } => vec![*min_m, *max_m],
        };
        for point in points {
            inside(format!("probes[{n}].over"), format!("probe `{}`", probe.id), vector(point));
        }
    }
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

/// Names that must not occur twice.
fn unique<T>(read: &Read<T>, list: &str, field: &str, names: &[&str], found: &mut Vec<Diagnostic>) {
    for (n, name) in names.iter().enumerate() {
        if let Some(first) = names[..n].iter().position(|earlier| earlier == name) {
            found.push(read.fault("duplicate-id", &format!("{list}[{n}].{field}"), format!("`{name}` is used twice in `{list}`")).also(
                &read.source,
                read.span(&format!("{list}[{first}].{field}")),
                "first used here",
            ));
        }
    }
}

/// What a kind's own struct says against the world.
fn kind_faults<T, R: Role>(app: &App, read: &Read<T>, path: &str, kind: &KindSpec<R>, found: &mut Vec<Diagnostic>) {
    let world = app.world();
    for fault in world.resource::<Kinds>().faults(kind, world.resource::<SpeciesTable>()) {
        let place = if fault.path.is_empty() { path.to_owned() } else { format!("{path}.{}", fault.path) };
        let name = fault.message.split('`').nth(1).unwrap_or_default().to_owned();
        found.push(read.fault(fault.code, &place, fault.message).did_you_mean(&name, fault.known.iter().map(String::as_str), true));
    }
}
