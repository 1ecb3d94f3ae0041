use std::thread;

use pycket_testkit::servers::Server;

use crate::client::Client;
use crate::process::Shop;

const BOWL: &str = "article=bowl&by=1&from=/";

/// Runs a test on a shop with its sessions in memory, and on one with its sessions in Redis.
fn on_each_store(test: fn(&Shop)) {
    test(&Shop::in_memory());
    test(&Shop::on(&Server::redis()));
}

/// The public handles of the other devices, as the page has them.
fn other_devices(account: &str) -> Vec<&str> {
    let parts = account.split("name=\"handle\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap()).collect()
}

#[test]
fn client_that_only_looks_gets_no_cookie() {
    let shop = Shop::in_memory();
    let client = Client::new(&shop.url);
    assert!(client.get("/").contains("Teapot for two"));
    assert!(client.get("/sign-in").contains("Remember me"));
    assert_eq!(client.cookie(), None);
}

#[test]
fn message_is_shown_once_and_only_to_the_client_that_caused_it() {
    on_each_store(|shop| {
        let (ann, bob) = (Client::new(&shop.url), Client::new(&shop.url));
        assert!(ann.submit("/cart/change", BOWL).contains("Breakfast bowl is in your cart."));
        assert!(!ann.get("/").contains("is in your cart."));
        assert!(!bob.get("/").contains("id=\"cart-size\""));
    });
}

#[test]
fn two_tabs_and_a_sign_in_lose_no_article() {
    on_each_store(|shop| {
        let client = Client::new(&shop.url);
        client.submit("/cart/change", BOWL);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..10).for_each(|_| drop(client.submit("/cart/change", BOWL))));
            }
        });
        assert!(client.sign_in("ann").contains("Welcome, ann!"));
        assert!(client.get("/cart").contains("<output>21</output>"));
    });
}

#[test]
fn saved_article_moves_back_into_the_cart() {
    let shop = Shop::in_memory();
    let client = Client::new(&shop.url);
    client.submit("/cart/change", "article=bowl&by=3");
    let cart = client.submit("/cart/later", "article=bowl");
    assert!(cart.contains("It is empty.") && cart.contains("Breakfast bowl × 3"));
    client.submit("/cart/change", BOWL);
    assert!(client.submit("/cart/back", "article=bowl").contains("<output>4</output>"));
}

#[test]
fn order_asks_for_the_sign_in_and_a_double_click_orders_once() {
    on_each_store(|shop| {
        let client = Client::new(&shop.url);
        client.submit("/cart/change", BOWL);
        assert!(client.submit("/order", "").contains("<h1>Sign in</h1>"));
        client.sign_in("ann");
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| client.submit("/order", ""));
            }
        });
        let account = client.get("/account");
        assert_eq!(account.matches("1 × Breakfast bowl").count(), 1, "{account}");
    });
}

#[test]
fn wrong_password_keeps_the_wanted_page_and_stores_nothing() {
    let shop = Shop::in_memory();
    let client = Client::new(&shop.url);
    let (status, page) = client.try_submit("/sign-in", "name=ann&password=wrong&next=/cart");
    assert_eq!(status, 401);
    assert!(page.contains("The name or the password is wrong."));
    assert!(page.contains("name=\"next\" value=\"/cart\""));
    assert_eq!(client.cookie(), None);
}

#[test]
fn sign_in_leads_to_the_wanted_page_and_never_to_another_site() {
    let shop = Shop::in_memory();
    let client = Client::new(&shop.url);
    assert!(client.get("/account").contains("name=\"next\" value=\"/account\""));
    let form = |next: &str| format!("name=ann&password=clay+and+fire&next={next}");
    assert!(client.submit("/sign-in", &form("/account")).contains("Your devices"));
    assert!(client.submit("/sign-in", &form("//example.org/")).contains("Tableware from our kiln"));
}

#[test]
fn user_ends_one_device_and_then_all_and_no_session_of_others() {
    on_each_store(|shop| {
        let [laptop, phone, tablet, bob] = std::array::from_fn(|_| Client::new(&shop.url));
        for client in [&laptop, &phone, &tablet] {
            client.sign_in("ann");
        }
        bob.sign_in("bob");
        let account = laptop.get("/account");
        let others = other_devices(&account);
        assert_eq!(others.len(), 2, "{account}");
        assert!(account.contains("Firefox on Linux"));

        // Bob cannot end a device of Ann.
        let form = format!("handle={}", others[0]);
        assert!(bob.submit("/account/devices/end", &form).contains("was already signed out"));
        assert!(laptop.submit("/account/devices/end", &form).contains("The device is signed out."));
        let are_signed_in = || [&phone, &tablet].map(|it| it.get("/").contains("Sign out"));
        assert_eq!(are_signed_in().iter().filter(|it| **it).count(), 1);

        laptop.submit("/account/devices/end-all", "");
        assert_eq!(are_signed_in(), [false, false]);
        assert_eq!(laptop.cookie(), None);
        assert!(bob.get("/").contains("Sign out"));
    });
}

#[test]
fn form_of_another_site_is_refused() {
    let shop = Shop::in_memory();
    let client = Client::new(&shop.url);
    client.sign_in("ann");
    assert_eq!(client.submit_from_another_site("/sign-out", ""), 403);
    assert!(client.get("/").contains("Sign out"));
}

#[test]
fn sessions_in_redis_survive_a_restart_of_the_shop() {
    let redis = Server::redis();
    let secret = "a secret of at least thirty-two bytes";
    let [old, new] = std::array::from_fn(|_| Shop::with_secret(&redis, secret));
    let client = Client::new(&old.url);
    client.sign_in("ann");
    drop(old);
    assert!(client.at(&new.url).get("/account").contains("Hello, ann"));
}
