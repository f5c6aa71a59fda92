//! Overhead lines.

use glam::DVec3;

use super::{air, unique};
use crate::diagnostics::Diagnostic;
use crate::files::conductor::Conductors;
use crate::files::line::LineEntry;
use crate::files::scenario::Scenario;
use crate::files::series::{Column, Series};
use crate::simulation::Read;
use crate::units::NonNegative;
use crate::world::Grid;
use crate::world::lines::{phase_m, place_m};
use crate::world::spawn::FileLoader;

/// Larger currents than this are refused in a file: a thick conductor melts far below.
pub(super) const LARGEST_A: f64 = 1e5;

/// Reads the currents that are recorded, one for each line.
pub(in crate::simulation) fn loads(scenario: &Read<Scenario>, files: &FileLoader, found: &mut Vec<Diagnostic>) -> Vec<Option<Series>> {
    let read = |(n, line): (usize, &LineEntry)| {
        let recorded = line.recorded.as_ref()?;
        let wanted = (recorded.file.as_str(), recorded.time.as_str(), vec![Column { name: &recorded.load_a, min: 0.0, max: LARGEST_A }]);
        air::series(scenario, files, &format!("lines[{n}].recorded.file"), Some(wanted), found)
    };
    scenario.value.lines.iter().enumerate().map(read).collect()
}

/// What lines say against their tables and against each other.
pub(super) fn lines(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    let conductors = Conductors::shipped();
    unique(scenario, "lines", "id", &value.lines.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), found);
    for (n, line) in value.lines.iter().enumerate() {
        let path = format!("lines[{n}]");
        if conductors.get(&line.conductor).is_none() {
            let fault =
                scenario.fault("unknown-conductor", &format!("{path}.conductor"), format!("no conductor is called `{}`", line.conductor));
            found.push(fault.did_you_mean(&line.conductor, conductors.all().iter().map(|conductor| conductor.id.as_str()), true));
        }
        if line.load_a.is_some_and(|load| load.get() > LARGEST_A) {
            found.push(scenario.fault("bad-value", &format!("{path}.load_a"), format!("a current is at most {LARGEST_A} A")));
        }
        if line.id.is_empty() || line.id.contains('/') {
            found.push(scenario.fault(
                "bad-value",
                &format!("{path}.id"),
                "the id of a line has letters and no `/`: bodies name `LINE/PHASE`",
            ));
        }
        let phases: Vec<&str> = line.phases.iter().map(String::as_str).collect();
        let unclear = |(n, phase): (usize, &&str)| phase.is_empty() || phase.contains('/') || phases[..n].contains(phase);
        if phases.is_empty() || phases.iter().enumerate().any(unclear) {
            found.push(scenario.fault(
                "bad-value",
                &format!("{path}.phases"),
                "a line has one phase or more, each with a name of its own and no `/` in it",
            ));
        }
        if line.load_a.is_some() == line.recorded.is_some() {
            let fault = scenario.fault("bad-value", &path, format!("line `{}` takes its current from one place", line.id));
            found.push(fault.help("give `load_a: …`, or `recorded: (file: …, time: …, load_a: …)`"));
        }
        let level = |n: usize| DVec3::new(line.points_m[n].0.get(), line.points_m[n].1.get(), 0.0);
        if line.points_m.len() < 2 || (1..line.points_m.len()).any(|n| level(n) == level(n - 1)) {
            let fault =
                scenario.fault("short-path", &format!("{path}.points_m"), "a line hangs between two poles or more, none above another");
            found.push(fault);
        }
    }
}

/// Places along every phase, half a cell apart or less, that must lie in air.
pub(super) fn places(scenario: &Scenario, grid: &Grid) -> Vec<(usize, String, DVec3)> {
    let step = 0.5 * grid.cell_m.iter().copied().fold(f64::MAX, f64::min);
    let mut list = Vec::new();
    for (n, line) in scenario.lines.iter().enumerate().filter(|(_, line)| line.points_m.len() > 1) {
        for (phase, name) in line.phases.iter().enumerate() {
            let (what, sag_m) = (format!("line `{}/{name}`", line.id), line.sag_m.map_or(0.0, NonNegative::get));
            for span in phase_m(line, phase).windows(2) {
                let length = span[0].distance(span[1]);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
                let count = (length / step).ceil().clamp(2.0, 1e5) as u32;
                list.extend((0..=count).map(|part| {
                    let (place, _) = place_m(span, sag_m, length * f64::from(part) / f64::from(count));
                    (n, what.clone(), place)
                }));
            }
        }
    }
    list
}
