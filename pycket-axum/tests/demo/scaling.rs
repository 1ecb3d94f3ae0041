//! The demo over Redis on several servers.

use pycket_testkit::Server;

use crate::program::Demo;

/// Visitors come, log in, which takes what they have to another key, and are known.
fn assert_is_served(arguments: &[&str]) {
    let demo = Demo::start(arguments);
    for _ in 0..5 {
        let visitor = demo.visitor();
        visitor.put("/api/session/cart", "\"pear\"").assert_status(204);
        let before = visitor.cookie();
        visitor.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        assert_ne!(visitor.cookie(), before);
        let answer = visitor.get("/api/session");
        answer.assert_status(200);
        assert!(answer.body.contains("pear") && answer.body.contains("ann"), "{}", answer.body);
    }
}

#[test]
fn a_cluster_is_named_by_some_of_its_nodes() {
    let cluster = Server::redis_cluster(3);
    let [one, two, three] = cluster.nodes() else { panic!("three were asked for") };
    assert_is_served(&["--store", &cluster.url()]);
    assert_is_served(&["--store", &format!("redis+cluster://{}", two.address())]);
    assert_is_served(&["--store", &format!("{},{}", one.url(), three.url())]);
}

#[test]
fn a_watched_primary_is_named_by_its_sentinels_and_its_service() {
    assert_is_served(&["--store", &Server::redis_sentinel().url()]);
}

#[test]
fn a_settings_file_names_several_servers_too() {
    let cluster = Server::redis_cluster(3);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pycket.toml");
    let text = format!(
        "[pycket]\nengine = \"redis\"\n[pycket.storage]\nurl = \"{}\"\ndeadline_ms = 5000\n\
         [pycket.cookies]\nsecure = false\n",
        cluster.url()
    );
    std::fs::write(&path, text).unwrap();
    assert_is_served(&["--config", path.to_str().unwrap()]);
}
