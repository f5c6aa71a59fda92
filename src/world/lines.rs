//! Overhead lines as they hang in the domain: one entity a phase, cut into cells along itself.
//!
//! Cells are fine beside a joint and coarse elsewhere; a joint is one cell, because a sleeve has one temperature. Left out: the
//! length that sag adds, sway, swing.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::files::body::BodyEntry;
use crate::files::line::LineEntry;
use crate::files::scenario::Scenario;
use crate::world::environment::vector;

/// Cells beside a joint, and the least way between two, m: chosen; a joint is then within 0.5 % of the closed form.
pub const FINEST_M: f64 = 0.01;
/// Cells far from a joint, m: chosen, against changes of the wind.
const COARSEST_M: f64 = 5.0;

/// How fast cells grow away from a joint: chosen.
const GROWTH: f64 = 0.15;
/// At sharper bends than this phases come closer to each other: the cosine of half of it.
const LEAST_COSINE: f64 = 0.3;

/// A phase of an overhead line.
#[derive(Component, Clone, Debug, Serialize, Deserialize)]
pub struct PhaseNode {
    /// `LINE/PHASE`.
    pub id: String,
    /// Which line of the scenario.
    pub line: usize,
    /// Its cells, from the first pole on.
    pub cells: Vec<LineCell>,
    /// Temperature of each cell in °C; empty before the first tick.
    pub temperature_c: Vec<f64>,
    /// The same without the extra resistance of its bodies; empty where it has none.
    pub unheated_c: Vec<f64>,
    /// The same without current; empty where no event asks for it.
    pub idle_c: Vec<f64>,
    /// Heat of the last tick.
    pub heat: HeatRates,
}

/// A piece of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineCell {
    /// Its middle, m.
    pub at_m: DVec3,
    /// Where it begins and ends, m.
    pub ends_m: [DVec3; 2],
    /// Unit vector along its span, from pole to pole.
    pub along: DVec3,
    /// Length, m.
    pub length_m: f64,
    /// The body it is, as the scenario numbers them.
    pub body: Option<usize>,
    /// The body of the phase that lies nearest: its fault warms this piece too.
    pub near: Option<usize>,
}

/// What a phase gained and lost over a tick, in watts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatRates {
    /// By current.
    pub joule_w: f64,
    /// From the sun and from fires.
    pub sun_w: f64,
    /// To the air, by radiation, and to what touches it.
    pub lost_w: f64,
    /// What is left in the metal.
    pub stored_w: f64,
}

/// The straight way of a phase: where it is held up. At a bend a pole carries the phases across the middle of the bend.
#[must_use]
pub fn phase_m(line: &LineEntry, phase: usize) -> Vec<DVec3> {
    let points: Vec<DVec3> = line.points_m.iter().map(|point| vector(*point)).collect();
    let offset = (0.5 * (line.phases.len() as f64 - 1.0) - phase as f64) * line.spacing_m.get();
    let left = |span: &[DVec3]| DVec3::new(span[0].y - span[1].y, span[1].x - span[0].x, 0.0).normalize_or_zero();
    let lefts: Vec<DVec3> = points.windows(2).map(left).collect();
    let shifted = |(n, point): (usize, &DVec3)| {
        let (before, after) = (lefts[n.saturating_sub(1).min(lefts.len() - 1)], lefts[n.min(lefts.len() - 1)]);
        let middle = (before + after).normalize_or(after);
        // so that the spans themselves are `spacing_m` apart; not without end where a line turns back
        *point + middle * (offset / middle.dot(after).max(LEAST_COSINE))
    };
    points.iter().enumerate().map(shifted).collect()
}

/// Length of a way, m.
#[must_use]
pub fn length_m(points: &[DVec3]) -> f64 {
    points.windows(2).map(|span| span[0].distance(span[1])).sum()
}

/// The place so far along a phase, with its sag, and the direction of its span.
#[must_use]
pub fn place_m(points: &[DVec3], sag_m: f64, along_m: f64) -> (DVec3, DVec3) {
    let mut left_m = along_m;
    for (n, span) in points.windows(2).enumerate() {
        let length = span[0].distance(span[1]);
        if left_m <= length || n + 2 == points.len() {
            let share = if length > 0.0 { (left_m / length).clamp(0.0, 1.0) } else { 0.0 };
            let way = span[1] - span[0];
            let place = span[0] + way * share - DVec3::Z * (4.0 * sag_m * share * (1.0 - share));
            return (place, way.normalize_or_zero());
        }
        left_m -= length;
    }
    (points[0], DVec3::X)
}

/// Where a body begins and ends on a way of this length, m.
#[must_use]
pub fn stretch_m(body: &BodyEntry, way_m: f64) -> (f64, f64) {
    let half = body.shape.half_m()[1];
    let middle = body.along_m.map_or(0.5 * way_m, crate::units::Length::get);
    (middle - half, middle + half)
}

/// Every phase of a scenario that has been checked.
#[must_use]
pub fn phases(scenario: &Scenario) -> Vec<PhaseNode> {
    let mut list = Vec::new();
    for (n, line) in scenario.lines.iter().enumerate() {
        for (phase, name) in line.phases.iter().enumerate() {
            let (id, way) = (format!("{}/{name}", line.id), phase_m(line, phase));
            let whole = length_m(&way);
            let bodies: Vec<(usize, (f64, f64))> = scenario
                .bodies
                .iter()
                .enumerate()
                .filter(|(_, body)| body.on.as_ref() == Some(&id))
                .map(|(b, body)| (b, stretch_m(body, whole)))
                .collect();
            let stretches: Vec<(f64, f64)> = bodies.iter().map(|(_, stretch)| *stretch).collect();
            let mut done = 0.0;
            let cells = graded_m(whole, &stretches, FINEST_M, COARSEST_M).into_iter().map(|length_m| {
                let (begun, middle) = (done, done + 0.5 * length_m);
                done += length_m;
                let hanging = |along_m: f64| place_m(&way, line.sag_m.map_or(0.0, crate::units::NonNegative::get), along_m);
                let (at_m, along) = hanging(middle);
                let ends_m = [hanging(begun).0, hanging(done).0];
                let body = bodies.iter().find(|(_, (from, to))| *from < middle && middle < *to).map(|(body, _)| *body);
                let away = |(from, to): &(f64, f64)| (middle - 0.5 * (from + to)).abs();
                let near = bodies.iter().min_by(|a, b| away(&a.1).total_cmp(&away(&b.1))).map(|(body, _)| *body);
                LineCell { at_m, ends_m, along, length_m, body, near }
            });
            list.push(PhaseNode {
                id,
                line: n,
                cells: cells.collect(),
                temperature_c: Vec::new(),
                unheated_c: Vec::new(),
                idle_c: Vec::new(),
                heat: HeatRates::default(),
            });
        }
    }
    list
}

/// Lengths of the cells of a line of `length_m` with sleeves at the places given as (from, to): each sleeve is one cell; beside it cells
/// of `finest_m` that grow by `GROWTH` of the way to the nearest sleeve, at most `coarsest_m`.
#[must_use]
pub fn graded_m(length_m: f64, sleeves: &[(f64, f64)], finest_m: f64, coarsest_m: f64) -> Vec<f64> {
    let away = |at: f64| sleeves.iter().map(|(from, to)| (from - at).max(at - to).max(0.0)).fold(f64::MAX, f64::min);
    let size = |at: f64| (finest_m + GROWTH * away(at)).min(coarsest_m);
    let mut sorted = sleeves.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut cells = Vec::new();
    let mut done = 0.0;
    for (from, to) in sorted.into_iter().chain([(length_m, length_m)]) {
        let (begun, first) = (done, cells.len());
        while done < from {
            // where cells shrink again the far end of the cell is the nearer one
            let cell = size(done).min(size((done + size(done)).min(from)));
            cells.push(cell);
            done += cell;
        }
        for cell in &mut cells[first..] {
            *cell *= (from - begun) / (done - begun);
        }
        if to > from {
            cells.push(to - from);
        }
        done = to;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_fill_a_line_and_are_fine_beside_each_sleeve() {
        for sleeves in [vec![], vec![(60.0, 60.15)], vec![(80.0, 80.2), (1.0, 1.1)], vec![(0.0, 0.1), (119.9, 120.0)]] {
            let cells = graded_m(120.0, &sleeves, 0.01, 5.0);
            assert!((cells.iter().sum::<f64>() - 120.0).abs() < 1e-9, "{sleeves:?}");
            assert!(cells.iter().all(|cell| *cell > 0.0 && *cell <= 5.0 + 1e-9), "{sleeves:?}");
            let mut at = 0.0;
            let faces: Vec<f64> = cells
                .iter()
                .map(|cell| {
                    at += cell;
                    at
                })
                .collect();
            for (from, to) in &sleeves {
                assert!(*from == 0.0 || faces.iter().any(|face| (face - from).abs() < 1e-9), "{sleeves:?}: {from}");
                assert!(faces.iter().any(|face| (face - to).abs() < 1e-9), "{sleeves:?}: {to}");
            }
            assert!(cells.len() < 250, "{}", cells.len());
        }
    }

    #[test]
    fn phases_keep_their_distance_round_a_bend() {
        let line: LineEntry = ron::from_str(
            "(id: \"l\", conductor: \"c\", phases: [\"A\", \"B\"], points_m: [(0.0, 0.0, 9.0), (100.0, 0.0, 9.0), (100.0, 80.0, 9.0)], spacing_m: 2.0)",
        )
        .unwrap();
        let [a, b] = [0, 1].map(|phase| phase_m(&line, phase));
        assert!((a[0] - DVec3::new(0.0, 1.0, 9.0)).length() < 1e-12 && (b[0] - DVec3::new(0.0, -1.0, 9.0)).length() < 1e-12, "{a:?} {b:?}");
        assert!(
            (a[1] - DVec3::new(99.0, 1.0, 9.0)).length() < 1e-9 && (b[1] - DVec3::new(101.0, -1.0, 9.0)).length() < 1e-9,
            "{a:?} {b:?}"
        );
        assert!((a[2] - DVec3::new(99.0, 80.0, 9.0)).length() < 1e-9, "{a:?}");
    }

    #[test]
    fn a_span_hangs_through_its_sag_in_the_middle() {
        let way = [DVec3::new(0.0, 5.0, 9.0), DVec3::new(40.0, 5.0, 9.0), DVec3::new(40.0, 45.0, 11.0)];
        let (middle, along) = place_m(&way, 0.8, 20.0);
        assert!((middle - DVec3::new(20.0, 5.0, 8.2)).length() < 1e-12 && along == DVec3::X);
        let (end, along) = place_m(&way, 0.8, length_m(&way));
        assert!((end - way[2]).length() < 1e-9 && (along - DVec3::new(0.0, 40.0, 2.0).normalize()).length() < 1e-12);
    }
}
