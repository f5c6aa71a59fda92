//! Section 6 and attribution: emission components against one tracer for each species, through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::emission::SmoulderingWood;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::Timestamp;
use envirosense::world::emitter::{Emitter, Stretch};
use envirosense::world::puffs::Puffs;
use envirosense::world::spawn::FileLoader;
use envirosense::world::tracers::Tracers;

use crate::table::{Line, accept};

const WOOD: &str = "(mass_kg: 2.0, heated_by: Warmed(history: [(0.0, 150.0), (900.0, 450.0)]))";

/// What probes read in the mean plume: (CO, CO2) in ppb every ten seconds.
fn readings(emitters: &str) -> Vec<(f64, f64)> {
    let text = format!(
        "Scenario(format: 1, name: \"w\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 900.0, domain: (size_m: (60.0, 30.0, 20.0), cell_m: 1.0), turbulence: Mean,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        wind: Profile(speed_m_s: 3.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.05), emitters: [{emitters}],
        probes: [(id: \"CO\", over: Point((40.0, 15.5, 5.0)), every_s: 10.0, quantity: \"gas/CO\"),
                 (id: \"CO2\", over: Point((40.0, 15.5, 5.0)), every_s: 10.0, quantity: \"gas/CO2\")])"
    );
    let mut simulation =
        Simulation::load(EnviroSensePlugins, &Source::new("w.ron", text), &Request::default()).unwrap_or_else(|e| panic!("{e}"));
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&std::sync::atomic::AtomicBool::new(false), |_, _| Ok(())).unwrap();
    let samples = list.0.lock().unwrap();
    let of = |id: &str| -> Vec<f64> { samples.iter().filter(|s| s.device_id == id).map(|s| s.readings[0].value[0].unwrap()).collect() };
    of("CO").into_iter().zip(of("CO2")).collect()
}

#[test]
fn the_ratio_of_two_gases_of_warming_wood_is_that_of_a_tracer_for_each() {
    let mut wood: SmoulderingWood = ron::from_str(WOOD).unwrap();
    wood.load(&FileLoader::new("x".into(), Timestamp::try_from("2026-01-01T00:00:00Z".to_owned()).unwrap())).unwrap();
    let components = wood.components();
    let share = |n: usize, gas: &str| components[n].composition.iter().find(|(id, _)| id == gas).map_or(0.0, |(_, part)| *part);
    let mut table = "time,CO,CO2\n".to_owned();
    let mut rates = vec![0.0; components.len()];
    for second in 0..=900 {
        wood.rates_kg_s(Stretch::new(f64::from(second) - 1.0, f64::from(second)), &mut rates);
        let of = |gas: &str| rates.iter().enumerate().map(|(n, rate)| rate * share(n, gas) * 1e3).sum::<f64>();
        table.push_str(&format!("{second},{:e},{:e}\n", of("CO"), of("CO2")));
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/verification");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("wood_rates.csv");
    std::fs::write(&file, table).unwrap();
    let leak = |gas: &str| {
        format!(
            "(id: \"{gas}\", at_m: (20.0, 15.0, 5.0), background: true, kind: gas_leak(species: \"{gas}\",
             recorded: (file: {file:?}, time: \"time\", column: \"{gas}\", g_s_per_unit: 1.0))),"
        )
    };
    let joined = readings(&format!("(id: \"wood\", at_m: (20.0, 15.0, 5.0), background: true, kind: smouldering_wood{WOOD})"));
    let single = readings(&(leak("CO") + &leak("CO2")));
    let mut worst = 0.0f64;
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for ((co, co2), (co_alone, co2_alone)) in joined.iter().zip(&single).skip(30) {
        if *co > 1.0 {
            let (ratio, alone) = (co / co2, co_alone / co2_alone);
            worst = worst.max((ratio / alone - 1.0).abs());
            (least, most) = (least.min(ratio), most.max(ratio));
        }
    }
    assert!(most / least > 1.5, "the ratio changes with temperature: {least} to {most}");
    accept(&[Line {
        module: "dispersion",
        case: "6.1-wood-co-over-co2".to_owned(),
        expected: 0.0,
        measured: worst,
        error: worst,
        limit: 0.02,
        source: "one tracer for each species",
        missed: None,
    }]);
}

/// Mass of each tracer in the air, cells and puffs together, kg.
fn airborne(simulation: &mut Simulation) -> Vec<f64> {
    let world = simulation.app.world_mut();
    let volume = world.resource::<Grid>().cell_volume_m3();
    let mut state: bevy_ecs::system::SystemState<(Tracers, bevy_ecs::prelude::Query<&Puffs>)> = bevy_ecs::system::SystemState::new(world);
    let (tracers, puffs) = state.get(world).unwrap();
    let puffs = puffs.single().unwrap();
    let cells = |column: &[f32]| column.iter().copied().map(f64::from).sum::<f64>() * volume;
    tracers.columns().iter().enumerate().map(|(n, column)| cells(column) + puffs.airborne_kg(n)).collect()
}

fn line(case: &str, expected: f64, measured: f64, source: &'static str) -> Line {
    let error = (measured / expected - 1.0).abs();
    Line { module: "dispersion", case: case.to_owned(), expected, measured, error, limit: 1e-3, source, missed: None }
}

fn load(domain: &str, tick_s: f64, turbulence: &str, emitter: &str) -> Simulation {
    let text = format!(
        "Scenario(format: 1, name: \"c\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 3600.0, domain: ({domain}, boundary: Closed), turbulence: {turbulence}, wind: Calm,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), emitters: [(id: \"s\", background: true, {emitter})])"
    );
    Simulation::load(EnviroSensePlugins, &Source::new("c.ron", text), &Request::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_chain_of_two_losses_and_a_ventilated_room_have_their_closed_forms() {
    // A becomes B becomes C; the release lasts half a second, so its middle is 599.75 s old at the end
    let emitter = "at_m: (15.0, 15.0, 10.0), decay_per_s: 2e-3, decay_to: (species: \"NO2\", decay_per_s: 5e-4),
        kind: gas_leak(species: \"NO\", rate_g_s: 2.0, from_s: 0.0, until_s: 0.5)";
    let mut chain = load("size_m: (30.0, 30.0, 20.0), cell_m: 2.0", 0.5, "Given(k_m2_s: (1.0, 1.0, 1.0))", emitter);
    for _ in 0..1200 {
        chain.step().unwrap();
    }
    let (k1, k2, t) = (2e-3f64, 5e-4f64, 599.75);
    let (a, b) = ((-k1 * t).exp(), k1 / (k2 - k1) * ((-k1 * t).exp() - (-k2 * t).exp()));
    let published = k1 / (k2 - k1) * ((-k1 * 600.0).exp() - (-k2 * 600.0).exp());
    assert!((published / 0.586_165 - 1.0).abs() < 1e-5, "the closed form gives the published number");
    let masses = airborne(&mut chain);
    assert!(chain.ledger()[0].closure().abs() < 1e-6, "{:?}", chain.ledger());
    // a room of 30 m3, ventilated at 0.02 m3/s, with a loss of 1e-4 per second
    let room = |seconds: u32| {
        let emitter = "at_m: (1.5, 2.5, 1.0), decay_per_s: 7.666666666666667e-4, kind: gas_leak(species: \"CO\", rate_g_s: 1000.0)";
        let mut room = load("size_m: (3.0, 5.0, 2.0), cell_m: (3.0, 5.0, 2.0)", 0.1, "Laminar", emitter);
        for _ in 0..seconds * 10 {
            room.step().unwrap();
        }
        airborne(&mut room)[0] / 30.0
    };
    let source = "closed form, limit ours";
    accept(&[
        line("1.2-chain-a-f32", a, masses[0] * 1e3, source),
        line("1.2-chain-b-f32", b, masses[1] * 1e3, source),
        line("1.2-room-300s-f32", 8.933_32, room(300), source),
        line("1.2-room-1800s-f32", 32.540_1, room(1800), source),
    ]);
}
