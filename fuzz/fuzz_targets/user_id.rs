//! The program of `pycket_fuzz::user_id`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(user_id);
