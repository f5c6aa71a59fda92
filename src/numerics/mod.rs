//! Kernels that know no physics: conservative transport, conduction, tridiagonal and elliptic systems, agreement of series, CPU dispatch.

/// Conservative transport of cell averages.
pub mod transport;

/// Tridiagonal systems.
pub mod tridiagonal;

/// Conduction along a rod.
pub mod rod;

/// Conduction through layers.
pub mod slab;

/// Potentials of networks of cells.
pub mod elliptic;

/// The gamma law.
pub mod gamma;

/// Special functions.
pub mod special;

/// Statistics of predictions against observations.
pub mod agreement;

use std::ops::{Add, AddAssign, Mul, Neg, Sub};
use std::sync::Arc;

use bevy_ecs::resource::Resource;
use rayon::prelude::*;

/// The two floating-point types kernels are written for.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + transport::PlaneKernels
    + 'static
{
    /// The nearest value to a double.
    fn from_f64(value: f64) -> Self;
    /// As a double.
    fn to_f64(self) -> f64;
    /// Absolute value.
    #[must_use]
    fn magnitude(self) -> Self;
    /// The smaller of two numbers.
    #[must_use]
    fn smaller(self, other: Self) -> Self;
    /// Its magnitude with the sign of another number.
    #[must_use]
    fn with_sign_of(self, other: Self) -> Self;
    /// One over it.
    #[must_use]
    fn inverse(self) -> Self;
}

macro_rules! real {
    ($type:ty, $from:expr, $to:expr) => {
        impl Real for $type {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                $from(value)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                $to(self)
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn smaller(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn with_sign_of(self, other: Self) -> Self {
                self.copysign(other)
            }
            #[inline(always)]
            fn inverse(self) -> Self {
                1.0 / self
            }
        }
    };
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is what is asked for")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

real!(f32, narrow, f64::from);
real!(f64, std::convert::identity, std::convert::identity);

/// The widest vector instructions kernels may use. Every level gives the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimdLevel {
    /// The best of this machine.
    #[default]
    Auto,
    /// At most AVX2.
    Avx2,
    /// At most SSE2, which every x86-64 has.
    Sse2,
}

impl std::str::FromStr for SimdLevel {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "avx2" => Ok(Self::Avx2),
            "sse2" => Ok(Self::Sse2),
            _ => Err(format!("unknown SIMD level `{name}`: use auto, avx2 or sse2")),
        }
    }
}

/// Defines a safe function that runs an `#[inline(always)]` body at a chosen SIMD level.
///
/// No level contracts multiply and add, so all give the same bits.
macro_rules! at_simd_levels {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:path) => {
        $(#[$doc])*
        fn $name(level: $crate::numerics::SimdLevel, $($arg: $type),*) {
            #[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+bmi1+bmi2", "x86_64+avx2+bmi1+bmi2"))]
            fn best($($arg: $type),*) {
                $body($($arg),*);
            }
            #[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
            fn avx2($($arg: $type),*) {
                $body($($arg),*);
            }
            match level {
                $crate::numerics::SimdLevel::Auto => best($($arg),*),
                $crate::numerics::SimdLevel::Avx2 => avx2($($arg),*),
                $crate::numerics::SimdLevel::Sse2 => $body($($arg),*),
            }
        }
    };
}
pub(crate) use at_simd_levels;

/// The threads heavy kernels share, and how wide they may go. Results do not depend on either.
#[derive(Resource, Clone)]
pub struct Workers {
    pool: Arc<rayon::ThreadPool>,
    /// Widest vector instructions.
    pub simd: SimdLevel,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workers({} threads, {:?})", self.pool.current_num_threads(), self.simd)
    }
}

impl Workers {
    /// A pool of its own; 0 threads means one for each core.
    ///
    /// # Errors
    /// When the system refuses the threads.
    pub fn new(threads: usize, simd: SimdLevel) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|n| format!("worker-{n}")).build()?;
        Ok(Self { pool: Arc::new(pool), simd })
    }

    /// How many threads there are.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// What `work` makes of every item, in their order; each thread begins with a `state` of its own. A single thread works
    /// where it is called.
    pub fn map<I: Send, S, R: Send>(
        &self,
        items: Vec<I>,
        state: impl Fn() -> S + Send + Sync,
        work: impl Fn(&mut S, usize, I) -> R + Send + Sync,
    ) -> Vec<R> {
        if self.threads() == 1 {
            let mut state = state();
            return items.into_iter().enumerate().map(|(at, item)| work(&mut state, at, item)).collect();
        }
        self.run(|| items.into_par_iter().enumerate().map_init(state, |state, (at, item)| work(state, at, item)).collect())
    }

    /// Keeps the threads together for several calls of [`Workers::map`]: between two visits they fall asleep, and to wake
    /// one may take longer than a small step. A single thread works where it is called.
    pub fn together<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        if self.threads() == 1 { work() } else { self.run(work) }
    }

    /// Runs `work` where rayon's parallel iterators use this pool.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        if self.pool.current_num_threads() == 1 && rayon::current_thread_index().is_some() { work() } else { self.pool.install(work) }
    }
}
