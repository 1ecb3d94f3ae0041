use divan::{Bencher, black_box};
use pycket_core::{Changes, MemoryStore, SessionId, SessionStore, Ttl, Value};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::no_store::small;
use crate::ready;

/// One thread, and as many as there are cores.
const THREADS: [usize; 2] = [1, 0];

#[divan::bench(threads = THREADS)]
fn load(bencher: Bencher<'_, '_>) {
    let (store, ids) = filled();
    let next = AtomicUsize::new(0);
    bencher.bench(|| ready(store.load(black_box(pick(&ids, &next)))).unwrap());
}

#[divan::bench(threads = THREADS)]
fn update(bencher: Bencher<'_, '_>) {
    let (store, ids) = filled();
    let changes = Changes::new().set("visits", Value::encode(&2_u64).unwrap());
    let next = AtomicUsize::new(0);
    bencher.bench(|| {
        ready(store.update(black_box(pick(&ids, &next)), &changes, Some(day()))).unwrap()
    });
}

#[divan::bench(threads = THREADS)]
fn create_and_delete(bencher: Bencher<'_, '_>) {
    let (store, _) = filled();
    bencher.with_inputs(|| (SessionId::generate(), small())).bench_refs(|(id, record)| {
        let created = ready(store.create(id, record, day())).unwrap();
        (created, ready(store.delete(id)).unwrap())
    });
}

fn filled() -> (MemoryStore, Vec<SessionId>) {
    let store = MemoryStore::new();
    let ids: Vec<_> = (0..1_000).map(|_| SessionId::generate()).collect();
    for id in &ids {
        let _ = ready(store.create(id, &small(), day())).unwrap();
    }
    (store, ids)
}

fn pick<'a>(ids: &'a [SessionId], next: &AtomicUsize) -> &'a SessionId {
    ids.get(next.fetch_add(1, Ordering::Relaxed) % ids.len()).unwrap()
}

fn day() -> Ttl {
    Ttl::try_from(Duration::from_secs(24 * 60 * 60)).unwrap()
}
