//! Rendezvous hashing: which of several nodes is responsible for a key. When a node comes or goes,
//! only its own keys move.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The place in `names` of the node that `hash` belongs to; `None` when there is no node. The order of
/// the names does not matter.
pub fn rendezvous<'a>(hash: u64, names: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let weight = |name: &str| xxh3_64_with_seed(name.as_bytes(), hash);
    names
        .into_iter()
        .enumerate()
        .max_by(|(_, one), (_, other)| (weight(one), one).cmp(&(weight(other), other)))
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_node_no_place() {
        assert_eq!(rendezvous(1, []), None);
    }

    /// Nodes of two versions have to agree.
    #[test]
    fn places_never_change() {
        let nodes = ["presence-0", "presence-1", "presence-2"];
        let places: Vec<_> = (0..8).map(|hash| rendezvous(hash, nodes).unwrap()).collect();
        assert_eq!(places, PLACES);
    }

    const PLACES: [usize; 8] = [2, 2, 1, 2, 2, 1, 2, 0];

    #[test]
    fn keys_spread_evenly() {
        let nodes = ["a", "b", "c", "d"];
        let mut counts = [0_u32; 4];
        for key in 0..40_000_u64 {
            let hash = xxhash_rust::xxh3::xxh3_64(&key.to_le_bytes());
            counts[rendezvous(hash, nodes).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_000..11_000).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn only_the_keys_of_the_node_that_went_move(
            hash: u64,
            names in proptest::collection::btree_set("[a-z]{1,8}", 2..8),
            gone: prop::sample::Index,
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let gone = gone.index(names.len());
            let before = rendezvous(hash, names.iter().map(String::as_str)).unwrap();
            let left: Vec<&str> = names
                .iter()
                .enumerate()
                .filter(|(place, _)| *place != gone)
                .map(|(_, name)| name.as_str())
                .collect();
            let after = left[rendezvous(hash, left.iter().copied()).unwrap()];
            if before != gone {
                prop_assert_eq!(after, names[before].as_str());
            }
        }
    }
}
