//! What stands at the sides of a domain, and the stress of walls on the air beside them.

use super::lattice::Lattice;
use crate::physics::airflow::kernel::psi_m;
use crate::units::VON_KARMAN;

/// How a wall holds the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wall {
    /// Not at all.
    Slip,
    /// The air at the wall moves with it; the stress is that of the molecular viscosity, m² s⁻¹.
    Smooth {
        /// Velocity of the wall, m s⁻¹.
        velocity_m_s: [f64; 3],
        /// Molecular viscosity, m² s⁻¹.
        viscosity_m2_s: f64,
    },
    /// The stress of a surface layer between the wall and the middle of the first cell.
    Rough {
        /// Roughness length, m.
        roughness_m: f64,
        /// One over the Obukhov length, m⁻¹.
        inverse_obukhov: f64,
    },
}

/// What a side of the domain is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    /// What leaves comes in on the other side; both sides of an axis or none.
    Periodic,
    /// Nothing passes.
    Wall(Wall),
    /// The velocity is given: the caller writes faces and ghosts.
    Given,
    /// The air leaves or comes as the pressure wants it, which is that of outside.
    Open,
    /// The same before air at rest: what comes in brings no motion along the side.
    Still,
}

impl Side {
    /// Whether air passes as the pressure wants it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Still)
    }
}

/// All sides, and the walls of obstacles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sides {
    /// Low and high side along x, y, z.
    pub sides: [[Side; 2]; 3],
    /// Surfaces of obstacles.
    pub obstacles: Wall,
}

impl Sides {
    /// One side.
    #[must_use]
    pub const fn of(&self, axis: usize, high: bool) -> Side {
        self.sides[axis][high as usize]
    }

    /// Whether the air passes the same sides, whatever the walls are like.
    #[must_use]
    pub fn pass_as(&self, other: &Self) -> bool {
        let same = |a: &Side, b: &Side| std::mem::discriminant(a) == std::mem::discriminant(b);
        self.sides.iter().flatten().zip(other.sides.iter().flatten()).all(|(a, b)| same(a, b))
    }

    /// A tangential component in the ghosts of a side: factors of the first and second value inside, and what is added to them.
    /// None where the side is written by others.
    #[must_use]
    pub fn mirror(&self, lattice: &Lattice, axis: usize, high: bool, component: usize) -> Option<[f64; 3]> {
        match self.of(axis, high) {
            Side::Periodic | Side::Given => None,
            Side::Open | Side::Still | Side::Wall(Wall::Slip) => Some([1.0, 0.0, 0.0]),
            Side::Wall(Wall::Smooth { velocity_m_s, .. }) => Some([-1.0, 0.0, 2.0 * velocity_m_s[component]]),
            // the gradient across the first cell, from ghost to second cell, is that of the logarithm, u/(d ln(d/z0)) at d = h/2
            Side::Wall(Wall::Rough { roughness_m, .. }) => {
                let log = libm::log(0.5 * lattice.cell_m[axis] / roughness_m);
                Some(if lattice.shape[axis] > 1 { [-4.0 / log, 1.0, 0.0] } else { [1.0 - 2.0 / log, 0.0, 0.0] })
            }
        }
    }
}

/// Faces along whose edge a wall runs.
#[derive(Clone, Debug, Default)]
pub(super) struct WallEdges(Vec<Edge>);

/// An edge between a free face and a wall beside it.
#[derive(Clone, Copy, Debug)]
struct Edge {
    /// The component that feels the wall, and its face.
    component: usize,
    place: usize,
    /// The axis across the wall, and whether the wall is on its high side.
    axis: usize,
    high: bool,
    /// Whether it is a side of the domain; else an obstacle.
    side: bool,
}

impl WallEdges {
    /// All edges of a domain. `free` are the faces that move.
    #[must_use]
    pub(super) fn new(lattice: &Lattice, reached: &[bool], free: &[Vec<f64>; 3], sides: &Sides) -> Self {
        let [nx, ny, nz] = lattice.shape;
        let strides = lattice.strides();
        let mut edges = Vec::new();
        for cell in 0..reached.len() {
            let index = [cell % nx + 1, cell / nx % ny + 1, cell / (nx * ny) + 1];
            let place = lattice.at(index);
            for component in (0..3).filter(|component| free[*component][place] > 0.0) {
                for axis in (0..3).filter(|axis| *axis != component) {
                    for high in [false, true] {
                        let n = [nx, ny, nz][axis];
                        let at_side = index[axis] == if high { n } else { 1 };
                        let round = at_side && sides.of(axis, high) == Side::Periodic;
                        let beside = match (high, round) {
                            (true, false) => place + strides[axis],
                            (false, false) => place - strides[axis],
                            (true, true) => place - (n - 1) * strides[axis],
                            (false, true) => place + (n - 1) * strides[axis],
                        };
                        let side = at_side && matches!(sides.of(axis, high), Side::Wall(_));
                        // a closed face between cells of this domain: an obstacle stands on at least one side of it
                        let obstacle = (!at_side || round) && free[component][beside] == 0.0;
                        if side || obstacle {
                            edges.push(Edge { component, place, axis, high, side });
                        }
                    }
                }
            }
        }
        Self(edges)
    }

    /// Puts the stress of the walls in place of that between faces.
    pub(super) fn correct(
        &self,
        lattice: &Lattice,
        sides: &Sides,
        from: &[Vec<f64>; 3],
        viscosity: &[f64],
        dt_s: f64,
        into: &mut [Vec<f64>; 3],
    ) {
        let strides = lattice.strides();
        for edge in &self.0 {
            let Edge { component, place, axis, high, side } = *edge;
            let (own, across) = (strides[component], strides[axis]);
            let (h, here) = (lattice.cell_m[axis], from[component][place]);
            let (low, up) = if high { (place, place + across) } else { (place - across, place) };
            let nu = 0.25 * (viscosity[low] + viscosity[low - own] + viscosity[up] + viscosity[up - own]);
            let shear =
                (from[component][up] - from[component][low]) / h + (from[axis][up] - from[axis][up - own]) / lattice.cell_m[component];
            let between = if high { nu * shear } else { -nu * shear };
            let wall = match (side, sides.of(axis, high)) {
                (true, Side::Wall(wall)) => wall,
                _ => sides.obstacles,
            };
            let stress = match wall {
                Wall::Slip => 0.0,
                Wall::Smooth { velocity_m_s, viscosity_m2_s } => {
                    let moves = if side { velocity_m_s[component] } else { 0.0 };
                    viscosity_m2_s * (moves - here) / (0.5 * h)
                }
                Wall::Rough { roughness_m, inverse_obukhov } => {
                    let other = 3 - component - axis;
                    let (list, step) = (&from[other], strides[other]);
                    let beside = 0.25 * (list[place] + list[place - own] + list[place + step] + list[place + step - own]);
                    -drag(0.5 * h, roughness_m, inverse_obukhov) * libm::sqrt(here * here + beside * beside) * here
                }
            };
            into[component][place] += dt_s * (stress - between) / h;
        }
    }
}

/// Drag coefficient of a wall on the air at a distance from it: `(κ/(ln(d/z0) − ψm(d/L) + ψm(z0/L)))²`.
#[must_use]
pub fn drag(distance_m: f64, roughness_m: f64, inverse_obukhov: f64) -> f64 {
    let shape = libm::log(distance_m / roughness_m) - psi_m(distance_m * inverse_obukhov) + psi_m(roughness_m * inverse_obukhov);
    let root = VON_KARMAN / shape;
    root * root
}
