//! The kernels of one plane, compiled for each SIMD level.

use crate::numerics::transport::sweep::{Buffers, Sweep};
use crate::numerics::transport::{implicit, straight, winding};
use crate::numerics::tridiagonal::Diffusion;
use crate::numerics::{Real, SimdLevel, at_simd_levels};

/// The kernels of one plane at a chosen SIMD level.
pub trait PlaneKernels: Sized {
    /// Carries rows across themselves.
    fn across(level: SimdLevel, job: &Sweep<'_, '_, Self>, rows: &mut [&mut [Self]], other: usize, buffers: &mut Buffers<Self>);
    /// Carries rows along themselves.
    fn along(level: SimdLevel, job: &Sweep<'_, '_, Self>, plane: &mut [Self], k: usize, buffers: &mut Buffers<Self>);
    /// Diffuses rows across themselves, implicitly.
    fn diffuse(
        level: SimdLevel,
        job: &Sweep<'_, '_, Self>,
        diffusion: &Diffusion,
        rows: &mut [&mut [Self]],
        other: usize,
        buffers: &mut Buffers<Self>,
    );
    /// Diffuses rows along themselves, implicitly.
    fn diffuse_lines(
        level: SimdLevel,
        job: &Sweep<'_, '_, Self>,
        diffusion: &Diffusion,
        plane: &mut [Self],
        k: usize,
        buffers: &mut Buffers<Self>,
    );
}

/// Rows across themselves, in the air of the plan.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn across<T: Real>(job: &Sweep<'_, '_, T>, rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    match job.volume {
        None => straight::across(job, rows, other, buffers),
        Some((_, after)) => winding::across(job, after, rows, other, buffers),
    }
}

/// Rows along themselves, in the air of the plan.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn along<T: Real>(job: &Sweep<'_, '_, T>, plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    match job.volume {
        None => straight::along(job, plane, k, buffers),
        Some((_, after)) => winding::along(job, after, plane, k, buffers),
    }
}

macro_rules! plane_kernels {
    ($type:ty, $across:ident, $along:ident, $diffuse:ident, $lines:ident) => {
        at_simd_levels!(
            fn $across(job: &Sweep<'_, '_, $type>, rows: &mut [&mut [$type]], other: usize, buffers: &mut Buffers<$type>) = across
        );
        at_simd_levels!(fn $along(job: &Sweep<'_, '_, $type>, plane: &mut [$type], k: usize, buffers: &mut Buffers<$type>) = along);
        at_simd_levels!(
            fn $diffuse(
                job: &Sweep<'_, '_, $type>,
                diffusion: &Diffusion,
                rows: &mut [&mut [$type]],
                other: usize,
                buffers: &mut Buffers<$type>,
            ) = implicit::rows
        );
        at_simd_levels!(
            fn $lines(
                job: &Sweep<'_, '_, $type>,
                diffusion: &Diffusion,
                plane: &mut [$type],
                k: usize,
                buffers: &mut Buffers<$type>,
            ) = implicit::lines
        );

        impl PlaneKernels for $type {
            fn across(level: SimdLevel, job: &Sweep<'_, '_, Self>, rows: &mut [&mut [Self]], other: usize, buffers: &mut Buffers<Self>) {
                $across(level, job, rows, other, buffers);
            }
            fn along(level: SimdLevel, job: &Sweep<'_, '_, Self>, plane: &mut [Self], k: usize, buffers: &mut Buffers<Self>) {
                $along(level, job, plane, k, buffers);
            }
            fn diffuse(
                level: SimdLevel,
                job: &Sweep<'_, '_, Self>,
                diffusion: &Diffusion,
                rows: &mut [&mut [Self]],
                other: usize,
                buffers: &mut Buffers<Self>,
            ) {
                $diffuse(level, job, diffusion, rows, other, buffers);
            }
            fn diffuse_lines(
                level: SimdLevel,
                job: &Sweep<'_, '_, Self>,
                diffusion: &Diffusion,
                plane: &mut [Self],
                k: usize,
                buffers: &mut Buffers<Self>,
            ) {
                $lines(level, job, diffusion, plane, k, buffers);
            }
        }
    };
}

plane_kernels!(f32, across_f32, along_f32, diffuse_f32, diffuse_lines_f32);
plane_kernels!(f64, across_f64, along_f64, diffuse_f64, diffuse_lines_f64);
