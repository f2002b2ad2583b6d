//! Codes of signatures, accounts and states (70xxx to 72xxx).

super::codes! {
    SIG_EXPIRED = 70001, "CN 1671",
        "the UserSig has expired; to a client this means: drop the session";
    SIG_EMPTY = 70002, "CN 1671", "the UserSig is empty (older)";
    SIG_INVALID = 70003, "CN 1671", "the UserSig is truncated or cannot be decoded";
    SIG_INVALID_2 = 70005, "CN 1671", "the UserSig is not valid (second number)";
    SIG_MISMATCH = 70009, "CN 1671", "the signature does not match: made with another key";
    SIG_OTHER_USER = 70013, "CN 1671", "the UserSig belongs to another user";
    SIG_OTHER_APP = 70014, "CN 1671", "the UserSig belongs to another app";
    SIG_NO_PUBLIC_KEY = 70016, "CN 1671", "the app has no public key (older)";
    APP_UNKNOWN = 70020, "CN 1671", "there is no such app";
    ACCOUNT_LOCKED = 70050, "CN 1671", "too many failed attempts: wait a minute";
    ACCOUNT_BLACKLISTED = 70051, "CN 1671", "the account is blacklisted";
    SIG_REVOKED = 70052, "CN 1671", "the UserSig was revoked: make a new one";
    ACCOUNT_UNKNOWN = 70107, "CN 1671", "the user does not exist";
    ACCOUNT_RESTRICTED = 70114, "CN 1671", "restricted for security";
    ACCOUNT_TIMEOUT = 70169, "CN 1671", "time-out inside the account service";
    ACCOUNT_TIMEOUT_2 = 70202, "CN 1671", "time-out inside the account service (second number)";
    ACCOUNT_BAD_BATCH = 70206, "CN 1671", "wrong number of accounts in a batch";
    ACCOUNT_TRIAL_QUOTA = 70398, "CN 1671", "the trial app has all the accounts it may have";
    ACCOUNT_RECENTLY_DELETED = 70399, "CN 1671",
        "a deleted account cannot be imported again for three months";
    ACCOUNT_BAD_PARAMETER = 70402, "CN 1671", "a parameter is wrong";
    ACCOUNT_NEEDS_ADMIN = 70403, "CN 1671", "only an administrator of the app may do this";
    SDK_TOO_OLD = 70404, "CN 1671", "the SDK is too old";
    ACCOUNT_INTERNAL = 70500, "CN 1671", "internal error: try again";
    ACCOUNT_DELETE_OFF = 71000, "CN 1671", "this app does not allow accounts to be deleted";
    DAILY_USERS_QUOTA = 72000, "CN 1671", "the app's quota of daily active users is used up";
    STATUS_OFF = 72001, "CN 1671", "the user status feature is off";
    MONTHLY_USERS_QUOTA = 72002, "CN 1671", "the app's quota of monthly active users is used up";
    LOGIN_FREQUENCY = 72010, "CN 1671", "too many logins, logouts or background reports";
    DO_NOT_DISTURB_OFF = 72011, "CN 1671", "the global do-not-disturb feature is off";
    PROFILE_SUBSCRIPTION_OFF = 72012, "CN 1671", "subscription to profile changes is off";
}

impl super::Code {
    /// 70402: a parameter of a status command is wrong.
    pub const STATUS_BAD_PARAMETER: super::Code = super::Code::ACCOUNT_BAD_PARAMETER;
}
