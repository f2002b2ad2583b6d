//! Custom fields that an app declares, and who reads and writes them.

use std::collections::HashMap;

use throng_proto::v1;
use throng_protocol::error::{Code, CommandError};

use super::rules::Role;

/// The fields of groups or those of members.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// Who reads a field, and who writes it: those with this role, and all above them.
    rights: HashMap<String, (Role, Role)>,
    /// The app declares fields: there are no others.
    closed: bool,
}

/// Both.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Fields of groups.
    pub group: Fields,
    /// Fields of members.
    pub member: Fields,
}

impl From<&v1::GroupPolicy> for Declared {
    fn from(policy: &v1::GroupPolicy) -> Self {
        let closed = !(policy.group_fields.is_empty() && policy.member_fields.is_empty());
        let fields = |rules: &[v1::CustomFieldRule]| {
            let rights = |rule: &v1::CustomFieldRule| {
                (rule.key.clone(), (role(rule.read()), role(rule.write())))
            };
            Fields { rights: rules.iter().map(rights).collect(), closed }
        };
        Self { group: fields(&policy.group_fields), member: fields(&policy.member_fields) }
    }
}

fn role(level: v1::FieldLevel) -> Role {
    match level {
        v1::FieldLevel::Anybody => Role::Stranger,
        v1::FieldLevel::Member => Role::Member,
        v1::FieldLevel::Admin => Role::Admin,
        v1::FieldLevel::Owner => Role::Owner,
        v1::FieldLevel::App => Role::AppAdmin,
    }
}

impl Fields {
    /// Whether the app says who writes what; else the rules of the group's type do.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        self.closed
    }

    /// Refuses to write fields that there are not, or that somebody with this role may not write.
    ///
    /// # Errors
    /// 10004 and 10007, with the field's name.
    pub fn check_write<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a String>,
        role: Role,
    ) -> Result<(), CommandError> {
        for key in keys.into_iter().filter(|_| self.closed) {
            match self.rights.get(key) {
                None => {
                    let info = format!("Key: the app declares no field {key}");
                    return Err(Code::GROUP_BAD_PARAMETER.with(info));
                }
                Some((_, write)) if role < *write => {
                    let info = format!("Key: {key} may not be written by the caller");
                    return Err(Code::GROUP_FORBIDDEN.with(info));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether somebody with this role sees a field. One that is declared no more is left to the app.
    #[must_use]
    pub fn shows(&self, key: &str, role: Role) -> bool {
        let read = self.rights.get(key).map_or(Role::AppAdmin, |(read, _)| *read);
        !self.closed || role >= read
    }

    /// Whether a member sees a field of its own: all but those for the app alone.
    #[must_use]
    pub fn shows_own(&self, key: &str, role: Role) -> bool {
        self.shows(key, role.max(Role::Owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Declared {
        let rule = |key: &str, read: v1::FieldLevel, write: v1::FieldLevel| v1::CustomFieldRule {
            key: key.to_owned(),
            read: read.into(),
            write: write.into(),
        };
        let group_fields = vec![
            rule("open", v1::FieldLevel::Anybody, v1::FieldLevel::Member),
            rule("board", v1::FieldLevel::Admin, v1::FieldLevel::Owner),
            rule("secret", v1::FieldLevel::App, v1::FieldLevel::App),
        ];
        Declared::from(&v1::GroupPolicy { group_fields, ..v1::GroupPolicy::default() })
    }

    #[test]
    fn a_field_is_written_from_its_role_on() {
        let fields = declared().group;
        let code = |key: &str, role| {
            fields.check_write([&key.to_owned()], role).err().map(|error| error.code)
        };
        assert_eq!(code("open", Role::Member), None);
        assert_eq!(code("open", Role::Stranger), Some(Code::GROUP_FORBIDDEN));
        assert_eq!(code("board", Role::Admin), Some(Code::GROUP_FORBIDDEN));
        assert_eq!(code("board", Role::Owner), None);
        assert_eq!(code("secret", Role::Owner), Some(Code::GROUP_FORBIDDEN));
        assert_eq!(code("other", Role::AppAdmin), Some(Code::GROUP_BAD_PARAMETER));
        // Fields of groups alone are declared: members have none then.
        let error = declared().member.check_write([&"open".to_owned()], Role::AppAdmin);
        assert_eq!(error.unwrap_err().code, Code::GROUP_BAD_PARAMETER);
    }

    #[test]
    fn a_field_is_read_from_its_role_on() {
        let fields = declared().group;
        assert!(fields.shows("open", Role::Stranger) && fields.shows("secret", Role::AppAdmin));
        assert!(!fields.shows("board", Role::Member) && fields.shows("board", Role::Admin));
        assert!(!fields.shows("old", Role::Owner) && fields.shows("old", Role::AppAdmin));
        assert!(
            fields.shows_own("board", Role::Member) && !fields.shows_own("secret", Role::Owner)
        );
    }

    #[test]
    fn where_nothing_is_declared_all_is_as_the_type_has_it() {
        let fields = Declared::from(&v1::GroupPolicy::default()).group;
        assert!(fields.check_write([&"any".to_owned()], Role::Stranger).is_ok());
        assert!(fields.shows("any", Role::Stranger) && !fields.is_declared());
    }
}
