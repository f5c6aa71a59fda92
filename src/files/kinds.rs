//! Kinds are open: what may stand after `kind:` is what plugins have registered.
//!
//! A kind's own struct is read in place by the same parser run, so a misspelt field in a plugin's
//! sensor is reported with line and column like any other. The registry reaches the reader through
//! a scope on the reading thread (`Kinds::while_reading`); see `docs/decisions/0003-open-kinds.md`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bevy_ecs::resource::Resource;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};

use crate::files::species::SpeciesTable;

/// What a kind can be a kind of.
pub trait Role: Send + Sync + 'static {
    /// The word for it in messages.
    const NOUN: &'static str;
}

/// Sensors a product can mount.
#[derive(Clone, Copy, Debug)]
pub enum SensorRole {}

/// Emitters a scenario can place.
#[derive(Clone, Copy, Debug)]
pub enum EmitterRole {}

/// Events a scenario can name.
#[derive(Clone, Copy, Debug)]
pub enum EventRole {}

impl Role for SensorRole {
    const NOUN: &'static str = "sensor";
}
impl Role for EmitterRole {
    const NOUN: &'static str = "emitter";
}
impl Role for EventRole {
    const NOUN: &'static str = "event";
}

/// Something wrong inside a kind's own struct that only a cross-check can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFault {
    /// Path from the kind's struct, such as `species`; empty for the whole.
    pub path: String,
    /// Stable code, for `envirosense explain`.
    pub code: &'static str,
    /// One line with the offending value.
    pub message: String,
    /// Names that would have been known, for "did you mean".
    pub known: Vec<String>,
}

impl SpecFault {
    /// A number of the struct that is out of its range.
    #[must_use]
    pub fn bad_value(path: &str, message: String) -> Self {
        Self { path: path.to_owned(), code: "bad-value", message, known: Vec::new() }
    }

    /// A gas that is not in the table.
    #[must_use]
    pub fn unknown_species(path: &str, id: &str, species: &SpeciesTable) -> Self {
        Self { path: path.to_owned(), code: "unknown-species", message: format!("no species is called `{id}`"), known: species.names() }
    }
}

/// The struct a person writes after `kind:`.
pub trait Spec: DeserializeOwned + Send + Sync + 'static {
    /// Faults of this struct that concern the world it will live in.
    fn faults(&self, _species: &SpeciesTable) -> Vec<SpecFault> {
        Vec::new()
    }
}

type AnySpec = Arc<dyn Any + Send + Sync>;

/// One registered kind.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What stands in the file, `snake_case`.
    pub name: &'static str,
    /// One sentence for `envirosense list`.
    pub about: &'static str,
    parse: fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<AnySpec, erased_serde::Error>,
    faults: fn(&(dyn Any + Send + Sync), &SpeciesTable) -> Vec<SpecFault>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All kinds the plugins of this program have registered.
#[derive(Resource, Clone, Debug, Default)]
pub struct Kinds {
    by_role: BTreeMap<&'static str, BTreeMap<&'static str, Kind>>,
}

thread_local! {
    static READING: RefCell<Option<Kinds>> = const { RefCell::new(None) };
}

impl Kinds {
    /// Registers `S` as a kind of `R`.
    ///
    /// # Panics
    /// If the name is taken: two plugins that claim one name are a bug of the program.
    pub fn register<R: Role, S: Spec>(&mut self, name: &'static str, about: &'static str) {
        let kind = Kind {
            name,
            about,
            parse: |deserializer| Ok(Arc::new(erased_serde::deserialize::<S>(deserializer)?)),
            faults: |spec, species| spec.downcast_ref::<S>().map(|s| s.faults(species)).unwrap_or_default(),
        };
        let earlier = self.by_role.entry(R::NOUN).or_default().insert(name, kind);
        assert!(earlier.is_none(), "two plugins register the {} kind `{name}`", R::NOUN);
    }

    /// The kinds of one role, by name.
    pub fn of<R: Role>(&self) -> impl Iterator<Item = &Kind> {
        self.by_role.get(R::NOUN).into_iter().flat_map(BTreeMap::values)
    }

    /// The names of one role, sorted.
    #[must_use]
    pub fn names<R: Role>(&self) -> Vec<&'static str> {
        self.of::<R>().map(|kind| kind.name).collect()
    }

    /// The cross-check of one kind's struct.
    #[must_use]
    pub fn faults<R: Role>(&self, spec: &KindSpec<R>, species: &SpeciesTable) -> Vec<SpecFault> {
        self.by_role
            .get(R::NOUN)
            .and_then(|kinds| kinds.get(spec.name.as_str()))
            .map(|kind| (kind.faults)(spec.value.as_ref(), species))
            .unwrap_or_default()
    }

    /// Runs `read` while `kind:` fields on this thread are looked up here.
    pub fn while_reading<T>(&self, read: impl FnOnce() -> T) -> T {
        let outer = READING.replace(Some(self.clone()));
        let result = read();
        READING.set(outer);
        result
    }
}

/// A kind's name with the struct that was written for it.
#[derive(Clone)]
pub struct KindSpec<R> {
    /// The registered name.
    pub name: String,
    value: AnySpec,
    role: PhantomData<R>,
}

impl<R: Role> KindSpec<R> {
    /// Wraps a struct that did not come from a file.
    pub fn of<S: Spec>(name: &str, spec: S) -> Self {
        Self { name: name.to_owned(), value: Arc::new(spec), role: PhantomData }
    }

    /// The struct, if it is an `S`.
    #[must_use]
    pub fn get<S: Spec>(&self) -> Option<&S> {
        self.value.downcast_ref()
    }
}

impl<R> fmt::Debug for KindSpec<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(…)", self.name)
    }
}

impl<'de, R: Role> de::Deserialize<'de> for KindSpec<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("", &[], KindVisitor(PhantomData))
    }
}

struct KindVisitor<R>(PhantomData<R>);

impl<'de, R: Role> Visitor<'de> for KindVisitor<R> {
    type Value = KindSpec<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} kind", R::NOUN)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        let (kind, variant) = access.variant_seed(NameSeed::<R>(PhantomData))?;
        let entered = Cell::new(false);
        let value = match variant.newtype_variant_seed(SpecSeed { kind, entered: &entered }) {
            // no bracket follows the name: the same as an empty one
            Err(_) if !entered.get() => {
                let empty = MapDeserializer::<_, A::Error>::new(std::iter::empty::<(&str, ())>());
                SpecSeed { kind, entered: &entered }.deserialize(empty)
            }
            read => read,
        }?;
        Ok(KindSpec { name: kind.name.to_owned(), value, role: PhantomData })
    }
}

struct NameSeed<R>(PhantomData<R>);

impl<'de, R: Role> DeserializeSeed<'de> for NameSeed<R> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<R: Role> Visitor<'_> for NameSeed<R> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} kind", R::NOUN)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Kind, E> {
        READING.with_borrow(|kinds| {
            kinds
                .as_ref()
                .and_then(|kinds| kinds.by_role.get(R::NOUN)?.get(name).copied())
                .ok_or_else(|| E::custom(format!("unknown {} kind `{name}`", R::NOUN)))
        })
    }
}

struct SpecSeed<'s> {
    kind: Kind,
    entered: &'s Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for SpecSeed<'_> {
    type Value = AnySpec;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnySpec, D::Error> {
        self.entered.set(true);
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        (self.kind.parse)(&mut erased).map_err(de::Error::custom)
    }
}
