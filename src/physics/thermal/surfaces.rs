//! Ground, walls and roofs warm in the sun and cool to the sky: a balance at the surface, conduction behind it.
//!
//! `α (S cos θ + D f + a G (1 − f)) + ε (f L + (1 − f) σ T_air⁴ − σ T⁴) − h (T − T_air) − m h L_v/c_p (q(T) − q_air) = conducted`, with the
//! share of sky `f = (1 + n_z)/2` that a surface of normal n faces, the albedo `a` of the ground, `h` of a flat plate (`enclosure`)
//! and moisture `m` (Deardorff, *J. Geophys. Res.* 83, 1978). Each face of a box has a temperature of its own; round and meshed obstacles have
//! one, with a quarter of their surface to the sun and half to the sky (`bodies`). Two days of the weather at the
//! present wind come before the first tick, so that walls begin with their warmth. Obstacles shade walls and roofs at their middles.
//! With `air_heat: All` walls and roofs give to the air what they lose to it, at the free cells before them; what the ground gives is in the weather, which was measured over it.
//! Left out: air that its own walls have warmed (they lose heat to the weather's), shadows on the ground, which has one temperature; rain, dew; rooms behind walls.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::enclosure::transfer_w_m2_k;
use super::lines::LineTables;
use super::{GroundAir, air_and_sky};
use crate::files::material::{Material, Materials};
use crate::files::scenario::{AirHeat, Fidelity};
use crate::numerics::slab::{Layer, Slab};
use crate::units::{Fraction, Positive, STEFAN_BOLTZMANN_W_M2_K4, celsius, kelvin, saturation_vapour_hpa};
use crate::world::air::{WindField, specific_humidity};
use crate::world::heat::HeatSources;
use crate::world::scene::Facet;
use crate::world::shape::Shape;
use crate::world::sky::Sky;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, SiteInfo};
use crate::world::sun::Sun;
use crate::world::{Clock, Grid};

/// Ground cover of a site that names none.
const COVER: &str = "short_grass";
/// How deep the ground and walls are followed, m: a day's warmth reaches 0.1 to 0.2 m into them. The first cell of them, m. Chosen.
const DEPTH_M: f64 = 0.6;
const FIRST_M: f64 = 0.004;
/// Surfaces are brought up to date when so much time has gathered, s: they follow the sun over minutes. Chosen.
const EVERY_S: f64 = 10.0;
/// What comes before the first tick, and its steps, s.
const BEFORE_S: f64 = 2.0 * 86_400.0;
const BEFORE_STEP_S: f64 = 600.0;
/// Heat of vaporisation over the heat capacity of air, K: 2.5e6 J/kg over 1005 J/kg/K.
const VAPORISES_K: f64 = 2488.0;

/// Temperatures of ground, walls and roofs, from the surface inwards, °C.
#[derive(Resource, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SurfaceTemperatures {
    /// By surface: the ground, then the faces of every obstacle.
    pub nodes_c: Vec<Vec<f64>>,
    /// Time that has gathered since they were brought up to date, s.
    waiting_s: f64,
}

impl SurfaceTemperatures {
    /// Temperature of each surface itself, K.
    pub fn kelvin(&self) -> impl Iterator<Item = f64> + '_ {
        self.nodes_c.iter().map(|nodes| kelvin(nodes[0]))
    }
}

/// Where a surface is and how it is turned.
#[derive(Clone, Debug)]
pub struct Face {
    /// Normal of a flat one, out of the obstacle.
    pub normal: Option<DVec3>,
    /// Just before its middle, m.
    at_m: DVec3,
    /// What a ray can meet.
    pub facets: Vec<Facet>,
}

impl Face {
    /// The cells it meets the air in: the share of it that is free and their middles, m. A cell beside one that the obstacle fills, on the side of a flat face, is free if nothing fills
    /// it and it lies in the domain. An obstacle that fills no cell is free all round, at its middle.
    fn free(&self, shape: &Shape, grid: &Grid, solids: &Solids) -> (f64, Vec<DVec3>) {
        let sides = [DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z];
        let own = shape.cells(grid);
        let [nx, ny, _] = grid.shape;
        let centre = |cell: usize| grid.centre(cell % nx, cell / nx % ny, cell / (nx * ny));
        let faces = own.iter().flat_map(|cell| sides.map(|side| (side, centre(*cell) + side * grid.cell())));
        let outer: Vec<DVec3> = faces
            .filter(|(side, _)| self.normal.is_none_or(|normal| normal == *side))
            .map(|(_, beside)| beside)
            .filter(|beside| !grid.contains(*beside) || own.binary_search(&grid.cell_near(*beside)).is_err())
            .collect();
        if outer.is_empty() {
            return (1.0, vec![self.at_m]);
        }
        let free = |beside: &DVec3| grid.contains(*beside) && !solids.is_solid(grid.cell_near(*beside));
        let list: Vec<DVec3> = outer.iter().copied().filter(free).collect();
        (list.len() as f64 / outer.len() as f64, list)
    }
}

/// The faces of an obstacle: five of a box, whose underside nothing sees, one of anything else, one without facets of the ground.
#[must_use]
pub fn faces(shape: &Shape) -> Vec<Face> {
    let Shape::Box { min, max } = shape else {
        let (low, high) = shape.bounds();
        return vec![Face { normal: None, at_m: DVec3::new(low.midpoint(high).x, low.midpoint(high).y, high.z), facets: Facet::of(shape) }];
    };
    let (centre, half) = (min.midpoint(*max), 0.5 * (*max - *min));
    let face = |normal: DVec3| {
        let middle = centre + normal * half;
        // two directions along the face
        let (a, b) = if normal.z > 0.0 { (DVec3::X, DVec3::Y) } else { (DVec3::Z, normal.cross(DVec3::Z)) };
        let [a, b] = [a * half, b * half];
        let corner = |s: f64, t: f64| middle + a * s + b * t;
        let triangles =
            [[corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0)], [corner(-1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]];
        Face { normal: Some(normal), at_m: middle + normal * HAND_M, facets: triangles.map(Facet::Triangle).to_vec() }
    };
    [DVec3::Z, DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y].map(face).to_vec()
}

/// So far before its face a surface looks at the sun, m.
const HAND_M: f64 = 0.05;

/// What a surface is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skin {
    /// For sunlight.
    pub absorptivity: f64,
    /// Long-wave.
    pub emissivity: f64,
    /// How freely it gives off water.
    pub moisture: f64,
}

/// What meets a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Air temperature, K.
    pub air_k: f64,
    /// Specific humidity of the air, kg/kg.
    pub humidity_kg_kg: f64,
    /// Air pressure, Pa.
    pub pressure_pa: f64,
    /// Wind speed, m s⁻¹.
    pub wind_m_s: f64,
    /// Sunlight it takes up and what it would reflect, W m⁻².
    pub sun_w_m2: f64,
    /// Long-wave irradiance, W m⁻².
    pub longwave_w_m2: f64,
}

/// Heat into a surface at a temperature in °C, W m⁻².
#[must_use]
pub fn gain_w_m2(skin: Skin, weather: &Weather, surface_c: f64) -> f64 {
    let surface_k = kelvin(surface_c);
    let transfer = transfer_w_m2_k(weather.wind_m_s);
    let saturated = specific_humidity(100.0 * saturation_vapour_hpa(surface_c), weather.pressure_pa);
    // dew is left out
    let evaporated = skin.moisture * transfer * VAPORISES_K * (saturated - weather.humidity_kg_kg).max(0.0);
    skin.absorptivity * weather.sun_w_m2 + skin.emissivity * (weather.longwave_w_m2 - STEFAN_BOLTZMANN_W_M2_K4 * surface_k.powi(4))
        - transfer * (surface_k - weather.air_k)
        - evaporated
}

/// A surface as it is followed.
#[derive(Debug)]
struct Followed {
    skin: Skin,
    slab: Slab,
    face: Face,
    lit: bool,
    wind_m_s: f64,
}

impl Followed {
    fn new(face: Face, material: Option<&Material>) -> Self {
        let positive = |number: Option<Positive>, other: f64| number.map_or(other, Positive::get);
        // what has no figures is as concrete
        let layer = Layer {
            thickness_m: DEPTH_M,
            conductivity_w_m_k: positive(material.and_then(|m| m.conductivity_w_m_k), 1.4),
            capacity_j_m3_k: material.and_then(Material::heat_capacity_j_m3_k).unwrap_or(2300.0 * 880.0),
        };
        let skin = Skin {
            absorptivity: material.map_or(0.65, Material::absorptivity),
            emissivity: material.map_or(0.93, |material| material.emissivity.get()),
            moisture: material.and_then(|material| material.moisture).map_or(0.0, Fraction::get),
        };
        Self { skin, slab: Slab::graded(layer, FIRST_M), face, lit: true, wind_m_s: 0.0 }
    }

    /// What meets it under a sky; `albedo` is that of the ground.
    fn weather(&self, air: &GroundAir, sky: &Sky, sun: &Sun, albedo: f64) -> Weather {
        let light = sky.light(sun);
        let (facing, share) = match self.face.normal {
            Some(normal) => (normal.dot(sun.towards).max(0.0), 0.5 * (1.0 + normal.z)),
            None => (0.25, 0.5),
        };
        let direct = if self.lit { light.beam_w_m2(sun) * facing } else { 0.0 };
        let black = STEFAN_BOLTZMANN_W_M2_K4 * air.temperature_k.powi(4);
        let vapour_pa = 100.0 * air.humidity_frac * saturation_vapour_hpa(celsius(air.temperature_k));
        Weather {
            air_k: air.temperature_k,
            humidity_kg_kg: specific_humidity(vapour_pa, air.pressure_pa),
            pressure_pa: air.pressure_pa,
            wind_m_s: self.wind_m_s,
            sun_w_m2: direct + share * light.diffuse_w_m2 + (1.0 - share) * albedo * light.global_w_m2,
            longwave_w_m2: share * sky.longwave_w_m2 + (1.0 - share) * black,
        }
    }

    fn warm(&self, nodes_c: &mut [f64], weather: &Weather, dt_s: f64) -> bool {
        self.slab.warm(nodes_c, dt_s, |t| gain_w_m2(self.skin, weather, t), |_| 0.0)
    }
}

/// The ground and the faces of all obstacles, as they are followed.
fn followed(conditions: &Conditions, materials: &Materials) -> Vec<Followed> {
    let scenario = &conditions.scenario;
    let cover = scenario.site.ground.as_deref().unwrap_or(COVER);
    let ground = Face { normal: Some(DVec3::Z), at_m: DVec3::ZERO, facets: Vec::new() };
    let mut list = vec![Followed::new(ground, materials.get(cover))];
    for (shape, obstacle) in conditions.shapes.iter().zip(&scenario.obstacles).filter(|(shape, _)| !matches!(shape, Shape::Ground(_))) {
        let material = obstacle.material().and_then(|id| materials.get(id));
        list.extend(faces(shape).into_iter().map(|face| Followed::new(face, material)));
    }
    list
}

/// Of every face of an obstacle what is free of it, m², the place before its middle, and the middles of the cells it meets the air in; follows from the scenario.
#[derive(Resource, Clone, Debug, Default)]
pub(super) struct FreeFaces(Vec<(f64, DVec3, Vec<DVec3>)>);

/// What walls and roofs give to the air, where, in this tick.
pub(super) fn warm_the_air(
    (conditions, grid, air, solids): (Res<Conditions>, Res<Grid>, Res<GroundAir>, Res<Solids>),
    temperatures: Res<SurfaceTemperatures>,
    wind: WindField,
    mut places: ResMut<FreeFaces>,
    mut heat: ResMut<HeatSources>,
) {
    if conditions.scenario.air_heat != AirHeat::All || conditions.scenario.fidelity == Fidelity::Plume {
        return;
    }
    let walls = conditions.shapes.iter().filter(|shape| !matches!(shape, Shape::Ground(_)));
    if places.0.is_empty() {
        let of = |shape: &Shape| {
            let place = |face: Face| {
                let (share, cells) = face.free(shape, &grid, &solids);
                (share * face.facets.iter().map(Facet::area_m2).sum::<f64>(), face.at_m, cells)
            };
            faces(shape).into_iter().map(place).collect::<Vec<_>>()
        };
        places.0 = walls.flat_map(of).collect();
    }
    for ((area_m2, at_m, cells), surface_k) in places.0.iter().zip(temperatures.kelvin().skip(1)) {
        let flux_w_m2 = transfer_w_m2_k(wind.at(&grid, *at_m).length()) * (surface_k - air.temperature_k);
        heat.0.extend(cells.iter().map(|at_m| (*at_m, flux_w_m2 * area_m2 / cells.len() as f64)));
    }
}

/// Lets ground, walls and roofs warm or cool, every so often.
pub(super) fn warm_surfaces(
    (conditions, clock, site, grid): (Res<Conditions>, Res<Clock>, Res<SiteInfo>, Res<Grid>),
    (tables, air, sky, solids): (Res<LineTables>, Res<GroundAir>, Res<Sky>, Res<Solids>),
    wind: WindField,
    mut temperatures: ResMut<SurfaceTemperatures>,
) -> Result<(), BevyError> {
    let temperatures = &mut *temperatures;
    temperatures.waiting_s += clock.tick_s();
    let first = temperatures.nodes_c.is_empty();
    if !first && temperatures.waiting_s < EVERY_S {
        return Ok(());
    }
    let mut list = followed(&conditions, &tables.materials);
    let albedo = 1.0 - list[0].skin.absorptivity;
    let now = Sun::at(clock.utc_us(clock.elapsed_us()), site.latitude_deg, site.longitude_deg);
    // the ground has one temperature and no shadows
    let lit = |surface: &Followed, sun: &Sun| surface.face.facets.is_empty() || !solids.block(&grid, surface.face.at_m, sun.towards);
    for surface in &mut list {
        let at_m = surface.face.at_m;
        surface.wind_m_s = if surface.face.facets.is_empty() { low_wind(&grid, &wind) } else { wind.at(&grid, at_m).length() };
        surface.lit = lit(surface, &now);
    }
    if first {
        let at_s = |step: u32| clock.now_s() - BEFORE_S + BEFORE_STEP_S * f64::from(step);
        temperatures.nodes_c = list.iter().map(|surface| vec![celsius(air.temperature_k); surface.slab.nodes()]).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps")]
        for step in 1..=(BEFORE_S / BEFORE_STEP_S) as u32 {
            let (then, over) = air_and_sky(&conditions, &clock, site.longitude_deg, at_s(step));
            #[expect(clippy::cast_possible_truncation, reason = "microseconds of a time near the start")]
            let back_us = ((clock.now_s() - at_s(step)) * 1e6) as i64;
            let sun = Sun::at(clock.utc_us(clock.elapsed_us()) - back_us, site.latitude_deg, site.longitude_deg);
            for (surface, nodes) in list.iter_mut().zip(&mut temperatures.nodes_c) {
                surface.lit = lit(surface, &sun);
                settle(surface, nodes, &surface.weather(&then, &over, &sun, albedo), BEFORE_STEP_S)?;
            }
        }
    } else {
        for (surface, nodes) in list.iter().zip(&mut temperatures.nodes_c) {
            settle(surface, nodes, &surface.weather(&air, &sky, &now, albedo), temperatures.waiting_s)?;
        }
    }
    temperatures.waiting_s = 0.0;
    Ok(())
}

fn settle(surface: &Followed, nodes_c: &mut [f64], weather: &Weather, dt_s: f64) -> Result<(), BevyError> {
    if surface.warm(nodes_c, weather, dt_s) { Ok(()) } else { Err(format!("a surface finds no temperature in {weather:?}").into()) }
}

/// The wind in the middle of the domain's lowest cells, m s⁻¹.
fn low_wind(grid: &Grid, wind: &WindField) -> f64 {
    let [nx, ny, _] = grid.shape;
    wind.at(grid, grid.centre(nx / 2, ny / 2, 0)).length()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRASS: Skin = Skin { absorptivity: 0.77, emissivity: 0.97, moisture: 0.3 };
    const NIGHT: Weather =
        Weather { air_k: 283.15, humidity_kg_kg: 5e-3, pressure_pa: 1e5, wind_m_s: 1.0, sun_w_m2: 0.0, longwave_w_m2: 270.0 };

    #[test]
    fn each_flux_counts_as_its_law_has_it() {
        let even = Weather { longwave_w_m2: STEFAN_BOLTZMANN_W_M2_K4 * 283.15f64.powi(4), ..NIGHT };
        let dry = Skin { moisture: 0.0, ..GRASS };
        assert!(gain_w_m2(dry, &even, 10.0).abs() < 1e-9);
        assert!((gain_w_m2(dry, &Weather { sun_w_m2: 100.0, ..even }, 10.0) - 77.0).abs() < 1e-9);
        // 12.27 hPa at 10 °C is 7.67 g/kg, less 5: 0.3 · 9.5 · 2488 · 0.00267
        assert!((gain_w_m2(GRASS, &even, 10.0) + 0.3 * 9.5 * 2488.0 * 2.67e-3).abs() < 0.3, "{}", gain_w_m2(GRASS, &even, 10.0));
    }

    #[test]
    fn a_box_has_five_faces_that_look_outwards_and_cover_it() {
        let shape = Shape::Box { min: DVec3::new(1.0, 2.0, 0.0), max: DVec3::new(5.0, 4.0, 3.0) };
        let list = faces(&shape);
        assert_eq!(list.len(), 5);
        for face in &list {
            let normal = face.normal.unwrap();
            assert!(!shape.contains(face.at_m) && shape.contains(face.at_m - 2.0 * HAND_M * normal));
            let from = face.at_m + normal * 2.0 + DVec3::new(0.3, 0.2, 0.1) * (DVec3::ONE - normal.abs());
            let met = face.facets.iter().filter_map(|facet| facet.met(from, -normal)).count();
            assert_eq!(met, 1, "{normal}");
        }
    }
}
