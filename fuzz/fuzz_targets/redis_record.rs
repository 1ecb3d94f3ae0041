//! The program of `pycket_fuzz::redis_record`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(redis_record);
