//! The program of `pycket_fuzz::memcached_server`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(memcached_server);
