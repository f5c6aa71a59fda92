//! Voxel columns as slices: one entity a voxel, one `f32` newtype a field, one table in spawn order.
//!
//! `Field` and `FieldMut` are the only doors. They hand a whole column out as one slice, x fastest, and
//! bypass change detection: nothing may watch voxels with `Changed`. Voxels are spawned once, in one batch,
//! with every registered column; tags on voxels must be sparse-set components.

use std::any::type_name;
use std::collections::BTreeMap;

use bevy_app::App;
use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::component::{Mutable, RequiredComponentsError};
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use bytemuck::{Pod, TransparentWrapper};

use crate::world::StateNames;

/// Marks the entities that are voxels.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Voxel;

/// What a column must be: a transparent newtype over `f32`.
pub trait Column: Component<Mutability = Mutable> + Default + Copy + Pod + TransparentWrapper<f32> {}

impl<T: Component<Mutability = Mutable> + Default + Copy + Pod + TransparentWrapper<f32>> Column for T {}

/// Names and units of the columns of this program.
#[derive(Resource, Clone, Debug, Default)]
pub struct FieldNames(pub BTreeMap<&'static str, &'static str>);

/// Registers voxel columns.
pub trait AppFieldExt {
    /// Gives every voxel a `C`; `name` and `unit` are what people see.
    ///
    /// # Panics
    /// If voxels exist already: columns are registered by plugins, before a scenario is spawned.
    fn add_field<C: Column>(&mut self, name: &'static str, unit: &'static str) -> &mut Self;
}

impl AppFieldExt for App {
    fn add_field<C: Column>(&mut self, name: &'static str, unit: &'static str) -> &mut Self {
        self.init_resource::<FieldNames>().init_resource::<StateNames>();
        self.world_mut().resource_mut::<FieldNames>().0.insert(name, unit);
        self.world_mut().resource_mut::<StateNames>().0.insert(type_name::<C>());
        require_column::<C>(self);
        self
    }
}

/// Gives every voxel that will be spawned a `C`.
pub(crate) fn require_column<C: Column>(app: &mut App) {
    match app.try_register_required_components::<Voxel, C>() {
        Ok(()) | Err(RequiredComponentsError::DuplicateRegistration(..)) => {}
        Err(error) => panic!("field `{}` cannot be added: {error}", type_name::<C>()),
    }
}

/// A column to read.
#[derive(SystemParam)]
pub struct Field<'w, 's, C: Column> {
    voxels: Query<'w, 's, &'static C, With<Voxel>>,
}

impl<C: Column> Field<'_, '_, C> {
    /// The whole column, x fastest.
    ///
    /// # Panics
    /// If the column was never registered, or a component was inserted into single voxels.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        let parts = self.voxels.contiguous_iter().unwrap_or_else(|_| panic!("{} is not a table component", type_name::<C>()));
        only(parts.map(C::peel_slice)).unwrap_or_else(|| unregistered::<C>())
    }
}

/// A column to change.
#[derive(SystemParam)]
pub struct FieldMut<'w, 's, C: Column> {
    voxels: Query<'w, 's, &'static mut C, With<Voxel>>,
}

impl<C: Column> FieldMut<'_, '_, C> {
    /// The whole column, x fastest.
    ///
    /// # Panics
    /// If the column was never registered, or a component was inserted into single voxels.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        slice_mut(&mut self.voxels).unwrap_or_else(|| unregistered::<C>())
    }
}

fn unregistered<C>() -> ! {
    panic!("no voxel has a `{0}`: register it with `app.add_field::<{0}>(…)` before the scenario is spawned", type_name::<C>())
}

pub(crate) fn slice<'q, C: Column>(voxels: &'q Query<'_, '_, &'static C, With<Voxel>>) -> Option<&'q [f32]> {
    only(voxels.contiguous_iter().ok()?.map(C::peel_slice))
}

pub(crate) fn slice_mut<'q, C: Column>(voxels: &'q mut Query<'_, '_, &'static mut C, With<Voxel>>) -> Option<&'q mut [f32]> {
    only(voxels.contiguous_iter_mut().ok()?.map(|column| {
        let (values, _ticks) = ContiguousMut::bypass_change_detection_split(column);
        C::peel_slice_mut(values)
    }))
}

fn only<S>(mut parts: impl Iterator<Item = S>) -> Option<S> {
    let first = parts.next();
    assert!(parts.next().is_none(), "voxels lie in more than one table: tag them with sparse-set components only");
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::system::System;
    use bytemuck::Zeroable;

    #[derive(Component, Clone, Copy, Default, Pod, Zeroable, TransparentWrapper)]
    #[repr(transparent)]
    struct Smoke(f32);

    #[test]
    fn a_column_comes_out_in_spawn_order_and_keeps_what_is_written() {
        let mut app = App::new();
        app.add_field::<Smoke>("smoke", "kg m-3");
        app.world_mut().spawn_batch((0..100).map(|n| (Voxel, Smoke(n as f32))));
        app.add_systems(bevy_app::Update, |mut smoke: FieldMut<Smoke>| {
            smoke.as_mut_slice()[7] += 0.5;
        });
        app.update();
        let mut system = bevy_ecs::system::IntoSystem::into_system(|smoke: Field<Smoke>| smoke.as_slice().to_vec());
        system.initialize(app.world_mut());
        let column = system.run((), app.world_mut()).unwrap();
        assert_eq!(column.len(), 100);
        assert!((column[7] - 7.5).abs() < 1e-6 && (column[99] - 99.0).abs() < 1e-6);
    }
}
