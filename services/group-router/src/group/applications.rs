//! Who wants to become a member where somebody has to agree: each application is a row of the group, and
//! an entry in the list of everybody who may decide about it.

use std::collections::{BTreeMap, BTreeSet};

use throng_protocol::error::{Code, CommandError};

use crate::actor::{Now, Unit};
use crate::room::Room;
use crate::storage::{
    ApplicationRow, PendencyRow, RowKind, UserEntry, delete_row, pendency_entry, put_row,
};
use crate::wire::{MemberInfo, Notice, report};

/// Open applications of one group, and as many invitations.
pub(super) const MOST: usize = 1_000;

/// What waits for a decision.
#[derive(Debug, Default)]
pub(crate) struct Applications {
    open: BTreeMap<String, ApplicationRow>,
    /// Who was taken in by somebody and has to agree to it.
    pub(super) invited: BTreeMap<String, ApplicationRow>,
    /// Who may decide, and has all of the open ones in its list.
    deciders: BTreeSet<String>,
}

impl Applications {
    /// As they were stored.
    pub(crate) fn restore(
        open: BTreeMap<String, ApplicationRow>,
        invited: BTreeMap<String, ApplicationRow>,
    ) -> Self {
        Self { open, invited, deciders: BTreeSet::new() }
    }

    pub(super) fn next_time(&self, now: Now) -> u64 {
        let all = self.open.values().chain(self.invited.values());
        let latest = all.map(|application| application.added).max();
        let now = now.seconds.unsigned_abs().saturating_mul(1_000_000);
        now.max(latest.unwrap_or(0).saturating_add(1))
    }
}

impl Room {
    /// Finds out who may decide, when the members have been read.
    pub(crate) fn find_deciders(&mut self) {
        let Some(durable) = &self.durable else { return };
        let may = |user: &&str| self.rules.approve.allows(self.role_of(user));
        let deciders = durable.users().filter(may).map(str::to_owned).collect();
        if let Some(durable) = &mut self.durable {
            durable.applications.deciders = deciders;
        }
    }

    /// How many admins there are. They are those who decide, but for the owner.
    pub(crate) fn admin_count(&self) -> usize {
        let deciders = self.durable.iter().flat_map(|durable| &durable.applications.deciders);
        deciders.filter(|user| **user != self.profile.owner).count()
    }

    /// Somebody asks to come in, or somebody asks it for him. Who has asked already need not again.
    pub(crate) fn apply(
        &mut self,
        applicant: &MemberInfo,
        inviter: Option<&str>,
        text: String,
        now: Now,
        unit: &mut Unit,
    ) -> Result<(), CommandError> {
        let Some(durable) = &mut self.durable else { return Ok(()) };
        let applications = &mut durable.applications;
        if applications.open.contains_key(&applicant.user) {
            return Ok(());
        }
        if applications.open.len() >= MOST {
            let info = format!("over {MOST} applications wait for a decision in this group");
            return Err(Code::GROUP_FREQUENCY.with(info));
        }
        let application = ApplicationRow {
            inviter: inviter.unwrap_or_default().to_owned(),
            text,
            added: applications.next_time(now),
            nick: applicant.nick.clone(),
        };
        applications.open.insert(applicant.user.clone(), application.clone());
        let deciders: Vec<String> = applications.deciders.iter().cloned().collect();
        unit.ops.push(put_row(RowKind::Application, &applicant.user, &application));
        for decider in &deciders {
            unit.index.push(self.pendency(decider, &applicant.user, &application, true));
        }
        let notice = Notice {
            report: report::APPLIED,
            operator: &applicant.user,
            remark: &application.text,
            msg_key: Some(application.added),
            ..Notice::default()
        };
        self.notify(deciders, &notice, now, unit);
        Ok(())
    }

    /// The application of a user, and who may decide about it no more has to.
    pub(crate) fn take_application(
        &mut self,
        user: &str,
        unit: &mut Unit,
    ) -> Option<ApplicationRow> {
        let applications = &mut self.durable.as_mut()?.applications;
        let application = applications.open.remove(user)?;
        let deciders: Vec<String> = applications.deciders.iter().cloned().collect();
        unit.ops.push(delete_row(RowKind::Application, user));
        for decider in &deciders {
            unit.index.push(self.pendency(decider, user, &application, false));
        }
        Some(application)
    }

    /// The application of a user that waits.
    pub(crate) fn application(&self, user: &str) -> Option<&ApplicationRow> {
        self.durable.as_ref()?.applications.open.get(user)
    }

    /// The group ends.
    pub(super) fn drop_applications(&mut self, unit: &mut Unit) {
        let open = self.durable.as_ref().map(|durable| &durable.applications.open);
        let users: Vec<String> = open.into_iter().flat_map(|open| open.keys().cloned()).collect();
        for user in users {
            self.take_application(&user, unit);
        }
    }

    /// A user may have become somebody who decides, or be it no more.
    pub(crate) fn review_decider(&mut self, user: &str, unit: &mut Unit) {
        let may = self.rules.approve.allows(self.role_of(user));
        let Some(durable) = &mut self.durable else { return };
        let deciders = &mut durable.applications.deciders;
        let changed = if may { deciders.insert(user.to_owned()) } else { deciders.remove(user) };
        if !changed {
            return;
        }
        let entry = |(applicant, application): (&String, &ApplicationRow)| {
            self.pendency(user, applicant, application, may)
        };
        let open = self.durable.iter().flat_map(|durable| &durable.applications.open);
        unit.index.extend(open.map(entry));
    }

    fn pendency(
        &self,
        decider: &str,
        applicant: &str,
        application: &ApplicationRow,
        comes: bool,
    ) -> UserEntry {
        let row = PendencyRow {
            group_name: self.profile.name.clone(),
            group_type: self.kind.as_str().to_owned(),
            application: Some(application.clone()),
            own: false,
        };
        let row = comes.then_some(&row);
        pendency_entry(decider, &self.key.group_id, applicant, application.added, row)
    }
}
