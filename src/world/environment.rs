//! What a sensor may ask of the world: the air at a point, along a path, in a volume.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use glam::DVec3;

use crate::files::scenario::{Extent, Position};
use crate::files::species::SpeciesTable;
use crate::units::{celsius, saturation_vapour_hpa};
use crate::world::air::{AirTemperature, GroundPressure, SpecificHumidity, WindField, air_kg_m3, pressure_aloft, vapour_pressure};
use crate::world::background::BackgroundAir;
use crate::world::body::Bodies;
use crate::world::emitter::{EmitterNode, SourceElement};
use crate::world::field::Field;
use crate::world::nitrogen_oxides::{Oxides, oxidation_per_s, photolysis_per_s};
use crate::world::puffs::Puffs;
use crate::world::sky::{Light, Sky};
use crate::world::solid::Solids;
use crate::world::sun::Sun;
use crate::world::tracers::{Release, Releases, Tracers};
use crate::world::{Clock, Grid};

/// The air a sensor is in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Air temperature in kelvin, with the heat of sources.
    pub temperature_k: f64,
    /// The same of the weather alone.
    pub weather_temperature_k: f64,
    /// Relative humidity over water, 0 to 1, with the vapour of releases; above 1 where that would condense.
    pub humidity_frac: f64,
    /// The same of the weather alone.
    pub weather_humidity_frac: f64,
    /// Air pressure in pascal.
    pub pressure_pa: f64,
    /// Wind in m s⁻¹: east, north, up.
    pub wind_m_s: DVec3,
    /// Where the unit's own y axis points, clockwise from north.
    pub heading_deg: f64,
    /// Mole fraction of every species, by its index in the species table.
    pub gas: Vec<f64>,
    /// Mass concentration of released particles up to 1, 2.5 and 10 µm, kg m⁻³, by class of the species table.
    pub particles_kg_m3: Vec<f64>,
    /// Tracer values by slot, before they are turned into gases.
    pub tracers: Vec<f64>,
    /// Mole fractions that came in with the wind, by species.
    pub background: Vec<f64>,
    /// How long what is in each slot has been on its way, s, [`ALWAYS_S`] for what was there from the start; empty where nothing reacts.
    pub age_s: Vec<f64>,
    /// Photolysis rate of nitrogen dioxide, s⁻¹.
    pub photolysis_per_s: f64,
    /// Temperature of every body of the scenario, K.
    pub body_k: Vec<f64>,
    /// Temperature of the top oil of transformers, K; of anything else as `body_k`.
    pub top_oil_k: Vec<f64>,
    /// The same of the hot spot.
    pub hot_spot_k: Vec<f64>,
    /// Sunlight on a level surface, in the shade of obstacles without the sun itself, W m⁻².
    pub sun_w_m2: f64,
    /// Long-wave irradiance from the sky, W m⁻².
    pub longwave_w_m2: f64,
    /// Temperature of the board of the unit that looks, K; that of the air where there is no unit.
    pub board_k: f64,
}

impl Surroundings {
    /// Water vapour pressure in hPa.
    #[must_use]
    pub fn vapour_hpa(&self) -> f64 {
        crate::units::vapour_hpa(self.temperature_k, self.humidity_frac)
    }

    /// Nothing of everything, with the lists and the heading of `like`: where a sum begins.
    pub fn clear_to(&mut self, like: &Self) {
        self.clone_from(like);
        self.scale(0.0);
    }

    /// Adds `share` of other air, quantity by quantity; the sum becomes a mean by [`Self::scale`].
    pub fn add(&mut self, other: &Self, share: f64) {
        self.weather_temperature_k += other.weather_temperature_k * share;
        self.weather_humidity_frac += other.weather_humidity_frac * share;
        self.pressure_pa += other.pressure_pa * share;
        self.wind_m_s += other.wind_m_s * share;
        self.photolysis_per_s += other.photolysis_per_s * share;
        self.sun_w_m2 += other.sun_w_m2 * share;
        self.longwave_w_m2 += other.longwave_w_m2 * share;
        self.board_k += other.board_k * share;
        let lists = [
            (&mut self.tracers, &other.tracers),
            (&mut self.background, &other.background),
            (&mut self.age_s, &other.age_s),
            (&mut self.body_k, &other.body_k),
            (&mut self.top_oil_k, &other.top_oil_k),
            (&mut self.hot_spot_k, &other.hot_spot_k),
        ];
        for (list, more) in lists {
            for (value, more) in list.iter_mut().zip(more) {
                *value += more * share;
            }
        }
    }

    /// Multiplies every quantity but the heading.
    pub fn scale(&mut self, factor: f64) {
        self.weather_temperature_k *= factor;
        self.weather_humidity_frac *= factor;
        self.pressure_pa *= factor;
        self.wind_m_s *= factor;
        self.photolysis_per_s *= factor;
        self.sun_w_m2 *= factor;
        self.longwave_w_m2 *= factor;
        self.board_k *= factor;
        let lists = [&mut self.tracers, &mut self.background, &mut self.age_s, &mut self.body_k, &mut self.top_oil_k, &mut self.hot_spot_k];
        for value in lists.into_iter().flatten() {
            *value *= factor;
        }
    }

    /// Sets temperature, gases, humidity and particles to the weather and the background plus the tracers for which `keep` holds.
    pub fn mix(&mut self, releases: &Releases, keep: impl Fn(usize) -> bool + Copy) {
        self.temperature_k = self.weather_temperature_k;
        for slot in releases.heat_slots().filter(|slot| keep(*slot)) {
            self.temperature_k += self.tracers[slot] / air_kg_m3(self.pressure_pa, self.weather_temperature_k);
        }
        self.gas.clear();
        for (species, background) in self.background.iter().enumerate() {
            let released = releases.mole_fraction(species, &self.tracers, self.temperature_k, self.pressure_pa, keep);
            self.gas.push(background + released);
        }
        self.particles_kg_m3.clear();
        self.particles_kg_m3.extend(releases.particles_kg_m3(&self.tracers, keep));
        let saturated_pa = |t: f64| 100.0 * saturation_vapour_hpa(celsius(t));
        // the vapour stays what it was where heat comes in
        let vapour_pa = self.weather_humidity_frac * saturated_pa(self.weather_temperature_k);
        // to the last bit that of the weather where no heat comes in
        self.humidity_frac = if self.temperature_k.total_cmp(&self.weather_temperature_k).is_eq() {
            self.weather_humidity_frac
        } else {
            vapour_pa / saturated_pa(self.temperature_k)
        };
        if let Some(water) = releases.water {
            self.humidity_frac += self.gas[water] * self.pressure_pa / saturated_pa(self.temperature_k);
            self.gas[water] += vapour_pa / self.pressure_pa;
        }
        if let Some(oxides) = releases.oxides {
            self.react(oxides, releases, keep);
        }
    }
}

impl Surroundings {
    /// Lets released nitrogen oxides and ozone react for as long as they have been on their way, in the mean of what there is of them.
    fn react(&mut self, [no, no2, o3]: [usize; 3], releases: &Releases, keep: impl Fn(usize) -> bool) {
        let (mut whole, mut aged) = (0.0, 0.0);
        // what was there from the start is part of the air that a release is mixed into
        let of_sources = |slot: usize| keep(slot) && self.age_s[slot] < 0.5 * ALWAYS_S;
        for (slot, (density, age_s)) in self.tracers.iter().zip(&self.age_s).enumerate().filter(|(slot, _)| of_sources(*slot)) {
            let moles = releases.moles_per_kg([no, no2, o3], slot) * density;
            whole += moles;
            aged += moles * age_s;
        }
        if whole <= 0.0 {
            return;
        }
        let of = |list: &[f64]| Oxides { no: list[no], no2: list[no2], o3: list[o3] };
        let rate = oxidation_per_s(self.temperature_k, self.pressure_pa);
        let left = of(&self.gas).after_in(of(&self.background), rate, self.photolysis_per_s, aged / whole);
        (self.gas[no], self.gas[no2], self.gas[o3]) = (left.no, left.no2, left.o3);
    }
}

/// Air is not taken to be slower than this on its way from a source, m/s: chosen.
const SLOWEST_M_S: f64 = 0.1;
/// The age of gas that was there from the start, s.
pub const ALWAYS_S: f64 = 1e12;

/// Relative humidity, 0 to 1, of air with this specific humidity.
fn humidity_frac(specific: f64, temperature_k: f64, pressure_pa: f64) -> f64 {
    vapour_pressure(specific, pressure_pa) * 0.01 / saturation_vapour_hpa(celsius(temperature_k))
}

/// Paths and volumes are looked at in pieces of this size where cells are larger, m: a young plume is no wider.
const FINEST_M: f64 = 2.0;
/// But in no more pieces than this along a leg or an axis because of it.
const MOST_PIECES: usize = 50;

/// A sampling operator, worked out once: cells with weights that add up to one.
#[derive(Component, Clone, Debug, Default)]
pub struct Footprint {
    cells: Vec<(usize, f64)>,
    points: Vec<(DVec3, f64)>,
    middle_m: DVec3,
}

impl Footprint {
    /// The operator of an extent on a grid.
    #[must_use]
    pub fn new(extent: &Extent, grid: &Grid, solids: &Solids) -> Self {
        let mut points = match extent {
            Extent::Point(at) => vec![(vector(at.0), 1.0)],
            Extent::Path(corners) => along(corners, grid.cell_m[0].min(grid.cell_m[1]).min(FINEST_M) / 2.0),
            Extent::Volume { min_m, max_m } => within(vector(*min_m), vector(*max_m), grid.cell_m),
        };
        // what lies inside an obstacle is not looked at
        points.retain(|(point, _)| !solids.weights(grid, *point).is_empty());
        let whole: f64 = points.iter().map(|(_, share)| share).sum();
        if solids.any() {
            for (_, share) in &mut points {
                *share /= whole;
            }
        }
        let mut cells = std::collections::BTreeMap::new();
        for (point, share) in &points {
            for (index, weight) in solids.weights(grid, *point) {
                *cells.entry(index).or_insert(0.0) += weight * share;
            }
        }
        Self {
            cells: cells.into_iter().filter(|(_, weight)| *weight > 0.0).collect(),
            middle_m: points.iter().map(|(point, share)| *point * *share).sum(),
            points,
        }
    }

    /// Whether there is no air where it looks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The middle of what it looks at, m.
    #[must_use]
    pub fn middle_m(&self) -> DVec3 {
        self.middle_m
    }

    /// At most so many of the points it looks at, evenly taken.
    #[must_use]
    pub fn places(&self, most: usize) -> Vec<DVec3> {
        let step = self.points.len().div_ceil(most.max(1)).max(1);
        self.points.iter().skip(step / 2).step_by(step).map(|(point, _)| *point).collect()
    }

    fn mean(&self, column: &[f32]) -> f64 {
        self.cells.iter().map(|(index, weight)| f64::from(column[*index]) * weight).sum()
    }
}

/// What a sensor meets of each source over the mean plume, by source index; empty where nothing fluctuates.
#[derive(Component, Clone, Debug, Default)]
pub struct SourceFactors(pub Vec<f64>);

/// A position as a vector.
#[must_use]
pub fn vector(at: Position) -> DVec3 {
    DVec3::new(at.0.get(), at.1.get(), at.2.get())
}

/// Midpoints of equal pieces no longer than `step`, weighted by length.
fn along(corners: &[Position], step: f64) -> Vec<(DVec3, f64)> {
    let corners: Vec<DVec3> = corners.iter().map(|c| vector(*c)).collect();
    let length: f64 = corners.windows(2).map(|leg| leg[0].distance(leg[1])).sum();
    let mut points = Vec::new();
    for leg in corners.windows(2) {
        let leg_length = leg[0].distance(leg[1]);
        let pieces = pieces(leg_length, step).min(20 * MOST_PIECES);
        for n in 0..pieces {
            let share = (n as f64 + 0.5) / pieces as f64;
            points.push((leg[0].lerp(leg[1], share), leg_length / pieces as f64 / length));
        }
    }
    points
}

/// Centres of equal boxes no larger than `size`, nor than [`FINEST_M`] unless they would be too many.
fn within(min: DVec3, max: DVec3, size: [f64; 3]) -> Vec<(DVec3, f64)> {
    let counts: [usize; 3] = std::array::from_fn(|axis| {
        let length = max[axis] - min[axis];
        pieces(length, size[axis]).max(pieces(length, FINEST_M).min(MOST_PIECES))
    });
    let total = (counts[0] * counts[1] * counts[2]) as f64;
    let mut points = Vec::new();
    for k in 0..counts[2] {
        for j in 0..counts[1] {
            for i in 0..counts[0] {
                let at = [i, j, k];
                let share = DVec3::from_array(std::array::from_fn(|axis| (at[axis] as f64 + 0.5) / counts[axis] as f64));
                points.push((min + (max - min) * share, 1.0 / total));
            }
        }
    }
    points
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of a positive number")]
fn pieces(length: f64, step: f64) -> usize {
    (length / step).ceil().max(1.0) as usize
}

/// The door through which sensors see the world.
#[derive(SystemParam)]
pub struct Environment<'w, 's> {
    grid: Res<'w, Grid>,
    clock: Res<'w, Clock>,
    site: Res<'w, super::spawn::SiteInfo>,
    pressure: Res<'w, GroundPressure>,
    temperature: Field<'w, 's, AirTemperature>,
    humidity: Field<'w, 's, SpecificHumidity>,
    wind: WindField<'w, 's>,
    tracers: Tracers<'w, 's>,
    puffs: Query<'w, 's, (&'static EmitterNode, &'static Puffs)>,
    background: Res<'w, BackgroundAir>,
    bodies: Res<'w, Bodies>,
    sky: Res<'w, Sky>,
    solids: Res<'w, Solids>,
    /// What the tracers are made of.
    pub releases: Res<'w, Releases>,
}

impl Environment<'_, '_> {
    /// Every emitter that has puffs in the air, in file order.
    fn puffs(&self) -> Vec<(&EmitterNode, &Puffs)> {
        let mut list: Vec<_> = self.puffs.iter().filter(|(_, puffs)| !puffs.is_empty()).collect();
        list.sort_by_key(|(emitter, _)| emitter.source);
        list
    }

    /// A view of this tick that looks the columns up once, for many queries.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let sun = Sun::at(self.clock.utc_us(self.clock.elapsed_us()), self.site.latitude_deg, self.site.longitude_deg);
        View {
            environment: self,
            temperature: self.temperature.as_slice(),
            humidity: self.humidity.as_slice(),
            tracers: self.tracers.columns(),
            puffs: self.puffs(),
            entry_time: self.releases.entry_time(),
            sun,
            light: self.sky.light(&sun),
        }
    }
}

/// The columns of one tick.
pub struct View<'e> {
    environment: &'e Environment<'e, 'e>,
    temperature: &'e [f32],
    humidity: &'e [f32],
    tracers: Vec<&'e [f32]>,
    puffs: Vec<(&'e EmitterNode, &'e Puffs)>,
    entry_time: Option<usize>,
    sun: Sun,
    light: Light,
}

impl View<'_> {
    /// Mean air over a footprint, every gas included, into `air`; what each source adds is multiplied by its factor.
    pub fn look(&self, over: &Footprint, factors: &SourceFactors, air: &mut Surroundings) {
        let world = self.environment;
        air.weather_temperature_k = over.mean(self.temperature);
        air.pressure_pa = pressure_aloft(world.pressure.pa, over.middle_m.z, air.weather_temperature_k);
        air.weather_humidity_frac = humidity_frac(over.mean(self.humidity), air.weather_temperature_k, air.pressure_pa);
        air.wind_m_s = over.points.iter().fold(DVec3::ZERO, |sum, (point, share)| sum + world.wind.at(&world.grid, *point) * *share);
        air.body_k.clone_from(&world.bodies.kelvin);
        air.top_oil_k.clone_from(&world.bodies.top_oil_k);
        air.hot_spot_k.clone_from(&world.bodies.hot_spot_k);
        air.sun_w_m2 = self.light.at_w_m2(&world.grid, &world.solids, over.middle_m, &self.sun);
        air.longwave_w_m2 = world.sky.longwave_w_m2;
        air.tracers.clear();
        air.tracers.resize(world.releases.list.len(), 0.0);
        for (slot, column) in self.tracers.iter().enumerate().filter(|(slot, _)| world.releases.list[*slot].live) {
            air.tracers[slot] = over.mean(column);
        }
        self.begin_ages(over.middle_m, air);
        for (point, share) in &over.points {
            self.add_puffs(*point, *share, air);
        }
        for (slot, density) in air.tracers.iter_mut().enumerate() {
            *density *= world.releases.source(slot).and_then(|source| factors.0.get(source)).copied().unwrap_or(1.0);
        }
        self.mix(air);
        air.board_k = air.temperature_k;
    }

    /// Where something reacts, the age of what is in the cells: the way from the nearest part of its source in the wind here. It is not
    /// older than the run.
    fn begin_ages(&self, at_m: DVec3, air: &mut Surroundings) {
        let world = self.environment;
        air.age_s.clear();
        if world.releases.oxides.is_none() {
            return;
        }
        air.age_s.resize(air.tracers.len(), ALWAYS_S);
        let (speed, longest_s) = (air.wind_m_s.length().max(SLOWEST_M_S), world.clock.elapsed_us() as f64 * 1e-6);
        for (emitter, _) in &world.puffs {
            let away = |element: &SourceElement| (emitter.at_m + element.offset_m).distance(at_m);
            let nearest = emitter.elements.iter().map(away).fold(f64::MAX, f64::min);
            for slot in &emitter.slots {
                air.age_s[*slot] = (nearest / speed).min(longest_s);
            }
        }
    }

    /// Turns the tracers into gases and particles.
    fn mix(&self, air: &mut Surroundings) {
        let world = self.environment;
        air.background.clear();
        air.background.resize(world.site.species, 0.0);
        let entered_s = self.entered_s(&air.tracers);
        world.background.add_to(&mut air.background, entered_s, &world.clock, world.site.longitude_deg);
        if world.releases.oxides.is_some() {
            air.photolysis_per_s = photolysis_per_s(self.sun.sine) * world.sky.transmission();
        }
        air.mix(&world.releases, |_| true);
    }

    /// Adds the densities of puffs at a point, times `share`, by slot; ages become the means of all that is there.
    fn add_puffs(&self, point: DVec3, share: f64, air: &mut Surroundings) {
        for (emitter, puffs) in &self.puffs {
            puffs.visit(point, |puff, density| {
                for (slot, mass) in emitter.slots.iter().zip(&puffs.mass_kg) {
                    let more = mass[puff] * density * share;
                    air.tracers[*slot] += more;
                    if let Some(age_s) = air.age_s.get_mut(*slot).filter(|_| more > 0.0) {
                        *age_s += (puffs.age_s[puff] - *age_s) * (more / air.tracers[*slot]).clamp(0.0, 1.0);
                    }
                }
            });
        }
    }

    /// When the air came in, seconds since the start of the warm-up: where no cells remember it, just now.
    fn entered_s(&self, tracers: &[f64]) -> f64 {
        self.entry_time.map_or(self.environment.clock.elapsed_us() as f64 * 1e-6, |slot| tracers[slot])
    }

    /// The cells.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.environment.grid
    }

    /// Whether anything from one of these slots is in the air.
    #[must_use]
    pub fn holds(&self, slots: impl Fn(usize, &Release) -> bool) -> bool {
        let list = &self.environment.releases.list;
        let in_puffs = |(emitter, _): &(&EmitterNode, &Puffs)| emitter.slots.iter().any(|slot| slots(*slot, &list[*slot]));
        list.iter().enumerate().any(|(slot, release)| release.live && slots(slot, release)) || self.puffs.iter().any(in_puffs)
    }

    /// Sums of weight × density over all tracers on every cell, puffs as wide as a cell at the least; none where nothing with a weight is in the air.
    #[must_use]
    pub fn sums_on_cells<const N: usize>(&self, weights: impl Fn(usize, &Release) -> [f64; N]) -> Option<[Vec<f64>; N]> {
        let world = self.environment;
        let weights: Vec<[f64; N]> = world.releases.list.iter().enumerate().map(|(slot, release)| weights(slot, release)).collect();
        let mut sums: Option<[Vec<f64>; N]> = None;
        let begun = || std::array::from_fn(|_| vec![0.0; world.grid.len()]);
        for (slot, column) in self.tracers.iter().enumerate().filter(|(slot, _)| world.releases.list[*slot].live) {
            for (n, weight) in weights[slot].into_iter().enumerate().filter(|(_, weight)| *weight != 0.0) {
                for (cell, density) in sums.get_or_insert_with(begun)[n].iter_mut().zip(*column) {
                    *cell += weight * f64::from(*density);
                }
            }
        }
        for (emitter, puffs) in &self.puffs {
            for puff in 0..puffs.len() {
                let parts = || emitter.slots.iter().zip(&puffs.mass_kg);
                let whole: [f64; N] = std::array::from_fn(|n| parts().map(|(slot, mass)| weights[*slot][n] * mass[puff]).sum());
                if whole.iter().any(|whole| *whole != 0.0) {
                    let sums = sums.get_or_insert_with(begun);
                    puffs.on_cells(puff, &world.grid, |cell, density| {
                        sums.iter_mut().zip(whole).for_each(|(sum, whole)| sum[cell] += whole * density);
                    });
                }
            }
        }
        sums
    }

    /// A quantity on every cell: `gas/…` in ppb, `particles/…` in µg m⁻³, `air/temperature` in K, `air/humidity` (of the weather) in kg/kg, `wind` (its
    /// speed) and `wind/east`, `wind/north`, `wind/up` in m s⁻¹.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a picture in single precision")]
    pub fn cells(&self, quantity: &str, species: &SpeciesTable) -> Vec<f32> {
        let world = self.environment;
        let [nx, ny, _] = world.grid.shape;
        let centre = |cell: usize| world.grid.centre(cell % nx, cell / nx % ny, cell / (nx * ny));
        let gas = quantity.strip_prefix("gas/").and_then(|id| species.index(id));
        let class = quantity.strip_prefix("particles/").and_then(|name| species.class_up_to(name));
        let all = 0..world.grid.len();
        let warm = quantity == "air/temperature" && world.releases.heat_slots().next().is_some();
        if gas.is_some() || class.is_some() || warm {
            let mut air = Surroundings::default();
            let cells = all.map(|cell| {
                let at_m = centre(cell);
                air.weather_temperature_k = f64::from(self.temperature[cell]);
                air.pressure_pa = pressure_aloft(world.pressure.pa, at_m.z, air.weather_temperature_k);
                air.weather_humidity_frac = humidity_frac(f64::from(self.humidity[cell]), air.weather_temperature_k, air.pressure_pa);
                air.wind_m_s = world.wind.at(&world.grid, at_m);
                air.tracers.clear();
                air.tracers.extend(self.tracers.iter().map(|column| f64::from(column[cell])));
                air.tracers.resize(world.releases.list.len(), 0.0);
                self.begin_ages(at_m, &mut air);
                self.add_puffs(at_m, 1.0, &mut air);
                self.mix(&mut air);
                let amount = gas.map(|gas| air.gas[gas]).or_else(|| class.map(|class| air.particles_kg_m3[class]));
                amount.map_or(air.temperature_k as f32, |amount| (amount * 1e9) as f32)
            });
            return cells.collect();
        }
        match quantity {
            "air/temperature" => self.temperature.to_vec(),
            "air/humidity" => self.humidity.to_vec(),
            _ => {
                let component: fn(DVec3) -> f64 = match quantity {
                    "wind/east" => |wind| wind.x,
                    "wind/north" => |wind| wind.y,
                    "wind/up" => |wind| wind.z,
                    _ => DVec3::length,
                };
                all.map(|cell| component(world.wind.at(&world.grid, centre(cell))) as f32).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Finite;

    fn at(x: f64, y: f64, z: f64) -> Position {
        (Finite::new(x).unwrap(), Finite::new(y).unwrap(), Finite::new(z).unwrap())
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "a column in single precision")]
    fn a_path_mean_and_a_volume_mean_of_a_linear_field_are_its_value_at_the_middle() {
        let grid = Grid { shape: [20, 20, 10], cell_m: [1.0; 3] };
        let mut column = vec![0.0f32; grid.len()];
        for k in 0..10 {
            for j in 0..20 {
                for i in 0..20 {
                    column[grid.index(i, j, k)] = (grid.centre(i, j, k).x * 2.0 + grid.centre(i, j, k).y) as f32;
                }
            }
        }
        let path = Footprint::new(&Extent::Path(vec![at(2.0, 2.0, 3.0), at(12.0, 8.0, 3.0)]), &grid, &Solids::default());
        assert!((path.mean(&column) - 19.0).abs() < 1e-4);
        let volume = Footprint::new(&Extent::Volume { min_m: at(2.0, 2.0, 1.0), max_m: at(6.5, 9.0, 4.0) }, &grid, &Solids::default());
        assert!((volume.mean(&column) - (4.25 * 2.0 + 5.5)).abs() < 1e-4);
    }
}
