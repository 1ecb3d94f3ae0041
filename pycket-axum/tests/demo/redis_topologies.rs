//! The demo with Redis on several servers.

use pycket_testkit::servers::Server;

use crate::program::Demo;

/// Asserts that clients keep their values through a login, which moves them to another key.
fn assert_works(arguments: &[&str]) {
    let demo = Demo::start(arguments);
    for _ in 0..5 {
        let client = demo.client();
        client.put("/api/session/cart", "\"pear\"").assert_status(204);
        let before = client.cookie();
        client.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        assert_ne!(client.cookie(), before);
        let response = client.get("/api/session");
        response.assert_status(200);
        assert!(
            response.body.contains("pear") && response.body.contains("ann"),
            "{}",
            response.body
        );
    }
}

#[test]
fn cluster_is_found_through_some_of_its_nodes() {
    let cluster = Server::redis_cluster(3);
    let [one, two, three] = cluster.nodes() else { panic!("the cluster has three nodes") };
    assert_works(&["--store", &cluster.url()]);
    assert_works(&["--store", &format!("redis+cluster://{}", two.address())]);
    assert_works(&["--store", &format!("{},{}", one.url(), three.url())]);
}

#[test]
fn primary_is_found_through_its_sentinels() {
    assert_works(&["--store", &Server::redis_sentinel().url()]);
}

#[test]
fn cluster_is_found_through_a_settings_file() {
    let cluster = Server::redis_cluster(3);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pycket.toml");
    let text = format!(
        "[pycket]\nengine = \"redis\"\n[pycket.storage]\nurl = \"{}\"\ndeadline_ms = 5000\n\
         [pycket.cookies]\nsecure = false\n",
        cluster.url()
    );
    std::fs::write(&path, text).unwrap();
    assert_works(&["--config", path.to_str().unwrap()]);
}
