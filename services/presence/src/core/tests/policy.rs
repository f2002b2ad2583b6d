//! Logins, kicks and what is remembered of them.

use super::*;

#[test]
fn the_oldest_login_makes_room_for_a_new_one() {
    let mut bench = Bench::new();
    let policy = Policy { web: 2, other: 1 };
    bench.register(Bench::login(1), policy);
    bench.register(Bench::login(2), policy);
    bench.join(1, &["a"]);
    bench.register(Bench::login(3), policy);
    assert_eq!(bench.kicks(), [(1, kick::OTHER_LOGIN)]);
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    bench.register(Bench::login(4), ONE);
    assert_eq!(bench.kicks()[1..], [(2, kick::OTHER_LOGIN), (3, kick::OTHER_LOGIN)]);
}

#[test]
fn a_session_without_a_connection_goes_before_one_that_has_one() {
    let mut bench = Bench::new();
    let policy = Policy { web: 2, other: 1 };
    bench.register(Bench::login(1), policy);
    bench.register(Bench::login(2), policy);
    bench.disconnect(2, &[], false);
    // A page that is loaded again and again must not push out the other tab.
    bench.register(Bench::login(3), policy);
    assert!(bench.kicks().is_empty(), "nobody is there to be told");
    assert_eq!(bench.come_back(2), Registered::Kicked(kick::OTHER_LOGIN));
    assert!(matches!(bench.come_back(1), Registered::Online { .. }));
}

#[test]
fn platforms_have_limits_of_their_own_and_the_web_family_shares_one() {
    let mut bench = Bench::new();
    let on = |inst_id, platform| Login { platform, ..Bench::login(inst_id) };
    bench.register(on(1, 7), ONE);
    bench.register(on(2, 2), ONE);
    bench.register(on(3, 3), ONE);
    assert!(bench.kicks().is_empty());
    bench.register(on(4, 8), ONE);
    assert_eq!(bench.kicks(), [(1, kick::OTHER_LOGIN)], "a mini-program counts as Web");
    bench.register(on(5, 2), ONE);
    assert_eq!(bench.kicks()[1..], [(2, kick::OTHER_LOGIN)]);
}

#[test]
fn who_was_kicked_while_away_is_told_on_return_and_on_hello() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), ONE);
    bench.disconnect(1, &[], false);
    bench.register(Bench::login(2), ONE);
    assert_eq!(bench.hello(1), Some(kick::OTHER_LOGIN));
    assert_eq!(bench.come_back(1), Registered::Kicked(kick::OTHER_LOGIN));
    bench.took();
    bench.join(1, &["a"]);
    bench.disconnect(1, &[room("a", 1)], false);
    assert!(bench.took().is_empty(), "what it does no longer counts");
    // The logout that follows a kick touches nobody else.
    bench.log_out(1);
    assert!(bench.index.has(APP, "ann", 2) && bench.took().is_empty());
    bench.hello(2);
    bench.pass(600_000);
    assert!(matches!(bench.come_back(1), Registered::Online { .. }), "long forgotten");
}

#[test]
fn logging_in_again_on_the_same_page_replaces_silently() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.join(1, &["a"]);
    let again = Login { instance: "instance1".into(), connection: 1, ..Bench::login(2) };
    bench.register(again, TEN);
    assert!(bench.kicks().is_empty(), "the kick would hit the new session");
    assert_eq!(bench.detached(), [(1, "a".to_owned())]);
    assert!(!bench.index.has(APP, "ann", 1));
}

#[test]
fn one_sdk_object_on_two_live_connections_is_the_same_device() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    let twin = Login { instance: "instance1".into(), connection: 9, ..Bench::login(2) };
    bench.register(twin, TEN);
    assert_eq!(bench.kicks(), [(1, kick::SAME_INSTANCE)]);
}

#[test]
fn an_administrator_puts_all_sessions_offline() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.disconnect(2, &[], false);
    let now = bench.now();
    bench.index.kick_user(now, APP, "ann", &mut bench.out);
    assert_eq!(bench.kicks(), [(1, kick::BY_REST)]);
    let saved = bench.stored();
    assert!(saved.iter().all(|(_, stored)| stored.state == StoredState::Kicked(kick::BY_REST)));
    assert_eq!(saved.len(), 2);
    let not_before = bench.out.iter().find_map(|effect| match effect {
        Effect::SaveUser { not_before, .. } => Some(*not_before),
        _ => None,
    });
    assert_eq!(not_before, Some(now.wall));
    // A session that was away for longer than anything remembers it by its token's age.
    let memory = || Memory { not_before: now.wall, custom_status: None, sessions: Vec::new() };
    let revoked = Login { fresh: false, issued_at: now.wall - 1, ..Bench::login(9) };
    bench.index.restore(now, APP, "ann", memory(), &mut bench.out);
    assert_eq!(bench.register(revoked, TEN), Registered::Kicked(kick::BY_REST));
    bench.index.restore(now, APP, "ann", memory(), &mut bench.out);
    let newer = Login { fresh: false, issued_at: now.wall, ..Bench::login(10) };
    assert!(matches!(bench.register(newer, TEN), Registered::Online { .. }));
}

#[test]
fn a_token_is_taken_at_its_word_when_nothing_is_known() {
    let mut bench = Bench::new();
    assert!(matches!(bench.come_back(1), Registered::Online { .. }));
    assert!(bench.index.has(APP, "ann", 1));
}

#[test]
fn what_is_remembered_of_a_user_is_bounded_in_the_store_as_well() {
    let mut bench = Bench::new();
    for inst_id in 1..200 {
        bench.register(Bench::login(inst_id), ONE);
    }
    assert_eq!(bench.stored().len(), 32, "kicked ones; the last one is online without rooms");
}

/// A token was good for ever: whoever had got hold of it could go on after its user logged out.
#[test]
fn a_token_is_worth_nothing_after_the_logout() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(9), TEN);
    bench.log_out(1);
    assert_eq!(bench.refused(1, WALL + 1), Some(kick::LOGGED_OUT));
    assert_eq!(bench.come_back(1), Registered::Kicked(kick::LOGGED_OUT));
    // Also where nothing is known of the session: presence was restarted in between.
    bench.log_out(2);
    let sessions = bench.stored();
    assert_eq!(sessions.len(), 2);
    let mut bench = Bench::new();
    let now = bench.now();
    let memory = Memory { not_before: 0, custom_status: None, sessions };
    bench.index.restore(now, APP, "ann", memory, &mut bench.out);
    assert_eq!(bench.come_back(2), Registered::Kicked(kick::LOGGED_OUT));
    assert!(bench.index.apps.is_empty());
}

/// Asked for requests that come before the login of their connection.
#[test]
fn asking_whether_a_session_may_go_on_changes_nothing() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), ONE);
    bench.register(Bench::login(2), ONE);
    bench.took();
    assert_eq!(bench.refused(1, WALL), Some(kick::OTHER_LOGIN));
    assert_eq!(bench.refused(2, WALL), None);
    assert_eq!(bench.refused(77, WALL), None, "taken at its word");
    assert!(bench.took().is_empty() && !bench.index.has(APP, "ann", 77));
}

/// No kick reached the older connection: it went on at the gateway that had it.
#[test]
fn the_gateway_of_an_older_connection_is_told_that_the_session_moved() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.come_back(1);
    assert!(bench.kicks().is_empty(), "the same gateway sees it by itself");
    let moved = Login { gateway: Arc::from("g2"), fresh: false, ..Bench::login(1) };
    bench.register(moved, TEN);
    assert_eq!(bench.kicks(), [(1, kick::MOVED)]);
    assert!(bench.detached().is_empty() && bench.index.has(APP, "ann", 1));
}

/// It went on at the other gateway with a token that was worth nothing.
#[test]
fn a_logout_on_one_connection_ends_the_session_on_another() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Login { gateway: Arc::from("g2"), fresh: false, ..Bench::login(1) }, TEN);
    bench.took();
    bench.log_out(1);
    assert_eq!(bench.kicks(), [(1, kick::LOGGED_OUT)]);
    assert!(!bench.index.has(APP, "ann", 1));
}
