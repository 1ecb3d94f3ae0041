//! The program of `pycket_fuzz::redis_url`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(redis_url);
