//! The program of `pycket_fuzz::record`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(record);
