//! A layer of wood that is heated on one face: conduction, drying, pyrolysis, and char that glows where air gets at it.
//!
//! Cells through the thickness; each holds moisture, terpenes and three polymers in their own states. In a step the reactions run at the
//! temperatures there are, exactly, then `C ∂T/∂t = ∂/∂x (k ∂T/∂x) + q` is solved by backward Euler (`numerics::slab`) with what they took and gave:
//! water `2.26 MJ/kg` and its bond, tar +255 kJ/kg, char and gas −20 kJ/kg (Miller and Bellan, *Combust. Sci. Technol.* 126, 1997), gas
//! that leaves through the hotter layers before it. First order in time, second in space.
//!
//! Wood: conductivity and heat capacity of the *Wood Handbook*, USDA FPL-GTR-190, 2010, eqs 4-14 to 4-16. Char: conductivity across the
//! grain with radiation in its pores and heat capacity after Grønli and Melaaen, *Energy & Fuels* 14, 2000 (recalled). Between them by what is left of the mass.
//! Char burns at the first cell that has any: kinetics of cellulosic char (Kashiwagi and Nambu, *Combust. Flame* 88, 1992: 160 kJ/mol;
//! recalled) in series with the oxygen that a film lets through, `(h/c_p) Y/s`, less what the outflow of gas keeps away (Spalding's film).
//!
//! Left out: shrinking and cracks, movement of water, cracking of tar, ash that covers the char.
//! Checked by: the tests below, `tests/verification/wood.rs`.

use serde::{Deserialize, Serialize};

use super::pyrolysis::Pyrolysis;
use super::wood::PARTS;
use crate::numerics::slab::{Layer, Slab};
use crate::units::{AIR_HEAT_J_KG_K, GAS_CONSTANT_J_MOL_K, STEFAN_BOLTZMANN_W_M2_K4, celsius};

/// Cells are about so thick, m: a quarter of the zone where wood turns to char under 30 kW/m².
const CELL_M: f64 = 5e-4;
/// Fewest and most cells.
const CELLS: (f64, f64) = (8.0, 60.0);
/// The longest step, s: drying takes up heat faster than a longer one could follow.
pub(super) const LONGEST_STEP_S: f64 = 0.5;
/// Latent heat of water at 100 °C and the mean of its bond to wood, J kg⁻¹: Stanish, Schajer and Kayihan, *`AIChE` J.* 32, 1986.
const DRYING_J_KG: f64 = 2.26e6 + 0.14e6;
/// Heat of tar and of char with its gas, J kg⁻¹, taken up.
const TAR_J_KG: f64 = 255e3;
/// The same of char together with the gas that comes with it.
const CHAR_J_KG: f64 = -20e3;
/// Specific heat of what leaves the wood, J kg⁻¹ K⁻¹: Grønli and Melaaen, 2000.
const GAS_J_KG_K: f64 = 1.1e3;
/// Emissivity and absorptivity of wood and char: Modest, *Radiative Heat Transfer*, 2013, appendix B.
const EMISSIVITY: f64 = 0.9;
/// Pore size of char, m, and its conductivity across the grain without radiation, W m⁻¹ K⁻¹.
const CHAR_PORE_M: f64 = 1e-4;
/// See [`CHAR_PORE_M`].
const CHAR_W_M_K: f64 = 0.071;
/// Burning of char: A in s⁻¹ per share of oxygen, E in J mol⁻¹.
const GLOW: (f64, f64) = (5.67e9, 160e3);
/// Share of the carbon of glowing char that becomes carbon monoxide: design value of smoulder.
pub(super) const GLOW_CO: f64 = 0.2;
/// Kilograms of oxygen and joules a kilogram of char takes and gives: nine tenths carbon, heats of formation of CO and CO₂.
const GLOW_OXYGEN: f64 = 0.9 * (32.0 - 16.0 * GLOW_CO) / 12.011;
/// See [`GLOW_OXYGEN`].
const GLOW_J_KG: f64 = 0.9 * (32.76e6 * (1.0 - GLOW_CO) + 9.21e6 * GLOW_CO);
/// A cell with less of its dry mass is gone: what is behind it is the face.
const GONE: f64 = 0.03;
/// Conductance of a cell that is gone is that of wood so many times.
const OPEN: f64 = 100.0;

/// What a layer is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stuff {
    /// Dry, kg m⁻³.
    pub density_kg_m3: f64,
    /// Water, share of the dry mass.
    pub moisture: f64,
    /// From face to back, m.
    pub thickness_m: f64,
    /// Char that is left over what the kinetics of the parts leaves; 1 as they have it.
    pub char_factor: f64,
}

/// What stands before and behind a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// Radiation that falls on the face beside that of surroundings as warm as the air, W m⁻².
    pub irradiance_w_m2: f64,
    /// A body that touches the face: conductance in W m⁻² K⁻¹ and its temperature in K; then the face meets neither air nor light.
    pub contact: Option<(f64, f64)>,
    /// Air temperature, K.
    pub air_k: f64,
    /// Coefficient of heat transfer to the air, W m⁻² K⁻¹.
    pub transfer_w_m2_k: f64,
    /// Mass fraction of oxygen in the air.
    pub oxygen: f64,
    /// Whether nothing leaves through the back.
    pub insulated: bool,
}

/// What a square metre gives off in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Given {
    /// By part, kg m⁻².
    pub parts_kg_m2: [f64; PARTS.len()],
    /// Char that burnt, kg m⁻².
    pub glowed_kg_m2: f64,
    /// Heat to the air, J m⁻².
    pub convected_j_m2: f64,
    /// Heat that it took from the body it touches, J m⁻².
    pub drawn_j_m2: f64,
}

impl Given {
    /// What can burn of what it gave off, kg m⁻²: all but water.
    #[must_use]
    pub fn fuel_kg_m2(&self) -> f64 {
        self.parts_kg_m2[1..].iter().sum()
    }

    fn add(&mut self, other: &Self) {
        for (sum, part) in self.parts_kg_m2.iter_mut().zip(other.parts_kg_m2) {
            *sum += part;
        }
        self.glowed_kg_m2 += other.glowed_kg_m2;
        self.convected_j_m2 += other.convected_j_m2;
        self.drawn_j_m2 += other.drawn_j_m2;
    }
}

/// The state of a layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatedLayer {
    /// Face, cells, back, K.
    pub kelvin: Vec<f64>,
    /// What has become of a kilogram of each part, by cell.
    pub states: Vec<[Pyrolysis; PARTS.len()]>,
    /// Char that burnt, share of the dry mass of the cell.
    pub glowed: Vec<f64>,
}

impl HeatedLayer {
    /// Fresh wood at a temperature.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a handful")]
    pub fn fresh(stuff: &Stuff, kelvin: f64) -> Self {
        let cells = (stuff.thickness_m / CELL_M).ceil().clamp(CELLS.0, CELLS.1) as usize;
        Self { kelvin: vec![kelvin; cells + 2], states: vec![[Pyrolysis::FRESH; PARTS.len()]; cells], glowed: vec![0.0; cells] }
    }

    /// Temperature of the face, K: of the first cell that is not gone.
    #[must_use]
    pub fn face_k(&self, stuff: &Stuff) -> f64 {
        let first = (0..self.states.len()).find(|cell| self.left(stuff, *cell) > GONE).unwrap_or_default();
        if first == 0 { self.kelvin[0] } else { self.kelvin[first + 1] }
    }

    /// Share of the dry mass of a cell that is left.
    fn left(&self, stuff: &Stuff, cell: usize) -> f64 {
        1.0 - dry(&self.states[cell], |state| state.given_off(stuff.char_factor)) - self.glowed[cell]
    }

    /// Share of the dry mass of a cell that is char and has not burnt.
    fn char(&self, stuff: &Stuff, cell: usize) -> f64 {
        dry(&self.states[cell], |state| stuff.char_factor * state.char) - self.glowed[cell]
    }

    /// Brings it up to date after `dt_s`; none if no temperature was found.
    pub fn advance(&mut self, stuff: &Stuff, exposure: &Exposure, dt_s: f64) -> Option<Given> {
        let steps = (dt_s / LONGEST_STEP_S - 1e-9).ceil().max(1.0);
        let mut given = Given::default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ceiling of at least one")]
        for _ in 0..steps as usize {
            given.add(&self.step(stuff, exposure, dt_s / steps)?);
        }
        Some(given)
    }

    fn step(&mut self, stuff: &Stuff, exposure: &Exposure, dt_s: f64) -> Option<Given> {
        let cells = self.states.len();
        let dry_kg_m2 = stuff.density_kg_m3 * stuff.thickness_m / cells as f64;
        let mut given = Given::default();
        // heat set free in each cell, J m⁻²
        let mut heat = vec![0.0; cells];
        let mut flow = 0.0;
        for cell in (0..cells).rev() {
            let at_k = self.kelvin[cell + 1];
            let behind_k = self.kelvin[cell + 2];
            heat[cell] += flow * GAS_J_KG_K * (behind_k - at_k);
            for (n, part) in PARTS.iter().enumerate() {
                let before = self.states[cell][n];
                let after = part.after(&before, celsius(at_k), dt_s);
                self.states[cell][n] = after;
                let share = if n == 0 { stuff.moisture } else { part.share } * dry_kg_m2;
                let (tar, gas, char) = (after.tar - before.tar, after.gas - before.gas, after.char - before.char);
                heat[cell] -= share * if n == 0 { DRYING_J_KG * gas } else { TAR_J_KG * tar + CHAR_J_KG * (gas + char) };
                let off = share * (after.given_off(stuff.char_factor) - before.given_off(stuff.char_factor));
                given.parts_kg_m2[n] += off;
                flow += off;
            }
        }
        let first = (0..cells).find(|cell| self.left(stuff, *cell) > GONE).unwrap_or(cells - 1);
        if let Some(cell) = (first..cells).find(|cell| self.char(stuff, *cell) > 1e-6) {
            let burnt = self.glows_kg_m2(stuff, cell, dry_kg_m2, exposure, flow / dt_s, dt_s);
            self.glowed[cell] += burnt / dry_kg_m2;
            heat[cell] += burnt * GLOW_J_KG;
            given.glowed_kg_m2 = burnt;
        }
        let layers: Vec<Layer> = (0..cells).map(|cell| self.layer(stuff, cell, cell < first)).collect();
        let slab = Slab::new(&layers);
        let black = |t: f64| STEFAN_BOLTZMANN_W_M2_K4 * t.powi(4);
        let open = |t: f64| exposure.transfer_w_m2_k * (exposure.air_k - t) + EMISSIVITY * (black(exposure.air_k) - black(t));
        let front = |t: f64| {
            exposure
                .contact
                .map_or_else(|| open(t) + EMISSIVITY * exposure.irradiance_w_m2, |(conductance, body_k)| conductance * (body_k - t))
        };
        let back = |t: f64| if exposure.insulated { 0.0 } else { open(t) };
        if !slab.warm_with(&mut self.kelvin, dt_s, front, back, |cell| heat[cell] / dt_s) {
            return None;
        }
        let (face_k, back_k) = (self.kelvin[0], self.kelvin[cells + 1]);
        let convected = |t: f64| exposure.transfer_w_m2_k * (t - exposure.air_k) * dt_s;
        match exposure.contact {
            Some((conductance, body_k)) => given.drawn_j_m2 = conductance * (body_k - face_k) * dt_s,
            None => given.convected_j_m2 += convected(face_k),
        }
        given.convected_j_m2 += if exposure.insulated { 0.0 } else { convected(back_k) };
        Some(given)
    }

    /// Char that burns at a cell in a step, kg m⁻², against an outflow of gas in kg m⁻² s⁻¹.
    fn glows_kg_m2(&self, stuff: &Stuff, cell: usize, dry_kg_m2: f64, exposure: &Exposure, outflow: f64, dt_s: f64) -> f64 {
        let there = self.char(stuff, cell) * dry_kg_m2;
        let kinetic = GLOW.0 * exposure.oxygen * libm::exp(-GLOW.1 / (GAS_CONSTANT_J_MOL_K * self.kelvin[cell + 1]));
        let film = exposure.transfer_w_m2_k / AIR_HEAT_J_KG_K;
        let blown = outflow / film;
        let reaches = if blown > 1e-6 { blown / libm::expm1(blown) } else { 1.0 };
        let brought = film * reaches * exposure.oxygen / GLOW_OXYGEN;
        if kinetic <= 0.0 || brought <= 0.0 {
            return 0.0;
        }
        // one after the other: what is brought must burn
        let rate = 1.0 / (1.0 / (kinetic * there) + 1.0 / brought);
        (rate * dt_s).min(there * -libm::expm1(-kinetic * dt_s))
    }

    /// A cell as conduction sees it.
    fn layer(&self, stuff: &Stuff, cell: usize, gone: bool) -> Layer {
        let (at_k, left) = (self.kelvin[cell + 1], self.left(stuff, cell));
        let water = stuff.moisture * self.states[cell][0].virgin;
        // 0 for wood, 1 where nothing but char is left
        let made = dry(&self.states[cell], |state| state.volatiles() + state.char);
        let (wood, char) = (1.0 - made, (left - (1.0 - made)).max(0.0));
        let gravity = stuff.density_kg_m3 / 1000.0;
        let warmer = 1.0 + 0.0025 * (at_k - 297.0);
        let k_wood = (gravity * (0.1941 + 0.4064 * water) + 0.01864) * warmer;
        let k_char = CHAR_W_M_K + 13.5 * STEFAN_BOLTZMANN_W_M2_K4 * at_k.powi(3) * CHAR_PORE_M / EMISSIVITY;
        let c_wood = 103.1 + 3.867 * at_k;
        let c_char = 420.0 + 2.09 * at_k + 6.85e-4 * at_k * at_k;
        let conductivity_w_m_k = if gone { OPEN * k_wood } else { k_wood * wood + k_char * (1.0 - wood) };
        // what is gone keeps a trace, so that every cell has a temperature
        let capacity = stuff.density_kg_m3 * ((wood * c_wood + char * c_char).max(0.01 * c_wood) + water * WATER_J_KG_K);
        Layer { thickness_m: stuff.thickness_m / self.states.len() as f64, conductivity_w_m_k, capacity_j_m3_k: capacity }
    }
}

/// A sum over the parts of dry wood, by their shares.
fn dry(states: &[Pyrolysis; PARTS.len()], of: impl Fn(&Pyrolysis) -> f64) -> f64 {
    states.iter().zip(&PARTS).skip(1).map(|(state, part)| part.share * of(state)).sum()
}

/// Specific heat of water, J kg⁻¹ K⁻¹.
const WATER_J_KG_K: f64 = 4186.0;

#[cfg(test)]
mod tests {
    use super::*;

    const PINE: Stuff = Stuff { density_kg_m3: 493.0, moisture: 0.099, thickness_m: 0.02, char_factor: 0.6 };
    const CONE: Exposure =
        Exposure { irradiance_w_m2: 35e3, contact: None, air_k: 293.15, transfer_w_m2_k: 10.0, oxygen: 0.0, insulated: true };

    fn given(exposure: &Exposure, seconds: u32, dt_s: f64) -> (HeatedLayer, Vec<f64>, Given) {
        let mut layer = HeatedLayer::fresh(&PINE, exposure.air_k);
        let mut sum = Given::default();
        let steps = f64::from(seconds) / dt_s;
        let mut rates = Vec::new();
        while (rates.len() as f64) < steps {
            let given = layer.advance(&PINE, exposure, dt_s).unwrap();
            rates.push((given.parts_kg_m2.iter().sum::<f64>() + given.glowed_kg_m2) / dt_s);
            sum.add(&given);
        }
        (layer, rates, sum)
    }

    #[test]
    fn what_a_layer_gives_off_and_what_is_left_of_it_are_what_there_was() {
        let exposure = Exposure { oxygen: 0.232, ..CONE };
        let (layer, _, sum) = given(&exposure, 600, 0.5);
        let cells = layer.states.len() as f64;
        let left: f64 = (0..layer.states.len()).map(|cell| layer.left(&PINE, cell) + PINE.moisture * layer.states[cell][0].virgin).sum();
        let was = PINE.density_kg_m3 * PINE.thickness_m;
        let off = sum.parts_kg_m2.iter().sum::<f64>() + sum.glowed_kg_m2;
        assert!((off + left / cells * was - was * (1.0 + PINE.moisture)).abs() < 1e-9 * was, "{off}");
        assert!(sum.glowed_kg_m2 > 0.1);
    }

    #[test]
    fn water_leaves_first_from_front_to_back_and_holds_its_cell_near_100_degrees() {
        let (layer, ..) = given(&CONE, 400, 0.5);
        let dry = layer.states.iter().take_while(|states| states[0].virgin < 0.01).count();
        let wet = layer.states.iter().filter(|states| states[0].virgin > 0.9).count();
        assert!(dry > 5 && wet > 5 && layer.kelvin.windows(2).all(|pair| pair[0] >= pair[1] - 1e-9), "{dry} {wet}");
        let drying = layer.states.iter().zip(&layer.kelvin[1..]).find(|(states, _)| (0.4..0.6).contains(&states[0].virgin));
        assert!((90.0..125.0).contains(&celsius(*drying.unwrap().1)));
    }

    #[test]
    fn the_loss_does_not_hang_on_the_length_of_a_tick() {
        let (_, _, short) = given(&CONE, 300, 0.1);
        let (_, _, long) = given(&CONE, 300, 10.0);
        assert!((long.fuel_kg_m2() / short.fuel_kg_m2() - 1.0).abs() < 0.01, "{} {}", long.fuel_kg_m2(), short.fuel_kg_m2());
    }

    #[test]
    fn a_hot_body_chars_what_it_touches_and_wood_takes_from_it_what_it_gains() {
        let touch = Exposure { contact: Some((200.0, 700.0)), irradiance_w_m2: 0.0, insulated: false, ..CONE };
        let (layer, rates, sum) = given(&touch, 600, 0.5);
        assert!(layer.face_k(&PINE) > 600.0 && layer.face_k(&PINE) < 700.0 && sum.drawn_j_m2 > 1e6);
        // rises for some seconds, falls as char grows
        let most = rates.iter().copied().fold(0.0, f64::max);
        assert!(rates[0] < 0.1 * most && rates[1199] < 0.7 * most, "{} {most} {}", rates[0], rates[1199]);
    }
}
