//! `plot`: one picture of a run without a notebook: a channel over time as SVG, a frame in false colour as PNG.

mod frame;
mod trace;

use std::path::Path;

use clap::Args;

use super::{CANNOT, Place, complain, say};
use crate::recording::sample::UniversalSensorReading;
use crate::run_directory::open_samples;
use trace::Trace;

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// A run directory or an Avro file.
    path: Place,
    /// A channel over time: `DEVICE/SENSOR/CHANNEL`; more than one share the picture if they share the unit.
    #[arg(long, value_name = "CHANNEL", conflicts_with = "frame")]
    channel: Vec<String>,
    /// An image: `DEVICE/SENSOR`.
    #[arg(long, value_name = "SENSOR", required_unless_present = "channel")]
    frame: Option<String>,
    /// The last image until this many seconds after the start; without it the last of all.
    #[arg(long, value_name = "S", conflicts_with = "channel")]
    at: Option<f64>,
    /// With what a perfect instrument would have shown; an image also with the bodies in it.
    #[arg(long)]
    truth: bool,
    /// The file to write: `.svg` for a channel, `.png` for an image.
    #[arg(long, short)]
    out: Place,
}

pub(crate) fn plot(args: &PlotArgs) -> u8 {
    match draw(args) {
        Ok(answer) => say(&answer),
        Err(message) => {
            complain(&format!("error: {message}"));
            CANNOT
        }
    }
}

fn draw(args: &PlotArgs) -> Result<String, String> {
    let wanted = if args.frame.is_some() { "png" } else { "svg" };
    if args.out.extension().is_none_or(|ending| ending != wanted) {
        return Err(format!("{}: this picture is written as .{wanted}", args.out.display()));
    }
    match &args.frame {
        Some(sensor) => image(args, sensor),
        None => traces(args),
    }
}

/// Every sample of the file, until one is broken.
fn samples(path: &Path) -> Result<impl Iterator<Item = Result<UniversalSensorReading, String>>, String> {
    Ok(open_samples(path).map_err(|error| error.to_string())?.map(|sample| sample.map_err(|error| error.to_string())))
}

fn image(args: &PlotArgs, sensor: &str) -> Result<String, String> {
    let mut last = None;
    let mut known = Vec::new();
    for sample in samples(&args.path)? {
        let sample = sample?;
        if args.at.is_some_and(|at| sample.sim_time_s > at) {
            break;
        }
        for reading in sample.readings.iter().filter(|reading| reading.frame.is_some()) {
            let name = format!("{}/{}", sample.device_id, reading.sensor_id);
            if name == sensor {
                let boxes = sample.ground_truth.iter().flat_map(|truth| &truth.boxes).filter(|seen| seen.sensor_id == reading.sensor_id);
                last = Some((sample.sim_time_s, reading.frame.clone(), boxes.cloned().collect::<Vec<_>>()));
            }
            if !known.contains(&name) {
                known.push(name);
            }
        }
    }
    let Some((time_s, Some(taken), boxes)) = last else {
        let list = if known.is_empty() { "there is none in this file".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(format!("no image of `{sensor}` until then: {list}"));
    };
    let boxes = if args.truth { boxes } else { Vec::new() };
    let (coldest, hottest) = frame::write(&args.out, &taken, args.truth, &boxes)?;
    let list: String = boxes.iter().map(|seen| format!("  {} at {:.1} °C\n", seen.body, seen.apparent_c)).collect();
    Ok(format!("{} at {time_s:.1} s: {coldest:.1} to {hottest:.1} °C\n{list}wrote {}\n", sensor, args.out.display()))
}

fn traces(args: &PlotArgs) -> Result<String, String> {
    let mut list: Vec<Trace> = args.channel.iter().map(|name| Trace::new(name.clone())).collect();
    let mut known = Vec::new();
    for sample in samples(&args.path)? {
        let sample = sample?;
        for reading in &sample.readings {
            for (n, channel) in reading.channels.iter().enumerate() {
                let name = format!("{}/{}/{channel}", sample.device_id, reading.sensor_id);
                if let Some(trace) = list.iter_mut().find(|trace| trace.name == name) {
                    let truth = sample.ground_truth.iter().flat_map(|truth| &truth.readings);
                    let ideal = truth.filter(|ideal| ideal.sensor_id == reading.sensor_id && ideal.channels == reading.channels);
                    trace.unit.clone_from(&reading.unit);
                    trace.add(sample.sim_time_s, reading.value[n], { ideal }.find_map(|ideal| ideal.ideal[n]).filter(|_| args.truth));
                } else if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
    }
    if let Some(empty) = list.iter().find(|trace| trace.is_empty()) {
        return Err(format!("no value of a channel `{}`; others are {}", empty.name, known.join(", ")));
    }
    if let Some(other) = list.iter().find(|trace| trace.unit != list[0].unit) {
        return Err(format!("`{}` is in {}, `{}` in {}: plot them one by one", list[0].name, list[0].unit, other.name, other.unit));
    }
    trace::write(&args.out, &list)?;
    Ok(format!("wrote {}\n", args.out.display()))
}

/// Writes a file whole or not at all.
fn whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let part = path.with_extension("part");
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).map_err(|error| format!("{}: {error}", path.display()))
}
