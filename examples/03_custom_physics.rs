//! A physics module of one's own: a sea breeze that turns the wind over the day, in place of the engine's airflow.
//!
//! The module writes the same columns as any airflow: faces of voxels and the diffusivity. Everything downstream
//! (transport, sensors, truth) follows. Run: `cargo run --example 03_custom_physics`

use envirosense::diagnostics::Source;
use envirosense::physics::airflow::AirflowPlugin;
use envirosense::prelude::*;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};

/// Wind that turns once in two minutes.
struct SeaBreezePlugin;

impl Plugin for SeaBreezePlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("airflow").add_systems(Tick, breathe.in_set(TickSystems::Flow));
    }
}

fn breathe(
    clock: Res<Clock>,
    grid: Res<Grid>,
    mut high: ResMut<HighFaces>,
    mut spread: ResMut<Diffusivity>,
    mut x: FieldMut<WindX>,
    mut y: FieldMut<WindY>,
) {
    let angle = std::f32::consts::TAU * (clock.tick() % 120) as f32 / 120.0;
    let (u, v) = (2.0 * angle.cos(), 2.0 * angle.sin());
    x.as_mut_slice().fill(u);
    y.as_mut_slice().fill(v);
    high.x.fill(u);
    high.y.fill(v);
    high.version += 1;
    let nz = grid.shape[2];
    *spread = Diffusivity { x: vec![0.5; nz], y: vec![0.5; nz], z_faces: vec![0.2; nz + 1], ..Diffusivity::default() };
}

const SCENARIO: &str = r#"Scenario(
    format: 1, name: "sea_breeze", start: "2026-07-15T12:00:00Z", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
    tick_s: 1.0, duration_s: 120.0, domain: (size_m: (40.0, 40.0, 8.0), cell_m: 2.0), turbulence: Laminar, wind: Calm,
    weather: Given(temperature_c: 22.0, humidity_pct: 70.0, pressure_hpa: 1013.0),
    probes: [(id: "mast", over: Point((20.0, 20.0, 3.0)), every_s: 30.0, quantity: "wind/from_direction")])"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plugins = EnviroSensePlugins.build().disable::<AirflowPlugin>().add(SeaBreezePlugin);
    let mut simulation = Simulation::load(plugins, &Source::new("sea_breeze.ron", SCENARIO), &Request::default())?;
    let samples = SampleList::default();
    simulation.record_to(samples.clone());
    simulation.run(&std::sync::atomic::AtomicBool::new(false), |_, _| Ok(()))?;
    let samples = samples.0.lock().map_err(|_| "poisoned")?;
    let found: Vec<f64> = samples.iter().filter_map(|sample| sample.readings[0].value[0]).collect();
    assert_eq!(found.len(), 4, "one result every 30 s");
    // a quarter turn between results: the mast sees the wind come from south, east, north, west
    for (from, expected) in found.iter().zip([180.0, 90.0, 0.0, 270.0]) {
        let off = (from - expected + 540.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 0.1, "{from} against {expected}");
    }
    Ok(())
}
