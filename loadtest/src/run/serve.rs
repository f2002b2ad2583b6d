//! What sockets bring: connections that stand, frames, and ends.

use std::rc::Rc;

use mio::event::Event;

use super::connection::{Got, Stage};
use super::worker::Worker;
use crate::check::Delivery;
use crate::client::inbound::{Inbound, ItemKind, Push};
use crate::client::websocket::{Frame, Kind, ProtocolError, next_frame, take_handshake};

/// Why a line ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Protocol(#[from] ProtocolError),
    #[error("closed by the server: {0}")]
    Closed(String),
    #[error("closed by the server without a word")]
    End,
}

impl Worker {
    /// Serves one socket.
    pub(super) fn serve(&mut self, event: &Event) {
        let local = event.token().0;
        if let Err(why) = self.serve_line(local, event) {
            let text = match &why {
                // Numbers in the system's texts are always the same.
                Broken::Io(error) => format!("line broke: {}", error.kind()),
                other => format!("line broke: {other}"),
            };
            self.trouble(text);
            self.broken(local);
        }
    }

    fn serve_line(&mut self, local: usize, event: &Event) -> Result<(), Broken> {
        let Some(line) = &mut self.clients[local].line else {
            return Ok(());
        };
        if line.stage == Stage::Dialling {
            if !line.is_connected()? {
                return Ok(());
            }
            line.stage = Stage::Shaking;
            let client = &self.clients[local];
            let random = u32::try_from(self.now % 1_000_000_007).unwrap_or(0);
            let gateway = &self.shared.gateways[client.gateway.number()];
            client.session.connected(&self.shared.common, &gateway.host, random, &mut self.out);
            self.write_out(local);
        } else if event.is_writable() {
            line.flush()?;
        }
        if event.is_readable() || event.is_read_closed() {
            self.read(local, event.is_read_closed())?;
        }
        Ok(())
    }

    /// Reads all there is. The system tells of new bytes only once.
    fn read(&mut self, local: usize, to_the_end: bool) -> Result<(), Broken> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.read_into(local, &mut scratch, to_the_end);
        self.scratch = scratch;
        result
    }

    fn read_into(
        &mut self,
        local: usize,
        scratch: &mut Vec<u8>,
        to_the_end: bool,
    ) -> Result<(), Broken> {
        loop {
            let Some(line) = &mut self.clients[local].line else {
                return Ok(());
            };
            match line.read(scratch)? {
                Got::Nothing => return Ok(()),
                Got::End => return Err(Broken::End),
                Got::Bytes(count, more) => {
                    let used = self.consume(local, &scratch[..count])?;
                    if let Some(line) = &mut self.clients[local].line {
                        line.keep(&scratch[used..count]);
                    }
                    if !(more || to_the_end) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes whole frames out of the bytes, and tells how many bytes they were.
    fn consume(&mut self, local: usize, bytes: &[u8]) -> Result<usize, Broken> {
        let mut used = 0;
        let coarse = self.shared.clock.coarse(self.now);
        let client = &mut self.clients[local];
        client.session.heard(coarse);
        if let Some(line) = &mut client.line
            && line.stage == Stage::Shaking
        {
            let Some(head) = take_handshake(bytes)? else {
                return Ok(0);
            };
            used = head;
            line.stage = Stage::Open;
            client.gateway.reached();
            client.seats.iter_mut().for_each(|seat| seat.member.line_opened());
            client.session.opened(&self.shared.common, coarse, &mut self.out);
            self.write_out(local);
        }
        while let Some(frame) = next_frame(&bytes[used..])? {
            used += frame.taken;
            self.frame(local, &frame)?;
            if self.clients[local].line.is_none() {
                return Ok(bytes.len());
            }
        }
        Ok(used)
    }

    fn frame(&mut self, local: usize, frame: &Frame<'_>) -> Result<(), Broken> {
        match frame.kind {
            Kind::Ping => {
                self.out.frame(Kind::Pong, frame.payload);
                self.write_out(local);
            }
            Kind::Pong => {}
            Kind::Close => {
                let reason = frame.payload.get(2..).unwrap_or_default();
                return Err(Broken::Closed(String::from_utf8_lossy(reason).into_owned()));
            }
            Kind::Text | Kind::Binary => match self.reader.read(frame.payload) {
                Ok(Inbound::Push(push)) => self.pushed(local, &push),
                Ok(Inbound::Answer(answer)) => {
                    let coarse = self.shared.clock.coarse(self.now);
                    let client = &mut self.clients[local];
                    let common = &self.shared.common;
                    let happened = client.session.answered(common, answer, coarse, &mut self.out);
                    self.write_out(local);
                    if let Some(happened) = happened {
                        self.react(local, happened);
                        self.carry_on(local);
                    }
                }
                Err(error) => self.trouble(format!("unreadable frame: {error}")),
            },
        }
        Ok(())
    }

    fn pushed(&mut self, local: usize, push: &Rc<Push>) {
        if let Some(mark) = &push.ack {
            let coarse = self.shared.clock.coarse(self.now);
            let client = &mut self.clients[local];
            client.session.acknowledge(&self.shared.common, mark, coarse, &mut self.out);
            self.write_out(local);
        }
        for item in &push.items {
            let Some(room) = item.room else {
                continue;
            };
            let Some(witness) = self.outcome.witnesses.get_mut(room as usize) else {
                continue;
            };
            match item.kind {
                ItemKind::Notice => {}
                ItemKind::Tip => witness.tip(item.seq),
                ItemKind::Message => {
                    let number = item.random.wrapping_sub(1) as usize;
                    let message = self.shared.plan.messages.get(number);
                    let message = message.filter(|it| it.room == room);
                    let member = self.clients[local].member(room);
                    let (Some(message), Some(member)) = (message, member) else {
                        witness.invented();
                        continue;
                    };
                    witness.message(message.place, item.seq);
                    let delivery = member.take(message.place, item.seq);
                    if matches!(delivery, Delivery::New | Delivery::Reordered) {
                        let latency =
                            self.now.saturating_sub(self.start.saturating_add(message.at));
                        self.last_stir = self.now;
                        self.tick.delivered += 1;
                        self.tick.delivery.record(latency);
                        if message.at >= self.shared.plan.measured_from {
                            self.outcome.delivery.record(latency);
                        }
                    }
                }
            }
        }
        if push.kicked {
            self.trouble("kicked by the server".to_owned());
            self.give_up(local);
        }
    }
}
