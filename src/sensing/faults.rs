//! Injected faults: what a broken sensor's raw signals look like.

use crate::files::scenario::FaultKind;

/// A fault of one sensor, in microseconds since the start of the warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// From when.
    pub from_us: u64,
    /// Until when.
    pub until_us: u64,
}

impl Fault {
    /// The word in a sample.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind {
            FaultKind::Stuck => "stuck",
            FaultKind::StuckAt { .. } => "stuck_at",
            FaultKind::Dropout => "dropout",
            FaultKind::Offset { .. } => "offset",
            FaultKind::Noise { .. } => "noise",
        }
    }

    /// Whether it is present at a moment.
    #[must_use]
    pub const fn present(&self, at_us: u64) -> bool {
        self.from_us <= at_us && at_us < self.until_us
    }
}

/// By what the random error is multiplied at a moment.
#[must_use]
pub fn noise_factor(faults: &[Fault], at_us: u64) -> f64 {
    faults
        .iter()
        .filter(|fault| fault.present(at_us))
        .map(|fault| if let FaultKind::Noise { times } = fault.kind { times.get() } else { 1.0 })
        .product()
}

/// Changes raw signals as the present faults do; `last` is the raw result before. False if there is no result.
#[must_use]
pub fn apply(faults: &[Fault], at_us: u64, names: &[String], raw: &mut [f64], last: Option<&[f64]>) -> bool {
    let mut delivered = true;
    for fault in faults.iter().filter(|fault| fault.present(at_us)) {
        match &fault.kind {
            FaultKind::Stuck => {
                if let Some(last) = last {
                    raw.copy_from_slice(last);
                }
            }
            FaultKind::StuckAt { signal, value } => set(names, raw, signal, |_| value.get()),
            FaultKind::Offset { signal, by } => set(names, raw, signal, |was| was + by.get()),
            FaultKind::Dropout => delivered = false,
            FaultKind::Noise { .. } => {}
        }
    }
    delivered
}

fn set(names: &[String], raw: &mut [f64], signal: &str, to: impl Fn(f64) -> f64) {
    for (name, value) in names.iter().zip(raw) {
        if name == signal {
            *value = to(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_sensor_repeats_and_a_dropout_delivers_nothing() {
        let fault = |kind| [Fault { kind, from_us: 10, until_us: 20 }];
        let names = ["a".to_owned()];
        let mut raw = [5.0];
        assert!(apply(&fault(FaultKind::Stuck), 15, &names, &mut raw, Some(&[3.0])));
        assert!((raw[0] - 3.0).abs() < 1e-12);
        assert!(!apply(&fault(FaultKind::Dropout), 15, &names, &mut raw, None));
        assert!(apply(&fault(FaultKind::Dropout), 20, &names, &mut raw, None));
    }
}
