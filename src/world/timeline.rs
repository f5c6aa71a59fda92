//! Changes while a scenario runs: what a timeline makes of a number at a moment.

use crate::files::scenario::TimelineEntry;

/// The value of `path` at `now_s`, starting from `base`; each entry moves linearly from what stood before it.
#[must_use]
pub fn scripted(timeline: &[TimelineEntry], path: &str, base: f64, now_s: f64) -> f64 {
    fold(timeline, path, base, now_s, |from, to, share| from + (to - from) * share)
}

/// The same for a direction in degrees, turning the short way round.
#[must_use]
pub fn scripted_bearing(timeline: &[TimelineEntry], path: &str, base: f64, now_s: f64) -> f64 {
    fold(timeline, path, base, now_s, blend_bearing)
}

/// The direction a share of the short way from one to another, 0 ≤ d < 360.
#[must_use]
pub fn blend_bearing(from_deg: f64, to_deg: f64, share: f64) -> f64 {
    let turn = (to_deg - from_deg + 540.0).rem_euclid(360.0) - 180.0;
    (from_deg + turn * share).rem_euclid(360.0)
}

fn fold(timeline: &[TimelineEntry], path: &str, base: f64, now_s: f64, blend: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let mut entries: Vec<&TimelineEntry> = timeline.iter().filter(|e| e.set == path && e.at_s.get() <= now_s).collect();
    entries.sort_by(|a, b| a.at_s.get().total_cmp(&b.at_s.get()));
    entries.into_iter().fold(base, |from, entry| {
        let over = entry.over_s.get();
        let share = if over > 0.0 { ((now_s - entry.at_s.get()) / over).min(1.0) } else { 1.0 };
        blend(from, entry.to.get(), share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_turn_the_short_way_and_numbers_move_linearly() {
        assert!((blend_bearing(350.0, 10.0, 0.5) - 0.0).abs() < 1e-9);
        assert!((blend_bearing(10.0, 350.0, 0.25) - 5.0).abs() < 1e-9);
        let entry: TimelineEntry = ron::from_str("(at_s: 10.0, set: \"wind.speed_m_s\", to: 6.0, over_s: 20.0)").unwrap();
        let value = |now| scripted(std::slice::from_ref(&entry), "wind.speed_m_s", 2.0, now);
        assert!((value(5.0) - 2.0).abs() < 1e-12 && (value(20.0) - 4.0).abs() < 1e-12 && (value(99.0) - 6.0).abs() < 1e-12);
    }
}
