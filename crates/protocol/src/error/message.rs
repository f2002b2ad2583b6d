//! Codes of one-to-one messages (20xxx to 22xxx), of their REST commands (90xxx to 93xxx) and of
//! operations (100x, 1300xx).

super::codes! {
    HISTORY_FILE_REQUEST = 1001, "CN 1650", "the request is wrong";
    HISTORY_FILE_SYSTEM = 1003, "CN 1650", "internal error: try again";
    HISTORY_FILE_NOT_READY = 1004, "CN 1650", "the file is not ready, or there were no messages";
    HISTORY_FILE_EXPIRED = 1005, "CN 1650", "the file has expired";
    MESSAGE_BAD_PACKET = 20001, "CN 1671", "the request is wrong";
    MESSAGE_AUTH_INVALID = 20002, "CN 1671",
        "the session is not valid; to a client this means: drop the session";
    MESSAGE_UNKNOWN_USER = 20003, "CN 1671", "sender or receiver does not exist";
    MESSAGE_NETWORK = 20004, "CN 1671", "network error: try again";
    MESSAGE_INTERNAL = 20005, "CN 1671", "internal error: try again";
    MESSAGE_REFUSED_BY_CALLBACK = 20006, "CN 1671", "the app's webhook refused";
    MESSAGE_BLOCKED = 20007, "CN 1671", "the receiver has blocked the sender";
    MESSAGE_OTHER_APP = 20008, "CN 1671", "sender and receiver belong to different apps";
    MESSAGE_NOT_FRIENDS = 20009, "CN 1671", "the users are not friends";
    MESSAGE_NOT_IN_PEERS_LIST = 20010, "CN 1671", "the sender is not the receiver's friend";
    MESSAGE_PEER_NOT_IN_LIST = 20011, "CN 1671", "the receiver is not the sender's friend";
    MESSAGE_MUTED = 20012, "CN 1671", "the sender is muted";
    MESSAGE_RECALL_TOO_LATE = 20016, "CN 1671", "the message is too old to be recalled";
    MESSAGE_DELETE_FAILED = 20018, "CN 1671", "messages could not be deleted";
    MESSAGE_NOT_FOUND = 20022, "CN 1671", "the message does not exist";
    MESSAGE_ALREADY_RECALLED = 20023, "CN 1671", "the message is recalled already";
    MESSAGE_EDIT_CONFLICT = 20027, "INT 47722", "the message has a newer version";
    MESSAGE_EDIT_CONCURRENT = 20028, "INT 47722", "somebody else changes the message";
    TOKEN_BEFORE_LOGIN = 21005, "CN 1671", "a device token was set before login";
    PUSH_NO_CERTIFICATE = 22001, "CN 1671", "there is no push certificate";
    PUSH_NETWORK = 22002, "CN 1671", "network error: try again";
    PUSH_TOKEN_EMPTY = 22003, "CN 1671", "the device token is empty";
    PUSH_TOKEN_TOO_LONG = 22004, "CN 1671", "the device token is longer than 256 bytes";
    PUSH_DATA_TOO_LONG = 22005, "CN 1671", "login data is longer than 1024 bytes (older)";
    PUSH_FREQUENCY = 22006, "CN 1671", "too often";
    PUSH_TRIAL_QUOTA = 22007, "CN 1671", "the trial app's quota is used up";
    SEARCH_BAD_PARAMETER = 27003, "SDK protocol notes 03, 18", "what is to be searched for is wrong";
    MSG_REST_BAD_JSON = 90001, "CN 1671", "the body is not valid JSON";
    MSG_REST_BAD_BODY = 90002, "CN 1671", "MsgBody has the wrong shape";
    MSG_REST_BAD_RECEIVER = 90003, "CN 1671", "To_Account is missing, wrong or unknown";
    MSG_REST_BAD_RANDOM = 90005, "CN 1671", "MsgRandom is missing or not an integer";
    MSG_REST_BAD_TIME = 90006, "CN 1671", "MsgTimeStamp is missing or not an integer";
    MSG_REST_BODY_NOT_ARRAY = 90007, "CN 1671", "MsgBody is not an array";
    MSG_REST_BAD_SENDER = 90008, "CN 1671", "From_Account is missing or unknown";
    MSG_REST_NEEDS_ADMIN = 90009, "CN 1671", "only an administrator of the app may do this";
    MSG_REST_BAD_ELEMENT = 90010, "CN 1671", "an element of the message is malformed";
    MSG_REST_TOO_MANY_RECEIVERS = 90011, "CN 1671", "more than 500 receivers";
    MSG_REST_RECEIVER_UNKNOWN = 90012, "CN 1671", "a receiver is not registered";
    MSG_REST_TOO_MANY_ACCOUNTS = 90018, "CN 1671", "too many accounts";
    PUSH_TAG_TOO_LONG = 90020, "CN 45934", "a tag is longer than 50 bytes";
    PUSH_TAG_IN_BOTH = 90022, "CN 45934", "a tag is in TagsOr and in TagsAnd";
    PUSH_TOO_CLOSE = 90024, "CN 45934", "pushes are less than a second apart";
    MSG_REST_LIFETIME_TOO_LARGE = 90026, "CN 1671", "MsgLifeTime is too large";
    MSG_REST_RECEIVERS_NOT_ARRAY = 90028, "CN 1612", "To_Account is not an array";
    MSG_REST_RECEIVERS_EMPTY = 90029, "CN 1612", "To_Account is empty";
    MSG_REST_BAD_SYNC_FROM = 90030, "CN 2568", "SyncFromOldSystem is wrong";
    MSG_REST_BAD_SYNC_OTHER = 90031, "CN 1671", "SyncOtherMachine is not an integer";
    PUSH_TOO_MANY_TAGS = 90032, "CN 45934", "more than 10 tags";
    PUSH_UNKNOWN_ATTRIBUTE = 90033, "CN 45934", "there is no such attribute";
    PUSH_ADD_TAG_TOO_LONG = 90034, "CN 45941", "a tag is longer than 50 bytes";
    PUSH_TAGS_AND_ATTRIBUTES = 90039, "CN 45934", "tags and attributes cannot be mixed";
    PUSH_TAG_EMPTY = 90040, "CN 45934", "a tag is empty";
    MSG_REST_BAD_OFFLINE_PUSH = 90043, "CN 1671", "OfflinePushInfo is malformed";
    MSG_REST_BAD_LIFETIME = 90044, "CN 1671", "MsgLifeTime is not an integer";
    PUSH_OFF = 90045, "CN 45934", "pushing to all members is off";
    PUSH_DAILY_QUOTA = 90047, "CN 45934", "the day's pushes are used up";
    MSG_REST_USER_UNKNOWN = 90048, "CN 1671", "the user does not exist";
    MSG_REST_BAD_KEY = 90054, "CN 38980", "MsgKey is malformed";
    MSG_REST_BATCH_TOO_LONG = 90055, "CN 1612", "the batch is longer than 12 KB";
    MSG_REST_BATCH_FREQUENCY = 90057, "CN 1612", "too many batches";
    MSG_REST_CALLBACK_SILENT = 90992, "CN 1671", "internal error, or the webhook did not answer";
    MSG_REST_INTERNAL_2 = 90994, "CN 1671", "internal error: try again (second number)";
    MSG_REST_INTERNAL_3 = 90995, "CN 1671", "internal error: try again (third number)";
    MSG_REST_INTERNAL = 91000, "CN 1671", "internal error: try again";
    WEB_INSTANCE_DISPLACED = 91101, "CN 38656", "another web instance took this one's place";
    MSG_REST_TOO_LONG = 93000, "CN 1671", "the body is longer than 12 KB";
    CONFIG_BAD_JSON = 130001, "CN 4230", "the body is not valid JSON";
    CONFIG_GET_NO_ACCOUNT = 130002, "CN 4229",
        "Get_Account is missing (official accounts: no permission)";
    CONFIG_GET_BAD_ACCOUNT = 130003, "CN 4229", "Get_Account is wrong";
    CONFIG_SET_NO_ACCOUNT = 130004, "CN 4230",
        "Set_Account is missing (official accounts: no such account)";
    CONFIG_SET_BAD_ACCOUNT = 130005, "CN 4230", "Set_Account is wrong";
    OFFICIAL_ACCOUNT_BAD_ID = 130007, "CN 102303", "the official account's ID is not valid";
    CONFIG_NO_TIME = 130008, "CN 4230",
        "no mute time was given (official accounts: the ID is in use)";
    CONFIG_STORE = 130009, "CN 4193", "internal error: try again";
    CONFIG_STORE_2 = 130010, "CN 4193", "internal error: try again (second number)";
    CONFIG_STORE_3 = 130011, "CN 4193", "internal error: try again (third number)";
    CONFIG_STORE_4 = 130012, "CN 4193", "internal error: try again (fourth number)";
    CONFIG_SYSTEM = 130014, "CN 4230", "internal error: try again";
}
