//! Closed surfaces of triangles from STL files, ASCII or binary.
//!
//! A mesh must be watertight: every edge belongs to two triangles that run along it in opposite directions. Otherwise inside
//! and outside are not told apart, and it is refused with the place of the fault.

use std::collections::BTreeMap;
use std::io::Cursor;

use glam::DVec3;

/// A mesh with less volume than this part of the 3/2 power of its surface is flat: rounding makes that much, a sheet a millionth as thick as wide has a thousand times more.
const FLAT: f64 = 1e-9;

/// A watertight surface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Corners of the triangles, in metres.
    pub triangles_m: Vec<[DVec3; 3]>,
}

/// Why a mesh is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeshFault {
    /// The bytes are no STL.
    #[error("this is no STL file: {0}")]
    NotStl(String),
    /// There is nothing in it, or a corner is not a number.
    #[error("this mesh holds no triangle, or a corner that is not a number")]
    Empty,
    /// It is closed, but both sides are the same.
    #[error("this mesh encloses nothing")]
    Flat,
    /// Edges with a triangle on one side only.
    #[error("this mesh has a hole: {edges} edges have a triangle on one side only, around ({:.3}, {:.3}, {:.3}) in the file", at.x, at.y, at.z)]
    Hole {
        /// Open edges in all.
        edges: usize,
        /// Middle of the first hole, in the coordinates of the file.
        at: DVec3,
    },
    /// Edges that more than two triangles share, or that two run along in the same direction.
    #[error("this mesh is folded: {edges} edges belong to more than two triangles or to two that face apart, first at ({:.3}, {:.3}, {:.3}) in the file", at.x, at.y, at.z)]
    Folded {
        /// Such edges in all.
        edges: usize,
        /// Middle of the first, in the coordinates of the file.
        at: DVec3,
    },
}

impl Mesh {
    /// Reads and checks the bytes of an STL file.
    ///
    /// # Errors
    /// The first of: not an STL file, nothing in it, a hole, a fold, nothing inside.
    pub fn read(bytes: &[u8]) -> Result<Self, MeshFault> {
        let mesh = stl_io::read_stl(&mut Cursor::new(bytes)).map_err(|error| MeshFault::NotStl(error.to_string()))?;
        let corner = |n: usize| DVec3::from_array(mesh.vertices[n].0.map(f64::from));
        if mesh.faces.is_empty() || mesh.vertices.iter().any(|vertex| vertex.0.iter().any(|x| !x.is_finite())) {
            return Err(MeshFault::Empty);
        }
        // how often an edge is run along from its lower corner to its higher one, and back
        let mut edges: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
        // a triangle with two equal corners is a line and closes nothing
        let flat = |v: &[usize; 3]| v[0] == v[1] || v[1] == v[2] || v[2] == v[0];
        let faces: Vec<[usize; 3]> = mesh.faces.iter().map(|face| face.vertices).filter(|v| !flat(v)).collect();
        for face in &faces {
            for n in 0..3 {
                let (from, to) = (face[n], face[(n + 1) % 3]);
                let count = edges.entry((from.min(to), from.max(to))).or_default();
                if from < to { count.0 += 1 } else { count.1 += 1 }
            }
        }
        let middle = |(a, b): &(usize, usize)| corner(*a).midpoint(corner(*b));
        let open: Vec<&(usize, usize)> = edges.iter().filter(|(_, (ahead, back))| ahead + back == 1).map(|(edge, _)| edge).collect();
        if !open.is_empty() {
            let hole = connected(&open);
            let at = hole.iter().map(middle).sum::<DVec3>() / hole.len() as f64;
            return Err(MeshFault::Hole { edges: open.len(), at });
        }
        let folded: Vec<&(usize, usize)> = edges.iter().filter(|(_, count)| **count != (1, 1)).map(|(edge, _)| edge).collect();
        if let Some(first) = folded.first() {
            return Err(MeshFault::Folded { edges: folded.len(), at: middle(first) });
        }
        let mesh = Self { triangles_m: faces.iter().map(|face| face.map(corner)).collect() };
        let (surface, volume) = mesh.surface_and_volume();
        if volume > FLAT * surface * surface.sqrt() { Ok(mesh) } else { Err(MeshFault::Flat) }
    }

    /// The mesh scaled, turned clockwise as seen from above, and moved.
    #[must_use]
    pub fn placed(&self, scale: f64, turn_deg: f64, at_m: DVec3) -> Self {
        let (sin, cos) = libm::sincos(turn_deg.to_radians());
        let place = |p: DVec3| at_m + scale * DVec3::new(cos * p.x + sin * p.y, cos * p.y - sin * p.x, p.z);
        Self { triangles_m: self.triangles_m.iter().map(|triangle| triangle.map(place)).collect() }
    }

    /// The same with the middle of the box around it at the origin.
    #[must_use]
    pub fn centred(&self) -> Self {
        let (min, max) = self.bounds();
        self.placed(1.0, 0.0, -min.midpoint(max))
    }

    /// The smallest box around it: lower and upper corner.
    #[must_use]
    pub fn bounds(&self) -> (DVec3, DVec3) {
        let corners = || self.triangles_m.iter().flatten().copied();
        (corners().fold(DVec3::INFINITY, DVec3::min), corners().fold(DVec3::NEG_INFINITY, DVec3::max))
    }

    /// Its surface in m² and the volume it encloses in m³.
    #[must_use]
    pub fn surface_and_volume(&self) -> (f64, f64) {
        let area = |[a, b, c]: &[DVec3; 3]| 0.5 * (*b - *a).cross(*c - *a).length();
        // tetrahedra from a corner of the box around it, with the sign of the side they show it
        let from = self.bounds().0;
        let volume = |[a, b, c]: &[DVec3; 3]| (*a - from).dot((*b - from).cross(*c - from)) / 6.0;
        (self.triangles_m.iter().map(area).sum(), self.triangles_m.iter().map(volume).sum::<f64>().abs())
    }

    /// The triangles that reach this height.
    #[must_use]
    pub fn at_height(&self, z: f64) -> Self {
        let reaches = |t: &&[DVec3; 3]| t.iter().any(|p| p.z <= z) && t.iter().any(|p| p.z >= z);
        Self { triangles_m: self.triangles_m.iter().filter(reaches).copied().collect() }
    }

    /// Where a line along x at this y and z enters and leaves it, sorted: inside lies between the first and the second, and so on.
    ///
    /// A line that meets a corner or an edge exactly may count it twice or not at all: keep away from round numbers.
    #[must_use]
    pub fn crossings(&self, y: f64, z: f64) -> Vec<f64> {
        let mut list: Vec<f64> = self.triangles_m.iter().filter_map(|triangle| crossing(triangle, y, z)).collect();
        list.sort_by(f64::total_cmp);
        list
    }
}

/// Where a line along x meets a triangle.
fn crossing([a, b, c]: &[DVec3; 3], y: f64, z: f64) -> Option<f64> {
    let side = |p: &DVec3, q: &DVec3| (q.y - p.y) * (z - p.z) - (q.z - p.z) * (y - p.y);
    let parts = [side(b, c), side(c, a), side(a, b)];
    let whole = parts.iter().sum::<f64>();
    let inside = whole != 0.0 && parts.iter().all(|part| part * whole > 0.0);
    inside.then(|| (parts[0] * a.x + parts[1] * b.x + parts[2] * c.x) / whole)
}

/// The edges that hang together with the first one.
fn connected(edges: &[&(usize, usize)]) -> Vec<(usize, usize)> {
    let mut at_corner: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, edge) in edges.iter().enumerate() {
        at_corner.entry(edge.0).or_default().push(n);
        at_corner.entry(edge.1).or_default().push(n);
    }
    let (mut found, mut known) = (Vec::new(), vec![false; edges.len()]);
    let mut next = vec![0];
    known[0] = true;
    while let Some(n) = next.pop() {
        found.push(*edges[n]);
        for beside in [edges[n].0, edges[n].1].iter().flat_map(|corner| &at_corner[corner]) {
            if !std::mem::replace(&mut known[*beside], true) {
                next.push(*beside);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit cube as ASCII STL, without the facets whose number is in `without`.
    fn cube(without: &[usize]) -> String {
        let quads = [
            [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]],
            [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
            [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
            [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
            [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]],
            [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
        ];
        let mut text = "solid cube\n".to_owned();
        for (n, [a, b, c, d]) in quads.iter().enumerate() {
            for (m, corners) in [[a, b, c], [a, c, d]].iter().enumerate() {
                if without.contains(&(2 * n + m)) {
                    continue;
                }
                text.push_str("facet normal 0 0 0\nouter loop\n");
                for [x, y, z] in *corners {
                    text.push_str(&format!("vertex {x} {y} {z}\n"));
                }
                text.push_str("endloop\nendfacet\n");
            }
        }
        text + "endsolid cube\n"
    }

    #[test]
    fn a_closed_cube_is_read_and_placed_and_tells_inside_from_outside() {
        let mesh = Mesh::read(cube(&[]).as_bytes()).unwrap().placed(2.0, 90.0, DVec3::new(10.0, 20.0, 0.0));
        let (min, max) = mesh.bounds();
        assert!((min - DVec3::new(10.0, 18.0, 0.0)).length() < 1e-9 && (max - DVec3::new(12.0, 20.0, 2.0)).length() < 1e-9, "{min} {max}");
        let crossings = mesh.crossings(19.013, 0.707);
        assert!(crossings.len() == 2 && (crossings[0] - 10.0).abs() < 1e-9 && (crossings[1] - 12.0).abs() < 1e-9, "{crossings:?}");
        assert!(mesh.crossings(20.5, 0.7).is_empty());
        let (surface, volume) = mesh.surface_and_volume();
        assert!((surface - 24.0).abs() < 1e-9 && (volume - 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_hole_is_named_with_its_place() {
        // the lid is missing
        match Mesh::read(cube(&[2, 3]).as_bytes()) {
            Err(MeshFault::Hole { edges, at }) => assert!(edges == 4 && (at - DVec3::new(0.5, 0.5, 1.0)).length() < 1e-9, "{edges} {at}"),
            other => panic!("{other:?}"),
        }
        // a triangle and its back
        let facet =
            |[a, b, c]: [&str; 3]| format!("facet normal 0 0 0\nouter loop\nvertex {a}\nvertex {b}\nvertex {c}\nendloop\nendfacet\n");
        let (a, b, c) = ("0 0 0.3", "1.7 0 0.3", "0.1 1.3 0.3");
        let sheet = format!("solid sheet\n{}{}endsolid sheet\n", facet([a, b, c]), facet([a, c, b]));
        assert_eq!(Mesh::read(sheet.as_bytes()), Err(MeshFault::Flat));
        assert!(matches!(Mesh::read(b"no triangles here"), Err(MeshFault::NotStl(_) | MeshFault::Empty)));
        assert!(Mesh::read((cube(&[]).replace("endsolid cube\n", "") + &cube(&[])).as_bytes()).is_err());
    }
}
