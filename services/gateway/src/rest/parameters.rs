//! The first gate: the path and the URL's parameters (REST notes 02, 1).

use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::{self, AppId};
use throng_protocol::limits;

const PREFIX: &str = "/v4/";

/// What the URL says, checked for form only.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    pub(super) service: &'a str,
    pub(super) command: &'a str,
    pub(super) app: AppId,
    pub(super) identifier: String,
    pub(super) usersig: String,
}

/// `random` says nothing and is not looked at.
#[derive(Deserialize)]
struct Raw {
    sdkappid: Option<String>,
    identifier: Option<String>,
    usersig: Option<String>,
    contenttype: Option<String>,
}

impl<'a> Parameters<'a> {
    /// Reads a URL.
    ///
    /// # Errors
    /// 60002 when it cannot be parsed, 60009 when it names no command, 60012 and 60006 for the app,
    /// 60025 for the rest.
    pub(super) fn parse(uri: &'a Uri) -> Result<Self, CommandError> {
        let path = uri.path().strip_prefix(PREFIX).and_then(|path| path.split_once('/'));
        let path = path.filter(|(service, command)| {
            !service.is_empty() && !command.is_empty() && !command.contains('/')
        });
        let Some((service, command)) = path else {
            return Err(Code::UNKNOWN_COMMAND.with("the path must be /v4/SERVICE/COMMAND"));
        };
        let Query(raw) = Query::<Raw>::try_from_uri(uri)
            .map_err(|error| Code::BAD_URL.with(format!("the URL's parameters: {error}")))?;

        let app = raw.sdkappid.filter(|text| !text.is_empty());
        let app = app.ok_or_else(|| Code::APP_ID_MISSING.with("sdkappid: missing"))?;
        let app = app.parse().ok().filter(|&app| app != 0);
        let app = app.ok_or_else(|| Code::BAD_APP_ID.with("sdkappid: must be a number"))?;

        let bad = |info: &str| Code::BAD_URL_PARAMETER.with(info);
        let identifier = raw.identifier.ok_or_else(|| bad("identifier: missing"))?;
        ids::user_id(&identifier).map_err(|error| bad(&format!("identifier: {}", error.info)))?;
        let usersig = raw.usersig.filter(|text| !text.is_empty());
        let usersig = usersig.ok_or_else(|| bad("usersig: missing"))?;
        if usersig.len() > limits::USERSIG_BYTES {
            return Err(bad("usersig: too long"));
        }
        if raw.contenttype.is_some_and(|text| text != "json") {
            return Err(bad("contenttype: must be json"));
        }
        Ok(Self { service, command, app: AppId(app), identifier, usersig })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(uri: &str) -> u32 {
        match Parameters::parse(&uri.parse().unwrap()) {
            Ok(_) => 0,
            Err(error) => error.code.number(),
        }
    }

    #[test]
    fn each_mistake_has_its_code() {
        let good = "identifier=administrator&usersig=eJx*-_&random=99&contenttype=json";
        let long = "x".repeat(limits::USERSIG_BYTES + 1);
        for (uri, expected) in [
            (format!("/v4/profile/portrait_get?sdkappid=7&{good}"), 0),
            ("/v4/profile/portrait_get?sdkappid=7&identifier=a&usersig=b".to_owned(), 0),
            (format!("/v4/profile/portrait_get?{good}"), 60012),
            ("/v4/profile/portrait_get".to_owned(), 60012),
            (format!("/v4/profile/portrait_get?sdkappid=&{good}"), 60012),
            (format!("/v4/profile/portrait_get?sdkappid=seven&{good}"), 60006),
            (format!("/v4/profile/portrait_get?sdkappid=0&{good}"), 60006),
            (format!("/v4/profile/portrait_get?sdkappid=4294967296&{good}"), 60006),
            (format!("/v4/profile/portrait_get?sdkappid=7&sdkappid=8&{good}"), 60002),
            ("/v4/profile/portrait_get?sdkappid=7&usersig=b".to_owned(), 60025),
            ("/v4/profile/portrait_get?sdkappid=7&identifier=&usersig=b".to_owned(), 60025),
            ("/v4/profile/portrait_get?sdkappid=7&identifier=a".to_owned(), 60025),
            ("/v4/profile/portrait_get?sdkappid=7&identifier=a&usersig=".to_owned(), 60025),
            (format!("/v4/p/g?sdkappid=7&identifier=a&usersig={long}"), 60025),
            ("/v4/p/g?sdkappid=7&identifier=a&usersig=b&contenttype=xml".to_owned(), 60025),
            (format!("/v4/profile?sdkappid=7&{good}"), 60009),
            (format!("/v4/profile/?sdkappid=7&{good}"), 60009),
            (format!("/v4//portrait_get?sdkappid=7&{good}"), 60009),
            (format!("/v4/profile/portrait_get/more?sdkappid=7&{good}"), 60009),
        ] {
            assert_eq!(code(&uri), expected, "{uri}");
        }
    }
}
