//! The program of `pycket_fuzz::settings_file`.

#![cfg_attr(fuzzing, no_main)]

pycket_fuzz::target!(settings_file);
