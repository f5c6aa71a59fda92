//! Where the time of a tick goes, system by system.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::cases::{DEMO_TICKS, demo_simulation, stepped};
use crate::simulation::SimulationError;

/// Systems that take less than this are not listed.
const LEAST_MS: f64 = 5e-4;

/// Milliseconds a tick of each system of the demo, the slowest first. Run apart from `demo`: the clock costs time.
pub(super) fn systems() -> Result<Vec<(String, f64)>, SimulationError> {
    let times = SystemTimes::default();
    let spent = Arc::clone(&times.0);
    // spans of systems are made with the systems, so the whole run happens under this listener
    subscriber::with_default(tracing_subscriber::registry().with(times), || stepped(&mut demo_simulation()?, DEMO_TICKS))?;
    let spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
    let per_tick = |(name, time): (&String, &Duration)| (name.clone(), time.as_secs_f64() * 1e3 / f64::from(DEMO_TICKS));
    let mut list: Vec<(String, f64)> = spent.by_system.iter().map(per_tick).filter(|(_, ms)| *ms >= LEAST_MS).collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(list)
}

/// Adds up the time inside the span that the ECS opens around each run of a system, without that of systems run from
/// inside it.
#[derive(Default)]
struct SystemTimes(Arc<Mutex<Spent>>);

#[derive(Default)]
struct Spent {
    running: Vec<Running>,
    by_system: BTreeMap<String, Duration>,
}

/// A system that has begun and not ended.
struct Running {
    since: Instant,
    inside: Duration,
}

/// What a span remembers of its system.
struct SystemName(String);

/// Finds the field `name`.
struct NameField(Option<String>);

impl Visit for NameField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

impl SystemTimes {
    /// The name of the system a span stands for, and the books.
    fn of<S: Subscriber + for<'l> LookupSpan<'l>>(&self, id: &Id, context: &Context<'_, S>) -> Option<(String, MutexGuard<'_, Spent>)> {
        let name = context.span(id)?.extensions().get::<SystemName>()?.0.clone();
        Some((name, self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for SystemTimes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "system" {
            return;
        }
        let mut field = NameField(None);
        attributes.record(&mut field);
        if let (Some(name), Some(span)) = (field.0, context.span(id)) {
            span.extensions_mut().insert(SystemName(name));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some((_, mut spent)) = self.of(id, &context) {
            spent.running.push(Running { since: Instant::now(), inside: Duration::ZERO });
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some((name, mut spent)) = self.of(id, &context)
            && let Some(ended) = spent.running.pop()
        {
            let whole = ended.since.elapsed();
            if let Some(outer) = spent.running.last_mut() {
                outer.inside += whole;
            }
            *spent.by_system.entry(name).or_default() += whole.saturating_sub(ended.inside);
        }
    }
}
