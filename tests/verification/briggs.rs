//! Section 1.7: Briggs' rural spreads of class D, and the engine's neutral plume beside them.
//!
//! The curves are the field's oldest yardstick and no solution of anything: they begin at 100 m and hold for some ten minutes over open
//! country. The engine knows no classes; its plume in neutral air must lie within a factor of two of them, the scatter of the data behind them.

use envirosense::diagnostics::Source;
use envirosense::physics::dispersion::motion::{buoyancy_flux_m4_s3, rise_m, standing_plume};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, Simulation};
use glam::DVec3;

use crate::look::densities;
use crate::table::{Line, accept};

const SOURCE: &str = "Briggs 1973, rural, class D; plume with reflection, 1 g/s at 10 m in 5 m/s";

/// At 100 m only the lower edge of the plume has reached 1.5 m.
const LOWER_EDGE: &str =
    "the lower edge of a plume from 10 m: where mixing weakens towards the ground it is thinner than that of a Gaussian";

/// Standard deviations across and up at a distance in m, class D.
fn spreads(x_m: f64) -> (f64, f64) {
    (0.08 * x_m / (1.0 + 1e-4 * x_m).sqrt(), 0.06 * x_m / (1.0 + 1.5e-3 * x_m).sqrt())
}

/// Density of the Gaussian plume with its mirror image, g/m3.
fn briggs(at: DVec3) -> f64 {
    let ((sigma_y, sigma_z), (u, height)) = (spreads(at.x), (5.0, 10.0));
    let up = |z: f64| (-0.5 * (z / sigma_z).powi(2)).exp();
    (-0.5 * (at.y / sigma_y).powi(2)).exp() * (up(at.z - height) + up(at.z + height)) / (std::f64::consts::TAU * sigma_y * sigma_z * u)
}

#[test]
fn a_neutral_plume_lies_within_a_factor_of_two_of_briggs() {
    let text =
        "Scenario(format: 1, name: \"b\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 2.0, duration_s: 600.0, fidelity: Plume, domain: (size_m: (1200.0, 600.0, 200.0), cell_m: (2.0, 2.0, 1.0)), turbulence: Mean,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        wind: Profile(speed_m_s: 5.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.03),
        emitters: [(id: \"stack\", at_m: (20.0, 300.0, 10.0), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1.0))])";
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("b.ron", text.to_owned()), &Request::default())
        .unwrap_or_else(|error| panic!("{error}"));
    for _ in 0..300 {
        simulation.step().unwrap();
    }
    let mut lines = Vec::new();
    for (point, published) in [
        (DVec3::new(100.0, 0.0, 1.5), 3.118_42e-4),
        (DVec3::new(300.0, 0.0, 1.5), 1.435_85e-4),
        (DVec3::new(1000.0, 0.0, 0.0), 2.124_35e-5),
        (DVec3::new(1000.0, 50.0, 1.5), 1.712_40e-5),
    ] {
        assert!((briggs(point) / published - 1.0).abs() < 1e-4, "the formula gives the published number");
        let seen = densities(&mut simulation, &[DVec3::new(20.0, 300.0, 0.0) + point])[0] * 1e3;
        lines.push(Line {
            module: "dispersion",
            case: format!("1.7-briggs-engine-{}-{}-{}", point.x, point.y, point.z),
            expected: published,
            measured: seen,
            error: (seen / published).ln().abs(),
            limit: 2.0f64.ln(),
            source: SOURCE,
            missed: (point.x < 200.0).then_some(LOWER_EDGE),
        });
    }
    accept(&lines);
}

#[test]
fn a_plume_in_a_calm_rises_as_fast_and_in_stable_air_as_far_as_published() {
    let pressure_pa = 1.2 * 287.05 * 293.15;
    let line = |case: &str, expected: f64, measured: f64, source: &'static str| Line {
        module: "thermal",
        case: case.to_owned(),
        expected,
        measured,
        error: (measured / expected - 1.0).abs(),
        limit: 1e-3,
        source,
        missed: None,
    };
    let wind = standing_plume(buoyancy_flux_m4_s3(1e3, pressure_pa));
    let stable = rise_m(buoyancy_flux_m4_s3(1e6, pressure_pa), 0.0, (0.0, 1e4), 0.025_736_4 * 0.025_736_4);
    // as high as it gets while its axis rises with its own wind
    let late = rise_m(buoyancy_flux_m4_s3(1e3, pressure_pa), 0.0, (0.0, 0.75 / wind), 0.0);
    accept(&[
        line("3.5-standing-1kW-wind-1m", 1.266_91, wind, "Morton, Taylor and Turner 1956"),
        line("3.5-standing-1kW-way", 1.0, late, "the integral of that wind"),
        line("3.5-stable-1MW-height", 134.135, stable, "Briggs 1969, calm"),
    ]);
}
