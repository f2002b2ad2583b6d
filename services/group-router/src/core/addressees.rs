//! For whom a message is: for all members, or for its sender and a few.

/// Sender and recipients of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addressees {
    from: String,
    /// Empty: all members.
    recipients: Vec<String>,
}

impl Addressees {
    /// Without recipients a message is for all.
    #[must_use]
    pub fn new(from: String, recipients: Vec<String>) -> Self {
        Self { from, recipients }
    }

    /// The sender.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.from
    }

    /// Whether a member sees the message.
    #[must_use]
    pub fn includes(&self, user: &str) -> bool {
        self.recipients.is_empty()
            || user == self.from
            || self.recipients.iter().any(|recipient| recipient == user)
    }

    /// Who sees it where it is not for all, of its recipients those who are members, and its sender
    /// anyhow; nobody: it is for all.
    pub fn named(&self, is_member: impl Fn(&str) -> bool) -> Vec<String> {
        if self.recipients.is_empty() {
            return Vec::new();
        }
        let mut users = self.recipients.clone();
        users.retain(|user| is_member(user));
        if !users.contains(&self.from) {
            users.push(self.from.clone());
        }
        users
    }

    /// Bytes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        let recipients = self.recipients.iter().map(|user| size_of::<String>() + user.len());
        self.from.len() + recipients.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directed_message_is_for_its_recipients_and_its_sender() {
        let addressees =
            Addressees::new("ann".to_owned(), vec!["ben".to_owned(), "cem".to_owned()]);
        let sees = |user: &str| addressees.includes(user);
        assert!(sees("ann") && sees("ben") && !sees("dan"));
        assert_eq!(addressees.named(|user| user != "cem" && user != "ann"), ["ben", "ann"]);
        assert_eq!(addressees.named(|_| false), ["ann"], "never nobody, which were all");
        let all = Addressees::new("ann".to_owned(), Vec::new());
        assert!(all.includes("dan") && all.named(|_| true).is_empty());
    }
}
