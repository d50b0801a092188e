// SPDX-License-Identifier: MIT OR Apache-2.0
//! `{Type, Settings}` policies, and the typed view of their settings.
//!
//! A [`Policy`] keeps its settings as they came; [`network`], [`subnet`] and [`endpoint`] read them into the type of section 2.12 and
//! 2.13 of hns-behaviour. A policy of an unknown type is a policy like any other, only without a typed view.

pub mod acl;
pub mod endpoint;
pub mod network;
pub mod subnet;

use serde_json::{Map, Value};

use crate::document::{Document, document};

pub use acl::{Acl, AclAction, AclDirection, AclRuleType};
pub use endpoint::EndpointPolicy;
pub use network::NetworkPolicy;
pub use subnet::SubnetPolicy;

document! {
    /// A policy of a network, a subnet or an endpoint.
    pub struct Policy {
        /// Name of the type, compared without case.
        policy_type: String = "Type",
        /// Settings of the type. Old samples put them beside `Type`, where they are found in `extra`.
        settings: Map<String, Value> = "Settings",
    }
}

impl Policy {
    /// A policy of a type with its settings.
    pub fn new(policy_type: &str, settings: &impl Document) -> Self {
        Policy {
            policy_type: policy_type.to_owned().into(),
            settings: settings.to_map().into(),
            ..Policy::default()
        }
    }

    /// Whether the policy is of this type.
    pub fn is(&self, policy_type: &str) -> bool {
        self.policy_type
            .get()
            .is_some_and(|own| own.eq_ignore_ascii_case(policy_type))
    }

    /// The settings, read as the document `T`; those beside `Type` where there is no `Settings`.
    pub fn settings_as<T: Document>(&self) -> T {
        T::from_map(self.settings.get().unwrap_or(&self.extra))
    }
}

/// Declares the typed view of the policies of one kind of object: a variant a type, and `Other`.
macro_rules! policies {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$item_meta:meta])* $item:ident($settings:ty) = $text:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $( $(#[$item_meta])* #[doc = concat!("\n\nType `", $text, "`.")] $item($settings), )*
            /// A type that is not listed, as it came.
            Other($crate::policy::Policy),
        }

        impl $name {
            /// The types that have a typed view.
            pub const TYPES: &'static [&'static str] = &[$($text),*];

            /// Reads the policy's settings by its type.
            pub fn of(policy: &$crate::policy::Policy) -> Self {
                $( if policy.is($text) { return $name::$item(policy.settings_as()); } )*
                $name::Other(policy.clone())
            }

            /// Canonical spelling of the keys that the settings of the policy's type have; `None` for a type that is not listed.
            pub fn keys(policy: &$crate::policy::Policy) -> Option<&'static [&'static str]> {
                $( if policy.is($text) { return Some(<$settings as $crate::document::Document>::KEYS); } )*
                None
            }

            /// The policy that says this.
            pub fn to_policy(&self) -> $crate::policy::Policy {
                match self {
                    $( $name::$item(settings) => $crate::policy::Policy::new($text, settings), )*
                    $name::Other(policy) => policy.clone(),
                }
            }

            /// JSON pointers, from the policy, and values of settings that are present and not readable.
            pub fn odd_fields(policy: &$crate::policy::Policy) -> Vec<(String, serde_json::Value)> {
                let typed = Self::of(policy);
                let odd: Vec<(String, &serde_json::Value)> = match &typed {
                    $( $name::$item(settings) => $crate::document::Document::odd_fields(settings), )*
                    $name::Other(_) => Vec::new(),
                };
                let at = match policy.settings.get() {
                    Some(_) => format!("/{}", policy.spelled("Settings")),
                    None => String::new(),
                };
                odd.into_iter().map(|(pointer, value)| (format!("{at}{pointer}"), value.clone())).collect()
            }
        }
    };
}
pub(crate) use policies;
