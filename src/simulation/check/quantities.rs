//! What probes and snapshots ask for.

use crate::diagnostics::Diagnostic;
use crate::files::body::BodyEntry;
use crate::files::scenario::Scenario;
use crate::files::species::SpeciesTable;
use crate::sensing::probe::ProbeQuantity;
use crate::simulation::Read;

/// Quantities that a probe knows and a picture cannot show.
const NOT_IN_PICTURES: [&str; 3] = ["air/pressure", "wind/speed", "wind/from_direction"];

/// Quantities that only a picture shows.
const PICTURES_ONLY: [&str; 4] = ["wind", "wind/east", "wind/north", "wind/up"];

/// The quantities that probes and snapshots name, and when snapshots are taken.
pub(super) fn quantities(scenario: &Read<Scenario>, species: &SpeciesTable, found: &mut Vec<Diagnostic>) {
    let gases: Vec<String> = species.names().iter().map(|name| format!("gas/{name}")).collect();
    let particles: Vec<String> = species.particles().iter().map(|class| format!("particles/{}", class.below)).collect();
    let names = |prefix: &str, which: fn(&BodyEntry) -> bool| -> Vec<String> {
        scenario.value.bodies.iter().filter(|body| which(body)).map(|body| format!("{prefix}/{}", body.id)).collect()
    };
    let oil = |body: &BodyEntry| body.transformer.is_some();
    let bodies = [names("body", |_| true), names("top_oil", oil), names("hot_spot", oil)].concat();
    let fields: Vec<&str> = ProbeQuantity::NAMES.iter().copied().chain(gases.iter().chain(&particles).map(String::as_str)).collect();
    let known: Vec<&str> = fields.iter().copied().chain(bodies.iter().map(String::as_str)).collect();
    let pictured: Vec<&str> = fields.iter().copied().filter(|name| !NOT_IN_PICTURES.contains(name)).chain(PICTURES_ONLY).collect();
    let unknown = |path: String, name: &str, known: &[&str]| {
        let fault = || scenario.fault("unknown-quantity", &path, format!("no quantity here is called `{name}`"));
        (!known.contains(&name)).then(|| fault().did_you_mean(name, known.iter().copied(), true))
    };
    for (n, probe) in scenario.value.probes.iter().enumerate() {
        found.extend(unknown(format!("probes[{n}].quantity"), &probe.quantity, &known));
    }
    for (n, snapshot) in scenario.value.snapshots.iter().enumerate() {
        for (m, name) in snapshot.quantities.iter().enumerate() {
            let path = format!("snapshots[{n}].quantities[{m}]");
            if NOT_IN_PICTURES.contains(&name.as_str()) {
                let fault = scenario.fault("unknown-quantity", &path, format!("a snapshot cannot show `{name}`"));
                found.push(fault.help(
                    "a snapshot shows gas/SPECIES, particles/PM2.5, air/temperature, air/humidity, wind, wind/east, wind/north or wind/up",
                ));
            } else {
                found.extend(unknown(path, name, &pictured));
            }
        }
        let at = format!("snapshots[{n}].at_s");
        if let Some(first) = scenario.value.snapshots[..n].iter().position(|earlier| earlier.at_s == snapshot.at_s) {
            let fault = scenario.fault("duplicate-id", &at, "two snapshots of the same moment");
            let fault = fault.also(&scenario.source, scenario.span(&format!("snapshots[{first}].at_s")), "first used here");
            found.push(fault.help("name all quantities in one of them"));
        }
        if snapshot.at_s.get() > scenario.value.duration_s.get() {
            let fault = scenario.fault("outside-run", &at, "this snapshot lies after the end of the run and is not taken");
            found.push(fault.warning());
        }
    }
}
