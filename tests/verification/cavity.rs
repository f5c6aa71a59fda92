//! Section 3.3: air between a warm and a cold wall, by the resolved flow without a sub-grid model and the shared transport, through the
//! real schedule.

use bevy_ecs::system::SystemState;
use envirosense::diagnostics::Source;
use envirosense::physics::airflow::les::{LargeEddies, Lattice, LesDomain, MOLECULAR_SCHMIDT, Side, Sides, Wall};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::GRAVITY_M_S2;
use envirosense::world::air::air_kg_m3;
use envirosense::world::tracers::{Releases, Tracers};

use crate::table::{Line, accept};

const SOURCE: &str = "de Vahl Davis, Int. J. Numer. Meth. Fluids 3, 1983, and the physics reference";

/// What comes out of a cavity of 1 m with walls 1 K apart, scaled by α/L.
struct Cavity {
    hot: f64,
    middle: f64,
    whole: f64,
    up: (f64, f64),
    along: (f64, f64),
}

fn cavity(rayleigh: f64, n: usize, diffusion_times: f64, weather_c: f64) -> Cavity {
    let h = 1.0 / n as f64;
    // g β ΔT = g over the mean temperature
    let viscosity = (GRAVITY_M_S2 / 293.65 * MOLECULAR_SCHMIDT / rayleigh).sqrt();
    let alpha = viscosity / MOLECULAR_SCHMIDT;
    let tick_s = ((0.24 * h * h / viscosity).min(0.9) * 1e6).floor() * 1e-6;
    let text = format!(
        "Scenario(format: 1, name: \"cavity\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 1000000.0, wind: Calm, turbulence: Les(subgrid: None, viscosity_m2_s: {viscosity:?}),
        domain: (size_m: (1.0, 1.0, 1.0), cell_m: ({h:?}, 1.0, {h:?}), boundary: Closed, sides_c: (west: 21.0, east: 20.0)),
        weather: Given(temperature_c: {weather_c:?}, humidity_pct: 50.0, pressure_hpa: 1013.25))"
    );
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("cavity.ron", text), &Request::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let still = Side::Wall(Wall::Smooth { velocity_m_s: [0.0; 3], viscosity_m2_s: viscosity });
    let sides = Sides { sides: [[still; 2], [Side::Periodic; 2], [still; 2]], obstacles: Wall::Slip };
    simulation.app.world_mut().insert_resource(LesDomain::pinned(sides));
    for _ in 0..(diffusion_times / alpha / tick_s).ceil() as usize {
        simulation.step().unwrap();
    }
    let world = simulation.app.world_mut();
    let lattice = Lattice::new(world.resource::<Grid>());
    let velocity = world.resource::<LargeEddies>().state.velocity.clone();
    let mut state: SystemState<Tracers<'_, '_>> = SystemState::new(world);
    let columns = state.get(world).unwrap();
    let warmer: Vec<f64> = world.resource::<Releases>().warmth_k(&columns.columns(), air_kg_m3(101_325.0, 273.15 + weather_c)).unwrap();
    let t = |i: usize, k: usize| warmer[i + n * k] + weather_c - 20.0;
    let wind = |axis: usize, i: usize, k: usize| velocity[axis][lattice.at([i + 1, 1, k + 1])] / alpha;
    let mean = |of: &dyn Fn(usize) -> f64| (0..n).map(of).sum::<f64>() * h;
    // through the wall, through the faces in the middle, and the mean of u T over all faces
    let through = |i: usize, k: usize| 0.5 * wind(0, i, k) * (t(i - 1, k) + t(i, k)) - (t(i, k) - t(i - 1, k)) / h;
    let extreme = |at: &dyn Fn(usize) -> f64| {
        // a parabola through the largest value and its neighbours
        let m = (1..n - 1).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap();
        let (a, b, c) = (at(m - 1), at(m), at(m + 1));
        let shift = 0.5 * (a - c) / (a - 2.0 * b + c);
        (b - 0.25 * (a - c) * shift, (m as f64 + 0.5 + shift) * h)
    };
    Cavity {
        hot: mean(&|k| (1.0 - t(0, k)) / (0.5 * h)),
        middle: mean(&|k| through(n / 2, k)),
        whole: 1.0 + mean(&|k| (1..n).map(|i| 0.5 * wind(0, i, k) * (t(i - 1, k) + t(i, k))).sum::<f64>() * h),
        up: extreme(&|i| wind(2, i, n / 2)),
        along: extreme(&|k| wind(0, n / 2, k)),
    }
}

fn row(case: String, expected: f64, measured: f64, limit: f64) -> Line {
    let error = (measured / expected - 1.0).abs();
    Line { module: "thermal", case, expected, measured, error, limit, source: SOURCE, missed: None }
}

/// Rayleigh number, its name, Nusselt number, largest wind along and up with their places.
type Published = (f64, &'static str, f64, (f64, f64), (f64, f64));

const CASES: [Published; 4] = [
    (1e3, "1e3", 1.1178, (3.649, 0.813), (3.697, 0.178)),
    (1e4, "1e4", 2.2448, (16.178, 0.823), (19.617, 0.119)),
    (1e5, "1e5", 4.5216, (34.73, 0.855), (68.59, 0.066)),
    (1e6, "1e6", 8.8252, (64.63, 0.850), (219.36, 0.0379)),
];

fn lines(n: usize, cases: &[Published]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (rayleigh, name, nusselt, along, up) in cases {
        let seen = cavity(*rayleigh, n, if *rayleigh < 5e4 { 0.8 } else { 0.35 }, 20.0);
        let limit = if *rayleigh < 5e5 { 0.01 } else { 0.02 };
        let case = |what: &str| format!("3.3-Ra{name}-{n}-{what}");
        lines.push(row(case("nusselt"), *nusselt, seen.hot, limit));
        lines.push(row(case("middle"), seen.hot, seen.middle, 5e-3));
        lines.push(row(case("volume"), seen.hot, seen.whole, 5e-3));
        for (what, expected, measured) in [("along", along, seen.along), ("up", up, seen.up)] {
            lines.push(row(case(what), expected.0, measured.0, 2.0 * limit));
            let error = (measured.1 - expected.1).abs();
            lines.push(Line { error, ..row(case(&format!("{what}-place")), expected.1, measured.1, 1.0 / n as f64) });
        }
    }
    lines
}

#[test]
fn air_between_a_warm_and_a_cold_wall_carries_the_published_heat() {
    accept(&lines(64, &CASES[..3]));
}

#[test]
fn a_strong_warm_wall_does_so_on_finer_cells() {
    accept(&lines(96, &CASES[3..]));
}

#[test]
fn the_same_on_cells_as_fine_as_the_reference_asks_for() {
    if std::env::var("VERIFY").is_ok_and(|what| what == "full") {
        accept(&lines(128, &CASES));
    }
}

#[test]
fn heat_that_is_missing_travels_as_heat_does() {
    let [warmed, cooled] = [20.0, 21.0].map(|weather_c| cavity(1e4, 24, 0.5, weather_c));
    assert!((warmed.hot / cooled.hot - 1.0).abs() < 2e-3, "{} {}", warmed.hot, cooled.hot);
    assert!((warmed.along.0 / cooled.along.0 - 1.0).abs() < 2e-3);
}
