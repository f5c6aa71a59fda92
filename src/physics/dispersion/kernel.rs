//! What the ground takes: deposition, what sinks, and the clouds a scenario begins with. No world.

use glam::DVec3;

use crate::numerics::Real;

/// The value of a Gaussian cloud at a point, kg m⁻³.
///
/// `M / ((2π)^1.5 σx σy σz) exp(−Σ d²/(2σ²))`; with `ground_image` its mirror image below z = 0 is added.
#[must_use]
pub fn gaussian_cloud(mass_kg: f64, centre: DVec3, sigma_m: DVec3, ground_image: bool, point: DVec3) -> f64 {
    let peak = mass_kg / (libm::pow(std::f64::consts::TAU, 1.5) * sigma_m.x * sigma_m.y * sigma_m.z);
    let from = |centre: DVec3| {
        let d = (point - centre) / sigma_m;
        peak * libm::exp(-0.5 * d.length_squared())
    };
    let mirror = if ground_image { from(DVec3::new(centre.x, centre.y, -centre.z)) } else { 0.0 };
    from(centre) + mirror
}

/// Deposition velocity of the lowest cell as a whole, m s⁻¹: that of the surface in series with half a cell of
/// diffusivity `ground_k_m2_s`. In a surface layer, whose diffusivity vanishes at the ground, the given velocity is
/// already that of the lowest cell.
#[must_use]
pub fn deposition_of_cell_m_s(surface_m_s: f64, ground_k_m2_s: f64, cell_height_m: f64) -> f64 {
    if ground_k_m2_s <= 0.0 || surface_m_s <= 0.0 { surface_m_s } else { 1.0 / (1.0 / surface_m_s + 0.5 * cell_height_m / ground_k_m2_s) }
}

/// What falls and what the ground takes in one step.
#[derive(Clone, Copy, Debug)]
pub struct Fall {
    /// Share of a cell that a surface below it takes.
    pub taken: f64,
    /// Share of a cell that sinks into the one below; at most 1.
    pub sunk: f64,
    /// What sinks in from above the highest cell.
    pub from_above: f64,
}

/// Lets a column field of this shape fall and deposit; `closed_below` tells whether nothing can pass a cell's low z face
/// and `solid` whether a cell is filled. Gives the sum over cells of what the surfaces took and of what came in from above,
/// in the unit of the field.
///
/// Upwind and explicit, first order: the numerical diffusion `vₛ h/2` is far below the turbulent one.
pub fn fall<T: Real>(
    cells: &mut [T],
    [nx, ny, nz]: [usize; 3],
    fall: Fall,
    closed_below: impl Fn(usize) -> bool,
    solid: impl Fn(usize) -> bool,
) -> (f64, f64) {
    let (mut taken, mut entered) = (0.0, 0.0);
    let plane = nx * ny;
    for cell in 0..plane * nz {
        if solid(cell) {
            continue;
        }
        let here = cells[cell].to_f64();
        // levels are done from below: the one above is still untouched
        let above = if cell + plane >= plane * nz {
            entered += fall.sunk * fall.from_above;
            fall.from_above
        } else if closed_below(cell + plane) {
            0.0
        } else {
            cells[cell + plane].to_f64()
        };
        let ground = closed_below(cell);
        // what the surface takes is gone before the rest sinks: together never more than there is
        let left = if ground { here * (1.0 - fall.taken) } else { here };
        if ground {
            taken += here - left + left * fall.sunk;
        }
        cells[cell] = T::from_f64(left + fall.sunk * (above - left));
    }
    (taken, entered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_air_lies_on_the_ground() {
        let shape = [4, 3, 10];
        let mut cells: Vec<f64> = (0..120).map(|n| f64::from(n % 7)).collect();
        let start: f64 = cells.iter().sum();
        let step = Fall { taken: 0.02, sunk: 0.1, from_above: 0.0 };
        let mut ground = 0.0;
        for _ in 0..50 {
            ground += fall(&mut cells, shape, step, |cell| cell < 12, |_| false).0;
        }
        assert!(((cells.iter().sum::<f64>() + ground) / start - 1.0).abs() < 1e-12);
        assert!(cells.iter().all(|c| *c >= 0.0) && ground > 0.5 * start);
    }
}
