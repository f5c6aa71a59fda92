//! Obstacles as they stand in the domain: what a scenario typed, with the files it names read.

use glam::DVec3;

use crate::files::mesh::Mesh;
use crate::files::obstacle::Obstacle;
use crate::files::terrain::Terrain;
use crate::world::Grid;
use crate::world::environment::vector;

/// A solid shape in domain coordinates, metres.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Along the axes.
    Box {
        /// South-west lower corner.
        min: DVec3,
        /// North-east upper corner.
        max: DVec3,
    },
    /// A round bar.
    Cylinder {
        /// Middle of one end.
        from: DVec3,
        /// Middle of the other end.
        to: DVec3,
        /// Radius.
        radius: f64,
    },
    /// A ball.
    Sphere {
        /// Its middle.
        centre: DVec3,
        /// Radius.
        radius: f64,
    },
    /// A watertight surface.
    Mesh(Mesh),
    /// All that lies below the ground.
    Ground(Ground),
}

/// The ground of the domain.
#[derive(Clone, Debug)]
pub struct Ground {
    terrain: Terrain,
    corner_m: (f64, f64),
    base_m: f64,
    size_m: DVec3,
    /// Mean height over the domain.
    pub mean_m: f64,
    /// Greatest height.
    pub top_m: f64,
}

/// Heights are looked at on at least and at most so many places along an axis.
const LOOKS: (f64, f64) = (200.0, 4000.0);

impl Ground {
    /// The part of a terrain under a domain of this size; the lowest place is z = 0.
    ///
    /// # Errors
    /// A place of the domain, east and north in metres, where the terrain has no height.
    pub fn new(terrain: Terrain, corner_m: (f64, f64), size_m: DVec3) -> Result<Self, (f64, f64)> {
        let (mut low, mut high, mut sum) = (f64::MAX, f64::MIN, 0.0);
        // twice as fine as the terrain: no height of it is missed
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let looks = |length: f64| (2.0 * length / terrain.cell_m()).ceil().clamp(LOOKS.0, LOOKS.1) as u32;
        let (along, across) = (looks(size_m.x), looks(size_m.y));
        for j in 0..=across {
            for i in 0..=along {
                let at = (size_m.x * f64::from(i) / f64::from(along), size_m.y * f64::from(j) / f64::from(across));
                let height = terrain.height_m(corner_m.0 + at.0, corner_m.1 + at.1).ok_or(at)?;
                (low, high, sum) = (f64::min(low, height), f64::max(high, height), sum + height);
            }
        }
        let mean_m = sum / (f64::from(along + 1) * f64::from(across + 1)) - low;
        Ok(Self { terrain, corner_m, base_m: low, size_m, mean_m, top_m: high - low })
    }

    /// Height of the ground above its lowest place, m; beyond the domain as at its side.
    #[must_use]
    pub fn height_m(&self, x_m: f64, y_m: f64) -> f64 {
        let (x, y) = (x_m.clamp(0.0, self.size_m.x), y_m.clamp(0.0, self.size_m.y));
        let height = self.terrain.height_m(self.corner_m.0 + x, self.corner_m.1 + y);
        (height.unwrap_or(self.base_m) - self.base_m).max(0.0)
    }
}

impl Shape {
    /// An obstacle that needs no file; none for a mesh or a terrain.
    #[must_use]
    pub fn of(obstacle: &Obstacle) -> Option<Self> {
        match obstacle {
            Obstacle::Box { min_m, max_m, .. } => Some(Self::Box { min: vector(*min_m), max: vector(*max_m) }),
            Obstacle::Cylinder { from_m, to_m, radius_m, .. } => {
                Some(Self::Cylinder { from: vector(*from_m), to: vector(*to_m), radius: radius_m.get() })
            }
            Obstacle::Sphere { centre_m, radius_m, .. } => Some(Self::Sphere { centre: vector(*centre_m), radius: radius_m.get() }),
            Obstacle::Mesh { .. } | Obstacle::Terrain { .. } => None,
        }
    }

    /// The shape put on the ground under its middle.
    #[must_use]
    pub fn on(self, ground: &Ground) -> Self {
        let (min, max) = self.bounds();
        let up = DVec3::Z * ground.height_m(f64::midpoint(min.x, max.x), f64::midpoint(min.y, max.y));
        match self {
            Self::Box { min, max } => Self::Box { min: min + up, max: max + up },
            Self::Cylinder { from, to, radius } => Self::Cylinder { from: from + up, to: to + up, radius },
            Self::Sphere { centre, radius } => Self::Sphere { centre: centre + up, radius },
            Self::Mesh(mesh) => Self::Mesh(mesh.placed(1.0, 0.0, up)),
            Self::Ground(ground) => Self::Ground(ground),
        }
    }

    /// Whether a point lies inside, surface included.
    #[must_use]
    pub fn contains(&self, point: DVec3) -> bool {
        match self {
            Self::Box { min, max } => point.cmpge(*min).all() && point.cmple(*max).all(),
            Self::Cylinder { from, to, radius } => {
                let (axis, away) = (*to - *from, point - *from);
                let along = away.dot(axis) / axis.length_squared();
                (0.0..=1.0).contains(&along) && (away - axis * along).length() <= *radius
            }
            Self::Sphere { centre, radius } => point.distance(*centre) <= *radius,
            Self::Mesh(mesh) => {
                let (min, max) = mesh.bounds();
                let hair = HAIR * (max - min);
                within(&mesh.crossings(point.y + hair.y, point.z + hair.z), point.x)
            }
            Self::Ground(ground) => point.z <= ground.height_m(point.x, point.y),
        }
    }

    /// The smallest box around it: lower and upper corner.
    #[must_use]
    pub fn bounds(&self) -> (DVec3, DVec3) {
        match self {
            Self::Box { min, max } => (*min, *max),
            Self::Cylinder { from, to, radius } => {
                let axis = (*to - *from).normalize_or_zero();
                // a disc reaches as far along a direction as the part of that direction across its axis
                let reach = *radius * (DVec3::ONE - axis * axis).max(DVec3::ZERO).map(f64::sqrt);
                (from.min(*to) - reach, from.max(*to) + reach)
            }
            Self::Sphere { centre, radius } => (*centre - DVec3::splat(*radius), *centre + DVec3::splat(*radius)),
            Self::Mesh(mesh) => mesh.bounds(),
            Self::Ground(ground) => (DVec3::ZERO, ground.size_m),
        }
    }

    /// The cells whose centres it holds.
    #[must_use]
    pub fn cells(&self, grid: &Grid) -> Vec<usize> {
        let (min, max) = self.bounds();
        let hair = 1e-9 * grid.cell();
        let Self::Mesh(mesh) = self else {
            return grid.cells_between(min - hair, max + hair).filter(|(_, centre)| self.contains(*centre)).map(|(cell, _)| cell).collect();
        };
        // a row of cells at a time: where its line enters and leaves the mesh, by the triangles of that level
        let away = HAIR * (max - min);
        let (mut row, mut crossings, mut cells) = (None, Vec::new(), Vec::new());
        let (mut level, mut slice) = (None, mesh.clone());
        for (cell, centre) in grid.cells_between(min - hair, max + hair) {
            if level != Some(centre.z.to_bits()) {
                level = Some(centre.z.to_bits());
                slice = mesh.at_height(centre.z + away.z);
            }
            if row != Some((centre.y.to_bits(), centre.z.to_bits())) {
                row = Some((centre.y.to_bits(), centre.z.to_bits()));
                crossings = slice.crossings(centre.y + away.y, centre.z + away.z);
            }
            if within(&crossings, centre.x) {
                cells.push(cell);
            }
        }
        cells
    }
}

/// Lines through a mesh keep this part of its size away from round numbers, so that they meet no corner.
const HAIR: f64 = 1.732_05e-7;

/// Whether a place lies between an odd crossing and the next even one.
fn within(crossings: &[f64], x: f64) -> bool {
    crossings.iter().filter(|crossing| **crossing <= x).count() % 2 == 1
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Shapes from RON.
    pub(crate) fn shapes(list: &[&str]) -> Vec<Shape> {
        let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::UNWRAP_NEWTYPES);
        list.iter().map(|text| Shape::of(&options.from_str(text).unwrap()).unwrap()).collect()
    }

    #[test]
    fn shapes_hold_the_points_inside_their_bounds_and_no_others() {
        for (text, inside, outside) in [
            ("Box(min_m: (0.0, 0.0, 0.0), max_m: (4.0, 2.0, 3.0))", DVec3::new(3.9, 1.0, 2.9), DVec3::new(3.9, 2.1, 2.9)),
            (
                "Cylinder(from_m: (5.0, 5.0, 0.0), to_m: (5.0, 5.0, 3.0), radius_m: 2.0)",
                DVec3::new(6.3, 6.3, 2.0),
                DVec3::new(6.9, 6.9, 2.0),
            ),
            (
                "Cylinder(from_m: (0.0, 0.0, 0.0), to_m: (4.0, 4.0, 0.0), radius_m: 1.0)",
                DVec3::new(2.6, 1.4, 0.0),
                DVec3::new(3.0, 1.0, 0.0),
            ),
            ("Sphere(centre_m: (5.0, 5.0, 5.0), radius_m: 2.0)", DVec3::new(5.0, 5.0, 6.9), DVec3::new(6.3, 6.3, 6.3)),
        ] {
            let shape = &shapes(&[text])[0];
            assert!(shape.contains(inside) && !shape.contains(outside), "{text}");
            let (min, max) = shape.bounds();
            assert!(inside.cmpge(min).all() && inside.cmple(max).all());
        }
    }

    #[test]
    fn a_slope_fills_what_lies_below_it_and_lifts_what_stands_on_it() {
        let text = "ncols 2\nnrows 2\ncellsize 20\n100 140\n100 140\n";
        let terrain = Terrain::read(&crate::diagnostics::Source::new("t.asc", text)).unwrap();
        let ground = Ground::new(terrain, (10.0, 10.0), DVec3::new(20.0, 20.0, 60.0)).unwrap();
        assert!(
            (ground.height_m(10.0, 3.0) - 20.0).abs() < 1e-9 && (ground.mean_m - 20.0).abs() < 1e-9 && (ground.top_m - 40.0).abs() < 1e-9
        );
        let house = shapes(&["Box(min_m: (8.0, 8.0, 0.0), max_m: (12.0, 12.0, 5.0))"]).remove(0).on(&ground);
        assert!((house.bounds().1.z - 25.0).abs() < 1e-9);
        let grid = Grid { shape: [10, 10, 30], cell_m: [2.0; 3] };
        let filled = Shape::Ground(ground).cells(&grid).len() as f64 * 8.0;
        assert!((filled / (20.0 * 20.0 * 20.0) - 1.0).abs() < 0.06, "{filled}");
    }
}
