//! Bodies: on a line or free, with a surface and a temperature that follow from one place.

use super::unique;
use crate::diagnostics::Diagnostic;
use crate::files::body::BodyEntry;
use crate::files::conductor::Conductors;
use crate::files::line::LineEntry;
use crate::files::material::Materials;
use crate::files::scenario::Scenario;
use crate::simulation::Read;
use crate::world::lines::{FINEST_M, length_m, phase_m, stretch_m};

/// A stretch of a phase that a body takes: which body, the phase, from and to.
type Taken<'s> = Vec<(usize, &'s str, (f64, f64))>;

/// What bodies say against their tables and against each other.
pub(super) fn bodies(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    let materials = Materials::shipped();
    unique(scenario, "bodies", "id", &value.bodies.iter().map(|body| body.id.as_str()).collect::<Vec<_>>(), found);
    let phases: Vec<(String, &LineEntry, usize)> = value
        .lines
        .iter()
        .filter(|line| line.points_m.len() > 1)
        .flat_map(|line| line.phases.iter().enumerate().map(move |(phase, name)| (format!("{}/{name}", line.id), line, phase)))
        .collect();
    let mut taken = Taken::new();
    for (n, body) in value.bodies.iter().enumerate() {
        let path = format!("bodies[{n}]");
        match materials.get(&body.material) {
            None => {
                let fault =
                    scenario.fault("unknown-material", &format!("{path}.material"), format!("no surface is called `{}`", body.material));
                found.push(fault.did_you_mean(&body.material, materials.all().iter().map(|material| material.id.as_str()), true));
            }
            Some(material) if material.emissivity.get() <= 0.0 => {
                found.push(scenario.fault("bad-value", &format!("{path}.material"), "a body needs a surface with an emissivity above 0"));
            }
            Some(_) => {}
        }
        match (&body.on, &body.at_m) {
            (Some(on), None) => on_a_line(scenario, (n, body, on), &phases, &mut taken, found),
            (None, Some(_)) => free(scenario, (n, body), &materials, found),
            _ => {
                let where_it_is = if body.on.is_some() { "in two places" } else { "nowhere" };
                let fault = scenario.fault("bad-value", &path, format!("`{}` is {where_it_is}", body.id));
                found.push(fault.help("give `on: \"LINE/PHASE\"` for what sits on a line, or `at_m: …` for what is free"));
            }
        }
    }
}

fn on_a_line<'s>(
    scenario: &Read<Scenario>,
    (n, body, on): (usize, &BodyEntry, &'s str),
    phases: &[(String, &LineEntry, usize)],
    taken: &mut Taken<'s>,
    found: &mut Vec<Diagnostic>,
) {
    let path = format!("bodies[{n}]");
    let of_free = [
        body.turn_deg.is_some(),
        !body.path.is_empty(),
        body.temperature_c.is_some(),
        body.heat_w.is_some(),
        body.transformer.is_some(),
        body.heat_capacity_j_k.is_some(),
    ];
    if of_free.contains(&true) {
        let fault = scenario.fault("bad-value", &path, format!("`{}` sits on a line: its current and the weather warm it there", body.id));
        found.push(
            fault.help(
                "`turn_deg`, `path`, `temperature_c`, `heat_w`, `heat_capacity_j_k` and `transformer` are for free bodies, with `at_m`",
            ),
        );
    }
    let Some((_, line, phase)) = phases.iter().find(|(id, _, _)| id == on) else {
        let fault = scenario.fault("unknown-line", &format!("{path}.on"), format!("no phase of a line is called `{on}`"));
        found.push(fault.did_you_mean(on, phases.iter().map(|(id, _, _)| id.as_str()), true));
        return;
    };
    let Some((_, radius_m)) = body.shape.bar_m() else {
        found.push(scenario.fault("bad-value", &format!("{path}.shape"), "what sits on a line is a `Capsule` along it"));
        return;
    };
    if let Some(conductor) = Conductors::shipped().get(&line.conductor).filter(|conductor| 2.0 * radius_m < conductor.diameter_m.get()) {
        let message = format!("`{}` is thinner than its conductor of {} m", body.id, conductor.diameter_m.get());
        found.push(scenario.fault("bad-value", &format!("{path}.shape.radius_m"), message));
    }
    let way = length_m(&phase_m(line, *phase));
    let (from, to) = stretch_m(body, way);
    if from < 0.0 || to > way {
        let message = format!("`{}` reaches from {from:.3} to {to:.3} m of a line of {way:.3} m", body.id);
        found.push(scenario.fault("outside-domain", &path, message).help("move it with `along_m`"));
    }
    if let Some((other, id, _)) = taken.iter().find(|(_, other, (a, b))| *other == on && from < *b + FINEST_M && *a < to + FINEST_M) {
        let fault = scenario.fault("bad-value", &path, format!("`{}` is less than {FINEST_M} m from another body of `{id}`", body.id));
        found.push(
            fault.also(&scenario.source, scenario.span(&format!("bodies[{other}]")), "this one").help("move one of the two with `along_m`"),
        );
    }
    taken.push((n, on, (from, to)));
}

fn free(scenario: &Read<Scenario>, (n, body): (usize, &BodyEntry), materials: &Materials, found: &mut Vec<Diagnostic>) {
    let path = format!("bodies[{n}]");
    if body.along_m.is_some() || body.extra_resistance_ohm.is_some() {
        let fault = scenario.fault("bad-value", &path, format!("`{}` is free: no current heats it", body.id));
        found.push(fault.help("`along_m` and `extra_resistance_ohm` are for what sits `on` a line"));
    }
    let own = body.heat_w.is_some() || body.heat_capacity_j_k.is_some();
    if [body.temperature_c.is_some(), own, body.transformer.is_some()].iter().filter(|given| **given).count() > 1 {
        let fault = scenario.fault("bad-value", &path, format!("`{}` takes its temperature from one place", body.id));
        found.push(
            fault.help("give `temperature_c`, or `heat_w` and `heat_capacity_j_k` for one that follows from its heat, or a `transformer`"),
        );
    }
    let material = materials.get(&body.material);
    let unknown = body.temperature_c.is_none() && body.heat_capacity_j_k.is_none() && body.transformer.is_none();
    if unknown && material.is_some_and(|material| material.heat_capacity_j_m3_k().is_none()) {
        let fault = scenario.fault(
            "bad-value",
            &path,
            format!("how much heat `{}` holds is not known: `{}` has no density", body.id, body.material),
        );
        found.push(fault.help("give `heat_capacity_j_k`, or `temperature_c`"));
    }
    let mut before_s = 0.0;
    for (m, point) in body.path.iter().enumerate() {
        if point.at_s.get() <= before_s {
            found.push(scenario.fault("bad-value", &format!("{path}.path[{m}].at_s"), "the times of a path must rise, from above 0 s"));
        }
        before_s = point.at_s.get();
    }
}
