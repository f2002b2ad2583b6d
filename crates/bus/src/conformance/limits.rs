//! What a bus refuses.

use bytes::Bytes;
use throng_protocol::ids::AppId;
use throng_protocol::limits::{GROUP_ID_BYTES, TOPIC_ID_BYTES};

use super::{Outcome, Pair, message};
use crate::{BusError, MAX_PAYLOAD_BYTES, subjects};

/// The limit on messages; one that is refused does no harm to others.
pub async fn the_largest_message_passes_and_a_larger_one_is_refused(pair: Pair) -> Outcome {
    for length in [1, GROUP_ID_BYTES, TOPIC_ID_BYTES] {
        let subject = subjects::room(AppId(u32::MAX), &"~".repeat(length));
        let mut subscription = pair.there.subscribe(&subject).await?;
        let largest = Bytes::from(vec![b'x'; MAX_PAYLOAD_BYTES]);
        let larger = Bytes::from(vec![b'x'; MAX_PAYLOAD_BYTES + 1]);
        pair.here.publish(&subject, largest.clone())?;
        let refused = pair.here.publish(&subject, larger);
        let error = BusError::TooLarge { size: MAX_PAYLOAD_BYTES + 1, limit: MAX_PAYLOAD_BYTES };
        assert_eq!(refused, Err(error));
        pair.here.publish(&subject, Bytes::from_static(b"after"))?;
        assert!(message(&mut subscription).await == largest);
        assert_eq!(message(&mut subscription).await, "after");
    }
    Ok(())
}

/// Names that a server would take for something else.
pub async fn what_is_no_subject_is_refused(pair: Pair) -> Outcome {
    let long = "a".repeat(subjects::MAX_SUBJECT_BYTES + 1);
    for subject in ["", "a b", "throng.*", "throng.>", "a\r\nPUB b 0", "a..b", "a.", &long] {
        let published = pair.here.publish(subject, Bytes::new());
        assert_eq!(published, Err(BusError::Subject), "{subject:?}");
        let subscribed = pair.here.subscribe(subject).await.map(|_| ());
        assert_eq!(subscribed, Err(BusError::Subject), "{subject:?}");
    }
    let longest = "a".repeat(subjects::MAX_SUBJECT_BYTES);
    let mut subscription = pair.there.subscribe(&longest).await?;
    pair.here.publish(&longest, Bytes::from_static(b"long"))?;
    assert_eq!(message(&mut subscription).await, "long");
    Ok(())
}

/// A flush succeeds, with and without anything to flush.
pub async fn flush_comes_back(pair: Pair) -> Outcome {
    pair.here.flush().await?;
    for n in 0..100_u8 {
        pair.here.publish("throng.flushed", Bytes::from(vec![n]))?;
    }
    pair.here.flush().await
}
