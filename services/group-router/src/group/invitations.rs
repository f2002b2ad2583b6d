//! Who was taken into a group by somebody and has to agree to it himself, where the app wants it so: each
//! invitation is a row of the group, and an entry in the list of whom it is for.

use super::applications::MOST;
use crate::actor::{Now, Unit};
use crate::room::Room;
use crate::storage::{
    ApplicationRow, PendencyRow, RowKind, UserEntry, delete_row, pendency_entry, put_row,
};
use crate::wire::{MemberInfo, Notice, report};

impl Room {
    /// Asks a user whether he wants to be in here. Who was asked already is not asked again. False: too
    /// many have not answered.
    pub(crate) fn invite(
        &mut self,
        user: &str,
        inviter: &MemberInfo,
        now: Now,
        unit: &mut Unit,
    ) -> bool {
        let Some(durable) = &mut self.durable else { return false };
        let applications = &mut durable.applications;
        if applications.invited.contains_key(user) {
            return true;
        }
        if applications.invited.len() >= MOST {
            return false;
        }
        let invitation = ApplicationRow {
            inviter: inviter.user.clone(),
            text: String::new(),
            added: applications.next_time(now),
            nick: inviter.nick.clone(),
        };
        applications.invited.insert(user.to_owned(), invitation.clone());
        unit.ops.push(put_row(RowKind::Invitation, user, &invitation));
        unit.index.push(self.invitation_entry(user, &invitation, true));
        let notice = Notice {
            report: report::INVITED,
            operator: &inviter.user,
            msg_key: Some(invitation.added),
            ..Notice::default()
        };
        self.notify(vec![user.to_owned()], &notice, now, unit);
        true
    }

    /// The invitation that a user has not answered.
    pub(crate) fn invitation(&self, user: &str) -> Option<&ApplicationRow> {
        self.durable.as_ref()?.applications.invited.get(user)
    }

    /// The invitation of a user, who has not to answer it any more.
    pub(crate) fn take_invitation(
        &mut self,
        user: &str,
        unit: &mut Unit,
    ) -> Option<ApplicationRow> {
        let invitation = self.durable.as_mut()?.applications.invited.remove(user)?;
        unit.ops.push(delete_row(RowKind::Invitation, user));
        unit.index.push(self.invitation_entry(user, &invitation, false));
        Some(invitation)
    }

    /// The group ends.
    pub(super) fn drop_invitations(&mut self, unit: &mut Unit) {
        let invited = self.durable.as_ref().map(|durable| &durable.applications.invited);
        let users: Vec<String> =
            invited.into_iter().flat_map(|invited| invited.keys().cloned()).collect();
        for user in users {
            self.take_invitation(&user, unit);
        }
    }

    fn invitation_entry(&self, user: &str, invitation: &ApplicationRow, comes: bool) -> UserEntry {
        let row = PendencyRow {
            group_name: self.profile.name.clone(),
            group_type: self.kind.as_str().to_owned(),
            application: Some(invitation.clone()),
            own: true,
        };
        let row = comes.then_some(&row);
        pendency_entry(user, &self.key.group_id, user, invitation.added, row)
    }
}
