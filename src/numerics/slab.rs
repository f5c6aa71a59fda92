//! Heat conduction through layers: a wall, a roof, the ground.
//!
//! Cells of any thickness with a surface node without heat capacity on either side; conductivities of two layers meet as their harmonic
//! mean. Solved by `rod::warm`: second order in space, first in time, energy kept to rounding. Per square metre.
//! Source: Patankar, *Numerical Heat Transfer and Fluid Flow*, 1980, ch. 4. Checked by: the tests below,
//! `tests/verification/conduction.rs`.

use super::rod::warm;

/// A layer of one material.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// Thickness, m.
    pub thickness_m: f64,
    /// Thermal conductivity, W m⁻¹ K⁻¹.
    pub conductivity_w_m_k: f64,
    /// Heat capacity of a cubic metre, J m⁻³ K⁻¹.
    pub capacity_j_m3_k: f64,
}

/// Layers cut into cells, from front to back.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab {
    /// Of each node, J m⁻² K⁻¹: front surface, cells, back surface.
    capacity: Vec<f64>,
    /// Between neighbouring nodes, W m⁻² K⁻¹.
    conductance: Vec<f64>,
}

impl Slab {
    /// A slab of cells, each a layer of its own.
    #[must_use]
    pub fn new(cells: &[Layer]) -> Self {
        let half = |cell: &Layer| 0.5 * cell.thickness_m / cell.conductivity_w_m_k;
        let mut conductance: Vec<f64> = cells.windows(2).map(|pair| 1.0 / (half(&pair[0]) + half(&pair[1]))).collect();
        conductance.insert(0, cells.first().map_or(0.0, |cell| 1.0 / half(cell)));
        conductance.push(cells.last().map_or(0.0, |cell| 1.0 / half(cell)));
        let mut capacity: Vec<f64> = cells.iter().map(|cell| cell.capacity_j_m3_k * cell.thickness_m).collect();
        capacity.insert(0, 0.0);
        capacity.push(0.0);
        Self { capacity, conductance }
    }

    /// A layer cut into equal cells.
    #[must_use]
    pub fn even(layer: Layer, cells: usize) -> Self {
        Self::new(&vec![Layer { thickness_m: layer.thickness_m / cells as f64, ..layer }; cells])
    }

    /// A layer cut into cells that grow by a fifth from one to the next, the first no thicker than `first_m`.
    #[must_use]
    pub fn graded(layer: Layer, first_m: f64) -> Self {
        const GROWTH: f64 = 1.2;
        let (mut sizes, mut done) = (vec![first_m], first_m);
        while done < layer.thickness_m {
            let next = sizes[sizes.len() - 1] * GROWTH;
            sizes.push(next);
            done += next;
        }
        let cells: Vec<Layer> = sizes.iter().map(|size| Layer { thickness_m: size * layer.thickness_m / done, ..layer }).collect();
        Self::new(&cells)
    }

    /// Nodes: both surfaces and the cells between.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.capacity.len()
    }

    /// Heat in it above 0, J m⁻².
    #[must_use]
    pub fn stored_j_m2(&self, temperature: &[f64]) -> f64 {
        self.capacity.iter().zip(temperature).map(|(capacity, t)| capacity * t).sum()
    }

    /// Heat that flows from each node to the next, W m⁻².
    #[must_use]
    pub fn flows_w_m2(&self, temperature: &[f64]) -> Vec<f64> {
        self.conductance.iter().zip(temperature.windows(2)).map(|(conductance, pair)| conductance * (pair[0] - pair[1])).collect()
    }

    /// Brings the temperatures of the nodes up to date after `dt_s` (endless for the steady state); `front` and `back` are the heat
    /// into either surface at its temperature, W m⁻². Gives whether a state was found.
    ///
    /// # Panics
    /// If there is not one temperature for each node: a bug in the caller.
    pub fn warm(&self, temperature: &mut [f64], dt_s: f64, front: impl Fn(f64) -> f64, back: impl Fn(f64) -> f64) -> bool {
        self.warm_with(temperature, dt_s, front, back, |_| 0.0)
    }

    /// The same with heat set free inside: `inside(n)` in cell n, counted from 0, W m⁻².
    ///
    /// # Panics
    /// If there is not one temperature for each node: a bug in the caller.
    pub fn warm_with(
        &self,
        temperature: &mut [f64],
        dt_s: f64,
        front: impl Fn(f64) -> f64,
        back: impl Fn(f64) -> f64,
        inside: impl Fn(usize) -> f64,
    ) -> bool {
        let last = self.nodes() - 1;
        warm(temperature, &self.capacity, &self.conductance, dt_s, |node, t| {
            if node == 0 {
                front(t)
            } else if node == last {
                back(t)
            } else {
                inside(node - 1)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_layers_share_one_flow_and_the_steady_temperatures_of_resistances_in_a_row() {
        let wood = Layer { thickness_m: 0.02, conductivity_w_m_k: 0.12, capacity_j_m3_k: 7.5e5 };
        let steel = Layer { thickness_m: 0.004, conductivity_w_m_k: 50.0, capacity_j_m3_k: 3.7e6 };
        let cells = [[Layer { thickness_m: 0.004, ..wood }; 5].as_slice(), &[Layer { thickness_m: 0.001, ..steel }; 4]].concat();
        let slab = Slab::new(&cells);
        let mut t = vec![20.0; slab.nodes()];
        assert!(slab.warm(&mut t, f64::INFINITY, |t| 10.0 * (60.0 - t), |t| 25.0 * (0.0 - t)));
        let flow = 60.0 / (0.1 + 0.02 / 0.12 + 0.004 / 50.0 + 0.04);
        for seen in slab.flows_w_m2(&t) {
            assert!((seen / flow - 1.0).abs() < 1e-10, "{seen} {flow}");
        }
    }

    #[test]
    fn a_graded_slab_is_as_thick_as_its_layer_and_fine_in_front() {
        let ground = Layer { thickness_m: 0.5, conductivity_w_m_k: 1.0, capacity_j_m3_k: 1.0 };
        let slab = Slab::graded(ground, 0.005);
        assert!((slab.stored_j_m2(&vec![1.0; slab.nodes()]) - 0.5).abs() < 1e-12);
        assert!(slab.capacity[1] <= 0.005 && (10..30).contains(&slab.nodes()), "{} {}", slab.capacity[1], slab.nodes());
    }
}
