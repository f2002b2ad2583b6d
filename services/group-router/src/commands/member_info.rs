//! `modify_group_member_info`: role, name, fields, mute and wishes of one member (REST notes 01, 3.9; SDK
//! protocol notes 02, 2.2).

use std::collections::BTreeMap;

use serde::Deserialize;
use throng_node::command::Context;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::limits;

use super::custom::{CustomField, change_member_fields, member_fields};
use super::{Answer, Call, check_users};
use crate::actor::{Now, Unit};
use crate::core::fields::Declared;
use crate::core::roster::Member;
use crate::core::rules::Receive;
use crate::room::{Extra, Role, Room};
use crate::wire::{MemberInfo, Notice, Tip, op, report};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: String,
    #[serde(rename = "Member_Account")]
    user: String,
    role: Option<String>,
    name_card: Option<String>,
    app_member_defined_data: Option<Vec<CustomField>>,
    #[serde(alias = "ShutUpTime")]
    mute_time: Option<u32>,
    msg_flag: Option<String>,
}

/// What is to become of a member, as far as it is named.
#[derive(Clone)]
struct Change {
    member: MemberInfo,
    admin: Option<bool>,
    name_card: Option<String>,
    custom: Option<BTreeMap<String, String>>,
    mute_seconds: Option<u32>,
    receive: Option<Receive>,
}

/// Changes one member; all of what is asked for, or nothing.
pub(super) async fn modify_group_member_info(call: &Call<'_>) -> Answer {
    let request: Request = call.parse()?;
    let users = check_users("Member_Account", vec![request.user.clone()], 1)?;
    let admin = match request.role.as_deref() {
        None => None,
        Some("Admin") => Some(true),
        Some("Member") => Some(false),
        Some(other) => {
            let info = format!("Role: {other:?} is neither Admin nor Member");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
    };
    let receive = match request.msg_flag.as_deref() {
        None => None,
        Some(flag) => Some(Receive::parse(flag).ok_or_else(|| {
            Code::GROUP_BAD_PARAMETER.with(format!("MsgFlag: no option {flag:?}"))
        })?),
    };
    if request.name_card.as_ref().is_some_and(|card| card.len() > limits::NAME_CARD_BYTES) {
        let info = format!("NameCard: over {} bytes", limits::NAME_CARD_BYTES);
        return Err(Code::GROUP_BAD_PARAMETER.with(info));
    }
    let custom = request.app_member_defined_data.map(member_fields).transpose()?;
    let operator = call.operator(None).await?;
    let mut infos = call.known_users("Member_Account", users).await?;
    let change = Change {
        member: infos.pop().unwrap_or_default(),
        admin,
        name_card: request.name_card,
        custom,
        mute_seconds: request.mute_time,
        receive,
    };
    let policy = call.group_policy().await?;
    let (fields, most_admins) = (Declared::from(&policy).member, policy.admins);
    let context = call.context.clone();
    call.rooms
        .run(call.context.app, &request.group_id, move |turn| {
            let (room, now, unit) = turn.room()?;
            room.check_change(&context, &change, now)?;
            let keys = change.custom.iter().flat_map(BTreeMap::keys);
            fields.check_write(keys, room.role(&context))?;
            if change.admin == Some(true) {
                room.check_admins(&change.member.user, most_admins)?;
            }
            room.change(operator, change, now, unit)
        })
        .await?;
    call.done()
}

impl Change {
    fn is_empty(&self) -> bool {
        self.admin.is_none()
            && self.name_card.is_none()
            && self.custom.is_none()
            && self.mute_seconds.is_none()
            && self.receive.is_none()
    }
}

impl Room {
    fn check_change(
        &mut self,
        context: &Context,
        change: &Change,
        now: Now,
    ) -> Result<(), CommandError> {
        if change.is_empty() {
            return Err(Code::GROUP_BAD_PARAMETER.with("nothing to change"));
        }
        let user = change.member.user.as_str();
        let own = !context.is_rest() && context.caller.user == user;
        if let Some(seconds) = change.mute_seconds {
            self.check_mute(context, std::slice::from_ref(&change.member), seconds, now)?;
        }
        if self.durable.is_none() {
            return check_live(self, change);
        }
        // Mutes are kept of those, too, who are not in at the moment.
        let others = Change { mute_seconds: None, ..change.clone() };
        if !others.is_empty() && !self.is_member(user) {
            let info = format!("Member_Account: {user} is not in this group");
            return Err(Code::GROUP_BAD_PARAMETER.with(info));
        }
        if change.admin.is_some() {
            self.permit(context, self.rules.set_admins, "make admins of groups")?;
            if self.role_of(user) == Role::Owner {
                return Err(Code::GROUP_FORBIDDEN.with("Role: the owner stays what it is"));
            }
        }
        if (change.name_card.is_some() || change.custom.is_some()) && !own {
            let role = self.permit(context, self.rules.edit_members, "change members of groups")?;
            self.require_above(role, &context.caller.user, [user], "changed")?;
        }
        if change.receive.is_some() && !own && !context.caller.admin {
            return Err(Code::GROUP_FORBIDDEN.with("MsgFlag: everybody chooses for himself"));
        }
        Ok(())
    }

    fn change(
        &mut self,
        operator: MemberInfo,
        change: Change,
        now: Now,
        unit: &mut Unit,
    ) -> Result<(), CommandError> {
        let Change { member, admin, name_card, custom, mute_seconds, receive } = change;
        if let Some(custom) = custom {
            let known = self.durable.as_ref().and_then(|durable| durable.roster.get(&member.user));
            let card = known.and_then(|known| known.card.as_deref());
            let mut fields = card.map(|card| card.custom.clone()).unwrap_or_default();
            change_member_fields(&mut fields, custom)?;
            let set = |member: &mut Member| member.change_card(|card| card.custom = fields);
            self.change_member(&member.user, set, unit);
        }
        if let Some(name) = name_card {
            let set = |member: &mut Member| member.change_card(|card| card.name = name);
            self.change_member(&member.user, set, unit);
        }
        if let Some(receive) = receive {
            self.change_member(&member.user, |member| member.receive = receive, unit);
        }
        if let Some(seconds) = mute_seconds {
            self.mute(operator.clone(), vec![member.clone()], seconds, now, unit);
        }
        if let Some(admin) = admin {
            self.set_admin(operator, member, admin, now, unit);
        }
        Ok(())
    }

    /// Refuses an admin more than the app wants in one group; 0: there is no bound.
    fn check_admins(&self, user: &str, most: u32) -> Result<(), CommandError> {
        let is_one = self.role_of(user) == Role::Admin;
        if most > 0 && !is_one && self.admin_count() >= most as usize {
            return Err(Code::GROUP_TOO_MANY.with(format!("Role: the group has {most} admins")));
        }
        Ok(())
    }

    fn set_admin(
        &mut self,
        operator: MemberInfo,
        member: MemberInfo,
        admin: bool,
        now: Now,
        unit: &mut Unit,
    ) {
        if (self.role_of(&member.user) == Role::Admin) == admin {
            return;
        }
        self.change_member(&member.user, |member| member.admin = admin, unit);
        let kind = if admin { report::BECAME_ADMIN } else { report::NO_LONGER_ADMIN };
        let notice = Notice { report: kind, operator: &operator.user, ..Notice::default() };
        self.notify(vec![member.user.clone()], &notice, now, unit);
        let op = if admin { op::ADMIN_SET } else { op::ADMIN_REVOKED };
        let tip = Tip { op, operator, members: vec![member], ..Tip::default() };
        self.emit_tip(&tip, Extra::default(), now, unit);
    }
}

/// Of its members a live room keeps mutes alone. What a client wants to receive is up to itself there:
/// nothing is kept, and nothing refused.
fn check_live(room: &Room, change: &Change) -> Result<(), CommandError> {
    let kept = [
        ("Role", change.admin.is_some()),
        ("NameCard", change.name_card.is_some()),
        ("AppMemberDefinedData", change.custom.is_some()),
    ];
    match kept.into_iter().find(|(_, named)| *named) {
        None => Ok(()),
        Some((field, _)) => {
            let info = format!("{field}: not kept in groups of type {}", room.kind);
            Err(Code::GROUP_FORBIDDEN.with(info))
        }
    }
}
