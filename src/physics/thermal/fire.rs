//! Flames and the plumes over them where both are smaller than the cells: how tall, how hot, how they lean, what they radiate.
//!
//! Height and plume after Heskestad, `L = −1.02 D + 0.235 Q^⅖`, `z₀ = −1.02 D + 0.083 Q^⅖`, `ΔT = 9.1 (T/(g c_p² ρ²))^⅓ Q_c^⅔ (z − z₀)^(−5/3)`,
//! `u = 3.4 (g/(c_p ρ T))^⅓ Q_c^⅓ (z − z₀)^(−⅓)` (Q in kW), as wide as `0.12 √(T_c/T) (z − z₀)` where it is half as warm (*SFPE Handbook*, 2016, ch. 13). Below
//! the tip of the flame temperatures are those of `McCaffrey`, *Purely buoyant diffusion flames*, NBSIR 79-1910, 1979. A wind U leans the axis by `U/u`. Its
//! radiation is that of a point half way up, three tenths of the heat (Drysdale, *An Introduction to Fire Dynamics*, 2011, ch. 4).
//! A flame is grey: emissivity `1 − exp(−κ D)`, κ = 0.8 m⁻¹ for wood (Drysdale, table 2.10).
//!
//! What a fire warms beside itself stays in the truth without its event. Left out: flames that merge, fire that spreads, light of a flame that others reflect. Checked by: the tests below, `tests/verification/fire.rs`.

use bevy_ecs::prelude::*;
use glam::DVec3;

use super::GroundAir;
use crate::files::scenario::SourceShape;
use crate::units::{AIR_HEAT_J_KG_K, GRAVITY_M_S2};
use crate::world::Grid;
use crate::world::air::{WindField, air_kg_m3};
use crate::world::emitter::EmitterNode;
use crate::world::heat::{Flame, Flames};
use crate::world::spawn::Conditions;

/// Heat of a square metre that burns, W m⁻², where the file gives no area: wood in the open, *SFPE Handbook*, 2016, ch. 26 (100 to 500 kW).
const BURNS_W_M2: f64 = 400e3;
/// Share of the heat that is radiated.
pub const RADIATED: f64 = 0.3;
/// Absorption of a flame of wood, m⁻¹.
const ABSORBS_PER_M: f64 = 0.8;
/// No plume is hotter than this above the air, K: the mean in a flame, `McCaffrey` 1979.
const HOTTEST_K: f64 = 900.0;
/// Smaller fires are no flames, W: a match.
const LEAST_W: f64 = 50.0;

/// Height of a flame, m: heat release in W, diameter of the base in m.
#[must_use]
pub fn flame_height_m(heat_w: f64, diameter_m: f64) -> f64 {
    (0.235 * libm::pow(1e-3 * heat_w, 0.4) - 1.02 * diameter_m).max(0.0)
}

/// Height of the plume's virtual source over the base, m.
#[must_use]
pub fn virtual_source_m(heat_w: f64, diameter_m: f64) -> f64 {
    0.083 * libm::pow(1e-3 * heat_w, 0.4) - 1.02 * diameter_m
}

/// Air about a fire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FireAir {
    /// Temperature, K.
    pub temperature_k: f64,
    /// Density, kg m⁻³.
    pub density_kg_m3: f64,
}

impl FireAir {
    /// Dry air at a temperature and a pressure.
    #[must_use]
    pub fn new(temperature_k: f64, pressure_pa: f64) -> Self {
        Self { temperature_k, density_kg_m3: air_kg_m3(pressure_pa, temperature_k) }
    }
}

/// How much warmer the axis of a plume is, K, and how fast it rises, m s⁻¹, at a height over its virtual source.
#[must_use]
pub fn plume_axis(convected_w: f64, over_source_m: f64, air: FireAir) -> (f64, f64) {
    let (q, cp) = (1e-3 * convected_w, 1e-3 * AIR_HEAT_J_KG_K);
    let FireAir { temperature_k, density_kg_m3 } = air;
    let warmth = 9.1 * libm::cbrt(temperature_k / (GRAVITY_M_S2 * cp * cp * density_kg_m3 * density_kg_m3));
    let lift = 3.4 * libm::cbrt(GRAVITY_M_S2 / (cp * density_kg_m3 * temperature_k));
    let third = libm::cbrt(q);
    (warmth * third * third * libm::pow(over_source_m, -5.0 / 3.0), lift * third / libm::cbrt(over_source_m))
}

/// The same anywhere over a fire without a size, flame and plume: `McCaffrey`.
#[must_use]
pub fn mccaffrey_axis(heat_w: f64, height_m: f64, air_k: f64) -> (f64, f64) {
    let q = 1e-3 * heat_w;
    let scaled = height_m / libm::pow(q, 0.4);
    let (k, eta) = if scaled < 0.08 {
        (6.8, 0.5)
    } else if scaled < 0.2 {
        (1.9, 0.0)
    } else {
        (1.1, -1.0 / 3.0)
    };
    let warmth = k / (0.9 * (2.0 * GRAVITY_M_S2).sqrt());
    (warmth * warmth * libm::pow(scaled, 2.0 * eta - 1.0) * air_k, k * libm::pow(scaled, eta) * libm::pow(q, 0.2))
}

/// How much warmer a fire makes the air at a place, K, in a level wind.
#[must_use]
pub fn warmth_at_k(flame: &Flame, at_m: DVec3, wind_m_s: DVec3, air: FireAir) -> f64 {
    let height = at_m.z - flame.base_m.z;
    let over_source = height - virtual_source_m(flame.heat_w, flame.diameter_m);
    if height <= 0.0 || over_source <= 0.0 {
        return 0.0;
    }
    let convected_w = (1.0 - RADIATED) * flame.heat_w;
    let (axis_k, up) = if height > flame.height_m {
        plume_axis(convected_w, over_source, air)
    } else {
        mccaffrey_axis(flame.heat_w, height, air.temperature_k)
    };
    let axis_k = axis_k.min(HOTTEST_K);
    let half_m = (0.12 * (1.0 + axis_k / air.temperature_k).sqrt() * over_source).max(0.5 * flame.diameter_m);
    let middle = flame.base_m + DVec3::new(wind_m_s.x, wind_m_s.y, 0.0) * (height / up);
    let away = (at_m.x - middle.x).hypot(at_m.y - middle.y) / half_m;
    axis_k * libm::exp2(-away * away)
}

/// Radiation of a fire on a surface that faces it, W m⁻².
#[must_use]
pub fn irradiance_w_m2(flame: &Flame, at_m: DVec3) -> f64 {
    let middle = flame.base_m + DVec3::Z * (0.5 * flame.height_m);
    // no nearer than the edge of the flame
    let away = at_m.distance(middle).max(0.5 * flame.diameter_m.max(0.1));
    RADIATED * flame.heat_w / (4.0 * std::f64::consts::PI * away * away)
}

/// What all fires do at a place: radiation on a surface that faces them, W m⁻², and how much warmer the air is, K.
#[must_use]
pub fn of_fires(flames: &Flames, at_m: DVec3, wind_m_s: DVec3, air: FireAir) -> (f64, f64) {
    flames.0.iter().fold((0.0, 0.0f64), |(light, warmth), flame| {
        (light + irradiance_w_m2(flame, at_m), warmth.max(warmth_at_k(flame, at_m, wind_m_s, air)))
    })
}

/// Finds the flames of this tick.
pub(super) fn burn(
    (conditions, grid, ground): (Res<Conditions>, Res<Grid>, Res<GroundAir>),
    wind: WindField,
    emitters: Query<&EmitterNode>,
    mut flames: ResMut<Flames>,
) {
    let mut burning: Vec<&EmitterNode> = emitters.iter().filter(|node| node.flame_w > LEAST_W).collect();
    burning.sort_by_key(|node| node.source);
    let air_k = ground.temperature_k;
    flames.0 = burning
        .into_iter()
        .map(|node| {
            let area_m2 = match &conditions.scenario.emitters[node.source].shape {
                SourceShape::Area { size_m: (x, y) } | SourceShape::Volume { size_m: (x, y, _) } => x.get() * y.get(),
                SourceShape::Point | SourceShape::Line { .. } => node.flame_w / BURNS_W_M2,
            };
            let diameter_m = 2.0 * (area_m2 / std::f64::consts::PI).sqrt();
            let height_m = flame_height_m(node.flame_w, diameter_m).max(0.5 * diameter_m);
            let base_m = node.middle_m();
            let (rise_k, up) = mccaffrey_axis(node.flame_w, 0.5 * height_m, air_k);
            let lean = wind.at(&grid, base_m) / up.max(0.1);
            Flame {
                source: node.source,
                base_m,
                tip_m: base_m + DVec3::new(lean.x, lean.y, 1.0) * height_m,
                diameter_m,
                height_m,
                heat_w: node.flame_w,
                temperature_k: air_k + rise_k.min(HOTTEST_K),
                emissivity: -libm::expm1(-ABSORBS_PER_M * diameter_m),
            }
        })
        .collect();
}
