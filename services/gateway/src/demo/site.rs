//! The demo's routes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};
use throng_node::time::now_seconds;
use throng_protocol::ids::{self, AppId};
use throng_protocol::usersig;
use tokio::sync::OnceCell;

use super::DemoConfig;
use super::pages::{self, page};
use crate::forward::Forwarder;
use crate::rest::{TrustedProxies, WindowCounter};

/// Bytes of a request for a signature.
const REQUEST_BYTES: usize = 1024;
/// How long it may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of the SDK's script; real ones are below 2 MB.
const SDK_BYTES: u64 = 16 * 1024 * 1024;

/// The demo's routes; none at all when the configuration names no app.
pub(crate) fn router(
    config: &DemoConfig,
    proxies: &TrustedProxies,
    forwarder: Forwarder,
) -> Router {
    let Some(app) = config.app else {
        return Router::new();
    };
    let site = Site {
        app: AppId(app),
        room: config.room.clone(),
        sdk_path: config.sdk_path.clone(),
        sdk: OnceCell::new(),
        signature_seconds: config.signature_seconds,
        signatures: WindowCounter::new(config.signatures_per_minute),
        proxies: proxies.clone(),
        forwarder,
    };
    Router::new()
        .route("/", get(async || page(StatusCode::OK, pages::HTML, pages::INDEX)))
        .route("/demo/app.js", get(async || page(StatusCode::OK, pages::JAVASCRIPT, pages::SCRIPT)))
        .route("/demo/style.css", get(async || page(StatusCode::OK, pages::CSS, pages::STYLE)))
        .route("/demo/sdk.js", get(sdk))
        .route("/demo/config.json", get(config_json))
        .route("/demo/usersig", post(user_sig))
        .with_state(Arc::new(site))
}

#[derive(Debug)]
struct Site {
    app: AppId,
    room: String,
    sdk_path: PathBuf,
    /// Read when it is first asked for and found.
    sdk: OnceCell<Bytes>,
    signature_seconds: u32,
    signatures: WindowCounter<IpAddr>,
    proxies: TrustedProxies,
    forwarder: Forwarder,
}

async fn sdk(State(site): State<Arc<Site>>) -> Response<Body> {
    let path = site.sdk_path.clone();
    let read = site.sdk.get_or_try_init(async || {
        let read = tokio::task::spawn_blocking(move || {
            let size = std::fs::metadata(&path)?.len();
            if size > SDK_BYTES {
                return Err(std::io::Error::other("the file is too large"));
            }
            std::fs::read(&path)
        });
        read.await.map_err(std::io::Error::other)?.map(Bytes::from)
    });
    match read.await {
        Ok(sdk) => page(StatusCode::OK, pages::JAVASCRIPT, sdk.clone()),
        Err(error) => {
            // The page says so too. Strangers ask, as often as they like.
            tracing::debug!(%error, path = %site.sdk_path.display(), "the demo's SDK is not there");
            let help = "The chat SDK is not installed on this server.\n\n\
                Run `make demo` in the repository, or set gateway.demo.sdk_path to the SDK's script \
                for browsers (index.js of the npm package @tencentcloud/chat).\n";
            page(StatusCode::NOT_FOUND, pages::TEXT, help)
        }
    }
}

/// What the page has to know.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageConfig<'a> {
    sdk_app_id: u32,
    room: &'a str,
}

async fn config_json(State(site): State<Arc<Site>>) -> Response<Body> {
    json(StatusCode::OK, &PageConfig { sdk_app_id: site.app.0, room: &site.room })
}

#[derive(Deserialize)]
struct Wish {
    user: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    user_sig: String,
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
}

async fn user_sig(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    match site.grant(request).await {
        Ok(user_sig) => json(StatusCode::OK, &Granted { user_sig }),
        Err((status, error)) => json(status, &Refused { error }),
    }
}

impl Site {
    async fn grant(&self, request: Request) -> Result<String, (StatusCode, &'static str)> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let from = self.proxies.client_ip(peer, request.headers());
        if !self.signatures.count(from) {
            let error = "too many signatures: wait a minute";
            return Err((StatusCode::TOO_MANY_REQUESTS, error));
        }
        // Another site's page may send a form here, but not this type without asking first.
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|text| text.starts_with("application/json")) {
            let error = "the content type must be application/json";
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
        let bad = |error| (StatusCode::BAD_REQUEST, error);
        let body = Limited::new(request.into_body(), REQUEST_BYTES).collect();
        let body = tokio::time::timeout(REQUEST_TIMEOUT, body).await;
        let body = body.map_err(|_| (StatusCode::REQUEST_TIMEOUT, "the body did not arrive"))?;
        let body = body.map_err(|_| bad("the body is too long or broke off"))?.to_bytes();
        let wish: Wish =
            serde_json::from_slice(&body).map_err(|_| bad("the body must be {\"user\":\"…\"}"))?;
        ids::user_id(&wish.user)
            .map_err(|_| bad("user: must be 1 to 32 bytes of printable ASCII"))?;

        let settings = self.forwarder.apps().get(self.app).await.map_err(|error| {
            tracing::warn!(%error, "the demo's app is not available");
            (StatusCode::SERVICE_UNAVAILABLE, "the demo's app is not available")
        })?;
        if settings.admins.contains(&wish.user) {
            return Err((StatusCode::FORBIDDEN, "user: is an administrator"));
        }
        let Some(key) = settings.keys.first() else {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "the demo's app has no key"));
        };
        let expire = i64::from(self.signature_seconds);
        Ok(usersig::sign(self.app, key, &wish.user, now_seconds(), expire, None))
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // Strings and numbers always have a JSON form.
    page(status, pages::JSON, serde_json::to_vec(body).unwrap_or_default())
}
