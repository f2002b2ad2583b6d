//! Sizes and counts of the outside interface, each with its source. Those that depend on a package
//! of the vendor's are settings of the app; the numbers here are the defaults and hard bounds.

// Identifiers

/// Bytes of a user ID (CN 9346, CN 1608).
pub const USER_ID_BYTES: usize = 32;
/// Bytes of a group ID that an app chose (CN 1615). IDs the server makes are shorter.
pub const GROUP_ID_BYTES: usize = 48;
/// Bytes of a topic's ID: a community's ID, the separator and as much again.
pub const TOPIC_ID_BYTES: usize = 2 * GROUP_ID_BYTES + 8;

// Frames and bodies

/// Bytes of one REST body: the largest documented requests (500 accounts, 100 profiles) fit.
pub const REST_BODY_BYTES: usize = 1024 * 1024;
/// Levels of arrays and objects in a frame or body. The deepest documented request has about 12.
pub const JSON_DEPTH: usize = 64;
/// Bytes of an answer; more is refused with 10018 (REST notes 01, 1).
pub const REPLY_BYTES: usize = 1024 * 1024;

// Messages

/// Bytes of a message: `MsgBody` and `CloudCustomData` together (CN 9346).
pub const MESSAGE_BYTES: usize = 12 * 1024;
/// Time within which the same sender, group and `Random` is the same message, in seconds (CN 1629).
pub const DUPLICATE_SECONDS: u64 = 5 * 60;
/// Messages a second and group before low priorities are dropped (CN 9346).
pub const GROUP_MESSAGES_PER_SECOND: u32 = 40;
/// Receivers of a directed group message (CN 1629).
pub const DIRECTED_RECEIVERS: usize = 50;
/// Entries of one message's `GroupAtInfo`; no document bounds them.
pub const MENTIONS: usize = 500;
/// Messages that a client hides with one request (SDK protocol notes 02, 2.4).
pub const HIDE_MESSAGES: usize = 30;
/// Messages of a group among which those of a sender are recalled (CN 2359).
pub const RECALL_BY_SENDER: usize = 1000;
/// Groups whose recalls a client asks for with one request (SDK protocol notes 02, 2.4).
pub const NOTIFY_GROUPS: usize = 10;
/// Recalls of one group in one answer (SDK protocol notes 02, 2.4).
pub const NOTIFY_PAGE: usize = 20;
/// Messages imported by one request (CN 1635).
pub const IMPORT_MESSAGES: usize = 7;
/// Messages named by one recall (CN 12341).
pub const RECALL_MESSAGES: usize = 10;
/// Bytes of a recall's reason (CN 12341).
pub const RECALL_REASON_BYTES: usize = 100;
/// Age up to which a user may recall, in seconds; administrators may always (CN 9346).
pub const RECALL_USER_SECONDS: u64 = 120;
/// Age up to which a live room's message can be recalled, in seconds (CN 12341).
pub const RECALL_LIVE_SECONDS: u64 = 60 * 60;
/// Messages of one page of group history over REST (CN 2738).
pub const HISTORY_PAGE: usize = 20;
/// Messages that someone who enters a live room gets (INT 48872).
pub const LIVE_HISTORY_MESSAGES: usize = 20;
/// How long a live room's messages are kept, in seconds (INT 48872).
pub const LIVE_HISTORY_SECONDS: u64 = 24 * 60 * 60;

// Group profile (bytes of UTF-8; the larger of the documents' values)

/// Bytes of a group's name (CN 9346 says 30, the newer SDK reference 100).
pub const GROUP_NAME_BYTES: usize = 100;
/// Bytes of a group's introduction (240 or 400).
pub const GROUP_INTRODUCTION_BYTES: usize = 400;
/// Bytes of a group's notification (300 or 400).
pub const GROUP_NOTIFICATION_BYTES: usize = 400;
/// Bytes of a group's avatar URL (100 or 500).
pub const GROUP_FACE_URL_BYTES: usize = 500;
/// Bytes of a custom field's key: letters, digits, underscore (CN 9346).
pub const CUSTOM_KEY_BYTES: usize = 16;
/// Bytes of a group's custom field (CN 9346).
pub const GROUP_CUSTOM_VALUE_BYTES: usize = 512;
/// Custom fields of a group (CN 9346).
pub const GROUP_CUSTOM_FIELDS: usize = 10;

// Requests about groups

/// Groups in one request for profiles (CN 1616).
pub const GROUPS_PER_REQUEST: usize = 50;
/// Groups on one page of the list of all groups (CN 1614).
pub const ALL_GROUPS_PAGE: usize = 10_000;
/// Members named by one request for profiles (INT 64897).
pub const SPECIFIED_MEMBERS: usize = 50;
/// Users in one request for roles (CN 1626).
pub const ROLE_USERS: usize = 500;
/// Users muted by one request (CN 1627).
pub const MUTE_USERS: usize = 500;
/// The mute time that means for ever (CN 1627).
pub const MUTE_FOREVER: u32 = u32::MAX;
/// Users banned or unbanned by one request (INT 50296).
pub const BAN_USERS: usize = 20;
/// Bytes of a ban's description (INT 50296).
pub const BAN_DESCRIPTION_BYTES: usize = 1000;
/// Entries on one page of the ban list (INT 50295).
pub const BAN_PAGE: usize = 100;

// Groups with stored members

/// Members that a group may be made for at most, communities aside (REST notes 01, 4.1).
pub const GROUP_MEMBERS_MOST: u32 = 6000;
/// Members that a community may be made for at most (REST notes 01, 4.1).
pub const COMMUNITY_MEMBERS_MOST: u32 = 100_000;
/// Bytes of a member's name in a group (REST notes 01, 4.4).
pub const NAME_CARD_BYTES: usize = 50;
/// Bytes of a custom field's value of a member (REST notes 01, 4.4).
pub const MEMBER_CUSTOM_VALUE_BYTES: usize = 64;
/// Custom fields of a member (REST notes 01, 4.4).
pub const MEMBER_CUSTOM_FIELDS: usize = 5;
/// Members that a group is made with (CN 1615).
pub const CREATE_MEMBERS: usize = 100;
/// Members added by one request (INT 34921).
pub const ADD_MEMBERS: usize = 300;
/// Members removed by one request (CN 1622).
pub const DELETE_MEMBERS: usize = 100;
/// Members on one page of the list for a client (SDK protocol notes 02, 2.2).
pub const MEMBERS_PAGE: usize = 100;
/// Bytes of what an application to join a group says. The documents name no limit.
pub const APPLY_MESSAGE_BYTES: usize = 300;
/// Applications on one page of what a user has to decide (SDK protocol notes 02, 2.1).
pub const PENDENCY_PAGE: usize = 100;
/// Groups of one user (INT 34381).
pub const GROUPS_PER_USER: usize = 5000;

// Search

/// Keywords of one search (INT 67681).
pub const SEARCH_KEYWORDS: usize = 5;
/// Bytes of a keyword; ours, no document names a bound.
pub const SEARCH_KEYWORD_BYTES: usize = 100;
/// Entries on one page of what was found (INT 67681).
pub const SEARCH_PAGE: usize = 100;
/// The same where the client does not say (INT 67681).
pub const SEARCH_PAGE_DEFAULT: usize = 20;
/// Searches of a user in a second (INT 67681).
pub const SEARCHES_PER_SECOND: u32 = 2;

// What hangs on a group's messages

/// Pinned messages of a group (CN 106050).
pub const PINS: usize = 10;
/// Messages named by one request for or about receipts (REST notes 01, 3.30).
pub const RECEIPT_MESSAGES: usize = 50;
/// Readers on one page of a list, over REST (CN 77693).
pub const READERS_PAGE: usize = 200;
/// Readers on one page of a list for a client (SDK protocol notes 02, 2.4).
pub const READERS_PAGE_CLIENT: usize = 100;
/// Pairs of message and user in one request about who has read; ours, no document names one.
pub const READERS_ASKED: usize = 500;
/// Entries of one merged message; the documented number of messages that may be merged.
pub const MERGED_MESSAGES: usize = 300;
/// Lists of long merged messages that a user leaves in a second: they are kept for ever. Ours, no
/// document names a bound.
pub const MERGED_LISTS_PER_SECOND: u32 = 1;
/// Keys in one request that sets or deletes extensions (INT 52170).
pub const EXTENSIONS_PER_REQUEST: usize = 20;
/// Keys on one message (INT 52170).
pub const EXTENSIONS: usize = 300;
/// Bytes of an extension's key (INT 52170).
pub const EXTENSION_KEY_BYTES: usize = 100;
/// Bytes of an extension's value (INT 52170).
pub const EXTENSION_VALUE_BYTES: usize = 1000;
/// Keys on one page of a message's extensions (INT 52169).
pub const EXTENSIONS_PAGE: usize = 200;
/// Writes of a message's extensions in a minute (INT 52170).
pub const EXTENSION_WRITES_PER_MINUTE: u32 = 200;
/// Different reactions to one message (CN 100226).
pub const REACTIONS: usize = 10;
/// Users that gave one reaction (CN 100226).
pub const REACTION_USERS: usize = 100;
/// Bytes of a reaction's name; ours, no document names a bound.
pub const REACTION_BYTES: usize = 128;
/// Messages in one request for reactions; ours, no document names a bound.
pub const REACTION_MESSAGES: usize = 50;

// Live rooms

/// Latest members that are listed (INT 50293).
pub const LIVE_MEMBERS: usize = 30;
/// Latest members that are listed when the app has the larger list (INT 50293).
pub const LIVE_MEMBERS_LARGE: usize = 1000;
/// Members on one page of the list (INT 50293).
pub const LIVE_MEMBERS_PAGE: usize = 500;
/// Admins of a live room (CN 102857).
pub const LIVE_ADMINS: usize = 5;
/// Members marked by one request (INT 50294).
pub const MARK_USERS: usize = 500;
/// Different marks of a room (INT 50294).
pub const MARKS_PER_GROUP: usize = 10;
/// Users that carry one mark (INT 50294).
pub const USERS_PER_MARK: usize = 1000;
/// The lowest mark an app may choose (INT 50294).
pub const MARK_LOWEST: u32 = 1000;
/// The mark of users that count as always online; administrators only (INT 50294).
pub const MARK_ALWAYS_ONLINE: u32 = 500;
/// The mark of users that the list hides; administrators only (INT 50294).
pub const MARK_HIDDEN: u32 = 600;
/// How long an online number may be kept by a client, in seconds (SDK protocol notes 02, 1.9).
pub const ONLINE_NUMBER_SECONDS: u64 = 60;
/// Longest time a poll may be held, in seconds: the client gives up after 15 (SDK protocol notes 02,
/// 1.3).
pub const POLL_HOLD_SECONDS: u64 = 10;

// Attributes and counters

/// Attributes of a group (INT 44188).
pub const ATTRIBUTES: usize = 16;
/// Bytes of an attribute's key (INT 44188).
pub const ATTRIBUTE_KEY_BYTES: usize = 32;
/// Bytes of an attribute's value (INT 44188).
pub const ATTRIBUTE_VALUE_BYTES: usize = 4000;
/// Bytes of all attribute values of a group (INT 44188).
pub const ATTRIBUTES_TOTAL_BYTES: usize = 16_000;
/// Attribute writes a second and group (INT 44188).
pub const ATTRIBUTE_WRITES_PER_SECOND: u32 = 5;
/// Counters of a group (INT 53428).
pub const COUNTERS: usize = 20;
/// Bytes of a counter's key (INT 53428).
pub const COUNTER_KEY_BYTES: usize = 128;

// Accounts, profiles, states

/// Accounts in one request that imports, checks or deletes (CN 4919, CN 38417, CN 36443).
pub const ACCOUNTS_PER_REQUEST: usize = 100;
/// Users in one request for profiles (CN 1639).
pub const PROFILES_PER_REQUEST: usize = 100;
/// Users in one request for the online state (CN 2566).
pub const ONLINE_USERS: usize = 500;
/// Bytes of a string in a profile (CN 1500).
pub const PROFILE_VALUE_BYTES: usize = 500;
/// Bytes of `Tag_Profile_IM_Location` (CN 1500).
pub const PROFILE_LOCATION_BYTES: usize = 16;
/// Bytes of the key of a custom profile field: letters only (CN 1500).
pub const PROFILE_CUSTOM_KEY_BYTES: usize = 8;
/// Custom profile fields of an app (CN 1500).
pub const PROFILE_CUSTOM_FIELDS: usize = 20;
/// Bytes of a custom status (REST notes 02, 3.3).
pub const CUSTOM_STATUS_BYTES: usize = 100;
/// Instances of one user that may be online on the Web (CN 38656).
pub const WEB_INSTANCES: u32 = 10;

// UserSig

/// Bytes of a UserSig that are looked at; real ones are below 1 KB (REST notes 02, 2.1).
pub const USERSIG_BYTES: usize = 4096;
/// Bytes of the JSON text inside a UserSig.
pub const USERSIG_INFLATED_BYTES: usize = 4096;

// Rates over REST, in requests a second, app and command (CN 9346)

/// The ceiling of a command that has no other.
pub const RATE_DEFAULT: u32 = 200;
/// The ceiling of account batches and push attributes.
pub const RATE_BATCH: u32 = 100;
/// The ceiling of what walks or reaches a whole app.
pub const RATE_HEAVY: u32 = 1;
