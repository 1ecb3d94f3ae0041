use crate::browser::{Browser, Tab};
use crate::process::Shop;

const ADD_BOWL: &str = "#bowl button";
const ADD_MUG: &str = "#mug button";

#[test]
fn only_a_remembered_user_is_signed_in_after_a_restart_of_the_browser() {
    let (shop, profile) = (Shop::in_memory(), tempfile::tempdir().unwrap());
    let Some(mut browser) = Browser::start(profile.path()) else { return };
    // Two sites for the browser, each with its own cookie.
    let remembered = format!("{}/account", shop.url);
    let forgotten = remembered.replace("localhost", "127.0.0.1");
    for (url, remember) in [(&remembered, true), (&forgotten, false)] {
        let tab = browser.open(url);
        sign_in(&mut browser, &tab, remember);
        assert_eq!(browser.path(&tab), "/account");
    }
    browser.quit();

    let mut browser = Browser::start(profile.path()).unwrap();
    let tab = browser.open(&remembered);
    assert_eq!(browser.path(&tab), "/account");
    browser.go(&tab, &forgotten);
    assert_eq!(browser.path(&tab), "/sign-in");
}

/// One browser for all of these, because its start takes longest.
#[test]
fn pages_work_in_a_browser() {
    let (shop, profile) = (Shop::in_memory(), tempfile::tempdir().unwrap());
    let Some(mut browser) = Browser::start(profile.path()) else { return };
    sign_in_leads_to_the_wanted_page_and_sign_out_ends_it(&mut browser, &shop);
    message_after_a_redirect_is_shown_once_and_a_reload_sends_no_form(&mut browser, &shop);
    two_tabs_fill_one_cart(&mut browser, &shop);
    user_sees_two_devices_and_signs_out_everywhere(&mut browser, &shop);
}

fn sign_in_leads_to_the_wanted_page_and_sign_out_ends_it(browser: &mut Browser, shop: &Shop) {
    let account = format!("{}/account", shop.url);
    let tab = browser.open_private(&account);
    assert_eq!(browser.path(&tab), "/sign-in");
    sign_in(browser, &tab, false);
    assert_eq!(browser.path(&tab), "/account");
    assert!(browser.text(&tab).contains("Welcome, ann!"));
    browser.click(&tab, "header button");
    browser.go(&tab, &account);
    assert_eq!(browser.path(&tab), "/sign-in");
}

fn message_after_a_redirect_is_shown_once_and_a_reload_sends_no_form(
    browser: &mut Browser,
    shop: &Shop,
) {
    let tab = browser.open_private(&shop.url);
    browser.click(&tab, ADD_BOWL);
    assert!(browser.text(&tab).contains("Breakfast bowl is in your cart."));
    browser.reload(&tab);
    let text = browser.text(&tab);
    assert!(text.contains("Cart 1") && !text.contains("is in your cart."), "{text}");
}

fn two_tabs_fill_one_cart(browser: &mut Browser, shop: &Shop) {
    let one = browser.open_private(&shop.url);
    browser.click(&one, ADD_BOWL);
    let other = browser.open_beside(&one, &shop.url);
    browser.click(&other, ADD_MUG);
    browser.click(&one, ADD_BOWL);
    browser.go(&other, &format!("{}/cart", shop.url));
    let total = browser.evaluate(&other, "document.querySelector('#total').innerText");
    assert_eq!(total, "€ 66.00"); // two bowls and a mug
}

fn user_sees_two_devices_and_signs_out_everywhere(browser: &mut Browser, shop: &Shop) {
    let account = format!("{}/account", shop.url);
    let [laptop, phone] = [(); 2].map(|()| browser.open_private(&account));
    sign_in(browser, &laptop, false);
    sign_in(browser, &phone, true);
    browser.reload(&laptop);
    let text = browser.text(&laptop);
    assert_eq!(text.matches("Chrome on ").count(), 2, "{text}");
    browser.click(&laptop, "[action='/account/devices/end-all'] button");
    for tab in [&laptop, &phone] {
        browser.go(tab, &account);
        assert_eq!(browser.path(tab), "/sign-in");
    }
}

/// On the sign-in page.
fn sign_in(browser: &mut Browser, tab: &Tab, remember: bool) {
    browser.fill(tab, "[name=name]", "ann");
    browser.fill(tab, "[name=password]", "clay and fire");
    if remember {
        browser.check(tab, "[name=remember]");
    }
    browser.click(tab, "main button");
}
