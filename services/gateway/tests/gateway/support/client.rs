//! A client that frames as the SDK does.

use std::io::Read as _;
use std::net::SocketAddr;

use bytes::Bytes;
use flate2::read::ZlibDecoder;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use throng_protocol::compress::MARK;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Error, Message, WebSocketStream};

use super::{APP, LONG};

/// What a login gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub(crate) a2: String,
    pub(crate) tiny_id: String,
    pub(crate) inst_id: u64,
}

/// What frames travel over.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Socket>>,
    pub(crate) login: Login,
    seq: u64,
    text: bool,
    /// Compressed frames that came.
    pub(crate) compressed: usize,
    /// Frames that came while something else was waited for.
    early: Vec<Value>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str, instance: &str) -> Self {
        Self::try_connect(address, path, instance).await.unwrap()
    }

    pub(crate) async fn try_connect(
        address: SocketAddr,
        path: &str,
        instance: &str,
    ) -> Result<Self, Error> {
        let tcp = TcpStream::connect(address).await?;
        Self::over(Box::new(tcp), path, instance).await
    }

    /// A client on a connection that is there.
    pub(crate) async fn over(
        socket: Box<dyn Socket>,
        path: &str,
        instance: &str,
    ) -> Result<Self, Error> {
        let uri = format!(
            "ws://localhost{path}?sdkappid={APP}&instanceid={instance}&random=0.5&platform=7\
             &host=unknown&version=-1&sdkversion=3.6.6&compress=gzip"
        );
        let builder = ClientBuilder::new().uri(&uri).unwrap();
        let (socket, _) = timeout(LONG, builder.connect_on(socket)).await.unwrap()?;
        let text = path == "/info";
        Ok(Self {
            socket,
            login: Login::default(),
            seq: 1000,
            text,
            compressed: 0,
            early: Vec::new(),
        })
    }

    /// Sends a login; returns its number.
    pub(crate) async fn send_login(&mut self, user: &str, signature: &str) -> u64 {
        self.seq += 1;
        let head = json!({
            "servcmd": "im_open_status.wslogin", "seq": self.seq, "identifier": user,
            "usersig": signature, "status_instid": 0, "sdkappid": APP.0, "platform": 7,
        });
        let body = json!({"State": "Online", "InstType": 0});
        self.send_json(&json!({"head": head, "body": body})).await;
        self.seq
    }

    pub(crate) async fn log_in(&mut self, user: &str, signature: &str) -> Value {
        let seq = self.send_login(user, signature).await;
        let answer = self.answer(seq).await;
        if code(&answer) == 0 {
            let body = body_of(&answer);
            self.login = Login {
                a2: body["A2Key"].as_str().unwrap().to_owned(),
                tiny_id: body["TinyId"].as_str().unwrap().to_owned(),
                inst_id: body["InstId"].as_u64().unwrap(),
            };
        }
        answer
    }

    /// Logs in again with the token of an earlier login, as after a reconnect.
    pub(crate) async fn come_back(&mut self, login: &Login) -> Value {
        self.login = login.clone();
        self.ask("im_open_status.wslogin", &json!({"State": "Online", "InstType": 0})).await
    }

    /// Sends a request; returns its number.
    pub(crate) async fn send(&mut self, servcmd: &str, body: &Value) -> u64 {
        self.seq += 1;
        let request = self.request(servcmd, self.seq, body);
        self.send_json(&request).await;
        self.seq
    }

    pub(crate) fn request(&self, servcmd: &str, seq: u64, body: &Value) -> Value {
        let mut head = json!({
            "ver": "v4", "platform": 7, "sdkappid": APP.0, "contenttype": "json",
            "reqtime": 1, "cs": 0, "servcmd": servcmd, "seq": seq,
            "status_instid": self.login.inst_id,
        });
        if self.login.a2.is_empty() {
            head["identifier"] = "".into();
            head["usersig"] = "".into();
        } else {
            head["a2"] = self.login.a2.clone().into();
            head["tinyid"] = self.login.tiny_id.clone().into();
        }
        json!({"head": head, "body": body})
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, servcmd: &str, body: &Value) -> Value {
        let seq = self.send(servcmd, body).await;
        let answer = self.answer(seq).await;
        assert_eq!(answer["head"]["servcmd"], servcmd);
        answer
    }

    /// The answer to a request.
    pub(crate) async fn answer(&mut self, seq: u64) -> Value {
        self.wait_for(|frame| frame["head"]["seq"] == seq).await
    }

    /// The next frame that answers nothing.
    pub(crate) async fn push(&mut self) -> Value {
        self.wait_for(|frame| frame["head"].get("seq").is_none()).await
    }

    async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.early.iter().position(&wanted) {
            return self.early.remove(at);
        }
        loop {
            let frame = self.next().await;
            if wanted(&frame) {
                return frame;
            }
            self.early.push(frame);
        }
    }

    /// The next frame, whatever it is.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = timeout(LONG, self.socket.next()).await.expect("no frame came");
            let message = message.expect("the connection ended").expect("the connection broke");
            if let Some((code, reason)) = message.as_close() {
                panic!("the server closed: {} {reason}", u16::from(code));
            }
            if message.is_text() || message.is_binary() {
                assert_eq!(message.is_text(), self.text, "the path's kind of frames");
                let payload = &message.as_payload()[..];
                let Some(zlib) = payload.strip_prefix(MARK) else {
                    return serde_json::from_slice(payload).unwrap();
                };
                assert!(message.is_binary(), "only binary frames are inflated");
                self.compressed += 1;
                let mut json = Vec::new();
                ZlibDecoder::new(zlib).read_to_end(&mut json).unwrap();
                return serde_json::from_slice(&json).unwrap();
            }
        }
    }

    /// The code and reason that the server closes with; frames before it are dropped.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let message = timeout(LONG, self.socket.next()).await.expect("not closed");
            let message = message.expect("ended without a close frame").expect("broke");
            if let Some((code, reason)) = message.as_close() {
                return (code.into(), reason.to_owned());
            }
        }
    }

    pub(crate) async fn send_json(&mut self, frame: &Value) {
        let bytes = Bytes::from(frame.to_string());
        let message = if self.text { Message::text(bytes) } else { Message::binary(bytes) };
        self.send_raw(message).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Closes as the SDK does: 4001 to open another connection, 4000 for good.
    pub(crate) async fn close(mut self, code: u16) {
        self.send_raw(Message::close(Some(code.try_into().unwrap()), "")).await;
        while let Ok(Some(Ok(_))) = timeout(LONG, self.socket.next()).await {}
    }
}

pub(crate) fn body_of(frame: &Value) -> &Value {
    &frame["body"]
}

/// The body of a frame.
pub(crate) fn body(frame: &Value) -> &Value {
    body_of(frame)
}

/// The error code of an answer.
pub(crate) fn code(frame: &Value) -> u64 {
    body_of(frame)["ErrorCode"].as_u64().expect("an answer has a code")
}
