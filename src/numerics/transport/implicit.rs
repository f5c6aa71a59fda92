//! Implicit diffusion of one plane.

use crate::numerics::Real;
use crate::numerics::transport::sweep::{Buffers, Sweep};
use crate::numerics::tridiagonal::Diffusion;

/// Lines that are turned together, so that implicit diffusion along x runs across them.
const TURNED: usize = 16;

/// Implicit diffusion of every row of plane `k` along itself.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn lines<T: Real>(job: &Sweep<'_, '_, T>, diffusion: &Diffusion, plane: &mut [T], k: usize, buffers: &mut Buffers<T>) {
    let nx = diffusion.cells();
    let [_, ny, _] = job.plan.faces.shape;
    let Buffers { turned, turned_open, delta, factor, .. } = buffers;
    for (block_index, block) in plane.chunks_mut(nx * TURNED).enumerate() {
        let lines = block.len() / nx;
        turn(block, nx, turned);
        let mut rows: Vec<&mut [T]> = turned.chunks_mut(lines).collect();
        if let Some(open) = job.plan.open {
            let from = nx * (block_index * TURNED + ny * k);
            turn(&open[0][from..from + block.len()], nx, turned_open);
            diffusion.apply_around(&mut rows, |face| &turned_open[face * lines..(face + 1) * lines], delta, factor);
        } else {
            diffusion.apply(&mut rows, delta);
        }
        for (line, row) in block.chunks_mut(nx).enumerate() {
            for (i, value) in row.iter_mut().enumerate() {
                *value = turned[i * lines + line];
            }
        }
    }
}

/// Writes lines of `nx` cells so that equal cells of all lines lie side by side.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn turn<T: Real>(block: &[T], nx: usize, turned: &mut Vec<T>) {
    let lines = block.len() / nx;
    turned.clear();
    turned.resize(nx * lines, T::default());
    for (line, row) in block.chunks(nx).enumerate() {
        for (i, value) in row.iter().enumerate() {
            turned[i * lines + line] = *value;
        }
    }
}

/// Implicit diffusion of rows across themselves.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
pub(super) fn rows<T: Real>(job: &Sweep<'_, '_, T>, diffusion: &Diffusion, rows: &mut [&mut [T]], other: usize, buffers: &mut Buffers<T>) {
    let Buffers { delta, factor, ones, .. } = buffers;
    if job.plan.open.is_some() {
        diffusion.apply_around(rows, |face| job.open_row(face, other, ones), delta, factor);
    } else {
        diffusion.apply(rows, delta);
    }
}
