//! The program of `pycket_fuzz::memcached_item`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(memcached_item);
