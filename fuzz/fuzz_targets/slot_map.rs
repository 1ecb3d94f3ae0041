#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pycket_fuzz::slot_map::check(bytes));
