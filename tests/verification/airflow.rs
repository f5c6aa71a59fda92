//! Section 1.8: similarity profiles on the voxel faces of a running world.

use std::path::Path;

use envirosense::diagnostics::Source;
use envirosense::physics::airflow::SurfaceLayer;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};

use crate::table::{Line, accept};

#[test]
fn the_neutral_profile_of_five_metres_a_second_stands_on_the_faces() {
    // probes at centres of cells: no interpolation between levels
    let probes: String = [2.5, 10.5, 20.5]
        .map(|z| format!("(id: \"z{z}\", over: Point((4.0, 4.0, {z})), every_s: 1.0, quantity: \"wind/speed\"),"))
        .concat();
    let text = format!(
        "Scenario(format: 1, name: \"p\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 2.0, domain: (size_m: (8.0, 8.0, 24.0), cell_m: 1.0), weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1000.0),
        wind: Profile(speed_m_s: 5.0, at_m: 10.0, from_deg: 225.0, roughness_m: 0.03), probes: [{probes}])"
    );
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new(Path::new("p.ron"), text), &Request::default()).unwrap();
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.step().unwrap();
    let samples = list.0.lock().unwrap();
    let lines: Vec<Line> = [2.5f64, 10.5, 20.5]
        .iter()
        .map(|z| {
            let expected = 0.344_285 / 0.4 * (z / 0.03).ln();
            let measured = samples.iter().find(|s| s.device_id == format!("z{z}")).unwrap().readings[0].value[0].unwrap();
            Line {
                module: "airflow",
                case: format!("1.8-neutral-u-{z}m"),
                expected,
                measured,
                error: (measured / expected - 1.0).abs(),
                limit: 1e-4,
                source: "u(10) = 5 m/s, z0 = 0.03 m: u* = 0.344285 m/s",
                missed: None,
            }
        })
        .collect();
    accept(&lines);
}

#[test]
fn similarity_profiles_of_both_stabilities_are_as_published() {
    let layer = |friction_m_s: f64, obukhov_m: f64| SurfaceLayer {
        friction_m_s,
        roughness_m: 0.03,
        inverse_obukhov: 1.0 / obukhov_m,
        mixing_height_m: 1000.0,
    };
    let mut lines = Vec::new();
    let mut add = |case: String, expected: f64, measured: f64| {
        let error = (measured / expected - 1.0).abs();
        let source = "Businger-Dyer functions, published to six digits";
        lines.push(Line { module: "airflow", case, expected, measured, error, limit: 1e-4, source, missed: None });
    };
    for (friction, obukhov, speeds) in [
        (0.40, f64::INFINITY, [4.199_71, f64::NAN, 5.809_14, f64::NAN]),
        (0.30, -50.0, [3.050_00, 3.626_08, 4.012_71, 4.351_81]),
        (0.30, -15.0, [2.893_33, 3.368_43, 3.672_65, 3.932_45]),
        (0.25, 60.0, [2.727_42, 3.456_35, 4.149_99, 5.104_04]),
        (0.20, 20.0, [2.346_10, 3.179_25, 4.150_82, 5.747_40]),
    ] {
        for (z, expected) in [2.0, 5.0, 10.0, 20.0].into_iter().zip(speeds).filter(|(_, expected)| expected.is_finite()) {
            add(format!("1.8-u-L{obukhov}-{z}m-f64"), expected, layer(friction, obukhov).speed(z));
        }
    }
    for (obukhov, z, expected) in [(-50.0, 2.0, 0.307_350), (-50.0, 10.0, 2.459_27), (60.0, 2.0, 0.205_714), (60.0, 10.0, 0.654_545)] {
        add(format!("1.8-k-L{obukhov}-{z}m-f64"), expected, layer(0.3, obukhov).diffusivity(z));
    }
    accept(&lines);
}
