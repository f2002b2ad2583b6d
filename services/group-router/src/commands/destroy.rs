//! `destroy_group` (REST notes 01, 3.10).

use serde::Deserialize;
use throng_proto::v1;
use throng_proto::v1::room_event::Membership;

use super::{Answer, Call};
use crate::actor::Turn;
use crate::room::Extra;
use crate::storage::{RowKind, put_row};
use crate::wire::{Notice, report};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
}

/// Dismisses a group for ever. Members get the notice that makes their client leave.
pub(super) async fn destroy_group(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.permit(&context, room.rules.dissolve, "dismiss this group")?;
            room.tick(now, unit);
            let notice = Notice {
                report: report::DISMISSED,
                operator: &context.caller.user,
                ..Notice::default()
            };
            let membership = Some(Membership::Closed(v1::RoomClosed {}));
            room.emit_notice(&notice, Extra { membership, ..Extra::default() }, now, unit);
            turn.dissolve();
            Ok(())
        })
        .await?;
    call.done()
}

impl Turn<'_> {
    /// The group is no more, and nobody is told here.
    pub(super) fn dissolve(&mut self) {
        if let Some(mut room) = self.slot.take() {
            room.forget_members(self.out);
            room.end(self.now, self.out);
            // From this row on it is gone, whatever becomes of the rest.
            room.profile.ended = true;
            self.out.ops.clear();
            self.out.ops.push(put_row(RowKind::Profile, "", &room.profile));
            self.out.dismissed = true;
        }
    }
}
