//! Reactions to a message: a few names, each given by some users (CN 100226). Users are kept in the
//! order in which they reacted, each under a number, so that a page goes on where the last one ended
//! whoever comes and goes meanwhile.

use throng_protocol::limits;

/// One reaction and who gave it, never nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// Its name.
    pub name: String,
    /// Its place among those of the message.
    pub place: u32,
    /// Users with their numbers, in order; numbers begin at 1.
    pub users: Vec<(u32, String)>,
}

impl Reaction {
    /// Whether a user gave it.
    #[must_use]
    pub fn is_by(&self, user: &str) -> bool {
        self.users.iter().any(|(_, other)| other == user)
    }

    /// All who gave it.
    pub fn givers(&self) -> impl Iterator<Item = String> {
        self.users.iter().map(|(_, user)| user.clone())
    }

    /// Users from a number on, and the number of the next page; 0 at the end.
    #[must_use]
    pub fn page(&self, from: u32, most: usize) -> (Vec<&str>, u32) {
        let mut rest = self.users.iter().skip_while(|(number, _)| *number < from);
        let page = rest.by_ref().take(most).map(|(_, user)| user.as_str()).collect();
        (page, rest.next().map_or(0, |(number, _)| *number))
    }
}

/// Why a reaction was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The message has as many as may be (23005).
    TooMany,
    /// As many users gave this one as may (23006).
    TooManyUsers,
    /// The user gave it already (23007).
    Already,
    /// Nobody gave it (23008).
    Unknown,
    /// The user did not give it (23009).
    NotGiven,
}

/// All reactions to a message, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reactions(Vec<Reaction>);

impl Reactions {
    /// As they were stored, in any order.
    #[must_use]
    pub fn restore(mut reactions: Vec<Reaction>) -> Self {
        reactions.sort_by_key(|reaction| reaction.place);
        Self(reactions)
    }

    /// All, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Reaction] {
        &self.0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Reaction> {
        self.0.iter().find(|reaction| reaction.name == name)
    }

    /// Bytes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        256 + self.0.iter().map(|reaction| 128 + reaction.users.len() * 64).sum::<usize>()
    }

    /// A user reacts.
    ///
    /// # Errors
    /// Why not.
    pub fn add(&mut self, name: &str, user: &str) -> Result<&Reaction, Refusal> {
        let place = match self.0.iter().position(|reaction| reaction.name == name) {
            Some(place) => place,
            None if self.0.len() >= limits::REACTIONS => return Err(Refusal::TooMany),
            None => {
                let place = self.0.last().map_or(1, |last| last.place + 1);
                self.0.push(Reaction { name: name.to_owned(), place, users: Vec::new() });
                self.0.len() - 1
            }
        };
        let reaction = &mut self.0[place];
        if reaction.is_by(user) {
            return Err(Refusal::Already);
        }
        if reaction.users.len() >= limits::REACTION_USERS {
            return Err(Refusal::TooManyUsers);
        }
        let number = reaction.users.last().map_or(1, |(last, _)| last + 1);
        reaction.users.push((number, user.to_owned()));
        Ok(reaction)
    }

    /// A user takes a reaction back. What is left of it; `None`: nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn remove(&mut self, name: &str, user: &str) -> Result<Option<&Reaction>, Refusal> {
        let place = self.0.iter().position(|reaction| reaction.name == name);
        let place = place.ok_or(Refusal::Unknown)?;
        let users = &mut self.0[place].users;
        let before = users.len();
        users.retain(|(_, other)| other != user);
        if users.len() == before {
            return Err(Refusal::NotGiven);
        }
        if users.is_empty() {
            self.0.remove(place);
            return Ok(None);
        }
        Ok(Some(&self.0[place]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_gives_a_reaction_once_and_takes_it_back() {
        let mut reactions = Reactions::default();
        assert_eq!(reactions.add("smile", "ann").unwrap().users.len(), 1);
        assert_eq!(reactions.add("smile", "ann"), Err(Refusal::Already));
        reactions.add("frown", "ann").unwrap();
        reactions.add("smile", "ben").unwrap();
        assert_eq!(reactions.remove("smile", "cleo"), Err(Refusal::NotGiven));
        assert_eq!(reactions.remove("cry", "ann"), Err(Refusal::Unknown));
        assert!(reactions.remove("smile", "ann").unwrap().is_some_and(|left| left.is_by("ben")));
        assert_eq!(reactions.remove("smile", "ben"), Ok(None));
        let names: Vec<_> = reactions.all().iter().map(|reaction| &*reaction.name).collect();
        assert_eq!(names, ["frown"]);
    }

    #[test]
    fn ten_reactions_of_a_hundred_users() {
        let mut reactions = Reactions::default();
        for name in 0..10 {
            reactions.add(&name.to_string(), "ann").unwrap();
        }
        assert_eq!(reactions.add("10", "ann"), Err(Refusal::TooMany));
        for user in 1..100 {
            reactions.add("3", &format!("user{user}")).unwrap();
        }
        assert_eq!(reactions.add("3", "one more"), Err(Refusal::TooManyUsers));
        assert!(reactions.weight() < 10_000);
    }

    #[test]
    fn a_page_goes_on_where_the_last_one_ended_whoever_leaves() {
        let mut reactions = Reactions::default();
        for user in ["ann", "ben", "cleo", "dan", "eve"] {
            reactions.add("smile", user).unwrap();
        }
        let first = reactions.get("smile").unwrap().page(0, 2);
        assert_eq!(first, (vec!["ann", "ben"], 3));
        reactions.remove("smile", "ann").unwrap();
        reactions.remove("smile", "cleo").unwrap();
        assert_eq!(reactions.get("smile").unwrap().page(3, 2), (vec!["dan", "eve"], 0));
        let restored = Reactions::restore(reactions.all().to_vec());
        assert_eq!(restored, reactions);
    }
}
