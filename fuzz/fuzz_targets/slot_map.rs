//! The program of `pycket_fuzz::slot_map`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(slot_map);
