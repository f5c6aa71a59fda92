//! The sample as Rust types: what `schemas/UniversalSensorReading.avsc` says, field by field.

use serde::{Deserialize, Serialize};

/// Bytes as Avro has them, in text as base64.
mod bytes {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(&BASE64_STANDARD.encode(bytes))
        } else {
            apache_avro::serde::bytes::serialize(bytes, to)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        if from.is_human_readable() {
            BASE64_STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
        } else {
            apache_avro::serde::bytes::deserialize(from)
        }
    }
}

/// The same where there may be none.
mod optional_bytes {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) if to.is_human_readable() => to.serialize_some(&BASE64_STANDARD.encode(bytes)),
            _ => apache_avro::serde::bytes_opt::serialize(bytes, to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        if from.is_human_readable() {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| BASE64_STANDARD.decode(text).map_err(D::Error::custom)).transpose()
        } else {
            apache_avro::serde::bytes_opt::deserialize(from)
        }
    }
}

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
        #[serde(with = "bytes")] data: Vec<u8>,
        #[serde(with = "optional_bytes")] ideal_data: Option<Vec<u8>>,
    }
    /// A series within one reading.
    Waveform {
        rate_hz: f64, samples: i32, unit: String, encoding: String, scale: f64, offset: f64,
        #[serde(with = "bytes")] data: Vec<u8>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_frame_come_back_from_text() {
        let (data, ideal_data) = (vec![0, 255, 17, 4], Some(vec![9, 8]));
        let words = ["brightness_temperature", "K", "u16_le"].map(str::to_owned);
        let [quantity, unit, encoding] = words;
        let frame = Frame { height: 1, width: 2, quantity, unit, encoding, scale: 0.01, offset: 0.0, data, ideal_data };
        let text = serde_json::to_string(&frame).unwrap();
        assert!(text.contains("\"data\":\"AP8RBA==\"") && text.contains("\"ideal_data\":\"CQg=\""), "{text}");
        assert_eq!(serde_json::from_str::<Frame>(&text).unwrap(), frame);
        let none = serde_json::to_string(&Frame { ideal_data: None, ..frame }).unwrap();
        assert!(none.contains("\"ideal_data\":null"), "{none}");
    }
}
