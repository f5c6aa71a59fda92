//! Section 3.4 and sections 14, 15 and 21 of the sensor reference: sunlight, long-wave sky, housings and radiation shields, through the
//! real schedule.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use envirosense::diagnostics::Source;
use envirosense::files::product::EnclosureParts;
use envirosense::physics::thermal::GroundAir;
use envirosense::physics::thermal::enclosure::{Exposure, gain_w};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::{Timestamp, saturation_vapour_hpa};
use envirosense::world::enclosure::{EnclosureState, EnclosureTemperatures};
use envirosense::world::sky::clear_emissivity;
use envirosense::world::sun::Sun;
use glam::DVec3;

use crate::look::air;
use crate::table::{Line, accept};

fn row(module: &'static str, case: &str, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module, case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

/// A unit in a small box of even wind.
fn box_of(site: &str, start: &str, tick_s: f64, more: &str, beside: &std::path::Path) -> Simulation {
    let text = format!(
        "Scenario(format: 1, name: \"sky\", start: \"{start}\", site: ({site}, elevation_m: 20.0),
        tick_s: {tick_s:?}, duration_s: 259200.0, domain: (size_m: (16.0, 16.0, 16.0), cell_m: 8.0), {more})"
    );
    let source = Source::new(beside.join("sky.ron"), text);
    Simulation::load(EnviroSensePlugins, &source, &Request::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn sunlight_and_sky_are_those_of_the_named_models() {
    let still = "turbulence: Laminar, wind: Calm, weather: Given(temperature_c: 15.0, humidity_pct: 58.7, pressure_hpa: 1013.25)";
    let cases = [
        ("3.4-haurwitz-june", "latitude_deg: 34.05, longitude_deg: -118.25", "2024-06-21T18:59:59Z", 992.490),
        ("3.4-haurwitz-december", "latitude_deg: 34.05, longitude_deg: -118.25", "2024-12-21T19:59:59Z", 528.610),
        ("3.4-haurwitz-march", "latitude_deg: 51.5, longitude_deg: 0.0", "2024-03-20T11:59:59Z", 623.841),
    ];
    let mut lines = Vec::new();
    for (case, site, start, expected) in cases {
        let mut simulation = box_of(site, start, 1.0, still, std::path::Path::new(""));
        simulation.step().unwrap();
        let seen = air(&mut simulation, DVec3::splat(8.0));
        let source = "Haurwitz at pvlib's apparent elevation";
        lines.push(row("thermal", case, expected, seen.sun_w_m2, (seen.sun_w_m2 / expected - 1.0).abs(), 0.005, source));
        // 58.7 % of 17.04 hPa is 10 hPa
        if case == "3.4-haurwitz-june" {
            let expected = 299.910;
            let longwave = seen.longwave_w_m2;
            lines.push(row("thermal", "3.4-brutsaert", expected, longwave, (longwave / expected - 1.0).abs(), 0.005, "Brutsaert 1975"));
        }
    }
    let emissivity = clear_emissivity(288.15, 10.0);
    lines.push(row("thermal", "3.4-sky-emissivity", 0.767_193, emissivity, (emissivity - 0.767_193).abs(), 1e-6, "Brutsaert 1975"));
    // what pvlib has for the same moments
    for (start, expected) in [("2024-06-21T19:00:00Z", 1321.46), ("2024-12-21T20:00:00Z", 1412.90), ("2024-03-20T12:00:00Z", 1376.89)] {
        let at = Timestamp::try_from(start.to_owned()).unwrap().micros();
        let above = Sun::at(at, 0.0, 0.0).above_w_m2;
        let case = format!("3.4-above-air-{}", &start[5..7]);
        lines.push(row("thermal", &case, expected, above, (above / expected - 1.0).abs(), 0.005, "Spencer 1971 at 1366.1 W/m2"));
    }
    accept(&lines);
}

#[test]
fn a_place_north_of_a_house_has_the_light_of_the_sky_alone() {
    // noon in December, the sun 28 degrees high: a house of 8 m throws a shadow of 15 m
    let site = "latitude_deg: 38.6, longitude_deg: 0.0";
    let still = "turbulence: Laminar, wind: Calm, weather: Given(temperature_c: 15.0, humidity_pct: 58.7, pressure_hpa: 1013.25),
        obstacles: [Box(min_m: (0.0, 0.0, 0.0), max_m: (16.0, 4.0, 8.0))]";
    let text = format!(
        "Scenario(format: 1, name: \"shade\", start: \"2026-12-21T12:00:00Z\", site: ({site}, elevation_m: 20.0),
        tick_s: 1.0, duration_s: 60.0, domain: (size_m: (16.0, 32.0, 16.0), cell_m: 1.0), {still})"
    );
    let source = Source::new("shade.ron", text);
    let mut simulation = Simulation::load(EnviroSensePlugins, &source, &Request::default()).unwrap_or_else(|error| panic!("{error}"));
    simulation.step().unwrap();
    let mut light = |y: f64| air(&mut simulation, DVec3::new(8.0, y, 1.5)).sun_w_m2;
    let [shade, sun] = [light(10.0), light(28.0)];
    assert!(sun > 400.0 && shade > 0.1 * sun && shade < 0.5 * sun, "{shade} in the shade, {sun} in the sun");
    assert!((light(17.0) - sun).abs() < 1e-9 && (light(15.0) - shade).abs() < 1e-9, "the shadow ends 12 m behind the house at this height");
}

const MONITOR: &str = "Product(format: 1, name: \"monitor\", mount: (height_m: 8.0), power_w: 1.2, physics: [\"thermal\"],
    sensors: [(id: \"board\", kind: board_temperature())], modes: [(name: \"m\", periods_s: {\"board\": 60.0})])";

fn folder(products: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("products")).unwrap();
    for (name, text) in products {
        std::fs::write(folder.path().join(format!("products/{name}.ron")), text).unwrap();
    }
    folder
}

fn enclosure(simulation: &mut Simulation) -> EnclosureTemperatures {
    let world = simulation.app.world_mut();
    world.query::<&EnclosureState>().iter(world).next().unwrap().0.unwrap()
}

#[test]
fn what_comes_into_a_housing_less_what_goes_out_is_what_it_stores() {
    let folder = folder(&[("monitor", MONITOR.to_owned())]);
    let day = "turbulence: Laminar, wind: Uniform(speed_m_s: 1.5, from_deg: 270.0), weather: Diurnal(mean_c: 20.0, swing_k: 8.0, dew_point_c: 10.0,
        pressure_hpa: 1003.0, cloud: 0.2), devices: [(id: \"u\", product: \"monitor\", at_m: (8.0, 8.0, 0.0))]";
    let mut simulation = box_of("latitude_deg: 38.6, longitude_deg: -121.3", "2026-07-15T07:00:00Z", 10.0, day, folder.path());
    let parts = EnclosureParts::default();
    simulation.step().unwrap();
    let (mut before, mut open_j, mut moved_j, mut hottest_k) = (enclosure(&mut simulation), 0.0, 0.0, f64::MIN);
    for _ in 0..8640 {
        simulation.step().unwrap();
        let now = enclosure(&mut simulation);
        let seen = air(&mut simulation, DVec3::splat(8.0));
        let around = Exposure {
            air_k: simulation.app.world().resource::<GroundAir>().temperature_k,
            wind_m_s: 1.5,
            sun_w_m2: seen.sun_w_m2,
            longwave_w_m2: seen.longwave_w_m2,
            power_w: 1.2,
        };
        let inward_w = around.power_w + gain_w(&parts, &around, f64::midpoint(before.housing_k, now.housing_k));
        let stored_j = 80.0 * (now.board_k - before.board_k) + 1600.0 * (now.housing_k - before.housing_k);
        open_j += (inward_w * 10.0 - stored_j).abs();
        moved_j += (inward_w * 10.0).abs();
        hottest_k = f64::max(hottest_k, now.board_k - around.air_k);
        before = now;
    }
    println!("the board is at most {hottest_k:.1} K warmer than the air");
    accept(&[row("sensors", "15-housing-energy", 0.0, open_j / moved_j, open_j / moved_j, 1e-6, "balance of every tick, over a day")]);
}

/// Three days of sun, wind between 0.5 and 12 m/s, 16 K between night and day.
fn days(devices: &str) -> String {
    let winds = [2.0, 12.0, 0.5, 4.0, 1.0, 7.0, 2.0, 0.5, 3.0, 10.0, 1.5, 5.0];
    let timeline: String = winds
        .iter()
        .enumerate()
        .map(|(n, speed)| format!("(at_s: {:?}, set: \"wind.speed_m_s\", to: {speed:?}, over_s: 7200.0),", n as f64 * 21600.0 + 3600.0))
        .collect();
    format!(
        "wind: Profile(speed_m_s: 1.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.05), timeline: [{timeline}],
        weather: Diurnal(mean_c: 20.0, swing_k: 8.0, dew_point_c: 8.0, pressure_hpa: 1003.0), devices: [{devices}]"
    )
}

#[test]
fn firmware_takes_most_of_a_shields_error_off() {
    let product = |name: &str, partners: &str| {
        format!(
            "Product(format: 1, name: \"{name}\", mount: (height_m: 8.0), power_w: 1.2, physics: [\"thermal\", \"airflow\"], sensors: [
            (id: \"climate\", kind: climate(shield: Naturally), compensated_by: [{partners}]), (id: \"sun\", kind: pyranometer()),
            (id: \"wind\", kind: anemometer(average_s: 60.0)), (id: \"board\", kind: board_temperature())],
            modes: [(name: \"m\", periods_s: {{\"climate\": 60.0, \"sun\": 60.0, \"wind\": 60.0, \"board\": 60.0}})])"
        )
    };
    let all = "\"sun\", \"wind\", \"board\"";
    let folder = folder(&[("with", product("unit", all)), ("without", product("unit", "")), ("board_only", product("unit", "\"board\""))]);
    let names = ["with", "without", "board_only"];
    let device = |n: usize, name: &str| format!("(id: \"{name}-{n}\", product: \"{name}\", at_m: (8.0, 8.0, 0.0), serial: {n}),");
    let devices: String = (0..20).flat_map(|n| names.map(|name| device(n, name))).collect();
    let site = "latitude_deg: 38.6, longitude_deg: -121.3";
    let mut simulation = box_of(site, "2026-09-15T07:00:00Z", 60.0, &days(&devices), folder.path());
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&AtomicBool::new(false), |_, _| Ok(())).unwrap();
    // mean square error of temperature, humidity and dew point by unit
    let mut errors: BTreeMap<String, ([f64; 3], f64)> = BTreeMap::new();
    for sample in list.0.lock().unwrap().iter() {
        let value = |channel: &str| {
            let reading = sample.readings.iter().find(|r| r.sensor_id == "climate" && r.channels[0] == channel).unwrap();
            let truth = sample.ground_truth.as_ref().unwrap();
            let ideal = truth.readings.iter().find(|r| r.sensor_id == "climate" && r.channels[0] == channel).unwrap();
            [reading.value[0].unwrap(), ideal.ideal[0].unwrap()]
        };
        let ([t, t0], [h, h0]) = (value("temperature"), value("humidity"));
        let vapour = 0.01 * (h * saturation_vapour_hpa(t) - h0 * saturation_vapour_hpa(t0));
        let (sums, count) = errors.entry(sample.device_id.clone()).or_default();
        for (sum, error) in sums.iter_mut().zip([t - t0, h - h0, vapour]) {
            *sum += error * error;
        }
        *count += 1.0;
    }
    let rmse = |n: usize, name: &str, what: usize| {
        let (sums, count) = errors[&format!("{name}-{n}")];
        (sums[what] / count).sqrt()
    };
    let ratios = |name: &str, what: usize| {
        let mut list: Vec<f64> = (0..20).map(|n| rmse(n, name, what) / rmse(n, "without", what)).collect();
        list.sort_by(f64::total_cmp);
        (f64::midpoint(list[9], list[10]), list[17])
    };
    let (temperature, humidity, board) = (ratios("with", 0), ratios("with", 1), ratios("board_only", 0));
    println!("compensated over uncompensated, median and 90 %: temperature {temperature:?}, humidity {humidity:?}, board alone {board:?}");
    println!("uncompensated: {:.3} K, {:.2} %RH, {:.3} hPa", rmse(0, "without", 0), rmse(0, "without", 1), rmse(0, "without", 2));
    let source = "section 21, 20 units over 3 days, floor 0.05";
    let outside = |ratio: f64| if ratio < 0.05 { f64::INFINITY } else { ratio };
    accept(&[row("compensation", "21-radiation-shield", 0.25, temperature.0, outside(temperature.0), 0.45, source)]);
    assert!(board.0 > temperature.0, "sunlight and wind buy something: {} against {}", board.0, temperature.0);
}
