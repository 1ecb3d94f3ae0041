use divan::{Bencher, black_box};
use pycket_core::Value;

#[divan::bench]
fn encode_number() -> Value {
    Value::encode(black_box(&42_u64)).unwrap()
}

#[divan::bench]
fn decode_number(bencher: Bencher<'_, '_>) {
    let value = Value::encode(&42_u64).unwrap();
    bencher.bench_local(|| black_box(&value).decode::<u64>().unwrap());
}

#[divan::bench]
fn encode_text() -> Value {
    Value::encode(black_box("9f86d081884c7d659a2feaa0c55ad015")).unwrap()
}

#[divan::bench]
fn decode_text(bencher: Bencher<'_, '_>) {
    let value = Value::encode("9f86d081884c7d659a2feaa0c55ad015").unwrap();
    bencher.bench_local(|| black_box(&value).decode::<String>().unwrap());
}
