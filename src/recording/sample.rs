//! The sample as Rust types: what `schemas/UniversalSensorReading.avsc` says, field by field.

use serde::{Deserialize, Serialize};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the fields are documented in the schema")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* }
    )*};
}

records! {
    /// One sample: what one unit delivered in one tick, and what was true.
    UniversalSensorReading {
        schema_version: String, run_id: String, sequence: i64, tick: i64, sim_time_s: f64, timestamp: i64, device_timestamp: i64,
        product_type: String, device_id: String, mode: String, record_reason: String, location: Location,
        readings: Vec<SensorReading>, ground_truth: Option<GroundTruth>,
    }
    /// Where the unit is.
    Location { latitude_deg: f64, longitude_deg: f64, elevation_m: f64, x_m: f64, y_m: f64, z_m: f64, heading_deg: f64 }
    /// One quantity of one sensor.
    SensorReading {
        sensor_id: String, sensor_type: String, capability: String, window_start: i64, window_end: i64, result_time: i64,
        channels: Vec<String>, unit: String, value: Vec<Option<f64>>, uncertainty: Vec<Option<f64>>,
        raw_channels: Vec<String>, raw_unit: String, raw: Vec<Option<f64>>, frame: Option<Frame>, waveform: Option<Waveform>,
        quality: i32, flags: Vec<String>, compensations_applied: Vec<String>,
    }
    /// An image.
    Frame {
        height: i32, width: i32, quantity: String, unit: String, encoding: String, scale: f64, offset: f64,
        #[serde(with = "apache_avro::serde::bytes")] data: Vec<u8>,
        #[serde(with = "apache_avro::serde::bytes_opt")] ideal_data: Option<Vec<u8>>,
    }
    /// A series within one reading.
    Waveform {
        rate_hz: f64, samples: i32, unit: String, encoding: String, scale: f64, offset: f64,
        #[serde(with = "apache_avro::serde::bytes")] data: Vec<u8>,
    }
    /// What was true.
    GroundTruth {
        label: String, phase: String, anomaly: bool, severity: Option<f64>, detectable: bool, snr: f64, events: Vec<EventTruth>,
        readings: Vec<IdealReading>, contributions: Vec<Contribution>, boxes: Vec<Box>, faults: Vec<FaultTruth>,
    }
    /// One event as it is and as this unit could notice it.
    EventTruth {
        event_id: String, label: String, phase: String, source: String, onset: Option<i64>, arrival: Option<i64>,
        ignition: Option<i64>, end: Option<i64>, intensity: f64, intensity_unit: String, distance_m: f64, bearing_deg: f64,
        snr: f64, detectable: bool,
    }
    /// What a perfect instrument would have read.
    IdealReading {
        sensor_id: String, channels: Vec<String>, unit: String, ideal: Vec<Option<f64>>, ideal_max: Vec<Option<f64>>,
        without_events: Vec<Option<f64>>,
    }
    /// How much of an ideal value one source makes.
    Contribution { sensor_id: String, channel: String, source: String, amount: f64 }
    /// Where a body stands in a frame.
    Box { sensor_id: String, body: String, x_min: f64, y_min: f64, x_max: f64, y_max: f64, apparent_c: f64 }
    /// A fault that was injected and is present.
    FaultTruth { sensor_id: String, kind: String, onset: i64, end: Option<i64> }
}
