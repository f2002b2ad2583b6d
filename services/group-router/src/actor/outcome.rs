//! What becomes of a job where the group may be another node's by now. That is no error of the
//! outside interface: whoever called asks the right node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use throng_node::cluster::not_begun;
use throng_protocol::error::{Code, CommandError};
use tonic::Status;

const NOT_HERE: &str = "the group is not served here now";
const LOST: &str = "the group went to another node meanwhile";

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// This is the answer.
    Refused(CommandError),
    /// The group is not this node's, and nothing of the job has happened.
    NotBegun,
    /// The group was lost while effects of the job were on their way: nobody knows what became of
    /// them.
    Unknown,
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// As handlers pass it on; their caller goes by [`Fate`].
    pub(crate) fn into_error(self) -> CommandError {
        match self {
            Self::Refused(error) => error,
            Self::NotBegun => Code::GROUP_INTERNAL.with(NOT_HERE),
            Self::Unknown => Code::GROUP_INTERNAL.with(LOST),
        }
    }
}

/// What became of all jobs of one call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate {
    inner: Arc<FateOfCall>,
}

#[derive(Debug, Default)]
struct FateOfCall {
    begun: AtomicBool,
    lost: AtomicBool,
}

impl Fate {
    /// A job has its result; `changed` says whether it would have changed anything.
    pub(super) fn note<R>(&self, result: &Result<R, Failure>, changed: bool) {
        let (begun, lost) = match result {
            Ok(_) | Err(Failure::Refused(_)) => (changed, false),
            Err(Failure::NotBegun) => (false, true),
            Err(Failure::Unknown) => (changed, true),
        };
        if begun {
            self.inner.begun.store(true, Ordering::Relaxed);
        }
        if lost {
            self.inner.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Whether one of its groups is not this node's.
    pub(crate) fn is_lost(&self) -> bool {
        self.inner.lost.load(Ordering::Relaxed)
    }

    /// What the caller is told instead of an answer then.
    pub(crate) fn status(&self) -> Option<Status> {
        if !self.is_lost() {
            return None;
        }
        metrics::counter!("throng_group_router_calls_not_owner_total").increment(1);
        Some(if self.inner.begun.load(Ordering::Relaxed) {
            Status::unavailable(LOST)
        } else {
            not_begun(NOT_HERE)
        })
    }
}

#[cfg(test)]
mod tests {
    use throng_node::cluster::is_not_begun;
    use tonic::Code as GrpcCode;

    use super::*;

    #[test]
    fn a_call_is_not_begun_only_if_none_of_its_jobs_is() {
        let changed = || (Ok(()), true);
        let looked = || (Ok(()), false);
        let refused = || (Err(Failure::Refused(Code::GROUP_MUTED.with("muted"))), false);
        let lost = || (Err(Failure::NotBegun), true);
        let in_doubt = || (Err(Failure::Unknown), true);
        let status = |results: &[(Result<(), Failure>, bool)]| {
            let fate = Fate::default();
            results.iter().for_each(|(result, changed)| fate.note(result, *changed));
            fate.status()
        };
        assert!(status(&[]).is_none());
        assert!(status(&[looked(), changed(), refused()]).is_none());
        for results in [vec![lost()], vec![looked(), lost()], vec![lost(), refused()]] {
            assert!(is_not_begun(&status(&results).unwrap()), "{results:?}");
        }
        for results in [[changed(), lost()], [lost(), changed()], [looked(), in_doubt()]] {
            let status = status(&results).unwrap();
            assert_eq!((status.code(), is_not_begun(&status)), (GrpcCode::Unavailable, false));
        }
    }
}
