//! How fast are the kernels alone? `cargo bench --bench kernels`.

use divan::Bencher;
use divan::counter::ItemsCount;
use envirosense::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use envirosense::numerics::{SimdLevel, Workers};

fn main() {
    divan::main();
}

const LEVELS: [SimdLevel; 3] = [SimdLevel::Sse2, SimdLevel::Avx2, SimdLevel::Auto];

/// Does the cost of a cell stay flat as the grid outgrows the caches, and what does each SIMD level buy?
#[divan::bench(consts = [32, 64, 128], args = LEVELS, sample_count = 5, sample_size = 1)]
fn transport_of_one_tracer_over_n_cubed_cells<const N: usize>(bencher: Bencher, level: SimdLevel) {
    let wind = [1.0f32, 0.5, 0.25].map(|u| vec![u; N * N * N]);
    let high = [1.0f32, 0.5, 0.25].map(|u| vec![u; N * N]);
    let (level_k, face_k) = (vec![0.1; N], vec![0.1; N + 1]);
    let Ok(workers) = Workers::new(1, level) else { return };
    bencher.counter(ItemsCount::new(N * N * N)).with_inputs(|| vec![1.0f32; N * N * N]).bench_local_refs(|cells| {
        let faces = Faces { shape: [N; 3], low: [&wind[0], &wind[1], &wind[2]], high: [&high[0], &high[1], &high[2]] };
        let spread = Spread { x: &level_k, y: &level_k, z_faces: &face_k };
        Plan::new(faces, [1.0; 3], 0.2, spread, Sides::Open, false, Course::Straight).advance(cells, 0.0, &workers);
    });
}
