//! Section 2.6: the random eddies that come in with a resolved wind, an hour at a point for 24 draws.

use envirosense::physics::airflow::eddies::{Eddies, Moment, Spectrum};
use envirosense::streams::Stream;
use glam::DVec3;

use crate::table::{Line, accept};

const SIGMA: f64 = 1.0;
const LENGTH: f64 = 50.0;
const WIND: f64 = 8.0;
const STEP_S: f64 = 0.1;
const COUNT: usize = 36_000;
const SEEDS: u64 = 24;

fn line(case: &str, expected: f64, measured: f64, error: f64, limit: f64) -> Line {
    let source = "von Karman longitudinal spectrum, amendment A4: mean of 24 draws";
    Line { module: "airflow", case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

/// von Kármán's spectrum of the component along the wind, m² s⁻¹ per unit variance.
fn spectrum(n: f64) -> f64 {
    4.0 * SIGMA * SIGMA * (LENGTH / WIND) / (1.0 + 70.8 * (n * LENGTH / WIND).powi(2)).powf(5.0 / 6.0)
}

/// Power of a series at a frequency, one-sided, through a Hann window over all of it; by Goertzel's recurrence.
fn power(series: &[f64], n: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * n * STEP_S).cos();
    let (mut one, mut two, mut weights) = (0.0, 0.0, 0.0);
    for (index, value) in series.iter().enumerate() {
        let weight = 0.5 - 0.5 * (std::f64::consts::TAU * index as f64 / series.len() as f64).cos();
        weights += weight * weight;
        (one, two) = (weight * value + turn * one - two, one);
    }
    2.0 * STEP_S * (one * one + two * two - turn * one * two) / weights
}

#[test]
fn an_hour_of_random_eddies_has_the_spectrum_its_module_names() {
    let wanted = Spectrum { sigma: [SIGMA; 3], length_m: LENGTH, highest_rad_m: 40.0 };
    let series: Vec<Vec<f64>> = (0..SEEDS)
        .map(|seed| {
            let eddies = Eddies::drawn(wanted, &Stream::new(seed, "airflow", "eddies"));
            let at = |time_s: f64| Moment {
                scale_m_s: 1.0,
                towards: (1.0, 0.0),
                carried_m: WIND * time_s,
                turned_m: time_s,
                ..Moment::default()
            };
            (0..COUNT).map(|index| eddies.at(DVec3::ZERO, &at(index as f64 * STEP_S)).x).collect()
        })
        .collect();
    let mean = |of: &dyn Fn(&[f64]) -> f64| series.iter().map(|s| of(s)).sum::<f64>() / SEEDS as f64;
    let sigma = mean(&|s| {
        let middle = s.iter().sum::<f64>() / COUNT as f64;
        (s.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / COUNT as f64).sqrt()
    });
    let mut lines = vec![line("2.6-sigma", SIGMA, sigma, (sigma / SIGMA - 1.0).abs(), 0.03)];
    // two decades of octaves, forty frequencies in each
    let mut levels = Vec::new();
    for octave in 0..7 {
        let low = 0.005 * f64::from(1 << octave);
        // pieces of sixteen periods of its low end, so that every frequency of the octave lies in a bin
        let bins: Vec<f64> = (0..16).map(|bin| low * (1.0 + (f64::from(bin) + 0.5) / 16.0)).collect();
        let piece = (16.0 / (low * STEP_S)) as usize;
        let of = |s: &[f64], n: f64| s.chunks_exact(piece).map(|part| power(part, n)).sum::<f64>() / (s.len() / piece) as f64;
        let found = bins.iter().map(|n| mean(&|s| of(s, *n))).sum::<f64>() / 16.0;
        let exact = bins.iter().map(|n| spectrum(*n)).sum::<f64>() / 16.0;
        lines.push(line(&format!("2.6-octave-{low}-hz"), 1.0, found / exact, (found / exact - 1.0).abs(), 0.1));
        levels.push((low.ln(), found.ln()));
    }
    // the slope of the last two octaves, where the spectrum's own is within 0.02 of -5/3
    let (a, b) = (levels[levels.len() - 3], levels[levels.len() - 1]);
    let slope = (b.1 - a.1) / (b.0 - a.0);
    lines.push(line("2.6-inertial-slope", -5.0 / 3.0, slope, (slope + 5.0 / 3.0).abs(), 0.1));
    // integral time: the spectrum at no frequency over four variances, from the lowest octave of the hour
    let still = (1..=6).map(|bin| f64::from(bin) / 3600.0 * 2.0).map(|n| mean(&|s| power(s, n)) / spectrum(n)).sum::<f64>() / 6.0;
    let time = still * LENGTH / WIND;
    lines.push(line("2.6-integral-time", LENGTH / WIND, time, (still - 1.0).abs(), 0.2));
    accept(&lines);
}
