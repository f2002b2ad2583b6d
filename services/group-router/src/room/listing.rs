//! The member list of a live room: robots and marked users first, then the latest who came.

use std::sync::Arc;

use super::{Role, Room};
use crate::core::latest_members::{self, Member};
use crate::core::marks::{ALWAYS_ONLINE, HIDDEN};

/// One line.
#[derive(Debug)]
pub(crate) struct ListedMember {
    pub(crate) user: Arc<str>,
    pub(crate) role: Role,
    /// Seconds since 1970.
    pub(crate) joined: u32,
    pub(crate) marks: Vec<u32>,
}

/// One page.
#[derive(Debug)]
pub(crate) struct MemberPage {
    pub(crate) members: Vec<ListedMember>,
    /// Cursor of the next page, 0 after the last one.
    pub(crate) next: u32,
}

impl Room {
    /// A page of the list from a cursor (0: the first), of those with a mark if one is named.
    /// `now` is seconds since 1970.
    pub(crate) fn members_page(&mut self, cursor: u32, mark: Option<u32>, now: i64) -> MemberPage {
        self.marks.expire(now.unsigned_abs());
        let (lines, next): (Vec<(Arc<str>, u32)>, u32) = match mark {
            Some(mark) => {
                let (marked, next) = self.marks.page(mark, cursor, latest_members::PAGE);
                (marked.into_iter().map(|line| (line.user.clone(), line.joined)).collect(), next)
            }
            None => {
                let hidden = |user: &Arc<str>| self.marks.has(user, HIDDEN);
                let front = self
                    .marks
                    .in_front()
                    .filter(|line| !hidden(line.user))
                    .map(|line| Member { user: line.user, joined: line.joined });
                let listed =
                    |user: &Arc<str>| !hidden(user) && !self.marks.has(user, ALWAYS_ONLINE);
                let page = self.latest.page(cursor, latest_members::PAGE, front, listed);
                let lines = page.members.iter().map(|line| (line.user.clone(), line.joined));
                (lines.collect(), page.next)
            }
        };
        let line = |(user, joined): (Arc<str>, u32)| ListedMember {
            role: self.role_of(&user),
            marks: self.marks.of(&user).to_vec(),
            user,
            joined,
        };
        MemberPage { members: lines.into_iter().map(line).collect(), next }
    }
}
