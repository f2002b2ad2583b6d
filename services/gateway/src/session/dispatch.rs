//! From a frame to a command that runs, and from its result to an answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use serde::Serialize;
use throng_protocol::catalogue::{self, Callers, Command, Owner, Support};
use throng_protocol::envelope;
use throng_protocol::error::{Code, CommandError};
use throng_protocol::frame::{self, FrameError, RequestFrame};

use super::Session;
use super::auth::{Identity, NotAuthentic};
use super::send_order::Place;
use crate::capture::Pending;
use crate::connection::Close;

/// Label of commands that the catalogue does not have.
const UNKNOWN: &str = "unknown";

const LOGIN: &str = "im_open_status.wslogin";
const SEND: &str = "group_open_http_svc.send_group_msg";
/// The polls of those who are logged in.
const POLL: &str = "group_open_long_polling_http_svc.get_msg";

/// A request on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) command: &'static Command,
    pub(super) caller: Caller,
    /// The body's JSON text, a slice of the frame.
    pub(super) body: Bytes,
    pub(super) echo: Echo,
    /// What a login brings.
    pub(super) credentials: Option<Credentials>,
    /// The order of a message to a group; held until it is answered.
    pub(super) place: Option<Place>,
    /// Its record, where traffic is captured.
    pub(super) record: Option<Box<Pending>>,
}

/// What an answer has to repeat.
#[derive(Debug, Clone)]
pub(super) struct Echo {
    servcmd: Bytes,
    seq: u64,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    Session(Arc<Identity>),
    Guest,
}

/// What comes with `wslogin`.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) a2: String,
    pub(super) identifier: String,
    pub(super) usersig: String,
}

/// A finished answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u32,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self { code: 0, body: envelope::ok(body) }
    }

    pub(super) fn fail(error: &CommandError) -> Self {
        Self { code: error.code.number(), body: envelope::fail(error) }
    }

    pub(super) fn kicked(kick_type: u32) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            kick_type: u32,
        }
        let error = NotAuthentic::Kicked(kick_type).error();
        Self { code: error.code.number(), body: envelope::fail_with(&error, &Body { kick_type }) }
    }
}

impl From<NotAuthentic> for Answer {
    fn from(why: NotAuthentic) -> Self {
        match why {
            NotAuthentic::Kicked(kick_type) => Answer::kicked(kick_type),
            NotAuthentic::Token | NotAuthentic::LoggedOut | NotAuthentic::Other => {
                Answer::fail(&why.error())
            }
        }
    }
}

impl Request {
    fn answered(&self, answer: &Answer) {
        if let Some(record) = &self.record {
            record.answered(answer.code, &answer.body);
        }
    }
}

impl Echo {
    fn servcmd(&self) -> &str {
        std::str::from_utf8(&self.servcmd).unwrap_or_default()
    }

    /// The full name of the command as the caller wrote it.
    pub(super) fn command(&self) -> String {
        self.servcmd().to_owned()
    }

    /// A copy that does not keep the whole frame in memory.
    pub(super) fn detached(&self) -> Self {
        Self { servcmd: Bytes::copy_from_slice(&self.servcmd), seq: self.seq }
    }
}

impl Session {
    /// Takes a frame. What can be answered at once is; anything else is a future that runs it.
    ///
    /// # Errors
    /// Why the connection has to end: a frame that nobody can answer because it can't be read.
    pub(crate) fn accept(
        self: Arc<Self>,
        frame: &Bytes,
    ) -> Result<Option<impl Future<Output = ()> + Send + use<>>, Close> {
        self.context.metrics.frames_in.increment(1);
        self.context.metrics.bytes_in.increment(frame.len() as u64);
        let parsed = RequestFrame::parse(frame).map_err(|error| {
            tracing::debug!(%error, "a client's frame cannot be read");
            unreadable(&error)
        })?;
        let head = parsed.head;
        let echo = Echo { servcmd: share(frame, &head.servcmd), seq: head.seq };
        let (service, name) = head.service_and_command();
        let Some(command) = catalogue::lookup(service, name) else {
            self.answer_as(UNKNOWN, &echo, &Answer::fail(&catalogue::unknown(service, name)));
            return Ok(None);
        };
        let body = share(frame, parsed.body.get());
        if !body.starts_with(b"{") {
            let error = command.family.bad_json().with("body: not a JSON object");
            self.answer(command, &echo, &Answer::fail(&error));
            return Ok(None);
        }
        if head.sdkappid != 0 && head.sdkappid != self.peer.app.0 {
            let error = Code::BAD_APP_ID.with("head.sdkappid: not the app of this connection");
            self.answer(command, &echo, &Answer::fail(&error));
            return Ok(None);
        }
        if let Some(answer) = self.answer_locally(command, &body) {
            if let Some(answer) = answer {
                self.answer(command, &echo, &answer);
            }
            return Ok(None);
        }
        let caller = match self.caller(command, &head.a2) {
            Ok(caller) => caller,
            Err(answer) => {
                self.answer(command, &echo, &answer);
                return Ok(None);
            }
        };
        self.follow_catch_up(command.name);
        let request = if command.name == LOGIN {
            // It may wait for its turn: the frame goes, and what cannot be good is not kept.
            let record = self.record(command, &caller, &body, &head.identifier);
            let credentials = Credentials {
                a2: head.a2.into_owned(),
                identifier: head.identifier.into_owned(),
                usersig: head.usersig.into_owned(),
            };
            let (body, echo) = (Bytes::new(), echo.detached());
            let credentials = Some(credentials);
            Request { command, caller, body, echo, credentials, place: None, record }
        } else {
            let record = self.record(command, &caller, &body, "");
            let place = self.place(command, &body);
            Request { command, caller, body, echo, credentials: None, place, record }
        };
        Ok(Some(async move { self.run(request).await }))
    }

    /// The record of a request, if traffic is captured and the user's is. Guests are nobody to be known
    /// again; a login says itself who it is of.
    fn record(
        &self,
        command: &'static Command,
        caller: &Caller,
        body: &[u8],
        identifier: &str,
    ) -> Option<Box<Pending>> {
        let line = self.capture.as_deref()?;
        let (user, again) = match caller {
            Caller::Session(identity) => (&*identity.token.user, command.name == LOGIN),
            Caller::Guest => (identifier, false),
        };
        line.begin(self.peer.app, user, command, body, again)
    }

    /// The place of a message to a group among those of this connection.
    fn place(&self, command: &'static Command, body: &[u8]) -> Option<Place> {
        if command.name != SEND {
            return None;
        }
        let group = catalogue::routing_group(command.key, body).ok()?;
        Some(self.send_order.enter(&group))
    }

    /// Who calls, if it may call this.
    fn caller(self: &Arc<Self>, command: &'static Command, a2: &str) -> Result<Caller, Answer> {
        if !command.callers.contains(Callers::CLIENT) && command.callers.contains(Callers::GUEST) {
            return Ok(Caller::Guest);
        }
        if a2.is_empty() {
            // A login proves itself; the others have to be open to guests.
            if command.callers.contains(Callers::GUEST) || command.name == LOGIN {
                return Ok(Caller::Guest);
            }
            let error = Code::BAD_IDENTIFIER_OR_SIG.with(format!("{}: log in first", command.name));
            return Err(Answer::fail(&error));
        }
        match self.authenticate(a2) {
            // These say themselves what a kicked or unknown session is told.
            Err(_) if command.name == LOGIN => Ok(Caller::Guest),
            Err(NotAuthentic::Kicked(_) | NotAuthentic::LoggedOut | NotAuthentic::Other)
                if command.name == "im_open_status.wslogout" =>
            {
                Ok(Caller::Guest)
            }
            Err(why) => Err(why.into()),
            Ok(_) if !command.callers.contains(Callers::CLIENT) => {
                let error = command.family.needs_admin();
                Err(Answer::fail(&error.with(format!("{}: only over REST", command.name))))
            }
            Ok(identity) => Ok(Caller::Session(identity)),
        }
    }

    /// Each way has memory of its own size: a poll that is held must not take that of a login.
    async fn run(self: Arc<Self>, request: Request) {
        if matches!(request.command.state, Support::NotYet) {
            return self.respond(&request, &Answer::fail(&request.command.not_yet()));
        }
        if let Caller::Session(identity) = &request.caller
            && (request.command.owner != Owner::Gateway || request.command.name == POLL)
            && !identity.logged_in()
            && let Err(why) = Box::pin(self.vouch(identity)).await
        {
            return self.respond(&request, &why.into());
        }
        if request.command.owner != Owner::Gateway {
            return match self.context.start_command() {
                Some(_place) => Box::pin(self.forward(request)).await,
                None => self.overloaded(&request),
            };
        }
        let answer = match request.command.name {
            LOGIN => return Box::pin(self.login(request)).await,
            "im_open_status.wslogout" => Box::pin(self.logout(&request)).await,
            "im_open_status.wshello" => Box::pin(self.hello(&request)).await,
            POLL | "group_open_long_polling_http_noauth_svc.get_msg" => {
                return Box::pin(self.poll(request)).await;
            }
            _ => Answer::fail(&request.command.not_yet()),
        };
        self.respond(&request, &answer);
    }

    /// Says that the server has more to do than it can, and asks the client to hold back.
    fn overloaded(&self, request: &Request) {
        self.context.metrics.refused("commands");
        // Not all at the same second.
        let delay = Duration::from_secs(rand::rng().random_range(2..=6));
        self.notify_overload(&request.echo.command(), delay);
        self.respond(request, &Answer::fail(&Code::OVERLOADED.into()));
    }

    /// Queues the answer to a request.
    pub(super) fn respond(&self, request: &Request, answer: &Answer) {
        request.answered(answer);
        self.answer(request.command, &request.echo, answer);
    }

    /// The same, after what waits until the client has caught up.
    pub(super) fn respond_in_order(self: &Arc<Self>, request: &Request, answer: &Answer) {
        request.answered(answer);
        self.context.metrics.command(request.command.name, answer.code);
        self.push(&frame::reply(request.echo.servcmd(), request.echo.seq, &answer.body));
    }

    pub(super) fn answer(&self, command: &'static Command, echo: &Echo, answer: &Answer) {
        self.answer_as(command.name, echo, answer);
    }

    fn answer_as(&self, name: &'static str, echo: &Echo, answer: &Answer) {
        self.context.metrics.command(name, answer.code);
        // A connection that is gone takes no answer, and asks again on the next one.
        let _ = self.outbox.control(&frame::reply(echo.servcmd(), echo.seq, &answer.body));
    }
}

/// A part of the frame, without a copy where it is one.
fn share(frame: &Bytes, part: &str) -> Bytes {
    let (frame_at, part_at) = (frame.as_ptr() as usize, part.as_ptr() as usize);
    let inside = part_at >= frame_at && part_at + part.len() <= frame_at + frame.len();
    if inside { frame.slice_ref(part.as_bytes()) } else { Bytes::copy_from_slice(part.as_bytes()) }
}

/// A frame that has no `servcmd` and `seq` to answer to breaks the protocol.
fn unreadable(error: &FrameError) -> Close {
    match error {
        FrameError::Compressed => {
            Close { code: 1003, text: "compressed frames are not accepted", reason: "compressed" }
        }
        FrameError::NotUtf8 => Close { code: 1007, text: "not UTF-8", reason: "not_utf8" },
        FrameError::NotJson(_) => Close { code: 1007, text: "not JSON", reason: "not_json" },
        FrameError::TooDeep => Close { code: 1008, text: "nested too deeply", reason: "too_deep" },
        FrameError::Field { .. } | FrameError::NoServcmd | FrameError::BadServcmd => {
            Close { code: 1008, text: "the head is not valid", reason: "bad_head" }
        }
    }
}
