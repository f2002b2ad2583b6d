//! What other services ask, and that every row of the catalogue has its handler.

use throng_proto::v1;
use throng_protocol::catalogue::{self, Owner, Support};

use crate::fixture::{ADMIN, APP, Fixture};

#[tokio::test]
async fn an_app_is_found_with_its_limits_or_not_at_all() {
    let f = Fixture::new();
    let found = f.client.clone().get_app(v1::GetAppRequest { app: APP.0 }).await.unwrap();
    let settings = found.into_inner();
    assert_eq!((settings.keys, settings.admins), (vec!["key".to_owned()], vec![ADMIN.to_owned()]));
    assert_eq!(settings.rooms.unwrap().messages_per_second, 40);
    let unknown = f.client.clone().get_app(v1::GetAppRequest { app: 7 }).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn the_demo_app_is_served_after_a_restart() {
    let f = Fixture::new();
    let (app, key) = f.directory.ensure_demo_app().await.unwrap();
    let restarted = Fixture::over(f.store.clone(), f.bus.clone());
    let found = restarted.client.clone().get_app(v1::GetAppRequest { app: app.0 }).await.unwrap();
    assert_eq!(found.into_inner().keys, [key]);
}

#[tokio::test]
async fn existing_accounts_are_told_from_others_in_order() {
    let f = Fixture::new();
    f.account("ann").await;
    f.account("bob").await;
    let long = "x".repeat(100_000);
    let users = ["bob", "nobody", ADMIN, "", &long, "ann"].map(str::to_owned).to_vec();
    let request = v1::FilterAccountsRequest { app: APP.0, users };
    let reply = f.client.clone().filter_accounts(request).await.unwrap().into_inner();
    assert_eq!(reply.users, ["bob", ADMIN, "ann"]);
    let bad = v1::EnsureAccountRequest { app: APP.0, user: String::new(), issued_at: 0 };
    let refused = f.client.clone().ensure_account(bad).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn every_command_of_the_catalogue_has_its_handler() {
    let f = Fixture::new();
    let own = catalogue::commands().filter(|command| command.owner == Owner::Directory);
    for command in own {
        let answer = f.rest(command.name, "{}").await;
        let code = u32::try_from(answer["ErrorCode"].as_u64().unwrap()).unwrap();
        let missing = code == command.not_yet().code.number() || code == 60009;
        assert_eq!(missing, command.state == Support::NotYet, "{}: {answer}", command.name);
    }
}
