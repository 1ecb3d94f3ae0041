//! The program of `pycket_fuzz::local_path`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(local_path);
