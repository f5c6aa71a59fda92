//! Liquid-filled transformers: top oil and hot spot by IEEE Std C57.91-2011, clause 7.
//!
//! `Δθ_TO = Δθ_TO,R ((K² R + 1)/(R + 1))ⁿ` and `Δθ_H = Δθ_H,R K^{2m}` in the end, each reached as `1 − e^{−t/τ}`; K the load over the rating. The tank shows the mean of
//! its oil, [`SKIN`] of the top's rise. Left out: time constants that change with the load, sun and wind on the tank, insulation that ages.
//! Checked by: the test below, `tests/verification/heat.rs`.

use crate::files::body::TransformerEntry;
use crate::world::body::OilRise;

/// Rise of the tank's skin over that of its top oil: mean oil rise of naturally cooled units, IEC 60076-7:2018, clause 8.
pub const SKIN: f64 = 0.8;
/// What a transformer has in the end at a load over its rating.
#[must_use]
pub fn settled(transformer: &TransformerEntry, load: f64) -> OilRise {
    let ratio = transformer.loss_ratio.get();
    let losses = (load * load * ratio + 1.0) / (ratio + 1.0);
    OilRise {
        top_oil_k: transformer.top_oil_rise_k.get() * libm::pow(losses, transformer.oil_exponent.get()),
        hot_spot_k: transformer.hot_spot_rise_k.get() * libm::pow(load, 2.0 * transformer.winding_exponent.get()),
    }
}

/// The rises after `dt_s` at a load; at once where it is endless.
#[must_use]
pub fn after(transformer: &TransformerEntry, now: OilRise, load: f64, dt_s: f64) -> OilRise {
    let end = settled(transformer, load);
    let towards = |from: f64, to: f64, time_s: f64| to + (from - to) * libm::exp(-dt_s / time_s);
    OilRise {
        top_oil_k: towards(now.top_oil_k, end.top_oil_k, transformer.oil_time_s.get()),
        hot_spot_k: towards(now.hot_spot_k, end.hot_spot_k, transformer.winding_time_s.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rated_load_gives_rated_rises_and_half_of_it_what_the_losses_leave() {
        let unit = TransformerEntry::default();
        let rated = settled(&unit, 1.0);
        assert!((rated.top_oil_k - 55.0).abs() < 1e-9 && (rated.hot_spot_k - 25.0).abs() < 1e-9);
        // half of the load, a ratio of 5: losses 2.25/6, to the power 0.8
        assert!((settled(&unit, 0.5).top_oil_k - 55.0 * 0.375f64.powf(0.8)).abs() < 1e-9);
    }
}
