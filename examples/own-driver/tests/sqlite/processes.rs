use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::{Changes, Record, SessionId, SessionStore, Update, Value};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, put, record};

use crate::file::{File, stored};

/// Set in a child process that a test has started: the session and the file.
const WORK: &str = "OWN_DRIVER_WORK";

const INCREMENTS: u64 = 200;

#[test]
fn two_processes_count_every_increment() {
    if let Some((store, id)) = work() {
        return block_on(async {
            for _ in 0..INCREMENTS {
                increment(&store, &id).await;
            }
        });
    }
    let file = File::new();
    block_on(async {
        let id = put(&file.store(), &counters(0), HOUR).await;
        let test = "processes::two_processes_count_every_increment";
        let children = [(); 2].map(|()| start(test, &file, &id));
        for mut child in children {
            let mut output = String::new();
            child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
            assert!(child.wait().unwrap().success(), "{output}");
        }
        assert_eq!(stored(&file.store(), &id).await, Some(counters(2 * INCREMENTS)));
    });
}

#[test]
fn killed_process_leaves_whole_records_and_no_lock() {
    if let Some((store, id)) = work() {
        return block_on(async {
            loop {
                println!("{}", increment(&store, &id).await);
            }
        });
    }
    let file = File::new();
    block_on(async {
        let id = put(&file.store(), &counters(0), HOUR).await;
        let test = "processes::killed_process_leaves_whole_records_and_no_lock";
        let mut child = start(test, &file, &id);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Text before the number comes from the test harness.
        let reported =
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).nth(50);
        child.kill().unwrap();
        child.wait().unwrap();

        let store = file.store();
        let found = stored(&store, &id).await.unwrap();
        let counted: u64 = found.get("left").unwrap().decode().unwrap();
        assert!(Some(counted) >= reported, "{counted} of at least {reported:?}");
        assert_eq!(found, counters(counted), "every update changes both names");
        assert_eq!(increment(&store, &id).await, counted + 1);
    });
}

/// The store and the session, in a child process.
fn work() -> Option<(SqliteStore, SessionId)> {
    let work = env::var(WORK).ok()?;
    let (id, path) = work.split_once(' ').unwrap();
    let store = SqliteStore::builder(path).timeout(SqliteStoreBuilder::MAX_TIMEOUT);
    Some((store.build().unwrap(), id.parse().unwrap()))
}

/// Runs `test` of this program in a child process.
fn start(test: &str, file: &File, id: &SessionId) -> Child {
    let work = format!("{} {}", id.expose(), file.path().to_str().unwrap());
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(WORK, work)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn counters(number: u64) -> Record {
    let mut both = record([]);
    both.apply(&set(number));
    both
}

fn set(number: u64) -> Changes {
    let number = Value::encode(&number).unwrap();
    Changes::new().set("left", number.clone()).set("right", number)
}

/// Adds one to the number it has read. Retries if another process has changed the number in between.
async fn increment(store: &SqliteStore, id: &SessionId) -> u64 {
    loop {
        let loaded = store.load(id).await.unwrap().unwrap();
        let read = loaded.record.get("left").unwrap().clone();
        let next = read.decode::<u64>().unwrap() + 1;
        let changes = set(next).expect("left", Some(read)).with_version(loaded.version);
        match store.update(id, &changes, None).await.unwrap() {
            Update::Applied => return next,
            other => assert_eq!(other, Update::Conflict),
        }
    }
}
