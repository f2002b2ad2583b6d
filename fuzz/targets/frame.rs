//! A client's frame: whatever comes, it is taken apart or refused; and what is taken apart can be
//! answered with a frame that is valid JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use throng_protocol::catalogue;
use throng_protocol::frame::{self, RequestFrame};

fuzz_target!(|input: &[u8]| {
    let Ok(request) = RequestFrame::parse(input) else {
        return;
    };
    let (service, command) = request.head.service_and_command();
    if catalogue::lookup(service, command).is_none() {
        assert!(catalogue::unknown(service, command).info.len() < 1000);
    }
    let answer = frame::reply(
        &request.head.servcmd,
        request.head.seq,
        request.body.get().as_bytes(),
    );
    let echo = RequestFrame::parse(&answer).expect("an answer has a request's form");
    assert_eq!(echo.head.servcmd, request.head.servcmd);
    assert_eq!(echo.head.seq, request.head.seq);
    assert_eq!(echo.body.get(), request.body.get());
});
