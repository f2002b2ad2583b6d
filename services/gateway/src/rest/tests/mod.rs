//! The front door as app servers see it, with a directory behind it that remembers what it is asked.

pub(crate) mod fixture;

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::json;
use throng_node::secret::Secret;
use throng_node::time::now_seconds;
use throng_proto::v1;
use throng_protocol::ids::{self, AppId};
use throng_protocol::{limits, usersig};
use tower::ServiceExt as _;

use self::fixture::{ADMIN, APP, Fixture, KEYS, good, json_of, sign, uri};
use super::{RestConfig, TrustedProxies};

const CHECK: &str = "im_open_login_svc/account_check";

#[tokio::test]
async fn a_good_request_is_executed_by_the_owner() {
    let f = Fixture::new();
    let body = r#"{"CheckItem": [{"UserID": "ann"}]}"#;
    let answer = f.post(&good(CHECK), body).await;
    let echo = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "Echo": true});
    assert_eq!(answer, echo);

    let executed = f.directory.executed.lock().pop().unwrap();
    let tiny_id = ids::tiny_id(Secret::new(&[7; 32]).tiny_key(), APP, ADMIN);
    assert_eq!(executed.app, APP.0);
    assert_eq!(executed.command, "im_open_login_svc.account_check");
    assert_eq!(executed.body, body);
    let caller = v1::Caller { user: ADMIN.to_owned(), tiny_id, admin: true };
    assert_eq!(executed.caller, Some(caller));
    let origin = executed.origin.unwrap();
    assert_eq!((origin.kind(), origin.ip.as_str()), (v1::origin::Kind::Rest, "127.0.0.9"));
    assert!((1..=3000).contains(&executed.deadline_ms), "{}", executed.deadline_ms);
}

/// One request for each gate, and the code that it stops at.
#[tokio::test]
async fn every_gate_has_its_code() {
    let f = Fixture::new();
    let now = now_seconds();
    let app = APP.0;
    let sig = sign(KEYS[0], ADMIN);
    let expired = usersig::sign(APP, KEYS[0], ADMIN, now - 100, 50, None);
    let other_app = usersig::sign(AppId(7), KEYS[0], ADMIN, now, 600, None);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::REST_BODY_BYTES));
    let query = format!("identifier={ADMIN}&usersig={sig}");
    for (uri, body, code) in [
        (good(CHECK), "{}", 0),
        (uri(CHECK, ADMIN, &sign(KEYS[1], ADMIN)), "{}", 0),
        // The URL
        (format!("/v4/{CHECK}?{query}"), "{}", 60012),
        (format!("/v4/{CHECK}?sdkappid=x&{query}"), "{}", 60006),
        (format!("/v4/{CHECK}?sdkappid={app}&usersig={sig}"), "{}", 60025),
        (format!("/v4/{CHECK}?sdkappid={app}&identifier={ADMIN}"), "{}", 60025),
        (format!("{}x", good(CHECK)), "{}", 60025),
        (format!("/v4/{CHECK}?sdkappid={app}&sdkappid={app}&{query}"), "{}", 60002),
        (format!("/v4/only_a_service?sdkappid={app}&{query}"), "{}", 60009),
        // The signature
        (format!("/v4/{CHECK}?sdkappid=1400000010&{query}"), "{}", 70020),
        (uri(CHECK, ADMIN, &expired), "{}", 70001),
        (uri(CHECK, ADMIN, "junk"), "{}", 70003),
        (uri(CHECK, ADMIN, &sign("third-key", ADMIN)), "{}", 70009),
        (uri(CHECK, ADMIN, &sign(KEYS[0], "ann")), "{}", 70013),
        (uri(CHECK, ADMIN, &other_app), "{}", 70014),
        // The administrator
        (uri(CHECK, "ann", &sign(KEYS[0], "ann")), "{}", 60010),
        // The body
        (good(CHECK), "", 60003),
        (good(CHECK), "{", 70402),
        (good(CHECK), "[]", 70402),
        (good("no_such_svc/at_all"), "{", 60003),
        (good("openim/sendmsg"), "{\"a\":}", 90001),
        (good("group_open_http_svc/send_group_msg"), &deep, 10011),
        (good(CHECK), &long, 60002),
        // The catalogue
        (good("no_such_svc/at_all"), "{}", 60009),
        (good("im_open_login_svc/no_such"), "{}", 60009),
        (good("group_open_http_svc/no_such"), "{}", 10003),
        (good("im_open_status/wslogin"), "{}", 60009),
        (good("sns/friend_import"), "{}", 60020),
    ] {
        assert_eq!(f.code(&uri, body.to_owned()).await, code, "{uri} {body:.40}");
    }
    assert_eq!(f.directory.executed.lock().len(), 2);
}

#[tokio::test]
async fn only_post_is_answered_but_a_browser_may_ask() {
    let f = Fixture::new();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let response = f.send(method, &good(CHECK), "{}").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(json_of(response).await["ErrorCode"], 60002);
    }
    let response = f.send(Method::OPTIONS, "/v4/any/thing", "").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["access-control-allow-methods"], "POST");
    assert_eq!(f.directory.executed.lock().len(), 0);
}

#[tokio::test]
async fn rates_are_the_apps_and_the_commands() {
    let f = Fixture::with(&RestConfig { requests_per_second: 150, ..RestConfig::default() });
    let uri = good(CHECK);
    for _ in 0..100 {
        assert_eq!(f.code(&uri, "{}").await, 0, "the command's budget");
    }
    // Budgets fill again while they are spent: go on until both were seen empty.
    let mut seen = HashSet::new();
    while !(seen.contains(&60007) && seen.contains(&60011)) {
        seen.insert(f.code(&uri, "{}").await);
        assert!(f.directory.executed.lock().len() < 10_000, "never limited: {seen:?}");
    }
    assert!(seen.is_subset(&HashSet::from([0, 60007, 60011])));
}

/// What is not an administrator's costs the app nothing.
#[tokio::test]
async fn strangers_cannot_use_up_an_apps_rate() {
    let config = RestConfig { requests_per_second: 1, ..RestConfig::default() };
    let f = Fixture::with(&config);
    for _ in 0..10 {
        assert_eq!(f.code(&uri(CHECK, ADMIN, "junk"), "{}").await, 70003);
        assert_eq!(f.code(&uri(CHECK, "ann", &sign(KEYS[0], "ann")), "{}").await, 60010);
    }
    assert_eq!(f.code(&good(CHECK), "{}").await, 0);
}

#[tokio::test]
async fn too_many_wrong_signatures_lock_one_identifier_of_one_address() {
    let proxies = TrustedProxies::try_from(vec!["127.0.0.9".to_owned()]).unwrap();
    for (trusted_proxies, elsewhere) in [(TrustedProxies::default(), 70050), (proxies, 0)] {
        let config =
            RestConfig { failures_per_minute: 3, trusted_proxies, ..RestConfig::default() };
        let f = Fixture::with(&config);
        let known = good(CHECK);
        assert_eq!(f.code(&known, "{}").await, 0);
        for _ in 0..3 {
            assert_eq!(f.code(&uri(CHECK, ADMIN, "junk"), "{}").await, 70003);
        }
        assert_eq!(f.code(&uri(CHECK, ADMIN, "junk"), "{}").await, 70050);
        assert_eq!(f.code(&known, "{}").await, 0, "a signature that is known goes on");
        assert_eq!(f.code(&uri(CHECK, "ann", "junk"), "{}").await, 70003, "others are not locked");

        let fresh = usersig::sign(APP, KEYS[0], ADMIN, now_seconds(), 601, None);
        let request = Request::post(uri(CHECK, ADMIN, &fresh))
            .header("x-forwarded-for", "198.51.100.77")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 9], 4000))))
            .body(Body::from("{}"))
            .unwrap();
        let answer = json_of(f.router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(answer["ErrorCode"], elsewhere, "from another address");
    }
}

#[tokio::test]
async fn a_signature_from_before_a_kick_is_revoked() {
    let f = Fixture::new();
    let now = now_seconds();
    f.directory.not_before.store(now, Ordering::Relaxed);
    let before = usersig::sign(APP, KEYS[0], ADMIN, now - 1, 600, None);
    assert_eq!(f.code(&uri(CHECK, ADMIN, &before), "{}").await, 70052);
    assert_eq!(f.code(&good(CHECK), "{}").await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_answered_with_60008() {
    let f = Fixture::new();
    let started = tokio::time::Instant::now();
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, Infallible>>());
    assert_eq!(f.code(&good(CHECK), never).await, 60008, "a body that never comes");
    f.directory.stuck.store(true, Ordering::Relaxed);
    assert_eq!(f.code(&good(CHECK), "{}").await, 60008, "an owner that never answers");
    assert_eq!(started.elapsed().as_secs(), 6);
}

/// Otherwise the connection could not serve its caller's next request.
#[tokio::test]
async fn the_body_of_a_refused_request_is_taken_in() {
    let f = Fixture::new();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let chunks = futures_util::stream::iter(0..50).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1000]))
    });
    assert_eq!(f.code(&uri(CHECK, ADMIN, "junk"), Body::from_stream(chunks)).await, 70003);
    assert_eq!(taken.load(Ordering::Relaxed), 50);
}
