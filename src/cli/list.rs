//! `list`: what there is, and where it comes from.

use std::path::Path;

use bevy_app::App;
use clap::{Args, ValueEnum};

use super::{Format, Voice, say};
use crate::files::kinds::{EmitterRole, EventRole, Kinds, Role, SensorRole};
use crate::files::library::{SHIPPED, names_beside};
use crate::files::material::Materials;
use crate::files::species::{ParticleClass, SpeciesTable};
use crate::world::PhysicsModules;
use crate::world::field::FieldNames;
use crate::world::particles::class_settles_m_s;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of what.
    #[arg(value_enum)]
    kind: Thing,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Thing {
    Products,
    Scenarios,
    Sensors,
    Emitters,
    Events,
    Physics,
    Species,
    Materials,
    Fields,
}

pub(crate) fn list(args: &ListArgs, app: &App, voice: Voice) -> u8 {
    let world = app.world();
    let kinds = world.resource::<Kinds>();
    let rows: Vec<(String, String)> = match args.kind {
        Thing::Products => files("products"),
        Thing::Scenarios => files("scenarios"),
        Thing::Sensors => of::<SensorRole>(kinds),
        Thing::Emitters => of::<EmitterRole>(kinds),
        Thing::Events => of::<EventRole>(kinds),
        Thing::Physics => world.resource::<PhysicsModules>().0.iter().map(|&name| (name.to_owned(), "physics module".to_owned())).collect(),
        Thing::Species => {
            let table = world.resource::<SpeciesTable>();
            let gases = table.all().iter().map(|s| (s.id.clone(), format!("{} g/mol; {}", s.molar_mass_g_mol.get(), s.source)));
            let about = |class: &ParticleClass| {
                let (least, most) = (class.aerodynamic_um.0.get(), class.aerodynamic_um.1.get());
                format!("particles of {least} to {most} µm, sink at {:.1e} m/s; {}", class_settles_m_s(class), class.source)
            };
            gases.chain(table.particles().iter().map(|class| (class.id.clone(), about(class)))).collect()
        }
        Thing::Materials => {
            let about = |m: &crate::files::material::Material| {
                let roughness = m.roughness_m.map_or_else(String::new, |r| format!("roughness {} m, ", r.get()));
                format!("{roughness}emissivity {}; {}", m.emissivity.get(), m.source)
            };
            Materials::shipped().all().iter().map(|m| (m.id.clone(), about(m))).collect()
        }
        Thing::Fields => world.resource::<FieldNames>().0.iter().map(|(&name, &unit)| (name.to_owned(), unit.to_owned())).collect(),
    };
    if voice.format == Format::Json {
        let rows: Vec<_> = rows.iter().map(|(name, about)| serde_json::json!({"name": name, "about": about})).collect();
        return say(&format!("{:#}", serde_json::json!({"schema": "envirosense.list/1", "rows": rows})));
    }
    say(&rows.iter().map(|(name, about)| format!("{name:<24} {about}\n")).collect::<String>())
}

fn of<R: Role>(kinds: &Kinds) -> Vec<(String, String)> {
    kinds.of::<R>().map(|kind| (kind.name.to_owned(), kind.about.to_owned())).collect()
}

fn files(folder: &str) -> Vec<(String, String)> {
    names_beside(Path::new(""), folder)
        .into_iter()
        .map(|name| {
            let path = format!("{folder}/{name}.ron");
            let origin = match (Path::new(&path).exists(), SHIPPED.contains(&path.as_str())) {
                (true, _) => path,
                (false, true) => "ships with the program".to_owned(),
                (false, false) => format!("../{path}"),
            };
            (name, origin)
        })
        .collect()
}
