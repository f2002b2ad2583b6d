//! The driver's errors as ours: what trying again may help against, and what not.

use std::sync::Arc;

use scylla::errors::{
    ConnectionPoolError, DbError, ExecutionError, MetadataError, NewSessionError, PrepareError,
    RequestAttemptError, SchemaAgreementError,
};
use tokio::time::error::Elapsed;

use crate::StoreError;

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// An error of which trying again later may help.
fn unavailable(source: Source) -> StoreError {
    StoreError::Unavailable { source }
}

/// An answer that is not what the driver or we expect.
pub(super) fn backend(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Backend { source: Arc::new(error) }
}

/// A time of ours ran out.
pub(super) fn elapsed(error: Elapsed) -> StoreError {
    unavailable(Arc::new(error))
}

pub(super) fn execution(error: ExecutionError) -> StoreError {
    let passing = match &error {
        ExecutionError::ConnectionPoolError(_)
        | ExecutionError::RequestTimeout(_)
        | ExecutionError::SchemaAgreementError(_)
        | ExecutionError::MetadataError(_)
        // No node is known to be up.
        | ExecutionError::EmptyPlan => true,
        ExecutionError::LastAttemptError(attempt) => is_passing(attempt),
        ExecutionError::PrepareError(error) => prepare_is_passing(error),
        _ => false,
    };
    if passing { unavailable(Arc::new(error)) } else { backend(error) }
}

pub(super) fn prepare(error: PrepareError) -> StoreError {
    if prepare_is_passing(&error) { unavailable(Arc::new(error)) } else { backend(error) }
}

pub(super) fn metadata(error: MetadataError) -> StoreError {
    unavailable(Arc::new(error))
}

pub(super) fn agreement(error: SchemaAgreementError) -> StoreError {
    unavailable(Arc::new(error))
}

pub(super) fn new_session(error: NewSessionError) -> StoreError {
    match error {
        NewSessionError::IllegalConfig(_) | NewSessionError::EmptyKnownNodesList => backend(error),
        _ => unavailable(Arc::new(error)),
    }
}

fn prepare_is_passing(error: &PrepareError) -> bool {
    match error {
        PrepareError::ConnectionPoolError(ConnectionPoolError::NodeDisabledByHostFilter) => false,
        PrepareError::ConnectionPoolError(_) => true,
        PrepareError::AllAttemptsFailed { first_attempt } => is_passing(first_attempt),
        _ => false,
    }
}

fn is_passing(attempt: &RequestAttemptError) -> bool {
    match attempt {
        RequestAttemptError::BrokenConnectionError(_)
        | RequestAttemptError::UnableToAllocStreamId => true,
        RequestAttemptError::DbError(error, _) => matches!(
            error,
            DbError::Unavailable { .. }
                | DbError::Overloaded
                | DbError::IsBootstrapping
                | DbError::ReadTimeout { .. }
                | DbError::WriteTimeout { .. }
                | DbError::RateLimitReached { .. }
                // A replica failed, or the node itself: one that goes down answers so too.
                | DbError::ReadFailure { .. }
                | DbError::WriteFailure { .. }
                | DbError::ServerError
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(error: DbError) -> StoreError {
        execution(RequestAttemptError::DbError(error, "said so".to_owned()).into())
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let timeout = ExecutionError::RequestTimeout(std::time::Duration::from_secs(5));
        for error in [
            execution(timeout),
            execution(ExecutionError::EmptyPlan),
            execution(RequestAttemptError::UnableToAllocStreamId.into()),
            prepare(ConnectionPoolError::Initializing.into()),
            answered(DbError::Overloaded),
            answered(DbError::ServerError),
        ] {
            assert!(error.is_transient() && error.kind() == "unavailable", "{error}");
        }
        for error in [
            answered(DbError::Invalid),
            answered(DbError::SyntaxError),
            answered(DbError::Unauthorized),
        ] {
            assert!(!error.is_transient() && error.kind() == "backend", "{error}");
        }
    }
}
