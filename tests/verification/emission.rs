//! Section 6 and attribution: emission components against one tracer for each species, through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::emission::SmoulderingWood;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::recording::SampleList;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::Timestamp;
use envirosense::world::emitter::{Emitter, Stretch};
use envirosense::world::spawn::FileLoader;

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
