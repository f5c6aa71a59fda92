//! From radiance on the array to counts: window, lag, unit errors, drift between shutter events, noise, bad pixels.
//!
//! The optics' blur came before (`radiometry`), lag comes before noise: both would shrink it and smear dead pixels. Noise has the eight parts of the
//! three-dimensional model (D'Agostino and Webb, *Proc. SPIE* 1488, 1991); neighbours share a part of it. At a shutter event
//! (flat-field correction) the offset and the fixed pattern start anew and the image stands still. Figures: section 11 of the
//! sensor reference, Lepton 3.5 engineering datasheet; those marked chosen have no published value. Left out: drift after
//! power-up, vignetting, the shutter's own temperature error.

use serde::{Deserialize, Serialize};

use crate::sensing::thermal_camera::band::{radiance, temperature_k};
use crate::streams::{Draws, Stream};
use crate::units::kelvin;

/// The temperature at which noise is stated, K.
const STATED_K: f64 = 303.15;
/// Parts of the noise, in units of the pixel's own from frame to frame: rows, columns and the whole frame from frame to frame;
/// the fixed pattern just after a shutter event and long after it; fixed rows and columns.
const ROWS: f64 = 0.2;
const COLUMNS: f64 = 0.2;
const BOUNCE: f64 = 0.2;
const PATTERN: (f64, f64) = (0.5, 1.0);
const STRIPES: f64 = 0.3;
/// What a pixel shares with the one to its left and the one above it: chosen, so that neighbours correlate.
const SHARED: f64 = 0.25;
/// Noise in low gain over that in high gain.
const LOW_GAIN_NOISE: f64 = 4.0;
/// Time constant of the bolometer and of the filter behind it, s: one to three frames of 0.115 s.
const LAG_S: f64 = 0.15;
/// A shutter event comes when the camera has warmed or cooled by this, K, and lasts so long, µs.
const SHUTTER_K: f64 = 1.5;
const SHUTTER_US: u64 = 900_000;
/// Between these the shutter works, K.
const SHUTTER_RANGE_K: (f64, f64) = (263.15, 353.15);
/// Spread of a unit's gain, and of the coefficients of its drift, relative.
const GAIN_SPREAD: f64 = 0.01;
const DRIFT_SPREAD: f64 = 0.18;
/// Drift as designed: K for each K since the shutter event, K for each K/min of the board, K for each K of the board from 25 °C.
/// The first is the middle of 0.05 to 0.15; the others are chosen: an error of 1.6 K at 20 K from 25 °C, within ±5 °C.
pub(crate) const DRIFT: [f64; 3] = [0.10, 1.0, 0.08];
/// Share of pixels that are bad, and of those the share that firmware does not know of: chosen within 0.02 to 0.5 %.
const BAD: f64 = 1e-3;
const UNKNOWN: f64 = 0.1;
/// How far the warm state of a blinking pixel lies above the other, K, how often it changes; how far a hot one lies off: chosen.
const BLINK_K: f64 = 2.0;
const BLINKS: f64 = 0.05;
const HOT_K: f64 = 6.0;
/// Counts at which low gain is asked for: this share of pixels above the span of high gain.
const TOO_HOT: f64 = 0.01;

/// Which range of temperatures the counts cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gain {
    /// −10 to 140 °C, 0.01 K a count.
    #[default]
    High,
    /// −10 to 400 °C, 0.1 K a count.
    Low,
    /// Low while a hundredth of the image is too hot for high.
    Auto,
}

impl Gain {
    /// Lowest and highest temperature, K, and one count.
    #[must_use]
    pub fn span(self) -> (f64, f64, f64) {
        if self == Self::Low { (kelvin(-10.0), kelvin(400.0), 0.1) } else { (kelvin(-10.0), kelvin(140.0), 0.01) }
    }
}

/// How a pixel is bad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Flaw {
    /// It always shows this, K.
    Dead(f64),
    /// It is off by this, K.
    Hot(f64),
    /// It jumps between two states.
    Blinking(bool),
}

/// A shutter event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shutter {
    /// How many there have been.
    pub(crate) count: u64,
    /// When, µs since the start of the warm-up.
    at_us: i64,
    /// The board then, K.
    board_k: f64,
}

/// What is a unit's own, and what it remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Detector {
    gain_error: f64,
    offset_k: f64,
    drift: [f64; 3],
    flaws: Vec<(usize, Flaw, bool)>,
    phase: f64,
    pub(crate) shutter: Shutter,
    /// The radiance each pixel has followed to.
    followed: Vec<f64>,
    board: Option<(u64, f64)>,
    /// Temperatures of the latest frame before firmware, K.
    pub(crate) frame_k: Vec<f64>,
    low_gain: bool,
    /// The fixed pattern since the latest shutter event, and which that was; drawn anew from its stream where it is missing.
    #[serde(skip)]
    pattern: Option<(u64, Fixed)>,
}

/// What does not change between shutter events: rows and columns, pixels.
#[derive(Clone, Debug)]
struct Fixed {
    lines: Vec<f64>,
    pixels: Vec<f64>,
}

/// The streams of one camera.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    noise: Stream,
    pattern: Stream,
    blink: Stream,
}

impl Streams {
    pub(crate) fn new(seed: u64, path: &str) -> Self {
        Self {
            noise: Stream::new(seed, path, "white"),
            pattern: Stream::new(seed, path, "pattern"),
            blink: Stream::new(seed, path, "blink"),
        }
    }
}

/// What a frame is taken with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposure {
    pub(crate) size: [usize; 2],
    pub(crate) netd_k: f64,
    pub(crate) gain: Gain,
    /// Transmission of the window before the lens, which is as warm as the board.
    pub(crate) window: f64,
    pub(crate) shutter_us: u64,
    pub(crate) board_k: f64,
    /// µs since the start of the warm-up.
    pub(crate) at_us: u64,
    /// Frames taken before.
    pub(crate) index: u64,
    /// Noise is so many times louder.
    pub(crate) louder: f64,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The image stands still because the shutter is closed.
    pub(crate) frozen: bool,
    /// Some pixel was outside the range of counts.
    pub(crate) saturated: bool,
}

impl Detector {
    /// Draws what is this unit's own; `offset_k` is the standard deviation of its offset.
    pub(crate) fn manufacture(&mut self, draws: &mut Draws, pixels: usize, offset_k: f64) {
        self.gain_error = GAIN_SPREAD * draws.normal();
        self.offset_k = offset_k * draws.normal();
        self.drift = DRIFT.map(|nominal| nominal * (1.0 + DRIFT_SPREAD * draws.normal()));
        self.phase = draws.uniform();
        for pixel in 0..pixels {
            if draws.uniform() < BAD {
                let kind = draws.uniform();
                let flaw = if kind < 0.4 {
                    Flaw::Dead(kelvin(draws.between(-5.0, 60.0)))
                } else if kind < 0.7 {
                    Flaw::Hot(HOT_K * draws.normal())
                } else {
                    Flaw::Blinking(false)
                };
                self.flaws.push((pixel, flaw, draws.uniform() >= UNKNOWN));
            }
        }
    }

    /// Takes a frame of the radiance that reaches the window: [`Self::frame_k`] holds it then.
    pub(crate) fn take(&mut self, incoming: &[f64], exposure: &Exposure, streams: &Streams) -> Taken {
        let Exposure { board_k, at_us, .. } = *exposure;
        let window = radiance(board_k).0;
        let image: Vec<f64> = incoming.iter().map(|l| exposure.window * l + (1.0 - exposure.window) * window).collect();
        let before = self.board.replace((at_us, board_k));
        self.follow(image, before.map(|(then_us, _)| (at_us - then_us) as f64 * 1e-6));
        let frozen = self.shutter_is_closed(exposure);
        if frozen && !self.frame_k.is_empty() {
            return Taken { frozen: true, saturated: false };
        }
        let rate = before
            .filter(|(then_us, _)| *then_us < at_us)
            .map_or(0.0, |(then_us, then_k)| (board_k - then_k) / ((at_us - then_us) as f64 * 1e-6 / 60.0));
        let drifts = [board_k - self.shutter.board_k, rate, board_k - kelvin(25.0)];
        let off_k = self.offset_k + self.drift.iter().zip(drifts).map(|(each, by)| each * by).sum::<f64>();
        let (_, slope) = radiance(STATED_K);
        let mut values: Vec<f64> = self.followed.iter().map(|l| window + (1.0 + self.gain_error) * (l - window) + off_k * slope).collect();
        let hot = radiance(Gain::High.span().1).0;
        self.low_gain = match exposure.gain {
            Gain::Auto => values.iter().filter(|l| **l > hot).count() as f64 > TOO_HOT * values.len() as f64,
            gain => gain == Gain::Low,
        };
        let loud = if self.low_gain { LOW_GAIN_NOISE } else { 1.0 };
        self.add_noise(&mut values, exposure, loud * exposure.louder * exposure.netd_k * slope, streams);
        self.frame_k = values.into_iter().map(temperature_k).collect();
        self.spoil(exposure, streams);
        let (low, high, count) = self.gain().span();
        let mut saturated = false;
        for value in &mut self.frame_k {
            saturated |= *value < low || *value > high;
            *value = (value.clamp(low, high) / count).round() * count;
        }
        Taken { frozen: false, saturated }
    }

    /// All noise of a pixel of the latest frame as radiance, one standard deviation: spatial, from frame to frame and of its counts.
    pub(crate) fn noise(&self, netd_k: f64) -> f64 {
        let loud = if self.low_gain { LOW_GAIN_NOISE } else { 1.0 };
        let (_, _, count_k) = self.gain().span();
        libm::hypot(loud * netd_k * total_noise(), count_k / 12f64.sqrt()) * radiance(STATED_K).1
    }

    /// The range the latest frame was taken in.
    pub(crate) fn gain(&self) -> Gain {
        if self.low_gain { Gain::Low } else { Gain::High }
    }

    /// Each pixel follows the radiance on it, which stands for the whole time since the frame before.
    fn follow(&mut self, image: Vec<f64>, since_s: Option<f64>) {
        match since_s.filter(|_| self.followed.len() == image.len()) {
            Some(since_s) => {
                let left = libm::exp(-since_s / LAG_S);
                for (value, now) in self.followed.iter_mut().zip(image) {
                    *value = now + (*value - now) * left;
                }
            }
            None => self.followed = image,
        }
    }

    /// Lets the shutter close when its time has come; whether it is closed now.
    fn shutter_is_closed(&mut self, exposure: &Exposure) -> bool {
        let Exposure { at_us, board_k, shutter_us, .. } = *exposure;
        let now = at_us.cast_signed();
        let can = board_k >= SHUTTER_RANGE_K.0 && board_k <= SHUTTER_RANGE_K.1;
        if self.shutter.count == 0 {
            // at power-up, before the run; the clock of the shutter is not that of the frames
            #[expect(clippy::cast_possible_truncation, reason = "a part of the shutter's period")]
            let ago_us = (self.phase * shutter_us as f64) as i64;
            self.shutter = Shutter { count: 1, at_us: now - ago_us - SHUTTER_US.cast_signed(), board_k };
            return false;
        }
        let due_us = self.shutter.at_us + shutter_us.cast_signed();
        if can && now >= due_us {
            // events between two frames have passed unseen
            let missed = (now - due_us) / shutter_us.max(1).cast_signed();
            let at_us = due_us + missed * shutter_us.cast_signed();
            self.shutter = Shutter { count: self.shutter.count + 1 + missed.cast_unsigned(), at_us, board_k };
        } else if can && (board_k - self.shutter.board_k).abs() > SHUTTER_K {
            self.shutter = Shutter { count: self.shutter.count + 1, at_us: now, board_k };
        }
        now < self.shutter.at_us + SHUTTER_US.cast_signed()
    }

    /// Adds noise of this standard deviation for a pixel from frame to frame, in radiance.
    fn add_noise(&mut self, values: &mut [f64], exposure: &Exposure, sigma: f64, streams: &Streams) {
        let [width, height] = exposure.size;
        let age = (exposure.at_us.cast_signed() - self.shutter.at_us) as f64 / exposure.shutter_us.max(1) as f64;
        let pattern = PATTERN.0 + (PATTERN.1 - PATTERN.0) * age.clamp(0.0, 1.0);
        let lines = |draws: &mut Draws| {
            let mut list = vec![0.0; width + height + 1];
            draws.normals(&mut list);
            list
        };
        let count = self.shutter.count;
        if self.pattern.as_ref().is_none_or(|(of, _)| *of != count) {
            let mut draws = streams.pattern.at(count);
            self.pattern = Some((count, Fixed { lines: lines(&mut draws), pixels: shared_noise(&mut draws, width, height) }));
        }
        let Some((_, fixed)) = &self.pattern else {
            return;
        };
        let mut draws = streams.noise.at(exposure.index);
        let (now, pixels) = (lines(&mut draws), shared_noise(&mut draws, width, height));
        let bounce = BOUNCE * now[width + height];
        for (n, value) in values.iter_mut().enumerate() {
            let (x, y) = (n % width, n / width);
            let moving = pixels[n] + COLUMNS * now[x] + ROWS * now[width + y] + bounce;
            let standing = pattern * fixed.pixels[n] + STRIPES * (fixed.lines[x] + fixed.lines[width + y]);
            *value += sigma * (moving + standing);
        }
    }

    /// What bad pixels make of a frame, and what firmware makes of those it knows.
    fn spoil(&mut self, exposure: &Exposure, streams: &Streams) {
        let [width, height] = exposure.size;
        let mut draws = streams.blink.at(exposure.index);
        for (pixel, flaw, _) in &mut self.flaws {
            match flaw {
                Flaw::Dead(shows) => self.frame_k[*pixel] = *shows,
                Flaw::Hot(off) => self.frame_k[*pixel] += *off,
                Flaw::Blinking(warm) => {
                    *warm ^= draws.uniform() < BLINKS;
                    self.frame_k[*pixel] += if *warm { BLINK_K } else { 0.0 };
                }
            }
        }
        for (pixel, _, known) in &self.flaws {
            if *known {
                let (x, y) = (pixel % width, pixel / width);
                let neighbours = [(x.checked_sub(1), Some(y)), (Some(x + 1), Some(y)), (Some(x), y.checked_sub(1)), (Some(x), Some(y + 1))];
                let good = |at: usize| !self.flaws.iter().any(|(bad, _, _)| *bad == at);
                let inside = neighbours.into_iter().filter_map(|(x, y)| Some((x?, y?))).filter(|(x, y)| *x < width && *y < height);
                let list: Vec<f64> = inside.map(|(x, y)| x + width * y).filter(|at| good(*at)).map(|at| self.frame_k[at]).collect();
                if !list.is_empty() {
                    self.frame_k[*pixel] = list.iter().sum::<f64>() / list.len() as f64;
                }
            }
        }
    }
}

/// All noise of a pixel, spatial and from frame to frame, over that from frame to frame alone, long after a shutter event.
#[must_use]
pub fn total_noise() -> f64 {
    let parts = [1.0, ROWS, COLUMNS, BOUNCE, PATTERN.1, STRIPES, STRIPES];
    parts.into_iter().map(|part| part * part).sum::<f64>().sqrt()
}

/// Normals of which neighbours share a part, standard deviation 1.
fn shared_noise(draws: &mut Draws, width: usize, height: usize) -> Vec<f64> {
    let own = 1.0 / (1.0 + 2.0 * SHARED * SHARED).sqrt();
    // one row and one column more than the image, so that its edges are like its middle
    let mut white = vec![0.0; (width + 1) * (height + 1)];
    draws.normals(&mut white);
    let mut noise = Vec::with_capacity(width * height);
    for rows in white.windows(2 * (width + 1)).step_by(width + 1) {
        let (above, row) = rows.split_at(width + 1);
        noise.extend(row.windows(2).zip(&above[1..]).map(|(pair, above)| own * (pair[1] + SHARED * (pair[0] + above))));
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [160, 120];

    fn exposure(at_s: f64, index: u64, board_k: f64) -> Exposure {
        Exposure {
            size: SIZE,
            netd_k: 0.04,
            gain: Gain::High,
            window: 1.0,
            shutter_us: 180_000_000,
            board_k,
            at_us: crate::units::whole_micros(at_s),
            index,
            louder: 1.0,
        }
    }

    fn uniform(t_c: f64) -> Vec<f64> {
        vec![radiance(kelvin(t_c)).0; SIZE[0] * SIZE[1]]
    }

    #[test]
    fn noise_is_as_loud_as_stated_shared_by_neighbours_and_counted() {
        let (mut detector, streams) = (Detector::default(), Streams::new(3, "cam"));
        let frames: Vec<Vec<f64>> = (0..60)
            .map(|n| {
                detector.take(&uniform(30.0), &exposure(n as f64 + 1.0, n, 303.15), &streams);
                detector.frame_k.clone()
            })
            .collect();
        // from frame to frame, without what whole rows, columns and frames do
        let (mut square, mut product, mut count) = (0.0, 0.0, 0.0);
        for pair in frames.windows(2) {
            let difference: Vec<f64> = pair[1].iter().zip(&pair[0]).map(|(b, a)| b - a).collect();
            for y in 1..120 {
                for x in 1..160 {
                    let flat = |x: usize, y: usize| difference[x + 160 * y] - difference[x + 160 * (y - 1)];
                    square += flat(x, y) * flat(x, y);
                    product += flat(x, y) * flat(x - 1, y);
                    count += 1.0;
                }
            }
        }
        // a difference of two frames and of two rows: four times the variance, less what neighbours share; rows add 2 · 2 · 0.04
        let shared = SHARED / (1.0 + 2.0 * SHARED * SHARED);
        let expected = 0.04 * (4.0 * (1.0 - shared) + 4.0 * ROWS * ROWS).sqrt();
        let measured = (square / count).sqrt();
        assert!((measured / expected - 1.0).abs() < 0.03, "{measured} {expected}");
        assert!(product / square > 0.1, "neighbours correlate: {}", product / square);
        assert!(frames.iter().flatten().all(|t| (t * 100.0 - (t * 100.0).round()).abs() < 1e-6));
    }

    #[test]
    fn the_image_stands_still_at_a_shutter_event_and_its_error_steps_back() {
        let mut detector = Detector { drift: [0.1, 0.0, 0.0], ..Detector::default() };
        let streams = Streams::new(3, "cam");
        let mean = |detector: &Detector| detector.frame_k.iter().sum::<f64>() / detector.frame_k.len() as f64;
        let quiet = |at_s: f64, index, board_k| Exposure { netd_k: 0.0, ..exposure(at_s, index, board_k) };
        let (mut errors, mut frozen) = (Vec::new(), 0usize);
        for n in 0..400u64 {
            let at_s = 0.5 * n as f64 + 0.5;
            let taken = detector.take(&uniform(20.0), &quiet(at_s, n, 293.15 + at_s / 150.0), &streams);
            frozen += usize::from(taken.frozen);
            errors.push(mean(&detector) - kelvin(20.0));
        }
        let largest = errors.iter().copied().fold(0.0, f64::max);
        let steps: Vec<f64> = errors.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step < -0.03).collect();
        assert!((0.08..0.15).contains(&largest), "{largest}");
        // 0.9 s are one or two frames of half a second
        assert!(!steps.is_empty() && (steps.len()..=2 * steps.len()).contains(&frozen), "{steps:?} {frozen}");
    }

    #[test]
    fn too_hot_an_image_saturates_or_changes_the_range() {
        let streams = Streams::new(3, "cam");
        let take = |gain| {
            let mut detector = Detector::default();
            let taken = detector.take(&uniform(250.0), &Exposure { gain, ..exposure(1.0, 0, 300.0) }, &streams);
            (taken.saturated, crate::units::celsius(detector.frame_k[0]).round())
        };
        assert_eq!(take(Gain::High), (true, 140.0));
        assert_eq!(take(Gain::Low), (false, 250.0));
        assert_eq!(take(Gain::Auto), (false, 250.0));
    }

    #[test]
    fn bad_pixels_that_firmware_knows_look_like_their_neighbours() {
        let mut detector = Detector::default();
        detector.manufacture(&mut Stream::new(5, "unit", "test").at(0), SIZE[0] * SIZE[1], 0.0);
        assert!((10..35).contains(&detector.flaws.len()), "{}", detector.flaws.len());
        let unknown = detector.flaws.iter().filter(|(_, _, known)| !known).count();
        detector.take(&uniform(20.0), &exposure(1.0, 0, 298.15), &Streams::new(3, "cam"));
        let mean = detector.frame_k.iter().sum::<f64>() / detector.frame_k.len() as f64;
        let off = detector.frame_k.iter().filter(|t| (*t - mean).abs() > 0.6).count();
        assert!(off <= unknown, "{off} {unknown}");
    }
}
