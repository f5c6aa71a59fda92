//! An emitter of one's own: a generator that runs ten seconds in every thirty.
//!
//! Run: `cargo run --example 04_custom_emitter`

use envirosense::diagnostics::Source;
use envirosense::prelude::*;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};

/// As written in a scenario: `generator(co_g_s: 0.5)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generator {
    /// Carbon monoxide while it runs.
    co_g_s: f64,
}

impl Spec for Generator {}

impl Emitter for Generator {
    const KIND: &'static str = "generator";
    const ABOUT: &'static str = "runs ten seconds in every thirty";

    fn components(&self) -> Vec<EmissionComponent> {
        vec![EmissionComponent { name: "exhaust".into(), composition: vec![("CO".into(), 1.0)] }]
    }

    fn rates_kg_s(&self, over: Stretch, rates: &mut [f64]) {
        let running = over.from_s.rem_euclid(30.0) < 10.0;
        rates[0] = if running { 1e-3 * self.co_g_s } else { 0.0 };
    }
}

const SCENARIO: &str = r#"Scenario(
    format: 1, name: "generator", start: "2026-07-15T12:00:00Z",
    site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0, ground: "pasture"),
    tick_s: 0.5, duration_s: 60.0, domain: (size_m: (40.0, 20.0, 10.0), cell_m: 1.0),
    weather: Given(temperature_c: 22.0, humidity_pct: 70.0, pressure_hpa: 1013.0),
    wind: Profile(speed_m_s: 3.0, at_m: 10.0, from_deg: 270.0),
    emitters: [(id: "gen", at_m: (8.0, 10.0, 2.0), kind: generator(co_g_s: 0.5), background: true)],
    probes: [(id: "downwind", over: Point((14.0, 10.0, 2.0)), every_s: 1.0, quantity: "gas/CO")])"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plugins = EnviroSensePlugins.build().add(|app: &mut App| {
        app.add_emitter::<Generator>();
    });
    let mut simulation = Simulation::load(plugins, &Source::new("generator.ron", SCENARIO), &Request::default())?;
    let samples = SampleList::default();
    simulation.record_to(samples.clone());
    simulation.run(&std::sync::atomic::AtomicBool::new(false), |_, _| Ok(()))?;
    let samples = samples.0.lock().map_err(|_| "poisoned")?;
    let ppb = |second: usize| samples[second - 1].readings[0].value[0].unwrap_or_default();
    assert!(ppb(10) > 100.0, "it runs: {} ppb", ppb(10));
    assert!(ppb(29) < 0.02 * ppb(10), "it rests: {} ppb", ppb(29));
    assert!(ppb(40) > 100.0, "it runs again: {} ppb", ppb(40));
    Ok(())
}
