//! The page for browsers.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::client::{Client, Response};
use crate::program::{Demo, one_of_each_store};

/// Follows a redirect of a form and returns the page.
fn follow(client: &Client, response: &Response) -> String {
    response.assert_status(303);
    let page = client.get(response.headers["location"].to_str().unwrap());
    page.assert_status(200);
    page.body
}

/// Asserts that the page shows this message and no other.
#[track_caller]
fn assert_message(page: &str, message: &str) {
    assert_eq!(page.matches("role=\"status\"").count(), 1, "{page}");
    assert!(page.contains(&format!("role=\"status\">{message}</div>")), "{page}");
}

#[test]
fn anonymous_request_shows_the_page_and_sets_no_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        for _ in 0..2 {
            let page = client.get("/");
            page.assert_status(200);
            assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
            assert!(page.set_cookie().is_none());
            assert!(page.body.contains("Hello, stranger"), "{}", page.body);
        }
    }
}

#[test]
fn each_form_redirects_to_the_page() {
    for demo in one_of_each_store() {
        let client = demo.client();
        for (path, form) in [
            ("/values", "name=cart&value=%5B7%5D"),
            ("/values", "name=note&value=a+b"),
            ("/sign-in", "user=ann"),
            ("/values/remove", "name=note"),
        ] {
            let response = client.submit(path, form);
            response.assert_status(303);
            assert_eq!(response.headers["location"], "/");
        }
        assert_eq!(client.data(), json!({ "cart": [7], "user": "ann" }));
        let page = client.get("/").body;
        assert!(page.contains("Hello, ann") && page.contains("[7]"), "{page}");
        assert_eq!(client.data()["visits"], json!(1), "visits with a session are counted");

        let signed_out = client.submit("/sign-out", "");
        signed_out.assert_status(303);
        assert_eq!(client.cookie(), None);
        assert!(client.get("/").body.contains("Hello, stranger"));
    }
}

#[test]
fn sign_in_changes_the_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/values", "name=cart&value=7").assert_status(303);
        let before = client.cookie();
        client.submit("/sign-in", "user=ann").assert_status(303);
        assert_ne!(client.cookie(), before);
        assert_eq!(demo.client().with_cookie(before).data(), json!({}));
    }
}

#[test]
fn markup_in_names_and_values_is_escaped() {
    for demo in one_of_each_store() {
        let client = demo.client();
        let evil = "<script>alert(\"'&\")</script>";
        let form = "%3Cscript%3Ealert(%22'%26%22)%3C/script%3E";
        client.submit("/values", &format!("name={form}&value={form}")).assert_status(303);
        client.submit("/values", &format!("name=nested&value=%5B%22{form}")).assert_status(303);
        client.put("/api/session/list", &json!([{ evil: evil }]).to_string()).assert_status(204);
        client.submit("/sign-in", &format!("user={form}")).assert_status(303);
        assert_eq!(client.data()[evil], json!(evil));
        let page = client.get("/");
        assert!(
            !page.body.contains("<script") && page.body.contains("&lt;script"),
            "{}",
            page.body
        );
        assert!(!page.body.contains("(\"'"), "quotes are escaped: {}", page.body);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
    }
}

#[test]
fn incomplete_form_changes_nothing() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/values", "name=&value=1").assert_status(303);
        client.submit("/sign-in", "user=++").assert_status(303);
        client.submit("/values/remove", "name=nothing").assert_status(303);
        client.submit("/sign-out", "").assert_status(303);
        for (path, form) in [("/values", "name=a"), ("/values", ""), ("/sign-in", "name=ann")] {
            client.submit(path, form).assert_status(422);
        }
        client.post("/values", "{\"name\": \"a\", \"value\": \"1\"}").assert_status(415);
        assert_eq!(client.cookie(), None);
    }
}

#[test]
fn sign_out_leaves_a_message_but_no_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/sign-in", "user=ann").assert_status(303);
        let signed_out = client.submit("/sign-out", "");
        assert_eq!(client.cookie(), None);
        let message = "You are signed out. The server has deleted your session.";
        assert_message(&follow(&client, &signed_out), message);
        assert_eq!(client.cookie(), None);

        client.submit("/sign-in", "user=ann").assert_status(303);
        client.get("/");
        let later = follow(&client, &signed_out);
        assert!(!later.contains("signed out"), "a signed-in user went back: {later}");
    }
}

#[test]
fn click_in_a_stale_tab_says_that_the_session_has_ended() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/values", "name=note&value=1").assert_status(303);
        let stale = demo.client().with_cookie(client.cookie());
        client.submit("/sign-out", "").assert_status(303);

        let message = "Your session has ended. Nothing was changed.";
        for client in [&client, &stale] {
            for (path, form) in [("/values/remove", "name=note"), ("/sign-out", "")] {
                let response = client.submit(path, form);
                assert_message(&follow(client, &response), message);
                assert_eq!(client.data(), json!({}));
            }
        }
        assert_eq!(client.cookie(), None);
        let set = stale.submit("/values", "name=note&value=2");
        assert_message(&follow(&stale, &set), "note is set. This started a new session.");
        let set = stale.submit("/values", "name=note&value=3");
        assert_message(&follow(&stale, &set), "note is set.");
    }
}

#[test]
fn value_that_another_tab_removed_is_reported_as_removed() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/sign-in", "user=ann").assert_status(303);
        client.submit("/values", "name=note&value=1").assert_status(303);
        client.get("/");
        let removed = client.submit("/values/remove", "name=note");
        assert_message(&follow(&client, &removed), "note is removed.");
        let again = client.submit("/values/remove", "name=note");
        assert_message(&follow(&client, &again), "This value was already removed.");
    }
}

#[test]
fn form_whose_session_ends_while_it_is_sent_says_so() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/values", "name=note&value=1").assert_status(303);
        let cookie = client.cookie().unwrap();
        let form = "name=note&value=2";
        let mut stream = TcpStream::connect(demo.address()).unwrap();
        write!(
            stream,
            "POST /values HTTP/1.1\r\nhost: demo\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
             expect: 100-continue\r\n\r\n",
            form.len()
        )
        .unwrap();
        // The server asks for the form after it has loaded the session.
        let mut head = [0; 25];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 100 Continue\r\n\r\n");
        client.submit("/sign-out", "").assert_status(303);
        stream.write_all(form.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.contains("location: /?session-ended\r\n"), "{response}");
        assert_eq!(client.data(), json!({}));
    }
}

#[test]
fn empty_name_is_asked_for_and_an_unknown_query_is_ignored() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    for (path, form) in [("/values", "name=&value=1"), ("/sign-in", "user=++")] {
        let page = follow(&client, &client.submit(path, form));
        assert_message(&page, "Enter a name. Nothing was changed.");
    }
    for query in ["", "x", "%FF", "signed-out&signed-out", "%3Cscript%3E", "signed-out=1"] {
        let page = client.get(&format!("/?{query}"));
        page.assert_status(200);
        assert!(!page.body.contains("role=\"status\""), "{query}: {}", page.body);
    }
    assert_eq!(client.cookie(), None);
}

#[test]
fn visits_that_are_no_number_do_not_lock_the_client_out() {
    for demo in one_of_each_store() {
        for value in ["x", "null", "[1]", "\"7\""] {
            let client = demo.client();
            let set = client.submit("/values", &format!("name=visits&value={value}"));
            let page = follow(&client, &set);
            assert!(page.contains("<dt>Visits</dt><dd>not a number</dd>"), "{value}: {page}");
            let signed_out = follow(&client, &client.submit("/sign-out", ""));
            assert!(signed_out.contains("You are signed out."), "{value}: {signed_out}");
        }
    }
}

#[test]
fn number_of_visits_is_shown_beside_its_label() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    client.submit("/values", "name=note&value=1").assert_status(303);
    for visits in 1..=3 {
        let page = client.get("/").body;
        assert!(page.contains(&format!("<dt>Visits</dt><dd>{visits}</dd>")), "{page}");
    }
}

#[test]
fn long_texts_are_shortened_until_the_user_opens_them() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    let long = "ä".repeat(300);
    let set = client.submit("/values", &format!("name={long}&value={long}"));
    let beginning = "ä".repeat(40);
    assert_message(
        &follow(&client, &set),
        &format!("{beginning}… is set. This started a new session."),
    );
    client.submit("/sign-in", &format!("user={long}")).assert_status(303);
    let page = client.get("/").body;
    assert!(page.contains(&format!("<h2>Hello, {beginning}…</h2>")), "{page}");
    assert!(page.contains(&format!("aria-label=\"Remove {beginning}…\"")), "{page}");
    let collapsed = format!("<details><summary>{}…</summary>{long}</details>", "ä".repeat(120));
    assert_eq!(page.matches(&collapsed).count(), 3, "a name, its value and the user");
}

#[test]
fn page_contains_its_icon_and_all_it_needs() {
    let demo = Demo::start(&[]);
    let page = demo.client().get("/");
    assert!(page.body.contains("<link rel=\"icon\" href=\"data:image/svg+xml,"), "{}", page.body);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("img-src data:;"), "{policy}");
    for part in page.body.split([' ', ';', '{']) {
        let elsewhere = part.starts_with("src=\"") && !part.starts_with("src=\"data:");
        assert!(!elsewhere && !part.contains("url(") && !part.contains("@import"), "{part}");
    }
}

#[test]
fn each_visible_field_is_inside_its_label() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    client.submit("/values", "name=note&value=1").assert_status(303);
    let page = client.get("/").body;
    let mut fields = 0;
    for (at, _) in page.match_indices("<input") {
        if page[at..].starts_with("<input type=\"hidden\"") {
            continue;
        }
        fields += 1;
        let label = page[..at].rfind("<label").unwrap();
        let end = at + page[at..].find("</label>").unwrap();
        assert!(!page[label..at].contains("</label>"), "{}", &page[label..end]);
        assert!(!page[at + 1..end].contains("<input"), "{}", &page[label..end]);
    }
    assert_eq!(fields, 4, "name and checkbox of the sign-in, name and value of a value");
}

/// The colors of the style sheet, `--name: #rrggbb`, in its order: those of the light scheme, then those of the
/// dark one.
fn colors(page: &str) -> [Vec<(&str, [u8; 3])>; 2] {
    let colors = page.split("--").filter_map(|part| {
        let (name, rest) = part.split_once(": #")?;
        let byte = |at| u8::from_str_radix(&rest[at..at + 2], 16).unwrap();
        Some((name, [byte(0), byte(2), byte(4)]))
    });
    let mut light: Vec<_> = colors.collect();
    let dark = light.split_off(light.len() / 2);
    [light, dark]
}

/// The contrast ratio of WCAG 2.
fn contrast(one: [u8; 3], two: [u8; 3]) -> f64 {
    let luminance = |color: [u8; 3]| {
        let [red, green, blue] = color.map(|byte| match f64::from(byte) / 255.0 {
            dark if dark <= 0.04045 => dark / 12.92,
            bright => ((bright + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, two) = (luminance(one), luminance(two));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

#[test]
fn texts_and_placeholders_have_contrast_in_light_and_dark() {
    let demo = Demo::start(&[]);
    let page = demo.client().get("/").body;
    let colors = colors(&page);
    let names = |scheme: &[(&str, _)]| scheme.iter().map(|(name, _)| (*name).to_owned()).collect();
    let [light, dark]: [Vec<String>; 2] = colors.each_ref().map(|scheme| names(scheme));
    assert_eq!(light, dark);
    assert!(page.contains("::placeholder { color: var(--quiet); opacity: 1; }"), "{page}");
    for (scheme, colors) in ["light", "dark"].into_iter().zip(&colors) {
        let color = |name: &str| colors.iter().find(|(known, _)| *known == name).unwrap().1;
        for (text, background, least) in [
            ("ink", "page", 4.5),
            ("ink", "card", 4.5),
            ("ink", "message", 4.5),
            ("quiet", "page", 4.5),
            ("quiet", "card", 4.5),
            ("quiet", "message", 4.5),
            ("accent", "page", 4.5),
            ("on-accent", "accent", 4.5),
            // Borders of fields, and the outline of what has the focus.
            ("border", "card", 3.0),
            ("accent", "card", 3.0),
        ] {
            let contrast = contrast(color(text), color(background));
            assert!(contrast >= least, "{scheme}: {text} on {background}: {contrast:.2}");
        }
    }
}
