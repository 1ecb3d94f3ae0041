//! The program of `pycket_fuzz::value`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(value);
