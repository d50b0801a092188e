// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures what is shorter than the pauses that a busy machine makes.
//!
//! Apart because two benchmarks measure so. Items are taken in batches of some ten microseconds; of each batch the fastest of many rounds counts, so that what
//! else the machine does counts little, and each item counts as often as any other.

use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const BATCH: usize = 2_000;

/// Nanoseconds for each item.
pub fn nanoseconds<T>(items: &[T], mut each: impl FnMut(&T)) -> f64 {
    let mut best = vec![Duration::MAX; items.len().div_ceil(BATCH)];
    for _ in 0..ROUNDS {
        for (items, best) in items.chunks(BATCH).zip(&mut best) {
            let start = Instant::now();
            items.iter().for_each(&mut each);
            *best = start.elapsed().min(*best);
        }
    }
    best.iter().sum::<Duration>().as_nanos() as f64 / items.len() as f64
}
