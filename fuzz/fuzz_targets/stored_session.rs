//! The program of `pycket_fuzz::stored_session`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(stored_session);
