//! Section 3.5: flames and the plumes over them, the correlations themselves and what they do to bodies through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::thermal::fire::{
    FireAir, flame_height_m, irradiance_w_m2, mccaffrey_axis, plume_axis, virtual_source_m, warmth_at_k,
};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, Simulation};
use envirosense::world::body::Bodies;
use envirosense::world::heat::Flames;
use glam::DVec3;

use crate::table::{Line, accept};

const HESKESTAD: &str = "Heskestad, SFPE Handbook, ch. 13";

fn line(case: String, expected: f64, measured: f64, limit: f64, source: &'static str) -> Line {
    let error = (measured / expected - 1.0).abs();
    Line { module: "thermal", case, expected, measured, error, limit, source, missed: None }
}

#[test]
fn flames_are_as_tall_and_plumes_as_hot_as_published() {
    let air = FireAir { temperature_k: 293.15, density_kg_m3: 1.2 };
    let mut lines = vec![
        line("3.5-heskestad-100kW-source".to_owned(), 0.013_694_6, virtual_source_m(1e5, 0.5), 5e-3, HESKESTAD),
        line("3.5-heskestad-100kW-flame".to_owned(), 0.972_750, flame_height_m(1e5, 0.5), 5e-3, HESKESTAD),
    ];
    for (z, warmer, up) in [(2.0, 135.342, 3.379_97), (4.0, 42.386_2, 2.679_61), (8.0, 13.312_7, 2.125_59)] {
        let (seen_k, seen_m_s) = plume_axis(7e4, z - virtual_source_m(1e5, 0.5), air);
        lines.push(line(format!("3.5-heskestad-{z}m-warmth"), warmer, seen_k, 5e-3, HESKESTAD));
        lines.push(line(format!("3.5-heskestad-{z}m-wind"), up, seen_m_s, 5e-3, HESKESTAD));
    }
    for (z, warmer, up) in
        [(0.2, 853.242, 3.041_05), (0.6, 449.589, 3.823_46), (1.0, 229.711, 3.528_29), (2.0, 72.354_5, 2.800_40), (4.0, 22.790_2, 2.222_68)]
    {
        let (seen_k, seen_m_s) = mccaffrey_axis(33e3, z, 293.15);
        lines.push(line(format!("3.5-mccaffrey-{z}m-warmth"), warmer, seen_k, 5e-3, "McCaffrey, NBSIR 79-1910"));
        lines.push(line(format!("3.5-mccaffrey-{z}m-wind"), up, seen_m_s, 5e-3, "McCaffrey, NBSIR 79-1910"));
    }
    // Q* of a base of 1 m is the heat over ρ c_p T √g
    let unit_w = 1.2 * 1005.0 * 293.15 * 9.806_65f64.sqrt();
    for (scaled, height) in [(0.5, 1.80), (1.0, 2.70), (2.0, 3.89), (5.0, 6.06), (10.0, 8.32)] {
        lines.push(line(
            format!("3.5-flame-Q*{scaled}"),
            height,
            flame_height_m(scaled * unit_w, 1.0),
            0.07,
            "NIST fire experiments, Heskestad column; limit ours",
        ));
    }
    accept(&lines);
}

/// A fire of wood at (20, 10) with bodies over it and beside it.
fn burning(wind: &str) -> Simulation {
    let ball = |id: &str, at: &str| {
        format!("(id: \"{id}\", shape: Sphere(radius_m: 0.05), material: \"black\", at_m: {at}, heat_capacity_j_k: 20.0)")
    };
    let text = format!(
        "Scenario(format: 1, name: \"fire\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 80.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 10000.0, domain: (size_m: (40.0, 20.0, 20.0), cell_m: 2.0), turbulence: Laminar, wind: {wind},
        weather: Given(temperature_c: 20.0, humidity_pct: 30.0, pressure_hpa: 1013.25, cloud: 1.0),
        emitters: [(id: \"pile\", at_m: (20.0, 10.0, 0.5), background: true, kind: flaming_wood(mass_kg: 200.0, at_s: 0.0))],
        bodies: [{}, {}, {}])",
        ball("over", "(20.0, 10.0, 8.0)"),
        ball("beside", "(25.0, 10.0, 1.5)"),
        ball("far", "(38.0, 10.0, 1.5)"),
    );
    Simulation::load(EnviroSensePlugins, &Source::new("fire.ron", text), &Request::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_fire_warms_what_hangs_over_it_by_its_plume_and_what_stands_beside_by_its_light() {
    let run = |wind: &str| {
        let mut simulation = burning(wind);
        for _ in 0..600 {
            simulation.step().unwrap();
        }
        let world = simulation.app.world();
        (world.resource::<Bodies>().kelvin.clone(), world.resource::<Flames>().0[0])
    };
    let (calm, flame) = run("Calm");
    // 200 kg that lose a thousandth a second: a megawatt, a base of 2 m, a flame of 3 m
    assert!((0.7e6..2.5e6).contains(&flame.heat_w) && (2.0..4.0).contains(&flame.height_m) && flame.emissivity > 0.7, "{flame:?}");
    assert!(calm[0] > calm[1] && calm[1] > calm[2] + 20.0 && calm[2] > 293.15, "{calm:?}");
    // radiation of a point half way up the flame
    let balance = |away_m: f64| 0.3 * flame.heat_w / (4.0 * std::f64::consts::PI * away_m * away_m);
    for at in [DVec3::new(25.0, 10.0, 1.5), DVec3::new(38.0, 10.0, 1.5)] {
        let away_m = at.distance(DVec3::new(20.0, 10.0, 0.5 + 0.5 * flame.height_m));
        assert!((irradiance_w_m2(&flame, at) / balance(away_m) - 1.0).abs() < 1e-9);
    }
    let (windy, leaning) = run("Uniform(speed_m_s: 6.0, from_deg: 270.0)");
    assert!(windy[0] < calm[0] - 30.0 && leaning.tip_m.x > 21.0, "{windy:?} {leaning:?}");
}

#[test]
fn a_plume_leans_as_far_as_it_is_blown_while_it_rises() {
    let mut simulation = burning("Uniform(speed_m_s: 1.0, from_deg: 270.0)");
    for _ in 0..600 {
        simulation.step().unwrap();
    }
    let flame = simulation.app.world().resource::<Flames>().0[0];
    let air = FireAir { temperature_k: 293.15, density_kg_m3: 1.204 };
    let wind = DVec3::X;
    let height = 10.0;
    let warmest = (0..400)
        .map(|n| f64::from(n) * 0.02)
        .max_by(|a, b| {
            let at = |x: f64| warmth_at_k(&flame, flame.base_m + DVec3::new(x, 0.0, height), wind, air);
            at(*a).total_cmp(&at(*b))
        })
        .unwrap();
    let (_, up) = plume_axis(0.7 * flame.heat_w, height - virtual_source_m(flame.heat_w, flame.diameter_m), air);
    accept(&[line("7.2-lean-of-a-plume".to_owned(), height / up, warmest, 0.2, "tan of the angle is w/u")]);
}
