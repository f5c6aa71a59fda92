//! Section 3.6: overhead lines and their joints, through the real schedule.

use bevy_ecs::system::SystemState;
use envirosense::diagnostics::Source;
use envirosense::physics::thermal::surfaces::SurfaceTemperatures;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::AIR_HEAT_J_KG_K;
use envirosense::world::body::Bodies;
use envirosense::world::lines::PhaseNode;
use envirosense::world::tracers::{Releases, Tracers};

use crate::table::{Line, accept};

const STANDARD: &str = "IEEE Std 738-2012, worked example and the same balance solved for other currents";

/// A line of one phase of Drake, 80 m from west to east, with whatever else.
fn line_of(load: &str, start: &str, temperature_c: f64, wind: &str, tick_s: f64, more: &str) -> Simulation {
    let text = format!(
        "Scenario(format: 1, name: \"line\", start: \"{start}\", site: (latitude_deg: 30.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 10000.0, domain: (size_m: (100.0, 20.0, 12.0), cell_m: 4.0), turbulence: Laminar, wind: {wind},
        weather: Given(temperature_c: {temperature_c:?}, humidity_pct: 30.0, pressure_hpa: 1013.25),
        lines: [(id: \"feeder\", conductor: \"drake_795\", phases: [\"A\"], points_m: [(10.0, 10.0, 9.0), (90.0, 10.0, 9.0)], load_a: {load})],
        {more})"
    );
    Simulation::load(EnviroSensePlugins, &Source::new("line.ron", text), &Request::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn phase(simulation: &mut Simulation) -> PhaseNode {
    let world = simulation.app.world_mut();
    world.query::<&PhaseNode>().iter(world).next().unwrap().clone()
}

/// Temperature in the middle of the line.
fn middle_c(simulation: &mut Simulation) -> f64 {
    let phase = phase(simulation);
    phase.temperature_c[phase.cells.iter().position(|cell| cell.at_m.x >= 49.9).unwrap()]
}

fn row(case: String, expected: f64, measured: f64, error: f64, limit: f64) -> Line {
    Line { module: "thermal", case, expected, measured, error, limit, source: STANDARD, missed: None }
}

/// 10 June, 11 h by the sun; the equation of time is half a minute.
const NOON: &str = "2024-06-10T10:59:30Z";
const NIGHT: &str = "2024-06-10T23:00:00Z";
/// Across the line.
const ACROSS: &str = "Uniform(speed_m_s: 0.61, from_deg: 180.0)";

#[test]
fn a_line_is_as_warm_as_the_standard_has_it() {
    let hot =
        [(0, 51.8752), (400, 58.6735), (600, 67.4473), (800, 80.2307), (1000, 97.4716), (1025, 99.9635), (1200, 119.623), (1500, 162.610)];
    let brisk = [(500, 25.8721), (1000, 45.0221), (1500, 82.6443)];
    let still = [(300, 32.5802), (600, 51.5298), (900, 81.3690)];
    let cases = [
        ("noon", NOON, 40.0, ACROSS, &hot[..]),
        ("night", NIGHT, 20.0, "Uniform(speed_m_s: 2.0, from_deg: 180.0)", &brisk[..]),
        ("still", NIGHT, 25.0, "Calm", &still[..]),
    ];
    let mut lines = Vec::new();
    for (name, start, air_c, wind, list) in cases {
        for (current, expected) in list {
            let mut simulation = line_of(&format!("{current}.0"), start, air_c, wind, 1.0, "");
            simulation.step().unwrap();
            let measured = middle_c(&mut simulation);
            lines.push(row(format!("3.6-{name}-{current}A"), *expected, measured, (measured - expected).abs(), 0.3));
        }
    }
    accept(&lines);
}

#[test]
fn a_step_of_the_load_warms_a_line_in_the_time_the_standard_has_and_energy_closes() {
    let step = "timeline: [(at_s: 0.0, set: \"lines.feeder.load_a\", to: 1200.0)], warm_up_s: 10.0";
    let mut simulation = line_of("800.0", NOON, 40.0, ACROSS, 1.0, step);
    let mut lines = Vec::new();
    let mut open: f64 = 0.0;
    let expected = [(0, 80.2307), (60, 83.3482), (300, 93.6469), (600, 102.639), (900, 108.582), (1800, 116.647)];
    for tick in 1..=1810 {
        simulation.step().unwrap();
        let heat = phase(&mut simulation).heat;
        open = open.max(((heat.joule_w + heat.sun_w - heat.lost_w - heat.stored_w) / (heat.joule_w + heat.sun_w)).abs());
        // the step falls into the first recorded tick
        if let Some((after_s, expected)) = expected.iter().find(|(after_s, _)| after_s + 9 + i32::from(*after_s > 0) == tick) {
            let measured = middle_c(&mut simulation);
            lines.push(row(format!("3.6-step-{after_s}s"), *expected, measured, (measured - expected).abs(), 0.3));
        }
    }
    lines.push(row("3.6-line-energy".to_owned(), 0.0, open, open, 1e-9));
    assert_eq!(lines.len(), 7);
    accept(&lines);
}

#[test]
fn a_bad_joint_is_as_much_warmer_as_a_sleeve_between_two_fins() {
    // 50 W at 800 A
    let joint =
        "bodies: [(id: \"joint\", shape: Capsule(length_m: 0.15, radius_m: 0.01407), material: \"aluminium_weathered\", on: \"feeder/A\",
        extra_resistance_ohm: 7.8125e-5)]";
    let mut simulation = line_of("800.0", NOON, 40.0, ACROSS, 1.0, joint);
    simulation.step().unwrap();
    let phase = phase(&mut simulation);
    let at = phase.cells.iter().position(|cell| cell.body == Some(0)).unwrap();
    let warmer = phase.temperature_c[at] - phase.temperature_c[0];
    let error = (warmer / 44.0 - 1.0).abs();
    accept(&[Line { source: "amendment A5", ..row("3.6-joint-50W".to_owned(), 44.0, warmer, error, 0.03) }]);
}

#[test]
fn what_a_fault_warms_is_told_from_what_sun_and_load_warm() {
    let sleeve = |ohm: f64| {
        format!(
            "bodies: [(id: \"joint\", shape: Capsule(length_m: 0.6, radius_m: 0.04), material: \"aluminium_weathered\", on: \"feeder/A\", extra_resistance_ohm: {ohm:?}),
            (id: \"ball\", shape: Sphere(radius_m: 0.5), material: \"painted_steel\", at_m: (50.0, 6.0, 4.0), heat_capacity_j_k: 2e6)]"
        )
    };
    let kelvin = |ohm: f64| {
        let mut simulation = line_of("1000.0", NOON, 20.0, ACROSS, 60.0, &sleeve(ohm));
        for _ in 0..30 {
            simulation.step().unwrap();
        }
        simulation.app.world().resource::<Bodies>().clone()
    };
    let (sound, faulty) = (kelvin(0.0), kelvin(2e-4));
    assert!((sound.kelvin[0] - sound.unheated_k[0]).abs() < 1e-6 && (faulty.unheated_k[0] - sound.kelvin[0]).abs() < 1e-6);
    assert!(faulty.kelvin[0] - faulty.unheated_k[0] > 40.0);
    // a heavy ball in the sun follows slowly, and no fault warms it
    assert!((sound.kelvin[1] - sound.unheated_k[1]).abs() < 1e-9 && sound.kelvin[1] > 293.15);
}

#[test]
fn a_transformer_follows_its_load_as_the_standard_has_it() {
    let unit = "bodies: [(id: \"t1\", shape: Cylinder(height_m: 1.2, radius_m: 0.3), material: \"painted_steel\", at_m: (50.0, 6.0, 7.0), transformer: (load_pu: 0.7))],
        timeline: [(at_s: 1.0, set: \"bodies.t1.load_pu\", to: 1.3)], warm_up_s: 60.0";
    let mut simulation = line_of("0.0", NIGHT, 20.0, ACROSS, 60.0, unit);
    let mut lines = Vec::new();
    let source = "IEEE Std C57.91-2011, clause 7, solved by hand";
    let of = |simulation: &Simulation| {
        let bodies = simulation.app.world().resource::<Bodies>();
        [bodies.top_oil_k[0], bodies.hot_spot_k[0], bodies.kelvin[0]].map(|t| t - 293.15)
    };
    // 35.33 K at seven tenths of the load, 79.11 K in the end at 1.3; after one time constant of three hours
    // the warm-up is a tick with the load as it was
    for _ in 0..181 {
        simulation.step().unwrap();
    }
    let [top_oil, hot_spot, tank] = of(&simulation);
    for (case, expected, measured) in [("top-oil", 63.00, top_oil), ("hot-spot", 63.00 + 38.04, hot_spot), ("tank", 0.8 * 63.00, tank)] {
        lines.push(Line { source, ..row(format!("3-transformer-{case}-3h"), expected, measured, (measured - expected).abs(), 0.3) });
    }
    accept(&lines);
}

#[test]
fn wood_on_a_joint_takes_its_heat_from_the_fault_and_not_from_the_line_as_it_should_be() {
    let run = |wood: &str| {
        let text = format!(
            "bodies: [(id: \"joint\", shape: Capsule(length_m: 0.2, radius_m: 0.018), material: \"aluminium_weathered\", on: \"feeder/A\", extra_resistance_ohm: 1e-3)],
            emitters: [{wood}], events: [(id: \"e\", class: \"fault\", members: [\"feeder\"], kind: overheating())]"
        );
        let mut simulation = line_of("700.0", NIGHT, 20.0, ACROSS, 1.0, &text);
        for _ in 0..60 {
            simulation.step().unwrap();
        }
        let phase = phase(&mut simulation);
        let at = phase.cells.iter().position(|cell| cell.body == Some(0)).unwrap();
        (phase.temperature_c[at], phase.unheated_c[at], phase.idle_c[at])
    };
    let bare = run("");
    let touched = run(
        "(id: \"limb\", at_m: (50.0, 10.0, 8.9), background: true, kind: smouldering_wood(mass_kg: 1.0, area_m2: 0.02, heated_by: Body(id: \"joint\")))",
    );
    assert!(touched.0 < bare.0 - 3.0, "{touched:?} {bare:?}");
    assert!((touched.1 - bare.1).abs() < 1e-9 && (touched.2 - bare.2).abs() < 1e-9, "{touched:?} {bare:?}");
}

#[test]
fn walls_and_a_roof_give_the_air_at_them_what_they_lose_to_it() {
    let text = "Scenario(format: 1, name: \"house\", start: \"2024-06-10T10:59:30Z\", site: (latitude_deg: 30.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 1000.0, domain: (size_m: (20.0, 20.0, 16.0), cell_m: 2.0, boundary: Closed), turbulence: Laminar, wind: Calm, air_heat: All,
        weather: Given(temperature_c: 20.0, humidity_pct: 30.0, pressure_hpa: 1013.25),
        obstacles: [Box(min_m: (6.0, 6.0, 0.0), max_m: (14.0, 14.0, 6.0))])";
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("house.ron", text), &Request::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let grid = *simulation.app.world().resource::<Grid>();
    // the roof, then four walls; a flat plate in still air loses 5.7 W m⁻² K⁻¹
    let (areas_m2, transfer) = ([64.0, 48.0, 48.0, 48.0, 48.0], 5.7);
    let mut released_j = [0.0; 5];
    let mut last_w = [0.0; 5];
    for _ in 0..120 {
        simulation.step().unwrap();
        released_j.iter_mut().zip(last_w).for_each(|(sum, last)| *sum += last);
        let surfaces = simulation.app.world().resource::<SurfaceTemperatures>();
        for ((watts, kelvin), area) in last_w.iter_mut().zip(surfaces.kelvin().skip(1)).zip(areas_m2) {
            *watts = transfer * area * (kelvin - 293.15);
        }
    }
    let world = simulation.app.world_mut();
    let mut state: SystemState<Tracers<'_, '_>> = SystemState::new(world);
    let columns = state.get(world).unwrap();
    let slot = world.resource::<Releases>().heat_slots().next().unwrap();
    let column = columns.columns()[slot].to_vec();
    let joule = |cells: &dyn Fn([usize; 3]) -> bool| -> f64 {
        let [nx, ny, _] = grid.shape;
        let chosen = (0..grid.len()).filter(|cell| cells([cell % nx, cell / nx % ny, cell / (nx * ny)]));
        chosen.map(|cell| f64::from(column[cell])).sum::<f64>() * grid.cell_volume_m3() * AIR_HEAT_J_KG_K
    };
    let inside = |i: usize| (3..7).contains(&i);
    let roof = joule(&|[i, j, k]| inside(i) && inside(j) && k == 3);
    let east = joule(&|[i, j, k]| i == 7 && inside(j) && k < 3);
    let all = joule(&|_| true);
    let whole: f64 = released_j.iter().sum();
    let of_air = |case: &str, expected: f64, measured: f64| {
        let error = (measured / expected - 1.0).abs();
        let source = "flux of a flat plate, 5.7 W m⁻² K⁻¹ in still air, times area and time";
        Line { source, ..row(case.to_owned(), expected, measured, error, 1e-4) }
    };
    assert!(released_j[0] > 1.2 * released_j[1] && last_w[0] > 64.0 * 5.7 * 10.0, "{released_j:?} {last_w:?}");
    accept(&[
        of_air("air-heat-roof", released_j[0], roof),
        of_air("air-heat-east-wall", released_j[1], east),
        of_air("air-heat-house", whole, all),
    ]);
}
