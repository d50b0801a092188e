// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a law is tried: over how many random cases, from which seed, and what they have to meet so that it is not kept by never being tried.
//!
//! Apart from the laws, so that all are tried alike. `PROPTEST_RNG_SEED` fixes the cases, as CI does; without it a run looks further than the one
//! before. `PROPTEST_CASES` makes them fewer or more: it says how many are tried where ten thousand would be.

use std::{cell::RefCell, collections::BTreeMap, env};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// The seed of `.ci/run`: with it the counts are the same from run to run.
const SEED_OF_CI: &str = "2";

/// How often each thing was met.
#[derive(Debug, Default)]
pub struct Met {
    counts: BTreeMap<String, u32>,
}

impl Met {
    pub fn add(&mut self, what: &str) {
        match self.counts.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(what.to_owned(), 1);
            }
        }
    }

    pub fn add_if(&mut self, is: bool, what: &str) {
        if is {
            self.add(what);
        }
    }

    /// What the law stands for: met so often whatever the seed, unless fewer cases were asked for.
    pub fn promises(&self, least: u32, whats: &[&str]) {
        if env::var_os("PROPTEST_CASES").is_none() {
            self.has(least, whats);
        }
    }

    /// What the cases are made for. How often each is met hangs on the seed, so it is asked with that of CI.
    pub fn covers(&self, least: u32, whats: &[&str]) {
        if env::var("PROPTEST_RNG_SEED").is_ok_and(|seed| seed == SEED_OF_CI) {
            self.promises(least, whats);
        }
    }

    fn has(&self, least: u32, whats: &[&str]) {
        for what in whats {
            let count = self.counts.get(*what).copied().unwrap_or(0);
            assert!(count >= least, "{what} was hardly met: {self:#?}");
        }
    }
}

/// Tries a law over random cases, and says what they met.
pub fn try_each<S: Strategy>(
    cases: u32,
    of: &S,
    law: impl Fn(S::Value, &mut Met) -> Result<(), TestCaseError>,
) -> Met {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    config.cases = match env::var_os("PROPTEST_CASES") {
        Some(_) => (u64::from(config.cases) * u64::from(cases) / 10_000).max(1) as u32,
        None => cases,
    };
    let met = RefCell::new(Met::default());
    let tried = TestRunner::new(config).run(of, |case| law(case, &mut met.borrow_mut()));
    tried.unwrap_or_else(|failure| panic!("{failure}"));
    let met = met.into_inner();
    println!("{:#?}", met.counts);
    met
}

/// Numbers from a seed, for choices that are many and whose shrinking would show nothing.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One time of so many.
    pub fn one_of(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
