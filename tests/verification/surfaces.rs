//! Section 3.4: ground, walls and roofs over a clear summer day, through the real schedule.

use envirosense::diagnostics::Source;
use envirosense::physics::thermal::GroundAir;
use envirosense::physics::thermal::surfaces::SurfaceTemperatures;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, Simulation};

/// The ground, then roof, east, west, north and south of the only box.
const NAMES: [&str; 6] = ["ground", "roof", "east", "west", "north", "south"];

#[test]
fn over_a_clear_day_each_face_is_warmest_when_the_sun_stands_before_it() {
    let text = "Scenario(format: 1, name: \"day\", start: \"2026-07-15T00:00:00Z\", site: (latitude_deg: 40.0, longitude_deg: 0.0, elevation_m: 20.0, ground: \"bare_soil\"),
        tick_s: 60.0, duration_s: 86400.0, domain: (size_m: (40.0, 40.0, 20.0), cell_m: 4.0), turbulence: Laminar, wind: Uniform(speed_m_s: 2.0, from_deg: 200.0),
        weather: Diurnal(mean_c: 22.0, swing_k: 7.0, dew_point_c: 8.0, pressure_hpa: 1013.0), obstacles: [Box(min_m: (16.0, 16.0, 0.0), max_m: (24.0, 24.0, 8.0))])";
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("day.ron", text.to_owned()), &Request::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let mut hours: Vec<[f64; 7]> = Vec::new();
    for minute in 1..=1440 {
        simulation.step().unwrap();
        if minute % 30 == 0 {
            let world = simulation.app.world();
            let faces: Vec<f64> = world.resource::<SurfaceTemperatures>().kelvin().collect();
            let air_k = world.resource::<GroundAir>().temperature_k;
            hours.push(std::array::from_fn(|n| if n == 0 { air_k } else { faces[n - 1] }));
        }
    }
    let peak = |n: usize| (0..hours.len()).max_by(|a, b| hours[*a][n].total_cmp(&hours[*b][n])).unwrap();
    for (n, name) in NAMES.iter().enumerate() {
        let (hour, most) = (0.5 * (peak(n + 1) + 1) as f64, hours[peak(n + 1)][n + 1]);
        let least = hours.iter().map(|hour| hour[n + 1]).fold(f64::MAX, f64::min);
        println!("{name:<7} warmest at {hour:>4.1} h by the sun: {:.1} °C, coldest {:.1} °C", most - 273.15, least - 273.15);
    }
    let hour = |name: &str| 0.5 * (peak(1 + NAMES.iter().position(|n| *n == name).unwrap()) + 1) as f64;
    assert!((7.0..11.5).contains(&hour("east")) && (15.0..19.0).contains(&hour("west")), "{} {}", hour("east"), hour("west"));
    assert!((12.0..15.0).contains(&hour("roof")) && (12.0..15.0).contains(&hour("ground")) && (12.0..15.5).contains(&hour("south")));
    // at noon the sun warms what faces it; before dawn what faces the sky is colder than the air
    let (noon, dawn) = (hours[24], hours[7]);
    assert!(noon[1] > noon[0] + 10.0 && noon[2] > noon[6] + 3.0 && noon[6] > noon[5] + 2.0, "{noon:?}");
    assert!(dawn[1] < dawn[0] - 1.0 && dawn[1] > dawn[0] - 12.0, "{dawn:?}");
}
