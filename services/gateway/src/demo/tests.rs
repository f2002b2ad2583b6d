//! The demo as a browser sees it.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use throng_node::time::now_seconds;
use throng_protocol::usersig;
use tower::ServiceExt as _;

use super::{DemoConfig, router};
use crate::rest::TrustedProxies;
use crate::rest::tests::fixture::{ADMIN, APP, FakeDirectory, KEYS};

fn config() -> DemoConfig {
    DemoConfig { app: Some(APP.0), ..DemoConfig::default() }
}

fn site(config: &DemoConfig) -> Router {
    router(config, &TrustedProxies::default(), FakeDirectory::default().forwarder())
}

async fn get(site: &Router, path: &str) -> Response<Body> {
    site.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

async fn ask(site: &Router, content_type: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = Request::post("/demo/usersig")
        .header("content-type", content_type)
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 9], 4000))))
        .body(body.into())
        .unwrap();
    let response = site.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn the_page_comes_with_its_files_and_protecting_headers() {
    let site = site(&config());
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/demo/app.js", "text/javascript; charset=utf-8"),
        ("/demo/style.css", "text/css; charset=utf-8"),
        ("/demo/config.json", "application/json"),
    ] {
        let response = get(&site, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], content_type);
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("worker-src blob:") && policy.contains("default-src 'none'"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(!headers.contains_key("access-control-allow-origin"));
        assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    let response = get(&site, "/demo/config.json").await;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let page: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(page, json!({"sdkAppId": APP.0, "room": "demo"}));
}

#[tokio::test]
async fn the_sdk_is_served_once_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let sdk_path: PathBuf = folder.path().join("sdk.js");
    let site = site(&DemoConfig { sdk_path: sdk_path.clone(), ..config() });
    let response = get(&site, "/demo/sdk.js").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let help = response.into_body().collect().await.unwrap().to_bytes();
    assert!(std::str::from_utf8(&help).unwrap().contains("make demo"));

    std::fs::write(&sdk_path, "var TencentCloudChat;").unwrap();
    let response = get(&site, "/demo/sdk.js").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "var TencentCloudChat;");
}

#[tokio::test]
async fn everybody_gets_a_signature_but_no_administrators() {
    let site = site(&config());
    let (status, answer) = ask(&site, "application/json", r#"{"user":"ann"}"#).await;
    assert_eq!(status, StatusCode::OK);
    let sig = answer["userSig"].as_str().unwrap();
    usersig::verify(sig, APP, &KEYS, "ann", now_seconds()).unwrap();

    let as_admin = json!({"user": ADMIN}).to_string();
    let long = format!("{{\"user\":\"{}\"}}", "x".repeat(2000));
    for (content_type, body, expected) in [
        ("application/json", as_admin.as_str(), StatusCode::FORBIDDEN),
        ("application/json", r#"{"user":""}"#, StatusCode::BAD_REQUEST),
        ("application/json", r#"{"user":"é"}"#, StatusCode::BAD_REQUEST),
        ("application/json", "{}", StatusCode::BAD_REQUEST),
        ("application/json", "", StatusCode::BAD_REQUEST),
        ("application/json", long.as_str(), StatusCode::BAD_REQUEST),
        ("text/plain", r#"{"user":"ann"}"#, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let (status, answer) = ask(&site, content_type, body.to_owned()).await;
        assert_eq!(status, expected, "{body:.40}");
        assert!(answer["error"].is_string() && answer["userSig"].is_null());
    }
}

#[tokio::test]
async fn signatures_are_limited() {
    let site = site(&DemoConfig { signatures_per_minute: 2, ..config() });
    for expected in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(ask(&site, "application/json", r#"{"user":"ann"}"#).await.0, expected);
    }
}

#[tokio::test]
async fn without_an_app_there_is_nothing() {
    let site = site(&DemoConfig::default());
    for path in ["/", "/demo/app.js", "/demo/config.json", "/demo/usersig"] {
        assert_eq!(get(&site, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

/// A request whose body never came was held for ever.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let site = site(&config());
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
    let (status, answer) = ask(&site, "application/json", Body::from_stream(never)).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert!(answer["error"].is_string());
}
