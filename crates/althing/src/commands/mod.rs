//! One verb, one file.

pub(crate) mod config_check;
pub(crate) mod config_print;
pub(crate) mod key_show;
pub(crate) mod serve;
