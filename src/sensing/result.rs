//! What comes out of a sensor: the reading, what is true of it, and what firmware says in between.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use crate::sensing::quality::Quality;
use crate::sensing::{Channel, Quantity};

/// The latest result of a sensor.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// True in the tick in which it was delivered.
    pub delivered: bool,
    /// True between stage 7 and stage 8 of that tick.
    pub raw_ready: bool,
    /// How many there have been.
    pub results: u64,
    /// Microseconds since the start of the warm-up.
    pub window_start_us: u64,
    /// Microseconds since the start of the warm-up.
    pub window_end_us: u64,
    /// After stage 7 and the faults; missing after a dropout.
    pub raw: Vec<Option<f64>>,
    /// After stage 8.
    pub values: Vec<Option<f64>>,
    /// Standard uncertainty of each value.
    pub uncertainty: Vec<Option<f64>>,
    /// What the tests say of each quantity.
    pub verdicts: Vec<Verdict>,
    /// Sensors whose reports were used.
    pub compensations: Vec<String>,
    /// The image that goes with it, after stage 8.
    pub frame: Option<Image>,
}

/// An image in counts, row by row from the upper left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Pixels across and down.
    pub size: [usize; 2],
    /// Kelvin in a count.
    pub scale_k: f64,
    /// Counts from 0 K.
    pub counts: Vec<u16>,
}

impl Image {
    /// Temperatures in counts; what does not fit stops at the ends.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what 16 bits hold")]
    pub fn new(size: [usize; 2], kelvin: &[f64], scale_k: f64) -> Self {
        let count = |t: &f64| (t / scale_k).round().clamp(0.0, f64::from(u16::MAX)) as u16;
        Self { size, scale_k, counts: kelvin.iter().map(count).collect() }
    }
}

/// Where a body stands in an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BodyBox {
    /// Index of the body.
    pub body: usize,
    /// Upper left corner in pixels.
    pub min: (f64, f64),
    /// Lower right corner in pixels.
    pub max: (f64, f64),
    /// The highest apparent temperature of its pixels in the ideal image, °C.
    pub apparent_c: f64,
}

impl Reading {
    /// Takes what firmware reports, with the standard uncertainty of each channel.
    pub(crate) fn settle(&mut self, report: Report, spreads: impl Iterator<Item = f64>) {
        for (verdict, of_firmware) in self.verdicts.iter_mut().zip(report.verdicts()) {
            verdict.quality = verdict.quality.worst(of_firmware.quality);
            for flag in &of_firmware.flags {
                verdict.flag(of_firmware.quality, flag);
            }
        }
        self.uncertainty = report.values.iter().zip(spreads).map(|(value, spread)| value.map(|_| spread)).collect();
        self.compensations = report.compensations;
        self.values = report.values;
    }
}

/// What is true of the latest result; never seen by firmware.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadingTruth {
    /// Perfect instrument, mean over the window.
    pub ideal: Vec<f64>,
    /// Largest since the result before.
    pub ideal_max: Vec<f64>,
    /// The same without anything the events released.
    pub without_events: Vec<f64>,
    /// (channel, source, amount): what each source adds to the ideal value.
    pub contributions: Vec<(usize, usize, f64)>,
    /// Faults present in this result, by index.
    pub faults: Vec<usize>,
    /// The image of a perfect instrument.
    pub frame: Option<Image>,
    /// Where bodies stand in it.
    pub boxes: Vec<BodyBox>,
}

/// What the tests of stage 10 say of one quantity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Worst of the tests.
    pub quality: Quality,
    /// Which tests did not pass.
    pub flags: Vec<String>,
}

impl Verdict {
    /// Lowers the quality and says why, once.
    pub fn flag(&mut self, quality: Quality, reason: &str) {
        self.quality = self.quality.worst(quality);
        if !self.flags.iter().any(|flag| flag == reason) {
            self.flags.push(reason.to_owned());
        }
    }
}

/// What firmware reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// One for each reported channel; a channel without a value is missing.
    pub values: Vec<Option<f64>>,
    /// Sensors whose reports were used.
    pub compensations: Vec<String>,
    /// What firmware can tell of each quantity.
    verdicts: Vec<Verdict>,
    /// The quantity of each channel.
    quantity_of: Vec<usize>,
}

impl Report {
    /// An empty report of a sensor with these quantities.
    #[must_use]
    pub fn empty(quantities: &[Quantity]) -> Self {
        let quantity_of: Vec<usize> =
            quantities.iter().enumerate().flat_map(|(index, quantity)| quantity.channels.iter().map(move |_| index)).collect();
        Self {
            values: vec![None; quantity_of.len()],
            compensations: Vec::new(),
            verdicts: vec![Verdict { quality: Quality::Good, flags: Vec::new() }; quantities.len()],
            quantity_of,
        }
    }

    /// Lowers the quality of every quantity and says why.
    pub fn flag(&mut self, quality: Quality, reason: &str) {
        for verdict in &mut self.verdicts {
            verdict.flag(quality, reason);
        }
    }

    /// Lowers the quality of the quantity of one channel and says why.
    pub fn flag_channel(&mut self, channel: usize, quality: Quality, reason: &str) {
        self.verdicts[self.quantity_of[channel]].flag(quality, reason);
    }

    /// The tests every value goes through: it is a number, and within its channel's span. A quantity without any
    /// value is missing.
    pub(crate) fn test(&mut self, channels: &[&Channel]) {
        for (index, channel) in channels.iter().enumerate() {
            // a broken signal can make arithmetic fail: that is no value
            self.values[index] = self.values[index].filter(|value| value.is_finite());
            if self.values[index].is_some_and(|value| !(channel.span.0..=channel.span.1).contains(&value)) {
                self.flag_channel(index, Quality::Fail, &format!("gross_range:{}", channel.name));
            }
        }
        for (quantity, verdict) in self.verdicts.iter_mut().enumerate() {
            let mut mine = self.values.iter().zip(&self.quantity_of).filter(|(_, of)| **of == quantity);
            if mine.all(|(value, _)| value.is_none()) {
                verdict.quality = Quality::Missing;
            }
        }
    }

    /// What the tests say of each quantity.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }
}
