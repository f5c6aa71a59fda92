//! Small scenarios and the way to run them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use envirosense::diagnostics::Source;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::recording::SampleList;
use envirosense::recording::sample::{SensorReading, UniversalSensorReading};
use envirosense::simulation::{Request, Simulation};

/// A folder for products, deleted when dropped.
pub(crate) fn folder(products: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("products")).unwrap();
    for (name, text) in products {
        std::fs::write(folder.path().join(format!("products/{name}.ron")), text).unwrap();
    }
    folder
}

/// A scenario of 60 s in a small box with one branch that smoulders from 10 s on.
pub(crate) fn branch(devices: &str, mass: &str, ignited_s: f64) -> String {
    format!(
        "Scenario(format: 1, name: \"branch\", start: \"2026-07-15T21:00:00Z\",
    site: (latitude_deg: 38.6, longitude_deg: -121.3, elevation_m: 90.0, ground: \"tall_grass\"),
    tick_s: 0.1, duration_s: 60.0, domain: (size_m: (60.0, 24.0, 16.0), cell_m: 1.0),
    weather: Given(temperature_c: 31.0, humidity_pct: 22.0, pressure_hpa: 1003.0),
    wind: Profile(speed_m_s: 2.2, at_m: 10.0, from_deg: 270.0),
    background: [(species: \"O3\", mean_ppb: 35.0, sigma_ppb: 3.0, tau_s: 60.0)],
    emitters: [(id: \"branch\", at_m: (25.0, 12.0, 8.0), kind: smouldering_wood(mass_kg: {mass}, growth_s: 5.0, heated_by: Ignited(at_s: {ignited_s:?})))],
    events: [(id: \"e1\", class: \"vegetation_smoulder\", members: [\"branch\"])],
    devices: [{devices}])"
    )
}

/// One Grid Guardian downwind and one upwind.
pub(crate) const TWO_UNITS: &str = "(id: \"down\", product: \"grid_guardian\", at_m: (33.0, 12.0, 0.0), mode: \"alert\"),
    (id: \"up\", product: \"grid_guardian\", at_m: (12.0, 12.0, 0.0), mode: \"alert\")";

pub(crate) fn load(text: &str, beside: &Path, request: &Request) -> Simulation {
    let source = Source::new(beside.join("scenario.ron"), text);
    Simulation::load(EnviroSensePlugins, &source, request).unwrap_or_else(|error| panic!("{error}"))
}

/// All samples of a run.
pub(crate) fn samples(text: &str, beside: &Path, request: &Request) -> Vec<UniversalSensorReading> {
    let mut simulation = load(text, beside, request);
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&AtomicBool::new(false), |_, _| Ok(())).unwrap();
    let samples = list.0.lock().unwrap();
    samples.clone()
}

/// The readings of one quantity of one sensor, in order, with the ideal values beside them.
pub(crate) fn series<'s>(
    samples: &'s [UniversalSensorReading],
    device: &str,
    sensor: &str,
    channel: &str,
) -> Vec<(&'s SensorReading, Vec<Option<f64>>)> {
    samples
        .iter()
        .filter(|sample| sample.device_id == device)
        .flat_map(|sample| {
            let truth = &sample.ground_truth.as_ref().unwrap().readings;
            sample.readings.iter().map(move |reading| {
                let ideal = truth.iter().find(|r| r.sensor_id == reading.sensor_id && r.channels == reading.channels).unwrap();
                (reading, ideal.ideal.clone())
            })
        })
        .filter(|(reading, _)| reading.sensor_id == sensor && reading.channels.iter().any(|c| c == channel))
        .collect()
}
