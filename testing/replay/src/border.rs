// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is asked: the functions of the border with their handles.
//!
//! Apart because the wire knows handles and the seam does not: a library is asked through its own, an implementation of the seam through a table
//! that is kept here. Invariant: an implementation adds nothing to an answer and takes nothing from it.

use std::{collections::BTreeMap, sync::Arc, sync::Mutex};

use hcn_api::{Answer, HcnCode, Hns, HnsError, Kind, ObjectId};
use hcn_schema::Guid;

/// The functions of the border.
pub trait Border {
    /// `HcnEnumerateX`.
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String>;
    /// `HcnCreateX`; `network` is a handle.
    fn create(&self, kind: Kind, network: Option<u64>, id: Guid, settings: &str) -> Answer<u64>;
    /// `HcnOpenX`.
    fn open(&self, kind: Kind, id: Guid) -> Answer<u64>;
    /// `HcnQueryXProperties`.
    fn query(&self, kind: Kind, handle: u64, query: &str) -> Answer<String>;
    /// `HcnModifyX`.
    fn modify(&self, kind: Kind, handle: u64, settings: &str) -> Answer<()>;
    /// `HcnDeleteX`.
    fn delete(&self, kind: Kind, id: Guid) -> Answer<()>;
    /// `HcnCloseX`.
    fn close(&self, kind: Kind, handle: u64) -> Answer<()>;
    /// `HNSCall`.
    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String>;
}

/// The word for a kind in the names of functions.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Network => "Network",
        Kind::Endpoint => "Endpoint",
        Kind::Namespace => "Namespace",
        Kind::LoadBalancer => "LoadBalancer",
        Kind::SdnRoute => "SdnRoute",
        Kind::GuestNetworkService => "GuestNetworkService",
    }
}

/// The border over an implementation of the seam.
pub struct Seam {
    hns: Arc<dyn Hns>,
    handles: Mutex<BTreeMap<u64, ObjectId>>,
}

impl Seam {
    /// A border without handles.
    pub fn new(hns: Arc<dyn Hns>) -> Seam {
        Seam {
            hns,
            handles: Mutex::default(),
        }
    }

    fn give(&self, object: ObjectId) -> u64 {
        let mut handles = self.handles.lock().expect("no test goes on after a panic");
        let handle = handles.last_key_value().map_or(1, |(last, _)| last + 1);
        handles.insert(handle, object);
        handle
    }

    fn object(&self, kind: Kind, handle: u64) -> Answer<ObjectId> {
        let handles = self.handles.lock().expect("no test goes on after a panic");
        let object = handles.get(&handle).filter(|object| object.kind == kind);
        object
            .copied()
            .ok_or_else(|| HnsError::new(HcnCode::E_HANDLE))
    }
}

impl Border for Seam {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.hns.enumerate(kind, query)
    }

    fn create(&self, kind: Kind, network: Option<u64>, id: Guid, settings: &str) -> Answer<u64> {
        let network = network
            .map(|handle| self.object(Kind::Network, handle))
            .transpose()?;
        let network = network.map(|object| object.id);
        let id = self.hns.create(kind, network, id, settings)?;
        Ok(self.give(ObjectId { kind, id }))
    }

    fn open(&self, kind: Kind, id: Guid) -> Answer<u64> {
        let object = ObjectId { kind, id };
        self.hns.open(object)?;
        Ok(self.give(object))
    }

    fn query(&self, kind: Kind, handle: u64, query: &str) -> Answer<String> {
        self.hns.query(self.object(kind, handle)?, query)
    }

    fn modify(&self, kind: Kind, handle: u64, settings: &str) -> Answer<()> {
        self.hns.modify(self.object(kind, handle)?, settings)
    }

    fn delete(&self, kind: Kind, id: Guid) -> Answer<()> {
        self.hns.delete(ObjectId { kind, id })
    }

    fn close(&self, kind: Kind, handle: u64) -> Answer<()> {
        self.object(kind, handle)?;
        let mut handles = self.handles.lock().expect("no test goes on after a panic");
        handles.remove(&handle);
        Ok(())
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        self.hns.call(method, path, request)
    }
}
