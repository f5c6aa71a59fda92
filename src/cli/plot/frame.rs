//! A frame in false colour with a scale bar, as PNG.

use std::path::Path;

use crate::recording::sample::{Box, Frame};
use crate::units::celsius;

/// Pixels of the picture for one of the frame, so that small arrays can be seen.
const ZOOM: usize = 4;
/// Around the frame, and the width of the bar and its numbers, in pixels of the picture.
const MARGIN: usize = 12;
const BAR: usize = 16;
const NUMBERS: usize = 56;
/// Height of a digit: rows of its bitmap, and pixels for each.
const DIGIT: (usize, usize) = (5, 2);
/// From cold to hot: black, violet, red, orange, yellow, white.
const COLOURS: [[f64; 3]; 6] =
    [[0.0, 0.0, 0.0], [60.0, 10.0, 110.0], [190.0, 40.0, 60.0], [245.0, 130.0, 20.0], [255.0, 220.0, 60.0], [255.0, 255.0, 240.0]];
const PAPER: [u8; 3] = [255, 255, 255];
const INK: [u8; 3] = [20, 20, 20];
const FRAME: [u8; 3] = [80, 220, 255];

/// Writes the picture, the ideal frame to its right if `truth` and there is one. Gives the coldest and hottest temperature, °C.
pub(super) fn write(path: &Path, frame: &Frame, truth: bool, boxes: &[Box]) -> Result<(f64, f64), String> {
    let (width, height) = (usize::try_from(frame.width).unwrap_or(0), usize::try_from(frame.height).unwrap_or(0));
    let read = |bytes: &[u8]| -> Result<Vec<f64>, String> {
        let pairs = bytes.as_chunks::<2>().0;
        if frame.encoding != "u16_le" || frame.unit != "K" || pairs.len() != width * height || width == 0 {
            return Err(format!("an image of {width} x {height} in {} {} cannot be read", frame.encoding, frame.unit));
        }
        Ok(pairs.iter().map(|pair| celsius(f64::from(u16::from_le_bytes(*pair)) * frame.scale + frame.offset)).collect())
    };
    let mut images = vec![read(&frame.data)?];
    if let Some(ideal) = frame.ideal_data.as_ref().filter(|_| truth) {
        images.push(read(ideal)?);
    }
    let all = || images.iter().flatten().copied();
    let (coldest, hottest) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
    let share = |t: f64| if hottest > coldest { (t - coldest) / (hottest - coldest) } else { 0.0 };
    let (across, down) = (ZOOM * width, ZOOM * height);
    let mut picture = Picture::new(images.len() * (across + MARGIN) + MARGIN + BAR + NUMBERS, down + 2 * MARGIN);
    for (n, image) in images.iter().enumerate() {
        let left = MARGIN + n * (across + MARGIN);
        for (pixel, t) in image.iter().enumerate() {
            picture.fill((left + ZOOM * (pixel % width), MARGIN + ZOOM * (pixel / width)), (ZOOM, ZOOM), colour(share(*t)));
        }
        for seen in boxes {
            picture.outline(
                (left + zoomed(seen.x_min), MARGIN + zoomed(seen.y_min)),
                (zoomed(seen.x_max) - zoomed(seen.x_min), zoomed(seen.y_max) - zoomed(seen.y_min)),
            );
        }
    }
    let bar = MARGIN + images.len() * (across + MARGIN);
    for y in 0..down {
        picture.fill((bar, MARGIN + y), (BAR, 1), colour(1.0 - (y as f64 + 0.5) / down as f64));
    }
    for n in 0..=4 {
        let part = n as f64 / 4.0;
        let y = MARGIN + (down - DIGIT.0 * DIGIT.1) * (4 - n) / 4;
        picture.write((bar + BAR + 4, y), &format!("{:.1}", coldest + part * (hottest - coldest)));
    }
    super::whole(path, &picture.png()?)?;
    Ok((coldest, hottest))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in an image")]
fn zoomed(at: f64) -> usize {
    (at.max(0.0) * ZOOM as f64).round() as usize
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "colours, 0 to 255")]
fn colour(share: f64) -> [u8; 3] {
    let at = share.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let low = (at as usize).min(COLOURS.len() - 2);
    std::array::from_fn(|n| (COLOURS[low][n] + (COLOURS[low + 1][n] - COLOURS[low][n]) * (at - low as f64)).round() as u8)
}

/// Pixels of red, green and blue.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![PAPER; width * height] }
    }

    fn fill(&mut self, (left, top): (usize, usize), (across, down): (usize, usize), colour: [u8; 3]) {
        for y in top..(top + down).min(self.height) {
            for x in left..(left + across).min(self.width) {
                self.pixels[x + self.width * y] = colour;
            }
        }
    }

    fn outline(&mut self, (left, top): (usize, usize), (across, down): (usize, usize)) {
        self.fill((left, top), (across, 1), FRAME);
        self.fill((left, top + down), (across + 1, 1), FRAME);
        self.fill((left, top), (1, down), FRAME);
        self.fill((left + across, top), (1, down), FRAME);
    }

    /// A number in a face of three by five dots, so that no font is needed.
    fn write(&mut self, (mut left, top): (usize, usize), number: &str) {
        for letter in number.chars() {
            let rows: [u8; 5] = match letter {
                '0' => [7, 5, 5, 5, 7],
                '1' => [2, 6, 2, 2, 7],
                '2' => [7, 1, 7, 4, 7],
                '3' => [7, 1, 7, 1, 7],
                '4' => [5, 5, 7, 1, 1],
                '5' => [7, 4, 7, 1, 7],
                '6' => [7, 4, 7, 5, 7],
                '7' => [7, 1, 2, 2, 2],
                '8' => [7, 5, 7, 5, 7],
                '9' => [7, 5, 7, 1, 7],
                '-' => [0, 0, 7, 0, 0],
                _ => [0, 0, 0, 0, 2],
            };
            for (y, row) in rows.into_iter().enumerate() {
                for x in (0..3).filter(|x| row >> (2 - x) & 1 == 1) {
                    self.fill((left + DIGIT.1 * x, top + DIGIT.1 * y), (DIGIT.1, DIGIT.1), INK);
                }
            }
            left += 4 * DIGIT.1;
        }
    }

    fn png(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let side = |pixels: usize| u32::try_from(pixels).map_err(|error| error.to_string());
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer.write_image_data(self.pixels.as_flattened()).map_err(|error| error.to_string())?;
        writer.finish().map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}
