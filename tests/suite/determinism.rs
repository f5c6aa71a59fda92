//! Same inputs, same bytes.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use envirosense::numerics::SimdLevel;
use envirosense::run_directory::{fields, run_into};
use envirosense::simulation::Request;
use envirosense::world::spawn::{DrawnYield, DrawnYields};

use crate::support::{TWO_UNITS, branch, folder, load, samples, series};

fn bytes(text: &str, request: &Request) -> Vec<u8> {
    let out = tempfile::tempdir().unwrap();
    let mut simulation = load(text, Path::new(""), request);
    run_into(&mut simulation, out.path(), request.seed, &AtomicBool::new(false), |_, _| ()).unwrap();
    std::fs::read(out.path().join("samples.avro")).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_threads_and_simd_level() {
    let text = branch(TWO_UNITS, "12.0", 10.0);
    let request = Request { seed: 7, threads: 1, ..Request::default() };
    let reference = bytes(&text, &request);
    for (threads, simd) in [(1, SimdLevel::Auto), (2, SimdLevel::Auto), (2, SimdLevel::Avx2), (1, SimdLevel::Sse2)] {
        assert!(bytes(&text, &Request { threads, simd, ..request.clone() }) == reference, "{threads} threads, {simd:?}");
    }
    assert!(bytes(&text, &Request { seed: 8, ..request }) != reference);
}

const PLAIN: &str = "Product(format: 1, name: \"plain\", mount: (height_m: 8.0), physics: [],
    sensors: [(id: \"climate\", kind: climate()), (id: \"voc\", kind: voc_array(array: \"tfsgs_multi2\"), compensated_by: [\"climate\"])],
    modes: [(name: \"m\", periods_s: {\"voc\": 1.0, \"climate\": 1.0})])";
const MORE: &str = "Product(format: 1, name: \"more\", mount: (height_m: 8.0), physics: [],
    sensors: [(id: \"extra\", kind: anemometer()), (id: \"climate\", kind: climate()), (id: \"voc\", kind: voc_array(array: \"tfsgs_multi2\"), compensated_by: [\"climate\"])],
    modes: [(name: \"m\", periods_s: {\"voc\": 1.0, \"climate\": 1.0, \"extra\": 0.5})])";

#[test]
fn adding_a_sensor_changes_no_other_sensor_and_no_field() {
    let folder = folder(&[("plain", PLAIN), ("more", MORE)]);
    let text = |product: &str| {
        branch(&format!("(id: \"u\", product: \"{product}\", at_m: (33.0, 12.0, 0.0))"), "12.0", 10.0)
            .replace("\"vegetation_smoulder\"", "\"any\"")
    };
    let request = Request { seed: 3, threads: 1, ..Request::default() };
    let (plain, more) = (samples(&text("plain"), folder.path(), &request), samples(&text("more"), folder.path(), &request));
    for (sensor, channel) in [("climate", "humidity"), ("climate", "temperature"), ("voc", "phenol")] {
        let (a, b) = (series(&plain, "u", sensor, channel), series(&more, "u", sensor, channel));
        assert_eq!(a.len(), 60);
        assert_eq!(a, b, "{sensor}/{channel}");
    }
    let field = |product: &str| {
        let mut simulation = load(&text(product), folder.path(), &request);
        for _ in 0..300 {
            simulation.step().unwrap();
        }
        fields(&mut simulation, &["gas/CO".to_owned(), "wind".to_owned()])
    };
    assert!(field("plain") == field("more"));
}

#[test]
fn halving_the_tick_keeps_the_noise_of_every_sensor() {
    let text = |tick: &str| branch(TWO_UNITS, "12.0", 1e6).replace("tick_s: 0.1", &format!("tick_s: {tick}"));
    let request = Request { seed: 5, threads: 1, ..Request::default() };
    let (whole, half) = (samples(&text("0.1"), Path::new(""), &request), samples(&text("0.05"), Path::new(""), &request));
    for (sensor, channel) in [("climate", "humidity"), ("wind", "speed")] {
        let errors = |list: &[envirosense::recording::sample::UniversalSensorReading]| -> Vec<f64> {
            series(list, "down", sensor, channel).iter().map(|(r, ideal)| r.value[0].unwrap() - ideal[0].unwrap()).collect()
        };
        let (a, b) = (errors(&whole), errors(&half));
        assert!(a.len() >= 60 && a.len() == b.len(), "{} {}", a.len(), b.len());
        // one count of the converter may flip on the last bit of an average
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.0101), "{sensor}/{channel}");
        let spread = a.iter().map(|e| e * e).sum::<f64>();
        assert!(spread > 0.0);
    }
}

#[test]
fn the_background_wanders_and_its_seed_decides_how() {
    let text = branch("", "12.0", 1e9)
        .replace("events:", "probes: [(id: \"p\", over: Point((30.0, 12.0, 8.0)), every_s: 1.0, quantity: \"gas/O3\")], events:");
    let ozone = |seed| -> Vec<f64> {
        let request = Request { seed, threads: 1, ..Request::default() };
        samples(&text, Path::new(""), &request).iter().map(|s| s.readings[0].value[0].unwrap()).collect()
    };
    let (a, b) = (ozone(1), ozone(2));
    assert_eq!(a.len(), 60);
    assert!(a != b);
    let spread = |list: &[f64]| list.iter().copied().fold(f64::MIN, f64::max) - list.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread(&a) > 0.5 && spread(&b) > 0.5, "{} {}", spread(&a), spread(&b));
}

#[test]
fn yields_differ_from_run_to_run_as_far_as_they_are_known_and_medians_do_not() {
    let factors = |seed: u64, more: &str| {
        let text = format!(
            "Scenario(format: 1, name: \"y\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
            tick_s: 1.0, duration_s: 10.0, domain: (size_m: (8.0, 8.0, 8.0), cell_m: 2.0), wind: Calm, turbulence: Laminar,
            weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
            emitters: [(id: \"log\", at_m: (4.0, 4.0, 4.0), background: true, {more}
                kind: smouldering_wood(mass_kg: 1.0, yields_g_kg: {{\"guaiacol\": 0.5}}, heated_by: Ignited(at_s: 0.0)))])"
        );
        let request = Request { seed, ..Request::default() };
        let simulation = load(&text, Path::new(""), &request);
        simulation.app.world().resource::<DrawnYields>().0.clone()
    };
    assert_eq!(factors(1, "yields: Median,"), Vec::new());
    assert_eq!(factors(7, ""), factors(7, ""));
    let runs: Vec<Vec<DrawnYield>> = (0..300).map(|seed| factors(seed, "")).collect();
    // what is certain is not drawn: the carbon oxides, and what the file states
    assert!(runs[0].iter().all(|drawn| !["CO", "CO2", "guaiacol"].contains(&drawn.species.as_str())));
    let logs = |species: &str| -> Vec<f64> {
        runs.iter().map(|run| run.iter().find(|drawn| drawn.species == species).unwrap().factor.ln()).collect()
    };
    let (a, b) = (logs("formaldehyde"), logs("phenol"));
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let spread = |list: &[f64]| (list.iter().map(|v| (v - mean(list)).powi(2)).sum::<f64>() / list.len() as f64).sqrt().exp();
    // three standard errors of 300 draws
    assert!(mean(&a).abs() < 0.12 && (spread(&a) - 2.0).abs() < 0.17, "{} {}", mean(&a), spread(&a));
    let products: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
    assert!(mean(&products).abs() < 0.09, "one gas says nothing about another: {}", mean(&products));
}
