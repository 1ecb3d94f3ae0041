//! The program of `pycket_fuzz::sentinel`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(sentinel);
