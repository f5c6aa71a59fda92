//! Thermal camera: an uncooled long-wave array, Lepton 3.5 class, any resolution.
//!
//! A frame goes through `optics` (where each pixel looks), `view` (what it sees there), `radiometry` (the radiance that arrives, through `haze`),
//! `detector` (what the array makes of it) and `firmware` (what is reported). The ideal frame is the mean radiance over each pixel's
//! field of view as a black-body temperature: perfect optics, no window, no noise. Faults act on the numbers that are reported,
//! a dropout on the frame as well. Left out: see the parts; pixels that do not look at the same time.

/// Radiance between 8 and 14 µm.
pub mod band;
pub(crate) mod detector;
pub(crate) mod firmware;
/// Smoke and hot air on the way.
pub mod haze;
/// Where a camera looks.
pub mod optics;
/// Radiance that reaches a camera.
pub mod radiometry;
/// What each pixel sees.
pub mod view;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

pub use detector::{Gain, total_noise};

use crate::files::kinds::{Spec, SpecFault};
use crate::files::scenario::FaultKind;
use crate::files::species::SpeciesTable;
use crate::numerics::Workers;
use crate::sensing::pipeline::{Chain, Instrument};
use crate::sensing::quality::Quality;
use crate::sensing::response::Lag;
use crate::sensing::result::{BodyBox, Image, Reading, ReadingTruth, Report, Verdict};
use crate::sensing::{Channel, Partners, Quantity, SenseSystems, Sensor, Signal, faults, register};
use crate::streams::Draws;
use crate::units::{Finite, Fraction, NonNegative, Positive, celsius, whole_micros};
use crate::world::body::Bodies;
use crate::world::enclosure::EnclosureState;
use crate::world::environment::{self, Environment, Footprint, SourceFactors, Surroundings};
use crate::world::event::{EventNode, Phase};
use crate::world::scene::{Heaters, Scene};
use crate::world::sky::Sky;
use crate::world::spawn::{RunSeed, SiteInfo};
use crate::world::sun::Sun;
use crate::world::tracers::Releases;
use crate::world::truth::SensorSight;
use crate::world::{Clock, Tick};
use band::{radiance, temperature_k};
use detector::{Detector, Exposure, Streams, Taken};
use firmware::{Assumed, Memory, correct, summary};
use haze::{Haze, Stretch};
use optics::{Blur, Lens};
use radiometry::{Between, Shades};
use view::View;

/// Reported channels.
const CHANNELS: [&str; 3] = ["thermal_max", "thermal_mean", "thermal_delta"];
/// The array is at most so many pixels along a side, and at least so many.
const PIXELS: (u16, u16) = (8, 1280);

/// Shutter events come no closer than this, s; wider blurs than this reach beyond two pixels by more than 1 %. Chosen.
const SHORTEST_SHUTTER_S: f64 = 5.0;
const WIDEST_BLUR_PX: f64 = 1.0;
/// No frame comes sooner after another, s: export rules allow 9 Hz, the Lepton gives 8.7 different frames in a second.
const FASTEST_S: f64 = 1.0 / 9.0;

/// As written: `thermal_camera(pitch_deg: -10.0)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[require(CameraView)]
pub struct ThermalCamera {
    /// Pixels across and down.
    pub size_px: (u16, u16),
    /// Field of view across.
    pub hfov_deg: Positive,
    /// First coefficient of radial distortion; −0.2124 gives the Lepton's 71° from corner to corner.
    pub distortion: Finite,
    /// How far it is turned from the unit's own y axis, clockwise.
    pub turn_deg: Finite,
    /// How far above the horizon it looks.
    pub pitch_deg: Finite,
    /// Noise of a pixel from frame to frame at 30 °C, as a temperature, mK.
    pub netd_mk: NonNegative,
    /// Standard deviation of the optics' blur in pixels.
    pub blur_px: NonNegative,
    /// Range of temperatures.
    pub gain: Gain,
    /// Time between shutter events.
    pub shutter_s: Positive,
    /// Transmission of the window before the lens, 0.85 to 0.95 for germanium; 1 without one.
    pub window: Fraction,
    /// Standard deviation of a unit's offset: 1.5 K as delivered, less once it was calibrated before a black body.
    pub offset_k: NonNegative,
    /// Firmware takes what it looks at to have this emissivity, before surroundings as warm as the air; it needs `climate`.
    pub assumed_emissivity: Fraction,
    /// Firmware undoes so much air; it needs `climate`.
    pub assumed_distance_m: NonNegative,
}

impl Default for ThermalCamera {
    /// A Lepton 3.5 without a window, a pinhole of its central scale.
    fn default() -> Self {
        let positive = |value: f64| Positive::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let number = |value: f64| NonNegative::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let finite = |value: f64| Finite::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        let share = |value: f64| Fraction::new(value).unwrap_or_else(|text| unreachable!("{text}"));
        Self {
            size_px: (160, 120),
            hfov_deg: positive(57.0),
            distortion: finite(0.0),
            turn_deg: finite(0.0),
            pitch_deg: finite(0.0),
            netd_mk: number(40.0),
            blur_px: number(0.5),
            gain: Gain::High,
            shutter_s: positive(180.0),
            window: share(1.0),
            offset_k: number(1.5),
            assumed_emissivity: share(1.0),
            assumed_distance_m: number(0.0),
        }
    }
}

impl Spec for ThermalCamera {
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        let mut list = Vec::new();
        let mut refuse = |path: &str, bad: bool, message: String| {
            if bad {
                list.push(SpecFault::bad_value(path, message));
            }
        };
        let (width, height) = self.size_px;
        let whole = PIXELS.0..=PIXELS.1;
        let odd = !whole.contains(&width) || !whole.contains(&height);
        refuse("size_px", odd, format!("an array has {} to {} pixels along each side, got {width} x {height}", PIXELS.0, PIXELS.1));
        let hfov = self.hfov_deg.get();
        refuse("hfov_deg", !(1.0..=150.0).contains(&hfov), format!("a field of view is between 1° and 150°, got {hfov}"));
        let pitch = self.pitch_deg.get();
        refuse("pitch_deg", pitch.abs() > 90.0, format!("a camera looks between −90° and 90° above the horizon, got {pitch}"));
        for (path, value) in [("window", self.window), ("assumed_emissivity", self.assumed_emissivity)] {
            refuse(path, value.get() <= 0.0, "must be above 0: nothing would come through".to_owned());
        }
        // the image must grow with the angle out to its corner: `r (1 + k r²)` grows up to r = 1/√(−3k), where it is two thirds of that
        let edge = libm::tan(0.5 * hfov.to_radians());
        let k = self.distortion.get();
        let corner = edge * (1.0 + k * edge * edge) * libm::hypot(1.0, f64::from(height) / f64::from(width));
        let folds = k < 0.0 && (corner <= 0.0 || corner >= 2.0 / 3.0 / (-3.0 * k).sqrt());
        refuse("distortion", folds || k > 1.0, format!("with {k} the image folds over before its corner"));
        let (shutter, blur) = (self.shutter_s.get(), self.blur_px.get());
        refuse(
            "shutter_s",
            shutter < SHORTEST_SHUTTER_S,
            format!("shutter events last 0.9 s and come no sooner than {SHORTEST_SHUTTER_S} s, got {shutter}"),
        );
        refuse("blur_px", blur > WIDEST_BLUR_PX, format!("a blur is at most {WIDEST_BLUR_PX} pixels wide, got {blur}"));
        list
    }
}

/// What a unit is like and what it remembers.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct CameraState {
    detector: Detector,
    memory: Memory,
    /// What is reported of the latest frame before firmware and faults.
    before: Vec<f64>,
}

/// What a camera sees; follows from where it is and from the scene.
#[derive(Component, Clone, Debug, Default)]
struct CameraView {
    view: View,
    streams: Option<Streams>,
}

impl Sensor for ThermalCamera {
    const KIND: &'static str = "thermal_camera";
    const ABOUT: &'static str = "frames of apparent temperature, uncooled 8-14 um array, Lepton 3.5 class";
    type State = CameraState;

    fn quantities(&self) -> Vec<Quantity> {
        let channel = |name: &str| {
            let difference = name == CHANNELS[2];
            let span = if difference { (-1.0, 700.0) } else { (-60.0, 700.0) };
            let systematic = if difference { 0.2 } else { self.offset_k.get().max(0.3) };
            Channel { name: name.to_owned(), lag: Lag::NONE, span, systematic }
        };
        vec![Quantity {
            capability: "brightness_temperature",
            unit: "Cel",
            channels: CHANNELS.map(channel).to_vec(),
            raw_unit: "Cel",
            raw: CHANNELS.map(str::to_owned).to_vec(),
        }]
    }

    fn signals(&self) -> Vec<Signal> {
        CHANNELS.map(Signal::ideal).to_vec()
    }

    fn shortest_period_s(&self) -> f64 {
        FASTEST_S
    }

    fn manufacture(&self, draws: &mut Draws, state: &mut Self::State) {
        let pixels = usize::from(self.size_px.0) * usize::from(self.size_px.1);
        state.detector.manufacture(draws, pixels, self.offset_k.get());
    }

    /// Frames are taken by a system of the kind's own, which looks at the scene.
    fn measurand(&self, _air: &Surroundings, _out: &mut [f64]) {}
}

impl ThermalCamera {
    fn size(&self) -> [usize; 2] {
        [usize::from(self.size_px.0), usize::from(self.size_px.1)]
    }

    fn blur(&self) -> Blur {
        Blur { sigma_px: self.blur_px.get() }
    }

    fn exposure(&self, board_k: f64, at_us: u64, index: u64, louder: f64) -> Exposure {
        Exposure {
            size: self.size(),
            netd_k: 1e-3 * self.netd_mk.get(),
            gain: self.gain,
            window: self.window.get(),
            shutter_us: whole_micros(self.shutter_s.get()),
            board_k,
            at_us,
            index,
            louder,
        }
    }

    fn lens(&self, footprint: &Footprint, heading_deg: f64) -> Lens {
        let heading_deg = heading_deg + self.turn_deg.get();
        Lens::new(footprint.middle_m(), heading_deg, self.pitch_deg.get(), self.size(), self.hfov_deg.get(), self.distortion.get())
    }
}

/// In the unit that is reported: the first two are temperatures, the third is a difference.
fn reported([most, mean, above]: [f64; 3]) -> Vec<f64> {
    vec![celsius(most), celsius(mean), above]
}

type Cameras<'a> = (
    (&'a ThermalCamera, &'a Instrument, &'a Footprint),
    &'a mut CameraState,
    &'a mut CameraView,
    &'a mut Chain,
    &'a mut Reading,
    &'a mut ReadingTruth,
    &'a mut SensorSight,
);

/// Takes the frames that are due.
fn take_frames(
    environment: Environment,
    (clock, seed, site, workers): (Res<Clock>, Res<RunSeed>, Res<SiteInfo>, Res<Workers>),
    (scene, sky, bodies, species): (Res<Scene>, Res<Sky>, Res<Bodies>, Res<SpeciesTable>),
    events: Query<&EventNode>,
    enclosures: Query<&EnclosureState>,
    mut cameras: Query<Cameras<'_>>,
) {
    let mut events: Vec<&EventNode> = events.iter().collect();
    events.sort_by_key(|event| event.index);
    let mut hangs = None;
    for ((camera, instrument, footprint), mut state, mut seen, mut chain, mut reading, mut truth, mut sight) in &mut cameras {
        let truth = &mut *truth;
        reading.delivered = false;
        let Some(period_us) = instrument.period_us else {
            continue;
        };
        sight.events.resize_with(events.len(), Default::default);
        let Some((index, at_us)) = chain.take_instant(&clock, period_us) else {
            continue;
        };
        let mut air = Surroundings::default();
        let around = environment.view();
        around.look(footprint, &SourceFactors::default(), &mut air);
        let board_k = match enclosures.get(instrument.device) {
            Ok(EnclosureState(Some(enclosure))) => enclosure.board_k,
            _ => air.temperature_k,
        };
        let CameraView { view, streams } = &mut *seen;
        let (size, blur) = (camera.size(), camera.blur());
        let lens = camera.lens(footprint, instrument.heading_deg);
        view.refresh(&lens, blur, &scene, &workers);
        let sun = Sun::at(clock.utc_us(at_us), site.latitude_deg, site.longitude_deg);
        let between = Between { air_k: air.weather_temperature_k, humidity_frac: air.weather_humidity_frac };
        let shades = Shades::new(&scene.surfaces, &sky, &sun, between);
        let look = Look { around: &around, air: &air, species: &species, scene: &scene, view, lens, blur, workers: &workers };
        // the same for all cameras of a tick
        let on_cells = hangs.get_or_insert_with(|| Haze::on_cells(&around, &species, |_| true));
        let shades = shades.behind(look.ways(on_cells.as_ref()));
        let picture = look.picture(&shades);
        truth.ideal = reported(summary(&picture.ideal_k, size[0]));
        truth.ideal_max.clone_from(&truth.ideal);
        truth.without_events.clone_from(&truth.ideal);
        truth.boxes = boxes(view, &scene, bodies.kelvin.len(), &picture.ideal_k, size[0]);
        let without = |events: &[&EventNode], warm: &[&EventNode]| look.picture_without(&shades, &environment.releases, events, warm);
        let without_all = without(&events, &events);
        if let Some(without) = &without_all {
            truth.without_events = reported(summary(&without.ideal_k, size[0]));
        }
        let mut changes: Vec<(usize, f64)> = Vec::new();
        for event in &events {
            // a body that is a little warm before the event begins, or still warm after it, is not the event; smoke that still hangs is
            let without = match event.phase {
                Phase::Pending => None,
                Phase::Active if events.len() == 1 => without_all.clone(),
                Phase::Active => without(&[*event], &[*event]),
                Phase::Ended => without(&[*event], &[]),
            };
            changes.push((event.index, without.map_or(0.0, |without| picture.largest_change(&without))));
        }
        let louder = faults::noise_factor(&instrument.faults, at_us);
        let exposure = camera.exposure(board_k, at_us, index, louder);
        let streams = streams.get_or_insert_with(|| Streams::new(seed.0, &instrument.path));
        let detector = &mut state.detector;
        let stuck = instrument.faults.iter().any(|fault| fault.present(at_us) && fault.kind == FaultKind::Stuck);
        let taken =
            if stuck && !detector.frame_k.is_empty() { Taken::default() } else { detector.take(&picture.on_array, &exposure, streams) };
        let ideal = Image::new(size, &picture.ideal_k, detector.gain().span().2);
        let noise = detector.noise(exposure.netd_k);
        for (event, most) in changes {
            sight.events[event].result(CHANNELS[0], exposure.window * most / noise, at_us);
        }
        state.before = reported(summary(&state.detector.frame_k, size[0]));
        deliver(instrument, state.before.clone(), taken, at_us, &mut reading, truth);
        truth.frame = reading.raw.iter().all(Option::is_some).then_some(ideal);
    }
}

/// What a camera looks at in a moment, and how.
struct Look<'l> {
    around: &'l environment::View<'l>,
    air: &'l Surroundings,
    species: &'l SpeciesTable,
    scene: &'l Scene,
    view: &'l View,
    lens: Lens,
    blur: Blur,
    workers: &'l Workers,
}

impl Look<'_> {
    /// What of smoke and heat on the cells lies on the way to each pixel.
    fn ways(&self, on_cells: Option<&[Vec<f64>; 2]>) -> Vec<Vec<Stretch>> {
        let haze = on_cells.and_then(|on_cells| Haze::of(self.around.grid(), on_cells, self.air));
        haze.map(|haze| haze.ways(&self.lens, self.view, self.workers)).unwrap_or_default()
    }

    fn picture(&self, shades: &Shades) -> Picture {
        Picture::new(shades, self.view, self.lens.size, self.blur)
    }

    /// The picture without what some events put on the way and without what some warm; none if that is nothing.
    fn picture_without(&self, shades: &Shades, releases: &Releases, events: &[&EventNode], warm: &[&EventNode]) -> Option<Picture> {
        let released = |slot: usize| events.iter().any(|event| event.released(releases, slot));
        let on_the_way = shades.hazy() && Haze::hangs(self.around, self.species, released);
        let heaters = Heaters::of(warm.iter().copied());
        if !on_the_way && !self.scene.surfaces.iter().any(|surface| heaters.without_k(surface).is_some()) {
            return None;
        }
        let mut shades = shades.without(self.scene, &heaters);
        if on_the_way {
            shades = shades.behind(self.ways(Haze::on_cells(self.around, self.species, |slot| !released(slot)).as_ref()));
        }
        Some(self.picture(&shades))
    }
}

/// What arrives at a camera in a moment.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Radiance as the optics blur it and the pixels gather it.
    pub(crate) on_array: Vec<f64>,
    /// What a perfect instrument shows, K.
    pub(crate) ideal_k: Vec<f64>,
}

impl Picture {
    /// What a view shows in these shades.
    pub(crate) fn new(shades: &Shades, view: &View, size: [usize; 2], blur: Blur) -> Self {
        let incoming = shades.image(view);
        let ideal_k = incoming.iter().map(|l| temperature_k(*l)).collect();
        Self { on_array: shades.blurred(view, incoming, size, blur), ideal_k }
    }

    /// The largest difference of radiance in any pixel.
    fn largest_change(&self, other: &Self) -> f64 {
        self.on_array.iter().zip(&other.on_array).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}

/// Stages 9 and 10 of a frame, without what firmware says.
fn deliver(instrument: &Instrument, mut raw: Vec<f64>, taken: Taken, at_us: u64, reading: &mut Reading, truth: &mut ReadingTruth) {
    let last: Option<Vec<f64>> = reading.raw.iter().copied().collect();
    let last = last.filter(|last| last.len() == raw.len());
    truth.faults = (0..instrument.faults.len()).filter(|n| instrument.faults[*n].present(at_us)).collect();
    let delivered = faults::apply(&instrument.faults, at_us, &instrument.signal_names, &mut raw, last.as_deref());
    let mut verdict = Verdict::default();
    for (flagged, flag) in [(taken.frozen, "shutter"), (taken.saturated, "saturated")] {
        if flagged {
            verdict.flag(Quality::Suspect, flag);
        }
    }
    reading.frame = None;
    reading.raw = raw.into_iter().map(|value| delivered.then_some(value)).collect();
    if !delivered {
        verdict.flag(Quality::Missing, "missing");
    }
    reading.verdicts = vec![verdict];
    (reading.window_start_us, reading.window_end_us) = (at_us, at_us);
    (reading.delivered, reading.raw_ready) = (true, true);
    reading.results += 1;
}

/// Where each body stands in the image and how hot it looks there.
pub(crate) fn boxes(view: &View, scene: &Scene, bodies: usize, ideal_k: &[f64], width: usize) -> Vec<BodyBox> {
    let mut list: Vec<Option<BodyBox>> = vec![None; bodies];
    for (pixel, body) in view.bodies(scene) {
        let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
        let apparent_c = celsius(ideal_k[pixel]);
        let whole = list[body].get_or_insert(BodyBox { body, min: (x, y), max: (x, y), apparent_c });
        whole.min = (whole.min.0.min(x), whole.min.1.min(y));
        whole.max = (whole.max.0.max(x + 1.0), whole.max.1.max(y + 1.0));
        whole.apparent_c = whole.apparent_c.max(apparent_c);
    }
    list.into_iter().flatten().collect()
}

/// Stages 8 and 10 of a camera.
fn run_firmware(world: &mut World, sensor: Entity, partners: &Partners, partners_lost: bool) {
    let mut entity = world.entity_mut(sensor);
    let Ok((camera, instrument, mut state, mut reading)) =
        entity.get_components_mut::<(&ThermalCamera, &Instrument, &mut CameraState, &mut Reading)>()
    else {
        return;
    };
    let reading = &mut *reading;
    reading.raw_ready = false;
    let mut report = Report::empty(&instrument.parts.quantities);
    if let Some(raw) = reading.raw.iter().copied().collect::<Option<Vec<f64>>>() {
        let assumed = Assumed {
            emissivity: camera.assumed_emissivity.get(),
            distance_m: camera.assumed_distance_m.get(),
            window: camera.window.get(),
        };
        let CameraState { detector, memory, before } = &mut *state;
        let (frame_k, used) = correct(&detector.frame_k, partners, assumed, (detector.shutter.count, reading.window_end_us), memory);
        let after = reported(summary(&frame_k, camera.size()[0]));
        // a fault of a number stays in it: it is corrected by as much as the frame
        for (n, value) in report.values.iter_mut().enumerate() {
            *value = Some(raw[n] + after[n] - before[n]);
        }
        reading.frame = Some(Image::new(camera.size(), &frame_k, detector.gain().span().2));
        report.compensations = used;
        if partners_lost {
            report.flag(Quality::Suspect, "partner_unusable");
        }
    }
    let channels: Vec<&Channel> = instrument.parts.channels().collect();
    report.test(&channels);
    // the mean of nine pixels at 30 °C
    let noise_k = state.detector.noise(1e-3 * camera.netd_mk.get()) / radiance(crate::units::kelvin(30.0)).1 / 3.0;
    reading.settle(report, channels.iter().map(|channel| libm::hypot(noise_k, channel.systematic)));
}

/// Lets products mount a [`ThermalCamera`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ThermalCameraPlugin;

impl Plugin for ThermalCameraPlugin {
    fn build(&self, app: &mut App) {
        register::<ThermalCamera>(app, run_firmware);
        app.init_resource::<Scene>().add_systems(Tick, take_frames.in_set(SenseSystems).ambiguous_with(SenseSystems));
    }
}
