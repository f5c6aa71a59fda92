//! `inspect`: what is in a run or a sample file.

use std::collections::BTreeMap;

use clap::Args;

use super::{CANNOT, Format, NO, Place, Voice, complain, say};
use crate::run_directory::open_samples;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A run directory or an Avro file.
    path: Place,
    /// A line of statistics for each channel.
    #[arg(long)]
    stats: bool,
}

#[derive(Default)]
struct Channel {
    unit: String,
    values: Vec<f64>,
    missing: u64,
    not_good: u64,
    residual: f64,
    compared: u64,
}
pub(crate) fn inspect(args: &InspectArgs, voice: Voice) -> u8 {
    let samples = match open_samples(&args.path) {
        Ok(samples) => samples,
        Err(error) => {
            complain(&format!("error: {error}"));
            return CANNOT;
        }
    };
    let mut channels: BTreeMap<String, Channel> = BTreeMap::new();
    let mut labels: BTreeMap<(String, String), u64> = BTreeMap::new();
    let (mut count, mut first, mut last, mut broken) = (0u64, None, 0.0, None);
    for sample in samples {
        let sample = match sample {
            Ok(sample) => sample,
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        };
        count += 1;
        first.get_or_insert(sample.sim_time_s);
        last = sample.sim_time_s;
        let truth = sample.ground_truth.as_ref();
        *labels.entry((sample.device_id.clone(), truth.map_or_else(String::new, |t| t.label.clone()))).or_default() += 1;
        for reading in &sample.readings {
            let ideal = truth.and_then(|t| t.readings.iter().find(|r| r.sensor_id == reading.sensor_id && r.channels == reading.channels));
            for (n, name) in reading.channels.iter().enumerate() {
                let channel = channels.entry(format!("{}/{}/{name}", sample.device_id, reading.sensor_id)).or_default();
                channel.unit.clone_from(&reading.unit);
                channel.not_good += u64::from(reading.quality != 1);
                let Some(value) = reading.value[n] else {
                    channel.missing += 1;
                    continue;
                };
                channel.values.push(value);
                if let Some(ideal) = ideal.and_then(|r| r.ideal[n]) {
                    channel.residual += (value - ideal) * (value - ideal);
                    channel.compared += 1;
                }
            }
        }
    }
    let rows: Vec<_> = channels.iter_mut().map(|(name, channel)| summary(name, channel)).collect();
    if voice.format == Format::Json {
        let labels: Vec<_> = labels.iter().map(|((d, l), n)| serde_json::json!({"device": d, "label": l, "samples": n})).collect();
        say(&format!(
            "{:#}",
            serde_json::json!({"schema": "envirosense.inspect/1", "samples": count, "from_s": first, "to_s": last, "labels": labels,
                "channels": rows, "broken": broken})
        ));
    } else {
        let mut text = format!("{count} samples from {:.1} s to {last:.1} s\n", first.unwrap_or(0.0));
        for ((device, label), n) in &labels {
            text.push_str(&format!("  {device:<12} {label:<24} {n:>8} samples\n"));
        }
        if args.stats {
            text.push_str(&format!(
                "{:<34} {:<6} {:>8} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}\n",
                "channel", "unit", "n", "min", "p50", "max", "rmse", "missing", "not good"
            ));
            for row in &rows {
                let number = |key: &str| row[key].as_f64().map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
                text.push_str(&format!(
                    "{:<34} {:<6} {:>8} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}\n",
                    row["channel"].as_str().unwrap_or_default(),
                    row["unit"].as_str().unwrap_or_default(),
                    row["n"],
                    number("min"),
                    number("p50"),
                    number("max"),
                    number("rmse"),
                    row["missing"],
                    row["not_good"]
                ));
            }
        }
        say(&text);
    }
    broken.map_or(0, |broken| {
        complain(&format!("the file ends early: {broken}"));
        NO
    })
}

fn summary(name: &str, channel: &mut Channel) -> serde_json::Value {
    channel.values.sort_by(f64::total_cmp);
    let values = &channel.values;
    let rmse = (channel.compared > 0).then(|| (channel.residual / channel.compared as f64).sqrt());
    serde_json::json!({
        "channel": name, "unit": channel.unit, "n": values.len() as u64 + channel.missing, "min": values.first(),
        "p50": values.get(values.len() / 2), "max": values.last(), "rmse": rmse, "missing": channel.missing, "not_good": channel.not_good,
    })
}
