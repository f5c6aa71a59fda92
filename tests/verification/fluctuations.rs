//! Section 1.9 as amended (A3): 24 hours of a fixed point in a fluctuating plume, through the real schedule.

use std::sync::atomic::AtomicBool;

use envirosense::diagnostics::Source;
use envirosense::numerics::gamma::gamma_below;
use envirosense::physics::dispersion::fluctuations::{Fluctuations, Plume};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use glam::DVec3;

use crate::table::{Line, accept};

const SEEDS: u64 = 24;
const AT: [f64; 3] = [33.0, 11.0, 5.0];

fn scenario(turbulence: &str, duration_s: f64) -> String {
    let probe = |id: &str, gas: &str, at: [f64; 3]| {
        format!("(id: \"{id}\", over: Point(({:?}, {:?}, {:?})), every_s: 0.1, quantity: \"gas/{gas}\")", at[0], at[1], at[2])
    };
    format!(
        "Scenario(format: 1, name: \"f\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.1, warm_up_s: 120.0, duration_s: {duration_s:?}, domain: (size_m: (48.0, 32.0, 16.0), cell_m: 2.0),
        wind: Profile(speed_m_s: 2.5, at_m: 5.0, from_deg: 270.0, roughness_m: 0.05), turbulence: {turbulence},
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        emitters: [(id: \"leak\", at_m: (9.0, 11.0, 5.0), background: true, kind: gas_leak(species: \"isoprene\", rate_g_s: 1.0)),
                   (id: \"other\", at_m: (9.0, 21.0, 5.0), background: true, kind: gas_leak(species: \"NO2\", rate_g_s: 1.0)),
                   (id: \"wood\", at_m: (9.0, 11.0, 5.0), background: true, kind: smouldering_wood(mass_kg: 1e4, heated_by: Ignited(at_s: -1000.0)))],
        probes: [{}, {}, {}, {}])",
        probe("leak", "isoprene", AT),
        probe("other", "NO2", [AT[0], AT[1] + 10.0, AT[2]]),
        probe("phenol", "phenol", AT),
        probe("cresol", "cresol", AT)
    )
}

/// The series of the probes, and the plume of the first source.
fn run(turbulence: &str, duration_s: f64, seed: u64) -> ([Vec<f64>; 4], Option<Plume>) {
    let request = Request { threads: 1, seed, ..Request::default() };
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("f.ron", scenario(turbulence, duration_s)), &request).unwrap();
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&AtomicBool::new(false), |_, _| Ok(())).unwrap();
    let samples = list.0.lock().unwrap();
    let of = |id: &str| samples.iter().filter(|s| s.device_id == id).map(|s| s.readings[0].value[0].unwrap()).collect();
    let series = ["leak", "other", "phenol", "cresol"].map(of);
    let plume = simulation.app.world().resource::<Fluctuations>().plume(0);
    (series, plume)
}

fn mean(list: &[f64]) -> f64 {
    list.iter().sum::<f64>() / list.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| of(x - ma, y - mb)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

fn line(case: &str, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "dispersion", case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

#[test]
fn a_day_in_a_plume_has_the_law_it_claims() {
    let hour_s = 3600.0;
    let (still, _) = run("Mean", 300.0, 0);
    let steady = still[0].last().copied().unwrap();
    let hours: Vec<[Vec<f64>; 4]> = std::thread::scope(|scope| {
        let half = |from: u64| move || (from..SEEDS).step_by(2).map(|seed| run("Ensemble", hour_s, seed).0).collect::<Vec<_>>();
        let other = scope.spawn(half(1));
        let mut all = half(0)();
        all.extend(other.join().unwrap());
        all
    });
    let (again, plume) = run("Ensemble", 60.0, 0);
    let plume = plume.unwrap();
    let claimed = plume.intensity(DVec3::from_array(AT));
    let memory_s = plume.correlation_s();
    let all: Vec<f64> = hours.iter().flat_map(|hour| hour[0].iter().copied()).collect();
    let pooled = mean(&all);
    let deviation = (all.iter().map(|c| (c - pooled).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let independent = SEEDS as f64 * hour_s / (2.0 * memory_s);
    let standard_error = claimed / independent.sqrt();

    // the law, on samples two memories apart
    let stride = (2.0 * memory_s / 0.1).ceil() as usize;
    let mut apart: Vec<f64> = hours.iter().flat_map(|hour| hour[0].iter().copied().step_by(stride)).collect();
    apart.sort_by(f64::total_cmp);
    let shape = 1.0 / (claimed * claimed);
    let n = apart.len() as f64;
    let law = |c: f64| gamma_below(shape, c / steady * shape);
    let distance =
        apart.iter().enumerate().map(|(i, c)| (law(*c) - i as f64 / n).abs().max((law(*c) - (i + 1) as f64 / n).abs())).fold(0.0, f64::max);
    let faint = apart.iter().filter(|c| **c < 0.1 * steady).count() as f64 / n;
    let expected_faint = gamma_below(shape, 0.1 * shape);
    let faint_error = (expected_faint * (1.0 - expected_faint) / n).sqrt();

    let autocorrelation = mean(&hours.iter().map(|hour| correlation(&hour[0][..hour[0].len() - 10], &hour[0][10..])).collect::<Vec<_>>());
    let forgotten = (-1.0 / memory_s).exp();
    let hour = &hours[0];
    let ratio: Vec<f64> = hour[2].iter().zip(&hour[3]).map(|(a, b)| a / b).collect();
    let uneven = ratio.iter().map(|r| (r / ratio[0] - 1.0).abs()).fold(0.0, f64::max);
    let crosswind = mean(&hours.iter().map(|hour| correlation(&hour[0], &hour[1])).collect::<Vec<_>>()).abs();
    let seeds = correlation(&hours[0][0], &hours[1][0]).abs();
    let repeated = again[0].iter().zip(&hours[0][0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!((0.5..2.0).contains(&claimed), "the axis intensity is {claimed}");
    accept(&[
        line(
            "1.9-mean-f32",
            steady,
            pooled,
            (pooled / steady - 1.0).abs(),
            (2.5 * standard_error).max(0.05),
            "pooled mean against the mean field",
        ),
        line("1.9-intensity-f32", claimed, deviation / pooled, (deviation / pooled / claimed - 1.0).abs(), 0.10, "the module's own claim"),
        line("1.9-law-f32", 0.0, distance, distance, 1.63 / n.sqrt(), "Kolmogorov-Smirnov, p > 0.01"),
        line("1.9-faint-f32", expected_faint, faint, (faint - expected_faint).abs(), 2.5 * faint_error, "P(c < 0.1 mean)"),
        line("1.9-memory-f32", forgotten, autocorrelation, (autocorrelation - forgotten).abs(), 0.1, "autocorrelation at 1 s"),
        line("1.9-same-component-f32", 1.0, 1.0 + uneven, uneven, 1e-6, "two gases of one component"),
        line("1.9-two-emitters-f32", 0.0, crosswind, crosswind, 0.5, "correlation of two emitters 10 m apart crosswind"),
        line("1.9-two-seeds-f32", 0.0, seeds, seeds, 0.2, "correlation of two seeds"),
        line("1.9-same-seed-f32", 0.0, repeated, repeated, 0.0, "the same seed, the same series"),
    ]);
}
