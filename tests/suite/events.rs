//! Events, attribution, arrival and detectability of each unit.

use std::collections::BTreeSet;
use std::path::Path;

use envirosense::simulation::Request;

use crate::support::{TWO_UNITS, branch, samples};

#[test]
fn a_unit_downwind_can_notice_the_branch_and_the_one_upwind_cannot() {
    let all = samples(&branch(TWO_UNITS, "12.0", 10.0), Path::new(""), &Request::default());
    let of = |id: &str| all.iter().filter(|s| s.device_id == id).map(|s| s.ground_truth.clone().unwrap()).collect::<Vec<_>>();
    let (down, up) = (of("down"), of("up"));
    let last = down.last().unwrap();
    assert_eq!((last.label.as_str(), last.detectable, last.anomaly), ("vegetation_smoulder", true, true));
    let event = &last.events[0];
    assert!(event.arrival.unwrap() > event.onset.unwrap() && event.snr >= 3.0);
    assert!(down.first().unwrap().label == "normal" && !down.first().unwrap().anomaly);
    assert!(up.iter().all(|truth| truth.label == "normal" && !truth.detectable && truth.events[0].arrival.is_none()));
    let last = up.last().unwrap();
    assert!(last.anomaly && last.events[0].phase == "active", "not detectable from here is not nothing happens");
    assert!((event.distance_m - 8.0).abs() < 0.1 && (event.bearing_deg - 270.0).abs() < 1.0, "{event:?}");
}

#[test]
fn without_the_source_every_signal_of_the_event_is_zero() {
    let all = samples(&branch(TWO_UNITS, "12.0", 1e9), Path::new(""), &Request::default());
    assert!(!all.is_empty());
    for truth in all.iter().map(|s| s.ground_truth.as_ref().unwrap()) {
        assert!(truth.snr == 0.0 && truth.contributions.is_empty() && truth.events[0].snr == 0.0 && truth.events[0].phase == "pending");
        assert!(truth.readings.iter().all(|r| r.ideal == r.without_events));
    }
}

#[test]
fn contributions_are_what_the_ideal_value_has_above_the_air_without_events() {
    let all = samples(&branch(TWO_UNITS, "12.0", 10.0), Path::new(""), &Request::default());
    let mut compared = 0;
    for truth in all.iter().filter(|s| s.device_id == "down").map(|s| s.ground_truth.as_ref().unwrap()) {
        for reading in truth.readings.iter().filter(|r| r.sensor_id == "voc") {
            for (n, channel) in reading.channels.iter().enumerate() {
                let change = reading.ideal[n].unwrap() - reading.without_events[n].unwrap();
                let from: f64 =
                    truth.contributions.iter().filter(|c| c.sensor_id == "voc" && c.channel == *channel).map(|c| c.amount).sum();
                assert!((change - from).abs() <= 1e-12 * change.abs().max(1.0), "{channel}: {change} {from}");
                compared += usize::from(change > 0.1);
            }
        }
    }
    assert!(compared > 50);
}

#[test]
fn the_heat_of_a_source_is_known_as_its_gas_is_and_so_is_when_it_caught_fire() {
    let run = |more: &str| {
        let text = branch(TWO_UNITS, "12.0", 10.0).replace("background: [", &format!("{more} background: ["));
        samples(&text, Path::new(""), &Request::default())
    };
    let all = run("");
    let mut warmest = 0.0f64;
    for truth in all.iter().filter(|s| s.device_id == "down").map(|s| s.ground_truth.as_ref().unwrap()) {
        let known = truth.events[0].phase != "pending";
        assert_eq!(truth.events[0].ignition, known.then_some(1_784_149_210_000_000), "ten seconds after the start");
        for reading in truth.readings.iter().filter(|r| r.sensor_id == "climate" && r.unit == "Cel") {
            let change = reading.ideal[0].unwrap() - reading.without_events[0].unwrap();
            let of = |c: &&envirosense::recording::sample::Contribution| c.sensor_id == "climate" && c.channel == "temperature";
            let from: f64 = truth.contributions.iter().filter(of).map(|c| c.amount).sum();
            assert!((change - from).abs() <= 1e-9, "{change} {from}");
            warmest = warmest.max(change);
        }
    }
    assert!(warmest > 0.05, "{warmest}");
    let cold = run("air_heat: None,");
    let change = |truth: &envirosense::recording::sample::GroundTruth| {
        let climate = truth.readings.iter().filter(|r| r.sensor_id == "climate" && r.unit == "Cel");
        climate.map(|r| r.ideal[0].unwrap() - r.without_events[0].unwrap()).fold(0.0, f64::max)
    };
    assert!(cold.iter().all(|sample| change(sample.ground_truth.as_ref().unwrap()) == 0.0));
}

#[test]
fn an_event_below_its_threshold_has_not_begun_for_any_sensor() {
    let text = branch(TWO_UNITS, "12.0", 10.0).replace("members: [\"branch\"]", "members: [\"branch\"], kind: emission(above_g_s: 100.0)");
    let all = samples(&text, Path::new(""), &Request::default());
    for truth in all.iter().map(|s| s.ground_truth.as_ref().unwrap()) {
        assert!(truth.snr == 0.0 && truth.label == "normal" && truth.events[0].arrival.is_none() && truth.events[0].onset.is_none());
    }
}

#[test]
fn a_source_gives_its_stated_heat_while_it_releases_something() {
    let text = branch(TWO_UNITS, "12.0", 30.0).replace("kind: smouldering_wood", "heat_w: 5000.0, kind: smouldering_wood");
    let mut simulation = crate::support::load(&text, Path::new(""), &Request::default());
    for tick in 1..=400 {
        simulation.step().unwrap();
        let world = simulation.app.world_mut();
        let node = world.query::<&envirosense::world::emitter::EmitterNode>().iter(world).next().unwrap();
        assert_eq!(node.heat_w > 0.0, tick > 300, "{tick}: {}", node.heat_w);
    }
}

#[test]
fn every_reading_occurs_once_and_the_counts_are_duration_over_period() {
    let all = samples(&branch(TWO_UNITS, "12.0", 10.0), Path::new(""), &Request::default());
    let mut seen = BTreeSet::new();
    let mut counts = std::collections::BTreeMap::<(String, String), usize>::new();
    for sample in &all {
        for reading in &sample.readings {
            assert!(seen.insert((sample.device_id.clone(), reading.sensor_id.clone(), reading.channels.clone(), reading.window_end)));
            assert!(!reading.unit.is_empty() && reading.quality > 0 && reading.value.len() == reading.channels.len());
            assert_eq!(reading.raw.len(), reading.raw_channels.len());
            *counts.entry((reading.sensor_id.clone(), reading.channels[0].clone())).or_default() += 1;
        }
    }
    for ((sensor, channel), count) in counts {
        let expected = if sensor == "wind" { 2 * 600 } else { 2 * 60 };
        assert!(count.abs_diff(expected) <= 2, "{sensor}/{channel}: {count} against {expected}");
    }
}
