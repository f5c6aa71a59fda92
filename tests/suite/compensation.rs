//! Firmware corrects the array with what the climate sensor reported.

use envirosense::sensing::voc_array::VocArray;
use envirosense::simulation::Request;
use envirosense::units::saturation_vapour_hpa;

use crate::support::{folder, samples, series};

const HOURS: f64 = 18.0;

fn product(name: &str, climate: &str, partners: &str) -> String {
    format!(
        "Product(format: 1, name: \"{name}\", mount: (height_m: 8.0), physics: [],
    sensors: [(id: \"climate\", kind: climate({climate})), (id: \"voc\", kind: voc_array(array: \"tfsgs_multi2\"), compensated_by: [{partners}])],
    modes: [(name: \"m\", periods_s: {{\"voc\": 60.0, \"climate\": 60.0}})])"
    )
}

/// From a hot dry noon to a cool humid dawn in clean air.
fn day(devices: &str, faults: &str) -> String {
    let end = HOURS * 3600.0;
    format!(
        "Scenario(format: 1, name: \"day\", start: \"2026-07-15T20:00:00Z\",
    site: (latitude_deg: 38.6, longitude_deg: -121.3, elevation_m: 90.0, ground: \"tall_grass\"),
    tick_s: 10.0, duration_s: {end:?}, domain: (size_m: (16.0, 16.0, 16.0), cell_m: 8.0),
    weather: Given(temperature_c: 33.0, humidity_pct: 20.0, pressure_hpa: 1003.0),
    wind: Profile(speed_m_s: 2.0, at_m: 10.0, from_deg: 270.0),
    timeline: [(at_s: 0.0, set: \"weather.temperature_c\", to: 12.0, over_s: {end:?}), (at_s: 0.0, set: \"weather.humidity_pct\", to: 95.0, over_s: {end:?})],
    faults: [{faults}], devices: [{devices}])"
    )
}

const CHANNELS: [&str; 6] = ["formaldehyde", "acetaldehyde", "acrolein", "phenol", "cresol", "guaiacol"];

fn rmse(samples: &[envirosense::recording::sample::UniversalSensorReading], device: &str) -> f64 {
    let list = series(samples, device, "voc", "phenol");
    let square: f64 = list.iter().flat_map(|(r, ideal)| r.value.iter().zip(ideal).map(|(v, i)| (v.unwrap() - i.unwrap()).powi(2))).sum();
    (square / (list.len() * CHANNELS.len()) as f64).sqrt()
}

#[test]
fn compensation_leaves_between_2_and_35_percent_of_the_error_in_the_median_of_20_units() {
    let folder = folder(&[("with", &product("unit", "", "\"climate\"")), ("without", &product("unit", "", ""))]);
    let device = |n: usize, product: &str| format!("(id: \"{product}-{n}\", product: \"{product}\", at_m: (8.0, 8.0, 0.0), serial: {n}),");
    let devices: String = (0..20).flat_map(|n| [device(n, "with"), device(n, "without")]).collect();
    let all = samples(&day(&devices, ""), folder.path(), &Request::default());
    let mut ratios: Vec<f64> = (0..20).map(|n| rmse(&all, &format!("with-{n}")) / rmse(&all, &format!("without-{n}"))).collect();
    ratios.sort_by(f64::total_cmp);
    let median = f64::midpoint(ratios[9], ratios[10]);
    println!("compensated over uncompensated RMSE: median {median:.3}, 90th percentile {:.3}", ratios[17]);
    assert!((0.02..=0.35).contains(&median), "{median} of {ratios:?}");
}

#[test]
fn a_humidity_bias_shifts_the_report_by_the_analytic_amount() {
    let folder =
        folder(&[("fair", &product("unit", "", "\"climate\"")), ("biased", &product("unit", "humidity_bias_pct: 5.0", "\"climate\""))]);
    let one = |product: &str| {
        let devices = format!("(id: \"u\", product: \"{product}\", at_m: (8.0, 8.0, 0.0), serial: 1)");
        samples(&day(&devices, ""), folder.path(), &Request::default())
    };
    let (fair, biased) = (one("fair"), one("biased"));
    let array: VocArray = ron::from_str("(array: \"tfsgs_multi2\")").unwrap();
    let temperature = series(&fair, "u", "climate", "temperature");
    for ((a, b), t) in series(&fair, "u", "voc", "phenol").iter().zip(series(&biased, "u", "voc", "phenol")).zip(temperature) {
        let expected = array.shift_by_vapour(0.05 * saturation_vapour_hpa(t.0.value[0].unwrap()));
        for (n, shift) in expected.iter().enumerate() {
            let got = b.0.value[n].unwrap() - a.0.value[n].unwrap();
            // the humidity count is 0.0019 %RH: one count of 5 %RH is 0.04 %
            assert!((got - shift).abs() < 2e-3 * shift.abs() + 1e-3, "{}: {got} against {shift}", CHANNELS[n]);
        }
    }
}

#[test]
fn a_climate_sensor_stuck_at_50_percent_makes_the_error_grow_and_the_flag_fall() {
    let folder = folder(&[("unit", &product("unit", "", "\"climate\""))]);
    let devices = "(id: \"u\", product: \"unit\", at_m: (8.0, 8.0, 0.0), serial: 1)";
    let stuck = "(device: \"u\", sensor: \"climate\", kind: stuck_at(signal: \"humidity\", value: 50.0), from_s: 0.0)";
    let fair = samples(&day(devices, ""), folder.path(), &Request::default());
    let broken = samples(&day(devices, stuck), folder.path(), &Request::default());
    assert!(rmse(&broken, "u") > 1.5 * rmse(&fair, "u"), "{} {}", rmse(&broken, "u"), rmse(&fair, "u"));
    let last = |list| series(list, "u", "voc", "phenol").last().map(|(r, _)| (r.quality, r.flags.clone())).unwrap();
    assert_eq!(last(&fair).0, 1);
    assert_eq!(last(&broken), (3, vec!["partner_unusable".to_owned()]));
    let climate = series(&broken, "u", "climate", "humidity").last().map(|(r, _)| r.quality).unwrap();
    assert_eq!(climate, 4);
    assert!(broken.last().unwrap().ground_truth.as_ref().unwrap().faults.iter().any(|f| f.kind == "stuck_at"));
}
