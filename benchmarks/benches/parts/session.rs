use std::sync::Arc;

use divan::{Bencher, black_box};
use pycket_core::{Session, SessionId, SessionManager};

use crate::no_store::NoStore;
use crate::ready;

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let (manager, id) = (manager(), SessionId::generate());
    bencher.bench_local(|| ready(manager.open(Some(black_box(id)))).unwrap());
}

#[divan::bench]
fn get(bencher: Bencher<'_, '_>) {
    let session = opened(&manager());
    bencher.bench_local(|| session.get::<u64>(black_box("visits")).unwrap());
}

#[divan::bench]
fn set(bencher: Bencher<'_, '_>) {
    let manager = manager();
    bencher
        .with_inputs(|| opened(&manager))
        .bench_local_refs(|session| session.set(black_box("visits"), &2_u64).unwrap());
}

#[divan::bench]
fn commit_of_nothing(bencher: Bencher<'_, '_>) {
    let manager = manager();
    bencher
        .with_inputs(|| opened(&manager))
        .bench_local_refs(|session| ready(session.commit()).unwrap());
}

#[divan::bench]
fn commit_of_a_change(bencher: Bencher<'_, '_>) {
    let manager = manager();
    let changed = || {
        let session = opened(&manager);
        session.set("visits", &2_u64).unwrap();
        session
    };
    bencher.with_inputs(changed).bench_local_refs(|session| ready(session.commit()).unwrap());
}

#[divan::bench]
fn commit_of_a_new_id(bencher: Bencher<'_, '_>) {
    let manager = manager();
    let cycled = || {
        let session = opened(&manager);
        session.cycle_id();
        session
    };
    bencher.with_inputs(cycled).bench_local_refs(|session| ready(session.commit()).unwrap());
}

fn manager() -> SessionManager {
    SessionManager::new(Arc::new(NoStore::new()))
}

fn opened(manager: &SessionManager) -> Session {
    ready(manager.open(Some(SessionId::generate()))).unwrap()
}
