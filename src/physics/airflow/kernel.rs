//! Monin–Obukhov similarity: mean wind and diffusivity of a horizontally uniform surface layer.
//!
//! `u(z) = u*/κ [ln(z/z0) − ψm(z/L) + ψm(z0/L)]`, `K(z) = κ u* z / φh(z/L)` with the Businger–Dyer functions
//! `φm = (1 − 16ζ)^-1/4`, `φh = (1 − 16ζ)^-1/2` for ζ < 0 and `φm = φh = 1 + 5ζ` for ζ ≥ 0.
//! Lateral: a plume's width follows `σv` and its age (`world::air::lateral_variance_m2`); cells, which know no age, get the
//! diffusivity it has at the middle of its way through the domain.
//!
//! Sources: Dyer, *Boundary-Layer Meteorology* 7, 1974; Paulson, *J. Appl. Meteorol.* 9, 1970 (ψ);
//! Panofsky et al., *Boundary-Layer Meteorology* 11, 1977 (σv, σw). Units: metres, seconds.
//! Left out: displacement height, the layer above the surface layer, turning with height. Checked by: the tests below, `physics.md` 1.8.

use crate::units::VON_KARMAN;

/// Standard deviation of the lateral wind over the friction velocity in neutral air: Panofsky and Dutton, *Atmospheric
/// Turbulence*, 1984, ch. 7.
const NEUTRAL_SIGMA_V: f64 = 1.92;

/// A surface layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceLayer {
    /// Friction velocity in m s⁻¹.
    pub friction_m_s: f64,
    /// Roughness length in metres.
    pub roughness_m: f64,
    /// One over the Obukhov length in m⁻¹; negative is unstable, 0 neutral.
    pub inverse_obukhov: f64,
    /// Depth of the mixed layer in metres, for convective σv.
    pub mixing_height_m: f64,
}

/// Integrated stability function for momentum.
#[must_use]
pub fn psi_m(zeta: f64) -> f64 {
    if zeta >= 0.0 {
        return -5.0 * zeta;
    }
    let x = libm::sqrt(libm::sqrt(1.0 - 16.0 * zeta));
    2.0 * libm::log(f64::midpoint(1.0, x)) + libm::log(f64::midpoint(1.0, x * x)) - 2.0 * libm::atan(x) + std::f64::consts::FRAC_PI_2
}

/// Dimensionless gradient of heat, also of a passive scalar.
#[must_use]
pub fn phi_h(zeta: f64) -> f64 {
    if zeta >= 0.0 { 1.0 + 5.0 * zeta } else { 1.0 / libm::sqrt(1.0 - 16.0 * zeta) }
}

impl SurfaceLayer {
    /// The layer whose mean wind at `at_m` is `speed_m_s`.
    #[must_use]
    pub fn with_speed(speed_m_s: f64, at_m: f64, roughness_m: f64, inverse_obukhov: f64, mixing_height_m: f64) -> Self {
        let unit = Self { friction_m_s: 1.0, roughness_m, inverse_obukhov, mixing_height_m };
        Self { friction_m_s: speed_m_s / unit.speed(at_m), ..unit }
    }

    /// Mean wind speed at height `z_m`; zero at and below the roughness length.
    #[must_use]
    pub fn speed(&self, z_m: f64) -> f64 {
        if z_m <= self.roughness_m {
            return 0.0;
        }
        let shape = libm::log(z_m / self.roughness_m) - psi_m(z_m * self.inverse_obukhov) + psi_m(self.roughness_m * self.inverse_obukhov);
        self.friction_m_s / VON_KARMAN * shape
    }

    /// Vertical diffusivity of a scalar at `z_m` in m² s⁻¹.
    #[must_use]
    pub fn diffusivity(&self, z_m: f64) -> f64 {
        VON_KARMAN * self.friction_m_s * z_m / phi_h(z_m * self.inverse_obukhov)
    }

    /// Square of the buoyancy frequency at `z_m` in s⁻²: `u*² φh / (κ² z L)` in stable air, else 0.
    #[must_use]
    pub fn stability_s2(&self, z_m: f64) -> f64 {
        let stable = self.inverse_obukhov.max(0.0);
        self.friction_m_s * self.friction_m_s * phi_h(z_m * stable) * stable / (VON_KARMAN * VON_KARMAN * z_m)
    }

    /// Dissipation of turbulent energy at `z_m` in m² s⁻³: `u*³ φε / (κ z)`, φε after Kaimal and Finnigan, 1994, ch. 1.
    #[must_use]
    pub fn dissipation_m2_s3(&self, z_m: f64) -> f64 {
        let zeta = z_m * self.inverse_obukhov;
        let shape = if zeta >= 0.0 { 1.0 + 5.0 * zeta } else { libm::pow(1.0 + 0.5 * libm::cbrt(zeta * zeta), 1.5) };
        self.friction_m_s * self.friction_m_s * self.friction_m_s * shape / (VON_KARMAN * z_m)
    }

    /// Standard deviation of the lateral wind in units of the friction velocity.
    fn lateral_sigma(&self) -> f64 {
        let neutral = NEUTRAL_SIGMA_V * NEUTRAL_SIGMA_V * NEUTRAL_SIGMA_V;
        libm::cbrt(neutral + 0.5 * self.mixing_height_m * (-self.inverse_obukhov).max(0.0))
    }

    /// Standard deviation of the lateral wind in m s⁻¹.
    #[must_use]
    pub fn lateral_sigma_m_s(&self) -> f64 {
        self.friction_m_s * self.lateral_sigma()
    }

    /// Standard deviation of the vertical wind at `z_m` in m s⁻¹: `1.25 u*`, `(1 + 3 z/|L|)^⅓` times that in unstable air.
    #[must_use]
    pub fn vertical_sigma_m_s(&self, z_m: f64) -> f64 {
        1.25 * self.friction_m_s * libm::cbrt(1.0 + 3.0 * z_m * (-self.inverse_obukhov).max(0.0))
    }

    /// Lagrangian time of the vertical turbulence at `z_m` in s: `Kz/σw²`.
    #[must_use]
    pub fn vertical_lagrangian_s(&self, z_m: f64) -> f64 {
        let sigma_w = self.vertical_sigma_m_s(z_m);
        if sigma_w > 0.0 { self.diffusivity(z_m) / (sigma_w * sigma_w) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(friction_m_s: f64, roughness_m: f64, obukhov_m: f64) -> SurfaceLayer {
        SurfaceLayer { friction_m_s, roughness_m, inverse_obukhov: 1.0 / obukhov_m, mixing_height_m: 1000.0 }
    }

    #[test]
    fn profiles_match_the_businger_dyer_values() {
        let cases = [
            (0.4, 0.03, 1e12, [(2.0, 4.199_71), (10.0, 5.809_14), (50.0, 7.418_58)]),
            (0.3, 0.03, -50.0, [(2.0, 3.050_00), (10.0, 4.012_71), (20.0, 4.351_81)]),
            (0.3, 0.03, -15.0, [(2.0, 2.893_33), (5.0, 3.368_43), (20.0, 3.932_45)]),
            (0.25, 0.03, 60.0, [(2.0, 2.727_42), (10.0, 4.149_99), (20.0, 5.104_04)]),
            (0.2, 0.03, 20.0, [(2.0, 2.346_10), (5.0, 3.179_25), (20.0, 5.747_40)]),
        ];
        for (friction, z0, obukhov, points) in cases {
            for (z, speed) in points {
                let got = layer(friction, z0, obukhov).speed(z);
                assert!((got / speed - 1.0).abs() < 1e-4, "L {obukhov} z {z}: {got} against {speed}");
            }
        }
    }

    #[test]
    fn diffusivity_matches_and_a_speed_leads_back_to_its_friction_velocity() {
        for (obukhov, z, k) in [(-50.0, 2.0, 0.307_350), (-50.0, 10.0, 2.459_27), (60.0, 2.0, 0.205_714), (60.0, 10.0, 0.654_545)] {
            assert!((layer(0.3, 0.03, obukhov).diffusivity(z) / k - 1.0).abs() < 1e-4);
        }
        let neutral = SurfaceLayer::with_speed(5.0, 10.0, 0.03, 0.0, 1000.0);
        assert!((neutral.friction_m_s / 0.344_285 - 1.0).abs() < 1e-4);
    }

    #[test]
    fn vertical_eddies_live_as_long_as_they_are_tall() {
        let neutral = layer(0.3, 0.03, 1e12);
        let ratio = neutral.vertical_lagrangian_s(8.0) / neutral.vertical_lagrangian_s(2.0);
        assert!((ratio - 4.0).abs() < 1e-9 && (neutral.vertical_lagrangian_s(2.0) - 0.4 * 2.0 / (1.25 * 1.25 * 0.3)).abs() < 1e-9);
    }
}
