//! The processes of a server, each by itself and all together.

use serde::Serialize;

use super::TargetSample;

/// One process of the server and what was seen of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Watched {
    /// Its name in reports.
    pub name: String,
    /// By seconds.
    pub samples: Vec<TargetSample>,
}

/// What a process used and did while there was traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ProcessUse {
    /// Processor time, seconds.
    pub cpu_seconds: Option<f64>,
    /// Cores used on average.
    pub cores: Option<f64>,
    /// Resident memory at most until then, bytes; the end of all connections may take more.
    pub most_memory_bytes: Option<f64>,
    /// Deliveries to members of rooms.
    pub deliveries: Option<f64>,
    /// Messages of live rooms that it had as the owner of their groups.
    pub room_messages: Option<f64>,
}

impl Watched {
    /// What it used and did from the last look before the traffic to the last one before the second `until`.
    #[must_use]
    pub fn used(&self, until: i64) -> ProcessUse {
        let before = self.samples.iter().rfind(|it| it.second < 0).or(self.samples.first());
        let last = self.samples.iter().rfind(|it| it.second < until);
        let (Some(before), Some(last)) = (before, last) else {
            return ProcessUse::default();
        };
        // A counter that is not there before its first event is 0.
        let risen = |value: fn(&TargetSample) -> Option<f64>| {
            Some(value(last)? - value(before).unwrap_or(0.0))
        };
        let cpu_seconds = before.cpu_seconds.and_then(|_| risen(|it| it.cpu_seconds));
        let seconds = (last.second - before.second) as f64;
        ProcessUse {
            cpu_seconds,
            cores: cpu_seconds.filter(|_| seconds > 0.0).map(|cpu| cpu / seconds),
            most_memory_bytes: self
                .samples
                .iter()
                .filter(|it| it.second < until)
                .filter_map(|it| it.memory_bytes)
                .reduce(f64::max),
            deliveries: risen(|it| it.deliveries),
            room_messages: risen(|it| it.room_messages),
        }
    }
}

/// All processes together, by seconds: of each its last look until then. It begins when all were heard of that
/// ever are, as counters would seem to rise by what a process brings from before.
#[must_use]
pub fn sum(processes: &[Watched]) -> Vec<TargetSample> {
    let heard = || processes.iter().filter(|process| !process.samples.is_empty());
    let first = heard().filter_map(|it| Some(it.samples.first()?.second)).max();
    let last = heard().filter_map(|it| Some(it.samples.last()?.second)).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    let at = |second: i64| {
        let mut all = TargetSample { second, ..TargetSample::default() };
        for process in heard() {
            let until = process.samples.partition_point(|it| it.second <= second);
            let look = until.checked_sub(1).and_then(|place| process.samples.get(place));
            look.into_iter().for_each(|look| all.add(look));
        }
        all
    };
    (first..=last).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, looks: &[(i64, f64, Option<f64>)]) -> Watched {
        let look = |(second, cpu, deliveries): &(i64, f64, Option<f64>)| TargetSample {
            second: *second,
            cpu_seconds: Some(*cpu),
            memory_bytes: Some(cpu * 1_000.0),
            deliveries: *deliveries,
            ..TargetSample::default()
        };
        Watched { name: name.to_owned(), samples: looks.iter().map(look).collect() }
    }

    #[test]
    fn processes_are_summed_second_by_second() {
        let one = process(
            "a",
            &[(-2, 1.0, None), (-1, 2.0, None), (0, 3.0, Some(5.0)), (2, 4.0, Some(9.0))],
        );
        let other = process("b", &[(-1, 10.0, None), (0, 20.0, None), (1, 30.0, None)]);
        let all = sum(&[one, other, Watched::default()]);
        let seen: Vec<_> =
            all.iter().map(|it| (it.second, it.cpu_seconds, it.deliveries)).collect();
        assert_eq!(
            seen,
            [
                (-1, Some(12.0), None),
                (0, Some(23.0), Some(5.0)),
                (1, Some(33.0), Some(5.0)),
                (2, Some(34.0), Some(9.0)),
            ]
        );
        assert!(sum(&[]).is_empty());
    }

    #[test]
    fn what_one_used_counts_from_the_last_look_before_the_traffic() {
        let one = process(
            "a",
            &[(-9, 1.0, None), (-1, 2.0, None), (0, 3.0, Some(5.0)), (3, 4.0, Some(9.0))],
        );
        let used = one.used(i64::MAX);
        assert_eq!((used.cpu_seconds, used.cores), (Some(2.0), Some(0.5)));
        assert_eq!((used.deliveries, used.most_memory_bytes), (Some(9.0), Some(4_000.0)));
        assert_eq!(used.room_messages, None);
        assert_eq!(one.used(3).cpu_seconds, Some(1.0));
        assert_eq!(Watched::default().used(9), ProcessUse::default());
    }
}
