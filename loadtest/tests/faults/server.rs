//! A server of one room in a few threads, which answers as far as clients of the load tool need it, and
//! makes one mistake on purpose.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The message with which something goes wrong, and at which member, counted from 0.
pub(crate) const WHICH: u32 = 7;
/// The member at which it goes wrong.
pub(crate) const AT: usize = 2;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Nothing.
    None,
    /// One delivery to one member is left out.
    Lose,
    /// One delivery comes twice.
    Double,
    /// Two deliveries to one member change places.
    Swap,
    /// One number of the sequence is left out for everybody.
    Skip,
    /// One message is answered as dropped, and delivered to nobody: no mistake.
    Drop,
    /// One message is answered as dropped, and delivered all the same.
    DropAndDeliver,
    /// One message is refused.
    Refuse,
    /// The line of one member breaks, and it hears again what it has: no mistake.
    Cut,
    /// One message gets a higher number than the next one.
    Overtake,
    /// All lines break before a message is answered, which then comes again: no mistake.
    CutAll,
}

struct State {
    mistake: Mistake,
    next_seq: u32,
    sends: u32,
    /// Members in the order in which they joined.
    members: Vec<Member>,
    /// `Random` and sequence of messages that were taken in.
    known: Vec<(u64, u32)>,
    /// The frames of the room so far.
    sent: Vec<Vec<u8>>,
}

struct Member {
    user: String,
    line: Option<TcpStream>,
    held: Option<Vec<u8>>,
    heard: usize,
}

/// Starts it on a free port.
pub(crate) fn start(mistake: Mistake) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let state = State {
        mistake,
        next_seq: 1,
        sends: 0,
        members: Vec::new(),
        known: Vec::new(),
        sent: Vec::new(),
    };
    let state = Arc::new(Mutex::new(state));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let state = Arc::clone(&state);
            thread::spawn(move || serve(stream, &state));
        }
    });
    address
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        if head.starts_with("GET /binfo?") {
            break;
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length?.parse().unwrap()];
        reader.read_exact(&mut body).ok()?;
        let answer = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;
        let len = answer.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{answer}").ok()?;
    }
    let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    write!(stream, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")
        .ok()?;
    loop {
        let request = read_frame(&mut reader)?;
        let request: Value = serde_json::from_slice(&request).unwrap();
        state.lock().unwrap().take(&request, &mut stream);
    }
}

fn read_frame(reader: &mut impl std::io::Read) -> Option<Vec<u8>> {
    let mut header = [0; 2];
    reader.read_exact(&mut header).ok()?;
    let len = match header[1] & 0x7F {
        126 => {
            let mut len = [0; 2];
            reader.read_exact(&mut len).ok()?;
            usize::from(u16::from_be_bytes(len))
        }
        len => usize::from(len),
    };
    let (mut mask, mut payload) = ([0; 4], vec![0; len]);
    reader.read_exact(&mut mask).ok()?;
    reader.read_exact(&mut payload).ok()?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some(payload)
}

fn frame(value: &Value) -> Vec<u8> {
    let text = value.to_string().into_bytes();
    let len = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x82, 126];
    frame.extend(len.to_be_bytes());
    frame.extend(text);
    frame
}

fn answer_to(line: &mut TcpStream, head: &Value, body: &Value) {
    let head = json!({ "servcmd": head["servcmd"], "seq": head["seq"] });
    let _ = line.write_all(&frame(&json!({ "head": head, "body": body })));
}

impl State {
    fn take(&mut self, request: &Value, line: &mut TcpStream) {
        let (head, body) = (&request["head"], &request["body"]);
        let servcmd = head["servcmd"].as_str().unwrap();
        let mut answer = json!({ "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "" });
        match servcmd {
            "im_open_status.wslogin" => {
                let user = head["identifier"].as_str().or(head["a2"].as_str()).unwrap().to_owned();
                answer["A2Key"] = user.clone().into();
                answer["TinyId"] = "144115".into();
                answer["InstId"] = 1.into();
                answer["HelloInterval"] = 120.into();
                answer_to(line, head, &answer);
                return self.returned(&user, line);
            }
            "group_open_http_svc.apply_join_group" => {
                let user = head["a2"].as_str().unwrap().to_owned();
                answer_to(line, head, &answer);
                let line = Some(line.try_clone().unwrap());
                let heard = self.sent.len();
                return self.members.push(Member { user, line, held: None, heard });
            }
            "group_open_http_svc.send_group_msg" => {
                let Some(result) = self.send(body) else {
                    return;
                };
                for (name, value) in result.as_object().unwrap() {
                    answer[name] = value.clone();
                }
            }
            _ => {}
        }
        answer_to(line, head, &answer);
    }

    /// Who came back gets what it missed, and the last message before that again.
    fn returned(&mut self, user: &str, line: &mut TcpStream) {
        let Some(member) = self.members.iter_mut().find(|member| member.user == user) else {
            return;
        };
        for frame in &self.sent[member.heard.saturating_sub(1)..] {
            let _ = line.write_all(frame);
        }
        member.heard = self.sent.len();
        member.line = Some(line.try_clone().unwrap());
    }

    /// Takes a message in; `None` when nobody is left to be answered.
    fn send(&mut self, body: &Value) -> Option<Value> {
        let random = body["Random"].as_u64().unwrap();
        if let Some((_, seq)) = self.known.iter().find(|(known, _)| *known == random) {
            return Some(json!({ "MsgSeq": seq }));
        }
        let this = self.sends == WHICH;
        let next = self.sends == WHICH + 1;
        self.sends += 1;
        let mistake = if this || (next && self.mistake == Mistake::Swap) {
            self.mistake
        } else {
            Mistake::None
        };
        match mistake {
            Mistake::Refuse => return Some(json!({ "ErrorCode": 10_017 })),
            Mistake::Drop => return Some(json!({ "MsgDropReason": "frequency limit" })),
            Mistake::Skip => self.next_seq += 1,
            Mistake::Cut => self.members[AT].cut(),
            _ => {}
        }
        let overtaken = self.mistake == Mistake::Overtake;
        let seq = self.next_seq + u32::from(overtaken && this);
        self.next_seq += match (this, next) {
            (true, _) if overtaken => 0,
            (_, true) if overtaken => 2,
            _ => 1,
        };
        self.known.push((random, seq));
        let item = json!({ "ToGroupId": body["GroupId"], "MsgSeq": seq, "MsgRandom": random,
            "MsgBody": body["MsgBody"] });
        let frame = frame(&json!({ "head": { "servcmd": "im_open_push.msg_push" },
            "body": { "EventArray": [{ "Event": 3, "GroupMsgArray": [item] }] } }));
        self.sent.push(frame.clone());
        for (place, member) in self.members.iter_mut().enumerate() {
            let mistake = if place == AT { mistake } else { Mistake::None };
            match mistake {
                Mistake::Lose => {}
                Mistake::Double => {
                    member.deliver(&frame);
                    member.deliver(&frame);
                }
                Mistake::Swap if this => member.held = Some(frame.clone()),
                Mistake::Swap => {
                    member.deliver(&frame);
                    let held = member.held.take().unwrap();
                    member.deliver(&held);
                }
                _ => member.deliver(&frame),
            }
            if member.line.is_some() {
                member.heard = self.sent.len();
            }
        }
        match mistake {
            Mistake::DropAndDeliver => Some(json!({ "MsgDropReason": "frequency limit" })),
            Mistake::CutAll => {
                self.members.iter_mut().for_each(Member::cut);
                None
            }
            _ => Some(json!({ "MsgSeq": seq })),
        }
    }
}

impl Member {
    fn deliver(&mut self, frame: &[u8]) {
        if let Some(line) = &mut self.line {
            let _ = line.write_all(frame);
        }
    }

    fn cut(&mut self) {
        if let Some(line) = self.line.take() {
            let _ = line.shutdown(std::net::Shutdown::Both);
        }
    }
}
