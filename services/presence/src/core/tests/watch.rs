//! Subscriptions, and the way back from a user to those who watch it.

use super::*;

fn names(users: &[&str]) -> Vec<String> {
    users.iter().map(|user| (*user).to_owned()).collect()
}

impl Bench {
    fn subscribe(&mut self, inst_id: u32, users: &[&str]) {
        let now = self.now();
        self.index.subscribe(now, (APP, "ann"), inst_id, &names(users), &mut self.out);
    }

    fn unsubscribe(&mut self, inst_id: u32, users: Option<&[&str]>) {
        let now = self.now();
        let users = users.map(names);
        let users = users.as_deref();
        self.index.unsubscribe(now, (APP, "ann"), inst_id, users, &mut self.out);
    }

    /// Which sessions watch this user after all that happened.
    fn watchers(&self, user: &str) -> Vec<u32> {
        let watch = self.watch();
        let mut watchers: Vec<_> =
            watch.watchers(APP, user).iter().map(|session| session.inst_id).collect();
        watchers.sort_unstable();
        watchers
    }

    fn watch(&self) -> Watch {
        let mut watch = Watch::default();
        for effect in &self.out {
            match effect {
                Effect::Watch { session, users } => watch.add(session, users.clone()),
                Effect::Unwatch { session, users } => watch.remove(session, users.clone()),
                _ => {}
            }
        }
        watch
    }
}

#[test]
fn a_session_hears_of_whom_it_watches_until_it_ends() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.register(Bench::login(2), TEN);
    bench.subscribe(1, &["bob", "cid", "bob"]);
    bench.subscribe(2, &["bob"]);
    bench.subscribe(77, &["bob"]);
    assert_eq!(bench.watchers("bob"), [1, 2], "one that is not there watches nobody");
    bench.unsubscribe(1, Some(&["bob", "nobody"]));
    assert_eq!((bench.watchers("bob"), bench.watchers("cid")), (vec![2], vec![1]));
    bench.unsubscribe(2, None);
    bench.log_out(1);
    assert!(bench.watch().is_empty());
    let watched = bench.stored().into_iter().flat_map(|(_, stored)| stored.watching);
    assert_eq!(watched.count(), 0);
}

#[test]
fn the_oldest_subscription_makes_room() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.subscribe(1, &["a", "b", "c"]);
    assert!(bench.watchers("a").is_empty());
    assert_eq!(bench.watchers("c"), [1]);
}

#[test]
fn subscriptions_outlive_a_grace_period_and_a_restart() {
    let mut bench = Bench::new();
    bench.register(Bench::login(1), TEN);
    bench.subscribe(1, &["bob"]);
    let mut after = bench.restart();
    after.retell(Bench::login(2), &[], TEN);
    assert_eq!(after.watchers("bob"), [1]);
    after.disconnect(1, &[], false);
    after.pass(GRACE);
    assert!(after.watchers("bob").is_empty());
    after.come_back(1);
    assert_eq!(after.watchers("bob"), [1], "it does not subscribe again by itself");
}
