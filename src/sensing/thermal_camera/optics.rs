//! Where a camera looks: a pinhole with radial distortion.
//!
//! Image coordinates are pixels from the upper left corner, x to the right, y down. A direction at the tangent `r` from the
//! axis comes to lie `f r (1 + k r²)` pixels from the middle: Brown, *Photogrammetric Engineering* 32, 1966, first radial term.

use glam::DVec3;

/// A camera in space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// Where it is, m.
    pub at_m: DVec3,
    /// Unit vectors ahead, to the right and up, as the image has them.
    axes: [DVec3; 3],
    /// Pixels across and down.
    pub size: [usize; 2],
    focal_px: f64,
    distortion: f64,
}

/// Newton steps that undo the distortion.
const NEWTON: usize = 8;

impl Lens {
    /// A camera that looks towards `heading_deg`, clockwise from north, and `pitch_deg` above the horizon; `hfov_deg` is its view
    /// across, with the distortion.
    #[must_use]
    pub fn new(at_m: DVec3, heading_deg: f64, pitch_deg: f64, size: [usize; 2], hfov_deg: f64, distortion: f64) -> Self {
        let ((sin_h, cos_h), (sin_p, cos_p)) = (libm::sincos(heading_deg.to_radians()), libm::sincos(pitch_deg.to_radians()));
        let ahead = DVec3::new(sin_h * cos_p, cos_h * cos_p, sin_p);
        let right = DVec3::new(cos_h, -sin_h, 0.0);
        let edge = libm::tan(0.5 * hfov_deg.to_radians());
        let focal_px = 0.5 * size[0] as f64 / (edge * (1.0 + distortion * edge * edge));
        Self { at_m, axes: [ahead, right, right.cross(ahead)], size, focal_px, distortion }
    }

    /// Unit vector towards what lies at an image place.
    #[must_use]
    pub fn towards(&self, x: f64, y: f64) -> DVec3 {
        let [ahead, right, up] = self.axes;
        let (u, v) = ((x - 0.5 * self.size[0] as f64) / self.focal_px, (0.5 * self.size[1] as f64 - y) / self.focal_px);
        let stretched = libm::hypot(u, v);
        let mut r = stretched;
        if self.distortion != 0.0 {
            for _ in 0..NEWTON {
                r -= (r * (1.0 + self.distortion * r * r) - stretched) / (1.0 + 3.0 * self.distortion * r * r);
            }
        }
        let shrink = if stretched > 0.0 { r / stretched } else { 1.0 };
        (ahead + right * (u * shrink) + up * (v * shrink)).normalize()
    }

    /// Where a point comes to lie in the image; none behind the camera.
    #[must_use]
    pub fn place(&self, point_m: DVec3) -> Option<(f64, f64)> {
        let way = point_m - self.at_m;
        let [depth, right, up] = self.axes.map(|axis| axis.dot(way));
        if depth <= 0.0 {
            return None;
        }
        let (u, v) = (right / depth, up / depth);
        let r2 = u * u + v * v;
        // beyond the turning point of the distortion nothing is seen
        if 1.0 + 3.0 * self.distortion * r2 <= 0.0 {
            return None;
        }
        let scale = self.focal_px * (1.0 + self.distortion * r2);
        Some((0.5 * self.size[0] as f64 + u * scale, 0.5 * self.size[1] as f64 - v * scale))
    }

    /// How far at the most a straight line in space bends in the image, over its length there.
    #[must_use]
    pub fn bends(&self) -> f64 {
        let corner = self.corner();
        0.5 * self.distortion.abs() * corner * corner
    }

    /// How much larger at the most something looks in a corner than on the axis.
    #[must_use]
    pub fn stretch(&self) -> f64 {
        let corner = self.corner();
        (1.0 + corner * corner) * (1.0 + 3.0 * self.distortion.max(0.0) * corner * corner)
    }

    /// Tangent of the angle between the axis and a corner.
    fn corner(&self) -> f64 {
        let cosine = self.axes[0].dot(self.towards(0.0, 0.0)).max(1e-3);
        (1.0 / (cosine * cosine) - 1.0).max(0.0).sqrt()
    }

    /// Angle that a pixel on the axis sees, rad.
    #[must_use]
    pub fn pixel_rad(&self) -> f64 {
        1.0 / self.focal_px
    }

    /// How far ahead of the camera a point lies, m.
    #[must_use]
    pub fn depth_m(&self, point_m: DVec3) -> f64 {
        self.axes[0].dot(point_m - self.at_m)
    }
}

/// A pixel blurs into so many on each side.
const REACH: usize = 2;
/// Pixels that a pixel blurs into, along one axis.
pub const SPREAD: usize = 2 * REACH + 1;

/// The blur of the optics: a Gaussian in the image plane, before the pixels gather light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blur {
    /// Standard deviation in pixels.
    pub sigma_px: f64,
}

impl Blur {
    /// Shares of light from a place within a pixel, 0 to 1, that the pixels from two before to two behind it gather.
    #[must_use]
    pub fn from_place(&self, place: f64) -> [f64; SPREAD] {
        if self.sigma_px <= 0.0 {
            return std::array::from_fn(|n| f64::from(u8::from(n == REACH)));
        }
        let edge = |n: usize| 0.5 * libm::erf((n as f64 - REACH as f64 - place) / (self.sigma_px * std::f64::consts::SQRT_2));
        whole(std::array::from_fn(|n| edge(n + 1) - edge(n)))
    }

    /// The same of a pixel that is bright all over.
    #[must_use]
    pub fn from_all(&self) -> [f64; SPREAD] {
        const PLACES: u32 = 64;
        let mut mean = [0.0; SPREAD];
        for n in 0..PLACES {
            for (sum, share) in mean.iter_mut().zip(self.from_place((f64::from(n) + 0.5) / f64::from(PLACES))) {
                *sum += share;
            }
        }
        whole(mean)
    }

    /// Blurs an image of pixels that are each bright all over; at the edges it goes on as it ends.
    pub fn smooth(&self, image: &mut [f64], [width, height]: [usize; 2]) {
        // the weights are the same both ways
        let weights = self.from_all();
        let mut wide = vec![0.0; width + 2 * REACH];
        for row in image.chunks_mut(width) {
            wide[..REACH].fill(row[0]);
            wide[REACH..REACH + width].copy_from_slice(row);
            wide[REACH + width..].fill(row[width - 1]);
            for (value, near) in row.iter_mut().zip(wide.windows(SPREAD)) {
                *value = near.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            }
        }
        let rows = image.to_vec();
        for (y, row) in image.chunks_mut(width).enumerate() {
            row.fill(0.0);
            for (n, weight) in weights.into_iter().enumerate() {
                let from = width * (y + n).saturating_sub(REACH).min(height - 1);
                for (value, near) in row.iter_mut().zip(&rows[from..from + width]) {
                    *value += weight * near;
                }
            }
        }
    }

    /// The pixels that light in pixel (x, y) blurs into, in the order of the shares; none outside the image.
    pub fn neighbours([width, height]: [usize; 2], (x, y): (usize, usize)) -> impl Iterator<Item = Option<usize>> {
        (0..SPREAD * SPREAD).map(move |n| {
            let (column, row) = ((x + n % SPREAD).checked_sub(REACH)?, (y + n / SPREAD).checked_sub(REACH)?);
            (column < width && row < height).then_some(column + width * row)
        })
    }
}

/// Shares that add up to one.
fn whole(shares: [f64; SPREAD]) -> [f64; SPREAD] {
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinhole_has_the_field_of_view_of_the_reference() {
        let lens = Lens::new(DVec3::ZERO, 0.0, 0.0, [160, 120], 57.0, 0.0);
        assert!((1.0 / lens.pixel_rad() - 147.3).abs() < 0.1 && (1e3 * lens.pixel_rad() - 6.79).abs() < 0.005);
        let angle = |a: (f64, f64), b: (f64, f64)| lens.towards(a.0, a.1).angle_between(lens.towards(b.0, b.1)).to_degrees();
        assert!((angle((0.0, 60.0), (160.0, 60.0)) - 57.0).abs() < 1e-9);
        assert!((angle((80.0, 0.0), (80.0, 120.0)) - 44.3).abs() < 0.05);
        assert!((angle((0.0, 0.0), (160.0, 120.0)) - 68.3).abs() < 0.05);
    }

    #[test]
    fn a_distorted_lens_sees_71_degrees_from_corner_to_corner_and_57_across() {
        let lens = Lens::new(DVec3::ZERO, 0.0, 0.0, [160, 120], 57.0, -0.2124);
        let angle = |a: (f64, f64), b: (f64, f64)| lens.towards(a.0, a.1).angle_between(lens.towards(b.0, b.1)).to_degrees();
        assert!((angle((0.0, 60.0), (160.0, 60.0)) - 57.0).abs() < 1e-6);
        assert!((angle((0.0, 0.0), (160.0, 120.0)) - 71.0).abs() < 0.05);
    }

    #[test]
    fn light_blurs_by_where_it_falls_within_its_pixel() {
        let blur = Blur { sigma_px: 0.5 };
        let gauss = |x: f64| 0.5 * libm::erf(x / (0.5 * std::f64::consts::SQRT_2));
        let centre = blur.from_place(0.5);
        assert!((centre[2] - 2.0 * gauss(0.5)).abs() < 1e-4 && (centre[1] - centre[3]).abs() < 1e-12, "{centre:?}");
        let edge = blur.from_place(1.0);
        assert!((edge[2] - edge[3]).abs() < 0.01 && (edge[2] - gauss(1.0)).abs() < 0.02, "{edge:?}");
        // the variance of the whole is that of the blur and of two boxes
        let all = blur.from_all();
        let variance: f64 = all.iter().enumerate().map(|(n, share)| share * (n as f64 - 2.0).powi(2)).sum();
        assert!((variance - (0.25 + 2.0 / 12.0)).abs() < 0.02, "{variance}");
        assert_eq!(Blur { sigma_px: 0.0 }.from_all(), [0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_place_is_where_its_direction_looks() {
        for distortion in [0.0, -0.2, 0.1] {
            let lens = Lens::new(DVec3::new(3.0, 4.0, 8.0), 250.0, -12.0, [160, 120], 57.0, distortion);
            for (x, y) in [(0.5, 0.5), (80.0, 60.0), (159.0, 30.2), (20.0, 119.0)] {
                let (px, py) = lens.place(lens.at_m + 30.0 * lens.towards(x, y)).unwrap();
                assert!((px - x).abs() < 1e-6 && (py - y).abs() < 1e-6, "{distortion}: {px} {py}");
            }
            assert_eq!(lens.place(lens.at_m - lens.towards(80.0, 60.0)), None);
        }
        // north is ahead, east to the right, up is up
        let lens = Lens::new(DVec3::ZERO, 0.0, 0.0, [160, 120], 57.0, 0.0);
        let (x, y) = lens.place(DVec3::new(1.0, 10.0, 1.0)).unwrap();
        assert!(x > 80.0 && y < 60.0);
    }
}
