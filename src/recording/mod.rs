//! Recording: one labelled sample for each unit and tick in which it delivered something.

/// The sample as Rust types.
pub mod sample;

/// Samples in Avro files.
pub mod avro;

/// Fields as VTK images.
pub mod vti;

use std::sync::Arc;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use crate::device::Device;
use crate::files::scenario::RecordRule;
use crate::recording::avro::SampleWriter;
use crate::recording::sample::{
    Box as BoxTruth, Contribution, EventTruth, FaultTruth, Frame, GroundTruth, IdealReading, Location, SensorReading,
    UniversalSensorReading,
};
use crate::sensing::Quantity;
use crate::sensing::pipeline::Instrument;
use crate::sensing::result::{Image, Reading, ReadingTruth};
use crate::world::event::{EventNode, Phase};
use crate::world::spawn::{Conditions, SiteInfo};
use crate::world::tracers::Sources;
use crate::world::truth::{NORMAL, UnitTruth, labelling};
use crate::world::{Clock, Tick, TickSystems};

/// Version of the sample, also the namespace of the schema.
pub const SCHEMA_VERSION: &str = "1";
/// Metres in one degree of latitude on the WGS 84 mean sphere (R = 6,371,008.8 m).
const METRES_PER_DEGREE: f64 = 111_195.08;

/// Writes samples every tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordingPlugin;

impl Plugin for RecordingPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Tick, record.in_set(TickSystems::Record));
    }
}

/// Takes finished samples: a file, a list in a test.
pub trait SampleSink: Send + Sync + 'static {
    /// Takes one sample.
    ///
    /// # Errors
    /// When it could not be kept.
    fn take(&mut self, sample: UniversalSensorReading) -> Result<(), BevyError>;
    /// Keeps all that was taken.
    ///
    /// # Errors
    /// When it could not be kept.
    fn finish(&mut self) -> Result<(), BevyError>;
}

impl SampleSink for SampleWriter {
    fn take(&mut self, sample: UniversalSensorReading) -> Result<(), BevyError> {
        Ok(self.append(&sample)?)
    }
    fn finish(&mut self) -> Result<(), BevyError> {
        Ok(Self::finish(self)?)
    }
}

/// A sink in memory that can be read from outside.
#[derive(Clone, Debug, Default)]
pub struct SampleList(pub Arc<std::sync::Mutex<Vec<UniversalSensorReading>>>);

impl SampleSink for SampleList {
    fn take(&mut self, sample: UniversalSensorReading) -> Result<(), BevyError> {
        self.0.lock().map_err(|_| "the sample list is poisoned")?.push(sample);
        Ok(())
    }
    fn finish(&mut self) -> Result<(), BevyError> {
        Ok(())
    }
}

/// Where the samples of the run go.
#[derive(Resource)]
pub struct Recorder {
    sink: Box<dyn SampleSink>,
    run_id: String,
    sequence: Vec<i64>,
    /// Samples taken so far.
    pub samples: u64,
}

impl Recorder {
    /// A recorder of a run.
    pub fn new(sink: impl SampleSink, run_id: String) -> Self {
        Self { sink: Box::new(sink), run_id, sequence: Vec::new(), samples: 0 }
    }

    /// Keeps all that was taken.
    ///
    /// # Errors
    /// When it could not be kept.
    pub fn finish(&mut self) -> Result<(), BevyError> {
        self.sink.finish()
    }
}

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(SystemParam)]
struct Scene<'w, 's> {
    clock: Res<'w, Clock>,
    site: Res<'w, SiteInfo>,
    sources: Res<'w, Sources>,
    conditions: Res<'w, Conditions>,
    devices: Query<'w, 's, (&'static Device, &'static UnitTruth)>,
    sensors: Query<'w, 's, (&'static Instrument, &'static Reading, &'static ReadingTruth)>,
    events: Query<'w, 's, &'static EventNode>,
}

fn record(world: Scene, recorder: Option<ResMut<Recorder>>) -> Result<(), BevyError> {
    let Some(mut recorder) = recorder else {
        return Ok(());
    };
    if world.clock.warming_up() {
        return Ok(());
    }
    let now_us = world.clock.utc_us(world.clock.elapsed_us());
    let mut events: Vec<&EventNode> = world.events.iter().collect();
    events.sort_by_key(|event| event.index);
    let edge = events.iter().any(|event| event.onset_us == Some(now_us) || event.end_us == Some(now_us));
    let mut devices: Vec<_> = world.devices.iter().collect();
    devices.sort_by_key(|(device, _)| device.index);
    recorder.sequence.resize(devices.len(), 0);
    for (place, (device, truth)) in devices.into_iter().enumerate() {
        let results: Vec<_> = world.sensors.iter_many(&device.sensors).flatten().filter(|(_, reading, _)| reading.delivered).collect();
        let reason = if !results.is_empty() {
            "result"
        } else if edge {
            "event_edge"
        } else if world.conditions.scenario.record == RecordRule::EveryTick {
            "every_tick"
        } else {
            continue;
        };
        let sample = UniversalSensorReading {
            schema_version: SCHEMA_VERSION.to_owned(),
            run_id: recorder.run_id.clone(),
            sequence: recorder.sequence[place],
            tick: world.clock.tick().cast_signed(),
            sim_time_s: world.clock.now_s(),
            timestamp: now_us,
            device_timestamp: device_time(device, now_us, world.clock.now_s()),
            product_type: device.product.clone(),
            device_id: device.id.clone(),
            mode: device.mode.clone(),
            record_reason: reason.to_owned(),
            location: location(device, &world.site),
            readings: results.iter().flat_map(|(i, reading, truth)| readings(i, reading, truth.frame.as_ref(), &world.clock)).collect(),
            ground_truth: Some(ground_truth(&world, device, truth, &events, &results)),
        };
        recorder.sequence[place] += 1;
        recorder.samples += 1;
        recorder.sink.take(sample)?;
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds of a clock error, rounded")]
fn device_time(device: &Device, now_us: i64, now_s: f64) -> i64 {
    let of = |number: Option<crate::units::Finite>| number.map_or(0.0, crate::units::Finite::get);
    now_us + (of(device.clock.offset_s) * 1e6 + of(device.clock.drift_ppm) * now_s).round() as i64
}

fn location(device: &Device, site: &SiteInfo) -> Location {
    let at = device.at_m;
    Location {
        latitude_deg: site.latitude_deg + at.y / METRES_PER_DEGREE,
        longitude_deg: site.longitude_deg + at.x / (METRES_PER_DEGREE * libm::cos(site.latitude_deg.to_radians())),
        elevation_m: site.elevation_m + at.z,
        x_m: at.x,
        y_m: at.y,
        z_m: at.z,
        heading_deg: device.heading_deg,
    }
}

/// The slice of a sensor's channels that belongs to each of its quantities.
fn quantities(instrument: &Instrument) -> impl Iterator<Item = (&Quantity, std::ops::Range<usize>)> {
    instrument.parts.quantities.iter().scan(0, |from, quantity| {
        let range = *from..*from + quantity.channels.len();
        *from = range.end;
        Some((quantity, range))
    })
}

fn names(quantity: &Quantity) -> Vec<String> {
    quantity.channels.iter().map(|channel| channel.name.clone()).collect()
}

/// An image with what a perfect instrument would have seen in its place.
fn frame(image: &Image, quantity: &Quantity, ideal: Option<&Image>) -> Frame {
    let bytes = |image: &Image| image.counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    let side = |pixels: usize| i32::try_from(pixels).unwrap_or(i32::MAX);
    Frame {
        height: side(image.size[1]),
        width: side(image.size[0]),
        quantity: quantity.capability.to_owned(),
        unit: "K".to_owned(),
        encoding: "u16_le".to_owned(),
        scale: image.scale_k,
        offset: 0.0,
        data: bytes(image),
        ideal_data: ideal.map(bytes),
    }
}

fn readings<'r>(
    instrument: &'r Instrument,
    reading: &'r Reading,
    ideal: Option<&'r Image>,
    clock: &'r Clock,
) -> impl Iterator<Item = SensorReading> + 'r {
    let each = quantities(instrument).zip(&reading.verdicts).enumerate().map(|(n, (quantity, verdict))| (n == 0, quantity, verdict));
    each.map(move |(first, (quantity, range), verdict)| SensorReading {
        sensor_id: instrument.id.clone(),
        sensor_type: instrument.kind.clone(),
        capability: quantity.capability.to_owned(),
        window_start: clock.utc_us(reading.window_start_us),
        window_end: clock.utc_us(reading.window_end_us),
        result_time: clock.utc_us(reading.window_end_us),
        channels: names(quantity),
        unit: quantity.unit.to_owned(),
        value: reading.values[range.clone()].to_vec(),
        uncertainty: reading.uncertainty[range].to_vec(),
        raw_channels: quantity.raw.clone(),
        raw_unit: quantity.raw_unit.to_owned(),
        raw: quantity.raw.iter().map(|name| instrument.signal_names.iter().position(|n| n == name).and_then(|n| reading.raw[n])).collect(),
        // an image belongs to the first quantity of its sensor
        frame: reading.frame.as_ref().filter(|_| first).map(|image| frame(image, quantity, ideal)),
        waveform: None,
        quality: i32::from(verdict.quality.code()),
        flags: verdict.flags.clone(),
        compensations_applied: reading.compensations.clone(),
    })
}

fn ground_truth(
    world: &Scene,
    device: &Device,
    truth: &UnitTruth,
    events: &[&EventNode],
    results: &[(&Instrument, &Reading, &ReadingTruth)],
) -> GroundTruth {
    let priority = |index: usize| device.classes.iter().find(|c| c.name == events[index].class).map_or(0, |c| c.priority);
    let labelled = labelling(&truth.events, priority);
    let some = |values: &[f64]| values.iter().copied().map(Some).collect();
    let mut ideal = Vec::new();
    let mut contributions = Vec::new();
    let mut faults = Vec::new();
    let mut boxes = Vec::new();
    for (instrument, _, truth) in results {
        for (quantity, range) in quantities(instrument) {
            ideal.push(IdealReading {
                sensor_id: instrument.id.clone(),
                channels: names(quantity),
                unit: quantity.unit.to_owned(),
                ideal: some(&truth.ideal[range.clone()]),
                ideal_max: some(&truth.ideal_max[range.clone()]),
                without_events: some(&truth.without_events[range]),
            });
        }
        let channels: Vec<&str> = instrument.parts.channels().map(|c| c.name.as_str()).collect();
        contributions.extend(truth.contributions.iter().map(|(channel, source, amount)| Contribution {
            sensor_id: instrument.id.clone(),
            channel: channels[*channel].to_owned(),
            source: world.sources.ids[*source].clone(),
            amount: *amount,
        }));
        boxes.extend(truth.boxes.iter().map(|seen| BoxTruth {
            sensor_id: instrument.id.clone(),
            body: world.conditions.scenario.bodies[seen.body].id.clone(),
            x_min: seen.min.0,
            y_min: seen.min.1,
            x_max: seen.max.0,
            y_max: seen.max.1,
            apparent_c: seen.apparent_c,
        }));
        faults.extend(truth.faults.iter().map(|index| {
            let fault = &instrument.faults[*index];
            FaultTruth {
                sensor_id: instrument.id.clone(),
                kind: fault.name().to_owned(),
                onset: world.clock.utc_us(fault.from_us),
                end: (fault.until_us < u64::MAX).then(|| world.clock.utc_us(fault.until_us)),
            }
        }));
    }
    GroundTruth {
        label: labelled.map_or_else(|| NORMAL.to_owned(), |index| events[index].class.clone()),
        phase: labelled.map_or_else(|| "none".to_owned(), |index| events[index].phase.as_str().to_owned()),
        anomaly: events.iter().any(|event| event.phase == Phase::Active),
        severity: labelled.map(|index| events[index].intensity),
        detectable: labelled.is_some(),
        snr: truth.events.iter().map(|event| event.snr).fold(0.0, f64::max),
        events: events.iter().zip(&truth.events).map(|(event, seen)| event_truth(event, seen, device)).collect(),
        readings: ideal,
        contributions,
        boxes,
        faults,
    }
}

fn event_truth(event: &EventNode, seen: &crate::world::truth::UnitEvent, device: &Device) -> EventTruth {
    let away = event.at_m - device.at_m;
    EventTruth {
        event_id: event.id.clone(),
        label: event.class.clone(),
        phase: event.phase.as_str().to_owned(),
        source: event.source.clone(),
        onset: event.onset_us,
        arrival: seen.arrival_us,
        ignition: event.ignition_us,
        end: event.end_us,
        intensity: event.intensity,
        intensity_unit: event.intensity_unit.clone(),
        distance_m: away.length(),
        bearing_deg: libm::atan2(away.x, away.y).to_degrees().rem_euclid(360.0),
        snr: seen.snr,
        detectable: seen.detectable,
    }
}
