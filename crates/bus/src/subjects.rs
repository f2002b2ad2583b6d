//! The names under which processes meet. Group IDs may hold any printable character, so they are
//! written in hexadecimal.

use std::fmt::Write as _;

use throng_protocol::ids::{AppId, user_hash};

use crate::BusError;

/// How many subjects a gateway has. A gateway takes each of them in a task of its own, so this many
/// cores share the deliveries to members, and a delivery to a group's members costs up to this many
/// messages a gateway. All processes of a cluster have to agree on it.
pub const GATEWAY_PARTITIONS: u16 = 4;

/// Bytes of the longest subject. A NATS server takes 4,096 for a whole command line
/// (`max_control_line`); the longest subject made here, of a topic, has some 230.
pub const MAX_SUBJECT_BYTES: usize = 1024;

const ROOM: &str = "throng.room.";

/// Events of one room, from its owner to the gateways that have members there.
#[must_use]
pub fn room(app: AppId, group_id: &str) -> String {
    let mut subject = String::with_capacity(24 + group_id.len() * 2);
    let _ = write!(subject, "{ROOM}{}.", app.0);
    for byte in group_id.bytes() {
        let _ = write!(subject, "{byte:02x}");
    }
    subject
}

/// Whether a subject is a room's.
#[must_use]
pub fn is_room(subject: &str) -> bool {
    subject.starts_with(ROOM)
}

/// What one gateway has to do for sessions of its own: of those users whose [`gateway_partition`]
/// it is. Partitions run from 0 to [`GATEWAY_PARTITIONS`].
#[must_use]
pub fn gateway(gateway_id: &str, partition: u16) -> String {
    let mut subject = String::with_capacity(24 + gateway_id.len());
    subject.push_str("throng.gateway.");
    push_token(&mut subject, gateway_id);
    let _ = write!(subject, ".{partition}");
    subject
}

/// The partition of a user: always the same one, so that what goes to one user keeps its order.
#[must_use]
pub fn gateway_partition(app: AppId, user: &str) -> u16 {
    (user_hash(app, user) % u64::from(GATEWAY_PARTITIONS)) as u16
}

/// Gateways that are gone for good, to the owners of rooms.
#[must_use]
pub fn gateways_gone() -> &'static str {
    "throng.gateways-gone"
}

/// Users who come online, go offline or set a custom status, to the presence nodes.
#[must_use]
pub fn user_statuses() -> &'static str {
    "throng.user-statuses"
}

/// Changes of profiles, to whoever caches them.
#[must_use]
pub fn profiles(app: AppId) -> String {
    format!("throng.profiles.{}", app.0)
}

/// Messages to all live rooms of an app, to the rooms' owners.
#[must_use]
pub fn rooms_broadcast(app: AppId) -> String {
    format!("throng.broadcast.{}", app.0)
}

/// Writes a name from a configuration as one token that stays readable: everything but letters,
/// digits, `-` and `_` becomes `=` and two hexadecimal digits. An empty name becomes `=`.
fn push_token(subject: &mut String, name: &str) {
    if name.is_empty() {
        subject.push('=');
    }
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            subject.push(char::from(byte));
        } else {
            let _ = write!(subject, "={byte:02x}");
        }
    }
}

/// Refuses what is no subject of one meaning on every backend: NATS gives spaces, empty tokens and
/// wildcards a meaning of their own.
pub(crate) fn check(subject: &str) -> Result<(), BusError> {
    let fits = subject.len() <= MAX_SUBJECT_BYTES
        && subject.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'>'))
        && subject.split('.').all(|token| !token.is_empty());
    if fits { Ok(()) } else { Err(BusError::Subject) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use throng_protocol::limits;

    use super::*;

    #[test]
    fn a_group_id_cannot_forge_a_subject() {
        assert_eq!(room(AppId(7), "a.*"), "throng.room.7.612e2a");
        assert_ne!(room(AppId(7), "A"), room(AppId(7), "a"));
    }

    #[test]
    fn the_longest_group_ids_fit() {
        for length in [limits::GROUP_ID_BYTES, limits::TOPIC_ID_BYTES] {
            let subject = room(AppId(u32::MAX), &"x".repeat(length));
            assert!(subject.len() <= 250, "{}", subject.len());
            check(&subject).unwrap();
        }
    }

    #[test]
    fn only_rooms_are_rooms() {
        assert!(is_room(&room(AppId(7), "a")));
        for other in [gateway("throng.room.", 0), profiles(AppId(7)), rooms_broadcast(AppId(7))] {
            assert!(!is_room(&other), "{other}");
        }
    }

    #[test]
    fn gateways_of_any_name_have_subjects_of_their_own() {
        assert_eq!(gateway("gateway-0_a1", 3), "throng.gateway.gateway-0_a1.3");
        assert_eq!(gateway("a.b*", 0), "throng.gateway.a=2eb=2a.0");
        assert_eq!(gateway("", 0), "throng.gateway.=.0");
    }

    #[test]
    fn partitions_are_used_evenly_and_never_change() {
        let app = AppId(1_400_000_001);
        let mut users = [0_u32; GATEWAY_PARTITIONS as usize];
        for user in 0..4000 {
            users[usize::from(gateway_partition(app, &format!("user-{user}")))] += 1;
        }
        assert!(users.iter().all(|number| (850..1150).contains(number)), "{users:?}");
        let known = ["user-0", "user-1", "user-2", "user-3", "user-4"];
        assert_eq!(known.map(|user| gateway_partition(app, user)), [1, 1, 3, 2, 3]);
    }

    #[test]
    fn what_nats_would_misread_is_refused() {
        for subject in ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "a\r\nb", "a.ü", "a\tb"]
        {
            assert!(matches!(check(subject), Err(BusError::Subject)), "{subject:?}");
        }
        assert!(check(&"a".repeat(MAX_SUBJECT_BYTES)).is_ok());
        assert!(check(&"a".repeat(MAX_SUBJECT_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn names_stay_apart_and_valid(one in ".{0,40}", other in ".{0,40}") {
            check(&gateway(&one, 0)).unwrap();
            prop_assert_eq!(one == other, gateway(&one, 0) == gateway(&other, 0));
        }
    }
}
