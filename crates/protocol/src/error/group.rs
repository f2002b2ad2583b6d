//! Codes of the group services (10001 to 11000, 1100xx) and of message extensions and reactions
//! (2300x), which groups and one-to-one messages share.

super::codes! {
    GROUP_NOT_LOGGED_IN = 10001, "INT 50293", "the caller is not logged in (live rooms)";
    GROUP_INTERNAL = 10002, "CN 1671", "internal error: try again";
    GROUP_UNKNOWN_COMMAND = 10003, "CN 1671", "there is no such command";
    GROUP_BAD_PARAMETER = 10004, "CN 1671", "a parameter is wrong";
    GROUP_TOO_MANY = 10005, "CN 1671", "too many accounts or items in the request";
    GROUP_FREQUENCY = 10006, "CN 1671", "the operation was done too often";
    GROUP_FORBIDDEN = 10007, "CN 1671",
        "no permission, or this type of group cannot do it, or the feature is off";
    GROUP_ILLEGAL_REQUEST = 10008, "CN 1671", "the request is illegal, or the feature is missing";
    GROUP_OWNER_CANNOT_QUIT = 10009, "CN 1671", "the owner may not quit this group";
    GROUP_NOT_FOUND = 10010, "CN 1671", "the group does not exist or was dissolved";
    GROUP_BAD_JSON = 10011, "CN 1671", "the body is not valid JSON";
    GROUP_BAD_OPERATOR = 10012, "CN 1671", "the operator's ID is not valid";
    GROUP_ALREADY_MEMBER = 10013, "CN 1671", "the user is already a member";
    GROUP_FULL = 10014, "CN 1671", "the group is full";
    GROUP_BAD_ID = 10015, "CN 1671", "the group ID is not valid";
    GROUP_REFUSED_BY_CALLBACK = 10016, "CN 1671", "the app's webhook refused";
    GROUP_MUTED = 10017, "CN 1671", "the sender is muted";
    GROUP_REPLY_TOO_LARGE = 10018, "CN 1671", "the answer would be larger than 1 MB";
    GROUP_UNKNOWN_ACCOUNT = 10019, "CN 1671", "the account does not exist";
    GROUP_IMPORT_TOO_LONG = 10020, "CN 1635", "the imported message is too long";
    GROUP_ID_IN_USE = 10021, "CN 1671", "the group ID is in use";
    GROUP_SEND_FREQUENCY = 10023, "CN 1671", "messages are sent too often";
    GROUP_ALREADY_HANDLED = 10024, "CN 1671", "the application or invitation was handled already";
    GROUP_ID_IN_USE_BY_SELF = 10025, "CN 1671", "the group ID is in use, and the caller owns it";
    GROUP_COMMAND_DISABLED = 10026, "CN 1671", "the command is disabled";
    GROUP_RECALL_NOT_FOUND = 10030, "CN 1671", "the message to recall does not exist";
    GROUP_RECALL_TOO_LATE = 10031, "CN 1671", "the message is too old to be recalled";
    GROUP_RECALL_IMPOSSIBLE = 10032, "CN 1671", "the message cannot be recalled";
    GROUP_RECALL_TYPE = 10033, "CN 1671", "this type of group has no recall";
    GROUP_DELETE_MESSAGE_KIND = 10034, "CN 1671", "this kind of message cannot be deleted";
    GROUP_DELETE_MESSAGE_TYPE = 10035, "CN 1671", "this type of group cannot delete messages";
    GROUP_TOO_MANY_LIVE_ROOMS = 10036, "CN 1671", "the app has all the live rooms it may have";
    GROUP_TOO_MANY_OF_USER = 10037, "CN 1671", "the user is in too many groups";
    GROUP_MEMBERS_OVER_LIMIT = 10038, "CN 1671", "more members than the app may have in a group";
    GROUP_RECALL_OFF = 10041, "CN 12341", "recall is switched off for this app";
    ATTR_KEY_TOO_LONG = 10045, "INT 44188", "an attribute's key is longer than 32 bytes";
    ATTR_VALUE_TOO_LONG = 10046, "INT 44188", "an attribute's value is longer than 4000 bytes";
    ATTR_TOO_MANY_KEYS = 10047, "INT 44188", "more than 16 attributes";
    ATTR_TOTAL_TOO_LONG = 10048, "INT 44188", "all attributes together are over 16000 bytes";
    ATTR_FREQUENCY = 10049, "INT 44188", "attributes are written too often";
    ATTR_KEY_NOT_FOUND = 10050, "CN 104440", "there is no attribute with this key";
    ATTR_CONFLICT = 10056, "INT 44188", "somebody else changed the attributes in between";
    GROUP_TRIAL_QUOTA = 10058, "CN 1671", "the trial app has all the groups it may have";
    GROUP_NEEDS_PACKAGE = 10059, "INT 53428", "the feature needs a higher package";
    GROUP_CODE_10060 = 10060, "web SDK", "known to the web SDK; its meaning is not documented";
    GROUP_NO_RECEIPT = 10062, "CN 77694", "there is no receipt data for the message";
    COUNTER_TOO_MANY_KEYS = 10063, "INT 53428", "more than 20 counters";
    GROUP_TOO_MANY_PINS = 10070, "CN 133874", "too many pinned messages";
    GROUP_ALREADY_PINNED = 10071, "CN 133874", "the message is pinned already";
    COMMUNITY_OFF = 11000, "CN 1671", "communities or topics are not enabled for this app";
    EXTENSION_CONFLICT = 23001, "INT 52170", "somebody else changed the extension in between";
    EXTENSION_NOT_ALLOWED = 23002, "INT 52170", "the message was sent without extensions";
    EXTENSION_FREQUENCY = 23003, "INT 52170", "extensions of this message are written too often";
    EXTENSION_NO_MESSAGE = 23004, "INT 52170", "the message does not exist";
    REACTION_TOO_MANY = 23005, "CN 100226", "the message has too many reactions";
    REACTION_TOO_MANY_USERS = 23006, "CN 100226", "too many users gave this reaction";
    REACTION_EXISTS = 23007, "CN 100226", "the user gave this reaction already";
    REACTION_NOT_FOUND = 23008, "CN 100226", "there is no such reaction";
    REACTION_NOT_GIVEN = 23009, "CN 100226", "the user has not given this reaction";
    TOPIC_DESTROY_FAILED = 110002, "INT 49470", "the topic could not be dissolved";
    TOPIC_GONE = 110003, "INT 49470", "the topic does not exist any more";
}
