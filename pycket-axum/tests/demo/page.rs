//! The page for browsers.

use serde_json::json;

use crate::program::one_of_each_store;

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
