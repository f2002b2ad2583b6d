//! Codes of the front door (60xxx), of content checks (80xxx) and those that end a session.

super::codes! {
    KICKED = 1002, "SDK protocol notes 01, 2.3",
        "this session was displaced or revoked; KickType in the body says why";
    BAD_URL = 60002, "CN 1671", "the URL or the HTTP request cannot be parsed";
    BODY_NOT_JSON = 60003, "CN 1671", "the body is not valid JSON";
    BAD_IDENTIFIER_OR_SIG = 60004, "CN 1671", "identifier or UserSig is wrong";
    BAD_IDENTIFIER_OR_SIG_2 = 60005, "CN 1671", "identifier or UserSig is wrong (second number)";
    BAD_APP_ID = 60006, "CN 1671", "the app ID is not valid";
    RATE_INTERFACE = 60007, "CN 1671", "too many requests for this command";
    TIMEOUT = 60008, "CN 1671", "the service did not answer in time";
    UNKNOWN_COMMAND = 60009, "CN 1671", "there is no such service or command";
    NOT_ADMIN = 60010, "CN 1671", "the identifier is not an administrator of the app";
    RATE_APP = 60011, "CN 1671", "too many requests of this app";
    APP_ID_MISSING = 60012, "CN 1671", "the app ID is missing";
    REPLY_NOT_JSON = 60013, "CN 1671", "the service's answer could not be read";
    ACCOUNT_EXCHANGE_TIMEOUT = 60014, "CN 1671", "an account could not be checked in time";
    USER_ID_NOT_STRING = 60015, "CN 1671", "a user ID in the body is not a string";
    APP_DISABLED = 60016, "CN 1671", "the app is disabled";
    REQUEST_DISABLED = 60017, "CN 1671", "the request is disabled";
    TOO_MANY_REQUESTS = 60018, "CN 1671", "too many requests";
    TOO_MANY_REQUESTS_2 = 60019, "CN 1671", "too many requests (second number)";
    SERVICE_UNAVAILABLE = 60020, "CN 1671", "the service or feature is not available";
    IP_NOT_ALLOWED = 60021, "CN 1671", "the caller's address is not allowed";
    OVERLOADED = 60022, "SDK protocol notes 01, 3.8", "the server is overloaded: try again later";
    BAD_URL_PARAMETER = 60025, "CN 1671",
        "sdkappid, identifier, usersig or contenttype in the URL is wrong";
    WRONG_DATA_CENTRE = 60026, "CN 1671", "the host does not serve this app";
    PRODUCT_NOT_ALLOWED = 60027, "CN 1671", "the app's product may not call this";
    TRIAL_DAILY_REQUESTS = 60028, "CN 1671", "the trial app's daily number of requests is used up";
    MESSAGE_FILTERED = 80001, "CN 1671", "the text was refused by the content filter";
    MESSAGE_TOO_LONG = 80002, "CN 1671", "the message is longer than 12 KB";
    MESSAGE_CALLBACK_FAILED = 80003, "CN 1671",
        "the webhook before sending failed and the app does not deliver then";
    IMAGE_FILTERED = 80004, "CN 1671", "the image was refused by the content filter";
    SERVICE_STOPPED = 80005, "CN 1671", "the app's service is stopped";
}
