//! Section 6 and attribution: emission components against one tracer for each species, through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::dispersion::TransportState;
use envirosense::physics::emission::SmoulderingWood;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::Timestamp;
use envirosense::world::emitter::{Emitter, Stretch};
use envirosense::world::nitrogen_oxides::{Oxides, oxidation_per_s, photolysis_per_s};
use envirosense::world::puffs::Puffs;
use envirosense::world::spawn::FileLoader;
use envirosense::world::sun::sun_sine;
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
    let readings = run(text).1;
    readings.of("CO").into_iter().zip(readings.of("CO2")).collect()
}

/// What the probes of a run reported.
struct Reported(SampleList);

impl Reported {
    fn of(&self, probe: &str) -> Vec<f64> {
        let samples = self.0.0.lock().unwrap();
        samples.iter().filter(|s| s.device_id == probe).map(|s| s.readings[0].value[0].unwrap()).collect()
    }

    fn last(&self, probes: [&str; 3]) -> [f64; 3] {
        probes.map(|probe| *self.of(probe).last().unwrap())
    }
}

/// A scenario from beginning to end.
fn run(text: String) -> (Simulation, Reported) {
    let mut simulation =
        Simulation::load(EnviroSensePlugins, &Source::new("e.ron", text), &Request::default()).unwrap_or_else(|e| panic!("{e}"));
    let list = SampleList::default();
    simulation.record_to(list.clone());
    simulation.run(&std::sync::atomic::AtomicBool::new(false), |_, _| Ok(())).unwrap();
    (simulation, Reported(list))
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

/// What probes of NO, NO2 and O3 read last in the plume of a leak of nitric oxide, ppb.
fn oxides(chemistry: &str, start: &str) -> [f64; 3] {
    let probe = |gas: &str| format!("(id: \"{gas}\", over: Point((60.0, 15.0, 5.0)), every_s: 10.0, quantity: \"gas/{gas}\")");
    let text = format!(
        "Scenario(format: 1, name: \"n\", start: \"2026-07-01T{start}:00:00Z\", site: (latitude_deg: 45.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 60.0, domain: (size_m: (90.0, 30.0, 20.0), cell_m: 1.0), turbulence: Given(k_m2_s: (0.5, 0.5, 0.5)),
        weather: Given(temperature_c: 25.0, humidity_pct: 50.0, pressure_hpa: 1013.25), wind: Uniform(speed_m_s: 2.0, from_deg: 270.0),
        chemistry: {chemistry}, background: [(species: \"O3\", mean_ppb: 40.0), (species: \"NO2\", mean_ppb: 5.0)],
        emitters: [(id: \"leak\", at_m: (20.0, 15.0, 5.0), background: true, kind: gas_leak(species: \"NO\", rate_g_s: 0.01))],
        probes: [{}, {}, {}])",
        probe("NO"),
        probe("NO2"),
        probe("O3")
    );
    run(text).1.last(["NO", "NO2", "O3"])
}

#[test]
fn nitric_oxide_takes_ozone_on_its_way_and_light_gives_it_back() {
    let inert = oxides("None", "12");
    let night = oxides("NitrogenOxides", "00");
    let noon = oxides("NitrogenOxides", "12");
    assert!(inert[0] > 5.0 && (inert[2] - 40.0).abs() < 1e-3 && (inert[1] - 5.0).abs() < 1e-3, "{inert:?}");
    let ppb = |list: [f64; 3]| Oxides { no: list[0] * 1e-9, no2: list[1] * 1e-9, o3: list[2] * 1e-9 };
    let mut lines = Vec::new();
    let mut add = |case: &str, expected: f64, measured: f64, limit: f64, source: &'static str| {
        let error = (measured / expected - 1.0).abs();
        lines.push(Line { module: "dispersion", case: case.to_owned(), expected, measured, error, limit, source, missed: None });
    };
    for (name, seen, sine) in [("night", night, 0.0), ("noon", noon, sun_sine(noon_us(), 45.0, 0.0))] {
        let background = Oxides { no: 0.0, no2: 5e-9, o3: 40e-9 };
        // 40 m in a wind of 2 m/s
        let exact = ppb(inert).after_in(background, oxidation_per_s(298.15, 101_325.0), photolysis_per_s(sine), 20.0);
        add(&format!("6.2-no2-{name}"), exact.no2 * 1e9, seen[1], 1e-3, "closed form of NO + O3 in light over the travel time");
        add(&format!("6.2-nox-{name}"), inert[0] + inert[1], seen[0] + seen[1], 1e-9, "NO + NO2 is kept");
        add(&format!("6.2-ox-{name}"), inert[1] + inert[2], seen[1] + seen[2], 1e-9, "O3 + NO2 is kept");
    }
    assert!(night[2] < noon[2] && noon[2] < 39.0, "{night:?} {noon:?}");
    accept(&lines);
}

/// When the probes of noon read, µs since 1970.
fn noon_us() -> i64 {
    Timestamp::try_from("2026-07-01T12:01:00Z".to_owned()).unwrap().micros()
}

#[test]
fn dust_sinks_by_its_size_and_smoke_follows_the_gas() {
    let released = |kind: &str| {
        let probe = |name: &str| format!("(id: \"{name}\", over: Point((70.0, 20.0, 2.0)), every_s: 10.0, quantity: \"particles/{name}\")");
        let text = format!(
            "Scenario(format: 1, name: \"d\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
            tick_s: 1.0, duration_s: 200.0, domain: (size_m: (80.0, 40.0, 20.0), cell_m: 1.0), turbulence: Mean,
            weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
            wind: Profile(speed_m_s: 2.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.05),
            emitters: [(id: \"s\", at_m: (20.0, 20.0, 2.0), background: true, yields: Median, kind: {kind})], probes: [{}, {}, {}])",
            probe("PM1"),
            probe("PM2.5"),
            probe("PM10")
        );
        let (simulation, readings) = run(text);
        let settled: Vec<f64> = simulation.app.world().resource::<TransportState>().fates.iter().map(|fate| fate.deposited_kg).collect();
        (readings.last(["PM1", "PM2.5", "PM10"]), settled)
    };
    let ([pm1, pm2_5, pm10], settled) = released("dust(pm10_g_s: 1.0, pm2_5_share: 0.4, pm1_share: 0.2)");
    assert!(0.0 < pm1 && pm1 < pm2_5 && pm2_5 < pm10, "{pm1} {pm2_5} {pm10}");
    // the coarse class has three times the mass of each finer one, and sinks a hundred times faster than the finest
    assert!(settled[2] / 3.0 > 5.0 * settled[1] && settled[1] > 5.0 * settled[0] && settled[0] > 0.0, "{settled:?}");
    let ([smoke1, smoke2_5, smoke10], settled) = released("flaming_wood(mass_kg: 1.0, at_s: 0.0)");
    assert!((smoke1 / smoke2_5 - 4.8 / 5.3).abs() < 1e-6 && smoke2_5 == smoke10 && smoke1 > 0.0 && settled.iter().all(|kg| *kg == 0.0));
}
