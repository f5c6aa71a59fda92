//! The engine of the ten stages, once for all kinds of sensors.

use std::path::Path;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use crate::sensing::faults::{self, Fault};
use crate::sensing::floor::Floor;
use crate::sensing::noise::{NoiseState, NoiseStreams};
use crate::sensing::quality::{FlatLine, Quality};
use crate::sensing::result::{Reading, ReadingTruth, Report, Verdict};
use crate::sensing::{Channel, Partners, Quantity, Sensor, Signal};
use crate::streams::{Draws, Stream};
use crate::world::Clock;
use crate::world::enclosure::EnclosureState;
use crate::world::environment::{Environment, Footprint, SourceFactors, Surroundings};
use crate::world::event::{EventNode, Phase};
use crate::world::spawn::RunSeed;
use crate::world::tracers::{Releases, Sources};
use crate::world::truth::SensorSight;

/// What a sensor is made of, fixed for the run.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorParts {
    /// What it reports.
    pub quantities: Vec<Quantity>,
    /// Raw channels.
    pub signals: Vec<Signal>,
    /// The signals each quantity is made from, by index.
    pub made_from: Vec<Vec<usize>>,
    /// Seconds of averaging.
    pub average_s: f64,
    /// No result comes sooner after another than this, s.
    pub shortest_period_s: f64,
    /// Region, in scenario coordinates.
    pub extent: Option<crate::files::scenario::Extent>,
}

impl SensorParts {
    /// The parts of a sensor.
    pub fn of<S: Sensor>(sensor: &S) -> Self {
        let (quantities, signals) = (sensor.quantities(), sensor.signals());
        let place = |name: &String| signals.iter().position(|signal| signal.name == *name);
        let made_from = quantities.iter().map(|quantity| quantity.raw.iter().filter_map(place).collect()).collect();
        Self {
            made_from,
            quantities,
            signals,
            average_s: sensor.average_s(),
            shortest_period_s: sensor.shortest_period_s(),
            extent: sensor.extent(),
        }
    }

    /// All reported channels, in order.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.quantities.iter().flat_map(|quantity| &quantity.channels)
    }
}

/// A mounted sensor, fixed but for its period.
#[derive(Component, Clone, Debug)]
pub struct Instrument {
    /// Id in the product.
    pub id: String,
    /// Registered kind.
    pub kind: String,
    /// Stable path, `device/sensor`.
    pub path: String,
    /// The unit it belongs to.
    pub device: Entity,
    /// What it is made of.
    pub parts: SensorParts,
    /// Stable path of what was manufactured: the same for the same serial number.
    pub unit: String,
    /// Names of the raw channels.
    pub signal_names: Vec<String>,
    /// Sensors whose reports its firmware may use.
    pub compensated_by: Vec<String>,
    /// Where the unit's own y axis points.
    pub heading_deg: f64,
    /// Age of the unit in days.
    pub age_days: f64,
    /// Microseconds between results; none: off.
    pub period_us: Option<u64>,
    /// Injected faults.
    pub faults: Vec<Fault>,
    /// What was drawn for the unit, for the manifest.
    pub drawn: serde_json::Value,
    noise: Vec<NoiseStreams>,
    pub(crate) floor_noise: Vec<NoiseStreams>,
}

impl Instrument {
    /// A sensor at `path`, switched off.
    #[must_use]
    pub fn new(path: &Path, device: Entity, kind: &str, parts: SensorParts, seed: u64) -> Self {
        let path = path.to_string_lossy().into_owned();
        let streams = |of: &str| parts.signals.iter().map(|s| NoiseStreams::new(seed, &format!("{of}/{}", s.name))).collect();
        Self {
            id: path.rsplit('/').next().unwrap_or_default().to_owned(),
            kind: kind.to_owned(),
            device,
            signal_names: parts.signals.iter().map(|s| s.name.clone()).collect(),
            noise: streams(&path),
            floor_noise: streams(&format!("{path}/floor")),
            parts,
            compensated_by: Vec::new(),
            heading_deg: 0.0,
            age_days: 0.0,
            period_us: None,
            unit: path.clone(),
            faults: Vec::new(),
            drawn: serde_json::Value::Null,
            path,
        }
    }
}

/// Stages 1 to 7 of one sensor while it runs.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Chain {
    begun: bool,
    /// When the next result is due, microseconds since the start of the warm-up.
    pub next_us: u64,
    /// Results so far: the sensor's own clock.
    pub taken: u64,
    element: Vec<f64>,
    signal_sum: Vec<f64>,
    /// Ticks in the open window; the last may count in part.
    ticks: f64,
    /// (gain, offset) of each signal.
    pub bias: Vec<(f64, f64)>,
    noise: Vec<NoiseState>,
    flat: Vec<FlatLine>,
    ideal_max: Vec<f64>,
    /// Lagged change each event makes in each channel: `[event][channel]`.
    event_signal: Vec<Vec<f64>>,
    /// The raw signals of the latest result in air without what the events released.
    clean: Vec<f64>,
    /// Clean residual noise of each reported channel.
    pub floor: Floor,
}

impl Chain {
    /// Whether a result is due, for a kind whose results are instants taken by a system of its own: its number, and its time in
    /// microseconds since the start of the warm-up.
    pub(crate) fn take_instant(&mut self, clock: &Clock, period_us: u64) -> Option<(u64, u64)> {
        if !self.begun {
            self.begun = true;
            self.next_us = first_due_us(clock, period_us);
        }
        let due = (clock.elapsed_us() >= self.next_us).then_some((self.taken, self.next_us))?;
        self.taken += 1;
        self.next_us += period_us;
        Some(due)
    }
}

/// The first whole period that has not passed.
fn first_due_us(clock: &Clock, period_us: u64) -> u64 {
    clock.elapsed_us().div_ceil(period_us).max(1) * period_us
}

/// The mean of the air over the averaging window.
#[derive(Component, Clone, Debug, Default)]
pub struct Window {
    sum: Surroundings,
    now: Surroundings,
    mean: Surroundings,
}

type Sensors<'a, S> = (
    &'a S,
    &'a <S as Sensor>::State,
    &'a Instrument,
    (&'a Footprint, &'a SourceFactors),
    &'a mut Chain,
    &'a mut Window,
    &'a mut Reading,
    &'a mut ReadingTruth,
    &'a mut SensorSight,
);

/// Stages 1 to 7 of every sensor of one kind.
pub(crate) fn sense<S: Sensor>(
    environment: Environment,
    clock: Res<Clock>,
    seed: Res<RunSeed>,
    sources: Res<Sources>,
    events: Query<&EventNode>,
    enclosures: Query<&EnclosureState>,
    mut sensors: Query<Sensors<'_, S>>,
) {
    let view = environment.view();
    let mut events: Vec<&EventNode> = events.iter().collect();
    events.sort_by_key(|event| event.index);
    for (sensor, state, instrument, (footprint, factors), mut chain, mut window, mut reading, mut truth, mut sight) in &mut sensors {
        reading.delivered = false;
        let Some(period_us) = instrument.period_us else {
            continue;
        };
        let window = &mut *window;
        view.look(footprint, factors, &mut window.now);
        window.now.heading_deg = instrument.heading_deg;
        if let Ok(EnclosureState(Some(enclosure))) = enclosures.get(instrument.device) {
            window.now.board_k = enclosure.board_k;
        }
        let stage = Stage { sensor, state, instrument, clock: &clock, seed: seed.0 };
        if !chain.begun {
            stage.begin(&mut chain, &window.now, events.len(), period_us);
            sight.events.resize_with(events.len(), Default::default);
        }
        stage.expose(&mut chain, &window.now);
        let releases = &environment.releases;
        let of = |event: &EventNode, slot: usize| event.released(releases, slot);
        stage.follow_events(&mut chain, window, releases, &events, &of);
        let average_us = crate::units::whole_micros(instrument.parts.average_s);
        let (now_us, tick_us) = (clock.elapsed_us(), clock.tick_us());
        // the share of this tick that lies in the open window; an instant is the tick it lies in
        let (opens_us, due) = (chain.next_us.saturating_sub(average_us), now_us >= chain.next_us);
        let inside_us = now_us.min(chain.next_us).saturating_sub(opens_us.max(now_us - tick_us));
        if inside_us > 0 {
            window.add(&mut chain, inside_us as f64 / tick_us as f64);
        } else if due && chain.ticks == 0.0 {
            window.add(&mut chain, 1.0);
        }
        if !due {
            continue;
        }
        // stages 5 to 7: a result is due
        reading.window_end_us = chain.next_us;
        reading.window_start_us = opens_us;
        window.close(chain.ticks);
        stage.truth(&mut chain, window, releases, &events, &of, &mut truth, sources.ids.len());
        stage.convert(&mut chain, &mut reading, &mut truth, period_us);
        chain.taken += 1;
        chain.next_us += period_us;
        // the rest of this tick is the beginning of the next window
        let next_opens_us = chain.next_us.saturating_sub(average_us);
        if next_opens_us < now_us {
            window.add(&mut chain, (now_us - next_opens_us) as f64 / tick_us as f64);
        }
    }
}

/// Signal over noise; a channel without noise is no instrument and has no ratio.
fn ratio(signal: f64, floor: f64) -> f64 {
    if floor > 0.0 { signal.abs() / floor } else { 0.0 }
}

impl Window {
    /// Adds the present, which lasts `share` of a tick within the window.
    fn add(&mut self, chain: &mut Chain, share: f64) {
        if chain.ticks == 0.0 {
            self.sum.clear_to(&self.now);
            chain.signal_sum.clear();
            chain.signal_sum.resize(chain.element.len(), 0.0);
        }
        self.sum.add(&self.now, share);
        for (sum, element) in chain.signal_sum.iter_mut().zip(&chain.element) {
            *sum += element * share;
        }
        chain.ticks += share;
    }

    fn close(&mut self, ticks: f64) {
        self.mean.clone_from(&self.sum);
        self.mean.scale(1.0 / ticks);
    }
}

/// One sensor in one tick.
struct Stage<'s, S: Sensor> {
    sensor: &'s S,
    state: &'s S::State,
    instrument: &'s Instrument,
    clock: &'s Clock,
    seed: u64,
}

impl<S: Sensor> Stage<'_, S> {
    fn signals(&self) -> &[Signal] {
        &self.instrument.parts.signals
    }

    /// The raw channels of some air, in the domain of each signal's scale.
    fn transduce(&self, air: &Surroundings) -> Vec<f64> {
        let mut out = vec![0.0; self.signals().len()];
        self.sensor.transduce(self.state, air, &mut out);
        for (value, signal) in out.iter_mut().zip(self.signals()) {
            *value = signal.scale.enter(*value);
        }
        out
    }

    fn ideal(&self, air: &Surroundings) -> Vec<f64> {
        let mut out = vec![0.0; self.instrument.parts.channels().count()];
        self.sensor.measurand(air, &mut out);
        out
    }

    /// The element starts in equilibrium with the first air it meets.
    fn begin(&self, chain: &mut Chain, air: &Surroundings, events: usize, period_us: u64) {
        let channels = self.instrument.parts.channels().count();
        chain.begun = true;
        chain.next_us = first_due_us(self.clock, period_us);
        chain.element = self.transduce(air);
        chain.noise = vec![NoiseState::default(); self.signals().len()];
        chain.flat = vec![FlatLine::default(); self.signals().len()];
        chain.ideal_max = vec![f64::MIN; channels];
        chain.event_signal = vec![vec![0.0; channels]; events];
        chain.bias = self
            .signals()
            .iter()
            .map(|signal| {
                let mut draws = Stream::new(self.seed, &format!("{}/{}", self.instrument.unit, signal.name), "bias").at(0);
                let gain = signal.bias.gain * draws.normal();
                let offset = signal.bias.offset * draws.normal();
                (gain, offset + signal.bias.drift_per_sqrt_day * self.instrument.age_days.sqrt() * draws.normal())
            })
            .collect();
    }

    /// Stages 2 to 4: the element follows the air through one tick.
    fn expose(&self, chain: &mut Chain, air: &Surroundings) {
        let target = self.transduce(air);
        for ((value, target), signal) in chain.element.iter_mut().zip(target).zip(self.signals()) {
            *value = signal.lag.step(*value, target, self.clock.tick_s());
        }
        for (most, now) in chain.ideal_max.iter_mut().zip(self.ideal(air)) {
            *most = most.max(now);
        }
    }

    /// The ideal change each event makes, with this sensor's lag.
    fn follow_events(
        &self,
        chain: &mut Chain,
        window: &mut Window,
        releases: &Releases,
        events: &[&EventNode],
        of: &impl Fn(&EventNode, usize) -> bool,
    ) {
        if events.is_empty() {
            return;
        }
        let with = self.ideal(&window.now);
        for (event, signal) in events.iter().zip(&mut chain.event_signal) {
            // what a source gives off before its event begins is not the event
            let absent = event.phase == Phase::Pending
                || window.now.tracers.iter().enumerate().all(|(slot, density)| *density == 0.0 || !of(event, slot));
            let without = if absent {
                None
            } else {
                window.now.mix(releases, |slot| !of(event, slot));
                let without = self.ideal(&window.now);
                window.now.mix(releases, |_| true);
                Some(without)
            };
            for (index, (value, channel)) in signal.iter_mut().zip(self.instrument.parts.channels()).enumerate() {
                let change = without.as_ref().map_or(0.0, |without| with[index] - without[index]);
                let lag = crate::sensing::response::Lag { falling: false, ..channel.lag };
                *value = lag.step(*value, change, self.clock.tick_s());
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the truth of a result needs all of the world it came from")]
    fn truth(
        &self,
        chain: &mut Chain,
        window: &mut Window,
        releases: &Releases,
        events: &[&EventNode],
        of: &impl Fn(&EventNode, usize) -> bool,
        truth: &mut ReadingTruth,
        sources: usize,
    ) {
        let air = &mut window.mean;
        air.mix(releases, |_| true);
        truth.ideal = self.ideal(air);
        // a mean cannot lie above the largest value it was made from
        truth.ideal_max = chain.ideal_max.iter().zip(&truth.ideal).map(|(most, mean)| most.max(*mean)).collect();
        chain.ideal_max.fill(f64::MIN);
        air.mix(releases, |slot| !events.iter().any(|event| of(event, slot)));
        truth.without_events = self.ideal(air);
        chain.clean = self.transduce(air);
        truth.contributions.clear();
        for source in 0..sources {
            let mine = |slot: usize| releases.source(slot) == Some(source);
            if !(0..air.tracers.len()).any(|slot| mine(slot) && air.tracers[slot] != 0.0) {
                continue;
            }
            air.mix(releases, |slot| !mine(slot));
            for (channel, (with, without)) in truth.ideal.iter().zip(self.ideal(air)).enumerate() {
                if with - without != 0.0 {
                    truth.contributions.push((channel, source, with - without));
                }
            }
        }
    }

    /// Stages 5 to 7 and the faults.
    fn convert(&self, chain: &mut Chain, reading: &mut Reading, truth: &mut ReadingTruth, period_us: u64) {
        let Chain { signal_sum, ticks, bias, noise, flat, taken, .. } = chain;
        let at = reading.window_end_us;
        let louder = faults::noise_factor(&self.instrument.faults, at);
        let mut clipped = vec![false; self.signals().len()];
        let mut raw: Vec<f64> = Vec::with_capacity(self.signals().len());
        for (index, signal) in self.signals().iter().enumerate() {
            let value = signal_sum[index] / *ticks;
            let (gain, offset) = bias[index];
            let error = noise[index].draw(signal.noise, &self.instrument.noise[index], *taken, period_us as f64 * 1e-6);
            let (converted, out) = signal.converter.convert(value * (1.0 + gain) + offset + louder * error);
            clipped[index] = out;
            raw.push(signal.scale.undo(converted));
        }
        *ticks = 0.0;
        let last: Option<Vec<f64>> = reading.raw.iter().copied().collect();
        let last = last.filter(|last| last.len() == raw.len());
        truth.faults = (0..self.instrument.faults.len()).filter(|n| self.instrument.faults[*n].present(at)).collect();
        let delivered = faults::apply(&self.instrument.faults, at, &self.instrument.signal_names, &mut raw, last.as_deref());
        reading.verdicts = vec![Verdict::default(); self.instrument.parts.quantities.len()];
        if delivered {
            let noisy = |signal: &Signal| signal.noise.white > 0.0 || signal.noise.flicker > 0.0;
            let flat: Vec<bool> =
                raw.iter().zip(flat).zip(self.signals()).map(|((value, flat), signal)| flat.flat(*value) && noisy(signal)).collect();
            for (verdict, signals) in reading.verdicts.iter_mut().zip(&self.instrument.parts.made_from) {
                if signals.iter().any(|index| flat[*index]) {
                    verdict.flag(Quality::Fail, "flat_line");
                }
                if signals.iter().any(|index| clipped[*index]) {
                    verdict.flag(Quality::Suspect, "saturated");
                }
            }
            reading.raw = raw.into_iter().map(Some).collect();
        } else {
            for verdict in &mut reading.verdicts {
                verdict.flag(Quality::Missing, "missing");
            }
            reading.raw = vec![None; raw.len()];
        }
        reading.delivered = true;
        reading.raw_ready = true;
        reading.results += 1;
    }
}

/// How stage 8 of a sensor's kind is run on its entity.
#[derive(Component, Clone, Copy, Debug)]
pub struct Firmware(pub fn(&mut World, Entity, &Partners, bool));

/// Stages 8 and 10 of one sensor, and how well it sees each event; `partners_lost` if a sensor it relies on has no
/// usable report.
pub(crate) fn run_firmware<S: Sensor>(world: &mut World, sensor: Entity, partners: &Partners, partners_lost: bool) {
    let mut entity = world.entity_mut(sensor);
    let Ok((spec, instrument, mut chain, mut state, mut reading, mut sight)) =
        entity.get_components_mut::<(&S, &Instrument, &mut Chain, &mut S::State, &mut Reading, &mut SensorSight)>()
    else {
        return;
    };
    let (chain, reading) = (&mut *chain, &mut *reading);
    reading.raw_ready = false;
    chain.floor.refresh(spec, &state, instrument, &chain.clean, partners, chain.taken);
    let channels: Vec<&Channel> = instrument.parts.channels().collect();
    for (event_signal, sight) in chain.event_signal.iter().zip(&mut sight.events) {
        let ratios = event_signal.iter().zip(&chain.floor.sigma).map(|(signal, floor)| ratio(*signal, *floor));
        let (channel, snr) = ratios.enumerate().fold((0, 0.0), |best, now| if now.1 > best.1 { now } else { best });
        sight.result(&channels[channel].name, snr, reading.window_end_us);
    }
    let mut report = Report::empty(&instrument.parts.quantities);
    let raw: Option<Vec<f64>> = reading.raw.iter().copied().collect();
    if let Some(raw) = raw {
        spec.firmware(&raw, partners, &mut state, &mut report);
        if partners_lost {
            report.flag(Quality::Suspect, "partner_unusable");
        }
    }
    report.test(&channels);
    reading.settle(report, channels.iter().zip(&chain.floor.sigma).map(|(channel, floor)| libm::hypot(*floor, channel.systematic)));
}

/// The draws of a unit: the same serial number has the same manufacturing spread.
#[must_use]
pub fn unit_draws(seed: u64, unit: &str, sensor: &str) -> Draws {
    Stream::new(seed, &format!("{unit}/{sensor}"), "unit").at(0)
}
