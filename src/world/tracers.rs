//! Tracers: one voxel column for each release component, and what the components are made of.
//!
//! A release component is (emitter, emission component, transport class) with a composition that is constant
//! for the whole run. Twelve gases of one component cost one column; every molecule keeps its origin.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use bytemuck::{Pod, TransparentWrapper, Zeroable};
use serde::{Deserialize, Serialize};

use crate::files::scenario::Chemistry;
use crate::files::species::SpeciesTable;
use crate::units::GAS_CONSTANT_J_MOL_K;
use crate::world::field::{Voxel, require_column, slice, slice_mut};
use crate::world::{AppStateExt, Tick, TickSystems};

/// How many release components one run can have.
pub const MAX_TRACERS: usize = 32;

/// The column of slot `N`; only used slots are spawned.
#[derive(Component, Clone, Copy, Debug, Default, Pod, Zeroable, TransparentWrapper)]
#[repr(transparent)]
pub struct Tracer<const N: usize>(pub f32);

/// What a tracer column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Contents {
    /// Mass density in kg m⁻³ of one release component.
    Release {
        /// Index of the source in [`Sources`].
        source: usize,
        /// (gas, mass fraction); all fractions may add up to less than one.
        composition: Vec<(usize, f64)>,
        /// (class of particles, mass fraction).
        particles: Vec<(usize, f64)>,
    },
    /// Heat over the specific heat of air, kg K m⁻³: by it the air is warmer than the weather, times its density.
    Heat {
        /// Index of the source in [`Sources`]; without it bodies, lines and the sides of a box.
        source: Option<usize>,
    },
    /// Seconds since the start of the warm-up when the air came in: with it the background of every gas is known.
    EntryTime,
}

/// One tracer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Stable path, such as `branch/pyrolysis`.
    pub path: String,
    /// What it holds.
    pub contents: Contents,
    /// First-order loss in s⁻¹.
    pub decay_per_s: f64,
    /// What that loss makes: the slot of the product, always a later one, and kilograms of it a kilogram lost.
    pub turns_into: Option<(usize, f64)>,
    /// Deposition velocity on surfaces in m s⁻¹.
    pub deposition_m_s: f64,
    /// How fast it sinks in m s⁻¹.
    pub settling_m_s: f64,
    /// Value of the air that comes in through open sides.
    pub inflow: f64,
    /// False while the column is zero everywhere: it then costs nothing.
    pub live: bool,
}

impl Release {
    /// A slot that loses nothing on its way.
    #[must_use]
    pub const fn lasting(path: String, contents: Contents, live: bool) -> Self {
        Self { path, contents, decay_per_s: 0.0, turns_into: None, deposition_m_s: 0.0, settling_m_s: 0.0, inflow: 0.0, live }
    }

    /// Whether it is heat.
    #[must_use]
    pub const fn is_heat(&self) -> bool {
        matches!(self.contents, Contents::Heat { .. })
    }

    /// The source it is part of, if it is a substance of one.
    #[must_use]
    pub const fn substance_of(&self) -> Option<usize> {
        if let Contents::Release { source, .. } = self.contents { Some(source) } else { None }
    }
}

/// All tracers of the run, by slot.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Releases {
    /// Slot order.
    pub list: Vec<Release>,
    /// Mass fraction over molar mass in mol kg⁻¹: `[species][slot]`.
    moles_per_kg: Vec<Vec<f64>>,
    /// Mass fraction of particles up to the end of a class: `[class][slot]`.
    particles: Vec<Vec<f64>>,
    /// Water vapour as a species: that of the weather and that of releases are one.
    pub water: Option<usize>,
    /// NO, NO₂ and O₃ as species, if they react and any is released.
    pub oxides: Option<[usize; 3]>,
}

/// Where molecules come from: emitters, then initial gases.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sources {
    /// In file order.
    pub ids: Vec<String>,
}

impl Releases {
    /// Fixes the list once all tracers are known.
    #[must_use]
    pub fn new(list: Vec<Release>, species: &SpeciesTable, chemistry: Chemistry) -> Self {
        let mut moles_per_kg = vec![vec![0.0; list.len()]; species.all().len()];
        let mut up_to = vec![vec![0.0; list.len()]; species.particles().len()];
        for (slot, release) in list.iter().enumerate() {
            if let Contents::Release { composition, particles, .. } = &release.contents {
                for (index, fraction) in composition {
                    moles_per_kg[*index][slot] += fraction / species.molar_kg_mol(*index);
                }
                for (class, fraction) in particles {
                    up_to[*class..].iter_mut().for_each(|sums| sums[slot] += fraction);
                }
            }
        }
        let oxides = match (species.index("NO"), species.index("NO2"), species.index("O3")) {
            (Some(no), Some(no2), Some(o3)) if chemistry == Chemistry::NitrogenOxides => Some([no, no2, o3]),
            _ => None,
        };
        let oxides = oxides.filter(|all| all.iter().any(|index| moles_per_kg[*index].iter().any(|moles| *moles > 0.0)));
        Self { list, moles_per_kg, particles: up_to, water: species.index("H2O"), oxides }
    }

    /// Mole fraction of a species from the tracer densities for which `keep` holds, background left out.
    #[must_use]
    pub fn mole_fraction(
        &self,
        species: usize,
        densities: &[f64],
        temperature_k: f64,
        pressure_pa: f64,
        keep: impl Fn(usize) -> bool,
    ) -> f64 {
        let moles: f64 = self.moles_per_kg[species]
            .iter()
            .zip(densities)
            .enumerate()
            .filter(|(slot, _)| keep(*slot))
            .map(|(_, (per_kg, density))| per_kg * density)
            .sum();
        moles * GAS_CONSTANT_J_MOL_K * temperature_k / pressure_pa
    }

    /// Moles of these species in a kilogram of a slot.
    #[must_use]
    pub fn moles_per_kg(&self, species: [usize; 3], slot: usize) -> f64 {
        species.iter().map(|index| self.moles_per_kg[*index][slot]).sum()
    }

    /// Mass concentration of particles up to the end of each class, kg m⁻³, from the tracer densities for which `keep` holds.
    pub fn particles_kg_m3(&self, densities: &[f64], keep: impl Fn(usize) -> bool) -> impl Iterator<Item = f64> {
        self.particles.iter().map(move |fractions| {
            fractions.iter().zip(densities).enumerate().filter(|(slot, _)| keep(*slot)).map(|(_, (part, density))| part * density).sum()
        })
    }

    /// The source of a slot, if it holds a release.
    #[must_use]
    pub fn source(&self, slot: usize) -> Option<usize> {
        match self.list.get(slot)?.contents {
            Contents::Release { source, .. } => Some(source),
            Contents::Heat { source } => source,
            Contents::EntryTime => None,
        }
    }

    /// The slots that hold heat.
    pub fn heat_slots(&self) -> impl Iterator<Item = usize> {
        self.list.iter().enumerate().filter(|(_, release)| release.is_heat()).map(|(slot, _)| slot)
    }

    /// By how much each cell is warmer than the weather, K; none where no heat is in the air.
    #[must_use]
    pub fn warmth_k(&self, columns: &[&[f32]], air_kg_m3: f64) -> Option<Vec<f64>> {
        let live: Vec<&[f32]> =
            self.heat_slots().filter(|slot| self.list[*slot].live).filter_map(|slot| columns.get(slot).copied()).collect();
        let cells = live.first()?.len();
        Some((0..cells).map(|cell| live.iter().map(|column| f64::from(column[cell])).sum::<f64>() / air_kg_m3).collect())
    }

    /// The slot that holds the entry time, if there is one.
    #[must_use]
    pub fn entry_time(&self) -> Option<usize> {
        self.list.iter().position(|release| release.contents == Contents::EntryTime)
    }
}

macro_rules! tracer_columns {
    ($($field:ident = $slot:literal),* $(,)?) => {
        /// All tracer columns to read.
        #[derive(SystemParam)]
        pub struct Tracers<'w, 's> {
            $($field: Query<'w, 's, &'static Tracer<$slot>, With<Voxel>>,)*
        }

        impl Tracers<'_, '_> {
            /// The spawned columns in slot order.
            #[must_use]
            pub fn columns(&self) -> Vec<&[f32]> {
                let mut columns = Vec::new();
                $(columns.extend(slice(&self.$field));)*
                columns
            }
        }

        /// All tracer columns to change.
        #[derive(SystemParam)]
        pub struct TracersMut<'w, 's> {
            $($field: Query<'w, 's, &'static mut Tracer<$slot>, With<Voxel>>,)*
        }

        impl TracersMut<'_, '_> {
            /// The spawned columns in slot order.
            pub fn columns(&mut self) -> Vec<&mut [f32]> {
                let mut columns = Vec::new();
                $(columns.extend(slice_mut(&mut self.$field));)*
                columns
            }
        }

        /// Gives every voxel that will be spawned the first `count` tracer columns.
        pub(crate) fn require_tracers(app: &mut App, count: usize) {
            $(if $slot < count {
                require_column::<Tracer<$slot>>(app);
            })*
        }
    };
}

tracer_columns!(
    t0 = 0,
    t1 = 1,
    t2 = 2,
    t3 = 3,
    t4 = 4,
    t5 = 5,
    t6 = 6,
    t7 = 7,
    t8 = 8,
    t9 = 9,
    t10 = 10,
    t11 = 11,
    t12 = 12,
    t13 = 13,
    t14 = 14,
    t15 = 15,
    t16 = 16,
    t17 = 17,
    t18 = 18,
    t19 = 19,
    t20 = 20,
    t21 = 21,
    t22 = 22,
    t23 = 23,
    t24 = 24,
    t25 = 25,
    t26 = 26,
    t27 = 27,
    t28 = 28,
    t29 = 29,
    t30 = 30,
    t31 = 31,
);

pub(crate) struct TracersPlugin;

impl Plugin for TracersPlugin {
    fn build(&self, app: &mut App) {
        app.add_state_resource::<Releases>()
            .add_state_resource::<Sources>()
            .add_state_resource::<super::background::BackgroundAir>()
            .add_systems(Tick, super::background::draw_background.in_set(TickSystems::Script));
    }
}
