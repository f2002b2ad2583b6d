//! Raft, as small as it can be and still be it: terms, elections by those whose logs are up to date,
//! leaders that do not know yet that they are none, a log that survives crashes, members that only
//! learn, and the question to a quorum whether one still leads.

use std::rc::Rc;

use crate::rng::Rng;
use crate::wire::Proposal;

const HEARTBEAT_MS: u64 = 150;
const ELECTION_MS: (u64, u64) = (450, 750);

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    /// `None`: the leader's first entry, which commits those of earlier terms.
    pub(crate) proposal: Option<Rc<Proposal>>,
}

#[derive(Debug, Clone)]
pub(crate) struct RaftMessage {
    term: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Vote { last: usize, last_term: u64 },
    Voted { granted: bool },
    Append { before: usize, before_term: u64, entries: Vec<Entry>, commit: usize, round: u64 },
    Appended { matched: Option<usize>, round: u64 },
}

#[derive(Debug)]
enum Role {
    Follower,
    Candidate { votes: Vec<bool> },
    Leader(Lead),
}

#[derive(Debug)]
struct Lead {
    next: Vec<usize>,
    matched: Vec<usize>,
    /// Rounds of messages, and the last one that each member has answered.
    round: u64,
    answered: Vec<u64>,
    heartbeat_at: u64,
    /// Index of the first entry of this term.
    first: usize,
}

#[derive(Debug)]
pub(crate) struct Raft {
    me: usize,
    members: usize,
    voters: usize,
    // What a crash leaves.
    term: u64,
    voted: Option<usize>,
    log: Vec<Entry>,
    // What it does not.
    role: Role,
    commit: usize,
    leader: Option<usize>,
    /// Whom this node followed last.
    followed: usize,
    election_at: u64,
}

type Outgoing = Vec<(usize, RaftMessage)>;

impl Raft {
    pub(crate) fn new(me: usize, members: usize, voters: usize, now: u64, rng: &mut Rng) -> Self {
        let mut raft = Self {
            me,
            members,
            voters,
            term: 0,
            voted: None,
            log: Vec::new(),
            role: Role::Follower,
            commit: 0,
            leader: None,
            followed: me,
            election_at: 0,
        };
        raft.wait_for_leader(now, rng);
        raft
    }

    /// The process starts again.
    pub(crate) fn restart(&mut self, now: u64, rng: &mut Rng) {
        self.role = Role::Follower;
        self.commit = 0;
        self.leader = None;
        self.wait_for_leader(now, rng);
    }

    pub(crate) fn term(&self) -> u64 {
        self.term
    }

    pub(crate) fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whom this node takes for the leader.
    pub(crate) fn leader(&self) -> Option<usize> {
        self.leader
    }

    /// Who led before this node, as far as it knows.
    pub(crate) fn leader_before(&self) -> usize {
        self.followed
    }

    /// Entries that are committed, as far as this node knows.
    pub(crate) fn committed(&self) -> &[Entry] {
        &self.log[..self.commit]
    }

    pub(crate) fn tick(&mut self, now: u64, rng: &mut Rng) -> Outgoing {
        match &self.role {
            Role::Leader(lead) if now >= lead.heartbeat_at => self.append_to_all(now),
            Role::Leader(_) => Vec::new(),
            _ if now >= self.election_at && self.me < self.voters => self.stand(now, rng),
            _ => Vec::new(),
        }
    }

    /// Adds an entry if this node leads.
    pub(crate) fn propose(&mut self, now: u64, proposal: Proposal) -> Outgoing {
        if !self.leads() {
            return Vec::new();
        }
        self.log.push(Entry { term: self.term, proposal: Some(Rc::new(proposal)) });
        self.advance_commit();
        self.append_to_all(now)
    }

    /// Begins to ask everybody whether this node still leads: the round, and how far the log has to
    /// be applied afterwards.
    pub(crate) fn ask_quorum(&mut self, now: u64) -> Option<(u64, usize, Outgoing)> {
        let commit = self.commit;
        let out = self.append_to_all(now);
        let Role::Leader(lead) = &self.role else { return None };
        Some((lead.round, commit.max(lead.first), out))
    }

    /// Whether a quorum has answered this round or a later one.
    pub(crate) fn has_quorum(&self, round: u64) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let voters = lead.answered[..self.voters].iter().enumerate();
        let answered = voters.filter(|(voter, at)| *voter == self.me || **at >= round).count();
        answered > self.voters / 2
    }

    pub(crate) fn receive(
        &mut self,
        from: usize,
        message: RaftMessage,
        now: u64,
        rng: &mut Rng,
    ) -> Outgoing {
        let RaftMessage { term, kind } = message;
        if term > self.term {
            self.term = term;
            self.voted = None;
            self.role = Role::Follower;
            self.leader = None;
        }
        match kind {
            Kind::Vote { last, last_term } => {
                let granted = term == self.term
                    && self.voted.is_none_or(|voted| voted == from)
                    && (last_term, last) >= (self.last_term(), self.log.len());
                if granted {
                    self.voted = Some(from);
                    self.wait_for_leader(now, rng);
                }
                vec![(from, self.message(Kind::Voted { granted }))]
            }
            Kind::Voted { granted } => self.count_vote(from, term, granted, now),
            Kind::Append { before, before_term, entries, commit, round } => {
                let mut matched = None;
                if term == self.term {
                    self.role = Role::Follower;
                    (self.leader, self.followed) = (Some(from), from);
                    self.wait_for_leader(now, rng);
                    matched = self.take_in(before, before_term, entries, commit);
                }
                let round = if term == self.term { round } else { 0 };
                vec![(from, self.message(Kind::Appended { matched, round }))]
            }
            Kind::Appended { matched, round } if term == self.term => {
                let before = self.commit;
                self.note_appended(from, matched, round);
                // Who follows is to apply it soon.
                if self.commit > before { self.append_to_all(now) } else { Vec::new() }
            }
            Kind::Appended { .. } => Vec::new(),
        }
    }

    fn message(&self, kind: Kind) -> RaftMessage {
        RaftMessage { term: self.term, kind }
    }

    fn last_term(&self) -> u64 {
        self.log.last().map_or(0, |entry| entry.term)
    }

    fn wait_for_leader(&mut self, now: u64, rng: &mut Rng) {
        self.election_at = now + rng.between(ELECTION_MS.0, ELECTION_MS.1);
    }

    fn stand(&mut self, now: u64, rng: &mut Rng) -> Outgoing {
        self.term += 1;
        self.voted = Some(self.me);
        self.leader = None;
        self.role = Role::Candidate { votes: vec![false; self.voters] };
        self.wait_for_leader(now, rng);
        let kind = Kind::Vote { last: self.log.len(), last_term: self.last_term() };
        let others = (0..self.voters).filter(|voter| *voter != self.me);
        let out = others.map(|voter| (voter, self.message(kind.clone()))).collect();
        let own = self.count_vote(self.me, self.term, true, now);
        if own.is_empty() { out } else { own }
    }

    fn count_vote(&mut self, from: usize, term: u64, granted: bool, now: u64) -> Outgoing {
        let Role::Candidate { votes } = &mut self.role else { return Vec::new() };
        if term != self.term || !granted {
            return Vec::new();
        }
        votes[from] = true;
        if votes.iter().filter(|vote| **vote).count() <= self.voters / 2 {
            return Vec::new();
        }
        self.log.push(Entry { term: self.term, proposal: None });
        self.leader = Some(self.me);
        self.role = Role::Leader(Lead {
            next: vec![self.log.len(); self.members],
            matched: vec![0; self.members],
            round: 0,
            answered: vec![0; self.members],
            heartbeat_at: now,
            first: self.log.len(),
        });
        self.advance_commit();
        self.append_to_all(now)
    }

    fn append_to_all(&mut self, now: u64) -> Outgoing {
        let Role::Leader(lead) = &mut self.role else { return Vec::new() };
        lead.heartbeat_at = now + HEARTBEAT_MS;
        lead.round += 1;
        let mut out = Vec::new();
        for member in (0..self.members).filter(|member| *member != self.me) {
            let before = lead.next[member] - 1;
            let kind = Kind::Append {
                before,
                before_term: before.checked_sub(1).map_or(0, |last| self.log[last].term),
                entries: self.log[before..].to_vec(),
                commit: self.commit,
                round: lead.round,
            };
            out.push((member, RaftMessage { term: self.term, kind }));
        }
        out
    }

    /// Up to where the log is the leader's now, or `None` if it is not even where that begins.
    fn take_in(
        &mut self,
        before: usize,
        before_term: u64,
        entries: Vec<Entry>,
        commit: usize,
    ) -> Option<usize> {
        let fits = before == 0 || self.log.get(before - 1).is_some_and(|e| e.term == before_term);
        if !fits {
            return None;
        }
        let matched = before + entries.len();
        for (place, entry) in (before..).zip(entries) {
            if self.log.get(place).is_some_and(|known| known.term != entry.term) {
                assert!(place >= self.commit, "Raft itself is broken: a committed entry goes");
                self.log.truncate(place);
            }
            if place == self.log.len() {
                self.log.push(entry);
            }
        }
        self.commit = self.commit.max(commit.min(matched));
        Some(matched)
    }

    fn note_appended(&mut self, from: usize, matched: Option<usize>, round: u64) {
        let Role::Leader(lead) = &mut self.role else { return };
        lead.answered[from] = lead.answered[from].max(round);
        match matched {
            Some(matched) => {
                lead.matched[from] = lead.matched[from].max(matched);
                lead.next[from] = lead.matched[from] + 1;
            }
            None => lead.next[from] = (lead.next[from] / 2).max(1),
        }
        self.advance_commit();
    }

    /// Commits what a majority has, once something of this term is among it.
    fn advance_commit(&mut self) {
        let Role::Leader(lead) = &mut self.role else { return };
        lead.matched[self.me] = self.log.len();
        let mut have = lead.matched[..self.voters].to_vec();
        have.sort_unstable_by(|a, b| b.cmp(a));
        let majority = have[self.voters / 2];
        if majority > self.commit && self.log[majority - 1].term == self.term {
            self.commit = majority;
        }
    }
}
