//! The program of `pycket_fuzz::session_header`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(session_header);
