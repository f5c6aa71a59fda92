//! Events, units, their sensors and faults: who is meant by each name.

use std::collections::{BTreeMap, BTreeSet};

use bevy_app::App;

use super::{kind_faults, unique};
use crate::diagnostics::Diagnostic;
use crate::files::product::Product;
use crate::files::scenario::{FaultKind, Scenario};
use crate::files::species::SpeciesTable;
use crate::sensing::SensorKinds;
use crate::simulation::{Read, Request};
use crate::world::emitter::EmitterKinds;

pub(super) fn events(app: &App, scenario: &Read<Scenario>, products: &BTreeMap<String, Read<Product>>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    let emitters: Vec<&str> = value.emitters.iter().map(|e| e.id.as_str()).collect();
    let bodies: Vec<&str> = value.bodies.iter().map(|b| b.id.as_str()).collect();
    let lines: Vec<&str> = value.lines.iter().map(|line| line.id.as_str()).collect();
    let known = |member: &str| [&emitters, &bodies, &lines].iter().any(|list| list.contains(&member));
    let twice = |list: &'static str, ids: &[&str], others: [&Vec<&str>; 2], found: &mut Vec<Diagnostic>| {
        for (n, id) in ids.iter().enumerate().filter(|(_, id)| others.iter().any(|other| other.contains(id))) {
            let fault = scenario.fault("duplicate-id", &format!("{list}[{n}].id"), format!("`{id}` is the id of something else as well"));
            found.push(fault.help("events name emitters, bodies and lines by their ids: give one of them another"));
        }
    };
    twice("bodies", &bodies, [&emitters, &lines], found);
    twice("lines", &lines, [&emitters, &Vec::new()], found);
    unique(scenario, "events", "id", &value.events.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), found);
    let classes: BTreeSet<&str> = products.values().flat_map(|p| &p.value.classes).map(|class| class.name.as_str()).collect();
    for (n, event) in value.events.iter().enumerate() {
        kind_faults(app, scenario, &format!("events[{n}].kind"), &event.kind, found);
        if event.members.is_empty() {
            found.push(scenario.fault("empty-event", &format!("events[{n}].members"), format!("event `{}` has no members", event.id)));
        }
        // the kinds that ship see members of some sorts only
        let seen: Option<[&[&str]; 2]> = match event.kind.name.as_str() {
            "emission" => Some([&emitters, &[]]),
            "overheating" => Some([&bodies, &lines]),
            _ => None,
        };
        let blind =
            seen.is_some_and(|lists| event.members.iter().all(|id| known(id) && !lists.iter().any(|list| list.contains(&id.as_str()))));
        if blind && !event.members.is_empty() {
            let message = format!("`{}` sees none of the members of event `{}`", event.kind.name, event.id);
            let fault = scenario.fault("bad-value", &format!("events[{n}]"), message);
            found.push(fault.help("`emission` is of emitters, `kind: overheating()` of bodies and lines"));
        }
        for (m, member) in event.members.iter().enumerate() {
            if !known(member) {
                found.push(
                    scenario
                        .fault(
                            "unknown-member",
                            &format!("events[{n}].members[{m}]"),
                            format!("no emitter, body or line is called `{member}`"),
                        )
                        .did_you_mean(member, emitters.iter().chain(&bodies).chain(&lines).copied(), true),
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
        if value.events.iter().flat_map(|event| &event.members).any(|member| !known(member)) {
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

pub(super) fn units(
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
                    average_fits(product, &format!("modes[{m}].periods_s[{}]", sensor.id), &sensor.id, average_s, period.get(), found);
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
pub(super) fn too_fast(scenario: &Read<Scenario>, product: &Read<Product>, mode: Option<&str>, found: &mut Vec<Diagnostic>) {
    let modes = &product.value.modes;
    let Some(n) = modes.iter().position(|m| mode.is_none_or(|name| m.name == name)) else {
        return;
    };
    let tick_s = scenario.value.tick_s.secs();
    for (sensor, period) in modes[n].periods_s.iter().filter(|(_, period)| period.get() < tick_s * (1.0 - 1e-9)) {
        let fault = product
            .fault(
                "sensor-too-fast",
                &format!("modes[{n}].periods_s[{sensor}]"),
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

/// An average must fit between two results.
pub(super) fn average_fits<T>(read: &Read<T>, path: &str, id: &str, average_s: f64, period_s: f64, found: &mut Vec<Diagnostic>) {
    if average_s > period_s * (1.0 + 1e-9) {
        let message = format!("`{id}` averages over {average_s} s and reports every {period_s} s");
        found.push(read.fault("average-too-long", path, message).help("average over one period at most"));
    }
}

/// Gases that a sensor would answer to and has no coefficient for.
pub(super) fn lacking(
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
