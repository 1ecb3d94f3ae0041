//! The program of `pycket_fuzz::cookie_header`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(cookie_header);
