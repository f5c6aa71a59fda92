//! The names a plugin author types.

pub use bevy_app::{App, Plugin, PluginGroup};
pub use bevy_ecs::prelude::*;
pub use serde::{Deserialize, Serialize};

pub use crate::files::kinds::{Spec, SpecFault};
pub use crate::files::species::SpeciesTable;
pub use crate::physics::AppPhysicsExt;
pub use crate::plugins::EnviroSensePlugins;
pub use crate::sensing::noise::Noise;
pub use crate::sensing::quality::Quality;
pub use crate::sensing::response::Lag;
pub use crate::sensing::result::Report;
pub use crate::sensing::{AppSensorExt, Bias, Channel, Converter, NoState, Partners, Quantity, Scale, Sensor, Signal};
pub use crate::streams::{Draws, Stream};
pub use crate::world::air::{Diffusivity, HighFaces, WindX, WindY, WindZ};
pub use crate::world::emitter::{AppEmitterExt, EmissionComponent, Emitter, Stretch};
pub use crate::world::environment::Surroundings;
pub use crate::world::event::{AppEventExt, ScenarioEvent};
pub use crate::world::field::{Field, FieldMut};
pub use crate::world::{AppFieldExt, AppStateExt, Clock, Grid, Tick, TickSystems};
