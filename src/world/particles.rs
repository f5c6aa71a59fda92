//! Particles in air: how fast they sink. No world in it.

use crate::files::species::ParticleClass;
use crate::units::GRAVITY_M_S2;

/// Viscosity of air at 293.15 K by Sutherland's law, Pa s.
const AIR_VISCOSITY_PA_S: f64 = 1.813_32e-5;
/// Mean free path of air at 293.15 K and 101,325 Pa, m: Seinfeld and Pandis, *Atmospheric Chemistry and Physics*, ch. 9.
const MEAN_FREE_PATH_M: f64 = 66.2e-9;

/// Density that an aerodynamic diameter is defined by, kg m⁻³: ISO 7708.
const UNIT_DENSITY_KG_M3: f64 = 1000.0;

/// How fast a small sphere sinks in air at 20 °C, m s⁻¹: Stokes' law with Cunningham's slip correction
/// `1 + Kn (1.257 + 0.4 exp(−1.1/Kn))`, Kn = 2 λ/d.
///
/// Holds for a Reynolds number well below one: diameters up to about 30 µm. Source: Seinfeld and Pandis, ch. 9.
#[must_use]
pub fn settling_velocity_m_s(diameter_m: f64, density_kg_m3: f64) -> f64 {
    let knudsen = 2.0 * MEAN_FREE_PATH_M / diameter_m;
    let slip = 1.0 + knudsen * (1.257 + 0.4 * libm::exp(-1.1 / knudsen));
    density_kg_m3 * diameter_m * diameter_m * GRAVITY_M_S2 * slip / (18.0 * AIR_VISCOSITY_PA_S)
}

/// How fast a class of particles sinks, m s⁻¹: at the geometric mean of its bounds.
#[must_use]
pub fn class_settles_m_s(class: &ParticleClass) -> f64 {
    let (least, most) = (class.aerodynamic_um.0.get(), class.aerodynamic_um.1.get());
    settling_velocity_m_s((least * most).sqrt() * 1e-6, UNIT_DENSITY_KG_M3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::species::SpeciesTable;

    #[test]
    fn small_spheres_sink_as_fast_as_published() {
        for (micrometres, published) in
            [(0.1, 8.698_08e-7), (0.3, 4.243_63e-6), (1.0, 3.504_58e-5), (2.5, 2.002_82e-4), (10.0, 3.054_51e-3)]
        {
            let speed = settling_velocity_m_s(micrometres * 1e-6, 1000.0);
            assert!((speed / published - 1.0).abs() < 1e-4, "{micrometres} µm: {speed:e}");
        }
    }

    #[test]
    fn larger_classes_sink_faster() {
        let table = SpeciesTable::shipped();
        let settling: Vec<f64> = table.particles().iter().map(class_settles_m_s).collect();
        assert!(settling.windows(2).all(|pair| 3.0 * pair[0] < pair[1]), "{settling:?}");
        assert!((settling[0] / 4.6e-6 - 1.0).abs() < 0.02 && (settling[1] / 8.3e-5 - 1.0).abs() < 0.02, "{settling:?}");
        // 5 µm: the square law from the published 10 µm, slip a little more
        assert!((settling[2] / (3.054_51e-3 / 4.0) - 1.0).abs() < 0.03, "{settling:?}");
    }
}
