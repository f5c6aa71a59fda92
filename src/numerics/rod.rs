//! A rod that conducts along itself and exchanges heat all along, as a conductor does.
//!
//! Solves `C_i dT_i/dt = G_i (T_{i+1} − T_i) − G_{i−1} (T_i − T_{i−1}) + q_i(T_i)` by backward Euler with Newton's method: first order in
//! time, second in space, unconditionally stable; with an endless step it finds the steady state. Nothing leaves through the ends.
//! Source: Patankar, *Numerical Heat Transfer and Fluid Flow*, 1980, ch. 4. Checked by: the tests below, `tests/verification/heat.rs`.

/// Newton's method is done when no cell moves by more, K.
const STILL_K: f64 = 1e-11;
/// And gives up after so many rounds; six are usual.
const MOST_ROUNDS: usize = 100;
/// No cell moves by more in one round, K: far from the solution the tangent of a heat loss overshoots.
const LONGEST_ROUND_K: f64 = 50.0;
/// Half the difference over which a heat loss is differentiated, K.
const APART_K: f64 = 1e-3;

/// Brings the temperatures of a rod up to date after `dt_s` (endless for the steady state).
///
/// `temperature`: n cells; `capacity`: their heat capacity, J K⁻¹; `conductance`: n − 1 numbers between neighbours, W K⁻¹;
/// `gain(i, T)`: heat into cell i from outside at temperature T, W. Gives whether Newton's method came to rest.
///
/// # Panics
/// If the lists do not fit each other: a bug in the caller.
pub fn warm(temperature: &mut [f64], capacity: &[f64], conductance: &[f64], dt_s: f64, gain: impl Fn(usize, f64) -> f64) -> bool {
    let n = temperature.len();
    assert!(capacity.len() == n && conductance.len() + 1 == n, "one capacity a cell, one conductance between neighbours");
    let before = temperature.to_vec();
    let (mut step, mut above) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..MOST_ROUNDS {
        for i in 0..n {
            let here = temperature[i];
            let storing = capacity[i] / dt_s;
            let slope = (gain(i, here + APART_K) - gain(i, here - APART_K)) / (2.0 * APART_K);
            let (low, high) = (if i > 0 { conductance[i - 1] } else { 0.0 }, if i + 1 < n { conductance[i] } else { 0.0 });
            let flows = high * (temperature[(i + 1).min(n - 1)] - here) - low * (here - temperature[i.saturating_sub(1)]);
            let missing = gain(i, here) + flows - storing * (here - before[i]);
            // Thomas: eliminate the cell below
            let (above_below, step_below) = if i > 0 { (above[i - 1], step[i - 1]) } else { (0.0, 0.0) };
            // where a line warms the faster the warmer it is there is no stable state: its tangent leads away from one
            let pivot = (storing + slope.abs() + low + high - low * above_below).max(f64::MIN_POSITIVE);
            above[i] = high / pivot;
            step[i] = (missing + low * step_below) / pivot;
        }
        let mut most = 0.0f64;
        for i in (0..n).rev() {
            if i + 1 < n {
                step[i] += above[i] * step[i + 1];
            }
            most = most.max(step[i].abs());
        }
        if !step.iter().all(|step| step.is_finite()) {
            return false;
        }
        let share = if most > LONGEST_ROUND_K { LONGEST_ROUND_K / most } else { 1.0 };
        for (value, step) in temperature.iter_mut().zip(&step) {
            *value += share * step;
        }
        if most < STILL_K {
            return true;
        }
    }
    false
}

/// Conductances between neighbouring cells, W K⁻¹, of a line with this product of conductivity and cross-section; a sleeve has one
/// temperature and so no resistance of its own.
#[must_use]
pub fn conductances_w_k(cells_m: &[f64], is_sleeve: impl Fn(usize) -> bool, k_a_w_m_k: f64) -> Vec<f64> {
    let half = |i: usize| if is_sleeve(i) { 0.0 } else { 0.5 * cells_m[i] };
    (1..cells_m.len()).map(|i| k_a_w_m_k / (half(i - 1) + half(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_sleeve_between_two_fins_is_as_warm_as_the_closed_form() {
        // amendment A5: 50 W over 0.15 m, k A = 0.086 W m/K, h' = 2 W/m/K
        let (joint_m, k_a, loss) = (0.15, 0.086, 2.0);
        let side: Vec<f64> = (0..36).map(|n| 0.01 * 1.15f64.powi(n)).collect();
        let cells: Vec<f64> = side.iter().rev().copied().chain([joint_m]).chain(side.iter().copied()).collect();
        let sleeve = side.len();
        let conductance = conductances_w_k(&cells, |i| i == sleeve, k_a);
        let mut warmer = vec![0.0; cells.len()];
        let gain = |i: usize, t: f64| (if i == sleeve { 50.0 } else { 0.0 }) - loss * t * cells[i];
        assert!(warm(&mut warmer, &vec![1.0; cells.len()], &conductance, f64::INFINITY, gain));
        let exact = 50.0 / (2.0 * (loss * k_a).sqrt() + loss * joint_m);
        assert!((warmer[sleeve] / exact - 1.0).abs() < 3e-3, "{} for {exact}", warmer[sleeve]);
        assert!((warmer[sleeve] / 44.0 - 1.0).abs() < 0.03, "{}", warmer[sleeve]);
        // all that comes in goes out
        let out: f64 = (0..cells.len()).map(|i| loss * warmer[i] * cells[i]).sum();
        assert!((out / 50.0 - 1.0).abs() < 1e-9, "{out}");
    }

    #[test]
    fn a_cell_that_gains_with_warmth_finds_its_stable_state_or_says_that_there_is_none() {
        // gains as much as it loses at first, then loses more
        let mut even = [0.0; 3];
        assert!(warm(&mut even, &[1.0; 3], &[0.0; 2], f64::INFINITY, |_, t| 10.0 + 0.5 * t - 0.01 * t * t));
        let root = 25.0 + 1625f64.sqrt();
        assert!(even.iter().all(|t| (t - root).abs() < 1e-6), "{even:?} for {root}");
        let mut away = [0.0; 3];
        assert!(!warm(&mut away, &[1.0; 3], &[0.0; 2], f64::INFINITY, |_, t| 10.0 + 0.5 * t));
        assert!(!warm(&mut away, &[1.0; 3], &[0.0; 2], f64::INFINITY, |_, _| f64::INFINITY));
    }

    #[test]
    fn one_cell_cools_as_backward_euler_has_it_and_energy_closes() {
        let mut temperature = [100.0];
        assert!(warm(&mut temperature, &[2000.0], &[], 60.0, |_, t| -3.0 * t));
        assert!((temperature[0] - 100.0 / (1.0 + 3.0 * 60.0 / 2000.0)).abs() < 1e-9);
        let (stored, lost) = (2000.0 * (temperature[0] - 100.0), 3.0 * temperature[0] * 60.0);
        assert!((stored + lost).abs() / lost < 1e-9);
    }
}
