#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pycket_fuzz::memcached_server::check(bytes));
