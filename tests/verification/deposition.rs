//! Section 1.6: what the ground takes, through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::dispersion::{Fall, TransportState, fall};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, Simulation};

use crate::dispersion::tracer;
use crate::table::{Line, accept};

fn line(case: &str, expected: f64, measured: f64, limit: f64, source: &'static str) -> Line {
    let error = (measured / expected - 1.0).abs();
    Line { module: "dispersion", case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

/// A closed column of air of uniform density with deposition, after so many seconds; and what lies on the ground.
fn column(height: f64, cell: f64, k: f64, deposition: f64, times: &[f64]) -> Vec<(Vec<f64>, f64)> {
    let text = format!(
        "Scenario(format: 1, name: \"d\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 10000.0, domain: (size_m: (1.0, 1.0, {height:?}), cell_m: (1.0, 1.0, {cell:?}), boundary: Closed), wind: Calm,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), turbulence: Given(k_m2_s: (0.0, 0.0, {k:?})),
        initial: [Uniform(id: \"even\", species: \"CO\", density_kg_m3: 1.0, deposition_m_s: {deposition:?})])"
    );
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("d.ron", text), &Request::default()).unwrap();
    let mut found = Vec::new();
    for time in times {
        while simulation.now_s() < time - 1e-9 {
            simulation.step().unwrap();
        }
        let ground = simulation.app.world().resource::<TransportState>().fates[0].deposited_kg;
        found.push((tracer(&mut simulation.app), ground));
    }
    found
}

/// Density over the initial one above a ground that takes `v c`.
fn half_space(v: f64, k: f64, z: f64, t: f64) -> f64 {
    let (h, a) = (v / k, z / (2.0 * (k * t).sqrt()));
    let s = h * (k * t).sqrt();
    libm::erf(a) + (h * z + s * s).exp() * libm::erfc(a + s)
}

#[test]
fn the_ground_takes_what_diffuses_down_to_it() {
    let (v, k, cell) = (0.02, 0.5, 1.0);
    let found = column(400.0, cell, k, v, &[600.0, 3600.0]);
    let mut lines = Vec::new();
    for (time, z, published, at) in [(600.0, 0.0, 0.528_758, 0), (3600.0, 0.0, 0.292_066, 1), (600.0, 10.0, 0.715_005, 0)] {
        assert!((half_space(v, k, z, time) / published - 1.0).abs() < 1e-5, "the closed form gives the published number");
        let cells = &found[at].0;
        // the ground itself is half a cell below the lowest centre; 10 m lies between two centres
        let (expected, measured) =
            if z == 0.0 { (half_space(v, k, 0.5 * cell, time), cells[0]) } else { (published, 0.5 * (cells[9] + cells[10])) };
        lines.push(line(&format!("1.6-half-space-{z}-{time}-f32"), expected, measured, 0.01, "ground flux v c(0), closed form"));
    }
    let (cells, ground) = &found[1];
    let total = cells.iter().sum::<f64>() + ground;
    lines.push(line("1.6-closure-f32", 400.0, total, 1e-6, "airborne + deposited, amendment A1"));
    let (mixed, ground) = &column(50.0, 1.0, 1e4, 0.01, &[3600.0])[0];
    lines.push(line("1.6-mixed-layer-f32", 0.486_752, mixed.iter().sum::<f64>() / 50.0, 0.01, "exp(-v t / H)"));
    let total = mixed.iter().sum::<f64>() + ground;
    lines.push(line("1.6-mixed-closure-f32", 50.0, total, 1e-6, "airborne + deposited, amendment A1; diffusion number 1e4"));
    // the same kernel in double precision
    let mut cells = vec![1.0f64; 200];
    let mut ground = 0.0;
    for _ in 0..3600 {
        ground += fall(&mut cells, [2, 2, 50], Fall { taken: 0.01, sunk: 0.05, from_above: 0.0 }, |cell| cell < 4, |_| false).0;
    }
    lines.push(line("1.6-closure-f64", 200.0, cells.iter().sum::<f64>() + ground, 1e-10, "airborne + deposited"));
    accept(&lines);
}
