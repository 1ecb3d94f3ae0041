//! The page for people.

use serde_json::json;

use crate::program::one_of_each_store;

#[test]
fn an_anonymous_visit_shows_the_page_and_leaves_nothing() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        for _ in 0..2 {
            let page = visitor.get("/");
            page.assert_status(200);
            assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
            assert!(page.set_cookie().is_none());
            assert!(page.body.contains("Hello, stranger"), "{}", page.body);
        }
    }
}

#[test]
fn every_form_answers_with_a_redirect_to_the_page() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        for (path, form) in [
            ("/values", "name=cart&value=%5B7%5D"),
            ("/values", "name=note&value=a+b"),
            ("/sign-in", "user=ann"),
            ("/values/remove", "name=note"),
        ] {
            let answer = visitor.submit(path, form);
            answer.assert_status(303);
            assert_eq!(answer.headers["location"], "/");
        }
        assert_eq!(visitor.data(), json!({ "cart": [7], "user": "ann" }));
        let page = visitor.get("/").body;
        assert!(page.contains("Hello, ann") && page.contains("[7]"), "{page}");
        assert_eq!(visitor.data()["visits"], json!(1), "the visits of a known visitor count");

        let signed_out = visitor.submit("/sign-out", "");
        signed_out.assert_status(303);
        assert_eq!(visitor.cookie(), None);
        assert!(visitor.get("/").body.contains("Hello, stranger"));
    }
}

#[test]
fn signing_in_changes_the_cookie() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.submit("/values", "name=cart&value=7").assert_status(303);
        let before = visitor.cookie();
        visitor.submit("/sign-in", "user=ann").assert_status(303);
        assert_ne!(visitor.cookie(), before);
        assert_eq!(demo.visitor().with_cookie(before).data(), json!({}));
    }
}

#[test]
fn markup_in_names_and_values_stays_text() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        let evil = "<script>alert(\"'&\")</script>";
        let form = "%3Cscript%3Ealert(%22'%26%22)%3C/script%3E";
        visitor.submit("/values", &format!("name={form}&value={form}")).assert_status(303);
        visitor.submit("/values", &format!("name=nested&value=%5B%22{form}")).assert_status(303);
        visitor.put("/api/session/list", &json!([{ evil: evil }]).to_string()).assert_status(204);
        visitor.submit("/sign-in", &format!("user={form}")).assert_status(303);
        assert_eq!(visitor.data()[evil], json!(evil));
        let page = visitor.get("/");
        assert!(
            !page.body.contains("<script") && page.body.contains("&lt;script"),
            "{}",
            page.body
        );
        assert!(!page.body.contains("(\"'"), "no quote ends an attribute: {}", page.body);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
    }
}

#[test]
fn forms_that_lack_something_change_nothing() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.submit("/values", "name=&value=1").assert_status(303);
        visitor.submit("/sign-in", "user=++").assert_status(303);
        visitor.submit("/values/remove", "name=nothing").assert_status(303);
        visitor.submit("/sign-out", "").assert_status(303);
        for (path, form) in [("/values", "name=a"), ("/values", ""), ("/sign-in", "name=ann")] {
            visitor.submit(path, form).assert_status(422);
        }
        visitor.post("/values", "{\"name\": \"a\", \"value\": \"1\"}").assert_status(415);
        assert_eq!(visitor.cookie(), None);
    }
}
