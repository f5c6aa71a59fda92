//! Sections 1.3 and 1.4: steady plumes, through the real schedule.

use std::f64::consts::PI;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use envirosense::diagnostics::Source;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::{Diffusivity, FieldMut, Grid, HighFaces, Tick, TickSystems, WindX};
use envirosense::simulation::{Request, Simulation};
use envirosense::world::clock::Before;
use glam::DVec3;

use crate::dispersion::tracer;
use crate::look::densities;
use crate::table::{Line, accept};

fn line(case: String, expected: f64, measured: f64, limit: f64, source: &'static str) -> Line {
    let error = (measured / expected - 1.0).abs();
    Line { module: "dispersion", case, expected, measured, error, limit, source, missed: None }
}

fn load(text: String, plugin: impl Plugin) -> Simulation {
    let plugins = bevy_app::PluginGroup::build(EnviroSensePlugins).add(plugin);
    Simulation::load(plugins, &Source::new("plume.ron", text), &Request::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A column of the running world at a point, as a sensor meets it.
fn at(cells: &[f64], grid: &Grid, point: DVec3) -> f64 {
    grid.weights(point).0.iter().map(|(cell, weight)| cells[*cell] * weight).sum()
}

struct Nothing;

impl Plugin for Nothing {
    fn build(&self, _: &mut App) {}
}

/// The isotropic plume of a point source with its mirror image, without the slender approximation.
pub(crate) fn isotropic([x, y, z]: [f64; 3]) -> f64 {
    let (u, h, k) = (3.0, 2.0, 0.5);
    let part = |r: f64| (-u * (r - x) / (2.0 * k)).exp() / r;
    let r = |height: f64| (x * x + y * y + (z - height).powi(2)).sqrt();
    (part(r(h)) + part(r(-h))) / (4.0 * PI * k)
}

#[test]
fn a_steady_plume_over_flat_ground_has_its_closed_form() {
    let text =
        "Scenario(format: 1, name: \"p\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.4, duration_s: 100.0, domain: (size_m: (160.0, 96.0, 48.0), cell_m: 2.0), wind: Uniform(speed_m_s: 3.0, from_deg: 270.0),
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), turbulence: Given(k_m2_s: (0.5, 0.5, 0.5)),
        emitters: [(id: \"source\", at_m: (21.0, 49.0, 2.0), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1000.0))])";
    let mut simulation = load(text.to_owned(), Nothing);
    for _ in 0..250 {
        simulation.step().unwrap();
    }
    let mut lines = Vec::new();
    for (point, published) in [
        ([50.0, 0.0, 0.0], 5.642_07e-3),
        ([50.0, 4.0, 2.0], 3.179_64e-3),
        ([100.0, 0.0, 0.0], 2.997_15e-3),
        ([100.0, 10.0, 5.0], 4.804_01e-4),
    ] {
        assert!((isotropic(point) / published - 1.0).abs() < 1e-4, "the closed form gives the published number");
        // at the ground the centre of the lowest cell is compared
        let seen = [point[0], point[1], f64::max(point[2], 1.0)];
        let measured = densities(&mut simulation, &[DVec3::new(21.0 + seen[0], 49.0 + seen[1], seen[2])])[0];
        let case = format!("1.3-plume-{}-{}-{}-h2-f32", point[0], point[1], point[2]);
        lines.push(line(case, isotropic(seen), measured, 0.05, "isotropic plume with ground image, K = 0.5"));
    }
    // what passes a plane: wind times density, less what diffuses back
    for x in [41.0, 81.0, 121.0] {
        let mut column = |x: f64| -> f64 {
            let places = (0..24 * 48).map(|n| DVec3::new(x, f64::from(n % 48) * 2.0 + 1.0, f64::from(n / 48) * 2.0 + 1.0));
            densities(&mut simulation, &places.collect::<Vec<_>>()).iter().map(|density| density * 4.0).sum()
        };
        let flux = 3.0 * column(x) - 0.5 * (column(x + 2.0) - column(x - 2.0)) / 4.0;
        lines.push(line(format!("1.3-flux-{}-f32", x - 21.0), 1.0, flux, 1e-3, "flux through a plane equals the source"));
    }
    accept(&lines);
}

/// Power laws of wind and diffusivity in place of the similarity profile.
struct PowerLaw;

const U1: f64 = 4.0;
const M: f64 = 0.15;
const K1: f64 = 0.12;
const N: f64 = 0.85;

impl Plugin for PowerLaw {
    fn build(&self, app: &mut App) {
        app.add_systems(Tick, blow.in_set(Before(TickSystems::Transport)));
    }
}

fn blow(grid: Res<Grid>, mut high: ResMut<HighFaces>, mut spread: ResMut<Diffusivity>, mut x: FieldMut<WindX>) {
    let [nx, ny, nz] = grid.shape;
    let h = grid.cell_m[2];
    for k in 0..nz {
        // the mean of u1 z^m over the level
        let mean = |low: f64, high: f64| U1 * (high.powf(M + 1.0) - low.powf(M + 1.0)) / ((M + 1.0) * (high - low));
        let u = mean(k as f64 * h, (k + 1) as f64 * h) as f32;
        x.as_mut_slice()[nx * ny * k..nx * ny * (k + 1)].fill(u);
        high.x[ny * k..ny * (k + 1)].fill(u);
    }
    high.version += 1;
    *spread = Diffusivity {
        x: vec![0.0; nz],
        y: vec![0.0; nz],
        z_faces: (0..=nz).map(|k| K1 * (k as f64 * h).powf(N)).collect(),
        ..Diffusivity::default()
    };
}

/// Roberts: a line source on the ground in power laws of wind and diffusivity.
fn roberts(x: f64, z: f64) -> f64 {
    let r = 2.0 + M - N;
    let s = (M + 1.0) / r;
    let a = U1 / (r * r * K1 * x);
    r / (U1 * libm::tgamma(s)) * a.powf(s) * (-a * z.powf(r)).exp()
}

#[test]
fn a_line_source_in_power_laws_has_the_solution_of_roberts() {
    let text =
        "Scenario(format: 1, name: \"r\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.5, duration_s: 400.0, domain: (size_m: (450.0, 1.0, 60.0), cell_m: (1.0, 1.0, 0.5)), wind: Calm, turbulence: Laminar,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        emitters: [(id: \"line\", at_m: (10.5, 0.5, 0.25), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1000.0))])";
    let mut simulation = load(text.to_owned(), PowerLaw);
    for _ in 0..800 {
        simulation.step().unwrap();
    }
    let cells = tracer(&mut simulation.app);
    let grid = *simulation.app.world().resource::<Grid>();
    let lines: Vec<Line> =
        [(50.0, 0.0, 0.131_992), (50.0, 2.0, 0.049_970_1), (100.0, 1.5, 0.051_185), (200.0, 0.0, 0.038_721_9), (400.0, 5.0, 0.014_064_7)]
            .into_iter()
            .map(|(x, z, published)| {
                assert!((roberts(x, z) / published - 1.0).abs() < 1e-4, "the closed form gives the published number");
                let seen: f64 = f64::max(z, 0.25);
                let measured = at(&cells, &grid, DVec3::new(10.5 + x, 0.5, seen));
                line(format!("1.4-roberts-{x}-{z}-f32"), roberts(x, seen), measured, 0.05, "Roberts, ground-level line source")
            })
            .collect();
    accept(&lines);
}
