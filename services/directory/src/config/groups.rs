//! `[app.groups]`: groups with stored members, and the custom fields of all groups.

use serde::{Deserialize, Serialize};
use throng_proto::v1;
use throng_protocol::limits;

/// Settings of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupConfig {
    /// Who is taken into a group by somebody else has to agree first.
    pub invite_consent: bool,
    /// Members that may be admins of one group at a time; 0: no bound.
    pub admins: u32,
    /// Custom fields of groups. Once a field of either kind is declared, others are refused.
    pub group_fields: Vec<FieldConfig>,
    /// Custom fields of members.
    pub member_fields: Vec<FieldConfig>,
}

/// One custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// Its name.
    pub key: String,
    /// Who sees it.
    #[serde(default)]
    pub read: FieldLevel,
    /// Who changes it.
    pub write: FieldLevel,
}

/// Somebody of this standing in a group, or above.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldLevel {
    /// Everybody who may see the group at all.
    #[default]
    Anybody,
    /// Members.
    Member,
    /// Admins and the owner.
    Admin,
    /// The owner.
    Owner,
    /// The app's administrators alone.
    App,
}

impl From<FieldLevel> for v1::FieldLevel {
    fn from(level: FieldLevel) -> Self {
        match level {
            FieldLevel::Anybody => Self::Anybody,
            FieldLevel::Member => Self::Member,
            FieldLevel::Admin => Self::Admin,
            FieldLevel::Owner => Self::Owner,
            FieldLevel::App => Self::App,
        }
    }
}

impl GroupConfig {
    pub(super) fn resolved(&self) -> v1::GroupPolicy {
        let rules = |fields: &[FieldConfig]| fields.iter().map(FieldConfig::rule).collect();
        v1::GroupPolicy {
            invite_consent: self.invite_consent,
            admins: self.admins,
            group_fields: rules(&self.group_fields),
            member_fields: rules(&self.member_fields),
        }
    }

    /// What is wrong with it.
    pub(super) fn mistake(&self) -> Option<String> {
        let kinds = [
            ("group_fields", &self.group_fields, limits::GROUP_CUSTOM_FIELDS),
            ("member_fields", &self.member_fields, limits::MEMBER_CUSTOM_FIELDS),
        ];
        kinds.into_iter().find_map(|(name, fields, most)| {
            let mistake = mistake_in(fields, most)?;
            Some(format!("groups.{name}: {mistake}"))
        })
    }
}

fn mistake_in(fields: &[FieldConfig], most: usize) -> Option<String> {
    if fields.len() > most {
        return Some(format!("at most {most} fields"));
    }
    fields.iter().enumerate().find_map(|(place, field)| {
        let letters = field.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if field.key.is_empty() || field.key.len() > limits::CUSTOM_KEY_BYTES || !letters {
            let most = limits::CUSTOM_KEY_BYTES;
            return Some(format!("{:?} is not 1 to {most} letters, digits or _", field.key));
        }
        if fields[..place].iter().any(|other| other.key == field.key) {
            return Some(format!("{} is there twice", field.key));
        }
        (field.write == FieldLevel::Anybody)
            .then(|| format!("{}: who is no member cannot write", field.key))
    })
}

impl FieldConfig {
    fn rule(&self) -> v1::CustomFieldRule {
        v1::CustomFieldRule {
            key: self.key.clone(),
            read: v1::FieldLevel::from(self.read).into(),
            write: v1::FieldLevel::from(self.write).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_declared_with_their_rights() {
        let text = "invite_consent = true\nadmins = 3\n\
             [[group_fields]]\nkey = 'level'\nwrite = 'admin'\n\
             [[member_fields]]\nkey = 'badge'\nread = 'member'\nwrite = 'app'\n";
        let config: GroupConfig = toml::from_str(text).unwrap();
        assert_eq!(config.mistake(), None);
        let policy = config.resolved();
        assert_eq!((policy.invite_consent, policy.admins), (true, 3));
        let (level, badge) = (&policy.group_fields[0], &policy.member_fields[0]);
        assert_eq!((level.read(), level.write()), (v1::FieldLevel::Anybody, v1::FieldLevel::Admin));
        assert_eq!((badge.read(), badge.write()), (v1::FieldLevel::Member, v1::FieldLevel::App));
        assert_eq!(GroupConfig::default().resolved(), v1::GroupPolicy::default());
    }

    #[test]
    fn mistakes_are_named() {
        let field = |key: &str, write| FieldConfig {
            key: key.to_owned(),
            read: FieldLevel::Anybody,
            write,
        };
        let of_members = |member_fields| GroupConfig { member_fields, ..GroupConfig::default() };
        let six = (0..6).map(|number| field(&format!("k{number}"), FieldLevel::App)).collect();
        for (fields, part) in [
            (vec![field("a b", FieldLevel::App)], "letters"),
            (vec![field("a", FieldLevel::App), field("a", FieldLevel::App)], "twice"),
            (vec![field("a", FieldLevel::Anybody)], "cannot write"),
            (six, "at most 5"),
        ] {
            let mistake = of_members(fields).mistake().unwrap();
            assert!(mistake.contains(part) && mistake.contains("member_fields"), "{mistake}");
        }
    }
}
