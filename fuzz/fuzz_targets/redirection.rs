//! The program of `pycket_fuzz::redirection`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(redirection);
