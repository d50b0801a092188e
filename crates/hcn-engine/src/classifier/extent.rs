// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which values of one field a rule takes: any, or some intervals.
//!
//! Apart from the classifier because IP sets are computed with it too. The intervals of an [`Extent`] are sorted, do not overlap and do not
//! touch.

use std::{fmt::Debug, hash::Hash, sync::Arc};

/// A field's values: protocol numbers, ports, addresses of one family.
pub trait Scalar: Copy + Ord + Hash + Debug + 'static {
    /// The lowest value.
    const LOWEST: Self;

    /// The next value; `None` after the highest one.
    fn successor(self) -> Option<Self>;
}

macro_rules! scalar {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            const LOWEST: Self = 0;
            fn successor(self) -> Option<Self> {
                self.checked_add(1)
            }
        }
    )*};
}
scalar!(u8, u16, u32, u128);

/// Which values of one field a rule takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Extent<V> {
    /// Every one, and also a packet that has no such field.
    Any,
    /// Those in one of the intervals, both ends included. Shared, because a thousand rules may name one set of thousands of addresses.
    Of(Arc<[(V, V)]>),
}

impl<V: Scalar> Extent<V> {
    /// The values in any of these intervals, which may overlap and come in any order.
    pub fn of(mut intervals: Vec<(V, V)>) -> Self {
        intervals.retain(|(first, last)| first <= last);
        intervals.sort_unstable();
        intervals.dedup_by(|next, kept| {
            let joined = kept.1.successor().is_none_or(|after| next.0 <= after);
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        Extent::Of(intervals.into())
    }

    /// No value at all.
    pub fn none() -> Self {
        Extent::Of(Arc::default())
    }

    /// Whether no value is in it.
    pub fn is_none(&self) -> bool {
        matches!(self, Extent::Of(intervals) if intervals.is_empty())
    }

    /// Whether a value is in it.
    pub fn contains(&self, value: V) -> bool {
        match self {
            Extent::Any => true,
            // Most rules name one value or one prefix: no search for those.
            Extent::Of(intervals) if intervals.len() == 1 => {
                intervals[0].0 <= value && value <= intervals[0].1
            }
            Extent::Of(intervals) => {
                let after = intervals.partition_point(|(first, _)| *first <= value);
                after > 0 && value <= intervals[after - 1].1
            }
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (Extent::Of(ours), Extent::Of(theirs)) = (self, other) else {
            return match self {
                Extent::Any => other.clone(),
                Extent::Of(_) => self.clone(),
            };
        };
        let mut both = Vec::new();
        let (mut our, mut their) = (0, 0);
        while let (Some(a), Some(b)) = (ours.get(our), theirs.get(their)) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                both.push((first, last));
            }
            if a.1 <= b.1 {
                our += 1;
            } else {
                their += 1;
            }
        }
        Extent::of(both)
    }

    /// What is in one of the two, or in both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Extent::Of(ours), Extent::Of(theirs)) => {
                Extent::of(ours.iter().chain(theirs.iter()).copied().collect())
            }
            _ => Extent::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_and_touching_intervals_become_one() {
        let extent = Extent::of(vec![(10u16, 20), (21, 30), (5, 12), (40, 40), (50, 45)]);
        assert_eq!(extent, Extent::Of(Arc::new([(5, 30), (40, 40)])));
    }

    #[test]
    fn the_highest_value_does_not_overflow() {
        let extent = Extent::of(vec![(65_535u16, 65_535), (65_000, 65_535), (0, 0)]);
        assert_eq!(extent, Extent::Of(Arc::new([(0, 0), (65_000, 65_535)])));
        assert!(extent.contains(65_535));
        assert!(extent.contains(0));
        assert!(!extent.contains(1));
        assert!(!extent.contains(64_999));
    }

    #[test]
    fn intersection_and_union_are_those_of_sets() {
        let some = Extent::of(vec![(1u8, 5), (10, 20), (30, 30)]);
        let other = Extent::of(vec![(4, 12), (30, 40)]);
        assert_eq!(
            some.intersection(&other),
            Extent::of(vec![(4, 5), (10, 12), (30, 30)])
        );
        assert_eq!(some.union(&other), Extent::of(vec![(1, 20), (30, 40)]));
        assert_eq!(some.intersection(&Extent::Any), some);
        assert_eq!(Extent::Any.intersection(&some), some);
        assert_eq!(some.union(&Extent::Any), Extent::Any);
        assert!(some.intersection(&Extent::none()).is_none());
    }
}
