// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions under their names, made from the table of the border.
//!
//! Apart because here alone raw parameters become `Received` ones, all in the same way.

#![allow(non_snake_case, reason = "the names are those that programs import")]

use hcn_abi::types::*;

use crate::{functions, received::Received};

macro_rules! export {
    ($( [$($ordinal:literal)?] $name:ident($($parameter:ident: $type:ty),*) -> $result:ty; )*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` of the border.")]
            ///
            /// # Safety
            /// Each pointer is NULL or valid for what the function does with it: ids and texts for reading, outputs for writing.
            #[unsafe(no_mangle)]
            pub unsafe extern "system" fn $name($($parameter: $type),*) -> $result {
                // SAFETY: the caller promises of each parameter what `Received` vouches for.
                functions::$name($(unsafe { Received::new($parameter) }),*)
            }
        )*
    };
}

hcn_abi::computenetwork_exports!(export);
hcn_abi::vmcompute_exports!(export);
