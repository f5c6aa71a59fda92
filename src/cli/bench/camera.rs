//! What a frame of a thermal camera costs.

use std::time::Duration;

use cpu_time::ProcessTime;
use glam::DVec3;

use crate::numerics::Workers;
use crate::sensing::thermal_camera::detector::{Detector, Exposure, Gain, Streams};
use crate::sensing::thermal_camera::firmware::summary;
use crate::sensing::thermal_camera::optics::{Blur, Lens};
use crate::sensing::thermal_camera::radiometry::{Between, Shades};
use crate::sensing::thermal_camera::view::View;
use crate::sensing::thermal_camera::{Picture, boxes};
use crate::streams::Stream;
use crate::world::scene::{Facet, Scene, Surface};
use crate::world::sky::Sky;
use crate::world::sun::Sun;

/// Milliseconds of a frame of 160 x 120 pixels with 200 bodies in view, and of one while a body of two metres drives through it.
pub(super) fn camera_frame(repeats: u32, workers: &Workers) -> (f64, f64) {
    const BODIES: usize = 200;
    let size = [160, 120];
    let lens = Lens::new(DVec3::new(0.0, 0.0, 8.0), 0.0, -5.0, size, 57.0, 0.0);
    let mut draws = Stream::new(1, "bench", "bodies").at(0);
    let mut facets: Vec<(Facet, usize)> = (1..=BODIES)
        .map(|n| {
            let at = DVec3::new(draws.between(-20.0, 20.0), draws.between(8.0, 60.0), draws.between(0.5, 14.0));
            let facet = match n % 3 {
                0 => Facet::Capsule { from: at, to: at + DVec3::new(3.0, 0.5, 0.1), radius: 0.014 },
                1 => Facet::Ball { centre: at, radius: 0.1 },
                _ => Facet::Block { centre: at, half: DVec3::new(0.3, 0.2, 0.4), along: DVec3::X },
            };
            (facet, n)
        })
        .collect();
    let body = |n: usize| Surface { body: n.checked_sub(1), ..Surface::plain(290.0 + n as f64 / 5.0, 0.8) };
    let mut scene = Scene::new((0..=BODIES).map(body).collect(), facets.clone(), None);
    let (mut view, mut detector, streams) = (View::default(), Detector::default(), Streams::new(1, "bench"));
    let blur = Blur { sigma_px: 0.5 };
    let (sky, sun) = (Sky::default(), Sun::at(0, 38.0, 0.0));
    let mut best = [Duration::MAX; 2];
    for n in 0..20 * u64::from(repeats) {
        let moving = n % 2 == 1;
        if moving {
            let centre = DVec3::new(-8.0 + 0.1 * n as f64, 25.0, 1.0);
            facets[BODIES - 1].0 = Facet::Block { centre, half: DVec3::new(1.0, 0.6, 0.6), along: DVec3::X };
            scene.place(facets.clone());
        }
        let begun = ProcessTime::now();
        view.refresh(&lens, blur, &scene, workers);
        let shades = Shades::new(&scene.surfaces, &sky, &sun, Between { air_k: 293.15, humidity_frac: 0.5 });
        let picture = Picture::new(&shades, &view, size, blur);
        let exposure = Exposure {
            size,
            netd_k: 0.04,
            gain: Gain::High,
            window: 0.92,
            shutter_us: 180_000_000,
            board_k: 300.0,
            at_us: 1_000_000 * (n + 1),
            index: n,
            louder: 1.0,
        };
        detector.take(&picture.on_array, &exposure, &streams);
        std::hint::black_box((boxes(&view, &scene, BODIES, &picture.ideal_k, size[0]), summary(&detector.frame_k, size[0])));
        if n > 0 {
            let row = usize::from(moving);
            best[row] = best[row].min(begun.elapsed());
        }
    }
    let [still, driving] = best.map(|best| best.as_secs_f64() * 1e3);
    (still, driving)
}
