//! Near field and `fidelity: Plume`: puffs through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Diffusivity;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use envirosense::world::emitter::EmitterNode;
use envirosense::world::puffs::Puffs;
use glam::DVec3;

use crate::look::densities;
use crate::plumes::isotropic;
use crate::table::{Line, accept};

fn line(case: String, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "dispersion", case, expected, measured, error, limit, source, missed: None }
}

/// A scenario head with the rest to be filled in.
fn scenario(tick_s: f64, wind: &str, turbulence: &str, more: &str) -> String {
    format!(
        "Scenario(format: 1, name: \"p\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 600.0, domain: (size_m: (240.0, 120.0, 60.0), cell_m: 2.0),
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), wind: {wind}, turbulence: {turbulence}, {more})"
    )
}

fn load(text: String, threads: usize, seed: u64) -> Simulation {
    let request = Request { threads, seed, ..Request::default() };
    Simulation::load(EnviroSensePlugins, &Source::new("p.ron", text), &request).unwrap_or_else(|error| panic!("{error}"))
}

fn run(simulation: &mut Simulation, seconds: f64, tick_s: f64) {
    for _ in 0..(seconds / tick_s).round() as usize {
        simulation.step().unwrap();
    }
}

const LAYER: &str = "Profile(speed_m_s: 3.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.05)";

/// (seconds since release, variance across, depth) of every puff.
fn spreads(simulation: &mut Simulation) -> Vec<(f64, f64, f64)> {
    let world = simulation.app.world_mut();
    let mut query = world.query::<&Puffs>();
    query.iter(world).flat_map(|p| (0..p.len()).map(|n| (p.age_s[n], p.yy_m2[n], p.depth[n])).collect::<Vec<_>>()).collect()
}

#[test]
fn a_puff_spreads_as_its_laws_have_it_for_any_tick_number_of_puffs_and_threads() {
    let mut lines = Vec::new();
    let mut all: Vec<Vec<f64>> = Vec::new();
    for (tick_s, per_s, threads) in [(0.1, 2.0, 1), (0.5, 2.0, 1), (2.0, 2.0, 1), (0.5, 0.5, 1), (0.5, 10.0, 1), (0.5, 2.0, 2)] {
        let more = format!(
            "fidelity: Plume, puffs: (per_s: {per_s:?}), emitters: [(id: \"s\", at_m: (20.0, 60.0, 5.0), background: true,
             kind: gas_leak(species: \"CO\", rate_g_s: 1.0))]"
        );
        let mut simulation = load(scenario(tick_s, LAYER, "Mean", &more), threads, 0);
        run(&mut simulation, 40.0, tick_s);
        let layer = simulation.app.world().resource::<Diffusivity>().clone();
        // neutral air: the lateral variance of Draxler, the mean height by the vertical diffusivity on the way
        let at = |list: &[f64], z: f64| {
            let place = z / 2.0 - 0.5;
            let low = place.floor() as usize;
            list[low] + (list[low + 1] - list[low]) * (place - low as f64)
        };
        let theory = |age: f64| {
            let (mut variance, mut z, mut memory) = (0.01, 5.001, 1.0);
            let step = 0.01;
            for n in 0..(age / step).round() as usize {
                let (sigma, lagrangian) = (layer.sigma_v[0], at(&layer.lagrangian_s, z));
                // Draxler: dσ²/dt of (σᵥ t / (1 + 0.9 √(t/1000)))² in the middle of the step
                let t = (n as f64 + 0.5) * step;
                let root = 0.9 * (t / 1000.0).sqrt();
                variance += step * 2.0 * sigma * sigma * t * (1.0 + 0.5 * root) / (1.0 + root).powi(3);
                // dσ²/dt = 2 K (1 − memory), by small steps
                let growth = 2.0 * step * (1.0 - memory);
                memory -= memory * step / lagrangian;
                let up = (layer.z_faces[2] + (layer.z_faces[3] - layer.z_faces[2]) * (z / 2.0 - 2.0)) / z;
                z += 0.5 * up * growth;
            }
            (variance, z)
        };
        let seen = spreads(&mut simulation);
        let puffs = seen.len();
        assert!(puffs > 15, "{puffs}");
        let mut worst = [0.0f64; 2];
        for (age, across, depth) in seen.iter().filter(|(age, _, _)| *age > 2.0) {
            let (variance, z) = theory(*age);
            worst = [worst[0].max((across / variance - 1.0).abs()), worst[1].max(((5.0 + depth) / z - 1.0).abs())];
        }
        let case = |what: &str| format!("1.0-puff-{what}-tick{tick_s}-rate{per_s}-threads{threads}");
        lines.push(line(case("variance"), 0.0, worst[0], worst[0], 0.03, "Draxler's variance, worst of all puffs"));
        lines.push(line(case("height"), 0.0, worst[1], worst[1], 0.03, "mean height in a surface layer, worst of all puffs"));
        if per_s == 2.0 {
            all.push(seen.iter().flat_map(|(age, across, depth)| [*age, *across, *depth]).collect());
        }
    }
    // the same puffs to the bit, whatever the tick and the threads
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    accept(&lines);
}

#[test]
fn a_steady_plume_of_puffs_has_its_closed_form() {
    let more = "fidelity: Plume, emitters: [(id: \"s\", at_m: (20.0, 60.0, 2.0), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1000.0))]";
    let text = scenario(0.5, "Uniform(speed_m_s: 3.0, from_deg: 270.0)", "Given(k_m2_s: (0.5, 0.5, 0.5))", more);
    let mut simulation = load(text, 1, 0);
    run(&mut simulation, 120.0, 0.5);
    let places = [[25.0, 0.0, 2.0], [50.0, 0.0, 0.0], [50.0, 4.0, 2.0], [100.0, 0.0, 0.0], [100.0, 10.0, 5.0]].map(|[x, y, z]| (x, y, z));
    let at: Vec<DVec3> = places.iter().map(|(x, y, z)| DVec3::new(20.0 + x, 60.0 + y, *z)).collect();
    let lines: Vec<Line> = places
        .iter()
        .zip(densities(&mut simulation, &at))
        .map(|((x, y, z), measured)| {
            let exact = isotropic([*x, *y, *z]);
            line(
                format!("1.3-puffs-{x}-{y}-{z}"),
                exact,
                measured,
                (measured / exact - 1.0).abs(),
                0.02,
                "isotropic plume with ground image",
            )
        })
        .collect();
    accept(&lines);
}

/// Gas on the cells, in kg m-3 summed over cells.
fn in_cells(simulation: &mut Simulation) -> f64 {
    let world = simulation.app.world_mut();
    let mut state: bevy_ecs::system::SystemState<envirosense::world::tracers::Tracers> = bevy_ecs::system::SystemState::new(world);
    state.get(world).unwrap().columns().iter().flat_map(|column| column.iter()).map(|cell| f64::from(*cell)).sum()
}

#[test]
fn a_puff_goes_into_the_cells_with_all_its_mass_and_the_ledger_closes() {
    let mut lines = Vec::new();
    for (name, more) in [
        ("field", "deposition_m_s: 0.01, decay_per_s: 0.002"),
        ("walls", "deposition_m_s: 0.01, decay_per_s: 0.002"),
        ("plume", "deposition_m_s: 0.01, decay_per_s: 0.002"),
    ] {
        let fidelity = if name == "plume" { "Plume" } else { "Field" };
        let obstacles = if name == "walls" { "Box(min_m: (60.0, 50.0, 0.0), max_m: (70.0, 70.0, 10.0))" } else { "" };
        let more = format!(
            "fidelity: {fidelity}, obstacles: [{obstacles}], emitters: [(id: \"s\", at_m: (20.0, 60.0, 3.0), background: true, {more},
             kind: gas_leak(species: \"CO\", rate_g_s: 1.0)), (id: \"t\", at_m: (58.0, 60.0, 3.0), background: true,
             kind: gas_leak(species: \"CO\", rate_g_s: 1.0, until_s: 30.0))]"
        );
        let mut simulation = load(scenario(0.5, LAYER, "Mean", &more), 1, 0);
        run(&mut simulation, 200.3, 0.5);
        let handed_over: bool = in_cells(&mut simulation) > 0.0;
        assert_eq!(handed_over, name != "plume", "{name}: puffs have gone into the cells");
        for balance in simulation.ledger() {
            assert!(
                balance.emitted_kg > 0.0 && balance.left_kg > 0.0 && (balance.source == "t" || balance.deposited_kg > 0.0),
                "{balance:?}"
            );
            let case = format!("1.6-ledger-{name}-{}", balance.source);
            let limit = if name == "plume" { 1e-10 } else { 1e-6 };
            let found = balance.airborne_kg + balance.left_kg + balance.deposited_kg + balance.reacted_kg;
            let source = "airborne + left + deposited + reacted";
            lines.push(line(case, balance.emitted_kg, found, balance.closure().abs(), limit, source));
        }
    }
    accept(&lines);
}

/// One-minute means of CO at three places beyond 80 m, where `Field` carries it on the cells, in ppb, from a scenario of one fidelity.
fn minutes(fidelity: &str, wind: &str, at: &str, seed: u64) -> Vec<Vec<f64>> {
    let probe = |n: usize, x: f64, y: f64, z: f64| {
        format!("(id: \"p{n}\", over: Point(({x:?}, {y:?}, {z:?})), every_s: 60.0, average_s: 60.0, quantity: \"gas/CO\"),")
    };
    let probes = probe(0, 95.0, 32.0, 6.0) + &probe(1, 115.0, 30.0, 8.0) + &probe(2, 105.0, 37.0, 4.0);
    let more = format!(
        "fidelity: {fidelity}, warm_up_s: 120.0, emitters: [(id: \"s\", at_m: {at}, background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1.0))],
         probes: [{probes}]"
    );
    let text = scenario(0.5, wind, "Ensemble", &more)
        .replace("duration_s: 600.0", "duration_s: 3600.0")
        .replace("size_m: (240.0, 120.0, 60.0), cell_m: 2.0", "size_m: (120.0, 60.0, 30.0), cell_m: (2.0, 2.0, 1.0)");
    let mut simulation = load(text, 2, seed);
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&std::sync::atomic::AtomicBool::new(false), |_, _| Ok(())).unwrap();
    let samples = list.0.lock().unwrap();
    ["p0", "p1", "p2"]
        .iter()
        .map(|id| samples.iter().filter(|s| s.device_id == *id).map(|s| s.readings[0].value[0].unwrap()).collect())
        .collect()
}

fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> f64 {
    let below = |list: &[f64], x: f64| list.iter().filter(|v| **v <= x).count() as f64 / list.len() as f64;
    a.iter().chain(b).map(|x| (below(a, *x) - below(b, *x)).abs()).fold(0.0, f64::max)
}

fn median(list: &[f64]) -> f64 {
    let mut sorted = list.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[test]
fn plume_and_field_give_a_unit_the_same_minutes() {
    let profile = |speed: f64, obukhov: &str| {
        format!("Profile(speed_m_s: {speed:?}, at_m: 10.0, from_deg: 270.0, roughness_m: 0.05, obukhov_m: {obukhov})")
    };
    let mut lines = Vec::new();
    let full = std::env::var("VERIFY").as_deref() == Ok("full");
    for (name, wind, at) in [
        ("neutral", profile(3.0, "1e6"), "(20.0, 30.0, 5.0)"),
        ("unstable", profile(2.5, "-30.0"), "(20.0, 30.0, 5.0)"),
        ("stable", profile(2.5, "60.0"), "(20.0, 30.0, 5.0)"),
        ("area", profile(3.5, "-200.0"), "(20.0, 30.0, 4.0), shape: Area(size_m: (8.0, 12.0))"),
        ("ground", profile(3.0, "-200.0"), "(20.0, 30.0, 0.5)"),
        ("high", profile(5.0, "-100.0"), "(20.0, 30.0, 9.0)"),
    ]
    .into_iter()
    .filter(|(name, _, _)| full || *name == "neutral")
    {
        let (field, plume) = (minutes("Field", &wind, at, 1), minutes("Plume", &wind, at, 1));
        // all three units of a scenario together, each against its own mean in the field
        let pool = |lists: &[Vec<f64>]| -> Vec<f64> {
            lists.iter().zip(&field).flat_map(|(list, of)| list.iter().map(|v| v / of.iter().sum::<f64>()).collect::<Vec<_>>()).collect()
        };
        let distance = kolmogorov_smirnov(&pool(&field), &pool(&plume));
        let missed = (name == "ground").then_some(
            "near the ground little fluctuates, so a tenth in the mean moves the whole law: a puff knows no shear within itself",
        );
        let source = "one-minute readings, Plume against Field";
        lines.push(Line { missed, ..line(format!("1.0-plume-{name}-ks"), 0.0, distance, distance, 0.15, source) });
        for (n, (f, p)) in field.iter().zip(&plume).enumerate() {
            let ratio = median(p) / median(f);
            let case = format!("1.0-plume-{name}-median-p{n}");
            lines.push(line(case, 1.0, ratio, ratio.ln().abs(), 2f64.ln(), "medians within a factor of two"));
        }
    }
    accept(&lines);
}

#[test]
fn two_seeds_give_two_plumes_and_one_seed_gives_one() {
    let wind = LAYER;
    let [a, b, again] = [1, 2, 1].map(|seed| minutes("Plume", wind, "(20.0, 30.0, 5.0)", seed)[0].clone());
    assert_eq!(a, again);
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let (ma, mb) = (mean(&a), mean(&b));
    let cross: f64 = a.iter().zip(&b).map(|(a, b)| (a - ma) * (b - mb)).sum();
    let own = |list: &[f64], m: f64| list.iter().map(|v| (v - m) * (v - m)).sum::<f64>().sqrt();
    let correlation = cross / own(&a, ma) / own(&b, mb);
    // sixty pairs: a chance correlation beyond 0.33 is one in a hundred
    accept(&[line("1.0-plume-two-seeds".to_owned(), 0.0, correlation, correlation.abs(), 0.33, "correlation of two seeds")]);
}

#[test]
fn splitting_a_source_and_adding_another_change_no_other_tracer() {
    let source = |id: &str, rate: f64, y: f64| {
        format!("(id: \"{id}\", at_m: (20.0, {y:?}, 4.0), background: true, kind: gas_leak(species: \"CO\", rate_g_s: {rate:?})),")
    };
    let cells = |emitters: &str| -> Vec<Vec<f32>> {
        let mut simulation = load(scenario(0.5, LAYER, "Mean", &format!("emitters: [{emitters}]")), 1, 0);
        run(&mut simulation, 60.0, 0.5);
        let world = simulation.app.world_mut();
        let mut state: bevy_ecs::system::SystemState<envirosense::world::tracers::Tracers> = bevy_ecs::system::SystemState::new(world);
        state.get(world).unwrap().columns().iter().map(|column| column.to_vec()).collect()
    };
    let one = cells(&source("a", 2.0, 60.0));
    let two = cells(&(source("a", 1.0, 60.0) + &source("b", 1.0, 60.0)));
    let other = cells(&(source("a", 2.0, 60.0) + &source("c", 5.0, 30.0)));
    let most = one[0].iter().copied().fold(0.0, f32::max);
    let split = one[0].iter().zip(two[0].iter().zip(&two[1])).map(|(a, (b, c))| (a - b - c).abs()).fold(0.0, f32::max) / most;
    let bits = |list: &[f32]| list.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(bits(&one[0]) == bits(&other[0]), "an emitter beside it changes no bit of a tracer");
    let split = f64::from(split);
    accept(&[line("1.0-split-source".to_owned(), 0.0, split, split, 0.01, "one source cut in two, largest change over the maximum")]);
}

#[test]
fn a_hot_source_is_lifted_as_briggs_has_it() {
    let more = "fidelity: Plume, emitters: [(id: \"s\", at_m: (20.0, 60.0, 10.0), heat_w: 1e6, background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1.0))]";
    let text = scenario(0.5, "Uniform(speed_m_s: 5.0, from_deg: 270.0)", "Given(k_m2_s: (0.5, 0.5, 0.5))", more);
    let mut simulation = load(text, 1, 0);
    run(&mut simulation, 60.0, 0.5);
    let pressure_pa = 101_325.0;
    let flux = envirosense::physics::dispersion::motion::buoyancy_flux_m4_s3(1e6, pressure_pa);
    let world = simulation.app.world_mut();
    let mut query = world.query::<(&EmitterNode, &Puffs)>();
    let (_, puffs) = query.single(world).unwrap();
    let nearest = (0..puffs.len()).min_by(|a, b| (puffs.x_m[*a] - 120.0).abs().total_cmp(&(puffs.x_m[*b] - 120.0).abs())).unwrap();
    let travelled = puffs.x_m[nearest] - 20.0;
    let expected = 1.6 * (flux * travelled * travelled).cbrt() / 5.0;
    let measured = puffs.z_m[nearest] - 10.0;
    accept(&[line("1.10-briggs-100m".to_owned(), expected, measured, (measured / expected - 1.0).abs(), 0.01, "Briggs, 1 MW in 5 m/s")]);
}
