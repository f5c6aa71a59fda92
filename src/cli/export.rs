//! `export`: samples as CSV or JSON lines; the fields of a run's snapshots as one VTK time series.

use std::io::{BufWriter, Write};

use clap::{Args, ValueEnum};

use super::{CANNOT, Place, complain, say};
use crate::recording::sample::UniversalSensorReading;
use crate::run_directory::{open_samples, snapshots};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A run directory or an Avro file.
    path: Place,
    /// Which format.
    #[arg(long, value_enum)]
    to: Target,
    /// The file to write, stdout without it; for vti the directory to write.
    #[arg(long, short)]
    out: Option<Place>,
    /// Only what a real unit could send: no truth.
    #[arg(long)]
    features: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    /// One row for each channel of each reading.
    Csv,
    /// One sample in each line.
    Jsonl,
    /// The run's snapshots with an index that `ParaView` opens as a time series.
    Vti,
}

pub(crate) fn export(args: &ExportArgs) -> u8 {
    if matches!(args.to, Target::Vti) {
        return match series(args) {
            Ok(answer) => say(&answer),
            Err(message) => {
                complain(&format!("error: {message}"));
                CANNOT
            }
        };
    }
    let result = match &args.out {
        Some(path) => {
            let part = path.with_extension("part");
            std::fs::File::create(&part)
                .map_err(|error| format!("{}: {error}", part.display()))
                .and_then(|file| write(args, BufWriter::new(file)))
                .and_then(|()| std::fs::rename(&part, path).map_err(|error| format!("{}: {error}", path.display())))
        }
        None => write(args, BufWriter::new(std::io::stdout().lock())),
    };
    result.map_or_else(
        |message| {
            complain(&format!("error: {message}"));
            CANNOT
        },
        |()| 0,
    )
}

fn write(args: &ExportArgs, mut out: impl Write) -> Result<(), String> {
    let samples = open_samples(&args.path).map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::BrokenPipe { String::new() } else { error.to_string() }
    };
    if matches!(args.to, Target::Csv) {
        let truth = if args.features { "" } else { ",ideal,label,detectable" };
        writeln!(out, "timestamp,device_timestamp,device_id,sensor_id,capability,channel,unit,value,uncertainty,quality{truth}")
            .map_err(failed)?;
    }
    for sample in samples {
        let mut sample = sample.map_err(|error| error.to_string())?;
        if args.features {
            sample.ground_truth = None;
            for frame in sample.readings.iter_mut().filter_map(|reading| reading.frame.as_mut()) {
                frame.ideal_data = None;
            }
        }
        match args.to {
            Target::Csv => rows(&sample, args.features, &mut out).map_err(failed)?,
            Target::Jsonl | Target::Vti => {
                let line = serde_json::to_string(&sample).map_err(|error| error.to_string())?;
                writeln!(out, "{line}").map_err(failed)?;
            }
        }
    }
    out.flush().map_err(failed)
}

fn rows(sample: &UniversalSensorReading, features: bool, out: &mut impl Write) -> std::io::Result<()> {
    let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    for reading in &sample.readings {
        let truth = sample.ground_truth.as_ref();
        let ideal = truth.and_then(|t| t.readings.iter().find(|r| r.sensor_id == reading.sensor_id && r.channels == reading.channels));
        for (n, channel) in reading.channels.iter().enumerate() {
            write!(
                out,
                "{},{},{},{},{},{channel},{},{},{},{}",
                sample.timestamp,
                sample.device_timestamp,
                sample.device_id,
                reading.sensor_id,
                reading.capability,
                reading.unit,
                number(reading.value[n]),
                number(reading.uncertainty[n]),
                reading.quality
            )?;
            if features {
                writeln!(out)?;
            } else {
                let label = truth.map_or("", |t| t.label.as_str());
                let detectable = truth.is_some_and(|t| t.detectable);
                writeln!(out, ",{},{label},{detectable}", number(ideal.and_then(|r| r.ideal[n])))?;
            }
        }
    }
    Ok(())
}

fn same_file(a: &std::path::Path, b: &std::path::Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Copies the snapshots of a run into a directory and writes the index beside them.
fn series(args: &ExportArgs) -> Result<String, String> {
    let found = snapshots(&args.path);
    let run = args.path.display();
    if found.is_empty() {
        return Err(format!(
            "{run} holds no snapshots; add `snapshots: [(at_s: 60.0, quantities: [\"gas/CO\"])]` to the scenario and run it"
        ));
    }
    let Some(out) = &args.out else {
        return Err(format!("{run} holds {} snapshots; say with --out which directory they go to", found.len()));
    };
    let failed = |path: &std::path::Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    let mut index = String::from("<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"0.1\">\n<Collection>\n");
    for (at_s, path) in &found {
        let name = path.file_name().unwrap_or_default();
        // a snapshot that is there already stays: copied onto itself it would be emptied
        if !same_file(path, &out.join(name)) {
            std::fs::copy(path, out.join(name)).map_err(|error| failed(&out.join(name), error))?;
        }
        index.push_str(&format!("<DataSet timestep=\"{at_s}\" file=\"{}\"/>\n", name.to_string_lossy()));
    }
    index.push_str("</Collection>\n</VTKFile>\n");
    let path = out.join("fields.pvd");
    std::fs::write(&path, index).map_err(|error| failed(&path, error))?;
    Ok(format!("{} snapshots, opened by {}\n", found.len(), path.display()))
}
