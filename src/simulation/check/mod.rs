//! Faults between files, all at once, each with its place.

pub(super) mod air;
mod bodies;
mod domain;
pub(super) mod lines;
mod quantities;
pub(super) mod shapes;
mod units;

use std::collections::BTreeMap;

use bevy_app::App;

use crate::compensation::order;
use crate::diagnostics::Diagnostic;
use crate::files::kinds::{KindSpec, Kinds, Role};
use crate::files::product::Product;
use crate::files::scenario::Scenario;
use crate::files::species::SpeciesTable;
use crate::sensing::SensorKinds;
use crate::simulation::{Read, Request};
use crate::world::PhysicsModules;
use crate::world::emitter::EmitterKinds;
use crate::world::spawn::{Conditions, plan_tracers};
use crate::world::tracers::MAX_TRACERS;

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
        let path = |id: &String| {
            let n = product.value.sensors.iter().position(|sensor| sensor.id == *id).unwrap_or_default();
            format!("sensors[{n}].compensated_by")
        };
        let message = format!("these sensors wait for each other: {}", cycle.join(", "));
        let mut fault = product.fault("compensation-cycle", &path(&cycle[0]), message).label(format!("`{}` waits here", cycle[0]));
        for id in &cycle[1..] {
            fault = fault.also(&product.source, product.span(&path(id)), format!("`{id}` waits here"));
        }
        found.push(fault.help("one of them must report without the others"));
    }
    for (n, mode) in product.value.modes.iter().enumerate() {
        for id in mode.periods_s.keys().filter(|id| !ids.contains(&id.as_str())) {
            found.push(
                product
                    .fault(
                        "unknown-sensor",
                        &format!("modes[{n}].periods_s[{id}]"),
                        format!("mode `{}` names `{id}`, which this product does not carry", mode.name),
                    )
                    .did_you_mean(id, ids.iter().copied(), true),
            );
        }
        for sensor in &product.value.sensors {
            let fastest_s = world.resource::<SensorKinds>().parts(&sensor.kind).map_or(0.0, |parts| parts.shortest_period_s);
            if mode.periods_s.get(&sensor.id).is_some_and(|period| period.get() < fastest_s) {
                let path = format!("modes[{n}].periods_s[{}]", sensor.id);
                found.push(product.fault(
                    "sensor-too-fast",
                    &path,
                    format!("a `{}` delivers nothing sooner than {fastest_s:.3} s after the result before", sensor.kind.name),
                ));
            }
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
    air::air(scenario, found);
    let sources: Vec<&str> =
        value.emitters.iter().map(|e| e.id.as_str()).chain(value.initial.iter().map(|gas| gas.id_and_species().0)).collect();
    unique(scenario, "emitters", "id", &sources, found);
    for (n, emitter) in value.emitters.iter().enumerate() {
        kind_faults(app, scenario, &format!("emitters[{n}].kind"), &emitter.kind, found);
        if let Some(id) = world.resource::<EmitterKinds>().heated_by(&emitter.kind)
            && !value.bodies.iter().any(|body| body.id == id)
        {
            let path = format!("emitters[{n}].kind.heated_by.id");
            let fault = scenario.fault("unknown-body", &path, format!("`{}` is heated by `{id}`, which no body is called", emitter.id));
            found.push(fault.did_you_mean(id, value.bodies.iter().map(|body| body.id.as_str()), true));
        }
        if let Err(faults) = world.resource::<EmitterKinds>().check_files(&emitter.kind, &conditions.files) {
            // a file that is not there has no place of its own: it is the place that names it
            let named = format!("emitters[{n}].kind.recorded.file");
            let place = |fault: Diagnostic| {
                if fault.code == "missing-file" {
                    Diagnostic { places: scenario.fault("", &named, "").places, ..fault }
                } else {
                    fault.also(&scenario.source, scenario.span(&named), "this file is named here")
                }
            };
            found.extend(faults.into_iter().map(place));
        }
    }
    air::backgrounds(scenario, species, found);
    lines::lines(scenario, found);
    bodies::bodies(scenario, found);
    quantities::quantities(scenario, species, found);
    units::events(app, scenario, products, found);
    units::units(world.resource::<SensorKinds>(), scenario, products, request, found);
    units::lacking(app, scenario, products, species, found);
    let tracers = match plan_tracers(value, world.resource::<EmitterKinds>(), species) {
        Ok(list) => list.len(),
        Err(many) => {
            found.push(
                scenario
                    .fault("too-many-tracers", "emitters", format!("{many} release components; a run can have {MAX_TRACERS}"))
                    .help("merge emitters, split the scenario, or leave heat out with `air_heat: None`"),
            );
            MAX_TRACERS
        }
    };
    domain::domain(scenario, products, conditions, (request, world.resource::<SensorKinds>()), tracers, found);
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
