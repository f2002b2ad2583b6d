//! Frames that no client of good will sends.

use bytes::Bytes;
use serde_json::json;
use throng_gateway::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_websockets::Message;

use crate::support::{APP, Client, Cluster, code};

async fn closed_after(cluster: &Cluster, message: Message) -> (u16, String) {
    let mut client = cluster.connect().await;
    client.send_raw(message).await;
    client.closed().await
}

fn binary(text: &'static [u8]) -> Message {
    Message::binary(Bytes::from_static(text))
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_connection_with_a_reason() {
    let cluster = Cluster::start().await;
    let cases = [
        (binary(b"COMP\x78\x9c\x03\x00"), 1003, "compressed frames are not accepted"),
        (binary(b"{\"head\":\xff}"), 1007, "not UTF-8"),
        (binary(b""), 1007, "not JSON"),
        (binary(b"hello"), 1007, "not JSON"),
        (binary(b"{\"head\":{\"servcmd\":\"a.b\",\"seq\":1},\"body\":{}"), 1007, "not JSON"),
        (binary(b"{\"head\":{},\"body\":{}}"), 1008, "the head is not valid"),
        (binary(b"{\"head\":{\"servcmd\":\"a\"},\"body\":{}}"), 1008, "the head is not valid"),
        (
            binary(b"{\"head\":{\"servcmd\":\"a.b\",\"seq\":-1},\"body\":{}}"),
            1008,
            "the head is not valid",
        ),
        (binary(b"{\"head\":{\"servcmd\":7},\"body\":{}}"), 1008, "the head is not valid"),
    ];
    for (message, code, reason) in cases {
        let shown = format!("{message:?}");
        assert_eq!(closed_after(&cluster, message).await, (code, reason.to_owned()), "{shown}");
    }
    let deep = format!("{{\"head\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let closed = closed_after(&cluster, Message::binary(Bytes::from(deep))).await;
    assert_eq!(closed, (1008, "nested too deeply".to_owned()));
    let text = closed_after(&cluster, Message::text(Bytes::from_static(b"\xff"))).await;
    assert_eq!(text.0, 1007);
}

#[tokio::test]
async fn a_frame_over_the_limit_closes_the_connection() {
    let config = Config { frame_bytes: 1000, ..Config::default() };
    let cluster = Cluster::with(config).await;
    let mut client = cluster.connect().await;
    let padded = json!({"pad": "x".repeat(500)});
    assert_eq!(code(&client.ask("heartbeat.alive", &padded).await), 0);
    client.send_raw(Message::binary(Bytes::from(vec![b' '; 1001]))).await;
    assert_eq!(client.closed().await.0, 1009);
}

/// Who is cut off in the middle of a frame has more of it on the way: to leave then would reset the
/// connection, and the reason might be lost.
#[tokio::test]
async fn who_still_sends_too_much_may_finish() {
    let cluster = Cluster::start().await;
    let mut stream = TcpStream::connect(cluster.address).await.unwrap();
    let request = format!(
        "GET /binfo?sdkappid={}&instanceid=i HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        APP.0
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    let long = [&[0x82, 0xff][..], &u64::to_be_bytes(1 << 40), &[0; 4]].concat();
    stream.write_all(&long).await.unwrap();
    answer.clear();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer[2..4], 1009u16.to_be_bytes(), "{answer:?}");
    for _ in 0..200 {
        stream.write_all(&[0x61; 1024]).await.expect("the other side still reads");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_app_in_the_head_is_refused() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    let mut request = client.request("im_open_status.wslogin", 5, &json!({}));
    request["head"]["sdkappid"] = json!(1);
    client.send_json(&request).await;
    assert_eq!(code(&client.answer(5).await), 60006);
}

#[tokio::test]
async fn text_is_understood_on_a_binary_path() {
    let cluster = Cluster::start().await;
    let mut client = cluster.connect().await;
    let request = client.request("heartbeat.alive", 5, &json!({})).to_string();
    client.send_raw(Message::text(Bytes::from(request))).await;
    // Answered in the kind of the path: the client checks that.
    assert_eq!(code(&client.answer(5).await), 0);
}

async fn http(cluster: &Cluster, request: &str) -> String {
    let mut stream = TcpStream::connect(cluster.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_by_http() {
    let cluster = Cluster::start().await;
    let plain = "GET /binfo?sdkappid=1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    assert!(http(&cluster, plain).await.starts_with("HTTP/1.1 426"));
    let no_app = "GET /binfo HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, close\r\n\
                  Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(http(&cluster, no_app).await.starts_with("HTTP/1.1 400"));
    assert!(http(&cluster, "rubbish\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert!(Client::try_connect(cluster.address, "/other", "i").await.is_err());
}

/// More than a connection may have waiting: some are dropped, the rest stays in order.
#[tokio::test]
async fn a_flood_leaves_a_connection_alive_and_in_order() {
    let cluster = Cluster::start().await;
    let mut client = cluster.login("ann").await;
    client.ask("group_open_http_svc.apply_join_group", &json!({"GroupId": "r"})).await;
    cluster.owner.is_followed("r").await;
    let large = "x".repeat(64 * 1024);
    for _ in 0..200 {
        cluster.owner.say("r", &large);
    }
    // What was dropped stays dropped; what was not arrives in order, and the connection lives.
    let seq = client.send("heartbeat.alive", &json!({})).await;
    let mut last = 0;
    loop {
        let frame = client.next().await;
        if frame["head"]["seq"] == seq {
            break;
        }
        let number = frame["body"]["EventArray"][0]["GroupMsgArray"][0]["MsgSeq"].as_u64().unwrap();
        assert!(number > last);
        last = number;
    }
}
