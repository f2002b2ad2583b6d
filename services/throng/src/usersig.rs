//! `throng usersig`: signatures by hand.

use std::process::ExitCode;

use throng_node::time::now_seconds;
use throng_protocol::usersig::{sign, verify};

use crate::cli::UsersigCommand;

/// Signs or verifies; what is wrong with a signature goes to standard error.
pub(crate) fn run(command: UsersigCommand) -> ExitCode {
    match command {
        UsersigCommand::Sign { app, user, expire } => {
            println!(
                "{}",
                sign(app.id, &app.key, &user, now_seconds(), expire_seconds(expire), None)
            );
            ExitCode::SUCCESS
        }
        UsersigCommand::Verify { app, user, sig } => {
            match verify(&sig, app.id, &[app.key.as_str()], &user, now_seconds()) {
                Ok(verified) => {
                    println!("valid until {}", verified.expires_at);
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    eprintln!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

fn expire_seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
